//! Looks for damage in the whole file, while the service runs, and empties the journal when it stops.

use std::thread;
use std::time::Duration;

use rusqlite::ffi;
use rusqlite::types::ValueRef;

use super::health::{ContentTable, DamagedRow};
use super::{Catalog, is_damage};
use crate::error::Trouble;
use crate::picture::Hash;

/// Rows read in one step: a long one would keep the journal from being moved into the file.
const ROWS_A_STEP: i64 = 2_000;
/// While more damaged rows are known than the service has repaired, the check waits.
const REPAIR_PAUSE: Duration = Duration::from_millis(100);
/// How long to wait for readers, and how often, when the journal is to be emptied.
const CHECKPOINT_PATIENCE: Duration = Duration::from_millis(100);
const CHECKPOINT_TRIES: usize = 20;

impl Catalog {
    /// Whether something was read that SQLite did not write: the file must be replaced.
    pub fn is_damaged(&self) -> bool {
        self.health.is_damaged()
    }

    /// Reads the whole file and sees whether its structure is sound, and every row as it was written. What is found is in
    /// [`Catalog::is_damaged`] and [`Catalog::take_damaged_rows`]. At a million pictures that is five gigabytes: nothing may wait for it.
    ///
    /// # Errors
    /// When it cannot be read; not when it is damaged, nor when [`Catalog::checkpoint`] ends it.
    pub fn check(&self) -> Result<(), Trouble> {
        self.health.set_check(Some(self.connection.get_interrupt_handle()));
        let checked = self.check_structure().and_then(|is_sound| if is_sound { self.check_rows() } else { Ok(()) });
        self.health.set_check(None);
        match checked {
            Err(error) if is_damage(&error) => {
                self.health.mark_damaged(true);
                Ok(())
            }
            Err(_) if self.health.is_check_over() => Ok(()),
            checked => checked.map_err(|error| self.trouble("read", &error)),
        }
    }

    fn check_structure(&self) -> rusqlite::Result<bool> {
        // Not the quick check, which does not see that an index leads nowhere: its pictures would be missing from searches.
        let is_sound = |row: &rusqlite::Row<'_>| Ok(matches!(row.get_ref(0)?, ValueRef::Text(b"ok")));
        let is_sound = self.connection.query_row("PRAGMA integrity_check(1)", [], is_sound)?;
        self.health.mark_damaged(!is_sound);
        Ok(is_sound)
    }

    /// Files, answers and models are verified at each start, when they are read.
    fn check_rows(&self) -> rusqlite::Result<()> {
        for table in ContentTable::ALL {
            let ((name, number), checksum) = (table.name(), table.checksum("hash"));
            let next = format!(
                "SELECT max({number}) FROM (SELECT {number} FROM {name} WHERE {number} > ?1 ORDER BY {number} LIMIT ?2)"
            );
            let damaged = format!(
                "SELECT {name}.{number}, hash FROM {name} CROSS JOIN contents ON id = {name}.content
                 WHERE {name}.{number} > ?1 AND {name}.{number} <= ?2 AND checksum IS NOT {checksum}"
            );
            let (mut next, mut damaged) = (self.connection.prepare(&next)?, self.connection.prepare(&damaged)?);
            let mut last = i64::MIN;
            while let Some(to) = next.query_row([last, ROWS_A_STEP], |row| row.get::<_, Option<i64>>(0))? {
                let mut rows = damaged.query([last, to])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    // A content without a hash of 32 bytes is none that anybody asks for.
                    if let (Ok(rowid), Ok(hash)) = (row.get(0), row.get(1)) {
                        found.push(DamagedRow::OfContent { table, rowid, content: Hash(hash) });
                    }
                }
                drop(rows);
                for row in found {
                    while !self.health.is_check_over() && !self.health.add(row.clone()) {
                        thread::sleep(REPAIR_PAUSE);
                    }
                }
                if self.health.is_check_over() {
                    return Ok(());
                }
                last = rising(last, to)?;
            }
        }
        Ok(())
    }

    /// Moves everything from the journal into the file, and empties the journal unless another program reads it for long. A check
    /// under way ends.
    pub fn checkpoint(&self) -> Result<(), Trouble> {
        let checkpoint = || {
            self.connection.busy_timeout(CHECKPOINT_PATIENCE)?;
            for _ in 0..CHECKPOINT_TRIES {
                // Again each time: it may just have gone on to its next part.
                self.health.end_check();
                let is_busy: bool =
                    self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
                if !is_busy {
                    break;
                }
            }
            self.connection.busy_timeout(super::opening::BUSY_TIMEOUT)
        };
        checkpoint().map_err(|error| self.trouble("write", &error))
    }
}

/// `to`, where a page ends that began after `from`. In a damaged file the numbers of rows may be out of order: then the same page would
/// be read for ever.
pub(super) fn rising(from: i64, to: i64) -> rusqlite::Result<i64> {
    if to > from { Ok(to) } else { Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None)) }
}

#[cfg(test)]
#[path = "damage_tests.rs"]
mod tests;
