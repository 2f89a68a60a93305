//! Notifies the service manager (systemd), where there is one: that loading continues, that all is ready, that the loop is alive.
//!
//! The protocol is sd_notify(3). Without a service manager nothing is sent, and a message that cannot be sent changes
//! nothing here: the manager's own time limits then decide.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use sd_notify::NotifyState;

/// While loading, the manager is asked for this much more time ...
const EXTENSION: Duration = Duration::from_secs(60);
/// ... this often.
const EXTENSION_PAUSE: Duration = Duration::from_secs(5);
/// A daemon that loads for longer than this is stuck, and the manager may end it.
const LONGEST_LOADING: Duration = Duration::from_secs(15 * 60);

/// Extends the manager's time limit while the catalog is checked and loaded. That is a few long steps without progress, one of
/// them SQLite's own, so a thread asks for more time until this is dropped.
pub struct Loading {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loading {
    /// Begins to ask, if there is a manager.
    pub fn begin() -> Self {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return Self { end: None, thread: None };
        }
        let (end, ended) = bounded(0);
        let ask = move || {
            let started = Instant::now();
            while started.elapsed() < LONGEST_LOADING {
                extend();
                // It may be up already, and have to begin again with another state folder.
                alive();
                if ended.recv_timeout(EXTENSION_PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        // Without the thread, the manager's own limit has to do.
        Self { end: Some(end), thread: thread::Builder::new().name("loading".into()).spawn(ask).ok() }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.end = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Extends the manager's time limit until all folders were scanned, at each turn of the loop.
#[derive(Debug)]
pub struct Patience {
    asked: Option<Instant>,
}

impl Patience {
    /// Has sent nothing yet.
    pub fn new() -> Self {
        Self { asked: None }
    }

    /// Called at each turn.
    pub fn goes_on(&mut self) {
        if self.asked.is_some_and(|asked| asked.elapsed() < EXTENSION_PAUSE) {
            return;
        }
        self.asked = Some(Instant::now());
        extend();
    }
}

/// Loading goes on: the manager is asked for more time.
pub fn goes_on() {
    extend();
}

fn extend() {
    let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::ExtendTimeoutUsec(extension)]);
}

/// Watches are armed and the index is loaded.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// Loop and workers are alive.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// The settings are being read again; `ready` follows when that is done. The time is what `Type=notify-reload` asks for.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(time) => tell(&[NotifyState::Reloading, time]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The service is stopping.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
