//! What is wrong with the settings, typed; the sentences that people read are made here and nowhere else.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::PathBuf;

use serde::de;

use super::suggest::{self, Suggestion};
use crate::error::reason;

/// Longer texts from the file are shortened in a sentence; the excerpt below it shows where they stand.
const LONGEST_SHOWN: usize = 40;

/// What is wrong.
#[derive(Debug)]
pub enum Cause {
    /// The operating system does not give the file out.
    Unreadable(io::Error),
    /// The file is a symbolic link to nothing.
    DanglingLink,
    /// The file is too large to be settings.
    TooLarge {
        /// The largest that is read.
        limit_bytes: u64,
    },
    /// The text is encoded as UTF-16.
    Utf16,
    /// The text is in some other encoding.
    NotUtf8,
    /// The text is not TOML.
    Syntax(String),
    /// A section, key or choice that does not exist.
    UnknownName {
        /// Which of these it is.
        kind: NameKind,
        /// As written in the file.
        given: String,
        /// What may be meant.
        suggestion: Suggestion,
    },
    /// A value of another type.
    WrongType {
        /// What the key takes.
        expected: ValueKind,
        /// As written in the file.
        found: String,
    },
    /// `[[section]]` instead of `[section]`.
    DoubleBrackets,
    /// A number outside the range of its key.
    OutOfRange {
        /// The number.
        found: String,
        /// "from 1 to 50"
        allowed: String,
    },
    /// One setting by two names.
    SetTwice(&'static str),
    /// Two folders that must be separate are not.
    FoldersOverlap {
        /// The folder's key, and where it is.
        inner: (&'static str, PathBuf),
        /// The same of the folder it lies in, or is.
        outer: (&'static str, PathBuf),
    },
    /// An item of a list is wrong.
    InItem {
        /// Where it stands in the text.
        span: Range<usize>,
        /// What is wrong with it.
        cause: Box<Cause>,
    },
    /// What the type of a setting says against a value, as a sentence.
    Refused(String),
}

/// What a name in the file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// `[answer]`
    Section,
    /// `results`
    Key,
    /// `"dark"`
    Choice,
}

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// 5
    WholeNumber,
    /// 0.5
    Number,
    /// "dark"
    Text,
    /// true
    Switch,
    /// Keys with values.
    Section,
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(out, "the settings cannot be read: {}", reason(error)),
            Self::DanglingLink => out.write_str("the settings cannot be read: this link leads nowhere"),
            Self::TooLarge { limit_bytes } => {
                write!(out, "this is not a settings file: it is larger than {limit_bytes} bytes")
            }
            Self::Utf16 => out.write_str("this is UTF-16 text; save the file with the encoding UTF-8"),
            Self::NotUtf8 => out.write_str("this is not UTF-8 text; save the file with the encoding UTF-8"),
            Self::Syntax(sentence) | Self::Refused(sentence) => out.write_str(sentence),
            Self::InItem { cause, .. } => cause.fmt(out),
            Self::UnknownName { kind, given, suggestion } => {
                write!(out, "unknown {kind} `{}`{suggestion}", shortened(given))
            }
            Self::WrongType { expected, found } => write!(out, "expected {expected}, found {}", shortened(found)),
            Self::DoubleBrackets => out.write_str("a section is written in single brackets, once"),
            Self::OutOfRange { found, allowed } => write!(out, "{found} is out of range: {allowed}"),
            Self::SetTwice(key) => write!(out, "`{key}` is set a second time, by another name; keep one of the two"),
            Self::FoldersOverlap { inner: (inner, at), outer: (outer, around) } => {
                match at == around {
                    true => write!(out, "the {inner} and the {outer} folder are the same: {}", at.display()),
                    false => {
                        write!(out, "the {inner} folder {} lies inside the {outer} folder ", at.display())?;
                        write!(out, "{}", around.display())
                    }
                }?;
                out.write_str("; choose another in [folders]")
            }
        }
    }
}

impl fmt::Display for NameKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Section => "section",
            Self::Key => "key",
            Self::Choice => "value",
        })
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::WholeNumber => "a whole number",
            Self::Number => "a number",
            Self::Text => "text in quotes",
            Self::Switch => "true or false",
            Self::Section => "a section",
        })
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// serde hands over what it finds as values, so no message has to be taken apart.
impl de::Error for Cause {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Refused(message.to_string())
    }

    fn invalid_value(found: de::Unexpected<'_>, allowed: &dyn de::Expected) -> Self {
        let found = match found {
            de::Unexpected::Signed(number) => number.to_string(),
            de::Unexpected::Float(number) => number.to_string(),
            other => other.to_string(),
        };
        Self::OutOfRange { found, allowed: allowed.to_string() }
    }

    fn unknown_variant(given: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownName { kind: NameKind::Choice, given: given.into(), suggestion: suggest::choice(given, known) }
    }

    fn unknown_field(given: &str, known: &'static [&'static str]) -> Self {
        Self::UnknownName { kind: NameKind::Key, given: given.into(), suggestion: suggest::key(given, known) }
    }

    fn duplicate_field(key: &'static str) -> Self {
        Self::SetTwice(key)
    }
}

fn shortened(text: &str) -> String {
    let mut letters = text.trim_end().chars();
    let start: String = letters.by_ref().take(LONGEST_SHOWN).collect();
    if letters.next().is_some() { start + "…" } else { start }
}
