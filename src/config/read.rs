//! From the text of a settings file to its values, or to all of its mistakes.
//!
//! serde stops at the first thing it cannot take. So each key is read by itself here: one mistake hides no other.

use std::ops::Range;
use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::cause::{Cause, NameKind};
use super::error::ConfigError;
use super::syntax;
use super::value::SettingValue;

/// What is wrong, and where in the text.
pub type Located = (Range<usize>, Cause);

type Key<'a> = Spanned<DeString<'a>>;
type Item<'a> = Spanned<DeValue<'a>>;

/// The settings in `text`; `path` only serves the message.
pub fn read<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.get_ref();
    let broken = errors.iter().map(|error| syntax::located(text, error));
    let refused = table.iter().flat_map(|(key, value)| mistakes_at::<T>(text, key, value));
    let found = one_a_line(text, broken.collect(), refused.collect());
    if !found.is_empty() {
        return Err(ConfigError::at(path, text, found));
    }
    whole(text, table).map_err(|mistake| ConfigError::at(path, text, vec![mistake]))
}

/// What is wrong with one key of the file, or with the keys of one section.
fn mistakes_at<T: DeserializeOwned>(text: &str, key: &Key<'_>, value: &Item<'_>) -> Vec<Located> {
    let name: &str = key.get_ref();
    let DeValue::Table(section) = value.get_ref() else {
        let alone = SettingValue::with_one(name, parsed(text, value));
        return T::deserialize(alone).err().map(|cause| located(text, key, value, cause)).into_iter().collect();
    };
    // A section that does not exist is one mistake, however many keys it has.
    if let Err(cause) = T::deserialize(SettingValue::with_one(name, SettingValue::Section(Vec::new()))) {
        return vec![located(text, key, value, cause)];
    }
    let wrong = section.iter().filter_map(|(inner, value)| {
        let alone = SettingValue::with_one(inner.get_ref(), parsed(text, value));
        let cause = T::deserialize(SettingValue::with_one(name, alone)).err()?;
        Some(located(text, inner, value, cause))
    });
    wrong.collect()
}

/// All keys at once. What only shows then is one setting by two names: it is found at the second one.
fn whole<T: DeserializeOwned>(text: &str, table: &DeTable<'_>) -> Result<T, Located> {
    let mut entries: Vec<(&Key<'_>, &Item<'_>)> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let first = |count: usize| {
        let keys = entries[..count].iter().map(|(key, value)| {
            let name: &str = key.get_ref();
            (name, section_or_value(text, value))
        });
        T::deserialize(SettingValue::Section(keys.collect()))
    };
    first(entries.len()).map_err(|cause| {
        let up_to = (1..entries.len()).find(|&count| first(count).is_err()).unwrap_or(entries.len());
        let span = entries[..up_to].last().map_or(0..0, |(key, _)| key.span());
        (span, cause)
    })
}

fn section_or_value<'a>(text: &'a str, value: &'a Item<'a>) -> SettingValue<'a> {
    match value.get_ref() {
        DeValue::Table(keys) => SettingValue::Section(
            keys.iter().map(|(key, value)| (key.get_ref().as_ref(), parsed(text, value))).collect(),
        ),
        _ => parsed(text, value),
    }
}

fn parsed<'a>(text: &'a str, value: &'a Item<'a>) -> SettingValue<'a> {
    let source = text.get(value.span()).and_then(|source| source.lines().next()).unwrap_or_default();
    SettingValue::Parsed { value: value.get_ref(), source }
}

/// A name that does not exist is pointed at itself, everything else at the value, or at the item of a list.
fn located(text: &str, key: &Key<'_>, value: &Item<'_>, cause: Cause) -> Located {
    match cause {
        Cause::UnknownName { kind: NameKind::Key, given, suggestion } => {
            let is_section = text.get(..key.span().start).is_some_and(|before| before.ends_with('['));
            let kind = if is_section { NameKind::Section } else { NameKind::Key };
            (key.span(), Cause::UnknownName { kind, given, suggestion })
        }
        Cause::InItem { span, cause } => (span, *cause),
        cause => (value.span(), cause),
    }
}

/// The mistakes in the file's order, one a line. Of a broken line that is what the parser met first: what it makes of the
/// rest is a guess.
fn one_a_line(text: &str, broken: Vec<Located>, mut refused: Vec<Located>) -> Vec<Located> {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let line_of = |(span, _): &Located| ends.partition_point(|end| *end < span.start);
    refused.sort_by_key(|(span, _)| span.start);
    let mut found: Vec<Located> = broken.into_iter().chain(refused).collect();
    // A stable sort: within a line the order stays.
    found.sort_by_key(&line_of);
    found.dedup_by_key(|mistake| line_of(mistake));
    found
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Cause, Config, parse};

    fn lines(text: &str) -> Vec<String> {
        let error = parse(Path::new("x"), text).unwrap_err().to_string();
        error.lines().filter(|line| line.starts_with("x:")).map(Into::into).collect()
    }

    #[test]
    fn every_mistake_is_shown_in_the_order_of_the_file() {
        let text = "\
[answer]
theme = \"drak\"
reslts = 5
width_px = 1
columns = 05

[watch]
settle_ms = \"400\"
poll_s = 5

[modle]
min_train = 0
quiet_s = 0
";
        let expected = [
            "x:2:9: unknown value `drak`; did you mean `dark`?",
            "x:3:1: unknown key `reslts`; did you mean `results`?",
            "x:4:12: 1 is out of range: from 640 to 4096",
            "x:5:11: a number does not begin with 0",
            "x:8:13: expected a whole number, found \"400\"",
            "x:11:2: unknown section `modle`; did you mean `model`?",
        ];
        assert_eq!(lines(text), expected);
        let error = parse(Path::new("x"), text).unwrap_err();
        assert!(matches!(error.mistakes()[2].cause, Cause::OutOfRange { .. }), "{error:?}");
    }

    #[test]
    fn a_file_of_the_wrong_kind_is_not_shown_as_a_whole() {
        let lines = lines(&"name: value\n".repeat(40));
        assert_eq!((lines.len(), lines[10].as_str()), (11, "x: and 30 more mistakes"));
    }

    #[test]
    fn a_large_file_of_mistakes_takes_no_time() {
        let began = std::time::Instant::now();
        let keys: String = (0..20_000).map(|number| format!("k{number}=0\n")).collect();
        assert_eq!(lines(&keys).len(), 11);
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
    /// Read key by key or by the TOML library as a whole: the same files are taken, with the same values.
    #[test]
    fn damaged_files_are_taken_or_refused_as_by_the_library() {
        const PIECES: [&str; 14] =
            ["", "\n", "\"", "=", "[", "]", "#", "0", "-", ".5", "{}", "é\u{1b}", "\r", "\u{feff}"];
        let shipped = include_str!("../../config/artificio.toml");
        let (mut state, mut taken) = (1_u64, 0);
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        for _ in 0..3_000 {
            let (start, end) = (below(shipped.len()), below(4));
            let Some((before, after)) = shipped.get(..start).zip(shipped.get(start + end..)) else { continue };
            let text = format!("{before}{}{after}", PIECES[below(PIECES.len())]);
            let read = parse(Path::new("x"), &text);
            assert_eq!(read.as_ref().ok(), toml::from_str::<Config>(&text).as_ref().ok(), "{text}");
            taken += usize::from(read.is_ok());
        }
        assert!((500..2_500).contains(&taken), "{taken} were taken: no test of both");
    }
}
