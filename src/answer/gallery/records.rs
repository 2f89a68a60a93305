//! The newest records of the answer folder, as the gallery needs them. After a change only the records that changed are read.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::path::Path;

use super::GalleryEntry;
use crate::answer::LARGEST_RECORD_BYTES;
use crate::answer::strip::strip_path;
use crate::files::{FileAt, Stamp};

/// When more records than this change at once, the whole folder is listed.
const MOST_NAMES: usize = 1_000;

/// What has changed in the answer folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum AnswerChanges {
    /// Nothing.
    #[default]
    None,
    /// These files.
    Files(BTreeSet<OsString>),
    /// Perhaps everything.
    Unknown,
}

impl AnswerChanges {
    /// A file was written or removed.
    pub fn add(&mut self, name: &OsStr) {
        match self {
            Self::Unknown => {}
            Self::None => *self = Self::Files(BTreeSet::from([name.to_os_string()])),
            Self::Files(names) => {
                names.insert(name.to_os_string());
                if names.len() > MOST_NAMES {
                    *self = Self::Unknown;
                }
            }
        }
    }
}

/// The newest records.
#[derive(Debug)]
pub struct NewestRecords {
    limit: usize,
    /// By file name; none for a file that is no record of an answer.
    known: HashMap<OsString, (Stamp, Option<GalleryEntry>)>,
    /// There are older ones in the folder.
    are_all: bool,
}

impl NewestRecords {
    /// Of an unread folder: at most `limit`.
    pub fn new(limit: usize) -> Self {
        Self { limit, known: HashMap::new(), are_all: true }
    }

    /// Whether there are no older ones.
    pub fn are_all(&self) -> bool {
        self.are_all
    }

    /// What the page needs of each.
    pub fn entries(&self) -> Vec<&GalleryEntry> {
        self.known.values().filter_map(|(_, entry)| entry.as_ref()).collect()
    }

    /// The same with the file names.
    pub fn named(&self) -> impl Iterator<Item = (&OsStr, &GalleryEntry)> {
        self.known.iter().filter_map(|(name, (_, entry))| Some((name.as_os_str(), entry.as_ref()?)))
    }

    /// Of the record with this file name, if it is one of an answer.
    pub fn entry(&self, name: &OsStr) -> Option<&GalleryEntry> {
        self.known.get(name).and_then(|(_, entry)| entry.as_ref())
    }

    /// Follows what has changed in `folder`.
    pub fn update(&mut self, folder: &Path, changes: &AnswerChanges) {
        match changes {
            AnswerChanges::None => {}
            AnswerChanges::Unknown => self.list(folder),
            AnswerChanges::Files(names) => {
                let before = self.known.len();
                for name in names {
                    match fs::symlink_metadata(folder.join(name)).ok().and_then(|metadata| stamp_of(name, &metadata)) {
                        Some(stamp) => self.take(folder, name.clone(), stamp),
                        None => drop(self.known.remove(name)),
                    }
                }
                // A place is free for one of the older ones, or some are too many.
                let has_room = !self.are_all && self.known.len() < before;
                if has_room || self.known.len() > self.limit {
                    self.list(folder);
                }
            }
        }
    }

    fn list(&mut self, folder: &Path) {
        // Without the folder there is nothing to show; the next answer creates it.
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let stamped = entries.filter_map(|file| {
            let name = file.file_name();
            let stamp = stamp_of(&name, &file.metadata().ok()?)?;
            Some((name, stamp))
        });
        let mut found: Vec<(OsString, Stamp)> = stamped.collect();
        self.are_all = found.len() <= self.limit;
        if !self.are_all {
            // Some places are left free, so that the next answers need no list.
            let kept = self.limit - self.limit / 10;
            found.select_nth_unstable_by_key(kept, |(_, stamp)| Reverse(stamp.mtime_ns));
            found.truncate(kept);
        }
        let mut before = std::mem::take(&mut self.known);
        for (name, stamp) in found {
            if let Some((name, known)) = before.remove_entry(&name) {
                self.known.insert(name, known);
            }
            self.take(folder, name, stamp);
        }
    }

