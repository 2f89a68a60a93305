//! Requests of commands to a running daemon: each is a file in a folder, answered by a second file next to it. There is no
//! socket; everyone who can write to the state folder can send requests.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Fatal, Trouble};
use crate::files::{Lock, make_folder, remove_own, write_whole};

/// Inside the state folder.
const FOLDER: &str = "requests";
/// Extension of replies.
const REPLY_END: &str = "reply";
/// Extension of requests.
const REQUEST_END: &str = "json";
/// A command checks for its reply this often.
const LOOK_INTERVAL: Duration = Duration::from_millis(30);

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Train now. Answered when the training begins.
    Train,
    /// Go back to the model of that id, or to the one before the current one. Answered when it serves.
    Rollback {
        /// See `rollback::target`.
        model: Option<String>,
    },
}

/// The reply to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The model that is trained or that serves; `None` when it could not be done.
    pub model: Option<String>,
    /// A sentence for a person.
    pub message: String,
}

impl Reply {
    /// The request could not be carried out.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { model: None, message: message.into() }
    }
}

/// The folder of a state folder.
pub fn folder(state: &Path) -> PathBuf {
    state.join(FOLDER)
}

/// Deletes requests from before the daemon started: nobody waits for them any more.
pub fn delete_all(state: &Path) {
    for entry in std::fs::read_dir(folder(state)).into_iter().flatten().flatten() {
        let _ = remove_own(&entry.path());
    }
}

/// Takes all requests, each with the path of its reply.
pub fn take_all(state: &Path) -> Vec<(Result<Request, InvalidRequest>, PathBuf)> {
    let entries = std::fs::read_dir(folder(state)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == REQUEST_END));
    paths.sort_unstable();
    let take = |path: PathBuf| {
        let bytes = std::fs::read(&path).ok()?;
        remove_own(&path).ok()?;
        let request = serde_json::from_slice(&bytes).map_err(InvalidRequest);
        Some((request, path.with_extension(REPLY_END)))
    };
    paths.into_iter().filter_map(take).collect()
}

/// A request that cannot be parsed.
#[derive(Debug)]
pub struct InvalidRequest(serde_json::Error);

impl fmt::Display for InvalidRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the request makes no sense: {}", self.0)
    }
}

/// Answers a request.
pub fn answer(place: &Path, reply: &Reply) -> Result<(), Trouble> {
    let text = serde_json::to_vec(reply).unwrap_or_default();
    write_whole(place, &text, "answer a request")
}

/// Sends a request to the daemon that runs on `state` and waits for its reply, for as long as it runs and `goes_on` returns
/// true.
///
/// # Errors
/// When the request cannot be written, the daemon ends, or `goes_on` returns false.
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
        // It may have replied just before it ended: checked once more after that.
        let has_ended = free_since.is_some_and(|since: Instant| since.elapsed() > 10 * LOOK_INTERVAL);
        if has_ended || !goes_on() {
            let _ = remove_own(&place);
            let why = if has_ended { "the running artificio ended before it answered" } else { "cancelled" };
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
    fn a_request_is_taken_once_and_answered_next_to_it() {
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
    fn an_invalid_request_is_answered_and_old_ones_are_deleted() {
        let state = tempfile::tempdir().unwrap();
        make_folder(&folder(state.path())).unwrap();
        std::fs::write(folder(state.path()).join("1.json"), b"{\"what\":\"dance\"}").unwrap();
        let taken = take_all(state.path());
        assert!(taken[0].0.as_ref().unwrap_err().to_string().contains("makes no sense"), "{taken:?}");
        std::fs::write(folder(state.path()).join("2.json"), b"{\"what\":\"train\"}").unwrap();
        delete_all(state.path());
        assert!(take_all(state.path()).is_empty());
    }
}
