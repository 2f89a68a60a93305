//! Upgrades a catalog of an older version than the last: it is copied into a new file.
//!
//! Nothing has changed until the new file is complete and on the disk. Then it takes the place of the former one in one
//! step: an upgrade that was killed begins again. The former file is kept for a while under another name, so that one can go
//! back to the program that wrote it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};

use super::check::rising;
use super::former::Former;
use super::opening::OpenError;
use super::schema::{self, VERSION};
use super::{Catalog, FILE_NAME, checksum};
use crate::error::Trouble;
use crate::files;
use crate::progress::Progress;

/// Rows copied in one step, of some milliseconds; progress is reported after each.
const AT_ONCE: i64 = 5_000;
/// The former file is deleted at the first start after this time.
const KEPT_FOR: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// Of memory for the pages that are being filled, in KiB.
const CACHE_KIB: i64 = 65_536;

/// A catalog was upgraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// From this version.
    pub from: i64,
    /// What became of its file.
    pub former: FormerFile,
}

/// What became of the file that was upgraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormerFile {
    /// It is kept here for a while.
    Kept(PathBuf),
    /// The file system cannot keep it.
    Lost,
    /// It got another table: it is the same file.
    Extended,
}

/// Puts a file of the current version in the place of a former one, which no other program has open.
pub(super) fn replace(path: &Path, from: &Former, progress: &dyn Progress) -> Result<Upgraded, OpenError> {
    // What an earlier attempt left.
    files::sweep_half_written(path.parent().unwrap_or(path));
    let new = files::unfinished_path(path).map_err(OpenError::Unreachable)?;
    let former = path.with_file_name(former_name(from.version));
    let copied = copy(path, &new, from, progress).map_err(|error| match OpenError::judge(path, &error) {
        OpenError::Unreachable(_) => OpenError::Unreachable(no_copy(path, &error)),
        damaged => damaged,
    });
    let exchanged = copied.and_then(|()| files::exchange(&new, path, &former).map_err(OpenError::Unreachable));
    match exchanged {
        Ok(is_kept) => {
            let former = if is_kept { FormerFile::Kept(former) } else { FormerFile::Lost };
            Ok(Upgraded { from: from.version, former })
        }
        Err(error) => {
            let _ = fs::remove_file(&new);
            Err(error)
        }
    }
}

