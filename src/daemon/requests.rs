//! What commands ask of a running daemon: a file in a folder of its own, answered by another beside it. There is no
//! socket; whoever may write the state folder may ask.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Fatal, Trouble};
use crate::files::{Lock, make_folder, remove_own, write_whole};

/// Inside the state folder.
const FOLDER: &str = "requests";
/// Ends the names of answers.
const REPLY_END: &str = "reply";
/// Ends the names of requests.
const REQUEST_END: &str = "json";
/// A command looks for its answer this often.
const LOOK_INTERVAL: Duration = Duration::from_millis(30);

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Train now. Answered when the training begins.
    Train,
    /// Go back to the model of that id, or to the one before. Answered when it serves.
    Rollback {
        /// See `rollback::target`.
        model: Option<String>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The model that is trained or that serves; `None` when it could not be done.
    pub model: Option<String>,
    /// A sentence for a person.
    pub message: String,
}

impl Reply {
    /// It could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { model: None, message: message.into() }
    }
}

/// The folder of a state folder.
pub fn folder(state: &Path) -> PathBuf {
    state.join(FOLDER)
}

/// Forgets what was asked before the daemon started: whoever asked has given up.
pub fn forget_all(state: &Path) {
    for entry in std::fs::read_dir(folder(state)).into_iter().flatten().flatten() {
        let _ = remove_own(&entry.path());
    }
}

/// Takes what was asked, each with where its answer is awaited.
pub fn take_all(state: &Path) -> Vec<(Result<Request, Senseless>, PathBuf)> {
    let entries = std::fs::read_dir(folder(state)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == REQUEST_END));
    paths.sort_unstable();
    let take = |path: PathBuf| {
        let bytes = std::fs::read(&path).ok()?;
        remove_own(&path).ok()?;
        let request = serde_json::from_slice(&bytes).map_err(Senseless);
        Some((request, path.with_extension(REPLY_END)))
    };
    paths.into_iter().filter_map(take).collect()
}

/// A request that is none.
#[derive(Debug)]
pub struct Senseless(serde_json::Error);

impl fmt::Display for Senseless {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the request makes no sense: {}", self.0)
    }
}

/// Answers a request.
pub fn answer(place: &Path, reply: &Reply) -> Result<(), Trouble> {
    let text = serde_json::to_vec(reply).unwrap_or_default();
    write_whole(place, &text, "answer a request")
}

/// Asks the daemon that works on `state` and waits for its answer, for as long as it runs and `goes_on` says yes.
///
/// # Errors
/// When nothing can be asked, the daemon ends, or `goes_on` says no.
pub fn ask(state: &Path, request: &Request, goes_on: &mut dyn FnMut() -> bool) -> Result<Reply, Fatal> {
    let folder = folder(state);
    make_folder(&folder)?;
    let place = folder.join(format!("{}-{}.{REQUEST_END}", std::process::id(), crate::clock::now_s()));
    let reply_at = place.with_extension(REPLY_END);
    write_whole(&place, &serde_json::to_vec(request).unwrap_or_default(), "ask the running artificio")?;
    let mut free_since = None;
    loop {
        if let Ok(bytes) = std::fs::read(&reply_at) {
            remove_own(&reply_at)?;
            return serde_json::from_slice(&bytes)
                .map_err(|error| Fatal::Failed(format!("{}: the answer makes no sense: {error}", reply_at.display())));
        }
        // The last thing it did may have been to answer: one more look after it ended.
        let has_ended = free_since.is_some_and(|since: Instant| since.elapsed() > 10 * LOOK_INTERVAL);
        if has_ended || !goes_on() {
            let _ = remove_own(&place);
            let why = if has_ended { "the running artificio ended before it answered" } else { "given up" };
            return Err(Fatal::Failed(format!("{}: {why}", state.display())));
        }
        if !Lock::is_held(state) {
            free_since.get_or_insert_with(Instant::now);
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_once_and_answered_beside_it() {
        let state = tempfile::tempdir().unwrap();
        let lock = Lock::take(state.path()).unwrap();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| ask(state.path(), &Request::Rollback { model: None }, &mut || true));
            let mut taken = Vec::new();
            while taken.is_empty() {
                taken = take_all(state.path());
            }
            let (request, place) = taken.remove(0);
            assert_eq!(request.unwrap(), Request::Rollback { model: None });
            assert!(take_all(state.path()).is_empty());
            let reply = Reply { model: Some("m1".into()), message: "model m1 serves".into() };
            answer(&place, &reply).unwrap();
            assert_eq!(asked.join().unwrap().unwrap(), reply);
        });
        assert_eq!(std::fs::read_dir(folder(state.path())).unwrap().count(), 0, "nothing is left behind");
        drop(lock);
        let alone = ask(state.path(), &Request::Train, &mut || true).unwrap_err();
        assert!(alone.to_string().contains("ended before it answered"), "{alone}");
        assert!(take_all(state.path()).is_empty());
    }

    #[test]
    fn nonsense_is_answered_and_what_is_old_forgotten() {
        let state = tempfile::tempdir().unwrap();
        make_folder(&folder(state.path())).unwrap();
        std::fs::write(folder(state.path()).join("1.json"), b"{\"what\":\"dance\"}").unwrap();
        let taken = take_all(state.path());
        assert!(taken[0].0.as_ref().unwrap_err().to_string().contains("makes no sense"), "{taken:?}");
        std::fs::write(folder(state.path()).join("2.json"), b"{\"what\":\"train\"}").unwrap();
        forget_all(state.path());
        assert!(take_all(state.path()).is_empty());
    }
}
