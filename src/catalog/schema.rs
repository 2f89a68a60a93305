//! The catalog's tables and their version. An older version is upgraded; an unknown one is refused, never guessed, and so is a file
//! whose tables are not what its version says.

use rusqlite::Connection;

/// Raised with every change of the tables below. An older file is upgraded: see `former` and `upgrade`.
pub(super) const VERSION: i64 = 7;
/// "artf": marks this program's files among other SQLite files.
pub(super) const APPLICATION_ID: i64 = 0x6172_7466;

/// Three rows of features fit into a page of this size; into one of 4,096 bytes a single one, and a third of it stays empty.
const PAGE_BYTES: i64 = 8_192;
/// Rows of features, pixels and embeddings are in ordinary tables, where new ones are appended: in one WITHOUT ROWID
/// each would take a page of its own beside the table. A checksum is of the whole row, with the hash in place of the content's number.
const TABLES: [&str; 2] = [OTHERS, METADATA];
/// What version 7 has and version 6, the last before it, had not.
const METADATA: &str = "
CREATE TABLE metadata (         -- of the inventory's contents: what the file says of how it was taken (EXIF), and its size
    content INTEGER PRIMARY KEY,
    taken_s INTEGER,            -- by the camera's clock, seconds since 1970 on it; NULL, here and below, where it is not known
    camera TEXT, lens TEXT,
    width INTEGER, height INTEGER, -- in pixels, upright
    checksum INTEGER NOT NULL
);
";
const OTHERS: &str = "
CREATE TABLE contents (         -- whatever is known of a content is known by its number
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: what was deleted late cannot become another content's
    hash BLOB NOT NULL UNIQUE,  -- blake3
    gone_s INTEGER              -- since when no file is known to have it; seconds since 1970
);
CREATE TABLE files (            -- every file seen in a watched folder
    root INTEGER NOT NULL,
    path BLOB NOT NULL,         -- relative to the root, as the disk spells it
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    content INTEGER,            -- NULL when it could not be read
    problem TEXT, remedy TEXT,  -- NULL when the file is fine
    checksum INTEGER NOT NULL,
    PRIMARY KEY (root, path)
) WITHOUT ROWID;
CREATE INDEX files_by_content ON files (content);
CREATE TABLE features (         -- the output of the network for a content
    content INTEGER NOT NULL, trunk TEXT NOT NULL, row BLOB NOT NULL, -- in eight bits, see base::eight_bits; of older versions float16
    checksum INTEGER NOT NULL,
    UNIQUE (trunk, content)
);
CREATE TABLE miniatures (       -- of the inventory's contents, to recognise copies
    content INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- its version; one of another version is made again
    pixels BLOB NOT NULL,       -- 32×32 greyscale
    checksum INTEGER NOT NULL
);
CREATE INDEX miniatures_by_kind ON miniatures (kind); -- which contents have one, without reading them all
CREATE TABLE models (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, created_s INTEGER NOT NULL, encoder TEXT NOT NULL, trunk TEXT NOT NULL,
    trained_on INTEGER NOT NULL, source TEXT NOT NULL, reconstruction_error REAL NOT NULL,
    weights BLOB NOT NULL,      -- safetensors; empty where nothing was learned
    is_current INTEGER NOT NULL,
    beside INTEGER NOT NULL,    -- inventory pictures trained on as well
    decision TEXT NOT NULL,     -- of the gate: unchecked (made before there was one), passed, refused
    reason TEXT NOT NULL,       -- the same as a sentence
    figures TEXT NOT NULL,      -- what it is based on, JSON
    checksum INTEGER NOT NULL
);
CREATE TABLE trained_pictures ( -- the contents a model was trained on
    model TEXT NOT NULL, root INTEGER NOT NULL, hash BLOB NOT NULL,
    folders BLOB,               -- which folders it lay in; NULL where folders were not asked
    PRIMARY KEY (model, root, hash)
) WITHOUT ROWID;
CREATE TABLE codes (            -- the embedding of a content
    content INTEGER NOT NULL, model TEXT NOT NULL, row BLOB NOT NULL, -- float32, little-endian
    checksum INTEGER NOT NULL,
    UNIQUE (model, content)
);
CREATE TABLE answers (
    query BLOB PRIMARY KEY,     -- the query's path relative to the query folder
    name TEXT NOT NULL UNIQUE,  -- answer/result_<name>.png and .json
    content BLOB,               -- hash over all its pictures; NULL when none could be read
    status TEXT NOT NULL, is_provisional INTEGER NOT NULL, answered_s INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What a file is to this program.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Empty.
    New,
    /// Of this version.
    Current,
    /// Of this older one.
    Older(i64),
    /// None that it can use, for this reason.
    Unusable(String),
}

