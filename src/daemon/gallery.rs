//! Keeps the page of all answers, `answer/index.html`, up to date on a thread of its own, so that no answer waits for it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

pub use crate::answer::gallery::FILE_NAME as PAGE;
use crate::answer::gallery::{AnswerChanges, NewestRecords, page, record_stem};
use crate::answer::strip::remove_left_over;
use crate::daemon::retry::{LONGEST_RETRY_PAUSE, RETRY_PAUSE};
use crate::error::Trouble;
use crate::files::{FileAt, replace_quick};
use crate::threads::{self, ThreadEnd};

/// Name of the thread.
pub const THREAD: &str = "gallery";
/// The page shows so many answers, the newest: a browser opens it, and writing it takes a tenth of a second.
const MOST_ANSWERS: usize = 20_000;
/// A larger page is not ours, and written again.
const LARGEST_PAGE_BYTES: u64 = 256 << 20;
/// The page is written at most this often (with 10,000 answers that takes this thread 40 ms, and the first reading of all of
/// them 200 ms) ...
const PAUSE: Duration = Duration::from_secs(1);
/// ... and writing takes at most this fraction of the time: one part in so many.
const COST_FACTOR: u32 = 20;
/// When the daemon stops, it waits this long at most for the last page.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The loop's handle on the thread, which ends when this is dropped.
pub struct Gallery {
    hints: Option<Sender<()>>,
    changes: Arc<Mutex<AnswerChanges>>,
    thread: JoinHandle<()>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Gallery {
    /// Starts it; the first page is written at once.
    pub fn start(answer: &Path, inventory: &Path, ends: &Sender<ThreadEnd>) -> Result<Self, Trouble> {
        let (sender, hints) = bounded(1);
        let (trouble, changes) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(AnswerChanges::Unknown)));
        let gallery_thread = GalleryThread {
            answer: answer.to_path_buf(),
            inventory: inventory.to_path_buf(),
            records: NewestRecords::new(MOST_ANSWERS),
            written: FileAt::below(answer, Path::new(PAGE))
                .read(LARGEST_PAGE_BYTES)
                .ok()
                .map(|page| blake3::hash(&page)),
            changes: Arc::clone(&changes),
            trouble: Arc::clone(&trouble),
        };
        let thread = threads::spawn(THREAD, ends.clone(), move || gallery_thread.run(&hints))?;
        let gallery = Self { hints: Some(sender), changes, thread, trouble };
        gallery.wake();
        Ok(gallery)
    }

    /// Starts another thread in place of one that died.
    pub fn restart(&mut self, answer: &Path, inventory: &Path, ends: &Sender<ThreadEnd>) -> Result<(), Trouble> {
        *self = Self::start(answer, inventory, ends)?;
        Ok(())
    }

    /// A file of the answer folder was written or removed.
    pub fn hint(&self, name: &OsStr) {
        if record_stem(name).is_some() || name == PAGE {
            locked(&self.changes).add(name);
            self.wake();
        }
    }

    /// Anything in the answer folder may have changed.
    pub fn hint_all(&self) {
        *locked(&self.changes) = AnswerChanges::Unknown;
        self.wake();
    }

    fn wake(&self) {
        // Full: an update is pending already.
        let _ = self.hints.as_ref().map(|hints| hints.try_send(()));
    }

    /// Why the page could not be written, if so.
    pub fn trouble(&self) -> Option<Trouble> {
        locked(&self.trouble).clone()
    }

    /// Waits for the last page, up to a limit.
    pub fn finish(&mut self) {
        self.hints = None;
        let deadline = Instant::now() + LAST_PATIENCE;
        while !self.thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Nothing that is done under these locks can leave half a value behind.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

struct GalleryThread {
    answer: PathBuf,
    inventory: PathBuf,
    records: NewestRecords,
    written: Option<blake3::Hash>,
    changes: Arc<Mutex<AnswerChanges>>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl GalleryThread {
    fn run(mut self, hints: &Receiver<()>) {
        let (mut is_due, mut retry_pause) = (false, RETRY_PAUSE);
        while is_due || hints.recv().is_ok() {
            let started = Instant::now();
            let updated = self.update();
            is_due = updated.is_err();
            let pause = if is_due { retry_pause } else { PAUSE.max(started.elapsed() * COST_FACTOR) };
            retry_pause = if is_due { (retry_pause * 2).min(LONGEST_RETRY_PAUSE) } else { RETRY_PAUSE };
            *locked(&self.trouble) = updated.err();
            loop {
                match hints.recv_deadline(started + pause) {
                    Ok(()) => is_due = true,
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => {
                        if is_due {
                            // Answers of the last pause belong on the last page; the daemon that would report a
                            // failure has ended.
                            let _ = self.update();
                        }
                        return;
                    }
                }
            }
        }
    }

    /// Updates the page from the records; only changed ones are read.
    fn update(&mut self) -> Result<(), Trouble> {
        let changes = std::mem::take(&mut *locked(&self.changes));
        self.records.update(&self.answer, &changes);
        match &changes {
            AnswerChanges::None => {}
            AnswerChanges::Files(names) => {
                remove_left_over(&self.answer, Some(&mut names.iter().map(OsString::as_os_str)));
            }
            AnswerChanges::Unknown => remove_left_over(&self.answer, None),
        }
        let mut entries = self.records.entries();
        let path = self.answer.join(PAGE);
        if entries.is_empty() && !path.exists() {
            return Ok(());
        }
        let page = page(&mut entries, self.records.are_all(), &self.inventory, &self.answer);
        let hash = blake3::hash(&page);
        if self.written != Some(hash) || !path.exists() {
            // The problem concerns the folder (full, read-only), as it does for answers.
            let written = replace_quick(&path, &page, "write the gallery");
            written.map_err(|trouble| Trouble { path: self.answer.clone(), ..trouble })?;
            self.written = Some(hash);
        }
        Ok(())
    }
}
