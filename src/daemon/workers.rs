//! The worker threads, which read and encode pictures and answer queries. They write nothing but the answer folder.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, never, select, unbounded};

use super::encode::{EncodeJob, Encoded};
use super::plan::Task;
use crate::catalog::{CatalogReaders, Root};
use crate::error::Trouble;
use crate::nodes::Nodes;
use crate::picture::Unusable;
use crate::quarantine::{Decoding, Quarantine, Slot, Suspects};
use crate::query::{Answered, Done, Query, SetPictures, WorkerContext};
use crate::serving::Shared;
use crate::threads::{self, ThreadEnd};

/// One piece of work.
pub enum Job {
    /// Encode an inventory or training picture.
    Encode(EncodeJob),
    /// Answer a query.
    Answer(Box<Query>),
}

impl Job {
    /// The job in the plan's terms.
    pub fn task(&self) -> Task {
        match self {
            Self::Encode(job) => Task { root: job.root, path: job.path.clone() },
            Self::Answer(query) => Task { root: Root::Query, path: query.path.clone() },
        }
    }

    fn run(self, context: &WorkerContext) -> Outcome {
        match self {
            Self::Encode(job) => match job.run(context) {
                Encoded { result: Err(Unusable::AwaitsTrial), .. } => Outcome::AwaitsTrial(Self::Encode(job)),
                encoded => Outcome::Encoded(encoded),
            },
            Self::Answer(query) => match query.run(context) {
                Answered { result: Ok(Done::AwaitsTrial), .. } => Outcome::AwaitsTrial(Self::Answer(query)),
                answered => Outcome::Answered(answered),
            },
        }
    }
}

/// The result of a job.
pub enum Outcome {
    /// Of [`Job::Encode`].
    Encoded(Encoded),
    /// Of [`Job::Answer`].
    Answered(Answered),
    /// The job needs a picture that may kill the process: it goes to [`Workers::start_trial`].
    AwaitsTrial(Job),
}

/// Jobs queued ahead for each worker. While the catalog flushes one batch of results to the disk, the next one grows; with a
/// queue this long workers never wait for the disk, not even those that read files whose contents are known.
pub const JOBS_A_WORKER: usize = 64;

/// What a worker needs.
pub struct WorkerDeps {
    /// The catalog.
    pub catalog: CatalogReaders,
    /// Shared by all.
    pub serving: Shared,
    /// Shared by all.
    pub quarantine: Arc<Quarantine>,
    /// Shared by all; `None` where this daemon is alone.
    pub nodes: Option<Arc<Nodes>>,
    /// Shared by all.
    pub set_pictures: Arc<SetPictures>,
    /// To the loop.
    pub outcomes: Sender<Outcome>,
    /// To the loop, when a thread ends.
    pub ends: Sender<ThreadEnd>,
}

/// A queue of jobs, from the loop to threads.
type Queue = (Sender<Job>, Receiver<Job>);

/// The worker threads.
pub struct Workers {
    /// Queries: taken first.
    urgent: Queue,
    jobs: Queue,
    /// For the one thread that holds trials: those of queries, taken first, and the others.
    trials: [Queue; 2],
    /// For the one thread that answers large query sets.
    large: Queue,
    deps: WorkerDeps,
    /// How many there should be of each role.
    counts: [(Role, usize); 3],
    threads: Vec<Worker>,
    abandoned: Vec<JoinHandle<()>>,
    /// Threads started so far.
    started: usize,
    last_look: Instant,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// All that is not for the others.
    Any,
    /// It answers large query sets, which take long.
    LargeQueries,
    /// It holds trials of suspects.
    Trials,
}

/// What a worker was doing when its thread ended.
pub struct LostWork {
    /// Its job, if it had one.
    pub task: Option<Task>,
    /// The picture that it was decoding.
    pub decoding: Option<Decoding>,
}

struct Worker {
    name: String,
    role: Role,
    thread: JoinHandle<()>,
    slot: Arc<Slot<Task>>,
}

impl Workers {
    /// Starts `count` threads that send the results of their jobs to the loop. What fails is tried again, and reported, by
    /// [`Self::replace_missing`].
    pub fn start(count: usize, deps: WorkerDeps) -> Self {
        let mut workers = Self {
            // As many as the plan starts at most, so that handing one out never waits.
            urgent: bounded(JOBS_A_WORKER * count),
            jobs: bounded(JOBS_A_WORKER * count),
            // The plan limits those as well, by `MOST_IN_TRIAL`.
            trials: [unbounded(), unbounded()],
            deps,
            // The plan starts one at a time.
            large: bounded(1),
            counts: [(Role::Any, count), (Role::LargeQueries, 1), (Role::Trials, 1)],
            threads: Vec::new(),
            abandoned: Vec::new(),
            started: 0,
            last_look: Instant::now(),
        };
        let _ = workers.replace_missing();
        workers
    }

