//! `artificio check`: what is or will go wrong, each with the line that mends it.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::arguments::JsonOption;
use super::output;
use crate::catalog::{Catalog, Root};
use crate::config::{self, Config};
use crate::daemon::{EMPTIED_ON_PURPOSE, Setup};
use crate::error::{Fatal, Trouble};
use crate::watch::{WATCH_LIMIT, is_ignored};

pub fn run(options: &JsonOption, setup: &Setup) -> Result<ExitCode, Fatal> {
    let problems = problems(setup);
    if options.json {
        output::print_json(&serde_json::json!({ "ok": problems.is_empty(), "problems": problems }))?;
    } else if problems.is_empty() {
        println!("all is well with {}", setup.root.display());
    } else {
        for problem in &problems {
            println!("{}: {}\n    mend: {}", problem.path.display(), problem.what, problem.remedy);
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn problems(setup: &Setup) -> Vec<Trouble> {
    if !setup.root.is_dir() {
        let remedy = format!(
            "name the folder that holds query/ and db/ with --root, or make it: mkdir -p '{}'",
            setup.root.display()
        );
        return vec![Trouble::new("there is no such folder", &setup.root, remedy)];
    }
    let config = match config::load(&setup.source, &setup.root) {
        Ok(config) => config,
        Err(message) => {
            let remedy = match message.contains('^') {
                true => "mend the line pointed at; README.md says where every setting is explained",
                false => "mend the settings, or name another file with --config",
            };
            return vec![Trouble::new(message, &setup.source.path, remedy)];
        }
    };
    let read = config.folders.read().into_iter().filter_map(|(name, folder)| unreadable(name, folder));
    let written = config.folders.written().into_iter().filter_map(|(name, folder)| unwritable(name, folder));
    read.chain(written).chain(too_many_folders(&config)).chain(emptied_inventory(&config)).collect()
}

/// An inventory that is empty all at once may be a disk that is not mounted: the daemon keeps what it knew, until told.
fn emptied_inventory(config: &Config) -> Option<Trouble> {
    let folder = &config.folders.inventory;
    let is_bare =
        fs::read_dir(folder).map_or(true, |entries| entries.flatten().all(|entry| is_ignored(&entry.file_name())));
    let known = Catalog::open_reader(&config.folders.state).and_then(|catalog| catalog.files(Root::Inventory)).ok()?;
    (is_bare && !known.is_empty()).then(|| {
        let what = format!("the inventory is empty or out of reach, but {} pictures are known of it", known.len());
        let told = config.folders.state.join(EMPTIED_ON_PURPOSE);
        let remedy = format!("mount or restore it; if it was emptied on purpose: touch '{}'", told.display());
        Trouble::new(what, folder, remedy)
    })
}

fn unreadable(name: &str, folder: &Path) -> Option<Trouble> {
    let error = fs::read_dir(folder).err()?;
    let mut trouble = Trouble::system(&format!("look into the {name} folder"), folder, &error);
    if error.kind() == std::io::ErrorKind::NotFound {
        trouble.remedy = format!("mkdir -p '{}' (artificio makes it when it starts)", folder.display());
    }
    Some(trouble)
}

fn unwritable(name: &str, folder: &Path) -> Option<Trouble> {
    if let Some(trouble) = unreadable(name, folder) {
        return Some(trouble);
    }
    // Asking the system about permissions is not enough: disks are full or read-only too.
    let probe = folder.join(format!(".artificio-check-{}", std::process::id()));
    let result = fs::write(&probe, b"artificio").and_then(|()| fs::remove_file(&probe));
    result.err().map(|error| Trouble::system(&format!("write into the {name} folder"), folder, &error))
}

fn too_many_folders(config: &Config) -> Option<Trouble> {
    let limit: usize = fs::read_to_string(WATCH_LIMIT).ok()?.trim().parse().ok()?;
    let folders: usize = config.folders.read().iter().map(|(_, folder)| count_folders(folder)).sum();
    (folders > limit).then(|| {
        let remedy = format!("sudo sysctl fs.inotify.max_user_watches={}", (folders * 2).next_power_of_two());
        Trouble::new(format!("{folders} folders are to be watched, the system allows {limit}"), WATCH_LIMIT, remedy)
    })
}

fn count_folders(folder: &Path) -> usize {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_ignored(&entry.file_name()));
    1 + folders.map(|entry| count_folders(&entry.path())).sum::<usize>()
}
