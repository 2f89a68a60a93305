//! What the event loop and a training thread share: the progress of the training, whether it is cancelled, and what changes in the
//! inventory while the thread encodes it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::picture::Hash;
use crate::progress::Progress;

/// An inventory picture, and the content that it has now; `None` when it is gone or unusable.
pub type InventoryChange = (PathBuf, Option<Hash>);

/// The stages of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Features are read from the catalog.
    Reading,
    /// The model learns.
    Fitting,
    /// The gate compares it with the model that serves.
    Checking,
    /// The inventory is encoded by the new model.
    Encoding,
}

impl Stage {
    /// As in `status.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Fitting => "fitting",
            Self::Checking => "checking",
            Self::Encoding => "encoding",
        }
    }

    const ALL: [Self; 4] = [Self::Reading, Self::Fitting, Self::Checking, Self::Encoding];
}

/// Shared by the loop and one training thread.
#[derive(Debug, Default)]
pub struct TrainingHandle {
    is_cancelled: AtomicBool,
    stage: AtomicU8,
    /// Of the stage, in hundredths: finer steps would only make the daemon write `status.json` more often.
    percent: AtomicU32,
    /// Since they were last taken, in their order; `None` until the thread follows them.
    changes: Mutex<Option<Vec<InventoryChange>>>,
}

impl TrainingHandle {
    /// From now on changes are recorded. The thread calls this before it reads what the catalog has: what it then reads is either as
    /// it was before a change, or there is a record of the change.
    pub fn follow_changes(&self) {
        self.changes().get_or_insert_default();
    }

    /// Records a change that is in the catalog already.
    pub fn record_change(&self, path: impl FnOnce() -> PathBuf, content: Option<Hash>) {
        if let Some(changes) = &mut *self.changes() {
            changes.push((path(), content));
        }
    }

    /// The changes since the last call. They are taken after every page that the thread reads, so they are few.
    pub fn take_changes(&self) -> Vec<InventoryChange> {
        self.changes().as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn changes(&self) -> MutexGuard<'_, Option<Vec<InventoryChange>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the training at its next step.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Begins a stage.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
        self.percent.store(0, Ordering::Relaxed);
    }

    /// The stage, and the share of it that is done.
    pub fn progress(&self) -> (Stage, f32) {
        let stage = Stage::ALL[usize::from(self.stage.load(Ordering::Relaxed)) % Stage::ALL.len()];
        (stage, self.percent.load(Ordering::Relaxed) as f32 / 100.0)
    }
}

impl Progress for TrainingHandle {
    fn set_share(&self, share: f32) {
        self.percent.store((share.clamp(0.0, 1.0) * 100.0) as u32, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_goes_to_the_loop_and_cancellation_to_the_thread() {
        let handle = TrainingHandle::default();
        assert_eq!(handle.progress(), (Stage::Reading, 0.0));
        handle.set_share(0.5);
        handle.enter(Stage::Encoding);
        assert_eq!(handle.progress(), (Stage::Encoding, 0.0));
        handle.set_share(0.257);
        assert_eq!(handle.progress(), (Stage::Encoding, 0.25));
        assert!(!handle.is_cancelled());
        handle.cancel();
        assert!(handle.is_cancelled());
    }

    #[test]
    fn changes_are_recorded_once_they_are_followed_and_taken_once() {
        let (handle, content) = (TrainingHandle::default(), Hash::of(b"a"));
        handle.record_change(|| unreachable!("nobody follows"), None);
        handle.follow_changes();
        handle.record_change(|| "a.jpg".into(), Some(content));
        handle.record_change(|| "a.jpg".into(), None);
        assert_eq!(handle.take_changes(), [("a.jpg".into(), Some(content)), ("a.jpg".into(), None)]);
        assert_eq!(handle.take_changes(), []);
    }
}
