//! Names of answer files: `result_<stem>`, or with the query's full name where two present queries share a stem.

use std::path::Path;

use crate::picture::Hash;

/// Longest `<name>` in bytes: `result_<name>.json` must fit into a file name of 255 bytes.
const LONGEST_BYTES: usize = 200;

/// Names that the answer to `query` may take, the preferred one first. The last one is unique.
/// `query` is relative to the query folder; `is_set` when it is a folder.
pub fn candidates(query: &Path, is_set: bool) -> [String; 3] {
    let full = query.file_name().unwrap_or(query.as_os_str()).to_string_lossy().into_owned();
    let stem = match query.file_stem() {
        Some(stem) if !is_set => stem.to_string_lossy().into_owned(),
        _ => full.clone(),
    };
    let hash = Hash::of(std::os::unix::ffi::OsStrExt::as_bytes(query.as_os_str())).to_hex();
    let own = format!("{}-{}", short(&full), &hash[..12]);
    [short(&stem).to_string(), short(&full).to_string(), own]
}

/// `name` cut to [`LONGEST_BYTES`] at a character boundary.
fn short(name: &str) -> &str {
    let end = (0..=LONGEST_BYTES.min(name.len())).rev().find(|&end| name.is_char_boundary(end)).unwrap_or(0);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_come_first_and_sets_have_none() {
        assert_eq!(candidates(Path::new("burger.png"), false)[..2], ["burger", "burger.png"]);
        assert_eq!(candidates(Path::new("set.one"), true)[..2], ["set.one", "set.one"]);
    }

    #[test]
    fn the_longest_names_still_fit() {
        let name = format!("{}.jpg", "ü".repeat(125));
        for candidate in candidates(Path::new(&name), false) {
            assert!(format!("result_{candidate}.json").len() <= 255);
        }
        let [.., own] = candidates(Path::new(&name), false);
        let other = format!("{}.png", "ü".repeat(125));
        assert_ne!(own, candidates(Path::new(&other), false)[2]);
    }
}
