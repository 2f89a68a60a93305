//! The catalog's tables of vectors: the features of each picture content by their version, and its embedding by model.

use std::collections::HashSet;

use half::f16;
use rusqlite::{Row, params};

use super::Catalog;
use super::check::rising;
use super::checksum::is_intact;
use super::health::{ContentTable, DamagedRow};
use crate::base::eight_bits;
use crate::base::rows::Rows;
use crate::error::Trouble;
use crate::picture::Hash;

/// What a row of features in eight bits begins with. Older programs kept rows in float16, in which this is no number.
const EIGHT_BITS: [u8; 2] = [0x01, 0x7e];

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
            let (mut rows, mut contents) = (statement.query([version])?, HashSet::new());
            while let Some(row) = rows.next()? {
                contents.extend(row.get(0).ok().map(Hash));
            }
            Ok(contents)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// The features of a content, `[width]`, as [`eight_bits`] keeps them.
    pub fn features(&self, hash: Hash, version: &str) -> Result<Option<Vec<f32>>, Trouble> {
        self.vector(
            ContentTable::Features,
            "SELECT checksum IS row_checksum('features', ?1, trunk, row), row, rowid FROM features
             WHERE trunk = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
            (hash, version),
            features_from_bytes,
        )
    }

    /// Stores the features of a content.
    pub fn put_features(&self, hash: Hash, version: &str, features: &[f32]) -> Result<(), Trouble> {
        let bytes = [&EIGHT_BITS[..], &eight_bits::pack(features)].concat();
        let content = self.content_or_new(hash)?;
        self.write(
            "INSERT OR REPLACE INTO features VALUES (?1, ?2, ?3, row_checksum('features', ?4, ?2, ?3))",
            params![content, version, bytes, hash.0],
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
                "SELECT checksum IS row_checksum('features', hash, trunk, row), row, features.rowid, hash, content
                 FROM features CROSS JOIN contents ON id = content
                 WHERE trunk = ?1 AND content > ?2 ORDER BY content LIMIT ?3",
            )?;
            let start = after.map_or(0, |PageEnd(content)| content);
            let mut rows = statement.query(params![version, start, count as i64])?;
            let mut page = FeaturesPage { contents: Vec::new(), features: Rows::empty(width), end: None };
            while let Some(row) = rows.next()? {
                page.end = Some(PageEnd(rising(page.end.map_or(start, |PageEnd(last)| last), row.get(4)?)?));
                let Ok(hash) = row.get(3).map(Hash) else { continue };
                let features = self.intact(ContentTable::Features, hash, row, features_from_bytes)?;
                if features.is_some_and(|features| page.features.push(&features)) {
                    page.contents.push(hash);
                }
            }
            Ok(page)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// The embedding of a content under a model.
    pub fn embedding(&self, hash: Hash, model: &str) -> Result<Option<Vec<f32>>, Trouble> {
        self.vector(
            ContentTable::Embeddings,
            "SELECT checksum IS row_checksum('codes', ?1, model, row), row, rowid FROM codes
             WHERE model = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
            (hash, model),
            values_in,
        )
    }

    /// Visits the embeddings under a model with the number and the hash of the content, in the order of the numbers, in which they are
    /// stored: the table is read once, in one direction, and none of it has to be held in memory.
    pub fn visit_embeddings(&self, model: &str, mut visit: impl FnMut(i64, Hash, &[f32])) -> Result<(), Trouble> {
        let mut run = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT checksum IS row_checksum('codes', hash, model, row), row, codes.rowid, hash, content
                 FROM codes CROSS JOIN contents ON id = content WHERE model = ?1 ORDER BY content",
            )?;
            let mut rows = statement.query([model])?;
            while let Some(row) = rows.next()? {
                let Ok(hash) = row.get(3).map(Hash) else { continue };
                if let Some(embedding) = self.intact(ContentTable::Embeddings, hash, row, values_in)? {
                    visit(row.get(4)?, hash, &embedding);
                }
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
            "INSERT OR REPLACE INTO codes VALUES (?1, ?2, ?3, row_checksum('codes', ?4, ?2, ?3))",
            params![content, model, bytes, hash.0],
        )
    }

    /// The values of the one row that a statement finds for a content and the name of what made it.
    fn vector(
        &self,
        table: ContentTable,
        statement: &str,
        (hash, owner): (Hash, &str),
        read: fn(&[u8]) -> Vec<f32>,
    ) -> Result<Option<Vec<f32>>, Trouble> {
        let find = || {
            let mut statement = self.connection.prepare_cached(statement)?;
            let mut rows = statement.query(params![hash.0, owner])?;
            rows.next()?.map_or(Ok(None), |row| self.intact(table, hash, row, read))
        };
        find().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// What a row of a content holds: whether it is intact, the value, and the row's number are the first columns. One that is damaged
    /// is remembered, and counts as missing.
    pub(super) fn intact<T>(
        &self,
        table: ContentTable,
        content: Hash,
        row: &Row<'_>,
        read: impl FnOnce(&[u8]) -> T,
    ) -> rusqlite::Result<Option<T>> {
        if is_intact(row) {
            return Ok(Some(read(row.get_ref(1)?.as_blob()?)));
        }
        self.health.add(DamagedRow::OfContent { table, rowid: row.get(2)?, content });
        Ok(None)
    }
}