    /// Hands out a job.
    pub fn start_job(&self, job: Job) {
        let queue = if matches!(job, Job::Answer(_)) { &self.urgent.0 } else { &self.jobs.0 };
        // Never fails: the receiver is in this struct as well.
        let _ = queue.send(job);
    }

    /// Hands out a large query; the one before has ended.
    pub fn start_large(&self, job: Job) {
        let _ = self.large.0.send(job);
    }

    /// Takes back the pictures that no worker has begun with.
    pub fn take_unstarted(&self) -> Vec<Task> {
        self.jobs.1.try_iter().map(|job| job.task()).collect()
    }

    /// Hands a job to the thread that holds trials, which does the rest of the job as well.
    pub fn start_trial(&self, job: Job) {
        let queue = &self.trials[usize::from(!matches!(job, Job::Answer(_)))];
        let _ = queue.0.send(job);
    }

    /// Shared by all.
    pub fn quarantine(&self) -> &Arc<Quarantine> {
        &self.deps.quarantine
    }

    /// The other nodes; `None` where this daemon is alone. Shared by all.
    pub fn nodes(&self) -> Option<&Arc<Nodes>> {
        self.deps.nodes.as_ref()
    }

    /// A thread of this name has ended. If it was a worker, returns what it was doing; another thread replaces it.
    pub fn take_ended(&mut self, name: &str) -> Option<LostWork> {
        let at = self.threads.iter().position(|worker| worker.name == name)?;
        let slot = self.threads.remove(at).slot;
        Some(LostWork { task: slot.take_job(), decoding: slot.take_decoding() })
    }

    /// Whether every thread is alive.
    pub fn are_alive(&self) -> bool {
        let count: usize = self.counts.iter().map(|(_, count)| count).sum();
        self.threads.len() == count && !self.threads.iter().any(|worker| worker.thread.is_finished())
    }

    /// Abandons the workers that have been decoding one picture for longer than `limit`; returns their jobs and the pictures.
    /// A thread cannot be ended from outside; it ends when, or if, its decoder returns.
    pub fn abandon_after(&mut self, limit: Duration) -> Vec<(Task, Decoding)> {
        let since_last_look = self.last_look.elapsed();
        self.last_look = Instant::now();
        let mut overdue = Vec::new();
        for worker in std::mem::take(&mut self.threads) {
            match worker.slot.abandon_after(limit, since_last_look) {
                None => self.threads.push(worker),
                Some(what) => {
                    overdue.push(what);
                    self.abandoned.push(worker.thread);
                }
            }
        }
        overdue
    }

    /// How many abandoned threads still decode.
    pub fn abandoned(&mut self) -> usize {
        self.abandoned.retain(|thread| !thread.is_finished());
        self.abandoned.len()
    }

    /// Starts a thread in place of each that is missing. What fails is tried again at the next call.
    pub fn replace_missing(&mut self) -> Result<(), Trouble> {
        for (role, count) in self.counts {
            while self.threads.iter().filter(|worker| worker.role == role).count() < count {
                let worker = self.start_one(role)?;
                self.threads.push(worker);
            }
        }
        Ok(())
    }

    fn start_one(&mut self, role: Role) -> Result<Worker, Trouble> {
        let WorkerDeps { catalog, serving, quarantine, nodes, set_pictures, outcomes, ends } = &self.deps;
        // Names are never reused: an abandoned thread may still have one.
        let (name, slot) = (format!("worker-{}", self.started), Arc::<Slot<Task>>::default());
        self.started += 1;
        let suspects = if role == Role::Trials { Suspects::Try } else { Suspects::Leave };
        let context = WorkerContext {
            catalog: catalog.open()?,
            serving: serving.clone(),
            guard: quarantine.guard(&name, suspects, slot.clone()),
            nodes: nodes.clone(),
            set_pictures: Arc::clone(set_pictures),
        };
        let queues = match role {
            Role::Any => [self.urgent.1.clone(), self.jobs.1.clone()],
            Role::LargeQueries => [self.large.1.clone(), never()],
            Role::Trials => [self.trials[0].1.clone(), self.trials[1].1.clone()],
        };
        let (own, outcomes) = (Arc::clone(&slot), outcomes.clone());
        let thread = threads::spawn(&name, ends.clone(), move || work(&context, &own, &queues, &outcomes))?;
        Ok(Worker { name, role, thread, slot })
    }
}

fn work(context: &WorkerContext, slot: &Slot<Task>, [urgent, jobs]: &[Receiver<Job>; 2], outcomes: &Sender<Outcome>) {
    while let Some(job) = next_job(urgent, jobs) {
        slot.begin_job(job.task());
        let outcome = job.run(context);
        slot.take_job();
        if outcomes.send(outcome).is_err() {
            return;
        }
    }
}

/// The next job, an urgent one if there is any; `None` when the daemon is gone.
fn next_job(urgent: &Receiver<Job>, jobs: &Receiver<Job>) -> Option<Job> {
    urgent.try_recv().ok().or_else(|| {
        select! {
            recv(urgent) -> job => job.ok(),
            recv(jobs) -> job => job.ok(),
        }
    })
}
