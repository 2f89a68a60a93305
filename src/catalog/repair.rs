//! Deletes rows that are not as they were written, so that they are made again like any that is missing.

use std::os::unix::ffi::OsStrExt;

use rusqlite::params;

use super::Catalog;
use super::health::DamagedRow;
use crate::error::Trouble;

impl Catalog {
    /// Some of the rows that were found to be damaged since the last call, at most `count`.
    pub fn take_damaged_rows(&self, count: usize) -> Vec<DamagedRow> {
        self.health.take(count)
    }

    /// Remembers rows that could not be deleted.
    pub fn put_damaged_rows(&self, rows: Vec<DamagedRow>) {
        rows.into_iter().for_each(|row| {
            self.health.add(row);
        });
    }

    /// Deletes a row that was found to be damaged; `false` if it is intact: it was written again meanwhile.
    pub fn delete_if_damaged(&self, row: &DamagedRow) -> Result<bool, Trouble> {
        match row {
            DamagedRow::OfContent { table, rowid, content } => {
                let ((name, number), checksum) = (table.name(), table.checksum("?2"));
                let statement = format!("DELETE FROM {name} WHERE {number} = ?1 AND checksum IS NOT {checksum}");
                self.change(&statement, params![rowid, content.0])
            }
            DamagedRow::File { root, path } => self.change(
                "DELETE FROM files WHERE root = ?1 AND path = ?2 AND checksum IS NOT row_checksum('files', root, path, size,
                 mtime_ns, ctime_ns, inode, (SELECT hash FROM contents WHERE id = content), problem, remedy)",
                params![root.number(), path.as_os_str().as_bytes()],
            ),
            DamagedRow::Answer { query } => self.change(
                "DELETE FROM answers WHERE query = ?1 AND checksum IS NOT
                 row_checksum('answers', query, name, content, status, is_provisional, answered_s)",
                [query.as_os_str().as_bytes()],
            ),
        }
    }

    fn change(&self, statement: &str, values: impl rusqlite::Params) -> Result<bool, Trouble> {
        let run = || self.connection.prepare_cached(statement)?.execute(values);
        run().map(|count| count > 0).map_err(|error| self.trouble("write", &error))
    }
}
