//! The threads that read, decode and encode pictures and answer queries. They change nothing but the answer folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::answering::respond::{Answered, Question};
use super::bench::Bench;
use super::encode::{EncodeJob, Encoded};
use super::guard::{Decoding, Quarantine, Slot};
use super::plan::Task;
use super::serving::Shared;
use crate::catalog::{Catalog, Root};
use crate::error::Trouble;
use crate::model::Extractor;

/// One piece of work.
pub enum Job {
    /// Make features of an inventory or training picture.
    Encode(EncodeJob),
    /// Answer a query.
    Answer(Box<Question>),
}

impl Job {
    /// As the plan knows it.
    fn task(&self) -> Task {
        match self {
            Self::Encode(job) => Task { root: job.root, path: job.path.clone() },
            Self::Answer(question) => Task { root: Root::Query, path: question.query.clone() },
        }
    }
}

/// What came of it.
pub enum Outcome {
    /// Of [`Job::Encode`].
    Encoded(Encoded),
    /// Of [`Job::Answer`].
    Answered(Answered),
}

/// Jobs handed out ahead for each worker. While the catalog flushes one batch of results to the disk, the next grows;
/// with a queue this long the disk does not set the pace.
pub const JOBS_A_WORKER: usize = 16;

/// What workers are made of.
pub struct Tools {
    /// Shared by all.
    pub extractor: Arc<Extractor>,
    /// Where the catalog is.
    pub state: PathBuf,
    /// Shared by all.
    pub serving: Shared,
    /// Shared by all.
    pub quarantine: Arc<Quarantine>,
    /// To the loop.
    pub outcomes: Sender<Outcome>,
}

/// The worker threads.
pub struct Workers {
    /// Queries: taken first.
    urgent: (Sender<Job>, Receiver<Job>),
    jobs: (Sender<Job>, Receiver<Job>),
    tools: Tools,
    /// How many there are to be.
    count: usize,
    threads: Vec<Worker>,
    given_up: Vec<JoinHandle<()>>,
    /// Threads started so far.
    started: usize,
    last_look: Instant,
}

struct Worker {
    thread: JoinHandle<()>,
    slot: Arc<Slot>,
}

impl Workers {
    /// Starts `count` threads that send what comes of their jobs to the loop.
    pub fn start(count: usize, tools: Tools) -> Result<Self, Trouble> {
        // As many as the plan starts at most, so that handing one out never waits.
        let (urgent, jobs) = (bounded(JOBS_A_WORKER * count), bounded(JOBS_A_WORKER * count));
        let (threads, given_up) = (Vec::new(), Vec::new());
        let mut workers = Self { urgent, jobs, tools, count, threads, given_up, started: 0, last_look: Instant::now() };
        workers.fill_up()?;
        Ok(workers)
    }

    /// Hands out a job.
    pub fn start_job(&self, job: Job) {
        let queue = if matches!(job, Job::Answer(_)) { &self.urgent.0 } else { &self.jobs.0 };
        // Never fails: the other end is here as well.
        let _ = queue.send(job);
    }

    /// Whether every thread is alive.
    pub fn are_alive(&self) -> bool {
        self.threads.len() == self.count && !self.threads.iter().any(|worker| worker.thread.is_finished())
    }

    /// Gives up the workers that have been decoding one picture for longer than `limit`: their jobs, and the pictures.
    /// A thread cannot be ended from outside; it ends by itself when, or if, its decoder does.
    pub fn give_up_after(&mut self, limit: Duration) -> Vec<(Task, Decoding)> {
        let since_last_look = self.last_look.elapsed();
        self.last_look = Instant::now();
        let mut overdue = Vec::new();
        for worker in std::mem::take(&mut self.threads) {
            match worker.slot.give_up_after(limit, since_last_look) {
                None => self.threads.push(worker),
                Some(what) => {
                    overdue.push(what);
                    self.given_up.push(worker.thread);
                }
            }
        }
        overdue
    }

    /// How many threads were given up and still decode.
    pub fn given_up(&mut self) -> usize {
        self.given_up.retain(|thread| !thread.is_finished());
        self.given_up.len()
    }

    /// Starts a thread in the place of each that was given up. What fails is tried again at the next call.
    pub fn fill_up(&mut self) -> Result<(), Trouble> {
        while self.threads.len() < self.count {
            let worker = self.start_one()?;
            self.threads.push(worker);
        }
        Ok(())
    }

    fn start_one(&mut self) -> Result<Worker, Trouble> {
        let Tools { extractor, state, serving, quarantine, outcomes } = &self.tools;
        // Never a name twice: one that was given up may still go by it.
        let (name, slot) = (format!("worker-{}", self.started), Arc::default());
        self.started += 1;
        let bench = Bench {
            extractor: Arc::clone(extractor),
            catalog: Catalog::open_reader(state)?,
            serving: serving.clone(),
            guard: quarantine.guard(&name, &slot),
        };
        let (urgent, jobs, outcomes) = (self.urgent.1.clone(), self.jobs.1.clone(), outcomes.clone());
        let own = Arc::clone(&slot);
        let thread = thread::Builder::new().name(name).spawn(move || work(&bench, &own, [&urgent, &jobs], &outcomes));
        let thread = thread.map_err(|error| Trouble::system("start a worker thread", state, &error))?;
        Ok(Worker { thread, slot })
    }
}

fn work(bench: &Bench, slot: &Slot, [urgent, jobs]: [&Receiver<Job>; 2], outcomes: &Sender<Outcome>) {
    while let Some(job) = next_job(urgent, jobs) {
        slot.take_on(job.task());
        let outcome = match job {
            Job::Encode(job) => Outcome::Encoded(job.run(bench)),
            Job::Answer(question) => Outcome::Answered(question.run(bench)),
        };
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
