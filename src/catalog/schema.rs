//! The catalog's tables and their version. An older version is upgraded in place; an unknown one is refused, never guessed.

use rusqlite::Connection;

/// Raised with every change of the tables below, which then needs a step of [`UPGRADES`].
pub(super) const VERSION: i64 = UPGRADES.len() as i64 + 1;
/// The steps from version n to n + 1, the first from version 1.
const UPGRADES: [&str; 2] = [
    "
ALTER TABLE models ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN decision TEXT NOT NULL DEFAULT 'unchecked';
ALTER TABLE models ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE models ADD COLUMN figures TEXT NOT NULL DEFAULT 'null';
",
    "
CREATE TABLE miniatures (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, pixels BLOB NOT NULL) WITHOUT ROWID;
",
];
/// "artf": marks this program's files among other SQLite files.
pub(super) const APPLICATION_ID: i64 = 0x6172_7466;

const TABLES: &str = "
CREATE TABLE files (            -- every file seen in a watched folder
    root INTEGER NOT NULL,
    path BLOB NOT NULL,         -- relative to the root, as the disk spells it
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    hash BLOB,                  -- blake3 of the content; NULL when it could not be read
    problem TEXT, remedy TEXT,  -- NULL when the file is fine
    PRIMARY KEY (root, path)
) WITHOUT ROWID;
CREATE INDEX files_by_hash ON files (hash);
CREATE TABLE features (         -- the output of the network for a content
    hash BLOB NOT NULL, trunk TEXT NOT NULL, row BLOB NOT NULL, -- float16, little-endian
    PRIMARY KEY (hash, trunk)
) WITHOUT ROWID;
CREATE TABLE miniatures (       -- of the inventory's contents, to recognise copies
    hash BLOB PRIMARY KEY,
    kind TEXT NOT NULL,         -- its version; one of another version is made again
    pixels BLOB NOT NULL        -- 32×32 greyscale
) WITHOUT ROWID;
CREATE TABLE models (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, created_s INTEGER NOT NULL, encoder TEXT NOT NULL, trunk TEXT NOT NULL,
    trained_on INTEGER NOT NULL, source TEXT NOT NULL, reconstruction_error REAL NOT NULL,
    weights BLOB NOT NULL,      -- safetensors; empty where nothing was learned   
    is_current INTEGER NOT NULL,
    beside INTEGER NOT NULL DEFAULT 0,          -- inventory pictures trained on as well
    decision TEXT NOT NULL DEFAULT 'unchecked', -- of the gate: unchecked (made before there was one), passed, refused
    reason TEXT NOT NULL DEFAULT '',            -- the same as a sentence
    figures TEXT NOT NULL DEFAULT 'null'        -- what it is based on, JSON
);
CREATE TABLE trained_pictures ( -- the contents a model was trained on
    model TEXT NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (model, hash)
) WITHOUT ROWID;
CREATE TABLE codes (            -- the embedding of a content
    model TEXT NOT NULL, hash BLOB NOT NULL, row BLOB NOT NULL, -- float32, little-endian
    PRIMARY KEY (model, hash)
) WITHOUT ROWID;
CREATE TABLE answers (
    query BLOB PRIMARY KEY,     -- the query's path relative to the query folder
    name TEXT NOT NULL UNIQUE,  -- answer/result_<name>.png and .json
    content BLOB,               -- hash over all its pictures; NULL when none could be read
    status TEXT NOT NULL, is_provisional INTEGER NOT NULL, answered_s INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Whether a file has the current version.
pub fn is_current_version(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? == VERSION)
}

/// Creates the tables in a new file and upgrades an older one. The inner error says why the file is unusable.
pub fn prepare(connection: &Connection) -> rusqlite::Result<Result<(), String>> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (version, application) = (number("user_version")?, number("application_id")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && version == 0 {
        connection.execute_batch(&format!(
            "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
        return Ok(Ok(()));
    }
    if application != APPLICATION_ID {
        return Ok(Err("belongs to another program".into()));
    }
    if !(1..=VERSION).contains(&version) {
        return Ok(Err(format!("has version {version}; this program knows {VERSION}")));
    }
    for (step, number) in UPGRADES.iter().zip(2..).skip(version as usize - 1) {
        connection.execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {number}; COMMIT;"))?;
    }
    Ok(Ok(()))
}
