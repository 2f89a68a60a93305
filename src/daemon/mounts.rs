//! Remembers in the state folder where disks are mounted below the watched folders. After a start without such a disk its folder
//! is empty, and nothing else tells that from one that was emptied.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::catalog::Root;
use crate::error::Trouble;
use crate::files::{read_own, write_whole};

/// Begins the file, and says its version.
const HEADER: &[u8] = b"artificio mounts 1";
const FILE: &str = "mounts";
/// A larger file is none of ours.
const LARGEST_BYTES: u64 = 16 << 20;

/// By root, relative to it.
pub type MountPaths = BTreeMap<Root, BTreeSet<PathBuf>>;

/// Those of the last run. A file that is missing, or of another version, costs no more than that a disk which is away now
/// counts as emptied.
pub fn load(state: &Path) -> MountPaths {
    let bytes = read_own(&state.join(FILE), LARGEST_BYTES).unwrap_or_default();
    parse(&bytes).unwrap_or_default()
}

/// Writes them for the next run.
pub fn save(state: &Path, mounts: &MountPaths) -> Result<(), Trouble> {
    write_whole(&state.join(FILE), &serialize(mounts), "remember where disks are mounted")
}

/// Each is the root's name, a slash and the path, which may be any bytes but zero.
fn serialize(mounts: &MountPaths) -> Vec<u8> {
    let mut bytes = HEADER.to_vec();
    for (root, path) in mounts.iter().flat_map(|(root, paths)| paths.iter().map(move |path| (root, path))) {
        for part in [b"\0", root.name().as_bytes(), b"/", path.as_os_str().as_bytes()] {
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

fn parse(bytes: &[u8]) -> Option<MountPaths> {
    let mut parts = bytes.split(|byte| *byte == 0);
    parts.next().filter(|header| *header == HEADER)?;
    let mut mounts = MountPaths::new();
    for part in parts {
        let slash = part.iter().position(|byte| *byte == b'/')?;
        let root = Root::ALL.into_iter().find(|root| root.name().as_bytes() == &part[..slash])?;
        mounts.entry(root).or_default().insert(OsStr::from_bytes(&part[slash + 1..]).into());
    }
    Some(mounts)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn mounts_of_any_name_come_back_and_another_version_does_not() {
        let state = tempfile::tempdir().unwrap();
        assert!(load(state.path()).is_empty());
        let odd = PathBuf::from(OsStr::from_bytes(b"caf\xE9/a b\n"));
        let mounts = MountPaths::from([
            (Root::Inventory, BTreeSet::from([odd, "nas".into()])),
            (Root::Training, BTreeSet::from([PathBuf::new()])),
        ]);
        save(state.path(), &mounts).unwrap();
        assert_eq!(load(state.path()), mounts);
        for other in [&b"artificio mounts 2\0inventory/nas"[..], b"artificio mounts 1\0elsewhere/nas", b""] {
            fs::write(state.path().join(FILE), other).unwrap();
            assert!(load(state.path()).is_empty());
        }
    }
}
