//! Decides which jobs to start next. Pure: jobs are enqueued and reported as ended; it does no input or output.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::Root;
use crate::files::Stamp;

/// A query waits this long for inventory that is still being read, then it is answered from what has been read.
pub const QUERY_PATIENCE: Duration = Duration::from_secs(5);

/// At most this many jobs wait for a trial without counting as busy workers: every queue has a limit.
const MOST_IN_TRIAL: usize = 1_000;

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
    queued: BTreeMap<Root, BTreeMap<PathBuf, QueuedJob>>,
    under_way: HashMap<Task, RunningJob>,
    /// Those of them that wait for a trial, on a thread of their own: they keep no worker busy.
    in_trial: HashSet<Task>,
    /// Done, but the result could not be saved yet.
    unsaved: HashSet<Task>,
    /// No job of these roots is started.
    closed: BTreeSet<Root>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct QueuedJob {
    stamp: Option<Stamp>,
    since: Duration,
}

#[derive(Debug)]
struct RunningJob {
    stamp: Option<Stamp>,
    again: Option<QueuedJob>,
}

impl Plan {
    /// A plan for `slots` workers.
    pub fn new(slots: usize) -> Self {
        Self {
            slots,
            queued: BTreeMap::new(),
            under_way: HashMap::new(),
            in_trial: HashSet::new(),
            unsaved: HashSet::new(),
            closed: BTreeSet::new(),
        }
    }

    /// Enqueues a job. It changes nothing if the job is queued already, or under way for the same state of the file. Queries
    /// have no stamp: they are enqueued when something in them changed.
    pub fn enqueue(&mut self, root: Root, path: &Path, stamp: Option<Stamp>, now: Duration) {
        let task = Task { root, path: path.to_path_buf() };
        let queued = QueuedJob { stamp, since: now };
        match self.under_way.get_mut(&task) {
            Some(under_way) if stamp.is_some() && under_way.stamp == stamp => {}
            Some(under_way) => under_way.again = Some(queued),
            None => {
                let queue = self.queued.entry(root).or_default();
                let since = queue.get(path).map_or(now, |earlier| earlier.since);
                queue.insert(task.path, QueuedJob { stamp, since });
            }
        }
    }

    /// The file or query is gone.
    pub fn dequeue(&mut self, root: Root, path: &Path) {
        if let Some(queue) = self.queued.get_mut(&root) {
            queue.remove(path);
        }
        if let Some(under_way) = self.under_way.get_mut(&Task { root, path: path.to_path_buf() }) {
            under_way.again = None;
        }
    }

    /// A job has ended; if it was requested again while it ran, it is enqueued now.
    pub fn ended(&mut self, root: Root, path: &Path) {
        let task = Task { root, path: path.to_path_buf() };
        self.in_trial.remove(&task);
        self.unsaved.remove(&task);
        if let Some(queued) = self.under_way.remove(&task).and_then(|under_way| under_way.again) {
            self.queued.entry(root).or_default().insert(task.path, queued);
        }
    }

    /// The state of the file for which a job is under way.
    pub fn stamp_under_way(&self, root: Root, path: &Path) -> Option<Stamp> {
        self.under_way.get(&Task { root, path: path.to_path_buf() })?.stamp
    }

    /// A job under way continues on the thread for trials; its worker is free for others.
    pub fn move_to_trial(&mut self, task: Task) {
        if self.under_way.contains_key(&task) {
            self.in_trial.insert(task);
        }
    }

    /// A job has ended, but its result cannot be saved at the moment. Until it is, no other picture is read: its result could
    /// not be saved either.
    pub fn mark_unsaved(&mut self, root: Root, path: &Path) {
        self.ended(root, path);
        self.unsaved.insert(Task { root, path: path.to_path_buf() });
    }

    /// Starts no more jobs of this root.
    pub fn close(&mut self, root: Root) {
        self.closed.insert(root);
    }

    /// Starts jobs of this root again.
    pub fn open(&mut self, root: Root) {
        self.closed.remove(&root);
    }

    /// A job was abandoned before it was done: enqueues it again.
    pub fn requeue(&mut self, Task { root, path }: &Task, now: Duration) {
        if let Some(under_way) = self.under_way.get_mut(&Task { root: *root, path: path.clone() }) {
            let again = QueuedJob { stamp: under_way.stamp, since: now };
            under_way.again.get_or_insert(again);
            self.ended(*root, path);
        }
    }

