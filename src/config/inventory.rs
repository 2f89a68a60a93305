//! The inventory: one folder, or several, each with a name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::path::{Component, Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use super::folders::checked_name;
use crate::base::LINKS_FOLDER;

/// The folder whose sub-folders and files are the inventory. Where there are several, it is one in the state folder, in which a link
/// leads to each of them: so `photos/2024/a.jpg` is the file `2024/a.jpg` of the folder with the name `photos`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    folder: PathBuf,
    /// Those with a name; none where the inventory is one folder.
    named: BTreeMap<String, PathBuf>,
}

impl Inventory {
    /// The same with relative paths put under `root`; the links lie in the folder `state`.
    pub fn below(&self, root: &Path, state: &Path) -> Self {
        let named: BTreeMap<_, _> = self.named.iter().map(|(name, folder)| (name.clone(), root.join(folder))).collect();
        let folder = if named.is_empty() { root.join(&self.folder) } else { state.join(LINKS_FOLDER) };
        Self { folder, named }
    }

    /// The folders that were named one by one, by their names; none where the inventory is one folder.
    pub fn named(&self) -> &BTreeMap<String, PathBuf> {
        &self.named
    }

    /// The folders in which the pictures lie: one or several.
    pub fn places(&self) -> Vec<&Path> {
        match self.named.is_empty() {
            true => vec![&self.folder],
            false => self.named.values().map(PathBuf::as_path).collect(),
        }
    }

    /// The folders for people.
    pub fn shown(&self) -> String {
        self.places().iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Where the file or folder at `path`, relative to the inventory, lies.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        let mut parts = path.components();
        let named = match parts.next() {
            Some(Component::Normal(name)) => name.to_str().and_then(|name| self.named.get(name)),
            _ => None,
        };
        // Joined with nothing, a path would end with a slash.
        named.map_or_else(|| self.folder.join(path), |folder| parts.fold(folder.clone(), |path, part| path.join(part)))
    }

    /// The same with symbolic links followed, as far as there is something.
    pub fn resolved(&self) -> Self {
        let resolved = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let named = self.named.iter().map(|(name, folder)| (name.clone(), resolved(folder))).collect();
        Self { folder: resolved(&self.folder), named }
    }

    /// The path relative to the inventory of the file or folder at `absolute`, if that is in it.
    pub fn relative(&self, absolute: &Path) -> Option<PathBuf> {
        let of_named =
            |(name, folder): (&String, &PathBuf)| Some(Path::new(name).join(absolute.strip_prefix(folder).ok()?));
        let inner = absolute.strip_prefix(&self.folder).ok().map(Path::to_path_buf);
        self.named.iter().find_map(of_named).or(inner)
    }
}

impl Deref for Inventory {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.folder
    }
}

impl AsRef<Path> for Inventory {
    fn as_ref(&self) -> &Path {
        &self.folder
    }
}

impl From<&str> for Inventory {
    fn from(folder: &str) -> Self {
        Self { folder: folder.into(), named: BTreeMap::new() }
    }
}

/// A folder, a list of folders that are named after themselves, or a table of names and folders.
impl<'de> Deserialize<'de> for Inventory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InventoryVisitor)
    }
}

struct InventoryVisitor;

