//! The catalog, an SQLite file with everything the program knows: files, features, embeddings, models and answers.
//!
//! All of it can be rebuilt from the folders: losing the catalog costs time, nothing else.

mod answers;
mod contents;
mod features;
mod files;
mod inspect;
mod miniatures;
mod models;
mod orphans;
mod schema;
mod stored_name;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::Trouble;
use crate::progress::{Progress, Unfollowed};
use schema::Format;

pub use answers::{AnswerRow, AnswerState};
pub use features::{FeaturesPage, PageEnd};
pub use files::{FileRow, FileState};
pub use inspect::CatalogState;
pub use models::{Decision, ModelRow, TrainedPicture};
pub use orphans::{OrphanSweep, Retention};
pub use stored_name::{Choice, StoredName, TrainingSource};
pub use upgrade::Upgraded;

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "catalog.sqlite";
/// The journal is moved into the file when it has so many pages: 4 MB.
const JOURNAL_PAGES: i64 = 500;
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
    /// Shared with its readers.
    is_damaged: Arc<AtomicBool>,
}

/// What [`Catalog::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use.
    pub catalog: Catalog,
    /// Set when a damaged or foreign file was moved out of the way and an empty catalog took its place.
    pub set_aside: Option<Trouble>,
    /// Set when the file was of an older version.
    pub upgraded: Option<Upgraded>,
}

impl Catalog {
    fn new(connection: Connection, path: &Path) -> Self {
        Self { connection, path: path.to_path_buf(), is_damaged: Arc::default() }
    }

    /// Opens the catalog of a state folder for reading and writing, making it where there is none.
    /// One of an unknown version, or in which SQLite finds nothing to begin with, is set aside under another name. Damage deeper
    /// inside is found when it is read: see [`Catalog::is_damaged`] and [`Catalog::check`].
    pub fn open(state: &Path) -> Result<Opened, Trouble> {
        Self::open_followed(state, &Unfollowed)
    }

    /// The same; an upgrade, which may take a minute, is followed by `progress`.
    pub fn open_followed(state: &Path, progress: &dyn Progress) -> Result<Opened, Trouble> {
        let path = state.join(FILE_NAME);
        match Self::open_or_upgrade(&path, progress) {
            Ok((catalog, upgraded)) => Ok(Opened { catalog, set_aside: None, upgraded }),
            Err(OpenError::Unreachable(trouble)) => Err(trouble),
            Err(OpenError::Unusable(reason)) => Self::replace(state, &reason),
        }
    }

    /// Sets the catalog of a state folder aside, which no other thread of this process has open, and makes an empty one.
    pub fn replace(state: &Path, reason: &str) -> Result<Opened, Trouble> {
        let path = state.join(FILE_NAME);
        let kept = set_aside(&path)?;
        let (catalog, _) = Self::open_or_upgrade(&path, &Unfollowed).map_err(|error| error.into_trouble(&path))?;
        let remedy = format!("everything is rebuilt from the folders; the old file is kept as {}", kept.display());
        let set_aside = Some(Trouble::new(format!("the catalog {reason}"), &path, remedy));
        Ok(Opened { catalog, set_aside, upgraded: None })
    }