    /// The jobs to start now, as many as there are idle workers: queries, then inventory, then training pictures.
    /// `inventory_settling`: inventory files not enqueued yet because they are still being written.
    pub fn start(&mut self, now: Duration, inventory_settling: usize) -> Vec<(Task, Option<Stamp>)> {
        let mut started = Vec::new();
        while self.busy() < self.slots {
            let Some((task, queued)) = self.take_next(now, inventory_settling) else { break };
            self.under_way.insert(task.clone(), RunningJob { stamp: queued.stamp, again: None });
            started.push((task, queued.stamp));
        }
        started
    }

    fn take_next(&mut self, now: Duration, inventory_settling: usize) -> Option<(Task, QueuedJob)> {
        let inventory_is_changing = inventory_settling > 0 || self.awaited(Root::Inventory) > 0;
        for (&root, queue) in &mut self.queued {
            let cannot_be_saved = root != Root::Query && !self.unsaved.is_empty();
            if cannot_be_saved || self.closed.contains(&root) {
                continue;
            }
            let is_patient = |queued: &QueuedJob| {
                root == Root::Query && inventory_is_changing && now.saturating_sub(queued.since) < QUERY_PATIENCE
            };
            let next = queue.iter().find(|(_, queued)| !is_patient(queued));
            let next = next.map(|(path, queued)| (path.clone(), *queued));
            if let Some((path, queued)) = next {
                queue.remove(&path);
                return Some((Task { root, path }, queued));
            }
        }
        None
    }

    /// When, after `now`, the next waiting query has waited long enough.
    pub fn next_due(&self, now: Duration) -> Option<Duration> {
        let queries = self.queued.get(&Root::Query).into_iter().flat_map(BTreeMap::values);
        queries.map(|queued| queued.since + QUERY_PATIENCE).filter(|due| *due > now).min()
    }

    /// Jobs of a root that are queued, under way, or done and not saved.
    pub fn pending(&self, root: Root) -> usize {
        self.pending_paths(root).count()
    }

    /// Those of them that others wait for: a trial may take as long as the longest decoding, and its end changes little.
    pub fn awaited(&self, root: Root) -> usize {
        self.pending(root) - self.in_trial.iter().filter(|task| task.root == root).count()
    }

    /// Their paths.
    pub fn pending_paths(&self, root: Root) -> impl Iterator<Item = &Path> {
        let begun = self.under_way.keys().chain(&self.unsaved).filter(move |task| task.root == root);
        let queued = self.queued.get(&root).into_iter().flat_map(BTreeMap::keys);
        queued.chain(begun.map(|task| &task.path)).map(PathBuf::as_path)
    }

    /// Jobs under way that keep a worker busy.
    pub fn busy(&self) -> usize {
        self.under_way.len() - self.in_trial.len().min(MOST_IN_TRIAL)
    }

