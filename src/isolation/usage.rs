//! Reads from the kernel how much processor time a process has used, and how much memory is left for this one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

/// Hundredths of a second: the unit of times in `/proc`, whatever the kernel's own clock.
const TICK_MS: u64 = 10;
/// Where the control groups are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// The activity of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// Processor time used so far.
    pub processor_time: Duration,
    /// Whether it sleeps, perhaps for ever: it neither runs nor waits for a processor, a disk or a debugger.
    pub is_asleep: bool,
}

impl Activity {
    /// That of a process; `None` when it is gone. `"self"` is this one.
    pub fn of(process: &str) -> Option<Self> {
        let read = |path: &Path| Self::parse(&fs::read_to_string(path.join("stat")).ok()?);
        let whole = read(&Path::new("/proc").join(process))?;
        // The process's own state is that of its first thread, which may only wait for the others.
        let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten();
        let is_asleep = threads.filter_map(|thread| read(&thread.path())).all(|thread| thread.is_asleep);
        Some(Self { is_asleep, ..whole })
    }

    /// The second field, the name, is in brackets and may contain anything.
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let is_asleep = fields.next()? == "S";
        let ticks: u64 = fields.skip(10).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Self { processor_time: Duration::from_millis(ticks * TICK_MS), is_asleep })
    }
}

/// Address space of this process, in bytes.
pub fn address_space() -> Option<u64> {
    kib_of(&fs::read_to_string("/proc/self/status").ok()?, "VmSize:")
}

/// How many bytes this process could still take before its own limit, that of one of its control groups, or the machine
/// ends it.
pub fn memory_left() -> u64 {
    let own = getrlimit(Resource::As).current.map(|limit| limit.saturating_sub(address_space().unwrap_or(0)));
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kib_of(&text, "MemAvailable:"));
    let groups = fs::read_to_string("/proc/self/cgroup")
        .ok()
        .and_then(|text| least_of_groups(Path::new(CGROUPS), &text, left_in_group));
    own.into_iter().chain(machine).chain(groups).min().unwrap_or(u64::MAX)
}

/// How many bytes this process may have in all: by its own limit, those of its control groups, and the machine.
pub fn memory_in_all() -> u64 {
    let own = getrlimit(Resource::As).current;
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kib_of(&text, "MemTotal:"));
    let of_process = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = least_of_groups(Path::new(CGROUPS), &of_process, limit_of_group);
    own.into_iter().chain(machine).chain(groups).min().unwrap_or(u64::MAX)
}

/// The least that `of_group` gives for any of the process's control groups (version 2).
fn least_of_groups(root: &Path, of_process: &str, of_group: fn(&Path) -> Option<u64>) -> Option<u64> {
    let path = of_process.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let own = root.join(path);
    own.ancestors().take_while(|folder| folder.starts_with(root)).filter_map(of_group).min()
}

/// The limit at which the kernel slows the group down, or at which it kills, whichever is lower. "max", no limit, is no number.
fn limit_of_group(folder: &Path) -> Option<u64> {
    let limit = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    ["memory.high", "memory.max"].into_iter().filter_map(limit).min()
}

fn left_in_group(folder: &Path) -> Option<u64> {
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let used = number("memory.current")?;
    // The kernel frees cached pages of unused files before it kills a process.
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let reclaimable = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok());
    // "max", no limit, is no number.
    Some(number("memory.max")?.saturating_sub(used.saturating_sub(reclaimable.unwrap_or(0))))
}

fn kib_of(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_process_called_anything_is_read() {
        let line = "12 (a) S (b) R 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20";
        let activity = Activity::parse(line).unwrap();
        assert_eq!((activity.processor_time, activity.is_asleep), (Duration::from_millis(1_750), false));
        assert!(Activity::parse("12 (x) S 1 2 3 4 5 6 7 8 9 10 1 1").unwrap().is_asleep);
        let is_over = AtomicBool::new(false);
        let busy = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
            let busy = (0..1_000).any(|_| Activity::of("self").is_some_and(|activity| !activity.is_asleep));
            is_over.store(true, Ordering::Relaxed);
            busy
        });
        assert!(busy, "one thread at work is a process at work");
        assert!(Activity::of("self").is_some() && address_space().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn the_tightest_group_counts_and_old_pages_of_files_do_not() {
        let root = tempfile::tempdir().unwrap();
        let group = root.path().join("system.slice/artificio.service");
        fs::create_dir_all(&group).unwrap();
        for (folder, max, current) in [(root.path().join("system.slice"), "max", 900), (group.clone(), "1000", 700)] {
            fs::write(folder.join("memory.max"), max).unwrap();
            fs::write(folder.join("memory.current"), current.to_string()).unwrap();
        }
        let of_process = "0::/system.slice/artificio.service\n";
        assert_eq!(least_of_groups(root.path(), of_process, left_in_group), Some(300));
        fs::write(group.join("memory.stat"), "anon 500\ninactive_file 150\n").unwrap();
        assert_eq!(least_of_groups(root.path(), of_process, left_in_group), Some(450));
        fs::write(root.path().join("system.slice/memory.max"), "950").unwrap();
        assert_eq!(least_of_groups(root.path(), of_process, left_in_group), Some(50));
        assert_eq!(least_of_groups(root.path(), of_process, limit_of_group), Some(950));
        fs::write(group.join("memory.high"), "800").unwrap();
        assert_eq!(least_of_groups(root.path(), of_process, limit_of_group), Some(800));
        assert_eq!(least_of_groups(root.path(), "1:memory:/old\n", left_in_group), None);
    }
}
