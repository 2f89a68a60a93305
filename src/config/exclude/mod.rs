//! Which files and folders of a watched folder are passed over: patterns in the syntax of gitignore.
//!
//! Syntax and meaning are those of <https://git-scm.com/docs/gitignore>; what git takes and never matches is a mistake here.

mod glob;
mod pattern;

use std::borrow::Cow;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

use pattern::ExcludePattern;

/// Each file is compared with each pattern.
const MOST: usize = 1_000;

/// The patterns of the setting `exclude`, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExcludePatterns(Vec<ExcludePattern>);

impl ExcludePatterns {
    /// Whether nothing is passed over.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what is at `path`, relative to the watched folder, is passed over. The last pattern that matches decides. Folders above it
    /// are not asked: what lies in a folder that is passed over is never looked at.
    pub fn excludes(&self, path: &Path, is_folder: bool) -> bool {
        if self.is_empty() {
            return false;
        }
        let parts: Vec<Cow<'_, str>> = path.iter().map(|part| part.to_string_lossy()).collect();
        let deciding = self.0.iter().rev().find(|pattern| pattern.matches(&parts, is_folder));
        deciding.is_some_and(|pattern| !pattern.is_negated())
    }

    /// Whether what is at `path` is passed over, or a folder in which it lies.
    pub fn covers(&self, path: &Path, is_folder: bool) -> bool {
        let mut folders = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        self.excludes(path, is_folder) || folders.any(|folder| self.excludes(folder, true))
    }
}

impl<'de> Deserialize<'de> for ExcludePatterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patterns = Vec::deserialize(deserializer)?;
        if patterns.len() > MOST {
            return Err(D::Error::custom(format!("these are {} patterns; at most {MOST} are taken", patterns.len())));
        }
        Ok(Self(patterns))
    }
}

impl Serialize for ExcludePatterns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ExcludePattern::text))
    }
}

impl JsonSchema for ExcludePatterns {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ExcludePatterns".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" }, "maxItems": MOST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> ExcludePatterns {
        ExcludePatterns(list.iter().map(|text| ExcludePattern::parse(text).unwrap()).collect())
    }

    /// As the manual page of gitignore says, and as `git check-ignore` answers.
    #[test]
    fn patterns_mean_what_they_mean_to_git() {
        for (pattern, excluded, kept) in [
            // A name without a slash, at any depth.
            ("*.psd", &["a.psd", "x/y/a.psd"][..], &["a.psd.jpg", "psd"][..]),
            ("old", &["old", "a/old", "a/old/"], &["older", "a/bold"]),
            // At the end of a name, folders only.
            ("old/", &["old/", "a/old/"], &["old", "a/old"]),
            // With a slash elsewhere, from the watched folder on.
            ("/old", &["old", "old/"], &["a/old"]),
            ("a/old", &["a/old"], &["b/a/old", "old"]),
            ("a/*", &["a/b", "a/c/"], &["a", "a/b/c"]),
            ("a/*.tif", &["a/x.tif"], &["a/b/x.tif", "b/a/x.tif"]),
            // Any number of folders.
            ("**/cache", &["cache/", "a/cache", "a/b/cache"], &["a/caches"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "b/a/c"]),
            ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["a/xb", "b", "a/b/c"]),
            ("**", &["a", "a/b"], &[]),
            ("x**y", &["xy", "x1y", "a/xay"], &["x/y", "x"]),
            // One letter, whatever its bytes; sets of letters.
            ("?.jpg", &["é.jpg", "1.jpg"], &["10.jpg", ".jpg"]),
            ("[a-cx].jpg", &["b.jpg", "x.jpg"], &["d.jpg", "-.jpg"]),
            ("[!0-9]*", &["a1"], &["1a"]),
            ("[]^-]", &["]", "^", "-"], &["a"]),
            ("img[[:digit:]_]", &["img7", "img_"], &["imga", "img"]),
            // A backslash takes the next letter as it is.
            ("\\!a", &["!a"], &["a", "\\!a"]),
            ("\\#\\*", &["#*"], &["#a"]),
            ("a\\ ", &["a "], &["a"]),
            ("a  ", &["a"], &["a  "]),
        ] {
            let patterns = patterns(&[pattern]);
            let is_excluded = |path: &&str| patterns.excludes(Path::new(path), path.ends_with('/'));
            let wrong: Vec<_> = excluded.iter().filter(|path| !is_excluded(path)).collect();
            assert!(wrong.is_empty(), "{pattern} keeps {wrong:?}");
            let wrong: Vec<_> = kept.iter().filter(|path| is_excluded(path)).collect();
            assert!(wrong.is_empty(), "{pattern} excludes {wrong:?}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let some = patterns(&["*.tif", "!keep.tif", "/drafts/*", "!/drafts/final/"]);
        for (path, is_folder, expected) in [
            ("a.tif", false, true),
            ("a/keep.tif", false, false),
            ("drafts", true, false),
            ("drafts/one", true, true),
            ("drafts/final", true, false),
            ("drafts/final", false, true),
            ("a.jpg", false, false),
        ] {
            assert_eq!(some.excludes(Path::new(path), is_folder), expected, "{path}");
        }
        assert!(some.covers(Path::new("drafts/one/keep.tif"), false), "it lies in a folder that is passed over");
        assert!(!some.covers(Path::new("drafts/final/a.jpg"), false) && !some.covers(Path::new("a/b/c.jpg"), false));
        assert!(!patterns(&[]).covers(Path::new("a/b.jpg"), false));
    }

    /// Each star could match many ways; a name is compared in no more steps than its length times that of the pattern.
    #[test]
    fn many_stars_take_no_time() {
        let patterns = patterns(&[&"*a".repeat(2_000), &"**/a/".repeat(500)]);
        assert!(!patterns.excludes(Path::new(&"a".repeat(255)), false));
        assert!(!patterns.excludes(Path::new(&"a/".repeat(400)), true));
    }
}
