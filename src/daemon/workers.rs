//! The threads that read, decode and encode pictures and answer queries. They change nothing but the answer folder.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::answering::respond::{Answered, Question};
use super::bench::Bench;
use super::encode::{EncodeJob, Encoded};
use super::serving::Shared;
use crate::catalog::Catalog;
use crate::error::Trouble;
use crate::model::Extractor;

/// One piece of work.
pub enum Job {
    /// Make features of an inventory or training picture.
    Encode(EncodeJob),
    /// Answer a query.
    Answer(Box<Question>),
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

/// The worker threads.
pub struct Workers {
    /// Queries: taken first.
    urgent: Sender<Job>,
    jobs: Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts `count` threads that send what comes of their jobs to `outcomes`.
    pub fn start(
        count: usize,
        extractor: &Arc<Extractor>,
        state: &PathBuf,
        serving: &Shared,
        outcomes: &Sender<Outcome>,
    ) -> Result<Self, Trouble> {
        // As many as the plan starts at most, so that handing one out never waits.
        let (urgent, received_urgent) = bounded(JOBS_A_WORKER * count);
        let (jobs, received) = bounded(JOBS_A_WORKER * count);
        let mut threads = Vec::new();
        for number in 0..count {
            let bench = Bench {
                extractor: Arc::clone(extractor),
                catalog: Catalog::open_reader(state)?,
                serving: serving.clone(),
            };
            let (urgent, received, outcomes) = (received_urgent.clone(), received.clone(), outcomes.clone());
            let thread = thread::Builder::new().name(format!("worker-{number}"));
            let handle = thread.spawn(move || work(&bench, &urgent, &received, &outcomes));
            threads.push(handle.map_err(|error| Trouble::system("start a worker thread", state, &error))?);
        }
        Ok(Self { urgent, jobs, threads })
    }

    /// Hands out a job.
    pub fn start_job(&self, job: Job) {
        let queue = if matches!(job, Job::Answer(_)) { &self.urgent } else { &self.jobs };
        // Fails only when every worker has died, which `are_alive` tells.
        let _ = queue.send(job);
    }

    /// Whether every thread is alive.
    pub fn are_alive(&self) -> bool {
        !self.threads.iter().any(JoinHandle::is_finished)
    }
}

fn work(bench: &Bench, urgent: &Receiver<Job>, jobs: &Receiver<Job>, outcomes: &Sender<Outcome>) {
    while let Some(job) = next_job(urgent, jobs) {
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
