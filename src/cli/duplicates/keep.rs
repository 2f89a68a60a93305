//! Which copy of a group is the one to keep, and what is known of each file to decide it.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::scope::inventory_folder;
use crate::base::parallel::map_followed;
use crate::config::Inventory;
use crate::error::Fatal;
use crate::files::FileAt;
use crate::picture::{self, Bounds};
use crate::progress::Progress;

/// By what the copy to keep is chosen.
pub enum KeepRule {
    /// The most pixels, then the most bytes.
    Largest,
    /// The earliest last change.
    Oldest,
    /// All that lie in a folder, relative to the inventory folder; the largest where none does.
    Folder(PathBuf),
}

/// What a file says of itself, without its pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileFacts {
    /// Width and height in pixels, upright.
    pub size: Option<(u32, u32)>,
    pub bytes: Option<u64>,
    /// The last change, nanoseconds since 1970.
    pub mtime_ns: Option<i64>,
}

impl KeepRule {
    /// From the command line: `largest`, `oldest`, or a folder of the inventory.
    pub fn of(text: &Path, inventory: &Inventory) -> Result<Self, Fatal> {
        match text.to_str() {
            Some("largest") => Ok(Self::Largest),
            Some("oldest") => Ok(Self::Oldest),
            _ => inventory_folder(text, inventory).map(Self::Folder),
        }
    }

    /// Which of `files`, in the order of their paths, are kept: at least one of any.
    pub fn kept(&self, files: &[(&Path, FileFacts)]) -> Vec<bool> {
        if let Self::Folder(folder) = self
            && files.iter().any(|(path, _)| path.starts_with(folder))
        {
            return files.iter().map(|(path, _)| path.starts_with(folder)).collect();
        }
        let pixels = |facts: &FileFacts| facts.size.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
        let size = |at: &usize| Reverse((pixels(&files[*at].1), files[*at].1.bytes));
        let age = |at: &usize| files[*at].1.mtime_ns.unwrap_or(i64::MAX);
        let best = match self {
            Self::Largest | Self::Folder(_) => (0..files.len()).min_by_key(size),
            Self::Oldest => (0..files.len()).min_by_key(|at| (age(at), size(at))),
        };
        (0..files.len()).map(|at| Some(at) == best).collect()
    }
}

/// The facts of files below the inventory folder, in their order; nothing of those that cannot be read. `None` when the work was
/// cancelled.
pub fn facts(files: &[PathBuf], inventory: &Path, bounds: &Bounds, progress: &dyn Progress) -> Option<Vec<FileFacts>> {
    map_followed(files.len(), progress, |at| {
        let place = FileAt::below(inventory, &files[at]);
        let Ok(contents) = picture::read_still(&place, bounds) else { return FileFacts::default() };
        let opened = picture::open(&contents.bytes, &place.absolute(), bounds).ok();
        FileFacts {
            size: opened.map(|opened| opened.size()),
            bytes: Some(contents.stamp.size),
            mtime_ns: Some(contents.stamp.mtime_ns),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_the_oldest_or_a_folder_is_kept() {
        let facts =
            |size, bytes, mtime_ns| FileFacts { size: Some(size), bytes: Some(bytes), mtime_ns: Some(mtime_ns) };
        let files = [
            (Path::new("a/small.jpg"), facts((100, 80), 900, 3)),
            (Path::new("b/large.jpg"), facts((80, 200), 500, 2)),
            (Path::new("b/large_more_bytes.jpg"), facts((200, 80), 700, 2)),
            (Path::new("c/gone.jpg"), FileFacts::default()),
        ];
        let kept = |rule: KeepRule| rule.kept(&files);
        assert_eq!(kept(KeepRule::Largest), [false, false, true, false]);
        assert_eq!(kept(KeepRule::Oldest), [false, false, true, false], "of one age the larger");
        assert_eq!(kept(KeepRule::Folder("b".into())), [false, true, true, false]);
        assert_eq!(kept(KeepRule::Folder("elsewhere".into())), [false, false, true, false]);
        let unread = [(Path::new("x"), FileFacts::default()), (Path::new("y"), FileFacts::default())];
        assert_eq!(KeepRule::Oldest.kept(&unread), [true, false], "never none");
    }
}
