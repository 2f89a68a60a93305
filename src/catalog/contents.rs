//! The catalog's table of contents: the number of each, by which the other tables know it.

use rusqlite::{OptionalExtension, Row};

use super::Catalog;
use crate::error::Trouble;
use crate::picture::Hash;

impl Catalog {
    /// The number of a content, which is new if nothing was known of it.
    pub(super) fn content_or_new(&self, hash: Hash) -> Result<i64, Trouble> {
        let find = || {
            self.connection
                .prepare_cached("SELECT id FROM contents WHERE hash = ?1")?
                .query_row([hash.0], |row| row.get(0))
                .optional()
        };
        if let Some(content) = find().map_err(|error| self.trouble("read", &error))? {
            return Ok(content);
        }
        self.write("INSERT INTO contents (hash) VALUES (?1)", [hash.0])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// The first name after `name` in the column by which a table is ordered: one look-up, however large the table is. What is no
    /// text is nobody's name.
    pub(super) fn next_owner(&self, table: &str, column: &str, name: &str) -> Result<Option<String>, Trouble> {
        let statement = format!("SELECT {column} FROM {table} WHERE {column} > ?1 ORDER BY {column} LIMIT 1");
        let text = |row: &Row<'_>| Ok(row.get_ref(0)?.as_str().ok().map(ToString::to_string));
        let find = || self.connection.prepare_cached(&statement)?.query_row([name], text).optional();
        find().map(Option::flatten).map_err(|error| self.trouble("read", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_content_that_is_gone_is_never_given_again() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let number = |content: &[u8]| catalog.content_or_new(Hash::of(content)).unwrap();
        let numbers = [number(b"one"), number(b"two"), number(b"one")];
        assert!(numbers[0] == numbers[2] && numbers[0] != numbers[1], "{numbers:?}");
        catalog.write("DELETE FROM contents WHERE hash = ?1", [Hash::of(b"two").0]).unwrap();
        assert!(!numbers.contains(&number(b"three")));
    }
}
