//! What the event loop and a training thread share: the progress of the training, and whether it is cancelled.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use serde::Serialize;

use crate::progress::Progress;

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
}

impl TrainingHandle {
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
}
