//! The catalog, an SQLite file with everything the program knows: files, features, embeddings, models and answers.
//!
//! All of it can be rebuilt from the folders: losing the catalog costs time, nothing else.

mod answers;
mod features;
mod files;
mod inspect;
mod miniatures;
mod models;
mod schema;
mod stored_name;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::Trouble;

pub use answers::{AnswerRow, AnswerState};
pub use features::{FeaturesPage, PageEnd};
pub use files::{FileRow, FileState};
pub use inspect::CatalogState;
pub use models::{Decision, ModelRow};
pub use stored_name::{Choice, StoredName, TrainingSource};

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "catalog.sqlite";
/// How long one connection waits for another to finish writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Which watched folder a file belongs to. Their order is that in which their files are processed (`daemon::plan`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// `query/`
    Query,
    /// `db/img_inventory_raw/`
    Inventory,
    /// `db/img_train_raw/`
    Training,
}

impl Root {
    /// All three, the one with the highest priority first.
    pub const ALL: [Self; 3] = [Self::Query, Self::Inventory, Self::Training];

    fn number(self) -> i64 {
        match self {
            Self::Query => 0,
            Self::Inventory => 1,
            Self::Training => 2,
        }
    }

    /// The name for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Inventory => "inventory",
            Self::Training => "training",
        }
    }
}

/// An open catalog.
#[derive(Debug)]
pub struct Catalog {
    connection: Connection,
    path: PathBuf,
}

/// What [`Catalog::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use.
    pub catalog: Catalog,
    /// Set when a damaged or foreign file was moved out of the way and an empty catalog took its place.
    pub set_aside: Option<Trouble>,
}

impl Catalog {
    /// Opens the catalog of a state folder for reading and writing, making it where there is none.
    /// One that is damaged or of an unknown version is set aside under another name.
    pub fn open(state: &Path) -> Result<Opened, Trouble> {
        let path = state.join(FILE_NAME);
        match Self::open_checked(&path) {
            Ok(catalog) => Ok(Opened { catalog, set_aside: None }),
            Err(OpenError::Unreachable(trouble)) => Err(trouble),
            Err(OpenError::Unusable(reason)) => {
                let kept = set_aside(&path)?;
                let catalog = Self::open_checked(&path).map_err(|error| error.into_trouble(&path))?;
                let remedy =
                    format!("everything is rebuilt from the folders; the old file is kept as {}", kept.display());
                Ok(Opened { catalog, set_aside: Some(Trouble::new(format!("the catalog {reason}"), &path, remedy)) })
            }
        }
    }

    /// Opens the existing catalog of a state folder for reading only.
    pub fn open_reader(state: &Path) -> Result<Self, Trouble> {
        let path = state.join(FILE_NAME);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(|error| trouble(&path, "open", &error))?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| trouble(&path, "open", &error))?;
        if !schema::is_current_version(&connection).map_err(|error| trouble(&path, "open", &error))? {
            let remedy = "it is upgraded, or rebuilt, when artificio runs next";
            return Err(Trouble::new("the catalog is of another version", &path, remedy));
        }
        Ok(Self { connection, path })
    }

    fn open_checked(path: &Path) -> Result<Self, OpenError> {
        let judge = |error: rusqlite::Error| OpenError::judge(path, &error);
        let connection = Connection::open(path).map_err(judge)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(judge)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(judge)?;
        connection.pragma_update(None, "synchronous", "full").map_err(judge)?;
        let health: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(judge)?;
        if health != "ok" {
            return Err(OpenError::Unusable("is damaged".into()));
        }
        schema::prepare(&connection).map_err(judge)?.map_err(OpenError::Unusable)?;
        Ok(Self { connection, path: path.to_path_buf() })
    }

    /// Runs `work` as one transaction: all of it becomes durable, or nothing.
    pub fn together<T>(&mut self, work: impl FnOnce(&Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.run("BEGIN IMMEDIATE")?;
        match work(self) {
            Ok(value) => {
                self.run("COMMIT").inspect_err(|_| drop(self.run("ROLLBACK")))?;
                Ok(value)
            }
            Err(trouble) => {
                // A failed statement may have rolled back already; then this fails and nothing is lost.
                drop(self.run("ROLLBACK"));
                Err(trouble)
            }
        }
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
        trouble(&self.path, doing, error)
    }
}

