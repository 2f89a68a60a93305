//! What the service manager hears, where there is one: that loading goes on, that all is ready, that the loop lives.
//!
//! The protocol is sd_notify(3). Without a service manager nothing is sent, and a message that cannot be sent changes
//! nothing here: the manager's own time limits then decide.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// While loading, the manager is asked for this much more time ...
const EXTENSION: Duration = Duration::from_secs(60);
/// ... this often.
const EXTENSION_PAUSE: Duration = Duration::from_secs(5);

/// Keeps the manager patient while the program loads: each sign of life puts its time limit off.
#[derive(Debug)]
pub struct Patience {
    asked: Option<Instant>,
}

impl Patience {
    /// Has asked for nothing yet.
    pub fn new() -> Self {
        Self { asked: None }
    }

    /// Called at each step of the loading, however small.
    pub fn goes_on(&mut self) {
        if self.asked.is_some_and(|asked| asked.elapsed() < EXTENSION_PAUSE) {
            return;
        }
        self.asked = Some(Instant::now());
        let extension = u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX);
        tell(&[NotifyState::ExtendTimeoutUsec(extension)]);
    }
}

/// Watches are armed and the index is loaded.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// One line for `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// Loop and workers live.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// The settings are being read again; `ready` says when that is over. The time is what `Type=notify-reload` asks for.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(time) => tell(&[NotifyState::Reloading, time]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The service is on its way out.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}
