//! The folders in the settings: their names, and that none lies in another.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::FolderSettings;
use super::cause::Cause;
use super::error::ConfigError;

/// A folder's path, relative or not. What cannot be meant is refused.
pub fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    checked_name(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The path that `name` is; or why it cannot be meant.
pub fn checked_name(name: &str) -> Result<PathBuf, &'static str> {
    let wrong = match name {
        // It would be the root itself.
        name if name.trim().is_empty() => Some("the name of a folder is missing"),
        // It would be a folder of that name below the root.
        name if name == "~" || name.starts_with("~/") => Some("`~` is not your home here: write the whole path"),
        name if name.contains('\0') => Some("no folder has a NUL in its name"),
        _ => None,
    };
    wrong.map_or_else(|| Ok(name.into()), Err)
}

/// What the daemon writes must not lie in what it watches: it would answer its own answers. What it watches must not
/// overlap either: one file would be two things. Nor may sheets lie among its own files.
pub fn must_be_separate(path: &Path, text: &str, folders: &FolderSettings) -> Result<(), ConfigError> {
    let read: Vec<_> = folders.read().into_iter().map(|(name, folder)| (name, resolved(folder))).collect();
    let written = folders.written().map(|(name, folder)| (name, resolved(folder)));
    let writes_into_watched = written.iter().flat_map(|inner| read.iter().map(move |outer| (inner, outer)));
    let watched_twice = read
        .iter()
        .enumerate()
        .flat_map(|inner| read.iter().enumerate().map(move |outer| (inner, outer)))
        .filter(|(inner, outer)| inner.0 != outer.0)
        .map(|((_, inner), (_, outer))| (inner, outer));
    let [answer, state] = &written;
    let overlap = writes_into_watched.chain(watched_twice).find(|(inner, outer)| inner.1.starts_with(&outer.1));
    let Some((inner, outer)) = overlap.or_else(|| (answer.1 == state.1).then_some((answer, state))) else {
        return Ok(());
    };
    // Where only one of the two is in the file, that one is pointed at.
    let place = place_of(text, inner.0).or_else(|| place_of(text, outer.0));
    let cause = Cause::FoldersOverlap { inner: inner.clone(), outer: outer.clone() };
    Err(match place {
        Some(span) => ConfigError::at(path, text, vec![(span, cause)]),
        None => ConfigError::of_file(path, cause),
    })
}

/// Where the file names the folder `key`.
fn place_of(text: &str, key: &str) -> Option<Range<usize>> {
    #[derive(Deserialize)]
    struct Named {
        folders: BTreeMap<String, toml::Spanned<toml::Value>>,
    }
    let named: Named = toml::from_str(text).ok()?;
    Some(named.folders.get(key)?.span())
}

/// The path with symbolic links followed as far as it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(real) = existing.canonicalize() {
            return rest.iter().rev().fold(real, |path, part| path.join(part));
        }
        let (Some(parent), Some(name)) = (existing.parent(), existing.file_name()) else {
            return path.to_path_buf();
        };
        rest.push(name);
        existing = parent;
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Source, load};

    #[test]
    fn answers_inside_a_watched_folder_are_refused() {
        for (folders, named) in [
            ("answer = \"query/answers\"", "answer folder"),
            ("state = \"db/img_inventory_raw/.state\"", "state folder"),
            ("training = \"db/img_inventory_raw/train\"", "training folder"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("artificio.toml");
            std::fs::write(&path, format!("[folders]\n{folders}\n")).unwrap();
            let message = load(&Source { path, required: true }, root.path()).unwrap_err().to_string();
            assert!(message.contains(named) && message.contains("lies inside"), "{message}");
            assert!(message.contains(":2:") && message.ends_with('^'), "{message}");
        }
    }

    #[test]
    fn one_folder_for_two_things_is_refused_and_pointed_at() {
        for (folders, named) in [
            ("query = \"db/img_inventory_raw\"", "the query and the inventory folder are the same"),
            ("query = \"db/../db/img_train_raw/\"", "the query and the training folder are the same"),
            ("answer = \"db/state\"", "the answer and the state folder are the same"),
        ] {
            let root = tempfile::tempdir().unwrap();
            for folder in ["db/img_train_raw", "db/img_inventory_raw"] {
                std::fs::create_dir_all(root.path().join(folder)).unwrap();
            }
            let path = root.path().join("artificio.toml");
            std::fs::write(&path, format!("[folders]\n{folders}\n")).unwrap();
            let message = load(&Source { path, required: true }, root.path()).unwrap_err().to_string();
            assert!(message.contains(named) && message.ends_with('^'), "{message}");
        }
    }
}
