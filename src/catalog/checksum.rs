//! The checksum that a row carries over everything in it, as a function in SQL.
//!
//! A disk may give back something else than was written, and SQLite does not notice where that is inside a value. What is known of a
//! content is checked with the content's hash, not with its number: whatever leads to the wrong row (a number, a page of an
//! index), the row does not fit the hash and counts as missing. So nothing that is served can be another picture's.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// Makes `row_checksum(...)` known to a connection: 64 bits of the BLAKE3 hash of its arguments, which are the name of the table and
/// what the row consists of.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("row_checksum", -1, flags, |arguments| Ok(checksum(arguments)))
}

/// Whether the first column of a row says that the row is as it was written.
pub(super) fn is_intact(row: &Row<'_>) -> bool {
    matches!(row.get_ref(0), Ok(ValueRef::Integer(1)))
}

fn checksum(values: &Context<'_>) -> i64 {
    let mut hasher = blake3::Hasher::new();
    for at in 0..values.len() {
        // Each with its type and length, so that no two rows give the same bytes.
        match values.get_raw(at) {
            ValueRef::Null => hasher.update(&[0]),
            ValueRef::Integer(number) => hasher.update(&[1]).update(&number.to_le_bytes()),
            ValueRef::Real(number) => hasher.update(&[2]).update(&number.to_le_bytes()),
            ValueRef::Text(text) => hasher.update(&[3]).update(&length(text)).update(text),
            ValueRef::Blob(bytes) => hasher.update(&[4]).update(&length(bytes)).update(bytes),
        };
    }
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn length(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_anything_has_another_checksum() {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        let of = |values: &str| -> i64 {
            connection.query_row(&format!("SELECT row_checksum({values})"), [], |row| row.get(0)).unwrap()
        };
        let rows = ["'t'", "'t', NULL", "'t', 1", "'t', 1.0", "'t', '1'", "'t', x'31'", "'t', '', '1'", "'t', '1', ''"];
        let mut sums = rows.map(of).to_vec();
        assert_eq!(of("'t', 1"), sums[2], "the same each time");
        // Stored in catalogs: it never changes.
        assert_eq!(of("'features', x'0102', 'lite0', x'ff'"), 5_224_343_581_818_033_364);
        sums.sort_unstable();
        sums.dedup();
        assert_eq!(sums.len(), rows.len());
    }
}
