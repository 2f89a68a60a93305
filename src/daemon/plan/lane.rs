//! The jobs of one root. Each question is answered by a count or by one look-up, however many jobs there are: nothing here
//! walks through them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::arrivals::{Arrivals, Owner};
use crate::files::Stamp;

/// What is known of the file of a job; what it is more urgent for comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobKind {
    /// It was not read before.
    New,
    /// It was read before, and is counted there; now it has changed.
    Known,
    /// Most likely it has not: nobody waits for this.
    Touched,
}

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
    /// What is known of its file.
    pub kind: JobKind,
    /// Of a query.
    pub origin: QueryOrigin,
}

#[derive(Debug)]
struct RunningJob {
    stamp: Option<Stamp>,
    kind: JobKind,
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
    /// Done, but the result could not be saved yet.
    unsaved: HashMap<PathBuf, JobKind>,
    /// How many of all these are of each kind.
    counts: [usize; 3],
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
            counts: [0; 3],
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
            let (since, kind) = match self.remove_queued(path) {
                Some(earlier) => (earlier.since, earlier.kind.min(job.kind)),
                None => (job.since, job.kind),
            };
            self.insert_queued(path, QueuedJob { since, kind, ..job });
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
        let QueuedJob { stamp, kind, origin, .. } = self.remove_queued(Path::new(path))?;
        let path = PathBuf::from(path);
        self.counts[kind as usize] += 1;
        self.under_way.insert(path.clone(), RunningJob { stamp, kind, origin, again: None });
        Some((path, stamp))
    }

    /// See [`super::Plan::ended`].
    pub fn ended(&mut self, path: &Path) {
        self.in_trial.remove(path);
        self.large.remove(path);
        if let Some(kind) = self.unsaved.remove(path) {
            self.counts[kind as usize] -= 1;
        }
        let Some(job) = self.under_way.remove(path) else { return };
        self.counts[job.kind as usize] -= 1;
        if let Some(again) = job.again {
            let kind = if again.kind == JobKind::New { JobKind::Known } else { again.kind };
            self.insert_queued(path, QueuedJob { kind, ..again });
        }
    }

    /// See [`super::Plan::requeue`].
    pub fn requeue(&mut self, path: &Path, now: Duration) {
        let Some(job) = self.under_way.remove(path) else { return };
        self.in_trial.remove(path);
        self.large.remove(path);
        self.counts[job.kind as usize] -= 1;
        let same = QueuedJob { stamp: job.stamp, since: now, kind: job.kind, origin: job.origin };
        self.insert_queued(path, job.again.unwrap_or(same));
    }

    /// See [`super::Plan::mark_unsaved`].
    pub fn mark_unsaved(&mut self, path: &Path) {
        let kind = match self.under_way.get(path) {
            Some(job) => job.kind,
            None => self.unsaved.get(path).copied().unwrap_or(JobKind::New),
        };
        self.ended(path);
        self.counts[kind as usize] += 1;
        self.unsaved.insert(path.to_path_buf(), kind);
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
        self.counts[JobKind::Known as usize] + self.counts[JobKind::Touched as usize]
    }

    /// Those of them that somebody may wait for: a trial may take as long as the longest decoding, and its end changes little.
    pub fn awaited(&self) -> usize {
        self.pending().saturating_sub(self.in_trial() + self.counts[JobKind::Touched as usize])
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
        self.counts[job.kind as usize] += 1;
        self.queued.insert(path, job);
    }

    fn remove_queued(&mut self, path: &Path) -> Option<QueuedJob> {
        let (path, job) = self.queued.remove_entry(path.as_os_str())?;
        self.counts[job.kind as usize] -= 1;
        if self.is_by_arrival {
            self.arrivals[usize::from(job.origin.is_large)].remove(job.origin.owner, job.since, path);
        }
        Some(job)
    }
}
