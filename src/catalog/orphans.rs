//! Deletes from the catalog what nothing needs any more, a few rows at a time: all at once takes seconds in a large catalog.

use rusqlite::params;

use super::Catalog;
use super::check::rising;
use crate::error::Trouble;
use crate::picture::Hash;

/// What belongs to a content is kept so long after its last file went: it may be on a disk that comes back.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Now, in seconds since 1970.
    pub now_s: i64,
    /// So many days.
    pub days: u64,
}

impl Retention {
    /// What went then or before is deleted.
    fn gone_by_s(self) -> i64 {
        self.now_s - self.days as i64 * 24 * 3_600
    }
}

/// How far a sweep has come: the last content looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrphanSweep {
    last: i64,
}

impl OrphanSweep {
    /// Contents to be looked at in one turn of the event loop, all of which may be deleted: a few milliseconds.
    pub const CONTENTS_A_TURN: usize = 100;

    /// At its beginning.
    pub fn begin() -> Self {
        Self { last: 0 }
    }
}

impl Catalog {
    /// Deletes features of a version that is not among `versions` (`None`: all are needed), `most` at a time; when there are none,
    /// looks at the next `most` contents and deletes whatever belongs to those that no file has had for long: their files may only
    /// be away. `None` when the sweep is through.
    pub fn sweep_orphans(
        &self,
        sweep: OrphanSweep,
        versions: Option<&[String]>,
        retention: Retention,
        most: usize,
    ) -> Result<Option<OrphanSweep>, Trouble> {
        if let Some(versions) = versions
            && self.drop_features_except(versions, most)?
        {
            return Ok(Some(sweep));
        }
        let find = || {
            self.connection
                .prepare_cached("SELECT max(id) FROM (SELECT id FROM contents WHERE id > ?1 ORDER BY id LIMIT ?2)")?
                .query_row(params![sweep.last, most as i64], |row| row.get::<_, Option<i64>>(0))?
                .map(|last| rising(sweep.last, last))
                .transpose()
        };
        let Some(last) = find().map_err(|error| self.trouble("read", &error))? else { return Ok(None) };
        for (value, is, exists) in [("NULL", "NOT NULL", "EXISTS"), ("?3", "NULL", "NOT EXISTS")] {
            let statement = format!(
                "UPDATE contents SET gone_s = {value} WHERE id > ?1 AND id <= ?2 AND gone_s IS {is}
                 AND {exists} (SELECT 1 FROM files WHERE files.content = contents.id)"
            );
            // Every statement takes as many values as it names.
            match value {
                "NULL" => self.write(&statement, params![sweep.last, last])?,
                _ => self.write(&statement, params![sweep.last, last, retention.now_s])?,
            }
        }
        let gone_by_s = retention.gone_by_s();
        for (table, owner) in [("features", "trunk"), ("codes", "model")] {
            let mut name = String::new();
            while let Some(next) = self.next_owner(table, owner, &name)? {
                name = next;
                let statement = delete_orphans(table, "content", &format!("{owner} = ?4"));
                self.write(&statement, params![sweep.last, last, gone_by_s, name])?;
            }
        }
        // The number goes last: until then a sweep that is cut off can begin again.
        for (table, column) in [("miniatures", "content"), ("metadata", "content"), ("contents", "id")] {
            self.write(&delete_orphans(table, column, "true"), params![sweep.last, last, gone_by_s])?;
        }
        Ok(Some(OrphanSweep { last }))
    }

