//! Counts the operations on a disk and decides which of them fail.

use std::path::{Path, PathBuf};

use fuser::Errno;

/// What an operation does. Looking whether a file is there, and closing one, is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Opens a file.
    Open,
    /// Makes and opens a file.
    Create,
    /// Reads from a file.
    Read,
    /// Writes to a file, or changes its length.
    Write,
    /// Flushes a file.
    Flush,
    /// Flushes a folder: what it contains under which name.
    FlushFolder,
    /// Renames, or gives a file a second name.
    Rename,
    /// Removes a file or folder.
    Remove,
    /// Makes a folder.
    MakeFolder,
    /// Lists a folder.
    List,
}

impl Kind {
    /// Those that change what is on the disk: all that a full or read-only disk refuses, and flushes.
    pub const CHANGES: [Self; 7] =
        [Self::Create, Self::Write, Self::Flush, Self::FlushFolder, Self::Rename, Self::Remove, Self::MakeFolder];

    /// Whether it is one of [`Self::CHANGES`].
    pub fn is_change(self) -> bool {
        Self::CHANGES.contains(&self)
    }
}

/// An operation of another process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    /// What it did.
    pub kind: Kind,
    /// The file or folder, below the disk's root.
    pub path: PathBuf,
}

/// Which operations fail, and how.
#[derive(Debug, Clone)]
pub struct Fault {
    first: usize,
    is_lasting: bool,
    kinds: Vec<Kind>,
    path_part: String,
    errno: Errno,
}

impl Fault {
    /// The operation with this number fails, counted from 0 as in [`crate::Disk::operations`].
    pub fn once_at(number: usize, errno: Errno) -> Self {
        Self { first: number, is_lasting: false, kinds: Vec::new(), path_part: String::new(), errno }
    }

    /// All operations from that one on fail.
    pub fn since(number: usize, errno: Errno) -> Self {
        Self { is_lasting: true, ..Self::once_at(number, errno) }
    }

    /// All operations of these kinds (none given: of any kind) on paths that contain `part` fail.
    pub fn of(kinds: &[Kind], part: &str, errno: Errno) -> Self {
        Self { kinds: kinds.to_vec(), path_part: part.into(), ..Self::since(0, errno) }
    }

    /// Only operations of these kinds.
    pub fn of_kinds(self, kinds: &[Kind]) -> Self {
        Self { kinds: kinds.to_vec(), ..self }
    }

    fn concerns(&self, number: usize, kind: Kind, path: &Path) -> bool {
        let is_its_turn = if self.is_lasting { number >= self.first } else { number == self.first };
        is_its_turn
            && (self.kinds.is_empty() || self.kinds.contains(&kind))
            && path.to_string_lossy().contains(&self.path_part)
    }
}

/// What was done, and what is to fail.
#[derive(Debug, Default)]
pub struct Control {
    pub operations: Vec<Operation>,
    pub faults: Vec<Fault>,
    /// How often something failed.
    pub failed: usize,
    /// Before the operation of this number the power fails.
    pub cut_at: Option<usize>,
    /// From then on nothing works.
    pub is_off: bool,
}

impl Control {
    /// Counts an operation of another process; the error with which it fails, if it does.
    pub fn admit(&mut self, kind: Kind, path: &Path) -> Result<(), Errno> {
        let number = self.operations.len();
        if self.is_off {
            return Err(Errno::EIO);
        }
        if self.cut_at.is_some_and(|cut_at| number >= cut_at) {
            self.is_off = true;
            return Err(Errno::EIO);
        }
        self.operations.push(Operation { kind, path: path.to_path_buf() });
        match self.faults.iter().find(|fault| fault.concerns(number, kind, path)) {
            Some(fault) => {
                self.failed += 1;
                Err(fault.errno)
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_operations_that_were_meant_fail_and_no_others() {
        let mut control = Control::default();
        let failing = |control: &mut Control, fault: Fault| {
            control.operations.clear();
            control.faults = vec![fault];
            let operations =
                [(Kind::Read, "state/a"), (Kind::Write, "state/a"), (Kind::Write, "answer/b"), (Kind::Read, "c")];
            operations.map(|(kind, path)| control.admit(kind, Path::new(path)).is_err())
        };
        assert_eq!(failing(&mut control, Fault::once_at(1, Errno::EIO)), [false, true, false, false]);
        assert_eq!(failing(&mut control, Fault::since(2, Errno::EIO)), [false, false, true, true]);
        assert_eq!(failing(&mut control, Fault::of(&[Kind::Write], "", Errno::EIO)), [false, true, true, false]);
        assert_eq!(failing(&mut control, Fault::of(&[], "state/", Errno::EIO)), [true, true, false, false]);
        assert_eq!(control.failed, 7);
        control.cut_at = Some(2);
        assert_eq!(failing(&mut control, Fault::once_at(9, Errno::EIO)), [false, false, true, true]);
        assert!(control.is_off && control.operations.len() == 2);
    }
}
