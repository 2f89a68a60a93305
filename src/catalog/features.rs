//! The catalog's tables of vectors: the features of each picture content by their version, and its embedding by model.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use half::f16;
use rusqlite::{OptionalExtension, params};

use super::{Catalog, Root};
use crate::base::rows::Rows;
use crate::error::Trouble;
use crate::picture::Hash;

/// A page of a pass over all features.
pub struct FeaturesPage {
    /// Contents.
    pub contents: Vec<Hash>,
    /// Their features, `[contents.len(), width]`.
    pub features: Rows,
    /// Where the next page begins; `None` when there is no more.
    pub end: Option<PageEnd>,
}

/// The last content of a page.
pub struct PageEnd(i64);

impl Catalog {
    /// Whether the features of a content are stored.
    pub fn has_features(&self, hash: Hash, version: &str) -> Result<bool, Trouble> {
        let find = || {
            self.connection
                .prepare_cached(
                    "SELECT 1 FROM features WHERE trunk = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
                )?
                .exists(params![hash.0, version])
        };
        find().map_err(|error| self.trouble("read", &error))
    }

    /// The contents whose features are stored. In one pass, because 100,000 single questions take seconds.
    pub fn contents_with_features(&self, version: &str) -> Result<HashSet<Hash>, Trouble> {
        let collect = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT hash FROM features JOIN contents ON id = content WHERE trunk = ?1")?;
            statement.query_map([version], |row| Ok(Hash(row.get(0)?)))?.collect::<rusqlite::Result<HashSet<_>>>()
        };
        collect().map_err(|error| self.trouble("read", &error))
    }

    /// The features of a content, `[width]`; stored as float16, so each is within 0.05 % of what the network gave.
    pub fn features(&self, hash: Hash, version: &str) -> Result<Option<Vec<f32>>, Trouble> {
        let blob = self.blob(
            "SELECT row FROM features WHERE trunk = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
            hash,
            version,
        )?;
        Ok(blob.map(|bytes| features_from_bytes(&bytes)))
    }

    /// Stores the features of a content.
    pub fn put_features(&self, hash: Hash, version: &str, features: &[f32]) -> Result<(), Trouble> {
        let bytes: Vec<u8> = features.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        let content = self.content_or_new(hash)?;
        self.write(
            "INSERT OR REPLACE INTO features (content, trunk, row) VALUES (?1, ?2, ?3)",
            params![content, version, bytes],
        )
    }

    /// The stored features of `hashes`, in that order, with the hashes they belong to.
    pub fn many_features(&self, hashes: &[Hash], version: &str, width: usize) -> Result<(Vec<Hash>, Rows), Trouble> {
        let (mut found, mut rows) = (Vec::new(), Rows::empty(width));
        for &hash in hashes {
            if self.features(hash, version)?.is_some_and(|row| rows.push(&row)) {
                found.push(hash);
            }
        }
        Ok((found, rows))
    }

    /// The next contents with features of `version`, at most `count`, in the order in which they are stored: a pass over all of them
    /// reads the disk in one direction. `after` is the end of the page before.
    pub fn next_features(
        &self,
        after: Option<PageEnd>,
        version: &str,
        width: usize,
        count: usize,
    ) -> Result<FeaturesPage, Trouble> {
        let collect = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT content, hash, row FROM features CROSS JOIN contents ON id = content
                 WHERE trunk = ?1 AND content > ?2 ORDER BY content LIMIT ?3",
            )?;
            let start = after.map_or(0, |PageEnd(content)| content);
            let mut rows = statement.query(params![version, start, count as i64])?;
            let mut page = FeaturesPage { contents: Vec::new(), features: Rows::empty(width), end: None };
            while let Some(row) = rows.next()? {
                if page.features.push(&features_from_bytes(row.get_ref(2)?.as_blob()?)) {
                    page.contents.push(Hash(row.get(1)?));
                }
                page.end = Some(PageEnd(row.get(0)?));
            }
            Ok(page)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// The embedding of a content under a model.
    pub fn embedding(&self, hash: Hash, model: &str) -> Result<Option<Vec<f32>>, Trouble> {
        let blob = self.blob(
            "SELECT row FROM codes WHERE model = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
            hash,
            model,
        )?;
        Ok(blob.map(|bytes| values_in(&bytes).collect()))
    }

    /// Visits the embeddings under a model of all files of a root, in the order in which the contents are stored: the table is
    /// read once, in one direction, and none of it has to be held in memory.
    pub fn visit_embeddings(
        &self,
        root: Root,
        model: &str,
        mut visit: impl FnMut(&Path, &[f32]),
    ) -> Result<(), Trouble> {
        let mut run = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT path, row FROM codes CROSS JOIN files ON files.content = codes.content
                 WHERE model = ?1 AND root = ?2 ORDER BY codes.content",
            )?;
            let (mut rows, mut embedding) = (statement.query(params![model, root.number()])?, Vec::new());
            while let Some(row) = rows.next()? {
                embedding.clear();
                embedding.extend(values_in(row.get_ref(1)?.as_blob()?));
                visit(Path::new(OsStr::from_bytes(row.get_ref(0)?.as_blob()?)), &embedding);
            }
            Ok(())
        };
        run().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Stores the embedding of a content under a model.
    pub fn put_embedding(&self, hash: Hash, model: &str, embedding: &[f32]) -> Result<(), Trouble> {
        let bytes: Vec<u8> = embedding.iter().flat_map(|value| value.to_le_bytes()).collect();
        let content = self.content_or_new(hash)?;
        self.write(
            "INSERT OR REPLACE INTO codes (content, model, row) VALUES (?1, ?2, ?3)",
            params![content, model, bytes],
        )
    }

    fn blob(&self, statement: &str, hash: Hash, owner: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let find = || {
            self.connection.prepare_cached(statement)?.query_row(params![hash.0, owner], |row| row.get(0)).optional()
        };
        find().map_err(|error| self.trouble("read", &error))
    }
}

