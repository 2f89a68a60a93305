//! Which pictures of a query set are used: all of them or, of a very large set, a random sample of them.
//!
//! What a set costs in time and memory, and the size of its record, is bounded by the size of the sample, whatever lies in the
//! folder. The mean of a thousand pictures differs little from that of ten thousand.

use std::path::{Path, PathBuf};

use crate::base::nearest::first;
use crate::picture::Hash;

/// Most pictures of a query that are used, and most of its positive and of its negative examples.
pub const MOST_USED: usize = 1_000;
/// Most unused files whose state is remembered; a set with more is read again after a restart.
pub const MOST_REMEMBERED: usize = 10_000;

/// The files of one kind: those that are used, and the others, each in the order of their paths.
#[derive(Debug, PartialEq, Eq)]
pub struct SetSample<'a> {
    /// At most [`MOST_USED`].
    pub used: Vec<&'a Path>,
    /// All others.
    pub unused: Vec<&'a Path>,
}

impl<'a> SetSample<'a> {
    /// Of `paths`, in their order. Chance is the hash of the path: the same files always give the same sample, and one more file
    /// changes at most one of it (bottom-k sampling), so that a set that grows is not read again.
    pub fn of(paths: &'a [PathBuf]) -> Self {
        Self::at_most(MOST_USED, paths)
    }

    fn at_most(most: usize, paths: &'a [PathBuf]) -> Self {
        let all = || paths.iter().map(PathBuf::as_path);
        if paths.len() <= most {
            return Self { used: all().collect(), unused: Vec::new() };
        }
        let chance = |path: &Path| Hash::of(path.as_os_str().as_encoded_bytes());
        let drawn = all().enumerate().map(|(at, path)| (chance(path), at)).collect();
        let mut is_used = vec![false; paths.len()];
        first(drawn, most, Ord::cmp).into_iter().for_each(|(_, at)| is_used[at] = true);
        let (used, unused): (Vec<_>, Vec<_>) = all().zip(is_used).partition(|(_, is_used)| *is_used);
        let paths = |files: Vec<(&'a Path, bool)>| files.into_iter().map(|(path, _)| path).collect();
        Self { used: paths(used), unused: paths(unused) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(count: usize) -> Vec<PathBuf> {
        (0..count).map(|number| format!("set/{number:04}.jpg").into()).collect()
    }

    #[test]
    fn a_small_set_is_used_whole() {
        let paths = paths(7);
        let sample = SetSample::at_most(7, &paths);
        assert_eq!((sample.used, sample.unused.len()), (paths.iter().map(PathBuf::as_path).collect(), 0));
    }

    #[test]
    fn a_large_set_gives_a_sample_that_one_more_file_hardly_changes() {
        let paths = paths(2_000);
        let sample = SetSample::at_most(100, &paths);
        assert_eq!((sample.used.len(), sample.unused.len()), (100, 1_900));
        assert!(sample.used.is_sorted() && sample.unused.is_sorted());
        let in_first_half = sample.used.iter().filter(|path| **path < Path::new("set/1000.jpg")).count();
        assert!((30..70).contains(&in_first_half), "{in_first_half} of 100 in one half is no chance");
        let fewer = SetSample::at_most(100, &paths[..1_999]);
        let changed = sample.used.iter().filter(|path| !fewer.used.contains(path)).count();
        assert!(changed <= 1, "{changed}");
    }
}
