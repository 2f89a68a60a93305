//! A disk, and the folders where parts of it are mounted.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption, SessionACL, spawn_mount};

use crate::control::{Control, Fault, Operation};
use crate::handler::Handler;
use crate::tree::{ROOT, Tree};

/// What all mounts of a disk share.
#[derive(Debug)]
pub struct Core {
    pub tree: Tree,
    pub control: Control,
}

/// A disk in memory.
#[derive(Debug)]
pub struct Disk {
    core: Arc<Mutex<Core>>,
}

/// A folder of a disk, mounted; until this is dropped.
#[derive(Debug)]
pub struct Mount {
    place: PathBuf,
    session: Option<BackgroundSession>,
}

impl Disk {
    /// Empty.
    pub fn new() -> Self {
        Self::with(Tree::new())
    }

    fn with(tree: Tree) -> Self {
        Self { core: Arc::new(Mutex::new(Core { tree, control: Control::default() })) }
    }

    /// What this machine lacks for it, if anything.
    pub fn is_missing() -> Option<&'static str> {
        let may_open = fs::File::options().read(true).write(true).open("/dev/fuse").is_ok();
        if !may_open {
            return Some("/dev/fuse cannot be opened");
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let is_root =
            status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
        (!is_root).then_some("only root may mount a file system")
    }

    /// Mounts its folder `name`, which is made if it is not there, in the place of an existing folder.
    ///
    /// # Errors
    /// Where the system refuses it.
    pub fn mount(&self, name: &str, place: &Path) -> io::Result<Mount> {
        let root = {
            let mut core = lock(&self.core);
            core.tree.child(ROOT, OsStr::new(name)).unwrap_or_else(|| {
                let folder = core.tree.make(ROOT, OsStr::new(name), true, 0o755, (0, 0));
                core.tree.flush_all();
                folder
            })
        };
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("faulty-disk".into())];
        config.acl = SessionACL::All;
        let session = spawn_mount(Handler::new(Arc::clone(&self.core), root), place, &config)?;
        Ok(Mount { place: place.to_path_buf(), session: Some(session) })
    }

    /// The operations of other processes so far.
    pub fn operations(&self) -> Vec<Operation> {
        lock(&self.core).control.operations.clone()
    }

    /// Forgets the operations so far: they are counted from 0 again.
    pub fn forget_operations(&self) {
        let control = &mut lock(&self.core).control;
        (control.operations, control.failed) = (Vec::new(), 0);
    }

    /// Lets operations fail, besides those that fail already.
    pub fn fail(&self, fault: Fault) {
        lock(&self.core).control.faults.push(fault);
    }

    /// How many operations have failed since they were counted.
    pub fn failed(&self) -> usize {
        lock(&self.core).control.failed
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        lock(&self.core).control.faults.clear();
    }

    /// All that is on it is durable, as after `sync`.
    pub fn flush_all(&self) {
        lock(&self.core).tree.flush_all();
    }

    /// The power fails before the operation of this number: from then on nothing works.
    pub fn cut_power_at(&self, number: usize) {
        lock(&self.core).control.cut_at = Some(number);
    }

    /// Whether the power has failed.
    pub fn is_off(&self) -> bool {
        lock(&self.core).control.is_off
    }

    /// The disk as it is found after the power has failed: without anything that was not flushed.
    pub fn after_power_cut(&self) -> Self {
        Self::with(lock(&self.core).tree.after_power_cut(|_| false))
    }

    /// The same with some of what was not flushed, as it may happen: of which files and folders, `seed` decides.
    pub fn after_lucky_power_cut(&self, seed: u64) -> Self {
        // splitmix64, <https://prng.di.unimi.it/splitmix64.c>
        let survives = |inode: u64| {
            let mut mixed = (seed ^ inode.rotate_left(32)).wrapping_add(0x9E37_79B9_7F4A_7C15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (mixed ^ (mixed >> 31)) & 1 == 1
        };
        Self::with(lock(&self.core).tree.after_power_cut(survives))
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = self.session.take().map(BackgroundSession::umount_and_join);
        // Somebody has a file open there: it goes when they are done.
        if fs::metadata(&self.place).is_err() {
            let _ = Command::new("umount").arg("-l").arg(&self.place).status();
        }
    }
}

/// A panic elsewhere does not make the tree wrong.
pub fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