fn copy(path: &Path, new: &Path, from: &Former, progress: &dyn Progress) -> rusqlite::Result<()> {
    let connection = Connection::open(new)?;
    checksum::register(&connection)?;
    // Nobody sees the file before it is complete and flushed, and a part of it is thrown away.
    schema::create(&connection, "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.execute("ATTACH ?1 AS old", [path.as_os_str().as_bytes()])?;
    connection.execute_batch(&format!("BEGIN; {} COMMIT;", from.at_first))?;
    let (mut copied, contents) = (0, connection.query_row("SELECT count(*) FROM contents", [], |row| row.get(0))?);
    // About as many rows of each as there are contents.
    let expected = i64::max(contents, 1) * from.much.len() as i64;
    for table in from.much {
        let mut next = connection.prepare(table.next)?;
        let mut last = 0;
        while let Some(to) = next.query_row([last, AT_ONCE], |row| row.get::<_, Option<i64>>(0))? {
            connection.execute_batch("BEGIN")?;
            copied += connection.prepare_cached(table.copy)?.execute(params![last, to])?;
            connection.execute_batch("COMMIT")?;
            last = rising(last, to)?;
            progress.set_share((copied as f32 / expected as f32).min(1.0));
        }
    }
    connection.execute_batch("DETACH old")?;
    connection.close().map_err(|(_, error)| error)
}

fn no_copy(path: &Path, error: &rusqlite::Error) -> Trouble {
    let remedy = "see that its disk has as much free space as the catalog has bytes, and start again: nothing has changed; \
                  a catalog that is deleted is rebuilt from the folders";
    Trouble::new(format!("could not upgrade the catalog: {error}"), path, remedy)
}

fn former_name(version: i64) -> OsString {
    format!("{FILE_NAME}.version-{version}").into()
}

impl Catalog {
    /// Deletes what an upgrade has kept, when it was long before `now`; returns what was deleted.
    pub fn drop_former(state: &Path, now: SystemTime) -> Vec<PathBuf> {
        let is_old = |path: &PathBuf| {
            // The name was given, and the other one taken away, at the upgrade: that is the last change of the inode.
            let changed = fs::metadata(path).ok().and_then(|metadata| u64::try_from(metadata.ctime()).ok());
            let age = changed.map(|seconds| now.duration_since(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)));
            matches!(age, Some(Ok(age)) if age > KEPT_FOR)
        };
        let kept = (1..VERSION).map(|version| state.join(former_name(version)));
        kept.filter(is_old).filter(|path| files::remove_own(path).is_ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::*;
    use crate::catalog::{AnswerState, FileState, Root, TrainedPicture};
    use crate::progress::Unfollowed;

    /// Written by the program of 26 November 2026: four pictures, a damaged one, a model and an answered query.
    const OF_VERSION_3: &[u8] = include_bytes!("testdata/version-3.sqlite");

    fn state_of_version_3() -> tempfile::TempDir {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(FILE_NAME), OF_VERSION_3).unwrap();
        state
    }

    /// Checks that all is there that was in the file.
    fn assert_complete(catalog: &Catalog) {
        let model = catalog.current_model().unwrap().expect("it served before");
        assert_eq!((model.id.as_str(), model.trained_on), ("m1-20261126", 4));
        assert_eq!(catalog.trained_pictures(&model.id, Root::Inventory, 9).unwrap().len(), 4);
        let numbers = "SELECT seq FROM sqlite_sequence WHERE name = 'models'";
        let last: i64 = catalog.connection.query_row(numbers, [], |row| row.get(0)).unwrap();
        assert_eq!(last, 1, "the next model has another number");
        let (mut read, mut failed) = (Vec::new(), 0);
        for file in catalog.files(Root::Inventory).unwrap() {
            assert!(file.stamp.size > 0 && file.stamp.inode > 0, "{file:?}");
            match file.state {
                FileState::Read(hash) => read.push(hash),
                FileState::Unread => panic!("every file was read"),
                FileState::Failed { problem, remedy } => {
                    assert!(problem.contains("not a JPEG") && !remedy.is_empty());
                    failed += 1;
                }
            }
        }
        assert_eq!((read.len(), failed), (4, 1));
        let features: Vec<_> =
            read.iter().map(|hash| catalog.features(*hash, &model.features_version).unwrap()).collect();
        assert!(features.iter().all(|row| row.as_ref().is_some_and(|row| row.len() == 1280)));
        assert!(read.iter().all(|hash| catalog.miniature(*hash).unwrap().is_some()));
        // Each still has its own: the model makes the stored embedding of the stored features.
        for (hash, features) in read.iter().zip(features) {
            let fitted = crate::model::LinearAutoencoder::from_safetensors(&model.weights).unwrap();
            let rows = crate::base::rows::Rows::from_values(1280, features.unwrap()).unwrap();
            let (made, stored) = (fitted.encode(&rows), catalog.embedding(*hash, &model.id).unwrap().unwrap());
            let far = made.values().iter().zip(&stored).map(|(made, stored)| (made - stored).abs()).fold(0.0, f32::max);
            assert!(far < 1e-3, "{far}");
        }
        let answers = catalog.answers().unwrap();
        assert_eq!((answers.len(), answers[0].name.as_str(), answers[0].state), (1, "burger", AnswerState::Ok));
        assert_eq!(catalog.content_of(Root::Query, "burger.jpg".as_ref()).unwrap(), Some(read[2]));
    }

    fn names(state: &Path) -> Vec<String> {
        let entries = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_catalog_of_version_3_is_upgraded_and_the_former_file_kept() {
        let state = state_of_version_3();
        let opened = Catalog::open(state.path()).unwrap();
        let former = state.path().join("catalog.sqlite.version-3");
        assert_eq!(opened.upgraded, Some(Upgraded { from: 3, former: FormerFile::Kept(former.clone()) }));
        assert_complete(&opened.catalog);
        drop(opened);
        assert_eq!(names(state.path()), ["catalog.sqlite", "catalog.sqlite.version-3"]);
        let again = Catalog::open(state.path()).unwrap();
        assert_eq!((again.upgraded, again.set_aside), (None, None));
        assert_complete(&again.catalog);
        drop(again.catalog);
        // The way back, and forth again.
        assert!(fs::read(&former).unwrap() == OF_VERSION_3, "the program that wrote it can go on with it");
        fs::rename(&former, state.path().join(FILE_NAME)).unwrap();
        assert_complete(&Catalog::open(state.path()).unwrap().catalog);
        let day = Duration::from_secs(24 * 60 * 60);
        let drop_after = |days: u32| Catalog::drop_former(state.path(), SystemTime::now() + days * day);
        assert_eq!((drop_after(13), drop_after(15)), (vec![], vec![former]));
        assert_eq!(names(state.path()), ["catalog.sqlite"]);
    }

    /// Ends the upgrade as suddenly as a signal would: nothing is tidied up.
    struct Killed;

    impl Progress for Killed {
        fn set_share(&self, share: f32) {
            if share > 0.5 {
                resume_unwind(Box::new("killed"));
            }
        }
    }

    #[test]
    fn an_upgrade_that_is_killed_half_way_begins_again_and_loses_nothing() {
        let state = state_of_version_3();
        let killed = || catch_unwind(AssertUnwindSafe(|| drop(Catalog::open_followed(state.path(), &Killed))));
        assert!(killed().is_err() && killed().is_err());
        assert!(names(state.path()).len() == 2, "the old file and an unfinished one: {:?}", names(state.path()));
        assert!(fs::read(state.path().join(FILE_NAME)).unwrap() == OF_VERSION_3, "nothing has changed");
        files::sweep_half_written(state.path());
        assert_eq!(names(state.path()), ["catalog.sqlite"]);
        assert_complete(&Catalog::open_followed(state.path(), &Unfollowed).unwrap().catalog);
    }

    #[test]
    fn what_is_still_in_the_journal_of_the_former_file_is_not_lost() {
        let state = state_of_version_3();
        let path = state.path().join(FILE_NAME);
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        writer.execute("UPDATE answers SET name = 'renamed'", []).unwrap();
        // As a process leaves them that was killed: with a journal.
        let journal = state.path().join("catalog.sqlite-wal");
        let (file, rest) = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
        drop(writer);
        assert!(!rest.is_empty());
        fs::write(&path, file).unwrap();
        fs::write(&journal, rest).unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        assert_eq!(catalog.answers().unwrap()[0].name, "renamed");
        assert_eq!(catalog.files(Root::Inventory).unwrap().len(), 5);
    }

    /// Four pictures in two folders, and a model of theirs: those of version 4 were written by the program of 26 November 2026, which
    /// asked for no folders, those of version 5 by that of the 27th.
    #[test]
    fn versions_without_checksums_are_copied_and_every_row_has_one_then() {
        let versions: [(&[u8], bool); 2] =
            [(include_bytes!("testdata/version-4.sqlite"), false), (include_bytes!("testdata/version-5.sqlite"), true)];
        for (bytes, has_folders) in versions {
            let state = tempfile::tempdir().unwrap();
            fs::write(state.path().join(FILE_NAME), bytes).unwrap();
            let opened = Catalog::open(state.path()).unwrap();
            assert_eq!((opened.set_aside, opened.upgraded.map(|done| done.from)), (None, Some(5)));
            drop(opened.catalog);
            let opened = Catalog::open(state.path()).unwrap();
            assert_eq!((opened.upgraded, opened.set_aside), (None, None));
            let catalog = opened.catalog;
            let model = catalog.current_model().unwrap().expect("it served before");
            let trained = catalog.trained_pictures(&model.id, Root::Inventory, 9).unwrap();
            assert!(
                trained.len() == 4 && trained.iter().all(|one| one.folders.is_some() == has_folders),
                "{trained:?}"
            );
            assert_eq!(catalog.trained_pictures(&model.id, Root::Training, 9).unwrap(), []);
            for TrainedPicture { content, .. } in trained {
                assert!(
                    catalog.features(content, &model.features_version).unwrap().is_some_and(|row| row.len() == 1280)
                );
                assert!(catalog.embedding(content, &model.id).unwrap().is_some());
                assert!(catalog.miniature(content).unwrap().is_some());
                assert_eq!(catalog.files_with(Root::Inventory, content).unwrap().len(), 1);
            }
            assert!(catalog.files(Root::Inventory).unwrap().len() >= 4);
            catalog.check().unwrap();
            assert!(!catalog.is_damaged() && catalog.take_damaged_rows(9).is_empty());
        }
    }

    /// Four pictures in two folders, and a model of theirs, written by the program of the morning of 27 November 2026.
    #[test]
    fn a_catalog_of_version_6_gets_another_table_and_keeps_all_it_has() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(FILE_NAME), include_bytes!("testdata/version-6.sqlite")).unwrap();
        let opened = Catalog::open(state.path()).unwrap();
        assert_eq!(
            (opened.set_aside, opened.upgraded),
            (None, Some(Upgraded { from: 6, former: FormerFile::Extended }))
        );
        drop(opened.catalog);
        let opened = Catalog::open(state.path()).unwrap();
        assert_eq!((opened.upgraded, opened.set_aside), (None, None));
        let catalog = opened.catalog;
        assert_eq!(names(state.path()).iter().filter(|name| name.contains("version")).count(), 0);
        let model = catalog.current_model().unwrap().expect("it served before");
        let mut contents = Vec::new();
        catalog
            .each_file(Root::Inventory, |file| {
                if let FileState::Read(content) = file.state {
                    contents.push((file.path, content));
                }
            })
            .unwrap();
        assert_eq!(contents.len(), 4);
        for (path, content) in contents {
            assert!(catalog.features(content, &model.features_version).unwrap().is_some_and(|row| row.len() == 1280));
            assert!(catalog.embedding(content, &model.id).unwrap().is_some());
            assert!(catalog.miniature(content).unwrap().is_some());
            assert_eq!(catalog.metadata(content).unwrap(), None);
            assert_eq!(catalog.files_with(Root::Inventory, content).unwrap(), [path]);
        }
        assert_eq!(catalog.trained_pictures(&model.id, Root::Inventory, 9).unwrap().len(), 4);
        catalog.check().unwrap();
        assert!(!catalog.is_damaged() && catalog.take_damaged_rows(9).is_empty());
    }

    #[test]
    fn a_catalog_of_version_6_without_a_table_is_set_aside_as_it_is() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(FILE_NAME), include_bytes!("testdata/version-6.sqlite")).unwrap();
        Connection::open(state.path().join(FILE_NAME)).unwrap().execute("DROP TABLE answers", []).unwrap();
        let opened = Catalog::open(state.path()).unwrap();
        assert!(opened.upgraded.is_none() && opened.set_aside.unwrap().what.contains("not those of version 6"));
        let aside = Connection::open(state.path().join("catalog.sqlite.damaged-1")).unwrap();
        assert_eq!(aside.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap(), 6);
    }

    #[test]
    fn a_file_that_only_says_that_it_is_older_is_set_aside() {
        for version in [1, 2, 3, 4, 5, 6] {
            let state = tempfile::tempdir().unwrap();
            drop(Catalog::open(state.path()).unwrap());
            let connection = Connection::open(state.path().join(FILE_NAME)).unwrap();
            connection.pragma_update(None, "user_version", version).unwrap();
            drop(connection);
            let opened = Catalog::open(state.path()).unwrap();
            assert!(opened.upgraded.is_none() && opened.set_aside.unwrap().what.contains("is damaged"));
        }
    }

    #[test]
    fn a_damaged_file_of_an_older_version_is_set_aside() {
        let state = state_of_version_3();
        let mut bytes = OF_VERSION_3.to_vec();
        bytes[8_192..61_440].fill(0xA5);
        fs::write(state.path().join(FILE_NAME), bytes).unwrap();
        let opened = Catalog::open(state.path()).unwrap();
        assert!(opened.set_aside.is_some() && opened.upgraded.is_none());
        drop(opened);
        assert_eq!(names(state.path()), ["catalog.sqlite", "catalog.sqlite.damaged-1"]);
    }
}
