//! Confines the service to its folders where a service manager started it.
//!
//! What it is confined to is bound to the folders that are there at the start. When another one takes the place of one of them, the
//! service ends in order, and the service manager starts it again with the folders that are there then: hence only there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use log::info;

use super::reporting::manager;
use super::start::{make_inventory_links, make_watched_folders};
use super::{Daemon, Observer};
use crate::config::{self, Config, Setup};
use crate::error::{Fatal, Trouble};
use crate::files::{make_folder, make_state_folder};
use crate::on_answer::CommandHelper;
use crate::sandbox::{Confinement, SandboxFolders};

/// It does not end sooner after its start. The unit allows five starts in two minutes; whoever may exchange folders must not be able
/// to use them up.
const SOONEST_END: Duration = Duration::from_secs(30);

/// Confines this process, which must have no other threads yet.
pub(super) fn begin(setup: &Setup, observer: &dyn Observer) -> Result<Arc<Confinement>, Fatal> {
    if !observer.waits() {
        return Ok(Arc::new(Confinement::none("this is a command, not the service")));
    }
    if !manager::is_above() {
        let reason = "no service manager started it, which could start it again when one of its folders is exchanged";
        return Ok(Arc::new(Confinement::none(reason)));
    }
    let config = config::load(&setup.source, &setup.root)?;
    // What cannot be made is reported when it is used.
    let _ = make_watched_folders(&config);
    let _ = make_folder(&config.folders.answer);
    let _ = make_state_folder(&config.folders.state);
    let _ = make_inventory_links(&config);
    if config.index.is_shared() {
        let _ = make_folder(&config.node.shared);
    }
    let confinement = Confinement::enter(&folders(setup, &config));
    info!("confined {}", confinement.report().message);
    Ok(Arc::new(confinement))
}

/// Starts the process for `on_answer`, which is not confined: whatever command is set must work, and it is told no more than names
/// of answers.
pub(super) fn start_helper(setup: &Setup, observer: &dyn Observer) -> Result<Option<Arc<CommandHelper>>, Fatal> {
    let config = config::load(&setup.source, &setup.root)?;
    // A command of this program, such as `train`, gives no answers.
    if !observer.waits() || config.answer.on_answer.is_empty() {
        return Ok(None);
    }
    let helper = CommandHelper::start(&config.folders.answer, &config.answer.on_answer)?;
    Ok(Some(Arc::new(helper)))
}

/// The root folder is among them: what is exchanged below it is read without a new start.
fn folders(setup: &Setup, config: &Config) -> SandboxFolders {
    let watched = config.folders.read().into_iter().map(|(_, folder)| folder);
    let written = config.folders.written().map(|(_, folder)| folder.to_path_buf());
    let read = watched.into_iter().map(Path::to_path_buf).chain(settings_folders(&setup.source.path));
    let (index, node) = (&config.index, &config.node);
    let connects = index.is_shared();
    // What the names of hosts are looked up in, and the inventories of other nodes.
    let of_network = ["/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"];
    let of_engine = [index.ca_file.clone(), index.token_file.clone()];
    let of_node = of_network.iter().map(PathBuf::from).chain(node.mounts()).chain(of_engine);
    let shared = connects.then(|| node.shared.clone());
    SandboxFolders {
        read: read.chain([setup.root.clone()]).chain(of_node.filter(|_| connects)).collect(),
        written: written.into_iter().chain(shared).collect(),
        rearranged: Vec::new(),
        connects,
    }
}

/// Where the settings file is, and where that is if it is a link.
fn settings_folders(path: &Path) -> impl Iterator<Item = PathBuf> {
    let files = [Some(path.to_path_buf()), path.canonicalize().ok()];
    files.into_iter().flatten().filter_map(|file| Some(file.parent()?.to_path_buf()))
}

/// The folder that this process can no longer use, but the next one could.
fn out_of_reach(confinement: &Confinement, settings: &Path, config: &Config) -> Option<PathBuf> {
    let folders = &config.folders;
    let mut read = folders.read().into_iter().map(|(_, folder)| folder.to_path_buf()).chain(settings_folders(settings));
    let lost = read.find(|folder| confinement.has_lost(folder, false));
    let written = [&folders.answer, &folders.state].into_iter().find(|folder| confinement.has_lost(folder, true));
    // The state folder is waited for, in case it comes back.
    let missing = Some(&folders.answer).filter(|folder| confinement.keeps_from_making(folder));
    lost.or(written.cloned()).or(missing.cloned())
}

/// Why the service must end so that it is started again; or, for as long as it is too soon for that, the trouble.
pub(super) fn end_of(confinement: &Confinement, folder: &Path) -> Result<Trouble, Fatal> {
    let what = "this folder is not the one that was there at the start, so it is out of the service's reach";
    if confinement.age() < SOONEST_END {
        let remedy = "there is nothing to do: the service begins again within half a minute";
        return Ok(Trouble::new(what, folder, remedy));
    }
    let remedy = "the service ends, and the service manager starts it again";
    Err(Trouble::new(what, folder, remedy).into())
}

/// The same for the state folder while it is waited for, when it is another one or could be made.
pub(super) fn end_of_wait(confinement: &Confinement, state: &Path) -> Result<Option<Trouble>, Fatal> {
    let is_out_of_reach = confinement.has_lost(state, true) || confinement.keeps_from_making(state);
    is_out_of_reach.then(|| end_of(confinement, state)).transpose()
}

impl Daemon {
    /// Ends the service when the place of one of its folders is taken by another one that it may not use.
    pub(super) fn check_confinement(&mut self) {
        if !self.life.is_confinement_due() {
            return;
        }
        let confinement = self.life.confinement();
        let folder = out_of_reach(confinement, self.settings.path(), self.config());
        let end = folder.map(|folder| end_of(confinement, &folder));
        match end.transpose() {
            Ok(trouble) => self.note("confinement", trouble),
            Err(fatal) => self.life.fail(fatal.to_string()),
        }
    }
}
