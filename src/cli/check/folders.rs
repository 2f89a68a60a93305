//! Checks the five folders: whether they exist, are readable and writable, and on a file system that reports changes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::Access;

use super::Findings;
use super::survey::FolderSurvey;
use crate::config::FolderSettings;
use crate::error::{Trouble, reason};
use crate::watch::without_events;

pub(super) fn look(root: &Path, folders: &FolderSettings, survey: &FolderSurvey, found: &mut Findings) {
    let all: Vec<_> = folders.read().into_iter().chain(folders.written()).collect();
    if all.iter().all(|(_, folder)| !folder.exists()) {
        return look_at_new_root(root, found);
    }
    // Without a state folder the service has never run here, and will make what is missing.
    let is_new = !folders.state.exists();
    let (missing, all): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, folder)| is_new && !folder.exists());
    if !missing.is_empty() {
        let places =
            missing.iter().map(|(_, folder)| folder.strip_prefix(root).unwrap_or(folder).display().to_string());
        let what = format!("not there yet: {}", places.collect::<Vec<_>>().join(", "));
        let remedy = format!("artificio --root '{}' (makes them when it starts)", root.display());
        found.notes.push(Trouble::new(what, root, remedy));
    }
    for (name, folder) in all {
        let is_written = folders.written().iter().any(|(_, written)| *written == folder);
        let is_made = name != "inventory" || folders.inventory.named().is_empty();
        match inaccessible(name, folder, is_written, is_made) {
            Some(trouble) => found.problems.push(trouble),
            None => found.notes.extend(no_events(name, folder).filter(|_| !is_written)),
        }
    }
    for (path, error) in &survey.unreadable {
        let what = format!("cannot be read: {}", reason(error));
        found.problems.push(Trouble::new(what, path, format!("sudo chmod -R a+rX '{}'", path.display())));
    }
}

/// Nothing can be found in an empty inventory. One that was emptied is a problem already, which `kept` finds.
pub(super) fn look_for_pictures(
    folders: &FolderSettings,
    survey: &FolderSurvey,
    settings: &Path,
    found: &mut Findings,
) {
    let places = folders.inventory.places();
    let Some(inventory) = places.first().filter(|place| place.is_dir()) else { return };
    let is_known = found.problems.iter().any(|problem| places.contains(&problem.path.as_path()));
    if survey.inventory > 0 || is_known {
        return;
    }
    let what = "the inventory is empty: queries will find nothing";
    let remedy = format!(
        "put pictures there, in folders if you like; or name the folder where yours are: inventory in [folders] of {}",
        settings.display()
    );
    found.notes.push(Trouble::new(what, inventory, remedy));
}

/// Before the first start there is nothing yet; the service makes everything, if it has the permission.
fn look_at_new_root(root: &Path, found: &mut Findings) {
    match ask_access(root, Access::WRITE_OK | Access::EXEC_OK) {
        Err(error) => found.problems.push(no_access("make the folders", root, true, &error)),
        Ok(()) => {
            let what = "query/, db/ and answer/ are not there yet";
            let remedy = format!("artificio --root '{}' (makes them when it starts)", root.display());
            found.notes.push(Trouble::new(what, root, remedy));
        }
    }
}

/// Why a folder cannot be used; one that `is_made` is made by the service.
fn inaccessible(name: &str, folder: &Path, is_written: bool, is_made: bool) -> Option<Trouble> {
    if let Err(error) = fs::read_dir(folder) {
        return Some(match error.kind() {
            ErrorKind::NotFound if !is_made => {
                let remedy = "mount it, make it, or take it out of `inventory` in [folders]";
                Trouble::new("this folder of the inventory is not there", folder, remedy)
            }
            ErrorKind::NotFound => {
                let remedy = format!("mkdir -p '{}' (artificio makes it when it starts)", folder.display());
                Trouble::new(format!("there is no {name} folder"), folder, remedy)
            }
            ErrorKind::NotADirectory => {
                let remedy = format!("mv '{0}' '{0}.aside'", folder.display());
                Trouble::new(format!("the {name} folder is not a folder"), folder, remedy)
            }
            _ => no_access(&format!("look into the {name} folder"), folder, is_written, &error),
        });
    }
    let asked = if is_written { Access::WRITE_OK | Access::EXEC_OK } else { Access::READ_OK | Access::EXEC_OK };
    let doing = if is_written { "write into" } else { "read what is in" };
    ask_access(folder, asked)
        .err()
        .map(|error| no_access(&format!("{doing} the {name} folder"), folder, is_written, &error))
}