fn features_from_bytes(bytes: &[u8]) -> Vec<f32> {
    if let Some(packed) = bytes.strip_prefix(&EIGHT_BITS) {
        return eight_bits::unpack(packed);
    }
    bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]]).to_f32()).collect()
}

/// The values of an embedding's bytes.
fn values_in(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_come_back_by_content_and_version() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let (here, missing) = (Hash::of(b"here"), Hash::of(b"missing"));
        let features = eight_bits::rounded(&[0.5, 6.0, 0.0]);
        catalog.put_features(here, "backbone-1", &features).unwrap();
        assert_eq!(catalog.features(here, "backbone-1").unwrap().unwrap(), features);
        assert!(catalog.features(here, "backbone-2").unwrap().is_none());
        assert!(catalog.has_features(here, "backbone-1").unwrap());
        assert_eq!(catalog.contents_with_features("backbone-1").unwrap(), HashSet::from([here]));
        assert!(catalog.contents_with_features("backbone-2").unwrap().is_empty());
        let (found, rows) = catalog.many_features(&[missing, here], "backbone-1", 3).unwrap();
        assert_eq!((found, rows.values()), (vec![here], &features[..]));
    }

    #[test]
    fn a_pass_over_all_features_visits_each_content_once() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let contents: Vec<Hash> = (0..7_u8).map(|number| Hash::of(&[number])).collect();
        let row = eight_bits::rounded(&[1.0, 2.0]);
        for hash in &contents {
            catalog.put_features(*hash, "backbone-1", &row).unwrap();
            catalog.put_features(*hash, "backbone-1/view", &[3.0, 4.0]).unwrap();
        }
        catalog.put_features(contents[3], "backbone-1", &[1.0]).unwrap();
        let (mut visited, mut pages, mut end) = (Vec::new(), 0, None);
        loop {
            let page = catalog.next_features(end, "backbone-1", 2, 3).unwrap();
            assert_eq!(page.features.values(), row.repeat(page.contents.len()));
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
    fn all_embeddings_of_a_model_are_visited_with_their_contents() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        catalog.put_embedding(Hash::of(b"two"), "m1", &[2.0]).unwrap();
        catalog.put_embedding(Hash::of(b"one"), "m1", &[1.0]).unwrap();
        catalog.put_embedding(Hash::of(b"six"), "m2", &[6.0]).unwrap();
        let mut visited = Vec::new();
        catalog.visit_embeddings("m1", |number, hash, row| visited.push((number, hash, row.to_vec()))).unwrap();
        assert_eq!(visited, [(1, Hash::of(b"two"), vec![2.0]), (2, Hash::of(b"one"), vec![1.0])]);
    }
}
