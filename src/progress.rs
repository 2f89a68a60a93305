//! Progress and cancellation of long work, followed from outside.

/// Receives the progress of long work and can cancel it. By default it ignores the progress and cancels nothing.
pub trait Progress: Sync {
    /// This share of the current stage is done, 0 to 1. Called often, so it must be cheap.
    fn set_share(&self, _share: f32) {}

    /// Whether the work is cancelled: it ends at its next step, without a result.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Ignores the progress and never cancels.
pub struct Unfollowed;

impl Progress for Unfollowed {}

/// Ignores the progress; cancels the work when the function returns true.
pub struct CancelledWhen<F>(pub F);

impl<F: Fn() -> bool + Sync> Progress for CancelledWhen<F> {
    fn is_cancelled(&self) -> bool {
        (self.0)()
    }
}

/// A part of longer work: its progress is a share of the whole.
pub struct Part<'a> {
    /// Of the whole.
    pub progress: &'a dyn Progress,
    /// What share of the whole is done before it, 0 to 1.
    pub start: f32,
    /// What share of the whole it is, 0 to 1.
    pub share: f32,
}

impl Progress for Part<'_> {
    fn set_share(&self, share: f32) {
        self.progress.set_share(self.start + share * self.share);
    }

    fn is_cancelled(&self) -> bool {
        self.progress.is_cancelled()
    }
}
