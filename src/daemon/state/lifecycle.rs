//! The daemon's lifetime: when it started, its hold on the state folder, and the reason to stop if something fatal happened.

use std::time::{Duration, Instant};

use crate::clock;
use crate::error::Trouble;
use crate::files::{Lock, LockPlace};

/// A state folder that is away is waited for this long: somebody moves it, or its disk is mounted again. Then a new one is made.
const LONGEST_ABSENCE: Duration = Duration::from_secs(60);

/// From the start to the end.
pub struct Lifecycle {
    started: Instant,
    started_s: i64,
    lock: Lock,
    /// Since when the state folder has been away.
    away_since: Option<Duration>,
    has_lost_state: bool,
    fatal_reason: Option<String>,
}

/// The daemon's hold on its state folder.
#[derive(Debug)]
pub enum StateHold {
    /// All is well.
    Firm,
    /// The folder cannot be looked into, but nobody else works on it: what is open goes on.
    Unreachable(Trouble),
    /// There is none at the moment. What is open goes on: nobody else can work on a folder that is not there.
    Away,
    /// It is another folder, or has been away for too long: to be begun again with what is there.
    Lost,
}

impl Lifecycle {
    /// Started at `started`; `lock` keeps a second daemon from the same root.
    pub fn new(started: Instant, lock: Lock) -> Self {
        Self { started, started_s: clock::now_s(), lock, away_since: None, has_lost_state: false, fatal_reason: None }
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

    /// The state folder is lost: this run ends, and another one begins with what is there.
    pub fn lose_state(&mut self) {
        self.has_lost_state = true;
    }

    /// Whether the state folder is lost.
    pub fn has_lost_state(&self) -> bool {
        self.has_lost_state
    }

    /// Looks whether the state folder is still the one that is locked.
    pub fn state_hold(&mut self, now: Duration) -> StateHold {
        let place = self.lock.place();
        if !matches!(place, LockPlace::None) {
            self.away_since = None;
        }
        match place {
            LockPlace::Same => StateHold::Firm,
            LockPlace::Unknown(trouble) => StateHold::Unreachable(trouble),
            LockPlace::Other => StateHold::Lost,
            LockPlace::None => {
                let since = *self.away_since.get_or_insert(now);
                if now.saturating_sub(since) < LONGEST_ABSENCE { StateHold::Away } else { StateHold::Lost }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_to_end_is_the_one_given() {
        let state = tempfile::tempdir().unwrap();
        let mut life = Lifecycle::new(Instant::now(), Lock::take(state.path()).unwrap());
        assert_eq!(life.take_fatal_reason(), None);
        life.fail("the first".into());
        life.fail("what followed from it".into());
        assert_eq!(life.take_fatal_reason().as_deref(), Some("the first"));
        assert_eq!(life.take_fatal_reason(), None);
    }

    #[test]
    fn a_state_folder_that_is_away_is_waited_for_and_another_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        let [state, aside] = ["state", "aside"].map(|name| place.path().join(name));
        std::fs::create_dir(&state).unwrap();
        let mut life = Lifecycle::new(Instant::now(), Lock::take(&state).unwrap());
        let second = Duration::from_secs;
        assert!(matches!(life.state_hold(second(1)), StateHold::Firm));
        std::fs::rename(&state, &aside).unwrap();
        assert!(matches!(life.state_hold(second(10)), StateHold::Away));
        assert!(matches!(life.state_hold(second(69)), StateHold::Away));
        std::fs::rename(&aside, &state).unwrap();
        assert!(matches!(life.state_hold(second(70)), StateHold::Firm), "it is back");
        std::fs::rename(&state, &aside).unwrap();
        assert!(matches!(life.state_hold(second(80)), StateHold::Away), "it counts from now on");
        assert!(matches!(life.state_hold(second(139)), StateHold::Away));
        assert!(matches!(life.state_hold(second(140)), StateHold::Lost));
        std::fs::create_dir(&state).unwrap();
        assert!(matches!(life.state_hold(second(141)), StateHold::Lost), "as where a disk was unmounted");
        let _other = Lock::take(&state).unwrap();
        assert!(matches!(life.state_hold(second(1)), StateHold::Lost), "another daemon may work there");
    }
}
