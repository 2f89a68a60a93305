//! The state of single files: the content of usable ones, the problem of the others, and how often a file was found incomplete.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::recent::RecentNames;
use crate::catalog::Root;
use crate::daemon::by_root::ByRoot;
use crate::error::Trouble;
use crate::files::Stamp;
use crate::picture::Hash;
use crate::training::sketch::{ContentSample, ContentSketch};

/// A file that may be incomplete is read again after these pauses; then its problem is reported. A file that changes in
/// between starts again.
const UNFINISHED_PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The pauses must outlast a writer that stops for four seconds.
const _: () = {
    let total = UNFINISHED_PAUSES[0].as_millis() + UNFINISHED_PAUSES[1].as_millis() + UNFINISHED_PAUSES[2].as_millis();
    assert!(total > Duration::from_secs(4).as_millis());
};

/// The files of one root.
#[derive(Debug, Default)]
struct FilesOfRoot {
    /// By the bytes of paths: each is stored once, looked up without a copy, and not compared part by part.
    contents: BTreeMap<Box<OsStr>, Hash>,
    failed: BTreeMap<Box<OsStr>, Trouble>,
    /// Of the contents and their folders.
    sketch: ContentSketch,
    /// The one that takes its place.
    renewal: Option<Renewal>,
}

/// A sketch of the files up to `last`, which was looked at last.
#[derive(Debug, Default)]
struct Renewal {
    sketch: ContentSketch,
    last: Option<Box<OsStr>>,
}

impl Renewal {
    fn has_seen(&self, path: &Path) -> bool {
        self.last.as_deref().is_some_and(|last| path.as_os_str() <= last)
    }
}

impl FilesOfRoot {
    fn put(&mut self, path: &Path, content: Hash) -> Option<Hash> {
        let former = match self.contents.get_mut(path.as_os_str()) {
            Some(known) => Some(std::mem::replace(known, content)),
            None => self.contents.insert(path.as_os_str().into(), content),
        };
        for sketch in self.sketches_with(path) {
            sketch.insert(content, path);
            if let Some(former) = former {
                sketch.remove(former, path);
            }
        }
        former
    }

    fn remove(&mut self, path: &Path) -> Option<Hash> {
        let former = self.contents.remove(path.as_os_str())?;
        self.sketches_with(path).for_each(|sketch| sketch.remove(former, path));
        Some(former)
    }

    fn sketches_with(&mut self, path: &Path) -> impl Iterator<Item = &mut ContentSketch> {
        let renewal = self.renewal.as_mut().filter(|renewal| renewal.has_seen(path));
        [Some(&mut self.sketch), renewal.map(|renewal| &mut renewal.sketch)].into_iter().flatten()
    }

    /// Goes on with the sketch that takes the place of one from which most contents have gone, by up to `most` files; `true` while there
    /// is more to do.
    fn renew_sketch(&mut self, most: usize) -> bool {
        if !self.sketch.is_depleted() {
            return false;
        }
        let renewal = self.renewal.get_or_insert_default();
        let after = renewal.last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut left = self.contents.range::<OsStr, _>((after, Bound::Unbounded));
        let mut last = None;
        for (path, content) in left.by_ref().take(most) {
            renewal.sketch.insert(*content, Path::new(&**path));
            last = Some(path);
        }
        if left.next().is_some() {
            renewal.last = last.cloned();
            return true;
        }
        self.sketch = self.renewal.take().unwrap_or_default().sketch;
        false
    }
}

/// By root and path below it.
#[derive(Debug, Default)]
pub struct Pictures {
    roots: ByRoot<FilesOfRoot>,
    /// Files of queries that failed lately.
    recent: RecentNames,
    unfinished: HashMap<(Root, PathBuf), (Option<Stamp>, usize)>,
    /// Unusable files to look at again, after a change of the settings.
    rechecks: Vec<(Root, PathBuf)>,
}

impl Pictures {
    /// A picture is usable; `true` if it had this content before.
    pub fn put(&mut self, root: Root, path: &Path, content: Hash) -> bool {
        self.clear_problem(root, path);
        self.roots.of_mut(root).put(path, content) == Some(content)
    }

