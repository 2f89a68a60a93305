//! Opens the catalog's file: it is made, upgraded, or set aside where it is none that can be used.

use std::fs::{self, FileType};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::health::Health;
use super::schema::{self, Format, VERSION};
use super::upgrade::{self, FormerFile, Upgraded};
use super::{Catalog, checksum, former, journal, trouble, views};
use crate::error::Trouble;
use crate::files;
use crate::progress::{Progress, Unfollowed};

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "catalog.sqlite";
/// What SQLite keeps beside it: its journal, that journal's index, and the journal of a file that is being upgraded.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The journal is moved into the file when it has so many pages: 4 MB.
const JOURNAL_PAGES: i64 = 500;
/// How long one connection waits for another to finish writing.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What [`Catalog::open`] found.
#[derive(Debug)]
pub struct Opened {
    /// Ready for use.
    pub catalog: Catalog,
    /// Set when a damaged or foreign file was moved out of the way and an empty catalog took its place.
    pub set_aside: Option<Trouble>,
    /// Set when something of the file's journal is lost.
    pub journal: Option<Trouble>,
    /// Set when the file was of an older version.
    pub upgraded: Option<Upgraded>,
}

impl Catalog {
    /// Opens the catalog of a state folder for reading and writing, making it where there is none.
    /// What is no file, or has not what this program or an older one makes, is set aside under another name. Damage deeper
    /// inside is found when it is read: see [`Catalog::is_damaged`], [`Catalog::take_damaged_rows`] and [`Catalog::check`].
    pub fn open(state: &Path) -> Result<Opened, Trouble> {
        Self::open_followed(state, &Unfollowed)
    }

    /// The same; an upgrade, which may take minutes, is followed by `progress`.
    pub fn open_followed(state: &Path, progress: &dyn Progress) -> Result<Opened, Trouble> {
        let path = state.join(FILE_NAME);
        if let Some(other) = not_a_file(&path) {
            return Self::replace(state, &format!("is {other} instead of a file"));
        }
        let journal = examine_companions(&path)?;
        match Self::open_or_upgrade(&path, progress) {
            Ok((catalog, upgraded)) => Ok(Opened { catalog, set_aside: None, journal, upgraded }),
            Err(OpenError::Unreachable(trouble)) => Err(trouble),
            Err(OpenError::Unusable(reason)) => Self::replace(state, &reason),
        }
    }

    /// Sets the catalog of a state folder aside, which no other thread of this process has open, and makes an empty one.
    pub fn replace(state: &Path, reason: &str) -> Result<Opened, Trouble> {
        let path = state.join(FILE_NAME);
        let kept = set_aside(&path, &["", "-wal", "-shm", "-journal"])?;
        let (catalog, _) = Self::open_or_upgrade(&path, &Unfollowed).map_err(|error| error.into_trouble(&path))?;
        let remedy = format!("everything is rebuilt from the folders; the old file is kept as {}", kept.display());
        let set_aside = Some(Trouble::new(format!("the catalog {reason}"), &path, remedy));
        Ok(Opened { catalog, set_aside, journal: None, upgraded: None })
    }

    /// Opens the existing catalog of a state folder for reading only.
    pub fn open_reader(state: &Path) -> Result<Self, Trouble> {
        let path = state.join(FILE_NAME);
        let refusal = |what: String| Trouble::new(what, &path, "it is upgraded, or rebuilt, when artificio runs next");
        if let Some(other) = none_can_be_opened(&path) {
            return Err(refusal(other));
        }
        let failed = |error: rusqlite::Error| trouble(&path, "open", &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        match schema::format_of(&connection).map_err(failed)? {
            Format::Current => Ok(Self::new(connection, &path)),
            Format::Unusable(reason) => Err(refusal(format!("the catalog {reason}"))),
            Format::New | Format::Older(_) => Err(refusal("the catalog is of another version".into())),
        }
    }

    /// Opens it a second time, for reading only; what either finds damaged counts for both.
    pub fn reader(&self) -> Result<Self, Trouble> {
        self.readers().open()
    }

    /// Opens it for reading from other threads.
    pub fn readers(&self) -> CatalogReaders {
        let state = self.path.parent().unwrap_or(Path::new(".")).to_path_buf();
        CatalogReaders { state, health: Arc::clone(&self.health) }
    }

    fn open_or_upgrade(path: &Path, progress: &dyn Progress) -> Result<(Self, Option<Upgraded>), OpenError> {
        let judge = |error: rusqlite::Error| OpenError::judge(path, &error);
        let mut connection = connect(path).map_err(judge)?;
        let mut upgraded = None;
        match schema::format_of(&connection).map_err(judge)? {
            Format::Unusable(reason) => return Err(OpenError::Unusable(reason)),
            Format::New => schema::create(&connection, "wal").map_err(judge)?,
            Format::Older(version) if version == VERSION - 1 => {
                if !schema::add_metadata(&connection).map_err(judge)? {
                    return Err(not_of_version(version));
                }
                upgraded = Some(Upgraded { from: version, former: FormerFile::Extended });
            }
            Format::Older(version) => {
                // Without a journal beside it: that would be taken for the new file's.
                connection.pragma_update(None, "journal_mode", "delete").map_err(judge)?;
                let former = former::of(version);
                if !former.step_up(&connection, version).map_err(judge)? {
                    return Err(not_of_version(version));
                }
                connection.close().map_err(|(_, error)| judge(error))?;
                upgraded = Some(upgrade::replace(path, former, progress)?);
                connection = connect(path).map_err(judge)?;
            }
            Format::Current => {}
        }
        connection.pragma_update(None, "journal_mode", "wal").map_err(judge)?;
        connection.pragma_update(None, "synchronous", "full").map_err(judge)?;
        connection.pragma_update(None, "wal_autocheckpoint", JOURNAL_PAGES).map_err(judge)?;
        views::make(&connection).map_err(judge)?;
        Ok((Self::new(connection, path), upgraded))
    }
}

/// Opens one catalog for reading, again and again.
#[derive(Debug, Clone)]
pub struct CatalogReaders {
    state: PathBuf,
    health: Arc<Health>,
}

impl CatalogReaders {
    /// A connection of its own; what it finds damaged counts for all.
    pub fn open(&self) -> Result<Catalog, Trouble> {
        Ok(Catalog { health: Arc::clone(&self.health), ..Catalog::open_reader(&self.state)? })
    }
}

fn not_of_version(version: i64) -> OpenError {
    OpenError::Unusable(format!("is damaged: its tables are not those of version {version}"))
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    prepare(&connection)?;
    Ok(connection)
}

/// What every connection needs.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // The service may write in no folder for temporary files.
    connection.pragma_update(None, "temp_store", "memory")?;
    checksum::register(connection)
}