impl<'de> Visitor<'de> for InventoryVisitor {
    type Value = Inventory;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a folder, a list such as [\"/srv/photos\", \"/mnt/scans\"], or names with folders such as { old = \"/mnt/scans\" }")
    }

    fn visit_str<E: Error>(self, folder: &str) -> Result<Inventory, E> {
        Ok(Inventory { folder: checked_name(folder).map_err(E::custom)?, named: BTreeMap::new() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Inventory, A::Error> {
        let mut folders = Vec::new();
        while let Some(folder) = list.next_element::<String>()? {
            folders.push(checked_name(&folder).map_err(A::Error::custom)?);
        }
        // One is the inventory, as if it stood there alone.
        if let [folder] = folders.as_slice() {
            return Ok(Inventory { folder: folder.clone(), named: BTreeMap::new() });
        }
        let mut named = BTreeMap::new();
        for folder in folders {
            let name = folder.file_name().and_then(|name| name.to_str()).map(str::to_owned).ok_or_else(|| {
                let folder = folder.display();
                A::Error::custom(format!(
                    "{folder}: this has no name of its own; give it one: {{ name = \"{folder}\", … }}"
                ))
            })?;
            if let Some(other) = named.insert(name.clone(), folder.clone()) {
                let (other, folder) = (other.display(), folder.display());
                return Err(A::Error::custom(format!(
                    "{other} and {folder} would both be called \"{name}\"; name them: {{ one = \"{other}\", other = \"{folder}\" }}"
                )));
            }
        }
        several(named)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Inventory, A::Error> {
        let mut named = BTreeMap::new();
        while let Some((name, folder)) = table.next_entry::<String, String>()? {
            named.insert(name, checked_name(&folder).map_err(A::Error::custom)?);
        }
        several(named)
    }
}

fn several<E: Error>(named: BTreeMap<String, PathBuf>) -> Result<Inventory, E> {
    let is_name = |name: &String| {
        let mut parts = Path::new(name).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) && !name.starts_with('.')
    };
    if let Some(wrong) = named.keys().find(|name| !is_name(name)) {
        return Err(E::custom(format!(
            "\"{wrong}\" cannot be the name of a folder: it is one word, without / and without a dot before it"
        )));
    }
    if named.is_empty() {
        return Err(E::custom("there is no folder in it"));
    }
    Ok(Inventory { folder: PathBuf::new(), named })
}

impl Serialize for Inventory {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.named.is_empty() { self.folder.serialize(serializer) } else { self.named.serialize(serializer) }
    }
}

impl JsonSchema for Inventory {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Inventory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "array", "object"],
            "items": { "type": "string" },
            "additionalProperties": { "type": "string" }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(text: &str) -> Result<Inventory, String> {
        #[derive(serde::Deserialize)]
        struct Only {
            inventory: Inventory,
        }
        let only: Result<Only, _> = toml::from_str(&format!("inventory = {text}"));
        let read = only.map(|only| only.inventory).map_err(|error| error.to_string());
        read.map(|read| read.below(Path::new("/store"), Path::new("/store/db/state")))
    }

    #[test]
    fn one_folder_is_the_inventory_itself() {
        for text in ["\"pictures\"", "[\"pictures\"]"] {
            let one = inventory(text).unwrap();
            assert_eq!((&*one, one.places()), (Path::new("/store/pictures"), vec![Path::new("/store/pictures")]));
            assert_eq!(one.absolute(Path::new("a/b.jpg")), Path::new("/store/pictures/a/b.jpg"));
            assert_eq!(one.relative(Path::new("/store/pictures/a/b.jpg")).unwrap(), Path::new("a/b.jpg"));
        }
    }

    #[test]
    fn several_are_told_apart_by_their_names() {
        let list = inventory("[\"/srv/photos\", \"scans\"]").unwrap();
        assert_eq!(list, inventory("{ photos = \"/srv/photos\", scans = \"scans\" }").unwrap());
        assert_eq!(&*list, Path::new("/store/db/state").join(LINKS_FOLDER));
        assert_eq!(list.places(), [Path::new("/srv/photos"), Path::new("/store/scans")]);
        assert_eq!(list.absolute(Path::new("photos/2024/a.jpg")), Path::new("/srv/photos/2024/a.jpg"));
        assert_eq!(list.relative(Path::new("/store/scans/b.tif")).unwrap(), Path::new("scans/b.tif"));
        assert_eq!(list.relative(Path::new("/srv/other/b.tif")), None);
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        let twice = inventory("[\"/srv/photos\", \"/mnt/photos\"]").unwrap_err();
        assert!(twice.contains("would both be called \"photos\""), "{twice}");
        for text in
            ["[]", "{}", "{ \"a/b\" = \"c\" }", "{ \".a\" = \"c\" }", "[\"/\", \"a\"]", "[\"~/a\", \"b\"]", "3", "\"\""]
        {
            assert!(inventory(text).is_err(), "{text}");
        }
    }
}
