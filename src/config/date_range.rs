//! The time in which pictures were taken that a query is about.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::value::DATE;
use crate::clock::WallTime;

/// From one moment on, and up to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DateRange {
    /// Then or later.
    pub after: Option<DateBound>,
    /// Earlier than this.
    pub before: Option<DateBound>,
}

/// A moment by the clock on the wall; a day stands for its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateBound(WallTime);

impl DateBound {
    /// That moment.
    pub fn time(self) -> WallTime {
        self.0
    }
}

impl DateRange {
    /// Whether it has no end.
    pub fn is_everything(&self) -> bool {
        self.after.is_none() && self.before.is_none()
    }

    /// Whether a picture of that date belongs to it.
    pub fn has(&self, date: WallTime) -> bool {
        let is_after = self.after.is_none_or(|DateBound(after)| date >= after);
        let is_before = self.before.is_none_or(|DateBound(before)| date < before);
        self.is_everything() || (is_after && is_before && date != WallTime::UNKNOWN)
    }
}

/// "taken since 2024-06-01 and before 2024-07-01", for people; nothing where it has no end.
impl fmt::Display for DateRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.after, self.before) {
            (None, None) => Ok(()),
            (Some(after), None) => write!(out, "taken since {after}"),
            (None, Some(before)) => write!(out, "taken before {before}"),
            (Some(after), Some(before)) => write!(out, "taken since {after} and before {before}"),
        }
    }
}

/// "2024-06-01", or "2024-06-01T08:30:00".
impl fmt::Display for DateBound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        out.write_str(text.strip_suffix("T00:00:00").unwrap_or(&text))
    }
}

impl FromStr for DateBound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        WallTime::parse(text).map(Self).ok_or_else(|| {
            format!("\"{text}\" is no date; write one such as 2024-06-01, or a time such as 2024-06-01T08:30, without a zone")
        })
    }
}

/// A date as TOML has it, or a text.
impl<'de> Deserialize<'de> for DateBound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(DATE, DateText)
    }
}

struct DateText;

impl Visitor<'_> for DateText {
    type Value = DateBound;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a date, such as 2024-06-01")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DateBound, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::SetSettings;

    fn range(text: &str) -> DateRange {
        SetSettings::parse(Path::new("query.toml"), text).unwrap().scope().taken
    }

    #[test]
    fn a_range_begins_with_its_first_moment_and_ends_before_its_last() {
        let june = range("after = 2024-06-01\nbefore = \"2024-07-01\"\n");
        let has = |text: &str| june.has(WallTime::parse(text).unwrap());
        assert!(has("2024-06-01") && has("2024-06-30T23:59:59"));
        assert!(!has("2024-05-31T23:59:59") && !has("2024-07-01"));
        assert_eq!(june.to_string(), "taken since 2024-06-01 and before 2024-07-01");
        let morning = range("after = 2024-06-01T08:30:00\n");
        assert!(morning.has(WallTime::parse("2024-06-01T08:30").unwrap()));
        assert_eq!(morning.to_string(), "taken since 2024-06-01T08:30:00");
        let earlier = range("before = \"2024-06-01 12:00\"\n");
        assert_eq!(earlier.to_string(), "taken before 2024-06-01T12:00:00");
        assert!(!earlier.has(WallTime::UNKNOWN) && DateRange::default().has(WallTime::UNKNOWN));
    }

    #[test]
    fn what_is_no_date_is_said_with_its_line() {
        for (text, said) in [
            ("k = 2\nafter = \"tomorrow\"\n", "\"tomorrow\" is no date; write one such as 2024-06-01"),
            ("before = 2024-06-01T08:30:00Z\n", "without a zone"),
            ("before = 08:30:00\n", "\"08:30:00\" is no date"),
            ("after = 2024\n", "a date, such as 2024-06-01"),
            ("within = 2024-06-01\n", "no setting takes a value of this kind"),
        ] {
            let error = SetSettings::parse(Path::new("query.toml"), text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
