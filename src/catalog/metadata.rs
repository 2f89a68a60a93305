//! The catalog's table of metadata: when and with what the inventory's pictures were taken, as their files say, and their sizes.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::{Row, params};

use super::checksum::is_intact;
use super::health::{ContentTable, DamagedRow};
use super::{Catalog, Root};
use crate::clock::{LocalClock, WallTime};
use crate::error::Trouble;
use crate::picture::{Hash, PictureMetadata};

/// Whether the row of a file is intact: the column before [`DATES`].
const IS_INTACT: &str =
    "f.checksum IS row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy)";

/// Of a file that was read: the path, the time of the last change, whether the metadata are intact (NULL without any), when it was taken,
/// the content's hash and number.
const DATES: &str = "path, mtime_ns,
    iif(m.content IS NULL, NULL, m.checksum IS row_checksum('metadata', hash, taken_s, camera, lens, width, height)),
    taken_s, hash, f.content
FROM files AS f CROSS JOIN contents ON id = f.content LEFT JOIN metadata AS m ON m.content = f.content
WHERE root = ?1 AND path = ?2";

impl Catalog {
    /// Whether the metadata of a content are stored.
    pub fn has_metadata(&self, hash: Hash) -> Result<bool, Trouble> {
        let find = || {
            self.connection
                .prepare_cached("SELECT 1 FROM metadata WHERE content = (SELECT id FROM contents WHERE hash = ?1)")?
                .exists([hash.0])
        };
        find().map_err(|error| self.trouble("read", &error))
    }

