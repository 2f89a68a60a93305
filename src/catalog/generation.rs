//! Numbers for the states of the index that rise from one process to the next, whatever the clock does.

use rusqlite::{OptionalExtension, params};

use super::Catalog;
use crate::error::Trouble;

/// The row of SQLite's own table of highest numbers; no table has this name.
const NAME: &str = "index generation";
/// Changes of the index that one process has numbers for.
const RESERVED: i64 = 1_000_000_000;

impl Catalog {
    /// The number from which this process counts. It is above all that processes before it have used, and not below `now_us`, the
    /// time in microseconds: so it rises also where the catalog was lost.
    pub fn reserve_generations(&self, now_us: u64) -> Result<u64, Trouble> {
        let find = || {
            self.connection
                .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = ?1")?
                .query_row([NAME], |row| row.get::<_, i64>(0))
                .optional()
        };
        let used = find().map_err(|error| self.trouble("read", &error))?;
        let first = used.unwrap_or(0).max(now_us.cast_signed());
        let statement = match used {
            Some(_) => "UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1",
            None => "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)",
        };
        self.write(statement, params![NAME, first.saturating_add(RESERVED)])?;
        Ok(first.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Hash;

    #[test]
    fn numbers_rise_from_one_process_to_the_next_also_when_the_clock_is_set_back() {
        let state = tempfile::tempdir().unwrap();
        let mut last = 0;
        for now_us in [5_000_000_000_000, 5_000_000_000_001, 17, 6_000_000_000_000_000, 0] {
            let catalog = Catalog::open(state.path()).unwrap().catalog;
            let first = catalog.reserve_generations(now_us).unwrap();
            assert!(first >= now_us && first > last, "{first} after {last}, at {now_us}");
            last = first + RESERVED.cast_unsigned() - 1;
            // The numbers of contents go their own way.
            catalog.content_or_new(Hash::of(&now_us.to_le_bytes())).unwrap();
        }
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        assert_eq!(catalog.content_or_new(Hash::of(&0_u64.to_le_bytes())).unwrap(), 5);
    }
}