    /// A file is found unusable at `now`.
    pub fn fail(&mut self, root: Root, path: &Path, trouble: Trouble, now: Duration) {
        if root == Root::Query {
            self.recent.put(path.as_os_str(), now);
        }
        let files = self.roots.of_mut(root);
        files.remove(path);
        files.failed.insert(path.as_os_str().into(), trouble);
    }

    /// The problem of a file is gone.
    pub fn clear_problem(&mut self, root: Root, path: &Path) {
        self.roots.of_mut(root).failed.remove(path.as_os_str());
        if root == Root::Query {
            self.recent.remove(path.as_os_str());
        }
    }

    /// A file is gone; `true` if it was usable.
    pub fn forget(&mut self, root: Root, path: &Path) -> bool {
        self.mark_finished(root, path);
        self.clear_problem(root, path);
        self.roots.of_mut(root).remove(path).is_some()
    }

    /// Whether a file was read, usable or not.
    pub fn is_known(&self, root: Root, path: &Path) -> bool {
        let files = self.roots.of(root);
        files.contents.contains_key(path.as_os_str()) || files.failed.contains_key(path.as_os_str())
    }

    /// The usable files of a root, in the order of their paths.
    pub fn usable(&self, root: Root) -> impl Iterator<Item = (&Path, Hash)> + Clone {
        self.roots.of(root).contents.iter().map(|(path, content)| (Path::new(&**path), *content))
    }

    /// How many files of a root are usable.
    pub fn usable_count(&self, root: Root) -> usize {
        self.roots.of(root).contents.len()
    }

    /// A sample of the contents of a root, with their folders: all of them while they are few.
    pub fn sample_of(&self, root: Root) -> ContentSample {
        self.roots.of(root).sketch.sample()
    }

    /// Makes samples again of which most contents have gone: looks at up to `most` files, and is `true` while there is more to do.
    pub fn renew_samples(&mut self, most: usize) -> bool {
        [Root::Inventory, Root::Training].into_iter().any(|root| self.roots.of_mut(root).renew_sketch(most))
    }

    /// How many files of a root are unusable.
    pub fn failed(&self, root: Root) -> usize {
        self.roots.of(root).failed.len()
    }

    /// The problems of unusable pictures, and of queries that failed lately: those of queries are last, because each has an answer
    /// that says so.
    pub fn problems(&self) -> impl Iterator<Item = &Trouble> {
        let pictures = [Root::Inventory, Root::Training].map(|root| self.roots.of(root).failed.values());
        let queries = &self.roots.of(Root::Query).failed;
        pictures.into_iter().flatten().chain(self.recent.names().filter_map(|name| queries.get(name)))
    }

    /// How many of them there are at `now`.
    pub fn count_problems(&mut self, now: Duration) -> usize {
        self.recent.drop_old(now);
        self.failed(Root::Inventory) + self.failed(Root::Training) + self.recent.count()
    }

    /// All unusable files are to be looked at again.
    pub fn recheck_failed(&mut self) {
        let failed = |root| self.roots.of(root).failed.keys().map(move |path| (root, PathBuf::from(&**path)));
        let failed = Root::ALL.into_iter().flat_map(failed).collect();
        self.rechecks = failed;
    }

    /// Some of the files to look at again, at most `count`.
    pub fn take_rechecks(&mut self, count: usize) -> Vec<(Root, PathBuf)> {
        self.rechecks.split_off(self.rechecks.len().saturating_sub(count))
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
        // Nearly always there is none, and no key to be made.
        if !self.unfinished.is_empty() {
            self.unfinished.remove(&(root, path.to_path_buf()));
        }
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
        pictures.fail(Root::Inventory, Path::new(A), Trouble::new("it is cut off", A, ""), Duration::ZERO);
        assert!(pictures.sample_of(Root::Inventory).is_empty() && pictures.failed(Root::Inventory) == 1);
        pictures.put(Root::Inventory, Path::new(A), content);
        assert!(pictures.failed(Root::Inventory) == 0 && pictures.sample_of(Root::Training).is_empty());
        assert_eq!(pictures.sample_of(Root::Inventory).hashes(), [content]);
        assert!(pictures.forget(Root::Inventory, Path::new(A)) && !pictures.forget(Root::Inventory, Path::new(A)));
    }

