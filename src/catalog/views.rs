//! Views for whoever reads the catalog with other programs: their columns stay, whatever becomes of the tables.
//!
//! They hold nothing, so they belong to no version: they are made at a start where they are not what they should be.

use rusqlite::Connection;

/// Each with its columns: see `docs/catalog.md`.
const VIEWS: [(&str, &str); 4] = [
    (
        "pictures",
        "SELECT CASE root WHEN 0 THEN 'query' WHEN 1 THEN 'inventory' ELSE 'training' END AS folder,
         CAST(path AS TEXT) AS path, size AS bytes, datetime(mtime_ns / 1000000000, 'unixepoch') AS modified,
         lower(hex(hash)) AS blake3, problem, remedy FROM files LEFT JOIN contents ON id = content",
    ),
    (
        "features_by_picture",
        "SELECT CAST(path AS TEXT) AS path, trunk AS version, row AS eight_bits
         FROM files JOIN features USING (content) WHERE root = 1",
    ),
    (
        "embeddings_by_picture",
        "SELECT CAST(path AS TEXT) AS path, model, row AS float32 FROM files JOIN codes USING (content) WHERE root = 1",
    ),
    (
        "answers_by_query",
        "SELECT CAST(query AS TEXT) AS query, name, status, datetime(answered_s, 'unixepoch') AS answered
         FROM answers WHERE answered_s > 0",
    ),
];

/// Makes the views that are missing or other than they should be.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    let mut present = connection.prepare("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?1")?;
    for (name, query) in VIEWS {
        let wanted = format!("CREATE VIEW {name} AS {query}");
        let is_there =
            present.query_map([name], |row| row.get::<_, String>(0))?.any(|sql| sql.is_ok_and(|sql| sql == wanted));
        if !is_there {
            connection.execute_batch(&format!("BEGIN; DROP VIEW IF EXISTS {name}; {wanted}; COMMIT;"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::OpenFlags;

    use super::*;
    use crate::catalog::{AnswerRow, AnswerState, Catalog, FILE_NAME, FileRow, FileState, Root};
    use crate::files::Stamp;
    use crate::picture::Hash;

    /// As another program reads it: for reading only, without this program's functions.
    fn read(state: &Path, query: &str) -> Vec<String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(state.join(FILE_NAME), flags).unwrap();
        let mut statement = connection.prepare(query).unwrap();
        let count = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let text = |at| row.get_ref(at).map(|value| format!("{value:?}"));
            (0..count).map(text).collect::<rusqlite::Result<Vec<String>>>().map(|columns| columns.join(" "))
        };
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    }

    fn text(text: &str) -> String {
        format!("{:?}", rusqlite::types::ValueRef::Text(text.as_bytes()))
    }

    #[test]
    fn other_programs_read_pictures_rows_and_answers_by_their_paths() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let hash = Hash::of(b"one");
        let stamp = Stamp { size: 7, mtime_ns: 1_700_000_000_000_000_000, ctime_ns: 1, inode: 1 };
        let read_row = FileRow { path: "a/é.jpg".into(), stamp, state: FileState::Read(hash) };
        let failed = FileState::Failed { problem: "cut off".into(), remedy: "copy it again".into() };
        catalog.put_file(Root::Inventory, &read_row).unwrap();
        catalog.put_file(Root::Training, &FileRow { path: "b.jpg".into(), stamp, state: failed }).unwrap();
        catalog.put_features(hash, "f1", &[1.0]).unwrap();
        catalog.put_embedding(hash, "m1", &[0.5]).unwrap();
        let answer =
            AnswerRow { state: AnswerState::Ok, answered_s: 1, ..AnswerRow::reserved(Path::new("q.jpg"), "q") };
        catalog.put_answer(&answer).unwrap();
        catalog.put_answer(&AnswerRow::reserved(Path::new("waits.jpg"), "waits")).unwrap();
        let seen = |query: &str| read(state.path(), query);
        let pictures = seen("SELECT folder, path, modified, problem FROM pictures ORDER BY folder");
        let modified = text("2023-11-14 22:13:20");
        assert_eq!(pictures[0], [text("inventory"), text("a/é.jpg"), modified, "Null".into()].join(" "));
        assert!(pictures[1].starts_with(&format!("{} {}", text("training"), text("b.jpg"))), "{pictures:?}");
        assert_eq!(seen("SELECT blake3 FROM pictures WHERE bytes = 7 AND problem IS NULL"), [text(&hash.to_hex())]);
        let blob = |bytes: &[u8]| format!("{:?}", rusqlite::types::ValueRef::Blob(bytes));
        let packed = [&[0x01, 0x7e][..], &crate::base::eight_bits::pack(&[1.0])].concat();
        assert_eq!(
            seen("SELECT version, eight_bits FROM features_by_picture"),
            [format!("{} {}", text("f1"), blob(&packed))]
        );
        let single = 0.5_f32.to_le_bytes();
        assert_eq!(
            seen("SELECT model, float32 FROM embeddings_by_picture WHERE path = 'a/é.jpg'"),
            [format!("{} {}", text("m1"), blob(&single))]
        );
        assert_eq!(
            seen("SELECT query, name, status FROM answers_by_query"),
            [["q.jpg", "q", "ok"].map(text).join(" ")]
        );
    }

    #[test]
    fn a_view_that_is_missing_or_another_one_is_made_and_the_catalog_is_the_same_one() {
        let state = tempfile::tempdir().unwrap();
        Catalog::open(state.path()).unwrap().catalog.checkpoint().unwrap();
        let change = |sql: &str| Connection::open(state.path().join(FILE_NAME)).unwrap().execute_batch(sql).unwrap();
        change(
            "DROP VIEW pictures; DROP VIEW answers_by_query; CREATE VIEW answers_by_query AS SELECT 1 AS one; CREATE VIEW own AS SELECT 2;",
        );
        let opened = Catalog::open(state.path()).unwrap();
        assert!(opened.set_aside.is_none() && opened.upgraded.is_none());
        assert_eq!(read(state.path(), "SELECT count(*) FROM pictures, answers_by_query"), ["Integer(0)"]);
        assert_eq!(read(state.path(), "SELECT * FROM own"), ["Integer(2)"], "somebody else's stays");
    }
}
