//! What the gallery shows of a record in the answer folder. Others may write there: what is no record as the program writes it is
//! not shown, however it came there.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Component, Path};

use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::answer::sheet::{decimals, percent};
use crate::answer::{Grade, Status};
use crate::config::SheetFormat;

/// More than any answer has.
pub(super) const MOST_MATCHES: usize = 1_000;
/// Longer than any path.
pub(super) const LONGEST_PATH_BYTES: usize = 4_096;
/// A longer message is cut.
const LONGEST_MESSAGE_BYTES: usize = 4_096;
/// The end of the year 9999, in seconds since 1970: a browser fails to show a later date.
pub(super) const LATEST_S: i64 = 253_402_300_799;

/// One answer on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GalleryEntry {
    pub(super) name: String,
    status: &'static str,
    message: String,
    /// Seconds since 1970.
    pub(super) time: i64,
    /// File name of the sheet.
    sheet: String,
    /// Whether it has a strip, under the sheet's name.
    #[serde(rename = "strip")]
    pub(super) has_strip: bool,
    /// Pictures of the query.
    files: usize,
    /// Path relative to the inventory folder, score as text, number of near-duplicates.
    pub(super) matches: Vec<(String, String, usize)>,
}

/// What is read of a record; the rest takes no memory.
#[derive(Deserialize)]
struct ShownRecord {
    status: Status,
    message: String,
    answered_s: i64,
    query: ShownQuery,
    sheet: Option<String>,
    #[serde(deserialize_with = "not_too_many")]
    matches: Vec<ShownMatch>,
}

#[derive(Deserialize)]
struct ShownQuery {
    name: String,
    #[serde(default)]
    files: Vec<IgnoredAny>,
    /// Pictures of a large set that are not among those files.
    #[serde(default)]
    unused: usize,
}

#[derive(Deserialize)]
struct ShownMatch {
    path: String,
    closer_than: Option<f32>,
    grade: Option<String>,
    #[serde(default)]
    duplicates: Vec<IgnoredAny>,
}

impl GalleryEntry {
    /// What the page needs of `record`, the content of `result_<stem>.json`; `None` for what is no record. Old records
    /// have no grades and do not name their sheet, which is then a PNG.
    pub fn from_record(record: &[u8], stem: &str) -> Option<Self> {
        let record: ShownRecord = serde_json::from_slice(record).ok()?;
        let is_sound = (0..=LATEST_S).contains(&record.answered_s)
            && record.query.name.len() <= LONGEST_PATH_BYTES
            && record.matches.iter().all(|found| is_below_the_folder(&found.path));
        if !is_sound {
            return None;
        }
        let digits = decimals(record.matches.iter().map(ShownMatch::share));
        let row = |found: ShownMatch| {
            let grade = found.grade.as_deref().and_then(Grade::of_name).map(|grade| grade.name().to_string());
            let figure = || percent(found.share(), digits).unwrap_or_default().replace(' ', "\u{202f}");
            (found.path.clone(), grade.unwrap_or_else(figure), found.duplicates.len())
        };
        let sheets = SheetFormat::ALL.map(|format| format!("{stem}.{}", format.extension()));
        let named = sheets.into_iter().find(|sheet| record.sheet.as_ref() == Some(sheet));
        Some(Self {
            name: record.query.name,
            status: record.status.name(),
            message: cut(record.message),
            time: record.answered_s,
            sheet: named.unwrap_or_else(|| format!("{stem}.png")),
            has_strip: false,
            files: record.query.files.len().saturating_add(record.query.unused),
            matches: record.matches.into_iter().map(row).collect(),
        })
    }
}

impl GalleryEntry {
    /// When it was answered, in seconds since 1970.
    pub fn time(&self) -> i64 {
        self.time
    }

    /// Whether the query's name, its status, its message or the path of a match has `text`, which is in small letters.
    pub fn has(&self, text: &str) -> bool {
        let has = |place: &str| place.to_lowercase().contains(text);
        has(&self.name) || has(self.status) || has(&self.message) || self.matches.iter().any(|found| has(&found.0))
    }
}

impl ShownMatch {
    /// Not a number where it is none, or absurd.
    fn share(&self) -> f32 {
        self.closer_than.filter(|share| (0.0..=1.0).contains(share)).unwrap_or(f32::NAN)
    }
}

