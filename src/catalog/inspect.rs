//! Checks what opening a catalog would do to it, without changing a byte.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::opening::{FILE_NAME, is_of_system, named, not_a_file, prepare};
use super::schema::{Format, format_of};
use super::{Catalog, trouble};
use crate::error::Trouble;

/// Whether this program can use a state folder's catalog.
#[derive(Debug)]
pub enum CatalogState {
    /// There is no catalog yet.
    Missing,
    /// It has the current version, and is open for reading.
    Current(Catalog),
    /// It has this older version, and would be upgraded.
    Older(i64),
    /// It would be set aside, for this reason.
    Unusable(String),
}

impl Catalog {
    /// Whether this program can use the catalog of a state folder.
    pub fn inspect(state: &Path) -> Result<CatalogState, Trouble> {
        let path = state.join(FILE_NAME);
        if let Some(other) = not_a_file(&path) {
            return Ok(CatalogState::Unusable(format!("is {other} instead of a file")));
        }
        if !path.exists() {
            return Ok(CatalogState::Missing);
        }
        for companion in ["-wal", "-shm", "-journal"].map(|suffix| named(&path, suffix)) {
            if let Some(other) = not_a_file(&companion) {
                let remedy = "artificio run moves it away; what the catalog's journal had is made again";
                return Err(Trouble::new(format!("this is {other} instead of a file"), companion, remedy));
            }
        }
        let judged = connect(&path).and_then(|connection| Ok((format_of(&connection)?, connection)));
        match judged {
            Ok((Format::New, _)) => Ok(CatalogState::Missing),
            Ok((Format::Current, connection)) => Ok(CatalogState::Current(Self::new(connection, &path))),
            Ok((Format::Older(version), _)) => Ok(CatalogState::Older(version)),
            Ok((Format::Unusable(reason), _)) => Ok(CatalogState::Unusable(reason)),
            Err(error) if is_of_system(&error) => Err(trouble(&path, "read", &error)),
            Err(_) => Ok(CatalogState::Unusable("is damaged".into())),
        }
    }
}

/// Opens for reading. Without a journal next to the file no program is using it, and SQLite is told so: otherwise it would
/// create one, if only for a moment.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let journal = path.with_file_name(format!("{FILE_NAME}-wal"));
    let connection = match journal.exists() {
        true => Connection::open_with_flags(path, flags)?,
        false => Connection::open_with_flags(unchanging(path), flags | OpenFlags::SQLITE_OPEN_URI)?,
    };
    prepare(&connection)?;
    Ok(connection)
}

/// The path as a URI which states that the file does not change.
fn unchanging(path: &Path) -> PathBuf {
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' => uri.extend(b"%25"),
            b'?' => uri.extend(b"%3f"),
            b'#' => uri.extend(b"%23"),
            other => uri.push(*other),
        }
    }
    uri.extend(b"?immutable=1");
    OsString::from_vec(uri).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalog_is_judged_and_left_as_it_is() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("50 % of #1?");
        std::fs::create_dir(&state).unwrap();
        let state_of_file = || Catalog::inspect(&state).unwrap();
        assert!(matches!(state_of_file(), CatalogState::Missing));
        drop(Catalog::open(&state).unwrap());
        assert!(matches!(state_of_file(), CatalogState::Current(_)));
        std::fs::write(state.join(FILE_NAME), include_bytes!("testdata/version-1.sqlite")).unwrap();
        assert!(matches!(state_of_file(), CatalogState::Older(1)));
        Connection::open(state.join(FILE_NAME)).unwrap().pragma_update(None, "user_version", 9_999).unwrap();
        assert!(matches!(state_of_file(), CatalogState::Unusable(reason) if reason.contains("9999")));
        std::fs::write(state.join(FILE_NAME), b"this was a database once, and is long enough for a header").unwrap();
        let before: Vec<_> = std::fs::read_dir(&state).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(matches!(state_of_file(), CatalogState::Unusable(reason) if reason == "is damaged"));
        let after: Vec<_> = std::fs::read_dir(&state).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(before, after);
    }
}
