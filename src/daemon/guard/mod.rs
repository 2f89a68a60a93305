//! Decoders meet whatever people have. This keeps account of what is being decoded, so that a picture that ends the whole
//! process, or never ends itself, is found out and not tried for ever.
//!
//! A panic costs one picture anyhow. What is meant here leaves nobody to catch it: the kernel ends the process for its
//! memory, an allocation fails, the service manager loses patience. So each thread says on the disk what it is about to
//! decode (2 µs a picture, no flush: it is the process that may die, not the machine). What the next start finds there is a
//! suspect, no more: several were under way, and whoever ends a process by force does so in the middle of something. A
//! suspect waits until the new process has lived for a while ([`SUSPECTS_WAIT`]), is then decoded with nobody beside it, and
//! only if the process ends once more meanwhile is it the culprit.

mod gate;
mod list;
mod marker;
mod slot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use image::DynamicImage;

use crate::error::Trouble;
use crate::files::{make_folder, remove_own};
use crate::picture::{self, Bounds, Contents, Hash, Unusable};
use gate::{Gate, Mode};
use list::{List, Standing};
use marker::{Board, Marker};
pub use slot::{Decoding, Slot};

/// Below the state folder: one file for each thread that decodes.
const FOLDER: &str = "under-way";

/// Suspects are decoded this long after the start: a process that is ended by force again and again, or dies young for
/// another reason, would otherwise die over them each time, since they come first.
pub const SUSPECTS_WAIT: Duration = Duration::from_secs(5);

/// What is known of contents that ended the process, or did not end; shared by all threads that decode.
pub struct Quarantine {
    folder: PathBuf,
    list: Mutex<List>,
    gate: Gate,
}

impl Quarantine {
    /// Of a state folder that nobody else works on, and what is to be said of what the last process left there. Where the
    /// disk does not go along, the service starts all the same: then nothing is remembered for the process after this one.
    pub fn open(state: &Path) -> (Self, Vec<Trouble>) {
        let folder = state.join(FOLDER);
        let (mut list, trouble) = List::open(state);
        let mut said: Vec<Trouble> = make_folder(&folder).err().into_iter().chain(trouble).collect();
        let left = marker::all_in(&folder);
        said.extend(left.iter().map(|marker| list.accuse(marker)));
        if !left.is_empty() {
            // First the list, then the markers: dying in between counts once too often, never once too seldom.
            match list.save() {
                Ok(()) => marker::clear(&folder),
                Err(trouble) => said.push(trouble),
            }
        }
        (Self { folder, list: Mutex::new(list), gate: Gate::default() }, said)
    }

    /// Whether this content is not to be decoded any more.
    pub fn refuses(&self, content: Hash, bounds: &Bounds) -> Option<Unusable> {
        match self.list().standing(content)? {
            (Standing::Suspect, _) => None,
            (Standing::Deadly, deaths) => Some(Unusable::Deadly { deaths }),
            // Whoever allows more time wants it tried again.
            (Standing::Slow { limit_ms }, _) if limit_ms < bounds.decode_ms => None,
            (Standing::Slow { limit_ms }, _) => Some(Unusable::TooSlow { limit_ms }),
        }
    }

    /// Where the suspects were read.
    pub fn suspects(&self) -> Vec<PathBuf> {
        self.list().suspects()
    }

    /// What a thread that decodes holds; `name` is its own.
    pub fn guard(self: &Arc<Self>, name: &str, slot: &Arc<Slot>) -> Guard {
        let board = Board::new(self.folder.join(name));
        Guard(Some(Post { quarantine: self.clone(), slot: slot.clone(), board }))
    }

    /// A decoding is waited for no longer: its content is set aside, and others need not mind it.
    pub fn give_up(&self, decoding: &Decoding, limit: Duration) {
        self.gate.leave(decoding.mode);
        let _ = remove_own(&decoding.board);
        let limit_ms = limit.as_millis() as u64;
        self.change(|list| list.put(decoding.content, &decoding.path, Standing::Slow { limit_ms }));
    }

    /// The process ends in order: whatever is being decoded just now is innocent, and what its thread says from now on it
    /// says to a file without a name.
    pub fn close(&self) {
        marker::clear(&self.folder);
    }

    /// How a content is to be decoded.
    fn mode(&self, content: Hash) -> Mode {
        match self.list().standing(content) {
            Some((Standing::Suspect, _)) => Mode::Alone,
            _ => Mode::Together,
        }
    }

    /// A list that cannot be saved is good for this process; the next one finds out again.
    fn change(&self, change: impl FnOnce(&mut List)) {
        let mut list = self.list();
        change(&mut list);
        if let Err(trouble) = list.save() {
            log::warn!("{trouble}");
        }
    }

    /// A panic elsewhere does not make the list wrong.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a thread decodes through.
pub struct Guard(Option<Post>);

struct Post {
    quarantine: Arc<Quarantine>,
    slot: Arc<Slot>,
    board: Board,
}

impl Guard {
    /// For a command, which does one thing for one person: if that ends it, they see what did.
    pub fn none() -> Self {
        Self(None)
    }

    /// Why `content` is not to be decoded, if so.
    pub fn refuses(&self, content: Hash, bounds: &Bounds) -> Option<Unusable> {
        self.0.as_ref().and_then(|post| post.quarantine.refuses(content, bounds))
    }

    /// Decodes the file at `path`, whose `contents` were read, and makes of the picture what `make` does.
    ///
    /// Does not return when the thread was given up meanwhile: another one does its work by then, so it ends right here,
    /// and what it held is let go. Nothing is locked while a picture is decoded, so unwinding leaves nothing half done.
    pub fn decode<T>(
        &self,
        contents: &Contents,
        path: &Path,
        bounds: &Bounds,
        make: impl FnOnce(DynamicImage) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        let work = || picture::decode(&contents.bytes, path, bounds).and_then(make);
        let Some(post) = &self.0 else { return work() };
        if let Some(refusal) = self.refuses(contents.hash, bounds) {
            return Err(refusal);
        }
        let mode = post.quarantine.mode(contents.hash);
        post.begin(contents.hash, path, mode);
        let made = work();
        if !post.end(contents.hash, mode) {
            drop(made);
            std::panic::resume_unwind(Box::new("given up"));
        }
        made
    }
}

impl Post {
    fn begin(&self, content: Hash, path: &Path, mode: Mode) {
        self.quarantine.gate.enter(mode);
        self.board.put(&Marker::new(content, path, mode));
        self.slot.begin(Decoding::new(content, path, mode, &self.board.path));
    }

    /// `false` when this thread was given up.
    fn end(&self, content: Hash, mode: Mode) -> bool {
        if !self.slot.end() {
            return false;
        }
        self.board.wipe();
        if self.quarantine.list().standing(content).is_some() {
            // Nothing happened this time: it is as good as any other.
            self.quarantine.change(|list| list.remove(content));
        }
        self.quarantine.gate.leave(mode);
        true
    }
}

#[cfg(test)]
mod tests;
