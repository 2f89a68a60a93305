//! Which pairs of pictures are asked for: by the folders they lie in, and by what the user has said of them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::not_same::NotTheSame;
use crate::config::Inventory;
use crate::dedup::{ComparePairs, Link};
use crate::error::{Fatal, Trouble};
use crate::overview::InventoryContents;

/// What the user asks for.
pub struct PairScope<'a> {
    pub contents: &'a InventoryContents,
    pub not_same: NotTheSame,
    /// Only copies of what lies in this folder, relative to the inventory folder.
    pub reference: Option<PathBuf>,
    /// Only copies in different folders.
    pub across_folders: bool,
}

impl PairScope<'_> {
    /// Whether two contents may be linked at all. What lies in one folder only is no link where folders have to differ.
    pub fn allows(&self, one: usize, other: usize) -> bool {
        let Self { contents, not_same, .. } = self;
        if not_same.contains(contents.hashes[one], contents.hashes[other]) {
            return false;
        }
        !self.across_folders || folders(contents.paths[one].iter().chain(&contents.paths[other])) > 1
    }

    /// Whether a group of these files is asked for.
    pub fn wants<'b>(&self, files: impl Iterator<Item = &'b PathBuf> + Clone) -> bool {
        let is_wanted_by_reference = self.reference.as_ref().is_none_or(|folder| {
            let lies_there = |path: &&PathBuf| path.starts_with(folder);
            files.clone().any(|path| lies_there(&path)) && !files.clone().all(|path| lies_there(&path))
        });
        is_wanted_by_reference && (!self.across_folders || folders(files) > 1)
    }
}

/// In how many folders files lie.
fn folders<'a>(files: impl Iterator<Item = &'a PathBuf>) -> usize {
    files.map(|path| path.parent()).collect::<HashSet<_>>().len()
}

/// Compares only what is allowed.
pub struct AllowedPairs<'a> {
    pub scope: &'a PairScope<'a>,
    pub compare: &'a dyn ComparePairs,
}

impl ComparePairs for AllowedPairs<'_> {
    fn links(&self, one: usize, others: &[usize]) -> Result<Vec<Option<Link>>, Trouble> {
        let links = self.compare.links(one, others)?;
        let allowed = |(link, other): (Option<Link>, &usize)| link.filter(|_| self.scope.allows(one, *other));
        Ok(links.into_iter().zip(others).map(allowed).collect())
    }
}

/// A folder of the inventory, relative to it: as it stands there, or named from elsewhere.
pub fn inventory_folder(folder: &Path, inventory: &Inventory) -> Result<PathBuf, Fatal> {
    let relative = relative(folder, inventory)?;
    if inventory.join(&relative).is_dir() {
        return Ok(relative);
    }
    let what = "no such folder in the inventory";
    Err(Fatal::Usage(format!("{}: {what} ({})", folder.display(), inventory.shown())))
}

/// A path as it stands below the inventory folder.
pub fn relative(path: &Path, inventory: &Inventory) -> Result<PathBuf, Fatal> {
    let without_dots = |path: &Path| -> PathBuf { path.components().collect() };
    if path.is_relative() && inventory.join(path).exists() {
        return Ok(path.components().filter(|part| *part != std::path::Component::CurDir).collect());
    }
    let named = std::path::absolute(path).map_err(|error| Fatal::Usage(format!("{}: {error}", path.display())))?;
    let resolved = named.canonicalize().unwrap_or_else(|_| without_dots(&named));
    let inventory = inventory.resolved();
    let below = inventory.relative(&named).or_else(|| inventory.relative(&resolved));
    below.ok_or_else(|| {
        let what = "this is not in the inventory folder";
        Fatal::Usage(format!("{}: {what} ({})", path.display(), inventory.shown()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::Hash;

    fn contents(paths: &[&[&str]]) -> InventoryContents {
        let paths: Vec<Vec<PathBuf>> = paths.iter().map(|of_one| of_one.iter().map(PathBuf::from).collect()).collect();
        let hashes = (0..paths.len()).map(|at| Hash([at as u8; 32])).collect();
        InventoryContents { paths, hashes, ..InventoryContents::default() }
    }

    #[test]
    fn folders_decide_what_is_asked_for() {
        let contents = contents(&[&["a/1.jpg"], &["a/2.jpg"], &["b/3.jpg", "a/3.jpg"], &["a/b/4.jpg"]]);
        let scope = |reference: Option<&str>, across_folders| PairScope {
            contents: &contents,
            not_same: NotTheSame::default(),
            reference: reference.map(PathBuf::from),
            across_folders,
        };
        let files = |at: &[usize]| -> Vec<PathBuf> { at.iter().flat_map(|at| contents.paths[*at].clone()).collect() };
        let wants = |scope: &PairScope<'_>, at: &[usize]| scope.wants(files(at).iter());
        let across = scope(None, true);
        assert!(!across.allows(0, 1) && across.allows(0, 2) && across.allows(0, 3), "a folder within is another");
        assert!(!wants(&across, &[0, 1]) && wants(&across, &[2]) && wants(&across, &[0, 1, 3]));
        let of_b = scope(Some("b"), false);
        assert!(wants(&of_b, &[0, 2]) && !wants(&of_b, &[0, 1]) && wants(&of_b, &[2]));
        assert!(!wants(&scope(Some("a"), false), &[0, 1, 3]), "nothing of it lies elsewhere");
        assert!(wants(&scope(None, false), &[0, 1]) && scope(None, false).allows(0, 1));
    }
}
