//! The catalog's table of files seen in the watched folders, each with its content or its problem.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Row, params};

use super::{Catalog, Root};
use crate::error::Trouble;
use crate::files::Stamp;
use crate::picture::Hash;

/// A file as it was when it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Relative to its root.
    pub path: PathBuf,
    /// When it was read.
    pub stamp: Stamp,
    /// The result of reading it.
    pub state: FileState,
}

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// A picture with this content.
    Read(Hash),
    /// A file of a query set that is not read, because a sample of the set is used.
    Unread,
    /// Not usable, with the reason.
    Failed {
        /// What is wrong.
        problem: String,
        /// What a person can do.
        remedy: String,
    },
}

impl Catalog {
    /// All files of a root, ordered by path.
    pub fn files(&self, root: Root) -> Result<Vec<FileRow>, Trouble> {
        let mut rows = Vec::new();
        self.each_file(root, |row| rows.push(row))?;
        Ok(rows)
    }

    /// Visits all files of a root, ordered by path: a list of a million would take as much memory as what is kept of them.
    pub fn each_file(&self, root: Root, mut visit: impl FnMut(FileRow)) -> Result<(), Trouble> {
        let mut read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy
                 FROM files LEFT JOIN contents ON id = content WHERE root = ?1 ORDER BY path",
            )?;
            let mut rows = statement.query_map([root.number()], read_row)?;
            rows.try_for_each(|row| row.map(&mut visit))
        };
        read().map_err(|error| self.trouble("read", &error))
    }

    /// Records the result of reading a file; it replaces the earlier one.
    pub fn put_file(&self, root: Root, row: &FileRow) -> Result<(), Trouble> {
        let (content, problem, remedy) = match &row.state {
            FileState::Read(hash) => (Some(self.content_or_new(*hash)?), None, None),
            FileState::Unread => (None, None, None),
            FileState::Failed { problem, remedy } => (None, Some(problem), Some(remedy)),
        };
        if let Some(content) = content {
            self.write("UPDATE contents SET gone_s = NULL WHERE id = ?1 AND gone_s IS NOT NULL", [content])?;
        }
        let Stamp { size, mtime_ns, ctime_ns, inode } = row.stamp;
        self.write(
            "INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                root.number(),
                row.path.as_os_str().as_bytes(),
                size.cast_signed(),
                mtime_ns,
                ctime_ns,
                inode.cast_signed(),
                content,
                problem,
                remedy
            ],
        )
    }

    /// The content of one file; `None` when it is not known or could not be read.
    pub fn content_of(&self, root: Root, path: &Path) -> Result<Option<Hash>, Trouble> {
        let find = || {
            self.connection
                .prepare_cached("SELECT hash FROM files JOIN contents ON id = content WHERE root = ?1 AND path = ?2")?
                .query_row(params![root.number(), path.as_os_str().as_bytes()], |row| Ok(Hash(row.get(0)?)))
                .optional()
        };
        find().map_err(|error| self.trouble("read", &error))
    }

    /// The files of a root that have this content, ordered by path.
    pub fn files_with(&self, root: Root, content: Hash) -> Result<Vec<PathBuf>, Trouble> {
        let collect = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT path FROM files INDEXED BY files_by_content
                 WHERE content = (SELECT id FROM contents WHERE hash = ?1) AND root = ?2 ORDER BY path",
            )?;
            let rows = statement.query_map(params![content.0, root.number()], |row| path_at(row, 0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        collect().map_err(|error| self.trouble("read", &error))
    }

    /// Removes a file.
    pub fn remove_file(&self, root: Root, path: &Path) -> Result<(), Trouble> {
        self.write(
            "DELETE FROM files WHERE root = ?1 AND path = ?2",
            params![root.number(), path.as_os_str().as_bytes()],
        )
    }

    pub(super) fn write(&self, statement: &str, values: impl rusqlite::Params) -> Result<(), Trouble> {
        let run = || self.connection.prepare_cached(statement)?.execute(values);
        run().map(drop).map_err(|error| self.trouble("write", &error))
    }
}

pub(super) fn path_at(row: &Row<'_>, column: usize) -> rusqlite::Result<PathBuf> {
    Ok(PathBuf::from(OsStr::from_bytes(row.get_ref(column)?.as_blob()?)))
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    let stamp = Stamp {
        size: row.get::<_, i64>(1)?.cast_unsigned(),
        mtime_ns: row.get(2)?,
        ctime_ns: row.get(3)?,
        inode: row.get::<_, i64>(4)?.cast_unsigned(),
    };
    let state = match row.get::<_, Option<[u8; 32]>>(5)? {
        Some(hash) => FileState::Read(Hash(hash)),
        None => match row.get(6)? {
            Some(problem) => FileState::Failed { problem, remedy: row.get(7)? },
            None => FileState::Unread,
        },
    };
    Ok(FileRow { path: path_at(row, 0)?, stamp, state })
}
