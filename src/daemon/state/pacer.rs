//! Limits how often something happens, and remembers what was put off. Pure: the time is an argument.

use std::time::Duration;

/// A rate limit; times are counted from the daemon's start.
#[derive(Debug)]
pub struct Pacer {
    pause: Duration,
    next: Duration,
    is_pending: bool,
}

impl Pacer {
    /// At most once in each `pause`; the first time at once.
    pub fn new(pause: Duration) -> Self {
        Self { pause, next: Duration::ZERO, is_pending: true }
    }

    /// Whether it may happen now. If not, it is pending and due as soon as it may.
    pub fn is_due(&mut self, now: Duration) -> bool {
        self.is_pending = now < self.next;
        if !self.is_pending {
            self.next = now + self.pause;
        }
        !self.is_pending
    }

    /// Makes it due at once, however recently it happened.
    pub fn hurry(&mut self) {
        self.next = Duration::ZERO;
    }

    /// When it is due, if it was put off.
    pub fn next_due(&self) -> Option<Duration> {
        self.is_pending.then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_happens_once_in_a_pause_and_what_was_put_off_is_not_forgotten() {
        let mut pacer = Pacer::new(ms(200));
        assert!(pacer.is_due(ms(0)));
        assert_eq!(pacer.next_due(), None, "nothing is pending");
        assert!(!pacer.is_due(ms(50)) && !pacer.is_due(ms(199)));
        assert_eq!(pacer.next_due(), Some(ms(200)));
        assert!(pacer.is_due(ms(200)));
        pacer.hurry();
        assert!(pacer.is_due(ms(201)));
    }
}