    /// Of the contents that the sweep looks at next, those that it deletes.
    pub fn contents_to_forget(
        &self,
        sweep: &OrphanSweep,
        retention: Retention,
        most: usize,
    ) -> Result<Vec<Hash>, Trouble> {
        let find = || {
            self.connection
                .prepare_cached(
                    "SELECT hash FROM (SELECT id, hash, gone_s FROM contents WHERE id > ?1 ORDER BY id LIMIT ?2)
                     WHERE gone_s <= ?3 AND NOT EXISTS (SELECT 1 FROM files WHERE files.content = id)",
                )?
                .query_map(params![sweep.last, most as i64, retention.gone_by_s()], |row| Ok(Hash(row.get(0)?)))?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        find().map_err(|error| self.trouble("read", &error))
    }

    /// Deletes up to `most` features of a version that is not among `versions`; `false` when there are none.
    fn drop_features_except(&self, versions: &[String], most: usize) -> Result<bool, Trouble> {
        let mut version = String::new();
        while let Some(next) = self.next_owner("features", "trunk", &version)? {
            version = next;
            if !versions.contains(&version) {
                self.write(
                    "DELETE FROM features WHERE rowid IN (SELECT rowid FROM features WHERE trunk = ?1 LIMIT ?2)",
                    params![version, most as i64],
                )?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn delete_orphans(table: &str, column: &str, which: &str) -> String {
    format!(
        "DELETE FROM {table} WHERE {which} AND {column} > ?1 AND {column} <= ?2
         AND {column} IN (SELECT id FROM contents WHERE id > ?1 AND id <= ?2 AND gone_s <= ?3)
         AND NOT EXISTS (SELECT 1 FROM files WHERE files.content = {table}.{column})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{FileRow, FileState, Root};
    use crate::files::Stamp;
    use crate::picture::{Hash, MINIATURE_SIDE, Miniature, PictureMetadata};

    const KEPT_S: i64 = 30 * 24 * 3_600;

    #[test]
    fn what_no_file_has_goes_a_few_rows_at_a_time() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let pixels = Miniature::from_bytes(&[1; MINIATURE_SIDE * MINIATURE_SIDE]).unwrap();
        let hash = |number: usize| Hash::of(&number.to_le_bytes());
        for number in 0..20 {
            catalog.put_features(hash(number), "v2", &[1.0]).unwrap();
            catalog.put_features(hash(number), "v1", &[1.0]).unwrap();
            catalog.put_miniature(hash(number), &pixels).unwrap();
            catalog.put_metadata(hash(number), &PictureMetadata::default()).unwrap();
            catalog.put_embedding(hash(number), "m1", &[1.0]).unwrap();
            if number % 2 == 0 {
                let state = FileState::Read(hash(number));
                let row = FileRow { path: format!("{number}").into(), stamp: Stamp::NEVER, state };
                catalog.put_file(Root::Inventory, &row).unwrap();
            }
        }
        let count = |table: &str| -> i64 {
            catalog.connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        let tables = ["features", "codes", "miniatures", "metadata", "contents"];
        let sweep_all = |now_s: i64| {
            let (mut sweep, mut slices, mut left) = (Some(OrphanSweep::begin()), 0, tables.map(count));
            while let Some(here) = sweep {
                let retention = Retention { now_s, days: 30 };
                sweep = catalog.sweep_orphans(here, Some(&["v2".into()]), retention, 3).unwrap();
                slices += 1;
                let now = tables.map(count);
                assert!(left.iter().zip(now).all(|(before, after)| before - after <= 3), "{left:?} {now:?}");
                left = now;
            }
            (slices, left)
        };
        assert_eq!(tables.map(count), [40, 20, 20, 20, 20]);
        let retention = Retention { now_s: 0, days: 30 };
        let far = catalog.sweep_orphans(OrphanSweep::begin(), None, retention, 100).unwrap();
        assert!(far.is_some_and(|far| catalog.sweep_orphans(far, None, retention, 100).unwrap().is_none()));
        assert_eq!(count("features"), 40, "none that a disk which is away may need");
        catalog.connection.execute("UPDATE contents SET gone_s = NULL", []).unwrap();
        let (slices, left) = sweep_all(1_000);
        assert!(slices >= (20 + 20) / 3, "{slices} slices");
        assert_eq!(left, [20; 5], "their files may only be away");
        assert_eq!(sweep_all(1_000 + KEPT_S - 1).1, [20; 5]);
        // It was back for a while.
        let row = FileRow { path: "1".into(), stamp: Stamp::NEVER, state: FileState::Read(hash(1)) };
        catalog.put_file(Root::Inventory, &row).unwrap();
        catalog.remove_file(Root::Inventory, &row.path).unwrap();
        let forgotten = |now_s: i64, most: usize| {
            let retention = Retention { now_s, days: 30 };
            catalog.contents_to_forget(&OrphanSweep::begin(), retention, most).unwrap()
        };
        assert!(forgotten(1_000 + KEPT_S - 1, 20).is_empty());
        let odd: Vec<_> = (3..20).step_by(2).map(hash).collect();
        assert_eq!(forgotten(1_000 + KEPT_S, 20), odd, "but not the one that was back");
        assert_eq!(forgotten(1_000 + KEPT_S, 6), odd[..2], "of the first six");
        assert_eq!(sweep_all(1_000 + KEPT_S).1, [11; 5]);
        for number in 0..20 {
            let is_there = number % 2 == 0 || number == 1;
            assert_eq!(catalog.has_features(hash(number), "v2").unwrap(), is_there);
            assert!(!catalog.has_features(hash(number), "v1").unwrap(), "nothing uses them");
            assert_eq!(catalog.miniature(hash(number)).unwrap().is_some(), is_there);
            assert_eq!(catalog.has_metadata(hash(number)).unwrap(), is_there);
            assert_eq!(catalog.embedding(hash(number), "m1").unwrap().is_some(), is_there);
        }
    }
}