/// Asks the system; nothing is written. It also knows of a read-only disk; a full one is found by `space`.
fn ask_access(folder: &Path, asked: Access) -> io::Result<()> {
    rustix::fs::access(folder, asked).map_err(Into::into)
}

fn no_access(doing: &str, folder: &Path, is_written: bool, error: &io::Error) -> Trouble {
    let mut trouble = Trouble::system(doing, folder, error);
    if error.kind() == ErrorKind::PermissionDenied {
        trouble.remedy = if is_written {
            format!("sudo chown -R {} '{}'", rustix::process::geteuid().as_raw(), folder.display())
        } else {
            format!("sudo chmod -R a+rX '{}'", folder.display())
        };
    } else if error.kind() == ErrorKind::ReadOnlyFilesystem {
        let command = "sudo mount -o remount,rw \"$(findmnt -n -o TARGET --target";
        trouble.remedy = format!("{command} '{}')\"", folder.display());
    }
    trouble
}

fn no_events(name: &str, folder: &Path) -> Option<Trouble> {
    let system = without_events(folder)?;
    let what =
        format!("the {name} folder is on {system}, which may change without notice: it is scanned regularly as well");
    let remedy = "nothing needs to be done; poll_s in [watch] sets how often";
    Some(Trouble::new(what, folder, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_place_is_a_note_and_half_a_store_is_a_problem() {
        let root = tempfile::tempdir().unwrap();
        let folders = FolderSettings::default().below(root.path());
        let mut found = Findings::default();
        look(root.path(), &folders, &FolderSurvey::of(&folders), &mut found);
        assert_eq!((found.problems.len(), found.notes.len()), (0, 1), "{found:?}");

        // As the first steps of the readme leave it.
        fs::create_dir_all(&folders.inventory).unwrap();
        let mut found = Findings::default();
        look(root.path(), &folders, &FolderSurvey::of(&folders), &mut found);
        assert_eq!((found.problems.len(), found.notes.len()), (0, 1), "{found:?}");
        assert_eq!(found.notes[0].what, "not there yet: query, db/img_train_raw, answer, db/state");

        for folder in [&*folders.query, &folders.inventory, &folders.training, &folders.answer] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(&folders.state, b"").unwrap();
        fs::remove_dir(&folders.training).unwrap();
        let mut found = Findings::default();
        look(root.path(), &folders, &FolderSurvey::of(&folders), &mut found);
        let problems: Vec<_> = found.problems.iter().map(|problem| problem.what.as_str()).collect();
        assert_eq!(problems, ["there is no training folder", "the state folder is not a folder"]);
        assert!(found.problems[1].remedy.starts_with("mv "));
    }

    #[test]
    fn an_empty_inventory_is_a_note_once() {
        let root = tempfile::tempdir().unwrap();
        let folders = FolderSettings::default().below(root.path());
        let notes = |problems: Vec<Trouble>| {
            let mut found = Findings { problems, notes: Vec::new() };
            look_for_pictures(&folders, &FolderSurvey::of(&folders), Path::new("/c.toml"), &mut found);
            found.notes.len()
        };
        assert_eq!(notes(Vec::new()), 0, "there is no such folder, which is said already");
        fs::create_dir_all(folders.inventory.join("shirts")).unwrap();
        assert_eq!(notes(Vec::new()), 1);
        assert_eq!(notes(vec![Trouble::new("it was emptied", &*folders.inventory, "")]), 0);
        fs::write(folders.inventory.join("shirts/a.jpg"), b"x").unwrap();
        assert_eq!(notes(Vec::new()), 0);
    }

    #[test]
    fn a_folder_without_access_names_the_command_that_gives_it() {
        let denied = io::Error::from_raw_os_error(13);
        let read = no_access("look into the query folder", Path::new("/q"), false, &denied);
        assert_eq!(read.remedy, "sudo chmod -R a+rX '/q'");
        assert!(no_access("write", Path::new("/q"), true, &denied).remedy.starts_with("sudo chown -R "));
        let read_only = io::Error::from_raw_os_error(30);
        assert!(no_access("write", Path::new("/q"), true, &read_only).remedy.contains("remount,rw"));
    }
}
