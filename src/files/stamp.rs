//! Detects whether a file has changed without reading it: by size, times and inode.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use rustix::fs::Stat;

/// Size, times and inode of a file. Two equal stamps mean that the content has not changed in between. A time of the last change
/// alone that is another means that it most likely has not: a rename, a link, other permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Last change of the content, nanoseconds since 1970; any value is fine, the future and zero too.
    pub mtime_ns: i64,
    /// Last change of content or attributes, nanoseconds since 1970.
    pub ctime_ns: i64,
    /// The file's inode number on its file system.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of no file: differs from every real one.
    pub const NEVER: Self = Self { size: u64::MAX, mtime_ns: 0, ctime_ns: 0, inode: 0 };

    /// The stamp in `metadata`.
    pub fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// The same from a listing.
    pub fn of_stat(found: &Stat) -> Self {
        Self {
            size: u64::try_from(found.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(found.st_mtime, found.st_mtime_nsec),
            ctime_ns: nanoseconds(found.st_ctime, found.st_ctime_nsec),
            inode: found.st_ino,
        }
    }
}

/// The system gives both as integers of its own choice of sign and width.
fn nanoseconds(seconds: impl TryInto<i64>, rest: impl TryInto<i64>) -> i64 {
    let [seconds, rest] = [seconds.try_into().unwrap_or(0), rest.try_into().unwrap_or(0)];
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}
