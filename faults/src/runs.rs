//! One run for each operation, in three ways, several at a time; and a table of what came of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use artificio_faults::{Errno, Fault, Kind, Operation};
use serde_json::Value;

use crate::patient::{Failure, Patient};

/// A failing disk is well again after this long.
const SICK: Duration = Duration::from_millis(1_500);
/// More operations that fail in that time are a busy loop.
const MOST_FAILED: usize = 400;

/// What is tried.
pub struct Plan {
    pub program: PathBuf,
    pub every: usize,
    pub jobs: usize,
    /// Whether a model is trained, which takes most of the time.
    pub trains: bool,
    pub modes: Vec<Mode>,
}

impl Plan {
    fn patient(&self) -> Patient {
        Patient::new(&self.program, self.trains)
    }
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One operation fails.
    Once,
    /// From one operation on all fail, with EIO; or all changes, with ENOSPC or EROFS.
    While,
    /// The power fails before one operation that changes something: what was not flushed is gone, or some of it.
    Power,
}

/// What came of a run.
#[derive(Default)]
struct Outcome {
    site: String,
    /// Until all was done, after the disk or the power was well again.
    recovery: Duration,
    failed: usize,
    spent_ms: u64,
    ends: Vec<String>,
}

/// All runs of a plan; whether all was well.
pub fn all(plan: &Plan) -> bool {
    let operations = match plain(plan) {
        Ok(operations) => operations,
        Err(failure) => {
            eprintln!("a run in which nothing fails: {failure}");
            return false;
        }
    };
    println!("a plain run: {} operations at {} sites", operations.len(), sites(&operations));
    let mut is_well = true;
    for mode in &plan.modes {
        is_well &= run_mode(plan, *mode, &operations);
    }
    is_well
}

fn sites(operations: &[Operation]) -> usize {
    operations.iter().map(site).collect::<std::collections::BTreeSet<_>>().len()
}

fn plain(plan: &Plan) -> Result<Vec<Operation>, Failure> {
    let mut patient = plan.patient();
    patient.start();
    patient.work(|_| false)?;
    patient.stop()?;
    patient.look_at_the_end()?;
    Ok(patient.disk.operations())
}

/// What an operation is about; the numbers of processes and threads do not matter.
fn site(operation: &Operation) -> String {
    let name = operation.path.file_name().unwrap_or_default().to_string_lossy();
    let name = if name.starts_with(".artificio-") { "(unfinished)".into() } else { name };
    let folder = operation.path.parent().unwrap_or(Path::new("")).display().to_string();
    format!("{:?} {folder}/{name}", operation.kind)
}

fn run_mode(plan: &Plan, mode: Mode, operations: &[Operation]) -> bool {
    let numbers: Vec<usize> = (0..operations.len())
        .filter(|at| mode != Mode::Power || operations[*at].kind.is_change())
        .step_by(plan.every)
        .collect();
    let (next, outcomes, started) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..plan.jobs {
            scope.spawn(|| {
                while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = match mode {
                        Mode::Once => once(plan, number),
                        Mode::While => for_a_while(plan, number),
                        Mode::Power => power(plan, number, operations),
                    };
                    if let Err(failure) = &outcome {
                        eprintln!("FAILED {mode:?} {number} ({}): {failure}", site(&operations[number]));
                    }
                    outcomes.lock().expect("no run panics").push(outcome);
                }
            });
        }
    });
    report(mode, outcomes.into_inner().expect("no run panics"), started.elapsed())
}

fn report(mode: Mode, outcomes: Vec<Result<Outcome, Failure>>, took: Duration) -> bool {
    let runs = outcomes.len();
    let good: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    let mut sites: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in &good {
        *sites.entry(&outcome.site).or_default() += 1;
        outcome.ends.iter().for_each(|end| *ends.entry(end).or_default() += 1);
    }
    let mut recoveries: Vec<f32> = good.iter().map(|outcome| outcome.recovery.as_secs_f32()).collect();
    recoveries.sort_by(f32::total_cmp);
    let part =
        |share: f32| recoveries.get(((recoveries.len().max(1) - 1) as f32 * share) as usize).copied().unwrap_or(0.0);
    let most = |of: fn(&Outcome) -> u64| good.iter().map(of).max().unwrap_or(0);
    println!(
        "{mode:?}: {runs} runs at {} sites, {} went wrong; orderly ends and starts: {}; seconds to the same end, median {:.1}, longest {:.1}; most operations that failed in a run: {}, most processor time meanwhile: {} ms ({took:.0?})",
        sites.len(),
        runs - good.len(),
        ends.values().sum::<usize>(),
        part(0.5),
        part(1.0),
        most(|outcome| outcome.failed as u64),
        most(|outcome| outcome.spent_ms),
    );
    for (site, count) in sites {
        println!("  {count:>4}  {site}");
    }
    for (end, count) in ends {
        println!("  {count:>4}  ended: {end}");
    }
    runs == good.len() && runs > 0
}

