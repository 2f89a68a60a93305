//! The wall clock, for times shown to people and stored in records. Code that waits uses the monotonic clock instead.

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
    let moment = Timestamp::from_second(seconds).unwrap_or_default().to_zoned_datetime(jiff::tz::TimeZone::system());
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
