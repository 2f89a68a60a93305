//! The disk as another process sees it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use artificio_faults::{Disk, Errno, Fault, Kind};

/// Another process, whose operations count.
fn shell(command: &str) -> bool {
    Command::new("sh").args(["-c", command]).stderr(std::process::Stdio::null()).status().unwrap().success()
}

fn is_impossible() -> bool {
    let Some(missing) = Disk::is_missing() else { return false };
    assert!(std::env::var_os("CI").is_none_or(|value| value == "false"), "it cannot be skipped in CI: {missing}");
    let _ = std::io::stderr().write_all(format!("SKIPPED {:?}: {missing}\n", module_path!()).as_bytes());
    true
}

fn write(path: &Path, text: &str, ends: &str) -> bool {
    shell(&format!("printf '{text}' | dd of='{}' status=none {ends}", path.display()))
}

#[test]
fn what_is_to_fail_fails_and_is_well_again() {
    if is_impossible() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new();
    let mount = disk.mount("state", place.path()).unwrap();
    let file = place.path().join("a");
    assert!(write(&file, "one", "") && fs::read(&file).unwrap() == b"one");
    let kinds: Vec<Kind> = disk.operations().into_iter().map(|operation| operation.kind).collect();
    assert_eq!(kinds, [Kind::Create, Kind::Write]);
    assert!(disk.operations().iter().all(|operation| operation.path == Path::new("state/a")));
    disk.fail(Fault::of(&[Kind::Write], "state/a", Errno::ENOSPC));
    assert!(!write(&file, "two", "conv=notrunc") && fs::read(&file).unwrap() == b"one" && disk.failed() == 1);
    fs::write(place.path().join("own"), b"never fails").unwrap();
    disk.heal();
    assert!(write(&file, "two", "conv=notrunc,fsync") && fs::read(&file).unwrap() == b"two");
    disk.forget_operations();
    disk.fail(Fault::once_at(0, Errno::EIO));
    let read = format!("cat '{}'", file.display());
    assert!(!shell(&read) && shell(&read), "once");
    assert!(shell(&format!(
        "mkdir '{0}/f' && mv '{0}/a' '{0}/f/b' && rm '{0}/f/b' && rmdir '{0}/f'",
        place.path().display()
    )));
    drop(mount);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "unmounted");
}

#[test]
fn a_power_failure_takes_what_was_not_flushed() {
    if is_impossible() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let disk = Disk::new();
    let mount = disk.mount("answer", place.path()).unwrap();
    let [kept, lost, early] = ["kept", "lost", "early"].map(|name| place.path().join(name));
    fs::write(&kept, b"kept").unwrap();
    disk.flush_all();
    assert!(write(&lost, "lost", "") && write(&kept, "changed", ""));
    disk.cut_power_at(disk.operations().len());
    assert!(!disk.is_off() && !write(&early, "too late", "") && disk.is_off());
    let after = disk.after_power_cut();
    drop(mount);
    let mount = after.mount("answer", place.path()).unwrap();
    assert_eq!(fs::read(&kept).unwrap(), b"kept");
    assert!(!lost.exists() && !early.exists());
    drop(mount);
    let seen = (0..32).map(|seed| {
        let lucky = disk.after_lucky_power_cut(seed);
        let _mount = lucky.mount("answer", place.path()).unwrap();
        (fs::read(&kept).unwrap() == b"changed", lost.exists())
    });
    let seen: std::collections::BTreeSet<_> = seen.collect();
    assert_eq!(seen.len(), 4, "anything may have survived: {seen:?}");
}
