//! The catalog's table of miniatures, the tiny greyscale copies by which near-duplicates are found. Those of another
//! [`Miniature::VERSION`] are ignored.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, params};

use super::Catalog;
use crate::error::Trouble;
use crate::picture::{Hash, Miniature};

impl Catalog {
    /// The stored miniature of a content.
    pub fn miniature(&self, hash: Hash) -> Result<Option<Miniature>, Trouble> {
        let find = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT pixels FROM miniatures WHERE kind = ?2 AND content = (SELECT id FROM contents WHERE hash = ?1)",
            )?;
            statement
                .query_row(params![hash.0, Miniature::VERSION], |row| {
                    Ok(Miniature::from_bytes(row.get_ref(0)?.as_blob()?))
                })
                .optional()
        };
        Ok(find().map_err(|error| self.trouble("read", &error))?.flatten())
    }

    /// The contents whose miniatures are stored, in one pass.
    pub fn contents_with_miniatures(&self) -> Result<HashSet<Hash>, Trouble> {
        let collect = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT hash FROM miniatures JOIN contents ON id = content WHERE kind = ?1")?;
            statement
                .query_map([Miniature::VERSION], |row| Ok(Hash(row.get(0)?)))?
                .collect::<rusqlite::Result<HashSet<_>>>()
        };
        collect().map_err(|error| self.trouble("read", &error))
    }

    /// All miniatures, in one pass: a kilobyte each.
    pub fn miniatures(&self) -> Result<HashMap<Hash, Miniature>, Trouble> {
        let collect = || {
            let mut statement = self
                .connection
                .prepare_cached("SELECT hash, pixels FROM miniatures JOIN contents ON id = content WHERE kind = ?1")?;
            let rows = statement.query_map([Miniature::VERSION], |row| {
                Ok((Hash(row.get(0)?), Miniature::from_bytes(row.get_ref(1)?.as_blob()?)))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = collect().map_err(|error| self.trouble("read", &error))?;
        Ok(rows.into_iter().filter_map(|(hash, miniature)| Some((hash, miniature?))).collect())
    }

    /// Stores the miniature of a content; it replaces one of another version.
    pub fn put_miniature(&self, hash: Hash, miniature: &Miniature) -> Result<(), Trouble> {
        let content = self.content_or_new(hash)?;
        self.write(
            "INSERT OR REPLACE INTO miniatures VALUES (?1, ?2, ?3)",
            params![content, Miniature::VERSION, miniature.bytes()],
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
        assert_eq!(catalog.miniatures().unwrap(), HashMap::from([(here, miniature)]));
    }

    #[test]
    fn a_miniature_of_another_kind_is_none_and_is_replaced() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let (hash, miniature) = (Hash::of(b"here"), Miniature::from_bytes(&[7; 1024]).unwrap());
        let content = catalog.content_or_new(hash).unwrap();
        catalog.write("INSERT INTO miniatures VALUES (?1, 'former', ?2)", params![content, [1_u8; 1024]]).unwrap();
        assert_eq!(catalog.miniature(hash).unwrap(), None);
        assert!(catalog.contents_with_miniatures().unwrap().is_empty() && catalog.miniatures().unwrap().is_empty());
        catalog.put_miniature(hash, &miniature).unwrap();
        assert_eq!(catalog.miniatures().unwrap(), HashMap::from([(hash, miniature)]));
    }
}
