//! Keeps the page of all answers, `answer/index.html`, up to date on a thread of its own, so that no answer waits for it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::answer::gallery::{FILE_NAME, GalleryEntry, page};
use crate::daemon::retry::{LONGEST_RETRY_PAUSE, RETRY_PAUSE};
use crate::error::Trouble;
use crate::files::{Stamp, write_whole};
use crate::threads::{self, ThreadEnd};

/// Name of the thread.
pub const THREAD: &str = "gallery";
/// The page is written at most this often (with 10,000 answers an update takes this thread 40 to 60 ms, and the first
/// reading of all of them 200 ms) ...
const PAUSE: Duration = Duration::from_secs(1);
/// ... and writing takes at most this fraction of the time: one part in so many.
const COST_FACTOR: u32 = 20;
/// When the daemon stops, it waits this long at most for the last page.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The loop's handle on the thread, which ends when this is dropped.
pub struct Gallery {
    hints: Option<Sender<()>>,
    thread: JoinHandle<()>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Gallery {
    /// Starts it; the first page is written at once.
    pub fn start(answer: &Path, inventory: &Path, ends: &Sender<ThreadEnd>) -> Result<Self, Trouble> {
        let (sender, hints) = bounded(1);
        let trouble = Arc::new(Mutex::new(None));
        let gallery_thread = GalleryThread {
            answer: answer.to_path_buf(),
            inventory: inventory.to_path_buf(),
            entries: HashMap::new(),
            written: std::fs::read(answer.join(FILE_NAME)).ok().map(|bytes| blake3::hash(&bytes)),
            trouble: Arc::clone(&trouble),
        };
        let thread = threads::spawn(THREAD, ends.clone(), move || gallery_thread.run(&hints))?;
        let gallery = Self { hints: Some(sender), thread, trouble };
        gallery.hint();
        Ok(gallery)
    }

    /// Starts another thread in place of one that died.
    pub fn restart(&mut self, answer: &Path, inventory: &Path, ends: &Sender<ThreadEnd>) -> Result<(), Trouble> {
        *self = Self::start(answer, inventory, ends)?;
        Ok(())
    }

    /// Something in the answer folder has changed.
    pub fn hint(&self) {
        // Full: an update is pending already.
        let _ = self.hints.as_ref().map(|hints| hints.try_send(()));
    }

    /// Why the page could not be written, if so.
    pub fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

struct GalleryThread {
    answer: PathBuf,
    inventory: PathBuf,
    /// By the record's file name.
    entries: HashMap<OsString, (Stamp, Option<GalleryEntry>)>,
    written: Option<blake3::Hash>,
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
            *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = updated.err();
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
        // Without the folder there is nothing to show; the next answer creates it.
        let Ok(folder) = std::fs::read_dir(&self.answer) else { return Ok(()) };
        let mut there = HashMap::new();
        for file in folder.flatten() {
            let name = file.file_name();
            let Some(stem) = name.to_str().and_then(record_stem) else { continue };
            let Ok(stamp) = file.metadata().map(|metadata| Stamp::of(&metadata)) else { continue };
            let entry = match self.entries.remove(&name) {
                Some((seen, entry)) if seen == stamp => entry,
                _ => std::fs::read(file.path()).ok().and_then(|record| GalleryEntry::from_record(&record, stem)),
            };
            there.insert(name, (stamp, entry));
        }
        self.entries = there;
        let mut entries: Vec<&GalleryEntry> = self.entries.values().filter_map(|(_, entry)| entry.as_ref()).collect();
        let path = self.answer.join(FILE_NAME);
        if entries.is_empty() && !path.exists() {
            return Ok(());
        }
        let page = page(&mut entries, &self.inventory, &self.answer);
        let hash = blake3::hash(&page);
        if self.written != Some(hash) || !path.exists() {
            // The problem concerns the folder (full, read-only), as it does for answers.
            let written = write_whole(&path, &page, "write the gallery");
            written.map_err(|trouble| Trouble { path: self.answer.clone(), ..trouble })?;
            self.written = Some(hash);
        }
        Ok(())
    }
}

/// `result_burger` of `result_burger.json`; none for other files.
fn record_stem(name: &str) -> Option<&str> {
    name.strip_suffix(".json").filter(|stem| stem.starts_with("result_"))
}
