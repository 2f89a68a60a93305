//! Long work followed from outside: it says how far it is, and may be told to end.

/// Whoever follows a long piece of work. The default hears nothing and lets it run.
pub trait Progress: Sync {
    /// The present stage is done by this share, 0 to 1. Called often; it has to be cheap.
    fn told(&self, _share: f32) {}

    /// Whether the result is no longer wanted: the work ends at its next step, without one.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Nobody follows.
pub struct Unfollowed;

impl Progress for Unfollowed {}
