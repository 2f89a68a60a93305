//! The daemon's lifetime: when it started, its lock, and the reason to stop if something fatal happened.

use std::time::{Duration, Instant};

use crate::clock;
use crate::files::Lock;

/// From the start to the end.
pub struct Lifecycle {
    started: Instant,
    started_s: i64,
    lock: Lock,
    fatal_reason: Option<String>,
}

impl Lifecycle {
    /// Started at `started`; `lock` keeps a second daemon from the same root.
    pub fn new(started: Instant, lock: Lock) -> Self {
        Self { started, started_s: clock::now_s(), lock, fatal_reason: None }
    }

    /// Time since the start: the clock for everything that waits.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// When it was started, in seconds since 1970.
    pub fn started_s(&self) -> i64 {
        self.started_s
    }

    /// It must stop; the first reason counts.
    pub fn fail(&mut self, reason: String) {
        self.fatal_reason.get_or_insert(reason);
    }

    /// Why it must stop, if it must.
    pub fn take_fatal_reason(&mut self) -> Option<String> {
        self.fatal_reason.take()
    }

    /// Whether the lock file is still in place.
    pub fn holds_lock(&self) -> bool {
        self.lock.is_in_place()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_to_end_is_the_one_given() {
        let state = tempfile::tempdir().unwrap();
        let mut life = Lifecycle::new(Instant::now(), Lock::take(state.path()).unwrap());
        assert!(life.holds_lock() && life.take_fatal_reason().is_none());
        life.fail("the first".into());
        life.fail("what followed from it".into());
        assert_eq!(life.take_fatal_reason().as_deref(), Some("the first"));
        assert_eq!(life.take_fatal_reason(), None);
        std::fs::remove_dir_all(state.path()).unwrap();
        assert!(!life.holds_lock());
    }
}
