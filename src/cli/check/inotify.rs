//! The system's limits of watches and watchers, against the folders there are and what other programs have taken.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Findings;
use super::survey::Survey;
use crate::error::Trouble;
use crate::watch::{INSTANCE_LIMIT, WATCH_LIMIT};

/// The same limits of a container or another user's name space, where they are lower.
const WATCH_LIMIT_HERE: &str = "/proc/sys/user/max_inotify_watches";
const INSTANCE_LIMIT_HERE: &str = "/proc/sys/user/max_inotify_instances";
/// Beside one for every folder: that of the self-test and that of the settings.
const OWN_WATCHES: usize = 2;

/// What this user's programs have taken of the two limits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Taken {
    watches: usize,
    watchers: usize,
}

pub(super) fn look(survey: &Survey, is_running: bool, found: &mut Findings) {
    // A service that runs has its watches: it says by itself when they do not suffice.
    let taken = if is_running { Taken::default() } else { taken() };
    let watches = lower(WATCH_LIMIT, WATCH_LIMIT_HERE);
    found.problems.extend(watches.and_then(|limit| too_few_watches(survey.folders, taken, limit)));
    let watchers = lower(INSTANCE_LIMIT, INSTANCE_LIMIT_HERE);
    found.problems.extend(watchers.and_then(|limit| too_few_watchers(taken, limit)));
}

/// A limit and the file it is from.
type Limit = (usize, &'static str);

/// The lower of two limits; one that the system hides is none.
fn lower(everywhere: &'static str, here: &'static str) -> Option<Limit> {
    let read = |path: &'static str| Some((fs::read_to_string(path).ok()?.trim().parse().ok()?, path));
    [read(everywhere), read(here)].into_iter().flatten().min_by_key(|(limit, _)| *limit)
}

fn too_few_watches(folders: usize, taken: Taken, (limit, path): Limit) -> Option<Trouble> {
    let needed = folders + OWN_WATCHES;
    let what = match (needed > limit, needed + taken.watches > limit) {
        (true, _) => format!("{folders} folders are to be watched, the system allows {limit} watches"),
        (false, true) => format!(
            "{folders} folders are to be watched; of {limit} watches other programs have taken {}",
            taken.watches
        ),
        (false, false) => return None,
    };
    let enough = ((needed + taken.watches) * 2).next_power_of_two();
    Some(Trouble::new(what, path, format!("sudo sysctl {}={enough}", key(path))))
}

fn too_few_watchers(taken: Taken, (limit, path): Limit) -> Option<Trouble> {
    (taken.watchers >= limit).then(|| {
        let what = format!("all {limit} watchers that the system allows are taken by other programs");
        let enough = (taken.watchers * 2).next_power_of_two().max(128);
        Trouble::new(what, path, format!("sudo sysctl {}={enough}", key(path)))
    })
}

/// The name `sysctl` knows a file of `/proc/sys` by.
fn key(path: &str) -> String {
    path.trim_start_matches("/proc/sys/").replace('/', ".")
}

/// What this user's processes have taken, as far as they can be looked into.
fn taken() -> Taken {
    let user = rustix::process::geteuid().as_raw();
    let mut taken = Taken::default();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let is_process = process.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        if is_process && process.metadata().is_ok_and(|metadata| metadata.uid() == user) {
            add_process(&process.path(), &mut taken);
        }
    }
    taken
}

fn add_process(process: &Path, taken: &mut Taken) {
    for file in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
        if fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == "anon_inode:inotify") {
            let about = fs::read_to_string(process.join("fdinfo").join(file.file_name())).unwrap_or_default();
            taken.watches += about.lines().filter(|line| line.starts_with("inotify wd:")).count();
            taken.watchers += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_watches_are_found_before_they_run_out() {
        let limit = (100, WATCH_LIMIT);
        let taken = |watches| Taken { watches, watchers: 1 };
        assert_eq!(too_few_watches(98, taken(0), limit), None);
        let own = too_few_watches(99, taken(0), limit).unwrap();
        assert_eq!(own.what, "99 folders are to be watched, the system allows 100 watches");
        assert_eq!(own.remedy, "sudo sysctl fs.inotify.max_user_watches=256");
        let others = too_few_watches(50, taken(60), limit).unwrap();
        assert!(others.what.ends_with("of 100 watches other programs have taken 60"), "{}", others.what);
    }

    #[test]
    fn a_watcher_must_be_left() {
        let taken = |watchers| Taken { watches: 0, watchers };
        assert_eq!(too_few_watchers(taken(127), (128, INSTANCE_LIMIT)), None);
        let trouble = too_few_watchers(taken(128), (128, INSTANCE_LIMIT_HERE)).unwrap();
        assert_eq!(trouble.remedy, "sudo sysctl user.max_inotify_instances=256");
    }

    #[test]
    fn the_watches_of_a_process_are_counted() {
        use notify::{RecursiveMode, Watcher, recommended_watcher};

        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let count = || {
            let mut taken = Taken::default();
            add_process(Path::new("/proc/self"), &mut taken);
            taken
        };
        let mut watcher = recommended_watcher(|_| ()).unwrap();
        folders.iter().for_each(|folder| watcher.watch(folder.path(), RecursiveMode::NonRecursive).unwrap());
        // Other tests of this process come and go with watchers of their own.
        assert!(count().watches >= 2 && count().watchers >= 1, "{:?}", count());
    }
}