    fn take(&mut self, folder: &Path, name: OsString, stamp: Stamp) {
        if self.known.get(&name).is_none_or(|(seen, _)| *seen != stamp) {
            let read = record_stem(&name)
                .zip(FileAt::below(folder, Path::new(&name)).as_listed(stamp).read(LARGEST_RECORD_BYTES).ok());
            let entry = read.and_then(|(stem, record)| {
                let mut entry = GalleryEntry::from_record(&record, stem)?;
                entry.has_strip = strip_path(folder, stem).is_file();
                Some(entry)
            });
            self.known.insert(name, (stamp, entry));
        }
    }
}

/// The stamp of a file that may be a record; none of others.
fn stamp_of(name: &OsStr, metadata: &Metadata) -> Option<Stamp> {
    let is_record = record_stem(name).is_some() && metadata.is_file() && metadata.len() <= LARGEST_RECORD_BYTES;
    is_record.then(|| Stamp::of(metadata))
}

/// `result_burger` of `result_burger.json`; none for other files.
pub fn record_stem(name: &OsStr) -> Option<&str> {
    name.to_str()?.strip_suffix(".json").filter(|stem| stem.starts_with("result_"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A record of that time.
    fn put(folder: &Path, number: u64) {
        let record = format!(
            r#"{{"status": "ok", "message": "", "answered_s": {number}, "query": {{"name": "q{number:02}", "files": []}}, "matches": []}}"#
        );
        let path = folder.join(format!("result_{number:02}.json"));
        fs::write(&path, record).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + number);
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    fn changed(numbers: &[u64]) -> AnswerChanges {
        let mut changes = AnswerChanges::None;
        numbers.iter().for_each(|number| changes.add(OsStr::new(&format!("result_{number:02}.json"))));
        changes
    }

    fn shown(records: &NewestRecords) -> Vec<String> {
        let mut names: Vec<_> = records.known.keys().map(|name| name.to_str().unwrap()[7..9].to_string()).collect();
        assert_eq!(records.entries().len(), names.len());
        names.sort_unstable();
        names
    }

    #[test]
    fn the_newest_are_kept_and_a_removed_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = NewestRecords::new(10);
        (0..10).for_each(|number| put(folder.path(), number));
        fs::write(folder.path().join("result_00.png"), b"").unwrap();
        records.update(folder.path(), &AnswerChanges::Unknown);
        assert!(records.are_all() && shown(&records).len() == 10);
        put(folder.path(), 10);
        records.update(folder.path(), &changed(&[10]));
        assert!(!records.are_all());
        assert_eq!(shown(&records), ["02", "03", "04", "05", "06", "07", "08", "09", "10"]);
        for number in [9, 10] {
            fs::remove_file(folder.path().join(format!("result_{number:02}.json"))).unwrap();
        }
        records.update(folder.path(), &changed(&[9, 10]));
        assert_eq!(
            shown(&records),
            ["00", "01", "02", "03", "04", "05", "06", "07", "08"],
            "older ones take the places"
        );
        records.update(&folder.path().join("missing"), &AnswerChanges::Unknown);
        assert!(records.entries().is_empty());
    }

    #[test]
    fn only_what_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut records = NewestRecords::new(10);
        (0..3).for_each(|number| put(folder.path(), number));
        records.update(folder.path(), &AnswerChanges::Unknown);
        // Both are gone, but only one of them is said to be.
        (0..2).for_each(|number| fs::remove_file(folder.path().join(format!("result_{number:02}.json"))).unwrap());
        records.update(folder.path(), &changed(&[0]));
        assert_eq!(shown(&records), ["01", "02"]);
        let many: Vec<u64> = (0..=MOST_NAMES as u64).collect();
        assert_eq!(changed(&many), AnswerChanges::Unknown);
    }
}
