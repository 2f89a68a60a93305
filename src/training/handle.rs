//! What ties a training thread to the event loop: how far it is, and that it is to end.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use serde::Serialize;

use crate::progress::Progress;

/// What a training is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Features are read from the catalog.
    Reading,
    /// The model learns.
    Fitting,
    /// The gate looks at it.
    Checking,
    /// The inventory gets its new embeddings.
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
    /// Of the stage, in hundredths: finer steps would only have `status.json` written more often.
    percent: AtomicU32,
}

impl TrainingHandle {
    /// Tells the training to end at its next step.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Says what begins now.
    pub fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
        self.percent.store(0, Ordering::Relaxed);
    }

    /// What it is at, and the share of that which is done.
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
