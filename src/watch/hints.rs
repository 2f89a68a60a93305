//! Receives file events from the operating system (inotify, through notify) and passes them on as hints to scan a
//! folder.
//!
//! Each folder has a watch of its own, never a recursive one. Recursive watching loses what arrives in a new folder
//! before its watch is set. Here a folder is scanned after its watch is set. The event handler never waits.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use crossbeam_channel::{Sender, TrySendError};
use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
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
    /// What is at this path was renamed to it: it is whole.
    Renamed(PathBuf),
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
    watched: BTreeMap<PathBuf, Armed>,
    /// The system has one watch for a folder, whatever its path: this is where it is set.
    owners: HashMap<Identity, PathBuf>,
    distrusted: usize,
    hints: Sender<Hint>,
    lost: Sender<Hint>,
}

/// A folder on which a watch was set.
struct Armed {
    identity: Identity,
    /// False when the watch may be gone without notice, or may have missed something.
    is_trusted: bool,
}

impl Hints {
    /// Starts with no watches. `lost` is a channel of capacity one: when it is full, the loss is known already.
    pub fn start(hints: Sender<Hint>, lost: Sender<Hint>) -> Self {
        Self {
            watcher: watcher(&hints, &lost),
            watched: BTreeMap::new(),
            owners: HashMap::new(),
            distrusted: 0,
            hints,
            lost,
        }
    }

    /// Replaces the watcher by a new one without watches: the old one has died, or could not be started.
    pub fn restart(&mut self) {
        self.watched.clear();
        self.owners.clear();
        self.distrusted = 0;
        self.watcher = watcher(&self.hints, &self.lost);
    }

    /// Why there is no watcher, if there is none.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.watcher.as_ref().err()
    }

    /// Sets a watch on `folder` if it has none, so that it sends hints.
    pub fn arm(&mut self, folder: &Path) -> WatchState {
        let Some(identity) = Identity::of(folder) else { return WatchState::Missing };
        if self.watched.get(folder).is_some_and(|armed| armed.is_trusted && armed.identity == identity) {
            return WatchState::AlreadyWatched;
        }
        self.disarm(folder);
        // Moved here from another path. That watch must go first: it is the same one for the system.
        if let Some(earlier) = self.owners.get(&identity).cloned() {
            self.disarm(&earlier);
        }
        let watcher = match &mut self.watcher {
            Ok(watcher) => watcher,
            Err(trouble) => return WatchState::Polled(trouble.clone()),
        };
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_path_buf(), Armed { identity, is_trusted: true });
                self.owners.insert(identity, folder.to_path_buf());
                WatchState::NewlyWatched
            }
            Err(_) if !folder.is_dir() => WatchState::Missing,
            Err(error) => WatchState::Polled(explain(&error, folder)),
        }
    }

    /// Removes the watch on `folder`, which is gone or has become another one.
    pub fn disarm(&mut self, folder: &Path) {
        let Some(armed) = self.watched.remove(folder) else { return };
        self.distrusted -= usize::from(!armed.is_trusted);
        self.owners.remove(&armed.identity);
        if let Ok(watcher) = &mut self.watcher {
            // The system drops the watch of a removed folder by itself; then this fails, as it should.
            let _ = watcher.unwatch(folder);
        }
    }

    /// The watches on `folder` and everything below it may be gone, or may have missed something: each is set again when its
    /// folder is scanned the next time.
    pub fn distrust_below(&mut self, folder: &Path) {
        let from_here = self.watched.range_mut::<Path, _>((Bound::Included(folder), Bound::Unbounded));
        for (_, armed) in from_here.take_while(|(path, _)| path.starts_with(folder)) {
            self.distrusted += usize::from(armed.is_trusted);
            armed.is_trusted = false;
        }
    }

    /// Folders that send hints.
    pub fn watched(&self) -> usize {
        self.watched.len() - self.distrusted
    }
}

