//! Runs one command, and ends it when it takes too long.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::reason;

/// What the service manager tells the service alone.
const OF_THE_SERVICE: [&str; 7] = [
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "SYSTEMD_EXEC_PID",
];
/// Time between two checks whether it has ended, at first and at last.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum CommandFailure {
    /// It could not be started or waited for.
    System(io::Error),
    /// It ended with an error.
    Ended(ExitStatus),
    /// It was ended after this long.
    OverTime(Duration),
}

/// The rest of a sentence that begins with the command.
impl fmt::Display for CommandFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => write!(out, "cannot be run: {}", reason(error)),
            Self::Ended(status) => write!(out, "ended with {status}"),
            Self::OverTime(limit) => write!(out, "was ended, because it took longer than {} s", limit.as_secs()),
        }
    }
}

/// Runs program and arguments and waits for the end. What they write goes to the standard error of this process, the log. Whatever
/// they have started is ended with them after `limit`.
///
/// # Errors
/// When they cannot be run, end with an error, or take too long.
pub fn run(program_and_arguments: &[OsString], limit: Duration) -> Result<(), CommandFailure> {
    let Some((program, arguments)) = program_and_arguments.split_first() else { return Ok(()) };
    let output = io::stderr().as_fd().try_clone_to_owned().map_err(CommandFailure::System)?;
    let mut command = Command::new(program);
    for name in OF_THE_SERVICE {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(output).process_group(0);
    let mut child = command.spawn().map_err(CommandFailure::System)?;
    let (deadline, mut pause) = (Instant::now() + limit, PAUSES[0]);
    loop {
        match child.try_wait().map_err(CommandFailure::System)? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(CommandFailure::Ended(status)),
            None if Instant::now() >= deadline => break,
            None => thread::sleep(pause),
        }
        pause = (pause * 3 / 2).min(PAUSES[1]);
    }
    // It fails where all have ended in this moment.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    child.wait().map_err(CommandFailure::System)?;
    Err(CommandFailure::OverTime(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, limit: Duration) -> Result<(), String> {
        run(&["/bin/sh", "-c", script].map(OsString::from), limit).map_err(|failure| failure.to_string())
    }

    #[test]
    fn how_a_command_ended_is_told() {
        assert_eq!(run(&[], LONG).map_err(|failure| failure.to_string()), Ok(()));
        assert_eq!(shell("test -z \"$NOTIFY_SOCKET\" && test ! -t 0 && ! read line", LONG), Ok(()));
        assert_eq!(shell("exit 3", LONG), Err("ended with exit status: 3".into()));
        let missing = run(&["/no/such/program".into()], LONG).unwrap_err().to_string();
        assert_eq!(missing, "cannot be run: no such file or directory");
    }

    #[test]
    fn what_takes_too_long_is_ended_with_all_that_it_started() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let script = format!(
            "(read line < {fifo}; touch {late}) & wait",
            fifo = at("fifo").display(),
            late = at("late").display()
        );
        rustix::fs::mkfifoat(rustix::fs::CWD, at("fifo"), rustix::fs::Mode::RWXU).unwrap();
        let ended = shell(&script, Duration::from_millis(300)).unwrap_err();
        assert_eq!(ended, "was ended, because it took longer than 0 s");
        // Soon nobody reads from the other end any more; whoever lived on would now get the end of what is written.
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
        let deadline = Instant::now() + LONG;
        while rustix::fs::open(at("fifo"), flags, rustix::fs::Mode::empty()).map(drop) != Err(rustix::io::Errno::NXIO) {
            assert!(Instant::now() < deadline, "it lives on");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!at("late").exists());
    }
}
