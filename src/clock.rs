//! The wall clock, for times shown to people and stored in records. Code that waits uses the monotonic clock instead.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ZonedDateTime};

/// Seconds since 1970.
pub fn now_s() -> i64 {
    Timestamp::now().as_second()
}

/// Microseconds since 1970.
pub fn now_us() -> u64 {
    Timestamp::now().as_microsecond().try_into().unwrap_or_default()
}

/// A moment in the local time zone, as shown on a sheet: "23 November 2026, 21:40".
pub fn local_text(seconds: i64) -> String {
    let moment = Timestamp::from_second(seconds).unwrap_or_default().to_zoned_datetime(TimeZone::system());
    moment.strftime("%-d %B %Y, %H:%M").to_string()
}

/// The same by ISO 8601 (RFC 3339), in UTC: "2026-11-23T20:40:00Z".
pub fn iso_text(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Today's local date without separators, for names: "20261123".
pub fn today() -> String {
    ZonedDateTime::now().strftime("%Y%m%d").to_string()
}

/// The local time of day, for log lines: "21:40:03".
pub fn local_time() -> String {
    ZonedDateTime::now().strftime("%H:%M:%S").to_string()
}

/// A moment as a clock on the wall shows it, wherever that is: cameras write no zone. In seconds since 1970 on that clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(i64);

impl WallTime {
    /// Nobody knows when; earlier than any.
    pub const UNKNOWN: Self = Self(i64::MIN);

    /// So many seconds after 1970.
    pub const fn of_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// Year, month, day, hour, minute and second; `None` for what no clock shows.
    pub fn of_parts([year, month, day, hour, minute, second]: [u16; 6]) -> Option<Self> {
        let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(|part| i8::try_from(part).ok());
        let year = i16::try_from(year).ok()?;
        Self::of(DateTime::new(year, month?, day?, hour?, minute?, second?, 0).ok()?)
    }

    /// "2024-06-01", which is its first moment, or "2024-06-01T08:30", with seconds or not; `None` for anything else, and with a
    /// zone.
    pub fn parse(text: &str) -> Option<Self> {
        // The parser passes over a zone, except Z.
        let has_zone = text.get(10..).is_some_and(|time| time.contains(['+', '-', '[']));
        if has_zone { None } else { Self::of(text.parse().ok()?) }
    }

    fn of(moment: DateTime) -> Option<Self> {
        Offset::UTC.to_timestamp(moment).ok().map(|moment| Self(moment.as_second()))
    }
}

/// By ISO 8601, without a zone: "2024-06-01T08:30:00".
impl fmt::Display for WallTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = Timestamp::from_second(self.0).unwrap_or_default();
        write!(out, "{}", Offset::UTC.to_datetime(moment))
    }
}

/// The clock on the wall here.
pub struct LocalClock(TimeZone);

impl LocalClock {
    /// By the system's zone.
    pub fn of_system() -> Self {
        Self(TimeZone::system())
    }

    /// What it showed then, in nanoseconds since 1970 in UTC.
    pub fn at(&self, unix_ns: i64) -> WallTime {
        let seconds = unix_ns.div_euclid(1_000_000_000);
        let moment = Timestamp::from_second(seconds).unwrap_or_default();
        WallTime(seconds + i64::from(self.0.to_offset(moment).seconds()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_time_is_written_as_it_is_read() {
        for text in ["2024-06-01T08:30:00", "1969-12-31T23:59:59", "1839-08-19T00:00:00"] {
            assert_eq!(WallTime::parse(text).map(|time| time.to_string()).as_deref(), Some(text));
        }
        let of = |parts| WallTime::of_parts(parts);
        assert_eq!(of([2024, 6, 1, 8, 30, 0]), WallTime::parse("2024-06-01 08:30"));
        assert_eq!(WallTime::parse("2024-06-01"), WallTime::parse("2024-06-01T00:00:00"));
        assert_eq!(of([1970, 1, 1, 0, 0, 1]), Some(WallTime::of_seconds(1)));
        for none in
            [[2023, 2, 29, 0, 0, 0], [2023, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [2023, 1, 1, 24, 0, 0], [65_535; 6]]
        {
            assert_eq!(of(none), None, "{none:?}");
        }
        for none in ["", "yesterday", "2024", "2024-13-01", "2024-06-01T08:30:00Z", "2024-06-01T08:30+02:00"] {
            assert_eq!(WallTime::parse(none), None, "{none}");
        }
        assert!(WallTime::UNKNOWN < WallTime::of_seconds(i64::MIN + 1));
    }

    #[test]
    fn a_local_clock_is_ahead_by_its_offset() {
        let clock = LocalClock(TimeZone::fixed(Offset::from_hours(2).unwrap()));
        assert_eq!(clock.at(0).to_string(), "1970-01-01T02:00:00");
        assert_eq!(clock.at(-1).to_string(), "1970-01-01T01:59:59");
        assert_eq!(clock.at(i64::MIN).seconds(), -9_223_372_037 + 7_200, "whatever a disk gives");
    }
}
