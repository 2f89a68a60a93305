//! The part of the inventory that a query is about: some of its folders, or all but some, and when pictures were taken.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::DateRange;
use crate::clock::WallTime;

/// Folders inside the inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InventoryFolders(Vec<PathBuf>);

/// Which pictures of the inventory a query may find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchScope {
    /// Only those in these folders, at any depth; in all if none is named.
    pub within: InventoryFolders,
    /// But none of those in these.
    pub not_within: InventoryFolders,
    /// And only those taken then.
    pub taken: DateRange,
}

impl SearchScope {
    /// Whether it is the whole inventory.
    pub fn is_everything(&self) -> bool {
        self.is_everywhere() && self.taken.is_everything()
    }

    /// Whether it is of all folders.
    fn is_everywhere(&self) -> bool {
        self.within.0.is_empty() && self.not_within.0.is_empty()
    }

    /// Whether a picture may be found, by its path relative to the inventory, and by its date: when it was taken, or else when its file
    /// was last changed.
    pub fn has(&self, picture: &Path, date: WallTime) -> bool {
        self.taken.has(date)
            && (self.within.0.is_empty() || self.within.hold(picture))
            && !self.not_within.hold(picture)
    }
}

/// "within shirts and shoes but not shoes/old, taken since 2024-06-01", for people.
impl fmt::Display for SearchScope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.within.0.is_empty(), self.not_within.0.is_empty()) {
            (true, true) => return write!(out, "{}", self.taken),
            (true, false) => write!(out, "not within {}", self.not_within),
            (false, true) => write!(out, "within {}", self.within),
            (false, false) => write!(out, "within {} but not {}", self.within, self.not_within),
        }?;
        if self.taken.is_everything() { Ok(()) } else { write!(out, ", {}", self.taken) }
    }
}

impl InventoryFolders {
    /// `folders`, or the first that lies outside of the inventory.
    pub fn of(folders: impl IntoIterator<Item = PathBuf>) -> Result<Self, PathBuf> {
        folders.into_iter().map(|folder| inside(&folder).ok_or(folder)).collect::<Result<_, _>>().map(Self)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(PathBuf::as_path)
    }

    /// Their paths as text.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|folder| folder.to_string_lossy().into_owned()).collect()
    }

    /// By bytes: part by part it takes several times as long, and there may be a million pictures.
    fn hold(&self, picture: &Path) -> bool {
        let picture = picture.as_os_str().as_bytes();
        self.0.iter().any(|folder| {
            let below = picture.strip_prefix(folder.as_os_str().as_bytes());
            below.is_some_and(|below| below.starts_with(b"/"))
        })
    }
}

impl fmt::Display for InventoryFolders {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.names().join(" and "))
    }
}

/// A folder relative to the inventory without what means nothing in it (`./`, a slash at the end); `None` outside.
fn inside(folder: &Path) -> Option<PathBuf> {
    let parts = folder.components().filter(|part| *part != Component::CurDir);
    let inner = parts.map(|part| matches!(part, Component::Normal(_)).then_some(part)).collect::<Option<PathBuf>>()?;
    (!inner.as_os_str().is_empty()).then_some(inner)
}

/// One folder, or a list of them.
impl<'de> Deserialize<'de> for InventoryFolders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = InventoryFolders;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a folder, such as \"shirts\", or a list of folders, such as [\"shirts\", \"shoes/2024\"]")
    }

    fn visit_str<E: Error>(self, folder: &str) -> Result<InventoryFolders, E> {
        checked(vec![folder.into()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<InventoryFolders, A::Error> {
        let mut folders = Vec::new();
        while let Some(folder) = list.next_element::<String>()? {
            folders.push(folder.into());
        }
        checked(folders)
    }
}

fn checked<E: Error>(folders: Vec<PathBuf>) -> Result<InventoryFolders, E> {
    InventoryFolders::of(folders).map_err(|folder| {
        let folder = folder.display();
        E::custom(format!(
            "\"{folder}\" is no folder inside the inventory; name one from there, such as \"shirts/2024\""
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SetSettings;

    fn scope(text: &str) -> SearchScope {
        SetSettings::parse(Path::new("query.toml"), text).unwrap().scope()
    }

    #[test]
    fn folders_hold_what_lies_in_them_at_any_depth_and_nothing_else() {
        let some = scope("within = [\"./shirts/\", \"shoes/2024\"]\nnot_within = \"shirts/old\"\n");
        let has = |path: &str| some.has(Path::new(path), WallTime::UNKNOWN);
        assert!(has("shirts/a.jpg") && has("shirts/red/a.jpg") && has("shoes/2024/a.jpg"));
        for path in ["shirts/old/a.jpg", "shirts.jpg", "shirts-2/a.jpg", "shoes/a.jpg", "shoes/20245/a.jpg", "a.jpg"] {
            assert!(!has(path), "{path}");
        }
        assert_eq!(some.to_string(), "within shirts and shoes/2024 but not shirts/old");
        let others = scope("not_within = \"shirts\"\n");
        let has = |path: &str| others.has(Path::new(path), WallTime::UNKNOWN);
        assert!(has("a.jpg") && !has("shirts/a.jpg") && !others.is_everything());
        assert_eq!(others.to_string(), "not within shirts");
        assert!(scope("k = 3\n").is_everything() && scope("").has(Path::new("a.jpg"), WallTime::UNKNOWN));
    }

    #[test]
    fn folders_and_dates_both_count() {
        let summer = scope("within = \"shirts\"\nafter = 2024-06-01\n");
        let has = |path: &str, date: &str| summer.has(Path::new(path), WallTime::parse(date).unwrap());
        assert!(has("shirts/a.jpg", "2024-06-01") && !has("shirts/a.jpg", "2024-05-31") && !has("a.jpg", "2024-06-01"));
        assert_eq!(summer.to_string(), "within shirts, taken since 2024-06-01");
        let early = scope("before = 2000-01-01");
        assert_eq!((early.to_string(), early.is_everything()), ("taken before 2000-01-01".into(), false));
    }

    #[test]
    fn what_is_no_folder_of_the_inventory_is_said_with_its_line() {
        for (text, said) in [
            ("k = 2\nwithin = \"../secret\"\n", "\"../secret\" is no folder inside the inventory"),
            ("within = [\"shirts\", \"/srv/pictures\"]\n", "\"/srv/pictures\" is no folder inside the inventory"),
            ("not_within = \"\"\n", "\"\" is no folder inside the inventory"),
            ("within = 3\n", "a folder, such as \"shirts\", or a list"),
            ("within = [3]\n", "3"),
        ] {
            let error = SetSettings::parse(Path::new("query.toml"), text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
