//! How long a test waits for the daemon: by what the daemon had of the machine, not by the clock alone.
//!
//! A machine may be busy with something else, or stand still for seconds. Neither is the daemon's fault, so neither uses up
//! what a test waits at most, nor counts against a promise of the kind "within five seconds".

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A test looks this often whether what it waits for has come.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// A daemon that sleeps for so long, longer than any pause it makes, is not going to do what is waited for.
const LONGEST_SLEEP: Duration = Duration::from_secs(40);
/// Nor is one that has had a processor for so long.
const LONGEST_WORK: Duration = Duration::from_secs(600);
/// Where more time has passed between two looks, the whole machine stood still.
const STANDSTILL: Duration = Duration::from_secs(1);

/// Counts the time that a daemon had, look by look.
pub struct WaitBudget {
    /// Without one, all time counts.
    pid: Option<u32>,
    last_look: Instant,
    /// How long each thread had waited for a processor at the last look.
    queued: HashMap<PathBuf, Duration>,
    taken: Duration,
    asleep: Duration,
    longest_disturbance: Duration,
}

impl WaitBudget {
    /// Of the daemon with this process id, from now on.
    pub fn of(pid: Option<u32>) -> Self {
        let queued = threads(pid).into_iter().map(|thread| (thread.folder, thread.queued)).collect();
        let (last_look, none) = (Instant::now(), Duration::ZERO);
        Self { pid, last_look, queued, taken: none, asleep: none, longest_disturbance: none }
    }

    /// Sleeps until the next look is due, and looks.
    pub fn pause(&mut self) {
        sleep(LOOK_INTERVAL);
        self.look();
    }

    /// Counts the time since the last look.
    pub fn look(&mut self) {
        let threads = threads(self.pid);
        let passed = self.last_look.elapsed();
        self.last_look = Instant::now();
        let newly_queued = |thread: &Thread| {
            let before = self.queued.get(&thread.folder).copied().unwrap_or_default();
            thread.queued.saturating_sub(before)
        };
        let denied = threads.iter().map(newly_queued).max().unwrap_or_default().min(passed);
        self.longest_disturbance = self.longest_disturbance.max(denied).max(passed.saturating_sub(LOOK_INTERVAL));
        let counted = (passed - denied).min(STANDSTILL);
        self.taken += counted;
        if !threads.iter().any(|thread| thread.is_at_work) {
            self.asleep += counted;
        }
        self.queued.extend(threads.into_iter().map(|thread| (thread.folder, thread.queued)));
    }

    /// Whether what has not come by now is not going to come.
    pub fn is_spent(&self) -> bool {
        self.asleep > LONGEST_SLEEP || self.taken > LONGEST_WORK
    }

    /// The time so far that the daemon had: without that in which the machine stood still or gave the processor to others.
    pub fn taken(&self) -> Duration {
        self.taken
    }

    /// The longest time at a stretch that the machine kept from the daemon or from the test.
    pub fn longest_disturbance(&self) -> Duration {
        self.longest_disturbance
    }
}

/// A thread of the daemon or of a process that it has started, as the kernel describes it.
struct Thread {
    folder: PathBuf,
    /// Runs, wants to run, or waits for a disk.
    is_at_work: bool,
    /// How long it has wanted to run while others ran.
    queued: Duration,
}

fn threads(pid: Option<u32>) -> Vec<Thread> {
    let (mut processes, mut threads) = (Vec::from_iter(pid.map(|pid| pid.to_string())), Vec::new());
    while let Some(process) = processes.pop() {
        for entry in fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let folder = entry.path();
            let children = fs::read_to_string(folder.join("children")).unwrap_or_default();
            processes.extend(children.split_whitespace().map(str::to_string));
            let state = fs::read_to_string(folder.join("stat")).unwrap_or_default();
            let is_at_work = state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['R', 'D']));
            threads.push(Thread { is_at_work, queued: queued(&folder.join("schedstat")), folder });
        }
    }
    threads
}

/// The second number of `schedstat` (nanoseconds); nothing where the kernel does not keep it.
fn queued(schedstat: &std::path::Path) -> Duration {
    let text = fs::read_to_string(schedstat).unwrap_or_default();
    let nanoseconds = text.split_whitespace().nth(1).and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// How long `work` takes this thread, without the time in which others had the processor.
pub fn own_time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let own = std::path::Path::new("/proc/thread-self/schedstat");
    let (started, before) = (Instant::now(), queued(own));
    let result = work();
    (result, started.elapsed().saturating_sub(queued(own) - before))
}

/// For what has to happen within some time of the test's own doing (the daemon waits seven seconds for the rest of a file):
/// where the machine did not let the test keep that time, an attempt proves nothing, gives `None`, and is made again.
pub fn undisturbed<T>(mut attempt: impl FnMut(u32) -> Option<T>) -> T {
    const ATTEMPTS: u32 = 10;
    for number in 0..ATTEMPTS {
        if let Some(result) = attempt(number) {
            return result;
        }
        eprintln!("attempt {number} was disturbed by the machine and is made again");
    }
    panic!("{ATTEMPTS} attempts were disturbed: this machine cannot show it")
}
