//! Progress and cancellation of long work, followed from outside.

/// Whoever follows a long piece of work. The default ignores its progress and lets it run.
pub trait Progress: Sync {
    /// The present stage is done by this share, 0 to 1. Called often; it has to be cheap.
    fn set_share(&self, _share: f32) {}

    /// Whether the result is no longer wanted: the work ends at its next step, without one.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody follows.
pub struct Unfollowed;

impl Progress for Unfollowed {}

/// Nobody follows the progress; the work is cancelled when the function says so.
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
