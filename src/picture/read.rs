//! Reads a whole file and its hash, provided that it does not change meanwhile, and never blocks on a pipe or device.

use std::io::{self, Read};

use super::{Bounds, Unusable};
use crate::files::{FileAt, Stamp, Unopened};

/// The blake3 hash of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads what [`Self::to_hex`] writes.
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text).ok().map(|hash| Self(*hash.as_bytes()))
    }

    /// 64 hexadecimal digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

/// The content of a file at one moment.
pub struct FileSnapshot {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub hash: Hash,
    /// The file's stamp, the same before and after reading.
    pub stamp: Stamp,
}

/// Reads `place` whole, provided that it is an ordinary file, within `bounds`, and did not change meanwhile.
pub fn read_still(place: &FileAt<'_>, bounds: &Bounds) -> Result<FileSnapshot, Unusable> {
    let (mut file, before) = place.open().map_err(unopened)?;
    bounds.check_file(before.size)?;
    let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0) + 1);
    // One byte more than the limit detects a file that grows while it is read, without filling the memory.
    file.by_ref().take(bounds.file_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let stamp = Stamp::of(&file.metadata().map_err(unreadable)?);
    if stamp != before || stamp.size != bytes.len() as u64 {
        return Err(Unusable::Changing);
    }
    if bytes.is_empty() {
        return Err(Unusable::Empty);
    }
    Ok(FileSnapshot { hash: Hash::of(&bytes), bytes, stamp })
}

fn unopened(problem: Unopened) -> Unusable {
    match problem {
        Unopened::NotAFile => Unusable::NotAPicture,
        Unopened::LeadsOutside => Unusable::LeadsOutside,
        // Nothing is said to be too large here: the size is checked by the bounds.
        Unopened::Changed | Unopened::TooLarge(_) => Unusable::Changing,
        Unopened::System(error) => unreadable(error),
    }
}

fn unreadable(error: io::Error) -> Unusable {
    match error.kind() {
        // Not a directory: a folder in its path is one no more.
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unusable::Gone,
        io::ErrorKind::PermissionDenied => Unusable::NoPermission,
        _ => Unusable::System(crate::error::reason(&error)),
    }
}
