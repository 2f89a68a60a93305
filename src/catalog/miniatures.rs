//! The catalog's table of miniatures, the tiny greyscale copies by which near-duplicates are found. Those of another
//! [`Miniature::VERSION`] are ignored.

use std::collections::HashSet;

use rusqlite::params;

use super::Catalog;
use super::health::ContentTable;
use crate::error::Trouble;
use crate::picture::{Hash, Miniature};

impl Catalog {
    /// The stored miniature of a content.
    pub fn miniature(&self, hash: Hash) -> Result<Option<Miniature>, Trouble> {
        let find = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT checksum IS row_checksum('miniatures', ?1, kind, pixels), pixels, content FROM miniatures
                 WHERE kind = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
            )?;
            let mut rows = statement.query(params![hash.0, Miniature::VERSION])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            self.intact(ContentTable::Miniatures, hash, row, Miniature::from_bytes)
        };
        Ok(find().map_err(|error: rusqlite::Error| self.trouble("read", &error))?.flatten())
    }

    /// The contents whose miniatures are stored, in one pass.
    pub fn contents_with_miniatures(&self) -> Result<HashSet<Hash>, Trouble> {
        let collect = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT hash FROM miniatures JOIN contents ON id = content WHERE kind = ?1")?;
            let (mut rows, mut contents) = (statement.query([Miniature::VERSION])?, HashSet::new());
            while let Some(row) = rows.next()? {
                contents.extend(row.get(0).ok().map(Hash));
            }
            Ok(contents)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Stores the miniature of a content; it replaces one of another version.
    pub fn put_miniature(&self, hash: Hash, miniature: &Miniature) -> Result<(), Trouble> {
        let content = self.content_or_new(hash)?;
        self.write(
            "INSERT OR REPLACE INTO miniatures VALUES (?1, ?2, ?3, row_checksum('miniatures', ?4, ?2, ?3))",
            params![content, Miniature::VERSION, miniature.bytes(), hash.0],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn miniatures_come_back_by_content() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let (here, missing) = (Hash::of(b"here"), Hash::of(b"missing"));
        let miniature = Miniature::from_bytes(&[7; 1024]).unwrap();
        catalog.put_miniature(here, &miniature).unwrap();
        assert_eq!(catalog.miniature(here).unwrap(), Some(miniature.clone()));
        assert_eq!(catalog.miniature(missing).unwrap(), None);
        assert_eq!(catalog.contents_with_miniatures().unwrap(), HashSet::from([here]));
    }

    #[test]
    fn a_miniature_of_another_kind_is_none_and_is_replaced() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let (hash, miniature) = (Hash::of(b"here"), Miniature::from_bytes(&[7; 1024]).unwrap());
        let content = catalog.content_or_new(hash).unwrap();
        let former = "INSERT INTO miniatures VALUES (?1, 'former', ?2, row_checksum('miniatures', ?3, 'former', ?2))";
        catalog.write(former, params![content, [1_u8; 1024], hash.0]).unwrap();
        assert_eq!(catalog.miniature(hash).unwrap(), None);
        assert!(catalog.contents_with_miniatures().unwrap().is_empty());
        catalog.put_miniature(hash, &miniature).unwrap();
        assert_eq!(catalog.miniature(hash).unwrap(), Some(miniature));
        assert_eq!(catalog.contents_with_miniatures().unwrap(), HashSet::from([hash]));
    }
}
