//! Decides which jobs to start next. Pure: jobs are enqueued and reported as ended; it does no input or output.
//!
//! A job costs the same however many others wait: a look-up or two in an ordered set, and never a walk through the queue.

mod arrivals;
mod lane;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::by_root::ByRoot;
use crate::catalog::Root;
use crate::files::Stamp;
use lane::{Lane, QueuedJob};

pub use lane::{JobKind, QueryOrigin};

/// A query waits this long for inventory that is still being read, then it is answered from what has been read.
pub const QUERY_PATIENCE: Duration = Duration::from_secs(5);

/// At most this many jobs wait for a trial without counting as busy workers: every queue has a limit.
const MOST_IN_TRIAL: usize = 1_000;

/// One in so many jobs started ahead is a query: two for each worker. What is started is done in that order, whoever asks next.
const JOBS_A_QUERY: usize = 32;

/// A job to start: answer the query, or read the inventory or training picture, at this path relative to its root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Task {
    /// Which folder.
    pub root: Root,
    /// What in it.
    pub path: PathBuf,
}

/// Queued jobs and jobs under way. A path is never under way twice.
#[derive(Debug)]
pub struct Plan {
    slots: usize,
    lanes: ByRoot<Lane>,
}

impl Plan {
    /// A plan for `slots` workers.
    pub fn new(slots: usize) -> Self {
        Self { slots, lanes: ByRoot::new(|root| Lane::new(root == Root::Query)) }
    }

    /// Enqueues a query, because something in it changed. It changes nothing if it is queued already.
    pub fn enqueue_query(&mut self, path: &Path, origin: QueryOrigin, now: Duration) {
        let job = QueuedJob { stamp: None, since: now, kind: JobKind::New, origin };
        self.lanes.of_mut(Root::Query).enqueue(path, job);
    }

    /// Enqueues a picture. It changes nothing if it is queued already, or under way for the same state of the file. One that was read
    /// before counts among the known ones meanwhile.
    pub fn enqueue_picture(&mut self, root: Root, path: &Path, stamp: Stamp, kind: JobKind, now: Duration) {
        let job = QueuedJob { stamp: Some(stamp), since: now, kind, origin: QueryOrigin::default() };
        self.lanes.of_mut(root).enqueue(path, job);
    }

    /// The file or query is gone.
    pub fn dequeue(&mut self, root: Root, path: &Path) {
        self.lanes.of_mut(root).dequeue(path);
    }

    /// A job has ended; if it was requested again while it ran, it is enqueued now.
    pub fn ended(&mut self, root: Root, path: &Path) {
        self.lanes.of_mut(root).ended(path);
    }

    /// The state of the file for which a job is under way.
    pub fn stamp_under_way(&self, root: Root, path: &Path) -> Option<Stamp> {
        self.lanes.of(root).stamp_under_way(path)
    }

    /// A job under way continues on the thread for trials; its worker is free for others.
    pub fn move_to_trial(&mut self, Task { root, path }: Task) {
        self.lanes.of_mut(root).move_to_trial(path);
    }

    /// A job has ended, but its result cannot be saved at the moment. Until it is, no other picture is read: its result could
    /// not be saved either.
    pub fn mark_unsaved(&mut self, root: Root, path: &Path) {
        self.lanes.of_mut(root).mark_unsaved(path);
    }

    /// Starts no more jobs of this root.
    pub fn close(&mut self, root: Root) {
        self.lanes.of_mut(root).is_closed = true;
    }

    /// Starts jobs of this root again.
    pub fn open(&mut self, root: Root) {
        self.lanes.of_mut(root).is_closed = false;
    }

    /// A job was abandoned before it was done: enqueues it again.
    pub fn requeue(&mut self, Task { root, path }: &Task, now: Duration) {
        self.lanes.of_mut(*root).requeue(path, now);
    }

    /// The jobs to start now, as many as there are idle workers: queries by their arrival and in turn among their owners, then inventory, then
    /// training pictures.
    /// `inventory_settling`: inventory files not enqueued yet because they are still being written.
    pub fn start(&mut self, now: Duration, inventory_settling: usize) -> Vec<(Task, Option<Stamp>)> {
        let mut started = Vec::new();
        while self.busy() < self.slots {
            let Some(next) = self.start_next(now, inventory_settling) else { break };
            started.push(next);
        }
        started
    }

    /// The large query to start now, beside the other jobs: one at a time.
    pub fn start_large_query(&mut self, now: Duration, inventory_settling: usize) -> Option<Task> {
        let latest = self.latest_arrival(now, inventory_settling)?;
        let lane = self.lanes.of_mut(Root::Query);
        let path = if lane.is_closed { None } else { lane.start_next_large(latest) };
        path.map(|path| Task { root: Root::Query, path })
    }

    /// When the queries arrived, at the latest, that need not wait for the inventory.
    fn latest_arrival(&self, now: Duration, inventory_settling: usize) -> Option<Duration> {
        match inventory_settling > 0 || self.awaited(Root::Inventory) > 0 {
            true => now.checked_sub(QUERY_PATIENCE),
            false => Some(Duration::MAX),
        }
    }

    fn start_next(&mut self, now: Duration, inventory_settling: usize) -> Option<(Task, Option<Stamp>)> {
        let latest_query = self.latest_arrival(now, inventory_settling);
        let most_queries = self.slots.div_ceil(JOBS_A_QUERY);
        let cannot_be_saved = self.lanes.all().any(Lane::has_unsaved);
        for root in Root::ALL {
            let lane = self.lanes.of_mut(root);
            if lane.is_closed || cannot_be_saved && root != Root::Query {
                continue;
            }
            if root == Root::Query && lane.under_way() - lane.in_trial() - lane.large() >= most_queries {
                continue;
            }
            let latest = if root == Root::Query { latest_query } else { Some(Duration::MAX) };
            if let Some((path, stamp)) = latest.and_then(|latest| lane.start_next(latest)) {
                return Some((Task { root, path }, stamp));
            }
        }
        None
    }

    /// When, after `now`, the next waiting query has waited long enough.
    pub fn next_due(&self, now: Duration) -> Option<Duration> {
        // Whatever was enqueued that long ago or earlier waits for a worker, not for the time.
        let over = now.checked_sub(QUERY_PATIENCE);
        let earliest = over.map_or(Duration::ZERO, |over| over + Duration::from_nanos(1));
        self.lanes.of(Root::Query).first_since(earliest).map(|since| since + QUERY_PATIENCE)
    }

    /// Jobs of a root that are queued, under way, or done and not saved.
    pub fn pending(&self, root: Root) -> usize {
        self.lanes.of(root).pending()
    }

    /// Those of them whose pictures were read before.
    pub fn known(&self, root: Root) -> usize {
        self.lanes.of(root).known()
    }

    /// Those of them that queries wait for: not those in trial, nor those whose content is most likely the one that is known.
    pub fn awaited(&self, root: Root) -> usize {
        self.lanes.of(root).awaited()
    }

    /// Jobs under way that keep a worker busy.
    pub fn busy(&self) -> usize {
        let in_trial: usize = self.lanes.all().map(Lane::in_trial).sum();
        self.under_way() - in_trial.min(MOST_IN_TRIAL) - self.lanes.of(Root::Query).large()
    }

    /// Jobs under way.
    pub fn under_way(&self) -> usize {
        self.lanes.all().map(Lane::under_way).sum()
    }
}

#[cfg(test)]
mod tests;