/// Why a catalog file cannot be used as it is.
pub(super) enum OpenError {
    /// Its content is unusable: set it aside.
    Unusable(String),
    /// The disk or the permissions are at fault: setting it aside would not help.
    Unreachable(Trouble),
}

impl OpenError {
    /// What is not the system's fault is the file's: SQLite finds many kinds of damage, each with an error of its own.
    pub(super) fn judge(path: &Path, error: &rusqlite::Error) -> Self {
        match is_of_system(error) {
            true => Self::Unreachable(trouble(path, "open", error)),
            false => Self::Unusable("is damaged".into()),
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

/// Whether the disk, the memory, or what other programs do is at fault.
pub(super) fn is_of_system(error: &rusqlite::Error) -> bool {
    let of_system = [
        ErrorCode::PermissionDenied,
        ErrorCode::OperationAborted,
        ErrorCode::DatabaseBusy,
        ErrorCode::DatabaseLocked,
        ErrorCode::OutOfMemory,
        ErrorCode::ReadOnly,
        ErrorCode::OperationInterrupted,
        ErrorCode::SystemIoFailure,
        ErrorCode::DiskFull,
        ErrorCode::CannotOpen,
        ErrorCode::FileLockingProtocolFailed,
        ErrorCode::NoLargeFileSupport,
        ErrorCode::ApiMisuse,
    ];
    let is_no_path = matches!(error, rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_));
    is_no_path || error.sqlite_error_code().is_some_and(|code| of_system.contains(&code))
}

/// What lies in a file's place, if that is none: opening it might wait for ever, or lead elsewhere.
pub(super) fn not_a_file(path: &Path) -> Option<&'static str> {
    let kind = |kind: FileType| match kind {
        kind if kind.is_file() => None,
        kind if kind.is_symlink() => Some("a link"),
        kind if kind.is_dir() => Some("a folder"),
        kind if kind.is_fifo() => Some("a FIFO"),
        kind if kind.is_socket() => Some("a socket"),
        _ => Some("a device"),
    };
    fs::symlink_metadata(path).ok().and_then(|found| kind(found.file_type()))
}

/// Why a catalog cannot be opened for reading, if it or what belongs to it is no file.
fn none_can_be_opened(path: &Path) -> Option<String> {
    let other = [""].iter().chain(&COMPANIONS).find_map(|suffix| not_a_file(&named(path, suffix)));
    other.map(|other| format!("{other} lies in the catalog's place"))
}

/// Moves away what lies in the place of the journal and its index and is no file; says what is lost of the journal.
fn examine_companions(path: &Path) -> Result<Option<Trouble>, Trouble> {
    let others: Vec<&str> =
        COMPANIONS.into_iter().filter(|suffix| not_a_file(&named(path, suffix)).is_some()).collect();
    let journal = named(path, "-wal");
    let lost = "what was written last is lost, and is made again; see whether the disk is healthy";
    if !others.is_empty() {
        let kept = set_aside(path, &others)?;
        let remedy = format!("it is kept beside {}; {lost}", kept.display());
        return Ok(Some(Trouble::new("the catalog's journal is no file", journal, remedy)));
    }
    match journal::is_damaged(&journal) {
        Ok(is_damaged) => Ok(is_damaged.then(|| Trouble::new("the catalog's journal is damaged", journal, lost))),
        Err(error) => Err(Trouble::system("read the catalog's journal", &journal, &error)),
    }
}

/// The path with an ending.
pub(super) fn named(path: &Path, suffix: &str) -> PathBuf {
    path.with_file_name(format!("{FILE_NAME}{suffix}"))
}

/// Moves the catalog, or what belongs to it, to the first free name; returns the catalog's name of that number.
fn set_aside(path: &Path, suffixes: &[&str]) -> Result<PathBuf, Trouble> {
    let aside = |number: u32, suffix: &str| named(path, &format!("{suffix}.damaged-{number}"));
    let exists = |path: &Path| fs::symlink_metadata(path).is_ok();
    let is_free = |number: &u32| [""].iter().chain(&COMPANIONS).all(|suffix| !exists(&aside(*number, suffix)));
    let number = (1..u32::MAX).find(is_free).unwrap_or(u32::MAX);
    for suffix in suffixes {
        if exists(&named(path, suffix)) {
            files::move_into_place(&named(path, suffix), &aside(number, suffix))?;
        }
    }
    Ok(aside(number, ""))
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