    /// Opens the existing catalog of a state folder for reading only.
    pub fn open_reader(state: &Path) -> Result<Self, Trouble> {
        let path = state.join(FILE_NAME);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(|error| trouble(&path, "open", &error))?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| trouble(&path, "open", &error))?;
        if schema::format_of(&connection).map_err(|error| trouble(&path, "open", &error))? != Format::Current {
            let remedy = "it is upgraded, or rebuilt, when artificio runs next";
            return Err(Trouble::new("the catalog is of another version", &path, remedy));
        }
        Ok(Self::new(connection, &path))
    }

    /// Opens it a second time, for reading only; what either finds damaged counts for both.
    pub fn reader(&self) -> Result<Self, Trouble> {
        let reader = Self::open_reader(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(Self { is_damaged: Arc::clone(&self.is_damaged), ..reader })
    }

    fn open_or_upgrade(path: &Path, progress: &dyn Progress) -> Result<(Self, Option<Upgraded>), OpenError> {
        let judge = |error: rusqlite::Error| OpenError::judge(path, &error);
        let mut connection = connect(path).map_err(judge)?;
        let mut upgraded = None;
        match schema::format_of(&connection).map_err(judge)? {
            Format::Unusable(reason) => return Err(OpenError::Unusable(reason)),
            Format::New => schema::create(&connection, "wal").map_err(judge)?,
            Format::Older(version) if version > schema::LAST_BEFORE_COPY => {
                schema::step_up(&connection, version).map_err(judge)?;
            }
            Format::Older(version) => {
                // Without a journal beside it: that would be taken for the new file's.
                connection.pragma_update(None, "journal_mode", "delete").map_err(judge)?;
                schema::step_up(&connection, version).map_err(judge)?;
                connection.close().map_err(|(_, error)| judge(error))?;
                upgraded = Some(upgrade::replace(path, schema::LAST_BEFORE_COPY, progress)?);
                connection = connect(path).map_err(judge)?;
            }
            Format::Current => {}
        }
        connection.pragma_update(None, "journal_mode", "wal").map_err(judge)?;
        connection.pragma_update(None, "synchronous", "full").map_err(judge)?;
        connection.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES).map_err(judge)?;
        Ok((Self::new(connection, path), upgraded))
    }

    /// Whether something was read that SQLite did not write: the file must be replaced.
    pub fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    fn mark_damaged(&self, is_damaged: bool) {
        self.is_damaged.fetch_or(is_damaged, Ordering::Relaxed);
    }

    /// Moves everything from the journal into the file, and empties the journal unless another connection reads it.
    pub fn checkpoint(&self) -> Result<(), Trouble> {
        // Without waiting for readers: what they keep in the journal is as durable there.
        let checkpoint = || {
            self.connection.busy_timeout(Duration::ZERO)?;
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.connection.busy_timeout(BUSY_TIMEOUT)
        };
        checkpoint().map_err(|error| self.trouble("write", &error))
    }

    /// Reads the whole file and sees whether its structure is sound; what is found is in [`Catalog::is_damaged`]. At a million
    /// pictures that is five gigabytes: nothing may wait for it.
    pub fn check(&self) -> Result<(), Trouble> {
        let check = || self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let health = check().map_err(|error| self.trouble("read", &error))?;
        self.mark_damaged(health != "ok");
        Ok(())
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

    /// The same without waiting for the disk, for what is made again if the power fails in the next moments; the end of
    /// the process loses none of it. The next transaction that waits, or the journal's move into the file, makes it durable.
    pub fn together_unflushed<T>(&mut self, work: impl FnOnce(&Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.run("PRAGMA synchronous = normal")?;
        let done = self.together(work);
        self.run("PRAGMA synchronous = full")?;
        done
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
        self.mark_damaged(is_damage(error));
        trouble(&self.path, doing, error)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Whether SQLite found a file that is none of its own, or not as it wrote it.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt))
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
        match is_damage(error) {
            true => Self::Unusable("is damaged".into()),
            false => Self::Unreachable(trouble(path, "open", error)),
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

    fn wal_bytes(state: &Path) -> u64 {
        std::fs::metadata(state.join("catalog.sqlite-wal")).unwrap().len()
    }

    #[test]
    fn damage_is_found_where_it_is_read_and_by_the_check_wherever_it_is() {
        let state = tempfile::tempdir().unwrap();
        let mut catalog = Catalog::open(state.path()).unwrap().catalog;
        let hash = |number: u32| crate::picture::Hash::of(&number.to_le_bytes());
        let store =
            |catalog: &Catalog| (0..300).try_for_each(|number| catalog.put_features(hash(number), "t", &[0.5; 1280]));
        catalog.together(store).unwrap();
        let reader = catalog.reader().unwrap();
        assert!(wal_bytes(state.path()) > 0);
        catalog.checkpoint().unwrap();
        assert_eq!(wal_bytes(state.path()), 0, "an orderly stop leaves nothing in the journal");
        reader.check().unwrap();
        assert!(!catalog.is_damaged() && !reader.is_damaged());
        drop((catalog, reader));
        // The last fifth of the file is rows of features: a start reads none of them.
        let path = state.path().join(FILE_NAME);
        let mut bytes = std::fs::read(&path).unwrap();
        let length = bytes.len();
        bytes[length * 4 / 5..].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();
        let opened = Catalog::open(state.path()).unwrap();
        assert!(opened.set_aside.is_none() && opened.catalog.contents_with_features("t").unwrap().len() == 300);
        assert!(!opened.catalog.is_damaged());
        drop(opened.catalog.reader().unwrap().check());
        assert!(opened.catalog.is_damaged());
        drop(opened);
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        assert!(catalog.features(hash(299), "t").is_err() && catalog.is_damaged());
        drop(catalog);
        let replaced = Catalog::replace(state.path(), "is damaged").unwrap();
        assert!(replaced.set_aside.unwrap().remedy.contains("damaged-1") && !replaced.catalog.is_damaged());
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
