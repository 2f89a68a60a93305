//! Finds out which pictures kill the process that decodes them, or never let it end, and keeps those from being decoded again.
//!
//! A panic costs one picture anyhow. What is meant here leaves nobody to catch it: the kernel ends the process for its
//! memory, an allocation fails, a decoder loops for ever. So each thread writes to the disk what it is about to decode (2 µs a
//! picture, no flush: it is the process that may die, not the machine). What the next start finds there is a suspect, no
//! more: whoever ends a process by force does so in the middle of something. A suspect gets a trial: it is decoded in a
//! child process with limits ([`crate::isolation`]), and only if that child dies of it is it set aside. A trial that the
//! service does not survive, or that somebody else ended, is held again.

mod guard;
mod list;
mod marks;
mod slot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use log::{debug, info, warn};

use crate::error::Trouble;
use crate::files::{make_folder, remove_own};
use crate::isolation::{DecodeOrder, Extracted, Isolation, TrialOutcome, memory_allowance};
use crate::picture::{Bounds, CrashCause, FileSnapshot, Hash, Unusable};
use guard::Post;
pub use guard::{Guard, Suspects};
use list::{List, QuarantineState};
use marks::MarkFile;
pub use slot::{Decoding, Slot, Supervised, Unsupervised};

/// Below the state folder: one file for each thread that decodes.
const FOLDER: &str = "under-way";

/// Who can hold a trial: [`Isolation`], or what a test makes of it.
pub trait Trial: Send + Sync {
    /// Decodes `bytes`, the content of the file at `path`, where it can do no harm.
    fn hold(&self, bytes: &[u8], path: &Path, order: &DecodeOrder) -> TrialOutcome;

    /// The process is about to end: trials are broken off.
    fn close(&self);
}

impl Trial for Isolation {
    fn hold(&self, bytes: &[u8], path: &Path, order: &DecodeOrder) -> TrialOutcome {
        self.extract(bytes, path, order)
    }

    fn close(&self) {
        Self::close(self);
    }
}

/// What is known of contents that killed a process, or might have; shared by all threads that decode.
pub struct Quarantine {
    folder: PathBuf,
    list: Mutex<List>,
    trial: Box<dyn Trial>,
    /// Why no trial can be held on this machine, once that is known.
    no_trial: Mutex<Option<Trouble>>,
}

/// How a content is to be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Treatment {
    /// As any other.
    Unknown,
    /// TrainingHistory first.
    Suspect,
    /// Not decoded.
    Refused(Unusable),
}

impl Quarantine {
    /// Of a state folder that nobody else works on, and what is to be reported of what the last process left there. Where
    /// the disk does not allow it, the service starts all the same: then nothing is remembered for the next process.
    pub fn open(state: &Path, trial: Box<dyn Trial>) -> (Self, Vec<Trouble>) {
        let folder = state.join(FOLDER);
        let (mut list, trouble) = List::open(state);
        let mut troubles: Vec<Trouble> = make_folder(&folder).err().into_iter().chain(trouble).collect();
        let left = marks::all_in(&folder);
        troubles.extend(left.iter().map(|mark| list.record_crash(mark)));
        if !left.is_empty() {
            // First the list, then the marks: a death in between makes the same suspects once more.
            match list.save() {
                Ok(()) => marks::clear(&folder),
                Err(trouble) => troubles.push(trouble),
            }
        }
        (Self { folder, list: Mutex::new(list), trial, no_trial: Mutex::new(None) }, troubles)
    }

    /// Whether this content is not to be decoded any more.
    pub fn refuses(&self, content: Hash, bounds: &Bounds) -> Option<Unusable> {
        match self.treatment(content, bounds) {
            Treatment::Refused(problem) => Some(problem),
            Treatment::Unknown | Treatment::Suspect => None,
        }
    }

    /// Whether a suspect was read at this path: whatever an earlier version decided about the file is to be decided again.
    pub fn is_suspect_at(&self, path: &Path) -> bool {
        self.list().is_suspect_at(path)
    }