/// The page links to it.
pub(super) fn is_below_the_folder(path: &str) -> bool {
    path.len() <= LONGEST_PATH_BYTES && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

pub(super) fn cut(mut message: String) -> String {
    let end = (0..=LONGEST_MESSAGE_BYTES.min(message.len())).rev().find(|&end| message.is_char_boundary(end));
    message.truncate(end.unwrap_or(0));
    message
}

pub(super) fn not_too_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    struct Matches<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Matches<T> {
        type Value = Vec<T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(out, "at most {MOST_MATCHES} matches")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut matches = Vec::new();
            while let Some(found) = list.next_element()? {
                if matches.len() == MOST_MATCHES {
                    return Err(A::Error::invalid_length(MOST_MATCHES + 1, &self));
                }
                matches.push(found);
            }
            Ok(matches)
        }
    }
    deserializer.deserialize_seq(Matches(PhantomData))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record() -> Value {
        json!({
            "status": "ok", "message": "The 1 most similar.", "answered_s": 5, "sheet": "result_new.jpg",
            "query": {"name": "new", "files": [{"path": "new"}]},
            "matches": [{"rank": 1, "path": "a b/ü.jpg", "closer_than": 0.9876, "duplicates": [{}, {}]}],
        })
    }

    fn entry(record: &Value) -> Option<GalleryEntry> {
        GalleryEntry::from_record(record.to_string().as_bytes(), "result_new")
    }

    #[test]
    fn a_match_is_shown_with_its_grade_and_an_old_one_with_its_figure() {
        let mut graded = record();
        graded["matches"][0]["grade"] = "strong".into();
        assert_eq!(entry(&graded).unwrap().matches[0].1, "strong");
        let old = entry(&record()).unwrap();
        assert_eq!(old.matches[0], ("a b/ü.jpg".into(), "98.7\u{202f}%".into(), 2));
        assert_eq!((old.sheet.as_str(), old.files), ("result_new.jpg", 1));
        let oldest =
            json!({"status": "partial", "message": "", "answered_s": 0, "query": {"name": "q"}, "matches": []});
        assert_eq!(entry(&oldest).unwrap().sheet, "result_new.png");
    }

    #[test]
    fn what_is_no_record_is_ignored() {
        for text in ["", "{}", "[]", "{\"matches\": 3}", "null"] {
            assert_eq!(GalleryEntry::from_record(text.as_bytes(), "result_a"), None, "{text}");
        }
    }

    #[test]
    fn a_planted_record_empties_no_page_and_leads_nowhere() {
        let with = |path: &str, value: Value| {
            let mut planted = record();
            *planted.pointer_mut(path).unwrap() = value;
            entry(&planted)
        };
        let absurd = [json!(i64::MAX), json!(-1), json!(1e30), json!(LATEST_S + 1), json!("soon"), Value::Null];
        absurd.into_iter().for_each(|time| assert_eq!(with("/answered_s", time.clone()), None, "{time}"));
        for path in ["../../home/x", "/etc/passwd", "a/../../b", "javascript:alert(1)"] {
            let is_shown = !path.contains("..") && !path.starts_with('/');
            assert_eq!(with("/matches/0/path", path.into()).is_some(), is_shown, "{path}");
        }
        assert_eq!(with("/status", "ok\" onload=\"x".into()), None);
        assert_eq!(with("/query/name", "n".repeat(LONGEST_PATH_BYTES + 1).into()), None);
        assert_eq!(with("/matches", vec![record()["matches"][0].clone(); MOST_MATCHES + 1].into()), None);
        assert_eq!(with("/message", "ü".repeat(10_000).into()).unwrap().message.len(), LONGEST_MESSAGE_BYTES);
        for sheet in ["../../secret.png", "javascript:alert(1)", "result_other.png", ""] {
            assert_eq!(with("/sheet", sheet.into()).unwrap().sheet, "result_new.png", "{sheet}");
        }
        for share in [json!(1e300), json!(-5), json!(1.5)] {
            assert_eq!(with("/matches/0/closer_than", share.clone()).unwrap().matches[0].1, "", "{share}");
        }
    }
}
