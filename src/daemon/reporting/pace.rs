//! Measures how fast the inventory is being read, and estimates the time left. Pure: the time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

/// The pace is measured over this much time.
const WINDOW: Duration = Duration::from_secs(15);
/// Over less than this no pace is reported.
const LEAST: Duration = Duration::from_secs(1);
/// Measurements closer to each other than this count as one.
const STEP: Duration = Duration::from_millis(500);

/// Counts of pictures done, over the last seconds.
#[derive(Debug, Default)]
pub struct Pace {
    looks: VecDeque<(Duration, usize)>,
}

/// A pace and the time left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Pictures a second, to a tenth.
    pub per_second: f32,
    /// Seconds until nothing is pending, at this pace.
    pub remaining_s: u64,
}

impl Pace {
    /// Adds a measurement: pictures done and pending. Returns the forecast, once there is enough to tell.
    pub fn look(&mut self, now: Duration, done: usize, pending: usize) -> Option<Forecast> {
        if pending == 0 {
            self.looks.clear();
            return None;
        }
        // Fewer than before: pictures were removed, or a folder is being scanned again.
        if self.looks.back().is_some_and(|(_, before)| *before > done) {
            self.looks.clear();
        }
        if self.looks.back().is_none_or(|(at, _)| now.saturating_sub(*at) >= STEP) {
            self.looks.push_back((now, done));
        }
        while self.looks.front().is_some_and(|(at, _)| now.saturating_sub(*at) > WINDOW) {
            self.looks.pop_front();
        }
        let (since, before) = *self.looks.front()?;
        let elapsed = now.saturating_sub(since);
        if elapsed < LEAST || done == before {
            return None;
        }
        let per_second = (done - before) as f32 / elapsed.as_secs_f32();
        let remaining_s = (pending as f32 / per_second).ceil() as u64;
        Some(Forecast { per_second: (per_second * 10.0).round() / 10.0, remaining_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f32) -> Duration {
        Duration::from_secs_f32(seconds)
    }

    #[test]
    fn the_pace_is_that_of_the_last_seconds() {
        let mut pace = Pace::default();
        assert_eq!(pace.look(at(0.0), 0, 1_000), None);
        assert_eq!(pace.look(at(0.2), 10, 990), None, "too early to tell");
        assert_eq!(pace.look(at(2.0), 100, 900), Some(Forecast { per_second: 50.0, remaining_s: 18 }));
        // Slow from then on: after the window, nothing of the start is left in it.
        for second in 3..=30 {
            pace.look(at(second as f32), 100 + second, 900 - second);
        }
        let forecast = pace.look(at(31.0), 131, 869).unwrap();
        assert_eq!(forecast, Forecast { per_second: 1.0, remaining_s: 869 });
    }

    #[test]
    fn there_is_no_forecast_when_nothing_waits_or_nothing_is_done() {
        let mut pace = Pace::default();
        pace.look(at(0.0), 5, 10);
        assert_eq!(pace.look(at(3.0), 5, 10), None);
        assert!(pace.look(at(4.0), 9, 6).is_some());
        assert_eq!(pace.look(at(5.0), 15, 0), None);
        assert_eq!(pace.look(at(6.0), 15, 3), None, "it begins again");
        assert_eq!(pace.look(at(8.0), 2, 3), None, "fewer than before");
    }
}
