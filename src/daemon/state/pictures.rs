//! The state of single files: the content of usable ones, the problem of the others, and how often a file was found incomplete.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::Root;
use crate::error::Trouble;
use crate::files::Stamp;
use crate::picture::Hash;

/// A file that may be incomplete is read again after these pauses; then its problem is reported. A file that changes in
/// between starts again.
const UNFINISHED_PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The pauses must outlast a writer that stops for four seconds.
const _: () = {
    let total = UNFINISHED_PAUSES[0].as_millis() + UNFINISHED_PAUSES[1].as_millis() + UNFINISHED_PAUSES[2].as_millis();
    assert!(total > Duration::from_secs(4).as_millis());
};

/// By root and path below it.
#[derive(Debug, Default)]
pub struct Pictures {
    contents: HashMap<(Root, PathBuf), Hash>,
    failed: BTreeMap<(Root, PathBuf), Trouble>,
    unfinished: HashMap<(Root, PathBuf), (Option<Stamp>, usize)>,
}

impl Pictures {
    /// As the catalog knows them.
    pub fn new(contents: HashMap<(Root, PathBuf), Hash>, failed: BTreeMap<(Root, PathBuf), Trouble>) -> Self {
        Self { contents, failed, unfinished: HashMap::new() }
    }

    /// A picture is usable; `true` if it had this content before.
    pub fn put(&mut self, root: Root, path: &Path, content: Hash) -> bool {
        let key = (root, path.to_path_buf());
        self.failed.remove(&key);
        self.contents.insert(key, content) == Some(content)
    }

    /// A file is unusable.
    pub fn fail(&mut self, root: Root, path: &Path, trouble: Trouble) {
        let key = (root, path.to_path_buf());
        self.contents.remove(&key);
        self.failed.insert(key, trouble);
    }

    /// The problem of a file is gone.
    pub fn clear_problem(&mut self, root: Root, path: &Path) {
        self.failed.remove(&(root, path.to_path_buf()));
    }

    /// A file is gone; `true` if it was usable.
    pub fn forget(&mut self, root: Root, path: &Path) -> bool {
        let key = (root, path.to_path_buf());
        self.unfinished.remove(&key);
        self.failed.remove(&key);
        self.contents.remove(&key).is_some()
    }

    /// The contents of a root.
    pub fn contents_of(&self, root: Root) -> HashSet<Hash> {
        self.of_root(root).map(|(_, content)| content).collect()
    }

    /// The paths of a root with their contents.
    pub fn paths_of(&self, root: Root) -> HashMap<PathBuf, Hash> {
        self.of_root(root).map(|(path, content)| (path.to_path_buf(), content)).collect()
    }

    /// The contents of a root, each with one file below `folder` that has it.
    pub fn files_of(&self, root: Root, folder: &Path) -> BTreeMap<Hash, PathBuf> {
        self.of_root(root).map(|(path, content)| (content, folder.join(path))).collect()
    }

    fn of_root(&self, root: Root) -> impl Iterator<Item = (&Path, Hash)> {
        self.contents
            .iter()
            .filter(move |((of, _), _)| *of == root)
            .map(|((_, path), content)| (path.as_path(), *content))
    }

    /// The unusable files with their problems, in order.
    pub fn failed(&self) -> impl ExactSizeIterator<Item = (&(Root, PathBuf), &Trouble)> {
        self.failed.iter()
    }

    /// The unusable files.
    pub fn failed_paths(&self) -> BTreeSet<(Root, PathBuf)> {
        self.failed.keys().cloned().collect()
    }

    /// A file in this state may be incomplete: how long to wait before the next try; `None` after the last one.
    pub fn wait_again(&mut self, root: Root, path: &Path, stamp: Stamp) -> Option<Duration> {
        let tried = self.unfinished.entry((root, path.to_path_buf())).or_insert((Some(stamp), 0));
        if tried.0 != Some(stamp) {
            *tried = (Some(stamp), 0);
        }
        let pause = UNFINISHED_PAUSES.get(tried.1).copied();
        tried.1 += usize::from(pause.is_some());
        pause
    }

    /// Whether there would be another try.
    pub fn can_wait(&self, root: Root, path: &Path) -> bool {
        let tries = self.unfinished.get(&(root, path.to_path_buf())).map_or(0, |(_, tries)| *tries);
        tries < UNFINISHED_PAUSES.len()
    }

    /// The file is complete.
    pub fn mark_finished(&mut self, root: Root, path: &Path) {
        self.unfinished.remove(&(root, path.to_path_buf()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "a.jpg";

    fn stamp(size: u64) -> Stamp {
        Stamp { size, mtime_ns: 0, ctime_ns: 0, inode: 1 }
    }

    #[test]
    fn a_file_is_usable_or_has_a_problem_and_never_both() {
        let (mut pictures, content) = (Pictures::default(), Hash::of(b"a"));
        assert!(!pictures.put(Root::Inventory, Path::new(A), content));
        assert!(pictures.put(Root::Inventory, Path::new(A), content), "the same as before");
        pictures.fail(Root::Inventory, Path::new(A), Trouble::new("it is cut off", A, ""));
        assert!(pictures.contents_of(Root::Inventory).is_empty() && pictures.failed().len() == 1);
        pictures.put(Root::Inventory, Path::new(A), content);
        assert_eq!((pictures.failed().len(), pictures.paths_of(Root::Training).len()), (0, 0));
        assert_eq!(pictures.files_of(Root::Inventory, Path::new("/i"))[&content], Path::new("/i/a.jpg"));
        assert!(pictures.forget(Root::Inventory, Path::new(A)) && !pictures.forget(Root::Inventory, Path::new(A)));
    }

    #[test]
    fn an_unfinished_file_is_waited_for_three_times_and_again_when_it_changes() {
        let mut pictures = Pictures::default();
        let mut wait = |size| pictures.wait_again(Root::Query, Path::new(A), stamp(size)).map(|pause| pause.as_secs());
        assert_eq!([wait(1), wait(1), wait(1), wait(1)], [Some(1), Some(2), Some(4), None]);
        assert_eq!(wait(2), Some(1));
        assert!(pictures.can_wait(Root::Query, Path::new(A)));
        for _ in 0..3 {
            pictures.wait_again(Root::Query, Path::new(A), stamp(2));
        }
        assert!(!pictures.can_wait(Root::Query, Path::new(A)));
        pictures.mark_finished(Root::Query, Path::new(A));
        assert!(pictures.can_wait(Root::Query, Path::new(A)));
    }
}
