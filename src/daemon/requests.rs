//! Requests of commands to a running daemon: each is a file in a folder, answered by a second file next to it. There is no
//! socket; the folder is open to the user who runs the service and to root, and so are requests.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::Access;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::error::{Fatal, Trouble, reason};
use crate::files::{Lock, empty_private_folder, make_private_folder, read_own, remove_own, write_whole};

/// Inside the state folder.
const FOLDER: &str = "requests";
/// Extension of replies.
const REPLY_END: &str = "reply";
/// Extension of requests.
const REQUEST_END: &str = "json";
/// A larger file is no request, and no reply.
const LARGEST_BYTES: u64 = 64 << 10;
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

/// Deletes requests from before the daemon started, which nobody waits for any more, and whatever others have put there.
pub fn delete_all(state: &Path) {
    empty_private_folder(&folder(state));
}

/// Takes all requests, each with the path of its reply.
pub fn take_all(state: &Path) -> Vec<(Result<Request, InvalidRequest>, PathBuf)> {
    let entries = std::fs::read_dir(folder(state)).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == REQUEST_END));
    paths.sort_unstable();
    let take = |path: PathBuf| {
        let read = read_own(&path, LARGEST_BYTES);
        // Whatever it is, it is not looked at again.
        remove_own(&path).ok()?;
        let request = read.map_err(InvalidRequest::Refused);
        let request = request.and_then(|bytes| serde_json::from_slice(&bytes).map_err(InvalidRequest::Senseless));
        Some((request, path.with_extension(REPLY_END)))
    };
    paths.into_iter().filter_map(take).collect()
}

/// Why a request is not carried out.
#[derive(Debug)]
pub enum InvalidRequest {
    /// It is no file of the service's user, or too large.
    Refused(io::Error),
    /// It cannot be parsed.
    Senseless(serde_json::Error),
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => write!(out, "the request is not read: {}", reason(error)),
            Self::Senseless(error) => write!(out, "the request makes no sense: {error}"),
        }
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
    may_ask(state)?;
    make_private_folder(&folder)?;
    let place = folder.join(format!("{}-{}.{REQUEST_END}", std::process::id(), crate::clock::now_s()));
    let reply_at = place.with_extension(REPLY_END);
    write_whole(&place, &serde_json::to_vec(request).unwrap_or_default(), "ask the running artificio")?;
    let mut free_since = None;
    loop {
        if let Ok(bytes) = read_own(&reply_at, LARGEST_BYTES) {
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

/// Whether this user may ask the service on `state`.
fn may_ask(state: &Path) -> Result<(), Trouble> {
    let is_open = rustix::fs::access(folder(state), Access::WRITE_OK | Access::EXEC_OK);
    let (Err(Errno::ACCESS), Ok(found)) = (is_open, std::fs::metadata(state)) else { return Ok(()) };
    let what = "only the user who runs the service may ask it for that";
    Err(Trouble::new(what, state, format!("sudo -u '#{}' artificio ...", found.uid())))
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, Mode, mkfifoat};

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
        make_private_folder(&folder(state.path())).unwrap();
        std::fs::write(folder(state.path()).join("1.json"), b"{\"what\":\"dance\"}").unwrap();
        let taken = take_all(state.path());
        assert!(taken[0].0.as_ref().unwrap_err().to_string().contains("makes no sense"), "{taken:?}");
        std::fs::write(folder(state.path()).join("2.json"), b"{\"what\":\"train\"}").unwrap();
        delete_all(state.path());
        assert!(take_all(state.path()).is_empty());
    }

    #[test]
    fn what_is_planted_among_requests_is_neither_waited_for_nor_followed() {
        let state = tempfile::tempdir().unwrap();
        make_private_folder(&folder(state.path())).unwrap();
        let at = |name: &str| folder(state.path()).join(name);
        mkfifoat(CWD, at("1.json"), Mode::RWXU).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("2.json")).unwrap();
        std::fs::write(at("3.json"), vec![b'['; 1 << 20]).unwrap();
        std::fs::write(at("4.json"), b"{\"what\":\"train\"}").unwrap();
        let taken = take_all(state.path());
        assert_eq!(taken.len(), 4);
        assert!(taken[..3].iter().all(|(request, _)| matches!(request, Err(InvalidRequest::Refused(_)))), "{taken:?}");
        assert_eq!(*taken[3].0.as_ref().unwrap(), Request::Train);
        assert_eq!(std::fs::read_dir(folder(state.path())).unwrap().count(), 0, "nothing is left behind");
    }
}
