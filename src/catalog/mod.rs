//! The catalog, an SQLite file with everything the program knows: files, features, embeddings, models and answers.
//!
//! All of it can be rebuilt from the folders: losing the catalog costs time, nothing else.

mod answers;
mod check;
mod checksum;
mod contents;
mod features;
mod files;
mod former;
mod generation;
mod health;
mod inspect;
mod journal;
mod known_files;
mod metadata;
mod miniatures;
mod models;
mod opening;
mod orphans;
mod repair;
mod root;
mod schema;
mod stored_name;
mod upgrade;
mod views;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};

use crate::error::Trouble;
use health::Health;

pub use answers::{AnswerRow, AnswerState};
pub use features::{FeaturesPage, PageEnd};
pub use files::{FileRow, FileState};
pub use health::{ContentTable, DamagedRow};
pub use inspect::CatalogState;
pub use known_files::ContentFacts;
pub use models::{Decision, DroppedModels, ModelRow, TrainedPicture};
pub use opening::{CatalogReaders, FILE_NAME, Opened};
pub use orphans::{OrphanSweep, Retention};
pub use root::Root;
pub use stored_name::{Choice, StoredName, TrainingSource};
pub use upgrade::{FormerFile, Upgraded};

/// An open catalog.
#[derive(Debug)]
pub struct Catalog {
    connection: Connection,
    path: PathBuf,
    /// Shared with its readers.
    health: Arc<Health>,
}

impl Catalog {
    fn new(connection: Connection, path: &Path) -> Self {
        Self { connection, path: path.to_path_buf(), health: Arc::default() }
    }

    /// Runs `work` as one transaction: all of it becomes durable, or nothing.
    pub fn together<T>(&mut self, work: impl FnOnce(&Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.run("BEGIN IMMEDIATE")?;
        let done = work(self).and_then(|value| self.run("COMMIT").map(|()| value));
        // A failed statement may have rolled back already.
        if done.is_err() && !self.connection.is_autocommit() {
            drop(self.run("ROLLBACK"));
        }
        done
    }

    /// The same without waiting for the disk, for what is made again if the power fails in the next moments; the end of
    /// the process loses none of it. The next transaction that waits, or the journal's move into the file, makes it durable.
    pub fn together_unflushed<T>(&mut self, work: impl FnOnce(&Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.run("PRAGMA synchronous = normal")?;
        let done = self.together(work);
        self.run("PRAGMA synchronous = full")?;
        done
    }

    /// Writes something that changes nothing, and waits for the disk: whether it takes anything.
    pub fn try_writing(&mut self) -> Result<(), Trouble> {
        self.together(|catalog| catalog.run(&format!("PRAGMA user_version = {}", schema::VERSION)))
    }

    /// Whether the catalog's file is what is in trouble.
    pub fn is_about(&self, trouble: &Trouble) -> bool {
        trouble.path == self.path
    }

    /// Runs `read` on a snapshot of the catalog, whatever other connections write at the same time.
    pub fn at_one_moment<T>(&self, read: impl FnOnce(&Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        let begin = |statement| self.connection.execute_batch(statement).map_err(|error| self.trouble("read", &error));
        begin("BEGIN")?;
        let seen = read(self);
        begin("COMMIT").and(seen)
    }

    fn run(&self, statement: &str) -> Result<(), Trouble> {
        self.connection.execute_batch(statement).map_err(|error| self.trouble("write", &error))
    }

    fn trouble(&self, doing: &str, error: &rusqlite::Error) -> Trouble {
        self.health.mark_damaged(is_damage(error));
        trouble(&self.path, doing, error)
    }
}

/// Whether SQLite found a file that is none of its own or not as it wrote it, or a value of another kind than was written.
fn is_damage(error: &rusqlite::Error) -> bool {
    let is_of_another_kind = matches!(
        error,
        rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    );
    is_of_another_kind
        || matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn trouble(path: &Path, doing: &str, error: &rusqlite::Error) -> Trouble {
    let remedy = match error.sqlite_error_code() {
        // When there is no room for its journal files, SQLite reports an I/O error.
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => {
            "free some space on that disk; the work is kept and continues by itself"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            "give the user who runs artificio write access to the state folder"
        }
        _ => {
            "see whether the disk is healthy; the catalog can be deleted while artificio is stopped and is then rebuilt"
        }
    };
    Trouble::new(format!("could not {doing} the catalog: {error}"), path, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_is_all_or_nothing() {
        let state = tempfile::tempdir().unwrap();
        let mut catalog = Catalog::open(state.path()).unwrap().catalog;
        let answer = AnswerRow {
            query: "a.jpg".into(),
            name: "a".into(),
            content: None,
            state: AnswerState::Ok,
            is_provisional: false,
            answered_s: 1,
        };
        let failed: Result<(), _> = catalog.together(|catalog| {
            catalog.put_answer(&answer)?;
            Err(Trouble::new("made to fail", "a.jpg", ""))
        });
        assert!(failed.is_err());
        assert!(catalog.answers().unwrap().is_empty());
        catalog.together(|catalog| catalog.put_answer(&answer)).unwrap();
        assert_eq!(catalog.answer(&answer.query).unwrap().as_ref(), Some(&answer));
        assert_eq!(catalog.answer(Path::new("b.jpg")).unwrap(), None);
        assert_eq!(catalog.answers().unwrap(), [answer]);
        let waits = |catalog: &Catalog| {
            catalog.connection.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap() == 2
        };
        let failed = catalog.together_unflushed(|catalog| match waits(catalog) {
            true => panic!("it waits for the disk"),
            false => Err::<(), _>(Trouble::new("made to fail", "a.jpg", "")),
        });
        assert!(failed.is_err() && waits(&catalog), "what follows waits again");
    }
}
