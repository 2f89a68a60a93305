//! Checks the stored state of the service: the catalog, its model, what it knows of the inventory; and whether it runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Findings;
use crate::catalog::{Catalog, CatalogState, FILE_NAME, Root};
use crate::config::{Config, FolderSettings};
use crate::daemon::{EMPTIED_ON_PURPOSE, mounts};
use crate::error::Trouble;
use crate::model::{FeatureKind, Model};
use crate::network::features_in_force;
use crate::service_status;
use crate::watch::is_ignored;

pub(super) fn look(config: &Config, is_running: bool, found: &mut Findings) {
    let folders = &config.folders;
    if is_running {
        found.notes.push(running(folders));
    }
    let path = folders.state.join(FILE_NAME);
    match Catalog::inspect(&folders.state) {
        Err(trouble) => found.problems.push(trouble),
        Ok(CatalogState::Missing) => {}
        Ok(CatalogState::Older(version)) => {
            let what = format!("the catalog is of version {version} and is upgraded at the next start");
            let remedy = "nothing needs to be done; the way back stands in docs/administration.md";
            found.notes.push(Trouble::new(what, &path, remedy));
        }
        Ok(CatalogState::Unusable(reason)) => {
            let what = format!("the catalog {reason}: it would be moved away and everything read again");
            let remedy = format!(
                "mv '{0}' '{0}.aside' (to have it rebuilt), or install the artificio that wrote it",
                path.display()
            );
            found.problems.push(Trouble::new(what, &path, remedy));
        }
        Ok(CatalogState::Current(catalog)) => {
            found.notes.extend(useless_model(&catalog, &features_in_force(config), &path));
            found.problems.extend(emptied_folders(&catalog, folders));
        }
    }
}

/// A second `artificio run` would end with exit code 3.
fn running(folders: &FolderSettings) -> Trouble {
    let text = service_status::read(&folders.state).unwrap_or_default();
    let status: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let pid = status.get("pid").and_then(serde_json::Value::as_u64);
    let stop = pid.map(|pid| format!("; to end it: kill {pid}")).unwrap_or_default();
    let remedy = format!("nothing needs to be done; artificio status says what it does{stop}");
    Trouble::new("an instance works on these folders", &folders.state, remedy)
}

/// A model that this program cannot use costs one training, no more.
fn useless_model(catalog: &Catalog, kind: &FeatureKind, path: &Path) -> Option<Trouble> {
    let remedy = "nothing needs to be done; a new one is trained by itself when the service runs";
    let what = match catalog.current_model() {
        Ok(None) => return None,
        Err(trouble) => return Some(trouble),
        Ok(Some(row)) => match Model::from_row(&row, kind) {
            Ok(Some(_)) => return None,
            Ok(None) => format!(
                "the model {} is of the encoder \"{}\" and its features {}, which are not those of the settings",
                row.id,
                row.encoder.name(),
                row.features_version
            ),
            Err(trouble) => format!("the model {}: {}", row.id, trouble.what),
        },
    };
    Some(Trouble::new(what, path, remedy))
}

/// An inventory that is suddenly empty, or a folder in which a disk was mounted, may be a disk that is not mounted: the service
/// keeps what it knew until it is told.
fn emptied_folders(catalog: &Catalog, folders: &FolderSettings) -> Vec<Trouble> {
    let mounts = mounts::load(&folders.state);
    let mounts = mounts.iter().flat_map(|(root, paths)| paths.iter().map(|path| (*root, path.as_path())));
    // Absolute: the disk that the whole folder lies on.
    let places = mounts.map(|(root, path)| (root, if path.is_absolute() { Path::new("") } else { path }));
    let places: BTreeSet<(Root, &Path)> = places.chain([(Root::Inventory, Path::new(""))]).collect();
    places.into_iter().filter_map(|(root, path)| emptied_folder(catalog, folders, root, path)).collect()
}

fn emptied_folder(catalog: &Catalog, folders: &FolderSettings, root: Root, path: &Path) -> Option<Trouble> {
    let folder = match root {
        Root::Query => return None,
        Root::Inventory => folders.inventory.absolute(path),
        Root::Training => folders.training.join(path),
    };
    let is_empty =
        fs::read_dir(&folder).map_or(true, |entries| entries.flatten().all(|entry| is_ignored(&entry.file_name())));
    if !is_empty {
        return None;
    }
    let known = catalog.files(root).ok()?.iter().filter(|file| file.path.starts_with(path)).count();
    let name = match (root, path.as_os_str().is_empty()) {
        (Root::Inventory, true) => "the inventory",
        (_, true) => "the training folder",
        (_, false) => "the folder of a disk",
    };
    (known > 0).then(|| {
        let what = format!("{name} is empty or cannot be read, but {known} of its pictures are known");
        let marker = folders.state.join(EMPTIED_ON_PURPOSE);
        let remedy = format!("mount or restore it; if it was emptied on purpose: touch '{}'", marker.display());
        Trouble::new(what, folder, remedy)
    })
}
