//! All files of a root with what the catalog has of their contents, in one pass over the table: what a start needs.

use rusqlite::params;

use super::checksum::is_intact;
use super::files::{FileRow, read_row};
use super::{Catalog, Root};
use crate::clock::{LocalClock, WallTime};
use crate::error::Trouble;
use crate::picture::Miniature;

/// What the catalog has of a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentFacts {
    /// Its features, of the version that is asked for.
    pub has_features: bool,
    /// Its miniature.
    pub has_miniature: bool,
    /// Its number, in the order of which [`Catalog::visit_embeddings`] visits; 0 without a content.
    pub number: i64,
    /// When the picture was taken, or else the file last changed, by the clock here.
    pub date: WallTime,
}

/// Whether there are features and a miniature is asked of indexes: the rows themselves, most of the catalog, are not read.
const KNOWN_FILES: &str = "
SELECT f.checksum IS row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy),
    path, size, mtime_ns, ctime_ns, inode, hash, problem, remedy,
    EXISTS (SELECT 1 FROM features AS v WHERE v.trunk = ?2 AND v.content = f.content),
    EXISTS (SELECT 1 FROM miniatures AS n INDEXED BY miniatures_by_kind WHERE n.kind = ?3 AND n.content = f.content),
    iif(m.content IS NULL, NULL, m.checksum IS row_checksum('metadata', hash, taken_s, camera, lens, width, height)),
    taken_s, hash, f.content
FROM files AS f LEFT JOIN contents ON id = f.content LEFT JOIN metadata AS m ON m.content = f.content
WHERE root = ?1 ORDER BY path";

impl Catalog {
    /// Visits all files of a root, ordered by path, each with what the catalog has of its content: features of this version.
    pub fn each_known_file(
        &self,
        root: Root,
        features_version: &str,
        mut visit: impl FnMut(FileRow, ContentFacts),
    ) -> Result<(), Trouble> {
        let mut read = || {
            let clock = LocalClock::of_system();
            let mut statement = self.connection.prepare_cached(KNOWN_FILES)?;
            let mut rows = statement.query(params![root.number(), features_version, Miniature::VERSION])?;
            while let Some(row) = rows.next()? {
                if !is_intact(row) {
                    self.add_damaged_file(root, row);
                    continue;
                }
                let file = read_row(row)?;
                let date = self.date_with(row, 11, clock.at(file.stamp.mtime_ns))?;
                let number = row.get::<_, Option<i64>>(14)?.unwrap_or_default();
                visit(file, ContentFacts { has_features: row.get(9)?, has_miniature: row.get(10)?, number, date });
            }
            Ok(())
        };
        read().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::FileState;
    use crate::files::Stamp;
    use crate::picture::{Hash, MINIATURE_SIDE, PictureMetadata};

    #[test]
    fn each_file_comes_with_what_is_known_of_its_content() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let [whole, bare] = [Hash::of(b"whole"), Hash::of(b"bare")];
        let taken = WallTime::parse("2024-06-01T08:30:00");
        catalog.put_features(whole, "v2", &[1.0]).unwrap();
        catalog.put_features(bare, "v1", &[1.0]).unwrap();
        catalog.put_miniature(whole, &Miniature::from_bytes(&[7; MINIATURE_SIDE * MINIATURE_SIDE]).unwrap()).unwrap();
        catalog.put_metadata(whole, &PictureMetadata { taken, ..PictureMetadata::default() }).unwrap();
        let stamp = Stamp { mtime_ns: 1_700_000_000_000_000_000, ..Stamp::NEVER };
        let failed = FileState::Failed { problem: "it is cut off".into(), remedy: String::new() };
        let states = [("a.jpg", FileState::Read(whole)), ("b.jpg", FileState::Read(bare)), ("c.jpg", failed)];
        let files = states.map(|(path, state)| FileRow { path: path.into(), stamp, state });
        for file in files.iter().rev() {
            catalog.put_file(Root::Inventory, file).unwrap();
        }
        let mut found = Vec::new();
        catalog.each_known_file(Root::Inventory, "v2", |file, facts| found.push((file, facts))).unwrap();
        let changed = LocalClock::of_system().at(stamp.mtime_ns);
        let nothing = ContentFacts { has_features: false, has_miniature: false, number: 0, date: changed };
        let whole = ContentFacts { has_features: true, has_miniature: true, number: 1, date: taken.unwrap() };
        let expected = [whole, ContentFacts { number: 2, ..nothing }, nothing];
        assert_eq!(found, files.into_iter().zip(expected).collect::<Vec<_>>());
        catalog.each_known_file(Root::Training, "v2", |file, _| panic!("{file:?}")).unwrap();
    }

    /// Reading the rows of features and miniatures would read nearly the whole file.
    #[test]
    fn it_reads_no_features_and_no_pixels() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let mut plan = catalog.connection.prepare(&format!("EXPLAIN QUERY PLAN {KNOWN_FILES}")).unwrap();
        let steps: Vec<String> =
            plan.query_map(params![0, "v", "k"], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        for table in ["v", "n"] {
            let search = format!("SEARCH {table} USING COVERING INDEX");
            assert!(steps.iter().any(|step| step.starts_with(&search)), "{steps:?}");
        }
        assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
    }

    #[test]
    fn a_row_that_is_not_as_it_was_written_gives_no_wrong_date() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        for (path, content) in [("a.jpg", Hash::of(b"one")), ("b.jpg", Hash::of(b"other"))] {
            let file = FileRow { path: path.into(), stamp: Stamp::NEVER, state: FileState::Read(content) };
            catalog.put_file(Root::Inventory, &file).unwrap();
            catalog.put_metadata(content, &PictureMetadata::default()).unwrap();
        }
        catalog.connection.execute("UPDATE metadata SET taken_s = 7 WHERE content = 1", []).unwrap();
        catalog.connection.execute("UPDATE files SET mtime_ns = 8 WHERE path = CAST('b.jpg' AS BLOB)", []).unwrap();
        let mut found = Vec::new();
        catalog.each_known_file(Root::Inventory, "v", |file, facts| found.push((file.path, facts.date))).unwrap();
        assert_eq!(found, [("a.jpg".into(), LocalClock::of_system().at(Stamp::NEVER.mtime_ns))]);
        assert_eq!(catalog.take_damaged_rows(9).len(), 2);
    }
}
