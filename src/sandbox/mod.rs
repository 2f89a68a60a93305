//! Confines the process: which files it may open (Landlock), and which system calls it may make (seccomp).
//!
//! A decoder that is taken over by a picture is left with what the service itself does: it reads the service's folders, writes
//! answers and the state, and nothing else. Both are for good, and hold for the calling thread and for all threads and processes
//! that it starts later: they come before the first thread. What the kernel lacks is left out, and said.

mod calls;
mod files;
mod reach;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::time::Instant;

use landlock::{RulesetError, RulesetStatus};
use serde::Serialize;

use reach::Reach;

/// The folders of a process.
#[derive(Debug, Clone, Default)]
pub struct SandboxFolders {
    /// It reads what is below them.
    pub read: Vec<PathBuf>,
    /// It also writes, makes and removes what is below them.
    pub written: Vec<PathBuf>,
    /// It also moves files from one folder below them to another.
    pub rearranged: Vec<PathBuf>,
    /// Whether it connects to an engine on the network.
    pub connects: bool,
}

/// What this process is confined to.
#[derive(Debug)]
pub struct Confinement {
    since: Instant,
    /// `None` where files are not restricted.
    reach: Option<Reach>,
    report: ConfinementReport,
}

/// The same for `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfinementReport {
    /// What is in force: "landlock", "seccomp".
    pub by: Vec<&'static str>,
    /// What it keeps the process to, or why it does not; for a person.
    pub message: String,
}

impl Confinement {
    /// It is not confined: why, as the rest of a sentence.
    pub fn none(reason: &str) -> Self {
        let report = ConfinementReport { by: Vec::new(), message: format!("no: {reason}") };
        Self { since: Instant::now(), reach: None, report }
    }

    /// Confines this process to its folders and to what it needs of the system. A folder that is missing stays out of reach.
    pub fn enter(folders: &SandboxFolders) -> Self {
        let files = files::restrict(&files::rules_of_service(folders), folders.connects);
        let calls = calls::deny(if folders.connects { calls::of_node() } else { calls::of_service() });
        let is_restricted = matches!(files, Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced));
        let reach = is_restricted.then(|| Reach::of(folders));
        Self { since: Instant::now(), reach, report: report(&files, &calls) }
    }

    /// What is in force.
    pub fn report(&self) -> &ConfinementReport {
        &self.report
    }

    /// For how long this process has run since.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether another folder than at the start is at `folder`, and this process can no longer read it; if `is_written`, write it.
    pub fn has_lost(&self, folder: &Path, is_written: bool) -> bool {
        self.reach.as_ref().is_some_and(|reach| folder.is_dir() && !reach.allows(folder, is_written))
    }

    /// Whether there is nothing at `folder`, and another process of this user could make it, but not this one.
    pub fn keeps_from_making(&self, folder: &Path) -> bool {
        self.reach.is_some() && reach::can_be_made(folder)
    }
}

/// Confines the child process of a trial, which gets the picture on its standard input: no file can be opened, and neither a program
/// nor a connection. Best effort: without it the child is what its parent is.
pub fn enter_trial() {
    let _ = files::restrict(&files::rules_of_trial(), false);
    let _ = calls::deny(calls::of_trial());
}

fn report(files: &Result<RulesetStatus, RulesetError>, calls: &Result<(), seccompiler::Error>) -> ConfinementReport {
    let mut by = Vec::new();
    let of_files = match files {
        Ok(RulesetStatus::NotEnforced) => "not to its folders: this kernel has no Landlock".into(),
        Err(error) => format!("not to its folders: {error}"),
        Ok(in_force) => {
            by.push("landlock");
            let is_whole = *in_force == RulesetStatus::FullyEnforced;
            format!("to its folders (Landlock{})", if is_whole { "" } else { ", as far as this kernel has it" })
        }
    };
    let of_calls = match calls {
        Err(error) => format!("not to ordinary system calls: {error}"),
        Ok(()) => {
            by.push("seccomp");
            "to ordinary system calls (seccomp)".into()
        }
    };
    ConfinementReport { by, message: format!("{of_files}, {of_calls}") }
}