    /// The stored metadata of a content.
    pub fn metadata(&self, hash: Hash) -> Result<Option<PictureMetadata>, Trouble> {
        let find = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT checksum IS row_checksum('metadata', ?1, taken_s, camera, lens, width, height), content,
                 taken_s, camera, lens, width, height
                 FROM metadata WHERE content = (SELECT id FROM contents WHERE hash = ?1)",
            )?;
            let mut rows = statement.query([hash.0])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            if !is_intact(row) {
                self.add_damaged_metadata(hash, row.get(1)?);
                return Ok(None);
            }
            let size: Option<u32> = row.get(5)?;
            Ok(Some(PictureMetadata {
                taken: row.get::<_, Option<i64>>(2)?.map(WallTime::of_seconds),
                camera: row.get(3)?,
                lens: row.get(4)?,
                size: size.zip(row.get(6)?).map(|(width, height)| [width, height]),
            }))
        };
        find().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Stores the metadata of a content; they replace earlier ones.
    pub fn put_metadata(&self, hash: Hash, metadata: &PictureMetadata) -> Result<(), Trouble> {
        let PictureMetadata { taken, camera, lens, size } = metadata;
        let content = self.content_or_new(hash)?;
        self.write(
            "INSERT OR REPLACE INTO metadata VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_checksum('metadata', ?7, ?2, ?3, ?4, ?5, ?6))",
            params![
                content,
                taken.map(WallTime::seconds),
                camera,
                lens,
                size.map(|[width, _]| width),
                size.map(|[_, height]| height),
                hash.0
            ],
        )
    }

    /// The date of one file; [`WallTime::UNKNOWN`] of one that is not known.
    pub fn date_of(&self, root: Root, path: &Path) -> Result<WallTime, Trouble> {
        let find = || {
            let mut statement = self.connection.prepare_cached(&format!("SELECT {IS_INTACT}, {DATES}"))?;
            let mut rows = statement.query(params![root.number(), path.as_os_str().as_bytes()])?;
            rows.next()?.map_or(Ok(None), |row| self.date_at(root, row, &LocalClock::of_system()))
        };
        let date = find().map_err(|error: rusqlite::Error| self.trouble("read", &error))?;
        Ok(date.unwrap_or(WallTime::UNKNOWN))
    }

    /// That of a row of [`IS_INTACT`] and [`DATES`], unless the row is not as it was written.
    fn date_at(&self, root: Root, row: &Row<'_>, clock: &LocalClock) -> rusqlite::Result<Option<WallTime>> {
        if !is_intact(row) {
            self.add_damaged_file(root, row);
            return Ok(None);
        }
        Ok(Some(self.date_with(row, 3, clock.at(row.get(2)?))?))
    }

    /// The date of a file that was last changed at `changed`. From `column` on, the row says whether its metadata are intact, when it
    /// was taken, and the content's hash and number.
    pub(super) fn date_with(&self, row: &Row<'_>, column: usize, changed: WallTime) -> rusqlite::Result<WallTime> {
        match row.get(column)? {
            Some(true) => Ok(row.get::<_, Option<i64>>(column + 1)?.map_or(changed, WallTime::of_seconds)),
            Some(false) => {
                self.add_damaged_metadata(Hash(row.get(column + 2)?), row.get(column + 3)?);
                Ok(changed)
            }
            None => Ok(changed),
        }
    }

    fn add_damaged_metadata(&self, content: Hash, rowid: i64) {
        self.health.add(DamagedRow::OfContent { table: ContentTable::Metadata, rowid, content });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{FileRow, FileState};
    use crate::files::Stamp;

    fn described() -> PictureMetadata {
        PictureMetadata {
            taken: WallTime::parse("1969-07-20T20:17:40"),
            camera: Some("Hasselblad 500EL".into()),
            lens: Some("Biogon 60mm ƒ-5,6".into()),
            size: Some([4_000, 3_000]),
        }
    }

    fn put(catalog: &Catalog, path: &str, content: Hash, mtime_ns: i64) {
        let stamp = Stamp { mtime_ns, ..Stamp::NEVER };
        catalog
            .put_file(Root::Inventory, &FileRow { path: path.into(), stamp, state: FileState::Read(content) })
            .unwrap();
    }

    #[test]
    fn metadata_come_back_by_content_and_what_is_not_known_stays_unknown() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let [whole, nothing, missing] = [Hash::of(b"whole"), Hash::of(b"nothing"), Hash::of(b"missing")];
        catalog.put_metadata(whole, &PictureMetadata::default()).unwrap();
        catalog.put_metadata(whole, &described()).unwrap();
        catalog.put_metadata(nothing, &PictureMetadata::default()).unwrap();
        assert_eq!(catalog.metadata(whole).unwrap(), Some(described()));
        assert_eq!(catalog.metadata(nothing).unwrap(), Some(PictureMetadata::default()));
        assert_eq!(catalog.metadata(missing).unwrap(), None);
        assert_eq!([whole, nothing, missing].map(|hash| catalog.has_metadata(hash).unwrap()), [true, true, false]);
    }

    #[test]
    fn a_row_that_is_not_as_it_was_written_counts_as_missing_and_is_found_by_the_check() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let [one, other] = [Hash::of(b"one"), Hash::of(b"other")];
        for (path, hash) in [("a.jpg", one), ("b.jpg", other)] {
            put(&catalog, path, hash, 0);
            catalog.put_metadata(hash, &described()).unwrap();
        }
        catalog.connection.execute("UPDATE metadata SET taken_s = 7 WHERE content = 1", []).unwrap();
        assert_eq!((catalog.metadata(one).unwrap(), catalog.metadata(other).unwrap()), (None, Some(described())));
        let damaged = DamagedRow::OfContent { table: ContentTable::Metadata, rowid: 1, content: one };
        assert_eq!(catalog.take_damaged_rows(9), std::slice::from_ref(&damaged));
        catalog.check().unwrap();
        assert_eq!(catalog.take_damaged_rows(9), std::slice::from_ref(&damaged));
        let dates = ["a.jpg", "b.jpg"].map(|path| catalog.date_of(Root::Inventory, Path::new(path)).unwrap());
        assert_eq!(dates, [LocalClock::of_system().at(0), described().taken.unwrap()], "and no wrong date");
        assert_eq!(catalog.take_damaged_rows(9), std::slice::from_ref(&damaged));
        assert!(catalog.delete_if_damaged(&damaged).unwrap() && !catalog.has_metadata(one).unwrap());
        assert!(!catalog.delete_if_damaged(&damaged).unwrap());
    }

    #[test]
    fn a_file_has_the_date_when_it_was_taken_or_else_changed() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let (changed_ns, [one, other]) = (1_700_000_000_000_000_000, [Hash::of(b"one"), Hash::of(b"other")]);
        for (path, hash) in [("a.jpg", one), ("b/a.jpg", one), ("c.jpg", other)] {
            put(&catalog, path, hash, changed_ns);
        }
        catalog.put_metadata(one, &described()).unwrap();
        catalog.put_metadata(other, &PictureMetadata::default()).unwrap();
        let (taken, changed) = (described().taken.unwrap(), LocalClock::of_system().at(changed_ns));
        let date = |path: &str| catalog.date_of(Root::Inventory, Path::new(path)).unwrap();
        assert_eq!(["a.jpg", "b/a.jpg", "c.jpg", "d.jpg"].map(date), [taken, taken, changed, WallTime::UNKNOWN]);
    }
}
