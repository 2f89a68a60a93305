//! What has changed, as it happens: a thread follows `answer/` and `status.json` by the system's events, and every open page is told
//! (server-sent events).

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, never};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use serde_json::json;

use super::answers::row;
use super::connection::WebConnection;
use super::page_status::PageStatus;
use super::response::{HttpRefusal, WebResponse};
use crate::answer::gallery::{AnswerChanges, NewestRecords, record_stem};
use crate::config::FolderSettings;
use crate::service_status;
use crate::watch::Identity;

/// The page lists so many answers, the newest.
const MOST_ANSWERS: usize = 20_000;
/// A page that has fallen behind by more messages asks for everything.
const MOST_MESSAGES: usize = 256;
/// Without events (the daemon was killed, a folder was exchanged) it is looked this often.
const LOOK: Duration = Duration::from_secs(5);
/// Events come in bursts: sheet, record, gallery.
const COALESCE: Duration = Duration::from_millis(15);
/// A page that has nothing to hear hears this often that it is still connected.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A page connects again after this long.
const LONGEST_STREAM: Duration = Duration::from_secs(3_600);
/// Pages that are told at a time: the other connections are for everything else.
const MOST_STREAMS: usize = 40;
/// Names of files that changed, waiting for the thread; more are a loss, and everything is looked at.
const MOST_EVENTS: usize = 4_096;

/// What is known of the answers and the daemon, and what pages have still to hear.
#[derive(Debug)]
pub struct EventHub {
    known: Mutex<HubState>,
    news: Condvar,
    streams: AtomicUsize,
}

#[derive(Debug)]
struct HubState {
    records: NewestRecords,
    status: PageStatus,
    messages: VecDeque<Arc<str>>,
    /// Number of the first of these messages.
    first: u64,
}

impl EventHub {
    /// What is in the folders now.
    pub fn of(folders: &FolderSettings) -> Self {
        let mut records = NewestRecords::new(MOST_ANSWERS);
        records.update(&folders.answer, &AnswerChanges::Unknown);
        let status = PageStatus::read(&folders.state);
        Self {
            known: Mutex::new(HubState { records, status, messages: VecDeque::new(), first: 0 }),
            news: Condvar::new(),
            streams: AtomicUsize::new(0),
        }
    }

    /// Gives the answers and the status to `look`.
    pub fn look<T>(&self, look: impl FnOnce(&NewestRecords, &PageStatus) -> T) -> T {
        let known = self.known();
        look(&known.records, &known.status)
    }

    fn known(&self) -> MutexGuard<'_, HubState> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the folders until the process ends.
    pub fn follow(&self, folders: &FolderSettings) {
        let (sender, changed) = bounded(MOST_EVENTS);
        let handler = move |event: notify::Result<notify::Event>| {
            // Reading these files is an event as well. A loss is made up for by the next look.
            let written = event.ok().filter(|event| is_of_a_change(event.kind));
            let paths = written.map(|event| event.paths).unwrap_or_default();
            paths.into_iter().for_each(|path| drop(sender.try_send(path)));
        };
        let watcher = notify::recommended_watcher(handler);
        if let Err(error) = &watcher {
            log::warn!("without events of the system the page hears of answers every {} s: {error}", LOOK.as_secs());
        }
        let changed = if watcher.is_ok() { changed } else { never() };
        let mut watches = Watches { watcher: watcher.ok(), watched: [None, None] };
        loop {
            let is_new = watches.arm([&folders.answer, &folders.state]);
            if is_new || changed.is_full() || !watches.are_set() {
                self.update(&AnswerChanges::Unknown, folders);
            }
            self.take(&changed, folders);
        }
    }

    /// Waits for changes, and tells of them; after a while without any only of the daemon, which may have been killed.
    fn take(&self, changed: &Receiver<PathBuf>, folders: &FolderSettings) {
        let (mut changes, mut until) = (AnswerChanges::None, Instant::now() + LOOK);
        while let Ok(path) = changed.recv_deadline(until) {
            let name = path.file_name().unwrap_or_default();
            let is_status = name == service_status::FILE_NAME && path.starts_with(&folders.state);
            if record_stem(name).is_some() {
                changes.add(name);
            }
            if is_status || changes != AnswerChanges::None {
                until = until.min(Instant::now() + COALESCE);
            }
        }
        self.update(&changes, folders);
    }

    fn update(&self, changes: &AnswerChanges, folders: &FolderSettings) {
        let status = PageStatus::read(&folders.state);
        let mut known = self.known();
        let before = matches!(changes, AnswerChanges::Unknown).then(|| known.fingerprint());
        known.records.update(&folders.answer, changes);
        match changes {
            AnswerChanges::Files(names) => names.iter().for_each(|name| known.tell_of(name)),
            _ if before.is_some_and(|before| before != known.fingerprint()) => known.tell("reset", "{}"),
            _ => {}
        }
        if known.status != status {
            known.tell("status", &json!(status).to_string());
            known.status = status;
        }
        drop(known);
        self.news.notify_all();
    }

    /// Tells one page of everything, from now on.
    pub fn stream(&self, connection: &mut WebConnection) -> io::Result<()> {
        let told = match self.streams.fetch_add(1, Ordering::Relaxed) < MOST_STREAMS {
            true => self.tell_one(connection),
            false => HttpRefusal::busy("too many pages are open").response().write(connection, true),
        };
        self.streams.fetch_sub(1, Ordering::Relaxed);
        told
    }

