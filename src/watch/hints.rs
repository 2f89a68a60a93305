//! Receives file events from the operating system (inotify, through notify) and passes them on as hints to scan a
//! folder.
//!
//! Each folder has a watch of its own, never a recursive one. Recursive watching loses what arrives in a new folder
//! before its watch is set. Here a folder is scanned after its watch is set. The event handler never waits.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crossbeam_channel::{Sender, TrySendError};
use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::identity::Identity;
use crate::error::Trouble;

/// Where the system has its limit of watched folders.
pub const WATCH_LIMIT: &str = "/proc/sys/fs/inotify/max_user_watches";
/// Where the system has its limit of watchers.
pub const INSTANCE_LIMIT: &str = "/proc/sys/fs/inotify/max_user_instances";

/// A request to scan again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Something happened to this path.
    Path(PathBuf),
    /// Hints were lost: scan everything, and set every watch again.
    Lost,
}

/// Whether a folder sends hints after an attempt to watch it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchState {
    /// It does, and did before.
    AlreadyWatched,
    /// It does from now on: its content may have changed before without a hint.
    NewlyWatched,
    /// It does not, for this reason: it has to be scanned regularly.
    Polled(Trouble),
    /// There is no such folder.
    Missing,
}

/// The watches on all folders.
pub struct Hints {
    watcher: Result<RecommendedWatcher, Trouble>,
    watched: HashMap<PathBuf, Identity>,
    hints: Sender<Hint>,
    lost: Sender<Hint>,
}

impl Hints {
    /// Starts with no watches. `lost` is a channel of capacity one: when it is full, the loss is known already.
    pub fn start(hints: Sender<Hint>, lost: Sender<Hint>) -> Self {
        Self { watcher: watcher(&hints, &lost), watched: HashMap::new(), hints, lost }
    }

    /// Replaces the watcher by a new one without watches: the old one has died, or could not be started.
    pub fn restart(&mut self) {
        self.watched.clear();
        self.watcher = watcher(&self.hints, &self.lost);
    }

    /// Why there is no watcher, if there is none.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.watcher.as_ref().err()
    }

    /// Sets a watch on `folder` if it has none, so that it sends hints.
    pub fn arm(&mut self, folder: &Path) -> WatchState {
        let Some(identity) = Identity::of(folder) else { return WatchState::Missing };
        match self.watched.get(folder) {
            Some(armed) if *armed == identity => return WatchState::AlreadyWatched,
            // The watch is on an earlier folder of the same path.
            Some(_) => self.disarm_below(folder),
            None => {}
        }
        let watcher = match &mut self.watcher {
            Ok(watcher) => watcher,
            Err(trouble) => return WatchState::Polled(trouble.clone()),
        };
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_path_buf(), identity);
                WatchState::NewlyWatched
            }
            Err(_) if !folder.is_dir() => WatchState::Missing,
            Err(error) => WatchState::Polled(explain(&error, folder)),
        }
    }

    /// Removes the watches on `folder` and everything below it, which are gone or have become other folders.
    pub fn disarm_below(&mut self, folder: &Path) {
        let below = self.watched.extract_if(|path, _| path.starts_with(folder));
        let below: Vec<PathBuf> = below.map(|(path, _)| path).collect();
        if let Ok(watcher) = &mut self.watcher {
            for path in below {
                // The system drops the watch of a removed folder by itself; then this fails, as it should.
                let _ = watcher.unwatch(&path);
            }
        }
    }

    /// Folders that send hints.
    pub fn watched(&self) -> usize {
        self.watched.len()
    }
}

fn watcher(hints: &Sender<Hint>, lost: &Sender<Hint>) -> Result<RecommendedWatcher, Trouble> {
    let (hints, lost) = (hints.clone(), lost.clone());
    let handler = move |event: notify::Result<Event>| {
        for hint in hints_in(event) {
            // The system's queue overflows while a handler waits, so this one never waits. A full channel is a loss
            // like any other, and costs one scan of everything.
            let result = if hint == Hint::Lost { lost.try_send(hint) } else { hints.try_send(hint) };
            if matches!(result, Err(TrySendError::Full(Hint::Path(_)))) {
                let _ = lost.try_send(Hint::Lost);
            }
        }
    };
    notify::recommended_watcher(handler).map_err(|error| explain(&error, Path::new(INSTANCE_LIMIT)))
}

