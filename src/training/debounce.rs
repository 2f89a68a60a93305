//! Delays retraining until the training pictures stop changing, but not for ever. Pure: the time is an argument.

use std::time::Duration;

/// While pictures keep coming, a training waits at most this many times the configured quiet time, then it starts anyway:
/// a steady trickle of pictures must not prevent training for ever.
const WAIT_FACTOR: u32 = 20;
/// ... where the quiet time counts as at least this.
const LEAST_QUIET: Duration = Duration::from_millis(500);
/// After so many changes nothing is waited for: while a large inventory arrives, its first model must not come when it is complete.
/// Without one, each picture is compared by its features, which are seven times as many numbers.
const MOST_CHANGES: usize = 5_000;

/// A change of the training pictures that the policy has not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrainDebounce {
    first: Duration,
    last: Duration,
    changes: usize,
    /// Not due before that.
    not_before: Duration,
}

impl RetrainDebounce {
    /// Adds a change at `now` to the changes before it.
    pub fn after_change(before: Option<Self>, now: Duration) -> Self {
        let before = before.unwrap_or(Self { first: now, last: now, changes: 0, not_before: now });
        Self { last: now, changes: before.changes + 1, ..before }
    }

    /// Due at `moment`, and not before.
    pub fn not_before(moment: Duration) -> Self {
        Self { first: moment, last: moment, changes: 0, not_before: moment }
    }

    /// Whether so much has changed that the policy is to look now, whatever else is going on.
    pub fn is_overdue(&self, now: Duration) -> bool {
        now >= self.not_before && self.changes >= MOST_CHANGES
    }

    /// Whether the policy is to look now: nothing changed for as long as `quiet` and no picture is being read, or the wait
    /// has been long enough, or for enough changes.
    pub fn is_due(&self, now: Duration, quiet: Duration, is_busy: bool) -> bool {
        let has_settled = (!is_busy && now >= self.last + quiet) || now >= self.waited_out(quiet);
        self.is_overdue(now) || (now >= self.not_before && has_settled)
    }

    /// The next moment after `now` at which it may be due.
    pub fn next_look(&self, now: Duration, quiet: Duration) -> Option<Duration> {
        let moments = [self.not_before, self.last + quiet, self.waited_out(quiet)];
        moments.into_iter().filter(|moment| *moment > now).min()
    }

    fn waited_out(&self, quiet: Duration) -> Duration {
        self.first + quiet.max(LEAST_QUIET) * WAIT_FACTOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_training_waits_for_quiet_and_for_what_is_on_its_way() {
        let debounce = RetrainDebounce::after_change(None, seconds(100));
        assert!(!debounce.is_due(seconds(102), seconds(3), false));
        assert!(debounce.is_due(seconds(103), seconds(3), false));
        assert!(!debounce.is_due(seconds(103), seconds(3), true));
        let debounce = RetrainDebounce::after_change(Some(debounce), seconds(102));
        assert!(!debounce.is_due(seconds(103), seconds(3), false), "another came");
        assert_eq!(debounce.next_look(seconds(103), seconds(3)), Some(seconds(105)));
    }

    #[test]
    fn a_trickle_does_not_keep_the_model_from_learning() {
        let mut debounce = None;
        let mut started = Vec::new();
        for second in 0..200 {
            debounce = Some(RetrainDebounce::after_change(debounce, seconds(second)));
            if debounce.is_some_and(|debounce| debounce.is_due(seconds(second), seconds(3), true)) {
                started.push(second);
                debounce = None;
            }
        }
        assert_eq!(started, [60, 121, 182]);
        let impatient = RetrainDebounce::after_change(None, seconds(0));
        assert!(!impatient.is_due(seconds(9), seconds(0), true) && impatient.is_due(seconds(10), seconds(0), true));
        assert_eq!(impatient.next_look(seconds(1), seconds(0)), Some(seconds(10)));
        assert_eq!(impatient.next_look(seconds(10), seconds(0)), None, "from now on only events change anything");
    }

    #[test]
    fn while_very_many_pictures_come_nothing_is_waited_for() {
        let mut debounce = None;
        let mut due_after = Vec::new();
        for change in 1..=12_000 {
            debounce = Some(RetrainDebounce::after_change(debounce, seconds(1)));
            if debounce.is_some_and(|debounce| debounce.is_overdue(seconds(1))) {
                assert!(debounce.is_some_and(|debounce| debounce.is_due(seconds(1), seconds(3), true)));
                due_after.push(change);
                debounce = None;
            }
        }
        assert_eq!(due_after, [5_000, 10_000]);
        let mut failed = RetrainDebounce::not_before(seconds(30));
        (0..9_000).for_each(|_| failed = RetrainDebounce::after_change(Some(failed), seconds(1)));
        assert!(!failed.is_overdue(seconds(29)) && failed.is_overdue(seconds(30)));
    }

    #[test]
    fn after_a_failure_there_is_a_pause_whatever_changes() {
        let debounce = RetrainDebounce::after_change(Some(RetrainDebounce::not_before(seconds(130))), seconds(101));
        assert!(!debounce.is_due(seconds(129), seconds(3), false));
        assert!(debounce.is_due(seconds(130), seconds(3), false));
    }
}
