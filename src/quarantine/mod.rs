//! Finds pictures that kill the process that decodes them, or that never finish decoding, and does not decode them again.
//!
//! A panic costs one picture only. The cases here cannot be caught: the kernel kills the process for its memory, an allocation
//! fails, a decoder loops for ever. So each thread writes to the disk what it is about to decode (2 µs a picture, without a
//! flush: the process may die, not the machine). A picture that the next start finds there is only a suspect, because a process
//! killed from outside is also in the middle of something. A suspect gets a trial: it is decoded in a child process with limits
//! ([`crate::isolation`]), and set aside only if that child dies of it. A trial that the service does not survive, or that
//! was ended from outside, is held again.

mod guard;
mod list;
mod marks;
mod memory;
mod slot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use image::DynamicImage;
use log::{debug, info};

use crate::error::Trouble;
use crate::files::{empty_private_folder, make_private_folder, remove_own};
use crate::isolation::{DecodeOrder, Extracted, Isolation, TrialOutcome, budget_by_default, memory_allowance};
use crate::picture::{Bounds, CrashCause, FileSnapshot, Hash, Resolution, Unusable};
use guard::GuardDeps;
pub use guard::{Guard, Suspects};
use list::{List, QuarantineState};
use marks::MarkFile;
use memory::MemoryBudget;
pub use memory::Reservation;
pub use slot::{Decoding, Slot, Supervised, Unsupervised};

/// Below the state folder: one file for each thread that decodes.
const FOLDER: &str = "under-way";

/// Holds trials, and decodes what needs a process of its own: [`Isolation`], or a fake in tests.
pub trait Trial: Send + Sync {
    /// Decodes `bytes`, the content of the file at `path`, where it can do no harm to the service.
    fn hold(&self, bytes: &[u8], path: &Path, order: &DecodeOrder) -> TrialOutcome;

    /// Decodes `bytes`, the content of the file at `path`, which its decoder may not do in this process, with so much memory, to
    /// this resolution or a higher one.
    fn decode(
        &self,
        bytes: &[u8],
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
        memory_bytes: u64,
    ) -> Result<DynamicImage, Unusable>;

    /// The process is about to end: trials and decodings are cancelled.
    fn close(&self);
}

impl Trial for Isolation {
    fn hold(&self, bytes: &[u8], path: &Path, order: &DecodeOrder) -> TrialOutcome {
        self.extract(bytes, path, order)
    }

    fn decode(
        &self,
        bytes: &[u8],
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
        memory_bytes: u64,
    ) -> Result<DynamicImage, Unusable> {
        Self::decode(self, bytes, path, bounds, resolution, memory_bytes)
    }

    fn close(&self) {
        Self::close(self);
    }
}

/// The contents that killed a process, or may have; shared by all threads that decode.
pub struct Quarantine {
    folder: PathBuf,
    list: Mutex<List>,
    trial: Box<dyn Trial>,
    /// Why no trial can be held on this machine, once that is known.
    no_trial: Mutex<Option<Trouble>>,
    /// For decoding in this process.
    memory: Arc<MemoryBudget>,
    /// Why the list could not be saved, and when that was tried.
    unsaved: Mutex<Option<(Trouble, Instant)>>,
}

/// How a content is to be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Treatment {
    /// Like any other.
    Unknown,
    /// Decoded in a trial first.
    Suspect,
    /// Not decoded.
    Refused(Unusable),
}

impl Quarantine {
    /// Opens that of a locked state folder; also returns what to report about the last process. Where the disk does not allow
    /// writing, the service starts anyway: then nothing is remembered for the next process.
    pub fn open(state: &Path, trial: Box<dyn Trial>) -> (Self, Vec<Trouble>) {
        let folder = state.join(FOLDER);
        let (mut list, trouble) = List::open(state);
        let mut troubles: Vec<Trouble> = make_private_folder(&folder).err().into_iter().chain(trouble).collect();
        let left = marks::all_in(&folder);
        troubles.extend(left.iter().map(|mark| list.record_crash(mark)));
        // The list is saved before the marks are cleared: after a crash in between, the same suspects are found again.
        match if left.is_empty() { Ok(()) } else { list.save() } {
            Ok(()) => empty_private_folder(&folder),
            Err(trouble) => troubles.push(trouble),
        }
        let quarantine = Self {
            folder,
            list: Mutex::new(list),
            trial,
            no_trial: Mutex::new(None),
            memory: MemoryBudget::new(budget_by_default()),
            unsaved: Mutex::new(None),
        };
        (quarantine, troubles)
    }