    /// Jobs under way.
    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(size: u64) -> Option<Stamp> {
        Some(Stamp { size, mtime_ns: 0, ctime_ns: 0, inode: 1 })
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn started(plan: &mut Plan, now: u64) -> Vec<String> {
        let tasks = plan.start(seconds(now), 0);
        tasks.into_iter().map(|(task, _)| format!("{} {}", task.root.name(), task.path.display())).collect()
    }

    #[test]
    fn no_more_jobs_than_workers_and_inventory_before_training() {
        let mut plan = Plan::new(2);
        plan.enqueue(Root::Training, Path::new("t"), stamp(1), seconds(0));
        plan.enqueue(Root::Inventory, Path::new("b"), stamp(1), seconds(0));
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        assert_eq!(started(&mut plan, 0), ["inventory a", "inventory b"]);
        assert!(started(&mut plan, 0).is_empty());
        plan.ended(Root::Inventory, Path::new("a"));
        assert_eq!(started(&mut plan, 0), ["training t"]);
    }

    #[test]
    fn a_query_waits_for_the_inventory_but_not_for_ever() {
        let mut plan = Plan::new(1);
        plan.enqueue(Root::Query, Path::new("q"), None, seconds(0));
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        plan.enqueue(Root::Inventory, Path::new("b"), stamp(1), seconds(0));
        assert_eq!(started(&mut plan, 0), ["inventory a"]);
        plan.ended(Root::Inventory, Path::new("a"));
        assert_eq!(plan.next_due(seconds(0)), Some(QUERY_PATIENCE));
        assert_eq!(started(&mut plan, 5), ["query q"]);
    }

    #[test]
    fn a_query_starts_at_once_when_the_inventory_is_not_changing() {
        let mut plan = Plan::new(1);
        plan.enqueue(Root::Training, Path::new("t"), stamp(1), seconds(0));
        plan.enqueue(Root::Query, Path::new("q"), None, seconds(1));
        assert!(plan.start(seconds(1), 3).iter().all(|(task, _)| task.root == Root::Training));
        plan.ended(Root::Training, Path::new("t"));
        assert_eq!(started(&mut plan, 1), ["query q"]);
    }

    #[test]
    fn while_something_cannot_be_kept_nothing_more_of_its_kind_is_done() {
        let mut plan = Plan::new(2);
        for name in ["a", "b", "c"] {
            plan.enqueue(Root::Inventory, Path::new(name), stamp(1), seconds(0));
        }
        assert_eq!(started(&mut plan, 0), ["inventory a", "inventory b"]);
        plan.mark_unsaved(Root::Inventory, Path::new("a"));
        plan.enqueue(Root::Query, Path::new("q"), None, seconds(0));
        assert_eq!((started(&mut plan, 5), plan.pending(Root::Inventory)), (vec!["query q".into()], 3));
        plan.ended(Root::Query, Path::new("q"));
        plan.close(Root::Query);
        plan.enqueue(Root::Query, Path::new("q"), None, seconds(5));
        assert!(started(&mut plan, 10).is_empty());
        plan.open(Root::Query);
        assert_eq!(started(&mut plan, 10), ["query q"]);
        plan.ended(Root::Inventory, Path::new("a"));
        plan.ended(Root::Inventory, Path::new("b"));
        assert_eq!((started(&mut plan, 10), plan.pending(Root::Inventory)), (vec!["inventory c".into()], 1));
    }

    #[test]
    fn a_job_in_trial_leaves_its_place_to_others_and_is_not_started_twice() {
        let mut plan = Plan::new(1);
        for name in ["a", "b", "c"] {
            plan.enqueue(Root::Inventory, Path::new(name), stamp(1), seconds(0));
        }
        let (task, _) = plan.start(seconds(0), 0).remove(0);
        plan.move_to_trial(task.clone());
        assert_eq!(
            (started(&mut plan, 0), plan.busy(), plan.pending(Root::Inventory)),
            (vec!["inventory b".into()], 1, 3)
        );
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(1));
        plan.ended(Root::Inventory, Path::new("a"));
        assert_eq!((plan.busy(), plan.under_way(), plan.pending(Root::Inventory)), (1, 1, 2));
        plan.move_to_trial(task);
        assert_eq!(plan.busy(), 1, "what has ended cannot be moved to a trial");
    }

    #[test]
    fn the_same_state_of_a_file_is_read_once_and_a_newer_one_afterwards() {
        let mut plan = Plan::new(1);
        for _ in 0..3 {
            plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        }
        assert_eq!(started(&mut plan, 0).len(), 1);
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        plan.ended(Root::Inventory, Path::new("a"));
        assert!(started(&mut plan, 0).is_empty());
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        started(&mut plan, 0);
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(2), seconds(0));
        assert!(started(&mut plan, 0).is_empty(), "never twice at the same time");
        plan.ended(Root::Inventory, Path::new("a"));
        assert_eq!(started(&mut plan, 0), ["inventory a"]);
    }

    #[test]
    fn what_is_requeued_is_started_in_its_newest_state() {
        let mut plan = Plan::new(1);
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        let (task, _) = plan.start(seconds(0), 0).remove(0);
        plan.requeue(&task, seconds(1));
        assert_eq!(plan.start(seconds(1), 0), [(task.clone(), stamp(1))]);
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(2), seconds(1));
        plan.requeue(&task, seconds(2));
        assert_eq!(plan.start(seconds(2), 0), [(task.clone(), stamp(2))]);
        plan.ended(Root::Inventory, Path::new("a"));
        plan.requeue(&task, seconds(3));
        assert!(plan.start(seconds(3), 0).is_empty(), "it was done");
    }

    #[test]
    fn what_is_gone_is_not_started() {
        let mut plan = Plan::new(1);
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
        plan.dequeue(Root::Inventory, Path::new("a"));
        assert!(started(&mut plan, 0).is_empty());
        assert_eq!(plan.pending(Root::Inventory), 0);
    }
}
