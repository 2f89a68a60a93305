//! The name of a folder in the settings: what cannot be meant is refused where it stands.

use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, Error};

/// A folder's path, relative or not.
pub fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let name = String::deserialize(deserializer)?;
    let wrong = match name.as_str() {
        // It would be the root itself.
        name if name.trim().is_empty() => Some("the name of a folder is missing"),
        // It would be a folder of that name below the root.
        name if name == "~" || name.starts_with("~/") => Some("`~` is not your home here: write the whole path"),
        name if name.contains('\0') => Some("no folder has a NUL in its name"),
        _ => None,
    };
    wrong.map_or_else(|| Ok(name.into()), |wrong| Err(D::Error::custom(wrong)))
}
