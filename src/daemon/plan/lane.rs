//! The jobs of one root. Each question is answered by a count or by one look-up, however many jobs there are: nothing here
//! walks through them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::arrivals::{Arrivals, Owner};
use crate::files::Stamp;

/// Where a query comes from; means nothing for pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryOrigin {
    /// Whoever asks.
    pub owner: Owner,
    /// It is a set that takes much longer than a single picture, and is answered by a thread of its own.
    pub is_large: bool,
}

/// A job that waits to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedJob {
    /// The state of the file; queries have none.
    pub stamp: Option<Stamp>,
    /// When it was enqueued.
    pub since: Duration,
    /// Its file was read before, and is counted there.
    pub is_known: bool,
    /// Of a query.
    pub origin: QueryOrigin,
}

#[derive(Debug)]
struct RunningJob {
    stamp: Option<Stamp>,
    is_known: bool,
    origin: QueryOrigin,
    again: Option<QueuedJob>,
}

/// Queued jobs and jobs under way of one root.
#[derive(Debug)]
pub struct Lane {
    /// Queries: the earliest first. Pictures: by path, so that a folder is read in one go.
    is_by_arrival: bool,
    /// By the bytes of their paths: comparing paths part by part took most of the time with a million of them.
    queued: BTreeMap<Arc<OsStr>, QueuedJob>,
    /// Of queries: those that share the workers, and the large ones.
    arrivals: [Arrivals; 2],
    under_way: HashMap<PathBuf, RunningJob>,
    /// Large ones among those under way, on a thread of their own: they keep no worker busy.
    large: HashSet<PathBuf>,
    /// Those of them that wait for a trial, on a thread of their own: they keep no worker busy.
    in_trial: HashSet<PathBuf>,
    /// Done, but the result could not be saved yet; whether the file is known.
    unsaved: HashMap<PathBuf, bool>,
    /// How many of all these are known.
    known: usize,
    /// No job is started.
    pub is_closed: bool,
}

impl Lane {
    /// Without jobs.
    pub fn new(is_by_arrival: bool) -> Self {
        Self {
            is_by_arrival,
            queued: BTreeMap::new(),
            arrivals: Default::default(),
            under_way: HashMap::new(),
            large: HashSet::new(),
            in_trial: HashSet::new(),
            unsaved: HashMap::new(),
            known: 0,
            is_closed: false,
        }
    }

    /// See [`super::Plan::enqueue`].
    pub fn enqueue(&mut self, path: &Path, job: QueuedJob) {
        if let Some(under_way) = self.under_way.get_mut(path) {
            if job.stamp.is_none() || under_way.stamp != job.stamp {
                under_way.again = Some(job);
            }
        } else {
            let since = self.remove_queued(path).map_or(job.since, |earlier| earlier.since);
            self.insert_queued(path, QueuedJob { since, ..job });
        }
    }

    /// See [`super::Plan::dequeue`].
    pub fn dequeue(&mut self, path: &Path) {
        self.remove_queued(path);
        if let Some(under_way) = self.under_way.get_mut(path) {
            under_way.again = None;
        }
    }

    /// Starts the next job of those enqueued at `latest` or before, but no large query.
    pub fn start_next(&mut self, latest: Duration) -> Option<(PathBuf, Option<Stamp>)> {
        let first = match self.is_by_arrival {
            true => self.arrivals[0].take_turn(latest),
            false => self.queued.first_key_value().map(|(path, _)| Arc::clone(path)),
        }?;
        self.start_job(&first)
    }

    /// Starts the next large query, of those enqueued at `latest` or before, unless one is under way.
    pub fn start_next_large(&mut self, latest: Duration) -> Option<PathBuf> {
        let first = if self.large.is_empty() { self.arrivals[1].take_turn(latest)? } else { return None };
        let (path, _) = self.start_job(&first)?;
        self.large.insert(path.clone());
        Some(path)
    }