    /// Why this content must not be decoded, if so.
    pub fn refuses(&self, content: Hash, bounds: &Bounds) -> Option<Unusable> {
        match self.treatment(content, bounds) {
            Treatment::Refused(problem) => Some(problem),
            Treatment::Unknown | Treatment::Suspect => None,
        }
    }

    /// Whether a trial is to be held before this content is decoded.
    pub fn is_suspect(&self, content: Hash, bounds: &Bounds) -> bool {
        self.treatment(content, bounds) == Treatment::Suspect
    }

    /// Whether a suspect was read at this path: what an earlier version decided about the file must be decided again.
    pub fn is_suspect_at(&self, path: &Path) -> bool {
        self.list().is_suspect_at(path)
    }

    /// A guard for a thread that decodes, named `name`.
    pub fn guard(self: &Arc<Self>, name: &str, suspects: Suspects, supervisor: Arc<dyn Supervised>) -> Guard {
        let mark = MarkFile::new(self.folder.join(name));
        Guard::new(GuardDeps { quarantine: self.clone(), suspects, supervisor, mark })
    }

    /// A decoding took too long and was abandoned. Perhaps the machine was busy: a trial will tell.
    pub fn abandon(&self, decoding: &Decoding) {
        let _ = remove_own(&decoding.mark);
        self.change(|list| list.put(decoding.content, &decoding.path, QuarantineState::Suspect));
    }

    /// Why no trial can be held on this machine.
    pub fn trouble(&self) -> Option<Trouble> {
        self.no_trial.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The process is about to end: cancels trials.
    pub fn cancel_trials(&self) {
        self.trial.close();
    }

    /// The process shuts down cleanly: what is being decoded now is no suspect. The mark files are deleted, so that later marks
    /// go nowhere.
    pub fn close(&self) {
        empty_private_folder(&self.folder);
    }

    /// A suspect was decoded without harm.
    fn acquit(&self, content: Hash) {
        self.change(|list| list.remove(content));
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
                self.acquit(contents.hash);
                Some(result)
            }
            TrialOutcome::Crashed(cause) => {
                self.set_no_trial(None);
                self.change(|list| list.put(contents.hash, path, QuarantineState::SetAside(cause)));
                Some(Err(Unusable::SetAside(cause)))
            }
            TrialOutcome::Interrupted(why) => {
                info!(file:% = shown; "{shown}: its trial proved nothing ({why}) and is repeated");
                Some(Err(Unusable::TrialInterrupted(why)))
            }
            // It is held at the next start.
            TrialOutcome::Cancelled => Some(Err(Unusable::AwaitsTrial)),
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

    /// A list that cannot be saved still serves this process. It is saved again and again ([`Self::save_again`]); if the process
    /// ends before that succeeds, the next one repeats the trials.
    fn change(&self, change: impl FnOnce(&mut List)) {
        let mut list = self.list();
        change(&mut list);
        *self.unsaved() = list.save().err().map(|trouble| (trouble, Instant::now()));
    }

    /// Why the list is not saved, if so; after `pause` that is tried again.
    pub fn save_again(&self, pause: Duration) -> Option<Trouble> {
        let is_due = self.unsaved().as_ref().is_some_and(|(_, tried)| tried.elapsed() >= pause);
        if is_due {
            self.change(|_| ());
        }
        self.unsaved().as_ref().map(|(trouble, _)| trouble.clone())
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<(Trouble, Instant)>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A panic elsewhere does not make the list wrong.
    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a picture may use more now of what was too little for it: after a higher limit it is tried again.
fn has_more_now(cause: CrashCause, bounds: &Bounds) -> bool {
    match cause {
        CrashCause::Signal { .. } => false,
        CrashCause::Time { limit_ms } => limit_ms < bounds.decode_ms,
        // A quarter more, because the memory left varies all the time.
        CrashCause::Memory { megabytes } => (memory_allowance() >> 20) > megabytes + megabytes / 4,
    }
}

#[cfg(test)]
mod tests;
