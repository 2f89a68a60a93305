//! One pattern: which paths it names.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};

use super::glob::NameGlob;
use crate::config::Cause;

/// A line of a gitignore file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcludePattern {
    /// As it was written.
    text: String,
    /// It begins with `!`: what it matches is not excluded after all.
    is_negated: bool,
    /// It ends with `/`.
    is_of_folders: bool,
    parts: Vec<PatternPart>,
}

/// A part of a path, between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PatternPart {
    /// `**`, or more stars: any number of parts.
    AnyDepth,
    /// One part.
    Name(NameGlob),
}

impl ExcludePattern {
    /// `text` as a pattern, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Cause> {
        let wrong = |what: &str| Err(Cause::Refused(format!("the pattern `{text}` {what}")));
        let (is_negated, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let rest = without_spaces(rest);
        let (is_of_folders, path) = rest.strip_suffix('/').map_or((false, rest), |path| (true, path));
        if text.starts_with('#') {
            return wrong("is a comment to git; a name that begins with `#` is written '\\#name'");
        }
        if path.is_empty() {
            return wrong("names nothing; write a name, such as \"*.psd\", or a folder, such as \"/drafts/\"");
        }
        let is_anchored = path.contains('/');
        let names: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        if names.iter().any(|name| ["", ".", ".."].contains(name)) {
            return wrong("names nothing: it begins at the watched folder, such as \"/drafts/2019\"");
        }
        let parsed = names.into_iter().map(|name| match name {
            name if is_anchored && name.len() > 1 && name.bytes().all(|letter| letter == b'*') => {
                Ok(PatternPart::AnyDepth)
            }
            name => NameGlob::parse(name).map(PatternPart::Name),
        });
        let mut parts = match parsed.collect::<Result<Vec<_>, _>>() {
            Ok(parts) => parts,
            Err(mistake) => return wrong(mistake.what()),
        };
        if !is_anchored {
            parts.insert(0, PatternPart::AnyDepth);
        }
        Ok(Self { text: text.into(), is_negated, is_of_folders, parts })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether what it matches is not excluded.
    pub fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// Whether it names what is at this path.
    pub fn matches(&self, path: &[Cow<'_, str>], is_folder: bool) -> bool {
        if self.is_of_folders && !is_folder {
            return false;
        }
        // Where the last `**` stands, and how far it reaches.
        let (mut retry, mut at, mut part) = (None, 0, 0);
        while at < path.len() {
            match self.parts.get(part) {
                // At the end it stands for what is in the folder, not for the folder.
                Some(PatternPart::AnyDepth) if part + 1 == self.parts.len() => return true,
                Some(PatternPart::AnyDepth) => {
                    retry = Some((part + 1, at));
                    part += 1;
                }
                Some(PatternPart::Name(glob)) if glob.matches(&path[at]) => {
                    (at, part) = (at + 1, part + 1);
                }
                _ => {
                    let Some((after, from)) = retry else { return false };
                    retry = Some((after, from + 1));
                    (at, part) = (from + 1, after);
                }
            }
        }
        part == self.parts.len()
    }
}

impl<'de> Deserialize<'de> for ExcludePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Spaces at the end mean nothing, except after a backslash.
fn without_spaces(text: &str) -> &str {
    let trimmed = text.trim_end_matches(' ');
    let backslashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    let kept = usize::from(backslashes % 2 == 1 && trimmed.len() < text.len());
    &text[..trimmed.len() + kept]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_never_match_is_a_mistake() {
        for (text, said) in [
            ("", "names nothing"),
            ("!", "names nothing"),
            ("/", "names nothing"),
            ("   ", "names nothing"),
            ("./old", "it begins at the watched folder"),
            ("../old", "it begins at the watched folder"),
            ("a//b", "it begins at the watched folder"),
            ("# old", "is a comment to git"),
            ("a[b", "has a `[` without its `]`"),
            ("a[/]b", "has a `[` without its `]`"),
            ("[z-a]", "runs backwards"),
            ("[[:word:]]", "names a class of letters that does not exist"),
            ("a\\", "ends with a backslash"),
        ] {
            let mistake = ExcludePattern::parse(text).unwrap_err().to_string();
            assert!(mistake.starts_with(&format!("the pattern `{text}` ")) && mistake.contains(said), "{mistake}");
        }
    }
}
