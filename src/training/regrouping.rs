//! Which pictures somebody put together, compared between two moments: how many lie with others than before.
//!
//! Only who lies with whom counts, not what folders are called: a renamed folder changes nothing. It is what a model can learn from
//! folders, see `model::FolderLabels`.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::model::DEEPEST_FOLDER;
use crate::picture::Hash;

const NO_FOLDER: u32 = 0;
const NUMBER_BYTES: usize = size_of::<u32>();

/// The folders that a picture lies in, cut at every depth; [`NO_FOLDER`] where it lies in none or in several. Numbers are hashes of
/// paths: of 8,192 folders there is hardly ever a pair with the same one, and then the two count as one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderNumbers([u32; DEEPEST_FOLDER]);

impl FolderNumbers {
    /// Of a picture at this path, relative to its root.
    pub fn of(path: &Path) -> Self {
        let (mut numbers, mut folder) = ([NO_FOLDER; DEEPEST_FOLDER], PathBuf::new());
        let mut names = path.parent().unwrap_or(Path::new("")).components();
        let mut number = NO_FOLDER;
        for at_depth in &mut numbers {
            if let Some(name) = names.next() {
                folder.push(name);
                let Hash([a, b, c, d, ..]) = Hash::of(folder.as_os_str().as_bytes());
                number = u32::from_le_bytes([a, b, c, d]).max(NO_FOLDER + 1);
            }
            *at_depth = number;
        }
        Self(numbers)
    }

    /// Of a content that lies in these and in the `other` folders.
    pub fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|depth| if self.0[depth] == other.0[depth] { self.0[depth] } else { NO_FOLDER }))
    }

    /// What stands for the folder cut at a depth from 1 on.
    pub fn at_depth(self, depth: usize) -> Option<u32> {
        self.0.get(depth - 1).copied().filter(|number| *number != NO_FOLDER)
    }

    /// As stored in the catalog.
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// Reads them again; what another version wrote counts as no folder.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (numbers, rest) = bytes.as_chunks::<NUMBER_BYTES>();
        let numbers: Vec<u32> = numbers.iter().map(|number| u32::from_le_bytes(*number)).collect();
        let numbers = <[u32; DEEPEST_FOLDER]>::try_from(numbers).ok().filter(|_| rest.is_empty());
        numbers.map(Self).unwrap_or_default()
    }
}

/// Whether pictures lie in at least two folders: of one alone nothing can be learned.
pub fn has_folders(pictures: &[FolderNumbers]) -> bool {
    (0..DEEPEST_FOLDER).any(|depth| {
        let mut folders = pictures.iter().map(|numbers| numbers.0[depth]).filter(|number| *number != NO_FOLDER);
        folders.next().is_some_and(|first| folders.any(|other| other != first))
    })
}

/// How many pictures lie with others than before, at the depth at which most do; a pair for each picture: before, and now.
pub fn count_regrouped(pictures: &[(FolderNumbers, FolderNumbers)]) -> usize {
    (0..DEEPEST_FOLDER)
        .map(|depth| regrouped_at_one_depth(pictures.iter().map(|(before, now)| (before.0[depth], now.0[depth]))))
        .max()
        .unwrap_or(0)
}

