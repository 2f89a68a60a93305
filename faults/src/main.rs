//! Artificio on a disk that fails, or whose power does: `artificio-faults PROGRAM [--every N] [--jobs N] [--untrained] [while|once|power]...`
//!
//! What a plain run does on its disk is counted first. Then runs follow in which one of these operations fails once, in which
//! from one of them on the disk fails for a while, and in which the power fails before one of them: of all operations, or of
//! every N-th; with or without a training, which takes most of the time. After each, answers must be whole, and the program must come to the same end by itself. Needs root.

mod patient;
mod picture;
mod runs;

use std::path::PathBuf;
use std::process::ExitCode;

use artificio_faults::Disk;
use runs::{Mode, Plan};

const USAGE: &str = "artificio-faults PROGRAM [--every N] [--jobs N] [--untrained] [while|once|power]...";

fn main() -> ExitCode {
    let Some(plan) = plan(std::env::args().skip(1)) else {
        eprintln!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    if let Some(missing) = Disk::is_missing() {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        eprintln!("NOT CHECKED: faults of the disk: {missing}");
        return if is_ci { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    if runs::all(&plan) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let program = PathBuf::from(arguments.next()?).canonicalize().ok()?;
    let mut plan = Plan { program, every: 1, jobs: 4, trains: true, modes: Vec::new() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--every" => plan.every = arguments.next()?.parse().ok().filter(|every| *every > 0)?,
            "--jobs" => plan.jobs = arguments.next()?.parse().ok().filter(|jobs| *jobs > 0)?,
            "--untrained" => plan.trains = false,
            "while" => plan.modes.push(Mode::While),
            "once" => plan.modes.push(Mode::Once),
            "power" => plan.modes.push(Mode::Power),
            _ => return None,
        }
    }
    if plan.modes.is_empty() {
        plan.modes = vec![Mode::Once, Mode::While, Mode::Power];
    }
    Some(plan)
}
