//! The slot in which a worker shows its supervisor what it is decoding, and since when.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::memory::Reservation;
use crate::picture::Hash;

/// Between two checks of the supervisor at most this much time counts: if more has passed, the whole process was not running
/// (stopped, swapped out, the machine suspended).
const MOST_BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// A picture being decoded.
#[derive(Debug, Clone)]
pub struct Decoding {
    /// What is decoded.
    pub content: Hash,
    /// Where it was read.
    pub path: PathBuf,
    /// Its mark on the disk.
    pub mark: PathBuf,
    /// What is reserved for it.
    pub memory: Option<Arc<Reservation>>,
    begun: Instant,
    /// The time since then during which the process ran.
    taken: Duration,
}

impl Decoding {
    /// A decoding that begins now.
    pub fn new(content: Hash, path: &Path, mark: &Path) -> Self {
        let (path, mark) = (path.to_path_buf(), mark.to_path_buf());
        Self { content, path, mark, memory: None, begun: Instant::now(), taken: Duration::ZERO }
    }

    /// The supervisor checks, this long after its last check.
    fn look(&mut self, since_last_look: Duration) {
        self.taken += since_last_look.min(MOST_BETWEEN_LOOKS).min(self.begun.elapsed());
    }
}

/// What one worker is doing: a job `J`, and the picture being decoded for it. Either the supervisor abandons the worker or the
/// worker ends the decoding, whichever comes first.
#[derive(Debug)]
pub struct Slot<J>(Mutex<SlotState<J>>);

#[derive(Debug)]
struct SlotState<J> {
    job: Option<J>,
    decoding: Option<Decoding>,
    is_abandoned: bool,
}

impl<J> Default for Slot<J> {
    fn default() -> Self {
        Self(Mutex::new(SlotState { job: None, decoding: None, is_abandoned: false }))
    }
}

/// Receives the reports of a decoding thread.
pub trait Supervised: Send + Sync {
    /// It begins to decode.
    fn begin(&self, decoding: Decoding);

    /// It has decoded; `false` if it was abandoned before.
    fn end(&self) -> bool;
}

impl<J> Slot<J> {
    /// The worker begins a job.
    pub fn begin_job(&self, job: J) {
        self.lock().job = Some(job);
    }

    /// Takes the worker's job; it has none from now on.
    pub fn take_job(&self) -> Option<J> {
        self.lock().job.take()
    }

    /// The picture that the worker was decoding when it died.
    pub fn take_decoding(&self) -> Option<Decoding> {
        self.lock().decoding.take()
    }

    /// Gives the worker up if it has been decoding one picture for longer than `limit`: its job, and the picture.
    pub fn abandon_after(&self, limit: Duration, since_last_look: Duration) -> Option<(J, Decoding)> {
        let mut inside = self.lock();
        let decoding = inside.decoding.as_mut()?;
        decoding.look(since_last_look);
        if decoding.taken <= limit {
            return None;
        }
        // Its thread may never end, and the others would wait for ever.
        decoding.memory.iter().for_each(|memory| memory.release());
        inside.is_abandoned = true;
        inside.job.take().zip(inside.decoding.take())
    }

    fn lock(&self) -> MutexGuard<'_, SlotState<J>> {
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

/// For a thread without a supervisor.
pub struct Unsupervised;

impl Supervised for Unsupervised {
    fn begin(&self, _decoding: Decoding) {}

    fn end(&self) -> bool {
        true
    }
}