fn trouble(path: &Path, doing: &str, error: &rusqlite::Error) -> Trouble {
    let remedy = match error.sqlite_error_code() {
        // When there is no room for its journal files, SQLite reports an I/O error.
        Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure) => {
            "free some space on that disk; the work is kept and continues by itself"
        }
        Some(
            rusqlite::ErrorCode::ReadOnly | rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::PermissionDenied,
        ) => "give the user who runs artificio write access to the state folder",
        _ => {
            "see whether the disk is healthy; the catalog can be deleted while artificio is stopped and is then rebuilt"
        }
    };
    Trouble::new(format!("could not {doing} the catalog: {error}"), path, remedy)
}

/// Why a catalog file cannot be used as it is.
enum OpenError {
    /// Its content is unusable: set it aside.
    Unusable(String),
    /// The disk or the permissions are at fault: setting it aside would not help.
    Unreachable(Trouble),
}

impl OpenError {
    fn judge(path: &Path, error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Self::Unusable("is damaged".into())
            }
            _ => Self::Unreachable(trouble(path, "open", error)),
        }
    }

    fn into_trouble(self, path: &Path) -> Trouble {
        match self {
            Self::Unreachable(trouble) => trouble,
            Self::Unusable(reason) => {
                Trouble::new(format!("the catalog {reason}"), path, "see whether the disk is healthy")
            }
        }
    }
}

/// Moves the catalog and its journal to the first free name, and returns that name.
fn set_aside(path: &Path) -> Result<PathBuf, Trouble> {
    let named = |number: u32, suffix: &str| path.with_file_name(format!("{FILE_NAME}{suffix}.damaged-{number}"));
    let number = (1..u32::MAX).find(|&number| !named(number, "").exists()).unwrap_or(u32::MAX);
    for suffix in ["-wal", "-shm"] {
        let companion = path.with_file_name(format!("{FILE_NAME}{suffix}"));
        if companion.exists() {
            crate::files::move_into_place(&companion, &named(number, suffix))?;
        }
    }
    crate::files::move_into_place(path, &named(number, ""))?;
    Ok(named(number, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_catalog_is_set_aside_and_an_empty_one_made() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join(FILE_NAME);
        std::fs::write(&path, b"this was a database once, and is long enough to have had a header").unwrap();
        let opened = Catalog::open(state.path()).unwrap();
        let trouble = opened.set_aside.expect("reported");
        assert!(trouble.what.contains("damaged") && trouble.remedy.contains("damaged-1"), "{trouble}");
        assert!(state.path().join("catalog.sqlite.damaged-1").exists());
        drop(opened.catalog);
        assert!(Catalog::open(state.path()).unwrap().set_aside.is_none());
    }

    #[test]
    fn an_unknown_version_is_set_aside_too() {
        let state = tempfile::tempdir().unwrap();
        let opened = Catalog::open(state.path()).unwrap();
        opened.catalog.connection.pragma_update(None, "user_version", 9_999).unwrap();
        drop(opened);
        let trouble = Catalog::open(state.path()).unwrap().set_aside.expect("reported");
        assert!(trouble.what.contains("version 9999"), "{trouble}");
    }

    /// Written by the program of 23 November 2026, on four pictures.
    const OF_VERSION_1: &[u8] = include_bytes!("testdata/version-1.sqlite");

    #[test]
    fn an_old_catalog_is_brought_up_in_place_and_nothing_is_lost() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join(FILE_NAME), OF_VERSION_1).unwrap();
        assert!(Catalog::open_reader(state.path()).unwrap_err().what.contains("another version"));
        for _ in 0..2 {
            let opened = Catalog::open(state.path()).unwrap();
            assert_eq!(opened.set_aside, None);
            let catalog = opened.catalog;
            let model = catalog.current_model().unwrap().expect("it served before");
            assert_eq!((model.trained_on, model.inventory_count, model.decision), (4, 0, Decision::Unchecked));
            let files = catalog.files(Root::Inventory).unwrap();
            assert_eq!(files.len(), 4);
            for file in files {
                let FileState::Read(hash) = file.state else { panic!("{file:?}") };
                assert!(catalog.features(hash, &model.features_version).unwrap().is_some());
                assert!(catalog.embedding(hash, &model.id).unwrap().is_some());
            }
            // Miniatures are made later: the pictures are read again for them.
            assert!(catalog.miniatures().unwrap().is_empty());
            catalog.put_model(&ModelRow { id: "m2".into(), ..model }).unwrap();
            catalog.forget_model("m2").unwrap();
        }
    }

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
    }
}