    #[test]
    fn queries_that_failed_are_problems_for_an_hour_and_those_of_the_inventory_for_as_long_as_they_are_there() {
        let mut pictures = Pictures::default();
        for root in [Root::Query, Root::Inventory] {
            pictures.fail(root, Path::new(A), Trouble::new("it is cut off", root.name(), ""), Duration::ZERO);
        }
        let problems = |pictures: &Pictures| pictures.problems().map(|one| one.path.clone()).collect::<Vec<_>>();
        assert_eq!(pictures.count_problems(Duration::from_secs(3_599)), 2);
        assert_eq!(problems(&pictures), [Path::new("inventory"), Path::new("query")]);
        assert_eq!(pictures.count_problems(Duration::from_secs(3_600)), 1);
        assert_eq!(problems(&pictures), [Path::new("inventory")]);
        assert!(pictures.is_known(Root::Query, Path::new(A)));
    }

    #[test]
    fn a_sample_follows_contents_through_every_change() {
        let (mut pictures, [one, other]) = (Pictures::default(), [Hash::of(b"one"), Hash::of(b"other")]);
        let count = |pictures: &mut Pictures| pictures.sample_of(Root::Inventory).count();
        for (path, content) in [("a", one), ("b", one), ("c", other), ("c", other)] {
            pictures.put(Root::Inventory, Path::new(path), content);
        }
        assert_eq!(count(&mut pictures), 2, "two files have one content");
        pictures.put(Root::Inventory, Path::new("c"), one);
        assert_eq!(pictures.sample_of(Root::Inventory).hashes(), [one]);
        pictures.forget(Root::Inventory, Path::new("a"));
        pictures.fail(Root::Inventory, Path::new("c"), Trouble::new("it is cut off", "c", ""), Duration::ZERO);
        assert_eq!(count(&mut pictures), 1);
        pictures.forget(Root::Inventory, Path::new("b"));
        assert_eq!(count(&mut pictures), 0);
    }

    #[test]
    fn after_most_pictures_have_gone_the_sample_is_of_all_that_are_left() {
        let mut pictures = Pictures::default();
        let path = |number: u32| PathBuf::from(number.to_string());
        for number in 0..40_000_u32 {
            pictures.put(Root::Inventory, &path(number), Hash::of(&number.to_le_bytes()));
        }
        assert!(pictures.sample_of(Root::Inventory).count().abs_diff(40_000) < 1_600);
        for number in 60..40_000 {
            pictures.forget(Root::Inventory, &path(number));
        }
        assert!(!pictures.renew_samples(60), "few are looked at in one turn");
        assert_eq!(pictures.sample_of(Root::Inventory).count(), 60);
    }

    /// Each turn looks at as many files as it may, whatever comes and goes between turns.
    #[test]
    fn a_sample_is_made_again_over_several_turns() {
        let mut pictures = Pictures::default();
        let path = |number: u32| PathBuf::from(format!("{number:05}"));
        let content = |number: u32| Hash::of(&number.to_le_bytes());
        for number in 0..40_000 {
            pictures.put(Root::Inventory, &path(number), content(number));
        }
        assert!(!pictures.renew_samples(1), "there is nothing to do");
        for number in 9_000..40_000 {
            pictures.forget(Root::Inventory, &path(number));
        }
        let mut turns = 0;
        while pictures.renew_samples(1_000) {
            // One that was looked at goes, another changes; one that was not goes, and one comes on either side.
            pictures.forget(Root::Inventory, &path(turns));
            pictures.put(Root::Inventory, &path(turns + 500), content(90_000 + turns));
            pictures.forget(Root::Inventory, &path(8_900 + turns));
            pictures.put(Root::Inventory, &PathBuf::from(format!("00000-{turns}")), content(50_000 + turns));
            pictures.put(Root::Inventory, &PathBuf::from(format!("9-{turns}")), content(60_000 + turns));
            turns += 1;
        }
        assert_eq!(turns, 8, "nine thousand files and those that came at the end");
        let mut all = Pictures::default();
        for (path, content) in pictures.usable(Root::Inventory) {
            all.put(Root::Inventory, path, content);
        }
        assert_eq!(pictures.sample_of(Root::Inventory), all.sample_of(Root::Inventory));
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