/// Each folder is taken to be the earlier one from which it has most of its pictures; the others have moved.
fn regrouped_at_one_depth(pictures: impl Iterator<Item = (u32, u32)>) -> usize {
    let mut pairs: Vec<(u32, u32)> = pictures.collect();
    // Nearly always everything lies where it did.
    let renamed = pairs.iter().filter(|(before, now)| before != now).count();
    if renamed == 0 {
        return 0;
    }
    pairs.sort_unstable();
    let mut shared: Vec<_> = pairs.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0])).collect();
    shared.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    // Pictures in no folder do not lie together.
    let (mut former, mut present) = (HashSet::from([NO_FOLDER]), HashSet::from([NO_FOLDER]));
    let mut together = 0;
    for (count, (before, now)) in shared {
        let is_same_folder = !former.contains(&before) && !present.contains(&now);
        if is_same_folder {
            former.insert(before);
            present.insert(now);
        }
        together += if is_same_folder || (before, now) == (NO_FOLDER, NO_FOLDER) { count } else { 0 };
    }
    renamed.min(pairs.len() - together)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regrouped(moves: &[(&str, &str, usize)]) -> usize {
        let pair = |(before, now, _): &(&str, &str, usize)| {
            (FolderNumbers::of(Path::new(before)), FolderNumbers::of(Path::new(now)))
        };
        let pairs: Vec<_> = moves.iter().flat_map(|one| vec![pair(one); one.2]).collect();
        count_regrouped(&pairs)
    }

    #[test]
    fn renamed_folders_are_the_same_grouping() {
        assert_eq!(regrouped(&[("a/1", "a/1", 9), ("b/1", "b/1", 5), ("1", "1", 3)]), 0);
        assert_eq!(regrouped(&[("a/1", "c/1", 9), ("b/1", "b/1", 5), ("1", "1", 3)]), 0);
        assert_eq!(regrouped(&[("a/1", "b/1", 9), ("b/1", "a/1", 5)]), 0, "two have changed their names");
        assert_eq!(regrouped(&[("a/x/1", "b/x/1", 9), ("a/y/1", "b/y/1", 5), ("c/1", "c/1", 4)]), 0);
    }

    #[test]
    fn pictures_that_lie_with_others_are_counted() {
        assert_eq!(regrouped(&[("a/1", "a/1", 9), ("a/1", "b/1", 2), ("b/1", "b/1", 5)]), 2, "moved");
        assert_eq!(regrouped(&[("a/1", "a/1", 9), ("b/1", "a/1", 5)]), 5, "two folders made one");
        assert_eq!(regrouped(&[("a/1", "a/1", 9), ("a/1", "b/1", 5)]), 5, "one made two");
        assert_eq!(regrouped(&[("1", "a/1", 9), ("1", "1", 5)]), 9, "sorted");
        assert_eq!(regrouped(&[("a/1", "1", 9), ("b/1", "b/1", 5)]), 9, "taken out");
        assert_eq!(regrouped(&[("a/1", "c/1", 9), ("a/1", "b/1", 2), ("b/1", "b/1", 5)]), 2, "moved and renamed");
        assert_eq!(regrouped(&[("a/1", "x/1", 5), ("a/1", "y/1", 5), ("b/1", "x/1", 5), ("b/1", "y/1", 5)]), 10);
    }

    #[test]
    fn the_depth_at_which_most_has_changed_counts() {
        // The finest folders are the same, but what lies above them is not.
        assert_eq!(regrouped(&[("a/x/1", "a/x/1", 9), ("a/y/1", "b/y/1", 5), ("b/z/1", "b/z/1", 7)]), 5);
        assert_eq!(regrouped(&[("a/x/1", "a/y/1", 4), ("a/x/1", "a/x/1", 9), ("b/1", "b/1", 2)]), 4);
    }

    #[test]
    fn of_several_folders_what_they_share_counts_and_bytes_come_back() {
        let [one, other, elsewhere] = ["a/x/1", "a/y/1", "b/1"].map(|path| FolderNumbers::of(Path::new(path)));
        assert_eq!(one.and(other).0[0], one.0[0]);
        assert!(one.and(other).0[1..].iter().all(|number| *number == NO_FOLDER));
        assert_eq!(one.and(elsewhere), FolderNumbers::default());
        assert_eq!(FolderNumbers::of(Path::new("1")), FolderNumbers::default());
        assert_eq!(FolderNumbers::from_bytes(&one.to_bytes()), one);
        assert_eq!(FolderNumbers::from_bytes(&one.to_bytes()[1..]), FolderNumbers::default());
        assert!(has_folders(&[one, other]) && !has_folders(&[one, one, FolderNumbers::default()]));
    }
}
