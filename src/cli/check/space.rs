//! Checks the free space of the disks that are written to, against what the pictures will need in the catalog.

use std::path::Path;

use rustix::fs::statvfs;

use super::Findings;
use super::survey::FolderSurvey;
use crate::catalog;
use crate::config::FolderSettings;
use crate::error::Trouble;

/// Features in eight bits a number, codes of two models as float32, rows and their indices, with room for the journal.
const BYTES_A_PICTURE: u64 = 8 * 1024;
/// About the size of a sheet and a record.
const BYTES_AN_ANSWER: u64 = 2 * 1024 * 1024;
/// Below this the first write may fail.
const LEAST_BYTES: u64 = 16 * 1024 * 1024;
/// With fewer inodes the disk counts as full.
const LEAST_FILES: u64 = 100;

/// The free space of a disk.
#[derive(Debug, Clone, Copy)]
struct FreeSpace {
    bytes: u64,
    /// `None` where the file system does not count files.
    files: Option<u64>,
}

pub(super) fn look(folders: &FolderSettings, survey: &FolderSurvey, found: &mut Findings) {
    let kept = std::fs::metadata(folders.state.join(catalog::FILE_NAME)).map_or(0, |metadata| metadata.len());
    let catalog = (survey.pictures as u64 * BYTES_A_PICTURE).saturating_sub(kept);
    for (folder, needed) in [(&folders.state, catalog), (&folders.answer, 10 * BYTES_AN_ANSWER)] {
        // A folder that does not exist yet will be on the disk of the nearest one above it.
        let Some(existing) = folder.ancestors().find(|folder| folder.exists()) else { continue };
        let Ok(disk) = statvfs(existing) else { continue };
        let left =
            FreeSpace { bytes: disk.f_bavail * disk.f_frsize, files: (disk.f_files > 0).then_some(disk.f_favail) };
        found.problems.extend(full(folder, left));
        if left.bytes >= LEAST_BYTES {
            found.notes.extend(tight(folder, left, needed));
        }
    }
}

fn full(folder: &Path, left: FreeSpace) -> Option<Trouble> {
    let what = match left {
        FreeSpace { bytes, .. } if bytes < LEAST_BYTES => format!("the disk is full: {} are left", size(bytes)),
        FreeSpace { files: Some(files), .. } if files < LEAST_FILES => {
            format!("the disk can take {files} more files only")
        }
        _ => return None,
    };
    Some(Trouble::new(what, folder, largest(folder)))
}

fn tight(folder: &Path, left: FreeSpace, needed: u64) -> Option<Trouble> {
    (left.bytes < needed + LEAST_BYTES).then(|| {
        let what = format!("space will be short: {} are left, about {} are needed", size(left.bytes), size(needed));
        Trouble::new(what, folder, largest(folder))
    })
}

/// The command that shows what takes the space.
fn largest(folder: &Path) -> String {
    let disk = format!("\"$(findmnt -n -o TARGET --target '{}')\"", folder.display());
    format!("free some space; what takes most: sudo du -xh {disk} | sort -h | tail")
}

fn size(bytes: u64) -> String {
    let megabytes = bytes / 1_000_000;
    if megabytes < 10_000 { format!("{megabytes} MB") } else { format!("{} GB", megabytes / 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "/p/db/state";

    #[test]
    fn a_full_disk_is_a_problem_and_a_tight_one_a_note() {
        let left = |megabytes: u64, files| FreeSpace { bytes: megabytes * 1_000_000, files };
        let folder = Path::new(STATE);
        assert_eq!(full(folder, left(1_000, None)), None);
        assert_eq!(full(folder, left(1, None)).unwrap().what, "the disk is full: 1 MB are left");
        assert_eq!(full(folder, left(1_000, Some(5))).unwrap().what, "the disk can take 5 more files only");
        assert_eq!(tight(folder, left(1_000, None), 900_000_000), None);
        let trouble = tight(folder, left(1_000, None), 8_192_000_000).unwrap();
        assert_eq!(trouble.what, "space will be short: 1000 MB are left, about 8192 MB are needed");
        assert!(trouble.remedy.contains("--target '/p/db/state'"));
    }
}