fn watcher(hints: &Sender<Hint>, lost: &Sender<Hint>) -> Result<RecommendedWatcher, Trouble> {
    let (hints, lost) = (hints.clone(), lost.clone());
    let handler = move |event: notify::Result<Event>| {
        for hint in hints_in(event) {
            // The system's queue overflows while a handler waits, so this one never waits. A full channel is a loss
            // like any other, and costs one scan of everything.
            let result = if hint == Hint::Lost { lost.try_send(hint) } else { hints.try_send(hint) };
            if matches!(result, Err(TrySendError::Full(Hint::Path(_) | Hint::Renamed(_)))) {
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
        // Both names, where it was renamed within what is watched: the new one has had an event of its own before.
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
            event.paths.into_iter().take(1).map(Hint::Path).collect()
        }
        EventKind::Modify(ModifyKind::Name(RenameMode::To)) => event.paths.into_iter().map(Hint::Renamed).collect(),
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
    fn what_arrives_by_rename_is_told_from_what_is_written() {
        let place = tempfile::tempdir().unwrap();
        let [watched, outside] = ["watched", "outside"].map(|name| place.path().join(name));
        [&watched, &outside].iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
        let ((hints, received), (lost, _lost)) = (bounded(100), bounded(1));
        let mut watches = Hints::start(hints, lost);
        watches.arm(&watched);
        std::fs::write(outside.join("a.jpg"), b"x").unwrap();
        std::fs::rename(outside.join("a.jpg"), watched.join("a.jpg")).unwrap();
        assert_eq!(received.recv_timeout(LONG), Ok(Hint::Renamed(watched.join("a.jpg"))));
        std::fs::rename(watched.join("a.jpg"), watched.join("b.jpg")).unwrap();
        std::fs::write(watched.join("end"), b"x").unwrap();
        let hint = || received.recv_timeout(LONG).expect("a hint");
        let of_b: Vec<Hint> = std::iter::repeat_with(hint)
            .take_while(|hint| *hint != Hint::Path(watched.join("end")))
            .filter(|hint| *hint != Hint::Path(watched.join("a.jpg")))
            .collect();
        assert_eq!(of_b, [Hint::Renamed(watched.join("b.jpg"))]);
    }

    #[test]
    fn a_moved_folder_sends_hints_from_where_it_is() {
        let place = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| place.path().join(name));
        let ((hints, received), (lost, _lost)) = (bounded(100), bounded(1));
        let mut watches = Hints::start(hints, lost);
        std::fs::create_dir(&old).unwrap();
        assert_eq!(watches.arm(&old), WatchState::NewlyWatched);
        std::fs::rename(&old, &new).unwrap();
        assert_eq!(watches.arm(&new), WatchState::NewlyWatched);
        // What was at the old path is cleaned up after it was seen at the new one.
        watches.disarm(&old);
        assert_eq!(watches.watched(), 1);
        std::fs::write(new.join("a.jpg"), b"x").unwrap();
        while received.recv_timeout(LONG).expect("a hint") != Hint::Path(new.join("a.jpg")) {}
    }

    #[test]
    fn a_distrusted_watch_is_set_again() {
        let place = tempfile::tempdir().unwrap();
        let inner = place.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let ((hints, received), (lost, _lost)) = (bounded(100), bounded(1));
        let mut watches = Hints::start(hints, lost);
        assert!([place.path(), &inner].iter().all(|folder| watches.arm(folder) == WatchState::NewlyWatched));
        watches.distrust_below(&inner);
        assert_eq!(watches.watched(), 1);
        assert_eq!(watches.arm(place.path()), WatchState::AlreadyWatched);
        assert_eq!(watches.arm(&inner), WatchState::NewlyWatched);
        assert_eq!(watches.watched(), 2);
        std::fs::write(inner.join("a.jpg"), b"x").unwrap();
        while received.recv_timeout(LONG).expect("a hint") != Hint::Path(inner.join("a.jpg")) {}
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
