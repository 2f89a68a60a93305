//! `artificio reload`: makes the running service read its settings again, and waits until it has.
//!
//! A signal alone returns before anything has happened. Here a mistake in the settings is an exit code, so that
//! `systemctl reload` fails where the new settings are not in force.

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::config;
use crate::config::Setup;
use crate::error::{Fatal, reason};
use crate::files::Lock;
use crate::service_status;

/// The event loop may be busy for long, with a million files say.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

pub fn run(setup: &Setup) -> Result<ExitCode, Fatal> {
    // The service itself finds mistakes in the settings; only the place of its status matters here.
    let state = &config::state_folder(&setup.source, &setup.root);
    let not_running = || Fatal::Failed(format!("not running on {}; there is nothing to reload", setup.root.display()));
    if !Lock::is_held(state) {
        return Err(not_running());
    }
    let before = read_status(state)?;
    let pid = before.pointer("/pid").and_then(Value::as_i64).and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.and_then(Pid::from_raw).ok_or_else(not_running)?;
    kill_process(pid, Signal::HUP).map_err(|error| {
        Fatal::Failed(format!(
            "process {}: the signal could not be sent: {error}; do it as the user it runs as",
            pid.as_raw_nonzero()
        ))
    })?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let now = read_status(state)?;
        if reloads(&now) > reloads(&before) {
            return match now.pointer("/settings/problem").and_then(Value::as_str) {
                None => Ok(ExitCode::SUCCESS),
                Some(problem) => Err(Fatal::Failed(format!("the settings in force stay: {problem}"))),
            };
        }
        if !Lock::is_held(state) {
            return Err(not_running());
        }
        thread::sleep(PAUSE);
    }
    Err(Fatal::Failed(format!("process {}: no answer after {} s", pid.as_raw_nonzero(), PATIENCE.as_secs())))
}

fn reloads(status: &Value) -> u64 {
    status.pointer("/settings/reloads").and_then(Value::as_u64).unwrap_or(0)
}

fn read_status(state: &Path) -> Result<Value, Fatal> {
    let path = state.join(service_status::FILE_NAME);
    let failed = |what: String| Fatal::Failed(format!("{}: the status cannot be read: {what}", path.display()));
    let text = service_status::read(state).map_err(|error| failed(reason(&error)))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}