    /// What a thread that decodes holds; `name` is its own.
    pub fn guard(self: &Arc<Self>, name: &str, suspects: Suspects, supervisor: Arc<dyn Supervised>) -> Guard {
        let mark = MarkFile::new(self.folder.join(name));
        Guard::new(Post { quarantine: self.clone(), suspects, supervisor, mark })
    }

    /// A decoding is waited for no longer. The machine may have been busy: what it was is found out in a trial.
    pub fn give_up(&self, decoding: &Decoding) {
        let _ = remove_own(&decoding.mark);
        self.change(|list| list.put(decoding.content, &decoding.path, QuarantineState::Suspect));
    }

    /// Why no trial can be held on this machine.
    pub fn trouble(&self) -> Option<Trouble> {
        self.no_trial.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The process is about to end: no trial is waited for.
    pub fn break_off(&self) {
        self.trial.close();
    }

    /// The process ends in order: whatever is being decoded just now is innocent, and what its thread marks from now on is
    /// written to a file without a name.
    pub fn close(&self) {
        marks::clear(&self.folder);
    }

    /// Holds the trial of a suspect; `None` where none can be held.
    fn hold_trial(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        order: &DecodeOrder,
    ) -> Option<Result<Extracted, Unusable>> {
        let shown = path.display();
        match self.trial.hold(&contents.bytes, path, order) {
            TrialOutcome::Ended(result) => {
                self.set_no_trial(None);
                debug!(file:% = shown; "{shown}: decoded in a process of its own without harm");
                self.change(|list| list.remove(contents.hash));
                Some(result)
            }
            TrialOutcome::Crashed(cause) => {
                self.set_no_trial(None);
                self.change(|list| list.put(contents.hash, path, QuarantineState::SetAside(cause)));
                Some(Err(Unusable::SetAside(cause)))
            }
            TrialOutcome::Interrupted(why) => {
                info!(file:% = shown; "{shown}: its trial proved nothing ({why}) and is held again");
                Some(Err(Unusable::System(why)))
            }
            TrialOutcome::NotStarted(why) => {
                self.set_no_trial(Some(&why));
                None
            }
        }
    }

    fn set_no_trial(&self, why: Option<&str>) {
        let trouble = why.map(|why| {
            let what =
                format!("a picture that may have ended the program cannot be tried in a process of its own: {why}");
            let remedy =
                "it is decoded like any other; let artificio start a child process (limits of processes, seccomp)";
            Trouble::new(what, "artificio", remedy)
        });
        *self.no_trial.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn treatment(&self, content: Hash, bounds: &Bounds) -> Treatment {
        let state = self.list().state(content);
        match state {
            None => Treatment::Unknown,
            Some(QuarantineState::Suspect) => Treatment::Suspect,
            Some(QuarantineState::SetAside(cause)) if has_more_now(cause, bounds) => Treatment::Suspect,
            Some(QuarantineState::SetAside(cause)) => Treatment::Refused(Unusable::SetAside(cause)),
        }
    }

    /// A list that cannot be saved is good for this process; the next one finds out again.
    fn change(&self, change: impl FnOnce(&mut List)) {
        let mut list = self.list();
        change(&mut list);
        if let Err(trouble) = list.save() {
            warn!("{trouble}");
        }
    }

    /// A panic elsewhere does not make the list wrong.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a picture may take more today of what was too little for it: whoever allows more wants it tried again.
fn has_more_now(cause: CrashCause, bounds: &Bounds) -> bool {
    match cause {
        CrashCause::Signal { .. } => false,
        CrashCause::Time { limit_ms } => limit_ms < bounds.decode_ms,
        // A quarter more: what is left is never the same twice.
        CrashCause::Memory { megabytes } => (memory_allowance() >> 20) > megabytes + megabytes / 4,
    }
}

#[cfg(test)]
mod tests;
