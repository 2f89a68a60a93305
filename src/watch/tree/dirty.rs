//! The folders to be scanned because something happened in them, by when they are due.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Each with the names in it that hints have named.
#[derive(Debug, Default)]
pub struct DirtyFolders {
    waiting: BTreeMap<PathBuf, Dirty>,
    by_time: BTreeSet<(Duration, PathBuf)>,
}

#[derive(Debug)]
struct Dirty {
    due: Duration,
    touched: HashSet<OsString>,
}

impl DirtyFolders {
    /// A folder is to be scanned at `due`, or earlier if it was to be already; `touched` was named by a hint.
    pub fn mark(&mut self, folder: &Path, due: Duration, touched: Option<OsString>) {
        if let Some(dirty) = self.waiting.get_mut(folder) {
            dirty.touched.extend(touched);
            return;
        }
        let dirty = Dirty { due, touched: touched.into_iter().collect() };
        self.waiting.insert(folder.to_path_buf(), dirty);
        self.by_time.insert((due, folder.to_path_buf()));
    }

    /// A scan of the folder begins, or it is gone: the names that hints have named.
    pub fn take(&mut self, folder: &Path) -> HashSet<OsString> {
        let Some((folder, dirty)) = self.waiting.remove_entry(folder) else { return HashSet::new() };
        self.by_time.remove(&(dirty.due, folder));
        dirty.touched
    }

    /// The folder that has been due for longest.
    pub fn first_due(&self, now: Duration) -> Option<PathBuf> {
        self.by_time.first().filter(|(due, _)| *due <= now).map(|(_, folder)| folder.clone())
    }

    /// When the next folder is due.
    pub fn next_due(&self) -> Option<Duration> {
        self.by_time.first().map(|(due, _)| *due)
    }

    /// Whether no folder waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a folder waits that is `path` or lies below it.
    pub fn has_below(&self, path: &Path) -> bool {
        let mut from_here = self.waiting.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
        from_here.next().is_some_and(|(folder, _)| folder.starts_with(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_due_once_at_its_first_time_with_all_names() {
        let second = Duration::from_secs;
        let mut dirty = DirtyFolders::default();
        dirty.mark(Path::new("b"), second(2), Some("one".into()));
        dirty.mark(Path::new("a"), second(3), None);
        dirty.mark(Path::new("b"), second(9), Some("two".into()));
        assert_eq!((dirty.next_due(), dirty.first_due(second(1))), (Some(second(2)), None));
        assert_eq!(dirty.first_due(second(5)), Some("b".into()));
        assert!(dirty.has_below(Path::new("b")) && dirty.has_below(Path::new("")) && !dirty.has_below(Path::new("c")));
        assert_eq!(dirty.take(Path::new("b")), HashSet::from(["one".into(), "two".into()]));
        assert_eq!((dirty.first_due(second(5)), dirty.take(Path::new("b")).len()), (Some("a".into()), 0));
        dirty.take(Path::new("a"));
        assert!(dirty.is_empty() && dirty.next_due().is_none());
    }
}
