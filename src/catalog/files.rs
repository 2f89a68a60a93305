//! The catalog's table of files seen in the watched folders, each with its content or its problem.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::{Row, params};

use super::checksum::is_intact;
use super::health::DamagedRow;
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
                "SELECT checksum IS row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy),
                 path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy
                 FROM files LEFT JOIN contents ON id = content WHERE root = ?1 ORDER BY path",
            )?;
            let mut rows = statement.query([root.number()])?;
            while let Some(row) = rows.next()? {
                match is_intact(row) {
                    true => visit(read_row(row)?),
                    false => self.add_damaged_file(root, row),
                }
            }
            Ok(())
        };
        read().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Remembers the file of a row, whose path stands in the second column.
    pub(super) fn add_damaged_file(&self, root: Root, row: &Row<'_>) {
        if let Ok(path) = path_at(row, 1) {
            self.health.add(DamagedRow::File { root, path });
        }
    }

    /// Records the result of reading a file; it replaces the earlier one.
    pub fn put_file(&self, root: Root, row: &FileRow) -> Result<(), Trouble> {
        let (content, hash, problem, remedy) = match &row.state {
            FileState::Read(hash) => (Some(self.content_or_new(*hash)?), Some(hash.0), None, None),
            FileState::Unread => (None, None, None, None),
            FileState::Failed { problem, remedy } => (None, None, Some(problem), Some(remedy)),
        };
        if let Some(content) = content {
            self.write("UPDATE contents SET gone_s = NULL WHERE id = ?1 AND gone_s IS NOT NULL", [content])?;
        }
        let Stamp { size, mtime_ns, ctime_ns, inode } = row.stamp;
        self.write(
            "INSERT OR REPLACE INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
             row_checksum('files', ?1, ?2, ?3, ?4, ?5, ?6, ?10, ?8, ?9))",
            params![
                root.number(),
                row.path.as_os_str().as_bytes(),
                size.cast_signed(),
                mtime_ns,
                ctime_ns,
                inode.cast_signed(),
                content,
                problem,
                remedy,
                hash
            ],
        )
    }

    /// The content of one file; `None` when it is not known or could not be read.
    pub fn content_of(&self, root: Root, path: &Path) -> Result<Option<Hash>, Trouble> {
        let find = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT checksum IS row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy),
                 path, hash FROM files JOIN contents ON id = content WHERE root = ?1 AND path = ?2",
            )?;
            let mut rows = statement.query(params![root.number(), path.as_os_str().as_bytes()])?;
            match rows.next()? {
                Some(row) if is_intact(row) => Ok(Some(Hash(row.get(2)?))),
                Some(row) => {
                    self.add_damaged_file(root, row);
                    Ok(None)
                }
                None => Ok(None),
            }
        };
        find().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// The files of a root that have this content, ordered by path.
    pub fn files_with(&self, root: Root, content: Hash) -> Result<Vec<PathBuf>, Trouble> {
        let collect = || {
            // The row as well, not only the index, in which another path may stand by now.
            let mut statement = self.connection.prepare_cached(
                "SELECT checksum IS row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, ?1, problem, remedy), path
                 FROM files INDEXED BY files_by_content
                 WHERE content = (SELECT id FROM contents WHERE hash = ?1) AND root = ?2 ORDER BY path",
            )?;
            let mut rows = statement.query(params![content.0, root.number()])?;
            let mut paths = Vec::new();
            while let Some(row) = rows.next()? {
                match is_intact(row) {
                    true => paths.push(path_at(row, 1)?),
                    false => self.add_damaged_file(root, row),
                }
            }
            Ok(paths)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
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

/// A stamp in four columns, of which this is the first.
pub(super) fn stamp_at(row: &Row<'_>, column: usize) -> rusqlite::Result<Stamp> {
    Ok(Stamp {
        size: row.get::<_, i64>(column)?.cast_unsigned(),
        mtime_ns: row.get(column + 1)?,
        ctime_ns: row.get(column + 2)?,
        inode: row.get::<_, i64>(column + 3)?.cast_unsigned(),
    })
}

/// A row behind the column that says that it is intact.
pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<FileRow> {
    let stamp = stamp_at(row, 2)?;
    let state = match row.get::<_, Option<[u8; 32]>>(6)? {
        Some(hash) => FileState::Read(Hash(hash)),
        None => match row.get(7)? {
            Some(problem) => FileState::Failed { problem, remedy: row.get(8)? },
            None => FileState::Unread,
        },
    };
    Ok(FileRow { path: path_at(row, 1)?, stamp, state })
}
