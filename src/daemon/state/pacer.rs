//! Lets something happen at most once in a while, and does not forget that it is wanted. Time is an argument.

use std::time::Duration;

/// The time since the daemon's start, of the last and of the next moment.
#[derive(Debug)]
pub struct Pacer {
    pause: Duration,
    next: Duration,
    is_pending: bool,
}

impl Pacer {
    /// At most once in each `pause`; at once for a start.
    pub fn new(pause: Duration) -> Self {
        Self { pause, next: Duration::ZERO, is_pending: true }
    }

    /// Whether it may happen now. If not, it is wanted as soon as it may.
    pub fn is_due(&mut self, now: Duration) -> bool {
        self.is_pending = now < self.next;
        if !self.is_pending {
            self.next = now + self.pause;
        }
        !self.is_pending
    }

    /// The next time it is due, however short ago the last one was.
    pub fn hurry(&mut self) {
        self.next = Duration::ZERO;
    }

    /// When to come back, if it was put off.
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
        assert_eq!(pacer.next_due(), None, "nobody wants it again");
        assert!(!pacer.is_due(ms(50)) && !pacer.is_due(ms(199)));
        assert_eq!(pacer.next_due(), Some(ms(200)));
        assert!(pacer.is_due(ms(200)));
        pacer.hurry();
        assert!(pacer.is_due(ms(201)));
    }
}