fn once(plan: &Plan, number: usize) -> Result<Outcome, Failure> {
    let mut patient = plan.patient();
    patient.disk.fail(Fault::once_at(number, Errno::EIO));
    patient.start();
    let recovery = patient.work(|_| false)?;
    end(patient, number, Outcome { recovery, ..Outcome::default() })
}

fn for_a_while(plan: &Plan, number: usize) -> Result<Outcome, Failure> {
    let mut patient = plan.patient();
    patient.disk.fail(match number % 3 {
        0 => Fault::since(number, Errno::EIO),
        1 => Fault::since(number, Errno::ENOSPC).of_kinds(&[Kind::Create, Kind::Write, Kind::MakeFolder]),
        _ => Fault::since(number, Errno::EROFS).of_kinds(&Kind::CHANGES),
    });
    patient.start();
    patient.work(|patient| patient.disk.failed() > 0)?;
    let (before, failed_before) = (patient.processor_ms(), patient.disk.failed());
    std::thread::sleep(SICK);
    let (spent_ms, failed) = (patient.processor_ms().saturating_sub(before), patient.disk.failed() - failed_before);
    patient.look_for_halves()?;
    patient.disk.heal();
    let recovery = patient.work(|_| false)?;
    if failed > MOST_FAILED {
        return Err(format!("{failed} operations failed in {SICK:?}\n{}", patient.log()));
    }
    end(patient, number, Outcome { recovery, failed, spent_ms, ..Outcome::default() })
}

fn end(mut patient: Patient, number: usize, outcome: Outcome) -> Result<Outcome, Failure> {
    let hit = patient.disk.operations().get(number).map(site);
    patient.stop()?;
    patient.look_at_the_end()?;
    Ok(Outcome { site: hit.unwrap_or_default(), ends: std::mem::take(&mut patient.ends), ..outcome })
}

fn power(plan: &Plan, number: usize, operations: &[Operation]) -> Result<Outcome, Failure> {
    let mut outcome = Outcome { site: site(&operations[number]), ..Outcome::default() };
    for seed in [None, Some(number as u64)] {
        let mut patient = plan.patient();
        patient.disk.cut_power_at(number);
        patient.start();
        let mut answered: BTreeMap<&str, Value> = BTreeMap::new();
        patient.work(|patient| {
            for name in ["early", "late"].into_iter().filter(|name| is_durable(patient, name)) {
                if let Some(record) = patient.record(name).filter(|_| !patient.disk.is_off()) {
                    answered.insert(name, record);
                }
            }
            patient.disk.is_off()
        })?;
        patient.kill();
        let left = match seed {
            None => patient.disk.after_power_cut(),
            Some(seed) => patient.disk.after_lucky_power_cut(seed),
        };
        patient.restore_power(left);
        patient.look_for_halves()?;
        for (name, before) in answered {
            if patient.record(name).as_ref() != Some(&before) {
                return Err(format!(
                    "{name} was answered before the power failed, and is not any more\n{}",
                    patient.log()
                ));
            }
        }
        patient.start();
        outcome.recovery = outcome.recovery.max(patient.work(|_| false)?);
        patient.stop()?;
        patient.look_at_the_end()?;
        outcome.ends.append(&mut patient.ends);
    }
    Ok(outcome)
}

/// Whether the folder of the answers was flushed after the record of `name` was put there the last time.
fn is_durable(patient: &Patient, name: &str) -> bool {
    let (operations, record) = (patient.disk.operations(), format!("answer/result_{name}.json"));
    let put = operations.iter().rposition(|one| one.kind == Kind::Rename && one.path == Path::new(&record));
    let flush = Operation { kind: Kind::FlushFolder, path: "answer".into() };
    put.is_some_and(|put| operations[put..].contains(&flush))
}