    fn start_job(&mut self, path: &OsStr) -> Option<(PathBuf, Option<Stamp>)> {
        let QueuedJob { stamp, is_known, origin, .. } = self.remove_queued(Path::new(path))?;
        let path = PathBuf::from(path);
        self.known += usize::from(is_known);
        self.under_way.insert(path.clone(), RunningJob { stamp, is_known, origin, again: None });
        Some((path, stamp))
    }

    /// See [`super::Plan::ended`].
    pub fn ended(&mut self, path: &Path) {
        self.in_trial.remove(path);
        self.large.remove(path);
        let was_known = self.unsaved.remove(path);
        self.known -= usize::from(was_known == Some(true));
        let Some(job) = self.under_way.remove(path) else { return };
        self.known -= usize::from(job.is_known);
        if let Some(again) = job.again {
            self.insert_queued(path, QueuedJob { is_known: true, ..again });
        }
    }

    /// See [`super::Plan::requeue`].
    pub fn requeue(&mut self, path: &Path, now: Duration) {
        let Some(job) = self.under_way.remove(path) else { return };
        self.in_trial.remove(path);
        self.large.remove(path);
        self.known -= usize::from(job.is_known);
        let same = QueuedJob { stamp: job.stamp, since: now, is_known: job.is_known, origin: job.origin };
        self.insert_queued(path, job.again.unwrap_or(same));
    }

    /// See [`super::Plan::mark_unsaved`].
    pub fn mark_unsaved(&mut self, path: &Path) {
        let is_known = match self.under_way.get(path) {
            Some(job) => job.is_known,
            None => self.unsaved.get(path) == Some(&true),
        };
        self.ended(path);
        self.known += usize::from(is_known);
        self.unsaved.insert(path.to_path_buf(), is_known);
    }

    /// See [`super::Plan::move_to_trial`].
    pub fn move_to_trial(&mut self, path: PathBuf) {
        if self.under_way.contains_key(&path) {
            self.large.remove(&path);
            self.in_trial.insert(path);
        }
    }

    /// See [`super::Plan::stamp_under_way`].
    pub fn stamp_under_way(&self, path: &Path) -> Option<Stamp> {
        self.under_way.get(path)?.stamp
    }

    /// When the earliest queued job was enqueued, of those enqueued at `earliest` or later; `None` in the order of paths.
    pub fn first_since(&self, earliest: Duration) -> Option<Duration> {
        let [one, other] = [0, 1].map(|kind| self.arrivals[kind].first_since(earliest));
        match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Jobs that are queued, under way, or done and not saved.
    pub fn pending(&self) -> usize {
        self.queued.len() + self.under_way.len() + self.unsaved.len()
    }

    /// Those of them whose file is counted among the known ones.
    pub fn known(&self) -> usize {
        self.known
    }

    /// Jobs under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Large queries under way.
    pub fn large(&self) -> usize {
        self.large.len()
    }

    /// Jobs under way that wait for a trial.
    pub fn in_trial(&self) -> usize {
        self.in_trial.len()
    }

    /// Whether a result could not be saved yet.
    pub fn has_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    fn insert_queued(&mut self, path: &Path, job: QueuedJob) {
        let path: Arc<OsStr> = path.as_os_str().into();
        if self.is_by_arrival {
            self.arrivals[usize::from(job.origin.is_large)].insert(job.origin.owner, job.since, Arc::clone(&path));
        }
        self.known += usize::from(job.is_known);
        self.queued.insert(path, job);
    }

    fn remove_queued(&mut self, path: &Path) -> Option<QueuedJob> {
        let (path, job) = self.queued.remove_entry(path.as_os_str())?;
        self.known -= usize::from(job.is_known);
        if self.is_by_arrival {
            self.arrivals[usize::from(job.origin.is_large)].remove(job.origin.owner, job.since, path);
        }
        Some(job)
    }
}