/// Reads what a file is, and whether its tables are what this program makes.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<Format> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (version, application) = (number("user_version")?, number("application_id")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match version {
        0 if tables == 0 => Format::New,
        _ if application != APPLICATION_ID => Format::Unusable("belongs to another program".into()),
        VERSION if is_as_made(connection)? => Format::Current,
        VERSION => Format::Unusable("is damaged: its tables are not what they should be".into()),
        1..VERSION => Format::Older(version),
        _ => Format::Unusable(format!("has version {version}; this program knows {VERSION}")),
    })
}

/// Makes a file of the version before this one into one of this; `false`, and nothing is changed, if its tables are not those of that
/// version. It takes no time, whatever the file's size.
pub(super) fn add_metadata(connection: &Connection) -> rusqlite::Result<bool> {
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {METADATA} PRAGMA user_version = {VERSION};"))?;
    let is_as_made = is_as_made(connection)?;
    connection.execute_batch(if is_as_made { "COMMIT" } else { "ROLLBACK" })?;
    Ok(is_as_made)
}

/// Whether a file is laid out as a new one. A million pictures make no difference to what this costs.
fn is_as_made(connection: &Connection) -> rusqlite::Result<bool> {
    let made = Connection::open_in_memory()?;
    create(&made, "memory")?;
    Ok(layout(connection)? == layout(&made)? && has_own_pages(connection)?)
}

/// What the header and the schema say: settings, and every table and index with its definition. Views are made again: see `views`.
fn layout(connection: &Connection) -> rusqlite::Result<Vec<[String; 4]>> {
    let mut layout = Vec::new();
    for name in ["page_size", "encoding", "auto_vacuum"] {
        // Numbers and names.
        let value = connection.pragma_query_value(None, name, |row| Ok(format!("{:?}", row.get_ref(0)?)))?;
        layout.push([name.to_string(), value, String::new(), String::new()]);
    }
    let mut schema = connection.prepare(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE type <> 'view' ORDER BY type, name",
    )?;
    let entries =
        schema.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, plain(&row.get::<_, String>(3)?)]))?;
    for entry in entries {
        layout.push(entry?);
    }
    Ok(layout)
}

/// A definition without comments and spaces, which may differ from version to version.
fn plain(definition: &str) -> String {
    let lines = definition.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    lines.flat_map(str::chars).filter(|letter| !letter.is_whitespace()).collect()
}

/// Whether every table and index begins on a page of its own inside the file.
fn has_own_pages(connection: &Connection) -> rusqlite::Result<bool> {
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    connection.query_row(
        "SELECT count(*) = count(DISTINCT rootpage) AND min(rootpage) > 1 AND max(rootpage) <= ?1 FROM sqlite_schema WHERE type <> 'view'",
        [pages],
        |row| row.get(0),
    )
}

/// Creates the tables in an empty file with a journal of this mode.
pub(super) fn create(connection: &Connection, journal: &str) -> rusqlite::Result<()> {
    // The size of the pages cannot be changed later, nor in the mode "wal".
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", journal)?;
    connection.execute_batch(&format!(
        "BEGIN; {} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;",
        TABLES.concat()
    ))
}

#[cfg(test)]
mod tests {
    use crate::catalog::{Catalog, FileRow, FileState, Root};
    use crate::files::Stamp;
    use crate::picture::{Hash, MINIATURE_SIDE, Miniature};

    #[test]
    fn a_catalog_takes_little_more_than_what_is_in_it() {
        let state = tempfile::tempdir().unwrap();
        let mut catalog = Catalog::open(state.path()).unwrap().catalog;
        let (mut payload, count) = (0, 3_000_u32);
        let (features, embedding) = (vec![0.5; 2_432], vec![0.5; 192]);
        let miniature = Miniature::from_bytes(&[7; MINIATURE_SIDE * MINIATURE_SIDE]).unwrap();
        for batch in 0..count / 100 {
            let store = |catalog: &Catalog| {
                for number in batch * 100..(batch + 1) * 100 {
                    let (hash, path) = (Hash::of(&number.to_le_bytes()), format!("holiday/{number:06}.jpg"));
                    payload += hash.0.len() + path.len() + 4 * size_of::<u64>();
                    let row = FileRow { path: path.into(), stamp: Stamp::NEVER, state: FileState::Read(hash) };
                    catalog.put_file(Root::Inventory, &row)?;
                    catalog.put_features(hash, "lite0-288-layers-1", &features)?;
                    catalog.put_miniature(hash, &miniature)?;
                    catalog.put_embedding(hash, "m12-20261126", &embedding)?;
                    payload += features.len() + miniature.bytes().len() + 4 * embedding.len();
                }
                Ok(())
            };
            catalog.together(store).unwrap();
        }
        let number =
            |name: &str| catalog.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        let ratio = (number("page_count") * number("page_size")) as f64 / payload as f64;
        println!("{ratio:.3} times the payload, {} bytes a picture", payload as f64 * ratio / f64::from(count));
        assert!((1.0..1.2).contains(&ratio), "{ratio:.3}");
    }
}
