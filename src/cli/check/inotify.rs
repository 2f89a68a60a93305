//! Checks the limits of inotify: whether they allow a watch for every folder, given what other programs use.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Findings;
use super::survey::FolderSurvey;
use crate::error::Trouble;
use crate::watch::{INSTANCE_LIMIT, WATCH_LIMIT};

/// The same limits in a container or another user's name space, where they are lower.
const WATCH_LIMIT_HERE: &str = "/proc/sys/user/max_inotify_watches";
const INSTANCE_LIMIT_HERE: &str = "/proc/sys/user/max_inotify_instances";
/// In addition to one for every folder: that of the self-test and that of the settings.
const OWN_WATCHES: usize = 2;

/// What this user's programs use of the two limits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct InotifyUse {
    watches: usize,
    watchers: usize,
}

pub(super) fn look(survey: &FolderSurvey, is_running: bool, found: &mut Findings) {
    // A running service has its watches, and reports by itself when they are too few.
    let used = if is_running { InotifyUse::default() } else { used_by_user() };
    let watches = lower(WATCH_LIMIT, WATCH_LIMIT_HERE);
    found.problems.extend(watches.and_then(|limit| too_few_watches(survey.folders, used, limit)));
    let watchers = lower(INSTANCE_LIMIT, INSTANCE_LIMIT_HERE);
    found.problems.extend(watchers.and_then(|limit| too_few_watchers(used, limit)));
}

/// A limit and the file it is from.
type Limit = (usize, &'static str);

/// The lower of two limits; one that the system does not show is left out.
fn lower(everywhere: &'static str, here: &'static str) -> Option<Limit> {
    let read = |path: &'static str| Some((fs::read_to_string(path).ok()?.trim().parse().ok()?, path));
    [read(everywhere), read(here)].into_iter().flatten().min_by_key(|(limit, _)| *limit)
}

fn too_few_watches(folders: usize, used: InotifyUse, (limit, path): Limit) -> Option<Trouble> {
    let needed = folders + OWN_WATCHES;
    let what = match (needed > limit, needed + used.watches > limit) {
        (true, _) => format!("{folders} folders are to be watched, the system allows {limit} watches"),
        (false, true) => {
            format!("{folders} folders are to be watched; of {limit} watches other programs use {}", used.watches)
        }
        (false, false) => return None,
    };
    let enough = ((needed + used.watches) * 2).next_power_of_two();
    Some(Trouble::new(what, path, format!("sudo sysctl {}={enough}", key(path))))
}

fn too_few_watchers(used: InotifyUse, (limit, path): Limit) -> Option<Trouble> {
    (used.watchers >= limit).then(|| {
        let what = format!("all {limit} watchers that the system allows are used by other programs");
        let enough = (used.watchers * 2).next_power_of_two().max(128);
        Trouble::new(what, path, format!("sudo sysctl {}={enough}", key(path)))
    })
}

/// The name that `sysctl` has for a file of `/proc/sys`.
fn key(path: &str) -> String {
    path.trim_start_matches("/proc/sys/").replace('/', ".")
}

/// What this user's processes use, as far as the system shows it.
fn used_by_user() -> InotifyUse {
    let user = rustix::process::geteuid().as_raw();
    let mut used = InotifyUse::default();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let is_process = process.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit());
        if is_process && process.metadata().is_ok_and(|metadata| metadata.uid() == user) {
            add_process(&process.path(), &mut used);
        }
    }
    used
}

fn add_process(process: &Path, used: &mut InotifyUse) {
    for file in fs::read_dir(process.join("fd")).into_iter().flatten().flatten() {
        if fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == "anon_inode:inotify") {
            let about = fs::read_to_string(process.join("fdinfo").join(file.file_name())).unwrap_or_default();
            used.watches += about.lines().filter(|line| line.starts_with("inotify wd:")).count();
            used.watchers += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_watches_are_found_before_they_run_out() {
        let limit = (100, WATCH_LIMIT);
        let used = |watches| InotifyUse { watches, watchers: 1 };
        assert_eq!(too_few_watches(98, used(0), limit), None);
        let own = too_few_watches(99, used(0), limit).unwrap();
        assert_eq!(own.what, "99 folders are to be watched, the system allows 100 watches");
        assert_eq!(own.remedy, "sudo sysctl fs.inotify.max_user_watches=256");
        let others = too_few_watches(50, used(60), limit).unwrap();
        assert!(others.what.ends_with("of 100 watches other programs use 60"), "{}", others.what);
    }

    #[test]
    fn a_watcher_must_be_left() {
        let used = |watchers| InotifyUse { watches: 0, watchers };
        assert_eq!(too_few_watchers(used(127), (128, INSTANCE_LIMIT)), None);
        let trouble = too_few_watchers(used(128), (128, INSTANCE_LIMIT_HERE)).unwrap();
        assert_eq!(trouble.remedy, "sudo sysctl user.max_inotify_instances=256");
    }

    #[test]
    fn the_watches_of_a_process_are_counted() {
        use notify::{RecursiveMode, Watcher, recommended_watcher};

        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let count = || {
            let mut used = InotifyUse::default();
            add_process(Path::new("/proc/self"), &mut used);
            used
        };
        let mut watcher = recommended_watcher(|_| ()).unwrap();
        folders.iter().for_each(|folder| watcher.watch(folder.path(), RecursiveMode::NonRecursive).unwrap());
        // Other tests of this process come and go with watchers of their own.
        assert!(count().watches >= 2 && count().watchers >= 1, "{:?}", count());
    }
}
