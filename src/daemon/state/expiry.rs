//! How far the removal of old answers is: a pass through all of them, a few at a time, and then a pause. Pure: the time is an argument.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two passes.
const INTERVAL: Duration = Duration::from_secs(3_600);

/// A pass, and when the next one begins.
#[derive(Debug, Default)]
pub struct Expiry {
    next: Duration,
    /// The query up to which the pass has come.
    after: Option<PathBuf>,
    removed: usize,
}

impl Expiry {
    /// Whether answers are to be looked at now.
    pub fn is_due(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// The query after which they are.
    pub fn after(&self) -> Option<&Path> {
        self.after.as_deref()
    }

    /// The next pass begins now, because of other settings.
    pub fn hurry(&mut self) {
        *self = Self::default();
    }

    /// Looked at up to the query `last`, without one to the end; so many were removed. At the end it returns how many were in all.
    pub fn advance(&mut self, last: Option<PathBuf>, removed: usize, now: Duration) -> Option<usize> {
        self.removed += removed;
        self.after = last;
        if self.after.is_some() {
            return None;
        }
        self.next = now + INTERVAL;
        Some(std::mem::take(&mut self.removed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_goes_on_where_it_was_and_rests_when_it_is_done() {
        let mut expiry = Expiry::default();
        let second = Duration::from_secs;
        assert!(expiry.is_due(second(0)) && expiry.after().is_none());
        assert_eq!(expiry.advance(Some("b".into()), 2, second(1)), None);
        assert!(expiry.is_due(second(1)) && expiry.after() == Some(Path::new("b")));
        assert_eq!(expiry.advance(None, 1, second(2)), Some(3));
        assert!(!expiry.is_due(second(3_000)) && expiry.is_due(second(3_602)) && expiry.after().is_none());
        assert_eq!(expiry.advance(None, 0, second(3_602)), Some(0));
        expiry.hurry();
        assert!(expiry.is_due(second(3_603)));
    }
}