    fn tell_one(&self, connection: &mut WebConnection) -> io::Result<()> {
        connection.begin_part();
        WebResponse::bytes("text/event-stream", Vec::new()).begin(connection)?;
        let end = Instant::now() + LONGEST_STREAM;
        let (mut next, first) = {
            let known = self.known();
            (known.first + known.messages.len() as u64, message("status", &json!(known.status).to_string()))
        };
        connection.write_all(format!("retry: 2000\n\n{first}").as_bytes())?;
        while Instant::now() < end {
            let messages = self.wait(&mut next);
            connection.begin_part();
            match messages.is_empty() {
                true => connection.write_all(b": still here\n\n")?,
                false => messages.iter().try_for_each(|message| connection.write_all(message.as_bytes()))?,
            }
        }
        Ok(())
    }

    /// The messages from number `next` on, once there are any; none after a while.
    fn wait(&self, next: &mut u64) -> Vec<Arc<str>> {
        let known = self.known();
        let is_quiet = |known: &mut HubState| known.first + known.messages.len() as u64 <= *next;
        let waited = self.news.wait_timeout_while(known, HEARTBEAT, is_quiet);
        let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let end = known.first + known.messages.len() as u64;
        let messages = match next.checked_sub(known.first) {
            Some(skip) => known.messages.iter().skip(skip as usize).cloned().collect(),
            None => vec![message("reset", "{}").into(), message("status", &json!(known.status).to_string()).into()],
        };
        *next = end;
        messages
    }
}

impl HubState {
    /// Changes when an answer does.
    fn fingerprint(&self) -> (usize, i64) {
        let entries = self.records.entries();
        (entries.len(), entries.iter().fold(0, |sum: i64, entry| sum.wrapping_add(entry.time())))
    }

    fn tell_of(&mut self, name: &OsString) {
        let Some(stem) = record_stem(name) else { return };
        match self.records.entry(name).map(|entry| row(stem, entry).to_string()) {
            Some(row) => self.tell("answer", &row),
            None => self.tell("gone", &json!({ "key": stem }).to_string()),
        }
    }

    fn tell(&mut self, kind: &str, data: &str) {
        self.messages.push_back(message(kind, data).into());
        if self.messages.len() > MOST_MESSAGES {
            self.messages.pop_front();
            self.first += 1;
        }
    }
}

fn is_of_a_change(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

/// `data` is one line, as JSON is.
fn message(kind: &str, data: &str) -> String {
    format!("event: {kind}\ndata: {data}\n\n")
}

/// The watches on both folders; one that was exchanged is watched again.
struct Watches {
    watcher: Option<RecommendedWatcher>,
    watched: [Option<Identity>; 2],
}

impl Watches {
    fn are_set(&self) -> bool {
        self.watched.iter().all(Option::is_some)
    }

    /// Sets those that are missing; whether any was.
    fn arm(&mut self, folders: [&Path; 2]) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut is_new = false;
        for (folder, watched) in folders.into_iter().zip(&mut self.watched) {
            let found = Identity::of(folder);
            if found == *watched {
                continue;
            }
            if watched.take().is_some() {
                // The system drops the watch of a removed folder by itself.
                let _ = watcher.unwatch(folder);
            }
            if found.is_some() && watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
                *watched = found;
                is_new = true;
            }
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folders(root: &Path) -> FolderSettings {
        let folders = FolderSettings::default().below(root);
        [&folders.answer, &folders.state].iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
        folders
    }

    fn put(folders: &FolderSettings, name: &str) {
        let record = json!({"status": "ok", "message": "", "answered_s": 7, "query": {"name": name, "files": []}, "matches": []});
        let path = folders.answer.join(format!("result_{name}.json"));
        fs::write(path, record.to_string()).unwrap();
    }

    #[test]
    fn a_page_hears_of_an_answer_of_its_end_and_of_the_status() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        let hub = EventHub::of(&folders);
        let mut next = 0;
        let mut changes = AnswerChanges::None;
        changes.add("result_a.json".as_ref());
        put(&folders, "a");
        hub.update(&changes, &folders);
        fs::remove_file(folders.answer.join("result_a.json")).unwrap();
        hub.update(&changes, &folders);
        fs::write(folders.state.join(service_status::FILE_NAME), r#"{"state": "ready"}"#).unwrap();
        hub.update(&AnswerChanges::None, &folders);
        put(&folders, "b");
        hub.update(&AnswerChanges::Unknown, &folders);
        hub.update(&AnswerChanges::Unknown, &folders);
        let heard = hub.wait(&mut next);
        let kinds: Vec<&str> = heard.iter().map(|message| message.lines().next().unwrap()).collect();
        assert_eq!(kinds, ["event: answer", "event: gone", "event: status", "event: reset"]);
        assert!(heard[0].contains(r#""key":"result_a""#) && heard.iter().all(|message| message.ends_with("\n\n")));
    }

    #[test]
    fn one_that_has_fallen_behind_is_told_to_ask_again() {
        let root = tempfile::tempdir().unwrap();
        let hub = EventHub::of(&folders(root.path()));
        (0..=MOST_MESSAGES).for_each(|_| hub.known().tell("gone", "{}"));
        let mut next = 0;
        let heard = hub.wait(&mut next);
        assert!(heard.len() == 2 && heard[0].starts_with("event: reset\n"));
        hub.known().tell("gone", "{}");
        assert_eq!(hub.wait(&mut next).len(), 1);
    }
}
