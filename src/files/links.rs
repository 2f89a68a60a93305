//! The folder of links to the folders of an inventory of several.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{make_private_folder, unfinished_path};
use crate::error::Trouble;

/// Its group may follow the links, if it may enter the state folder: the page and `artificio query` read pictures through them.
const MODE: u32 = 0o750;

/// Makes `folder` hold a link to each of these, by their names, and nothing else. What is right already is not touched.
pub fn make_links(folder: &Path, named: &BTreeMap<String, PathBuf>) -> Result<(), Trouble> {
    make_private_folder(folder)?;
    let made = || -> io::Result<()> {
        fs::set_permissions(folder, fs::Permissions::from_mode(MODE))?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let is_right = |name: &str| named.get(name).is_some_and(|to| is_link_to(&entry.path(), to));
            if !entry.file_name().to_str().is_some_and(is_right) {
                fs::remove_file(entry.path())?;
            }
        }
        for (name, to) in named {
            let link = folder.join(name);
            if !is_link_to(&link, to) {
                let unfinished = unfinished_path(&link).map_err(|trouble| io::Error::other(trouble.what))?;
                symlink(to, &unfinished)?;
                fs::rename(&unfinished, &link)?;
            }
        }
        Ok(())
    };
    made().map_err(|error| Trouble::system("make the links to the inventory's folders in", folder, &error))
}

fn is_link_to(link: &Path, to: &Path) -> bool {
    fs::read_link(link).is_ok_and(|target| target == to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_links_are_those_of_the_settings() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("inventory.links");
        let named = |list: &[(&str, &str)]| list.iter().map(|(name, to)| ((*name).into(), (*to).into())).collect();
        let found = || {
            let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            entries
                .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_link(path).unwrap()))
                .collect()
        };
        for list in [&[("a", "/srv/a"), ("b", "/srv/b")][..], &[("a", "/mnt/a"), ("c", "/gone")], &[("c", "/gone")]] {
            let wanted: BTreeMap<String, PathBuf> = named(list);
            make_links(&folder, &wanted).unwrap();
            make_links(&folder, &wanted).unwrap();
            let found: BTreeMap<String, PathBuf> = found();
            assert_eq!(found, wanted);
            assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, MODE);
        }
    }
}