fn features_from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect()
}

/// The values of an embedding's bytes.
fn values_in(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::catalog::{FileRow, FileState};
    use crate::files::Stamp;

    #[test]
    fn features_come_back_by_content_and_version() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let (here, missing) = (Hash::of(b"here"), Hash::of(b"missing"));
        catalog.put_features(here, "backbone-1", &[0.5, 6.0, 0.0]).unwrap();
        assert_eq!(catalog.features(here, "backbone-1").unwrap().unwrap(), [0.5, 6.0, 0.0]);
        assert!(catalog.features(here, "backbone-2").unwrap().is_none());
        assert!(catalog.has_features(here, "backbone-1").unwrap());
        assert_eq!(catalog.contents_with_features("backbone-1").unwrap(), HashSet::from([here]));
        assert!(catalog.contents_with_features("backbone-2").unwrap().is_empty());
        let (found, rows) = catalog.many_features(&[missing, here], "backbone-1", 3).unwrap();
        assert_eq!((found, rows.values()), (vec![here], &[0.5, 6.0, 0.0][..]));
    }

    #[test]
    fn a_pass_over_all_features_visits_each_content_once() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let contents: Vec<Hash> = (0..7_u8).map(|number| Hash::of(&[number])).collect();
        for hash in &contents {
            catalog.put_features(*hash, "backbone-1", &[1.0, 2.0]).unwrap();
            catalog.put_features(*hash, "backbone-1/view", &[3.0, 4.0]).unwrap();
        }
        catalog.put_features(contents[3], "backbone-1", &[1.0]).unwrap();
        let (mut visited, mut pages, mut end) = (Vec::new(), 0, None);
        loop {
            let page = catalog.next_features(end, "backbone-1", 2, 3).unwrap();
            assert_eq!(page.features.values(), [1.0, 2.0].repeat(page.contents.len()));
            visited.extend(page.contents);
            end = page.end;
            if end.is_none() {
                break;
            }
            pages += 1;
        }
        visited.sort_unstable();
        let mut usable = contents;
        usable.remove(3);
        usable.sort_unstable();
        assert_eq!((visited, pages), (usable, 3), "the one of another width is left out");
    }

    #[test]
    fn embeddings_come_back_to_the_bit() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let hash = Hash::of(b"picture");
        catalog.put_embedding(hash, "m1", &[0.1, -2.5e-7]).unwrap();
        assert_eq!(catalog.embedding(hash, "m1").unwrap().unwrap(), [0.1, -2.5e-7]);
        assert!(catalog.embedding(hash, "m2").unwrap().is_none());
    }

    #[test]
    fn all_embeddings_of_a_root_are_visited_with_their_files() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let files = [("a", b"one"), ("b", b"two"), ("c", b"one"), ("d", b"six")];
        for (path, content) in files {
            let (path, hash) = (PathBuf::from(path), Hash::of(content));
            catalog
                .put_file(Root::Inventory, &FileRow { path, stamp: Stamp::NEVER, state: FileState::Read(hash) })
                .unwrap();
        }
        let unasked = FileRow { path: "t".into(), stamp: Stamp::NEVER, state: FileState::Read(Hash::of(b"one")) };
        catalog.put_file(Root::Training, &unasked).unwrap();
        catalog.put_embedding(Hash::of(b"two"), "m1", &[2.0]).unwrap();
        catalog.put_embedding(Hash::of(b"one"), "m1", &[1.0]).unwrap();
        catalog.put_embedding(Hash::of(b"six"), "m2", &[6.0]).unwrap();
        let mut visited = Vec::new();
        let visit = |path: &Path, row: &[f32]| visited.push((path.display().to_string(), row[0]));
        catalog.visit_embeddings(Root::Inventory, "m1", visit).unwrap();
        assert_eq!(visited, [("a".into(), 1.0), ("c".into(), 1.0), ("b".into(), 2.0)]);
    }
}
