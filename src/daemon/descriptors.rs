//! Whether the service may open as many files at a time as it needs.

use log::debug;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::Fatal;

/// Files that the service has open at a time besides those of its workers.
const FOR_THE_SERVICE: u64 = 32;
/// A worker has the catalog open, with its journal, and reads a picture.
const FOR_A_WORKER: u64 = 4;
/// As many as are ever useful.
const PLENTY: u64 = 4_096;

/// Asks for as many as the system allows, and says what to do if they do not suffice: later, each part that fails would report
/// something else.
pub fn ensure(workers: usize) -> Result<(), Fatal> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(PLENTY).min(PLENTY);
    let mut allowed = current.unwrap_or(PLENTY);
    if allowed < wanted {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
            Ok(()) => allowed = wanted,
            Err(error) => debug!("the limit of open files stays at {allowed}: {error}"),
        }
    }
    suffice(allowed, workers)
}

fn suffice(allowed: u64, workers: usize) -> Result<(), Fatal> {
    let needed = FOR_THE_SERVICE + FOR_A_WORKER * workers as u64;
    if allowed >= needed {
        return Ok(());
    }
    Err(Fatal::Failed(format!(
        "the system allows only {allowed} open files, and {workers} workers need {needed}: raise the limit (`ulimit -n {PLENTY}`, or LimitNOFILE={PLENTY} in the unit), or lower workers in [limits]"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_open_files_are_refused_with_what_to_do() {
        assert!(suffice(1_024, 64).is_ok() && suffice(40, 2).is_ok());
        let Err(Fatal::Failed(reason)) = suffice(16, 2) else { panic!("16 are not enough") };
        assert!(reason.contains("only 16 open files") && reason.contains("LimitNOFILE"), "{reason}");
        assert!(ensure(1).is_ok(), "the tests' own limit");
    }
}