fn hints_in(event: notify::Result<Event>) -> Vec<Hint> {
    let event = match event {
        Ok(event) if event.need_rescan() => return vec![Hint::Lost],
        Ok(event) => event,
        Err(error) if error.paths.is_empty() => return vec![Hint::Lost],
        Err(error) => return error.paths.into_iter().map(Hint::Path).collect(),
    };
    match event.kind {
        // This program itself reads all the time: its own reads must not cause scans.
        EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write) => Vec::new(),
        _ if event.paths.is_empty() => vec![Hint::Lost],
        _ => event.paths.into_iter().map(Hint::Path).collect(),
    }
}

fn explain(error: &notify::Error, folder: &Path) -> Trouble {
    let too_many_instances = matches!(&error.kind, ErrorKind::Io(io) if io.raw_os_error() == Some(24));
    // notify reports ENOSPC in either of two ways.
    let too_many_watches = matches!(&error.kind, ErrorKind::Io(io) if io.raw_os_error() == Some(28));
    if too_many_watches || matches!(error.kind, ErrorKind::MaxFilesWatch) {
        let remedy = "sudo sysctl fs.inotify.max_user_watches=1048576; until then these folders are scanned regularly";
        return Trouble::new("the system's limit of watched folders is reached", WATCH_LIMIT, remedy);
    }
    if too_many_instances {
        let remedy = "sudo sysctl fs.inotify.max_user_instances=1024; until then folders are scanned regularly";
        return Trouble::new("the system's limit of watchers is reached", INSTANCE_LIMIT, remedy);
    }
    let remedy = "until it can be watched it is scanned regularly";
    Trouble::new(format!("the folder cannot be watched: {error}"), folder, remedy)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crossbeam_channel::bounded;

    use super::*;

    /// Nothing here takes that long, however busy the machine is.
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_new_file_is_hinted_at_and_reading_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let ((hints, received), (lost, _lost)) = (bounded(100), bounded(1));
        let mut watches = Hints::start(hints, lost);
        assert_eq!(watches.arm(folder.path()), WatchState::NewlyWatched);
        assert_eq!(watches.arm(folder.path()), WatchState::AlreadyWatched);
        let [first, second, third] = ["a.jpg", "b.jpg", "c.jpg"].map(|name| folder.path().join(name));
        // Events come in their order: a hint at a file that was written later is behind all that concern the earlier one.
        let hints_before = |path: &Path| {
            std::fs::write(path, b"x").unwrap();
            let hint = || received.recv_timeout(LONG).expect("a hint");
            std::iter::repeat_with(hint).take_while(|hint| *hint != Hint::Path(path.into())).collect::<Vec<_>>()
        };
        assert_eq!(hints_before(&first), []);
        assert!(hints_before(&second).iter().all(|hint| *hint == Hint::Path(first.clone())));
        std::fs::read(&first).unwrap();
        assert!(!hints_before(&third).contains(&Hint::Path(first)), "reading must not be a hint");
    }

    #[test]
    fn a_full_channel_is_a_loss_and_never_a_wait() {
        let folder = tempfile::tempdir().unwrap();
        let ((hints, _received), (lost, losses)) = (bounded(1), bounded(1));
        let mut watches = Hints::start(hints, lost);
        watches.arm(folder.path());
        for number in 0..10 {
            std::fs::write(folder.path().join(format!("{number}")), b"x").unwrap();
        }
        assert_eq!(losses.recv_timeout(LONG), Ok(Hint::Lost));
    }

    #[test]
    fn a_missing_folder_is_gone_not_a_trouble() {
        let ((hints, _received), (lost, _losses)) = (bounded(1), bounded(1));
        let mut watches = Hints::start(hints, lost);
        assert_eq!(watches.arm(Path::new("/no/such/folder")), WatchState::Missing);
        assert_eq!(watches.watched(), 0);
    }
}
