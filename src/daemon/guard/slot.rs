//! What one worker is at, as the loop sees it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::gate::Mode;
use crate::daemon::plan::Task;
use crate::picture::Hash;

/// Between two looks of the loop no more time than this is held against a decoder: where more has passed, the whole process
/// stood still (stopped, swapped out, the machine asleep), which is not the picture's fault.
const MOST_BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// A picture being decoded.
#[derive(Debug, Clone)]
pub struct Decoding {
    /// What is decoded.
    pub content: Hash,
    /// Where it was read.
    pub path: PathBuf,
    /// With whom.
    pub mode: Mode,
    /// Where that is said on the disk.
    pub board: PathBuf,
    begun: Instant,
    /// The part of the time since then in which the process ran.
    taken: Duration,
}

impl Decoding {
    /// It begins now.
    pub fn new(content: Hash, path: &Path, mode: Mode, board: &Path) -> Self {
        let (path, board) = (path.to_path_buf(), board.to_path_buf());
        Self { content, path, mode, board, begun: Instant::now(), taken: Duration::ZERO }
    }

    /// The loop looks, this long after it looked last.
    fn look(&mut self, since_last_look: Duration) {
        self.taken += since_last_look.min(MOST_BETWEEN_LOOKS).min(self.begun.elapsed());
    }
}

/// What one worker is at. The loop may give the worker up, the worker may end what it is at: whoever comes first has it.
#[derive(Debug, Default)]
pub struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    task: Option<Task>,
    decoding: Option<Decoding>,
    is_given_up: bool,
}

impl Slot {
    /// The worker takes on a job.
    pub fn take_on(&self, task: Task) {
        self.lock().task = Some(task);
    }

    /// The worker begins to decode.
    pub fn begin(&self, decoding: Decoding) {
        self.lock().decoding = Some(decoding);
    }

    /// The worker has decoded; `false` when it was given up before.
    pub fn end(&self) -> bool {
        let mut state = self.lock();
        state.decoding = None;
        !state.is_given_up
    }

    /// Gives the worker up if it has been decoding one picture for longer than `limit`: the job it was at and the picture.
    pub fn give_up_after(&self, limit: Duration, since_last_look: Duration) -> Option<(Task, Decoding)> {
        let mut state = self.lock();
        let decoding = state.decoding.as_mut()?;
        decoding.look(since_last_look);
        if decoding.taken <= limit {
            return None;
        }
        state.is_given_up = true;
        state.task.take().zip(state.decoding.take())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
