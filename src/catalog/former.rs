//! The versions before the last, and how a catalog of theirs becomes one of this version.
//!
//! Small changes were made in place. Twice everything was written again, into a new file: version 4 has larger pages, and version 6 a
//! checksum in each row. Version 7 has another table: one of version 6 gets it in place (`schema::add_metadata`).

use rusqlite::Connection;

/// A version that is copied.
pub(super) struct Former {
    pub version: i64,
    /// The steps in place to this version, from so many versions before it.
    steps: &'static [&'static str],
    /// Its tables with their columns.
    tables: &'static str,
    /// Copies what is small, and what the other tables refer to.
    pub at_first: &'static str,
    /// Then what there is much of, for rows of some numbers.
    pub much: &'static [Much],
}

/// How one table is copied.
pub(super) struct Much {
    /// The last of the next so many rows (?2) after one (?1); NULL when there are none.
    pub next: &'static str,
    /// Copies the rows after one (?1) up to another (?2).
    pub copy: &'static str,
}

/// The version that a file of this older version becomes first, in place.
pub(super) fn of(version: i64) -> &'static Former {
    if version <= VERSION_3.version { &VERSION_3 } else { &VERSION_5 }
}

impl Former {
    /// Upgrades a file of this `version` in place, which may be an earlier one; `false` if its tables are not what they should be then.
    pub fn step_up(&self, connection: &Connection, version: i64) -> rusqlite::Result<bool> {
        let first = self.version - self.steps.len() as i64;
        for (step, number) in self.steps.iter().zip(first + 1..).filter(|(_, number)| *number > version) {
            connection.execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {number}; COMMIT;"))?;
        }
        let tables: String = connection.query_row(TABLES, [], |row| row.get(0))?;
        Ok(tables == self.tables)
    }
}

/// Every table with its columns, in order.
const TABLES: &str = "
SELECT group_concat(line, ' ') FROM (
    SELECT name || '(' || (SELECT group_concat(name, ' ') FROM (SELECT name FROM pragma_table_info(tables.name) ORDER BY name)) || ')' AS line
    FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name) AS tables
)";

const VERSION_3: Former = Former {
    version: 3,
    steps: &[
        "
ALTER TABLE models ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN decision TEXT NOT NULL DEFAULT 'unchecked';
ALTER TABLE models ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE models ADD COLUMN figures TEXT NOT NULL DEFAULT 'null';
",
        "
CREATE TABLE miniatures (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, pixels BLOB NOT NULL) WITHOUT ROWID;
",
    ],
    tables: "answers(answered_s content is_provisional name query status) codes(hash model row) features(hash row trunk) \
             files(ctime_ns hash inode mtime_ns path problem remedy root size) miniatures(hash kind pixels) \
             models(beside created_s decision encoder figures id is_current number reason reconstruction_error source trained_on trunk weights) \
             sqlite_sequence(name seq) trained_pictures(hash model)",
    // The contents are numbered in the order of their hashes, in which the former tables have them.
    at_first: "
INSERT INTO contents (hash) SELECT DISTINCT hash FROM old.files WHERE typeof(hash) = 'blob' AND length(hash) = 32 ORDER BY hash;
INSERT OR IGNORE INTO files SELECT root, path, size, mtime_ns, ctime_ns, inode, c.id, problem, remedy,
    row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, c.hash, problem, remedy)
    FROM old.files AS f LEFT JOIN contents AS c ON c.hash = f.hash
    WHERE typeof(path) = 'blob' AND (f.hash IS NULL) = (c.id IS NULL) AND typeof(problem) IN ('text', 'null') ORDER BY root, path;
INSERT OR IGNORE INTO models SELECT number, id, created_s, encoder, trunk, trained_on, source, reconstruction_error, weights, is_current,
    beside, decision, reason, figures, row_checksum('models', number, id, created_s, encoder, trunk, trained_on, source,
    reconstruction_error, weights, is_current, beside, decision, reason, figures) FROM old.models;
DELETE FROM sqlite_sequence WHERE name = 'models';
INSERT INTO sqlite_sequence SELECT name, seq FROM old.sqlite_sequence WHERE name = 'models';
INSERT OR IGNORE INTO trained_pictures SELECT model, iif(source = 'training', 2, 1), hash, NULL
    FROM old.trained_pictures JOIN old.models ON id = model ORDER BY model, hash;
INSERT OR IGNORE INTO answers SELECT query, name, content, status, is_provisional, answered_s,
    row_checksum('answers', query, name, content, status, is_provisional, answered_s) FROM old.answers;
