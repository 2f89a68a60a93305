//! Others who may write into `query/` and `answer/`, and other users of the machine: they have their own pictures answered, and read,
//! change and hold up nothing else. `docs/security.md` lists what is tried.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use artificio_demo::Food;
use rustix::fs::{CWD, Mode, mkfifoat};

use super::pictures::jpeg;
use super::skipping::skip;
use super::workplace::{Workplace, put};

/// What only the service may read.
const SECRET: &str = "hunter2_of_the_service";
/// Queries in which a file is exchanged for a link. When links were followed, the secret stood in 45 of 1,049 answers.
const TRIES: u64 = 60;
/// The last of them come after so many steps of 25 ms.
const LATEST: u64 = 12;
/// A user, and a group, that owns nothing here.
const NOBODY: &str = "65534";

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn mode_of(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn fifo(path: impl AsRef<Path>) {
    mkfifoat(CWD, path.as_ref(), Mode::RWXU | Mode::RWXG | Mode::RWXO).unwrap();
}

#[test]
fn a_link_in_the_place_of_a_settled_file_shows_nothing_of_what_only_the_service_may_read() {
    let mut place = Workplace::new();
    place.stock(2);
    let secret = place.root().join("config/secret");
    put(&secret, format!("{SECRET} = 1\n").as_bytes());
    place.start();
    let picture = jpeg(Food::Burger, 2_000);
    // The settings of a set: what is wrong in them stands in the answer, with the line it is in.
    for step in 0..TRIES + LATEST {
        if step < TRIES {
            put(place.query(format!("set_{step}/a.jpg")), &picture);
            put(place.query(format!("set_{step}/query.toml")), b"results = 3\n");
            symlink(&secret, place.query(format!("link_{step}.part"))).unwrap();
        }
        sleep(Duration::from_millis(25));
        // What was put there a moment ago is about to be read: some sooner, some later.
        let is_due = |number: &u64| number + 3 + number % (LATEST - 3) == step;
        for number in (0..TRIES).filter(is_due) {
            let settings = place.query(format!("set_{number}/query.toml"));
            fs::rename(place.query(format!("link_{number}.part")), settings).unwrap();
        }
    }
    for number in 0..TRIES {
        place.wait_record(&format!("set_{number}"));
    }
    place.wait_all_done();
    let answers = fs::read_dir(place.root().join("answer")).unwrap().map(|entry| entry.unwrap().path());
    let answers: Vec<_> = answers.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    assert!(answers.len() as u64 >= TRIES);
    let leaks = answers.iter().filter(|path| fs::read_to_string(path).unwrap().contains(SECRET)).count();
    assert_eq!(leaks, 0, "of {} answers", answers.len());
    assert!(!place.log().contains(SECRET) && !place.status().unwrap().to_string().contains(SECRET));
}

#[test]
fn what_others_have_planted_is_neither_waited_for_nor_followed() {
    let mut place = Workplace::new();
    place.stock(2);
    let outside = place.root().join("config/outside");
    put(&outside, b"of another");
    let answers = place.root().join("answer");
    let answer = |name: &str| answers.join(name);
    for folder in ["requests", "under-way", "pulse"] {
        fs::create_dir_all(place.state(folder)).unwrap();
        set_mode(&place.state(folder), 0o775);
    }
    set_mode(&place.state(""), 0o775);
    put(place.state("lock"), b"");
    set_mode(&place.state("lock"), 0o664);
    for name in ["requests/a.json", "under-way/x", "pulse/beat", "mounts", "quarantine.json", "metrics.prom"] {
        fifo(place.state(name));
    }
    symlink("/dev/zero", place.state("requests/b.json")).unwrap();
    (0..4).for_each(|worker| symlink(&outside, place.state(&format!("under-way/worker-{worker}"))).unwrap());
    fifo(answer("result_fifo.json"));
    fifo(answer("index.html"));
    symlink("/dev/zero", answer("result_zero.json")).unwrap();
    symlink(&outside, answer("result_a.png")).unwrap();
    symlink(&outside, answer("result_a.json")).unwrap();
    put(answer("result_absurd.json"), br#"{"answered_s": 9e99}"#);
    place.start();
    let page = answer("index.html");
    place.wait("a page in the place of the pipe", || fs::symlink_metadata(&page).ok()?.is_file().then_some(()));
    put(place.query("a.jpg"), &jpeg(Food::Burger, 2_000));
    place.wait_gallery("a.jpg");
    assert!(fs::symlink_metadata(place.record_path("a")).unwrap().is_file());
    // The same while it runs.
    fifo(answer("result_later.json"));
    symlink("/dev/zero", answer("result_endless.json")).unwrap();
    put(place.query("b.jpg"), &jpeg(Food::Pizza, 2_000));
    place.wait_gallery("b.jpg");
    assert_eq!(fs::read(&outside).unwrap(), b"of another");
    assert_eq!(mode_of(&place.state("")), 0o750);
    for folder in ["requests", "under-way", "pulse"] {
        assert_eq!(mode_of(&place.state(folder)), 0o700, "{folder}");
    }
    assert_eq!(mode_of(&place.state("lock")), 0o600);
    for entry in fs::read_dir(place.state("")).unwrap().map(|entry| entry.unwrap().path()) {
        assert!(!entry.is_file() || mode_of(&entry) & 0o022 == 0, "{}", entry.display());
    }
    place.stop();
}

#[test]
fn a_member_of_the_group_sees_the_status_and_others_see_nothing_and_hold_no_lock() {
    if !rustix::process::geteuid().is_root() {
        return skip("only root can be two other users");
    }
    let mut place = Workplace::new();
    set_mode(place.root(), 0o755);
    set_mode(&place.state(""), 0o755);
    place.start();
    let group = fs::metadata(place.state("")).unwrap().gid().to_string();
    let as_nobody = |group: &str, command: &mut Command| -> Output {
        let mut other = Command::new("setpriv");
        other.args(["--reuid", NOBODY, "--regid", group, "--clear-groups"]);
        other.arg(command.get_program()).args(command.get_args()).output().unwrap()
    };
    let lock = place.state("lock");
    let holding = || {
        let mut command = Command::new("flock");
        command.arg("-s").arg(&lock).arg("true");
        command
    };
    let status = as_nobody(&group, &mut place.artificio(&["status", "--json"]));
    assert!(status.status.success(), "{status:?}");
    assert!(String::from_utf8_lossy(&status.stdout).contains("\"state\": \"ready\""), "{status:?}");
    let train = as_nobody(&group, &mut place.artificio(&["train"]));
    let said = String::from_utf8_lossy(&train.stderr).into_owned();
    assert!(!train.status.success() && said.contains("only the user who runs the service"), "{said}");
    for group in [group.as_str(), NOBODY] {
        assert!(!as_nobody(group, &mut holding()).status.success(), "group {group} holds the lock");
    }
    let status = as_nobody(NOBODY, &mut place.artificio(&["status"]));
    let said = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(!status.status.success() && said.contains("permission denied"), "{said}");
    let mut read = Command::new("cat");
    read.arg(place.state("status.json"));
    assert!(!as_nobody(NOBODY, &mut read).status.success());
    place.stop();
}

#[test]
fn a_file_that_would_outgrow_its_limit_is_reported_and_ends_nothing() {
    let mut place = Workplace::new();
    place.stock(2);
    place.start();
    let limit = |bytes: &str| {
        let limit = format!("--fsize={bytes}:unlimited");
        Command::new("prlimit")
            .args(["--pid", &place.pid().to_string(), &limit])
            .status()
            .is_ok_and(|end| end.success())
    };
    if !limit("60000") {
        return skip("there is no prlimit");
    }
    put(place.query("a.jpg"), &jpeg(Food::Burger, 2_000));
    place.wait_status("the trouble", |status| {
        let trouble = status["degraded_by"].to_string();
        trouble.contains("file too large") && trouble.contains("LimitFSIZE")
    });
    assert!(limit("unlimited"));
    assert_eq!(place.wait_record("a")["status"], "ok");
    place.stop();
}
