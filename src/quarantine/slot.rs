//! What one worker is decoding, as its supervisor sees it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::picture::Hash;

/// Between two looks of the supervisor no more time than this counts: where more has passed, the whole process stood still
/// (stopped, swapped out, the machine asleep).
const MOST_BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// A picture being decoded.
#[derive(Debug, Clone)]
pub struct Decoding {
    /// What is decoded.
    pub content: Hash,
    /// Where it was read.
    pub path: PathBuf,
    /// Where that is written on the disk.
    pub mark: PathBuf,
    begun: Instant,
    /// The part of the time since then in which the process ran.
    taken: Duration,
}

impl Decoding {
    /// It begins now.
    pub fn new(content: Hash, path: &Path, mark: &Path) -> Self {
        let (path, mark) = (path.to_path_buf(), mark.to_path_buf());
        Self { content, path, mark, begun: Instant::now(), taken: Duration::ZERO }
    }

    /// The supervisor looks, this long after it looked last.
    fn look(&mut self, since_last_look: Duration) {
        self.taken += since_last_look.min(MOST_BETWEEN_LOOKS).min(self.begun.elapsed());
    }
}

/// What one worker does, a job `J` and the picture being decoded for it. The supervisor may give the worker up, the worker
/// may end what it does: whoever comes first has it.
#[derive(Debug)]
pub struct Slot<J>(Mutex<Inside<J>>);

#[derive(Debug)]
struct Inside<J> {
    job: Option<J>,
    decoding: Option<Decoding>,
    is_abandoned: bool,
}

impl<J> Default for Slot<J> {
    fn default() -> Self {
        Self(Mutex::new(Inside { job: None, decoding: None, is_abandoned: false }))
    }
}

/// What a decoding thread reports to its slot.
pub trait Supervised: Send + Sync {
    /// It begins to decode.
    fn begin(&self, decoding: Decoding);

    /// It has decoded; `false` when it was given up before.
    fn end(&self) -> bool;
}

impl<J> Slot<J> {
    /// The worker takes on a job.
    pub fn take_on(&self, job: J) {
        self.lock().job = Some(job);
    }

    /// The job that the worker is at; it is at none from now on.
    pub fn take_job(&self) -> Option<J> {
        self.lock().job.take()
    }

    /// Gives the worker up if it has been decoding one picture for longer than `limit`: its job, and the picture.
    pub fn abandon_after(&self, limit: Duration, since_last_look: Duration) -> Option<(J, Decoding)> {
        let mut inside = self.lock();
        let decoding = inside.decoding.as_mut()?;
        decoding.look(since_last_look);
        if decoding.taken <= limit {
            return None;
        }
        inside.is_abandoned = true;
        inside.job.take().zip(inside.decoding.take())
    }

    fn lock(&self) -> MutexGuard<'_, Inside<J>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J: Send> Supervised for Slot<J> {
    fn begin(&self, decoding: Decoding) {
        self.lock().decoding = Some(decoding);
    }

    fn end(&self) -> bool {
        let mut inside = self.lock();
        inside.decoding = None;
        !inside.is_abandoned
    }
}

/// For a thread that nobody supervises.
pub struct Unsupervised;

impl Supervised for Unsupervised {
    fn begin(&self, _decoding: Decoding) {}

    fn end(&self) -> bool {
        true
    }
}