",
    much: &[
        Much {
            next: NEXT_CONTENT,
            copy: "
INSERT OR IGNORE INTO features SELECT c.id, k.trunk, k.row, row_checksum('features', c.hash, k.trunk, k.row)
FROM contents AS c CROSS JOIN old.features AS k ON k.hash = c.hash WHERE c.id > ?1 AND c.id <= ?2",
        },
        Much {
            next: NEXT_CONTENT,
            copy: "
INSERT OR IGNORE INTO miniatures SELECT c.id, k.kind, k.pixels, row_checksum('miniatures', c.hash, k.kind, k.pixels)
FROM contents AS c CROSS JOIN old.miniatures AS k ON k.hash = c.hash WHERE c.id > ?1 AND c.id <= ?2",
        },
        Much {
            next: NEXT_CONTENT,
            copy: "
INSERT OR IGNORE INTO codes SELECT c.id, k.model, k.row, row_checksum('codes', c.hash, k.model, k.row)
FROM models AS m CROSS JOIN contents AS c CROSS JOIN old.codes AS k ON k.model = m.id AND k.hash = c.hash
WHERE c.id > ?1 AND c.id <= ?2",
        },
    ],
};

const NEXT_CONTENT: &str = "SELECT max(id) FROM (SELECT id FROM contents WHERE id > ?1 ORDER BY id LIMIT ?2)";

const VERSION_5: Former = Former {
    version: 5,
    steps: &["
ALTER TABLE trained_pictures RENAME TO former;
CREATE TABLE trained_pictures (
    model TEXT NOT NULL, root INTEGER NOT NULL, hash BLOB NOT NULL, folders BLOB,
    PRIMARY KEY (model, root, hash)
) WITHOUT ROWID;
INSERT INTO trained_pictures SELECT model, iif(source = 'training', 2, 1), hash, NULL FROM former JOIN models ON id = model;
DROP TABLE former;
"],
    tables: "answers(answered_s content is_provisional name query status) codes(content model row) contents(gone_s hash id) \
             features(content row trunk) files(content ctime_ns inode mtime_ns path problem remedy root size) \
             miniatures(content kind pixels) \
             models(beside created_s decision encoder figures id is_current number reason reconstruction_error source trained_on trunk weights) \
             sqlite_sequence(name seq) trained_pictures(folders hash model root)",
    at_first: "
INSERT OR IGNORE INTO contents SELECT id, hash, gone_s FROM old.contents WHERE typeof(hash) = 'blob' AND length(hash) = 32 ORDER BY id;
INSERT OR IGNORE INTO files SELECT root, path, size, mtime_ns, ctime_ns, inode, c.id, problem, remedy,
    row_checksum('files', root, path, size, mtime_ns, ctime_ns, inode, c.hash, problem, remedy)
    FROM old.files AS f LEFT JOIN contents AS c ON c.id = f.content
    WHERE typeof(path) = 'blob' AND (f.content IS NULL) = (c.id IS NULL) AND typeof(problem) IN ('text', 'null') ORDER BY root, path;
INSERT OR IGNORE INTO models SELECT number, id, created_s, encoder, trunk, trained_on, source, reconstruction_error, weights, is_current,
    beside, decision, reason, figures, row_checksum('models', number, id, created_s, encoder, trunk, trained_on, source,
    reconstruction_error, weights, is_current, beside, decision, reason, figures) FROM old.models;
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence SELECT name, seq FROM old.sqlite_sequence;
INSERT OR IGNORE INTO trained_pictures SELECT model, root, hash, folders FROM old.trained_pictures ORDER BY model, root, hash;
INSERT OR IGNORE INTO answers SELECT query, name, content, status, is_provisional, answered_s,
    row_checksum('answers', query, name, content, status, is_provisional, answered_s) FROM old.answers;
",
    much: &[
        Much {
            next: "SELECT max(rowid) FROM (SELECT rowid FROM old.features WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)",
            copy: "
INSERT OR IGNORE INTO features SELECT k.content, k.trunk, k.row, row_checksum('features', c.hash, k.trunk, k.row)
FROM old.features AS k CROSS JOIN contents AS c ON c.id = k.content WHERE k.rowid > ?1 AND k.rowid <= ?2",
        },
        Much {
            next: "SELECT max(content) FROM (SELECT content FROM old.miniatures WHERE content > ?1 ORDER BY content LIMIT ?2)",
            copy: "
INSERT OR IGNORE INTO miniatures SELECT k.content, k.kind, k.pixels, row_checksum('miniatures', c.hash, k.kind, k.pixels)
FROM old.miniatures AS k CROSS JOIN contents AS c ON c.id = k.content WHERE k.content > ?1 AND k.content <= ?2",
        },
        Much {
            next: "SELECT max(rowid) FROM (SELECT rowid FROM old.codes WHERE rowid > ?1 ORDER BY rowid LIMIT ?2)",
            copy: "
INSERT OR IGNORE INTO codes SELECT k.content, k.model, k.row, row_checksum('codes', c.hash, k.model, k.row)
FROM old.codes AS k CROSS JOIN models AS m ON m.id = k.model CROSS JOIN contents AS c ON c.id = k.content
WHERE k.rowid > ?1 AND k.rowid <= ?2",
        },
    ],
};
