//! Folders that go, systems that refuse, disks that send no events: it works or says what is wrong, without a restart.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use artificio_demo::Food;

use super::pictures;
use super::skipping::skip;
use super::waiting::undisturbed;
use super::workplace::{Workplace, put};

/// A user that owns nothing.
const NOBODY: u32 = 65534;

pub fn problem_with(status: &Value, words: &str) -> bool {
    status["problems"].as_array().unwrap().iter().any(|problem| problem["what"].as_str().unwrap().contains(words))
}

/// How often something stands in the log.
fn times_logged(place: &Workplace, words: &str) -> usize {
    place.log().lines().filter(|line| line.contains(words)).count()
}

/// Runs the daemon with one of the user's limits of the kernel lowered, in a user namespace of its own.
/// False, with a line that says so, where the system forbids that.
pub fn start_with_limit(place: &mut Workplace, limit: &str, value: u32) -> bool {
    let set = format!("echo {value} >/proc/sys/user/{limit}");
    if !Command::new("unshare").args(["-Ur", "sh", "-c", &set]).status().is_ok_and(|status| status.success()) {
        skip(&format!("this system does not let a test lower {limit}"));
        return false;
    }
    place.start_by(&["unshare", "-Ur", "sh", "-c", &format!("{set}; exec \"$@\""), "sh"]);
    true
}

/// With hardly any files open at a time it does not start, and says how many it needs and how to allow them.
#[test]
fn with_too_few_open_files_it_says_what_to_do() {
    let place = Workplace::new();
    let program = place.artificio(&["run"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 16; exec \"$@\"", "sh"]).arg(program.get_program()).args(program.get_args());
    let ended = limited.output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(
        ended.status.code() == Some(1) && said.contains("only 16 open files") && said.contains("ulimit -n"),
        "{said}"
    );
}

/// Waits for an answer that is promised within five seconds.
fn wait_record_soon(place: &Workplace, name: &str) {
    let (_, taken) = place.wait_timed(&format!("result_{name}.json"), || place.record(name));
    assert!(taken < Duration::from_secs(5), "{taken:?}");
}

/// A root that is deleted and made again, or exchanged for another, works within five seconds.
#[test]
fn a_root_made_again_or_exchanged_works_within_five_seconds() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 3600");
    place.stock(1);
    place.start();
    place.wait_indexed(3);
    let query = place.query("");
    fs::remove_dir_all(&query).unwrap();
    place.wait_status("the missing folder in the status", |status| problem_with(status, "missing"));
    fs::create_dir(&query).unwrap();
    put(place.query("again.jpg"), &pictures::jpeg(Food::Burger, 9));
    wait_record_soon(&place, "again");

    fs::rename(&query, place.root().join("query_old")).unwrap();
    fs::create_dir(&query).unwrap();
    put(place.query("exchanged.jpg"), &pictures::jpeg(Food::Pizza, 9));
    wait_record_soon(&place, "exchanged");
    // The first of these may still be found by a look that the exchange led to; the next ones are found by events alone.
    for name in ["then", "and_then", "and_watched"] {
        put(place.query(format!("{name}.jpg")), &pictures::jpeg(Food::Egg, 9));
        place.wait_record(name);
    }
    place.wait_status("an end of the trouble", |status| status["state"] == "ready");
}

/// A folder deleted and made again between two looks is another folder, though its name and, on some disks, its
/// number are the same: the root, and a set.
#[test]
fn a_folder_made_again_at_once_is_watched_again() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 3600");
    place.stock(1);
    put(place.query("set/deep/a.jpg"), &pictures::jpeg(Food::Burger, 1));
    place.start();
    place.wait_record("set");
    for folder in ["set", ""] {
        place.hold();
        fs::remove_dir_all(place.query(folder)).unwrap();
        fs::create_dir_all(place.query("set/deep")).unwrap();
        place.go_on();
        // The first of these may be found by the look at the new folder; the next ones are found by events alone.
        for (count, seed) in (1..).zip(2..5) {
            put(place.query(format!("set/deep/{seed}.jpg")), &pictures::jpeg(Food::Pizza, seed));
            let are_named = |record: &Value| {
                let files = record["query"]["files"].as_array().unwrap();
                files.len() == count && files.iter().all(|file| file["path"] != "set/deep/a.jpg")
            };
            place.wait_record_that("set", are_named);
        }
    }
}

/// A disk that goes while its pictures are being read, and comes back: nothing is missing.
#[test]
fn a_disk_that_goes_and_comes_back_while_it_is_read_loses_nothing() {
    let mut place = Workplace::new();
    let (inventory, aside) = (place.inventory(""), place.root().join("aside"));
    let count = undisturbed(|attempt| {
        let (before, all) = (600 * attempt, 600 * (attempt + 1));
        for number in before..all {
            put(place.inventory(format!("{}/{number}.png", number % 7)), &pictures::tiny(number));
        }
        if attempt == 0 {
            place.launch();
        }
        let some = u64::from(before + 5);
        place.wait_status("the first pictures", |status| status["inventory"]["indexed"].as_u64() > Some(some));
        place.hold();
        let is_reading = times_logged(&place, ".png read") < all as usize;
        if is_reading {
            fs::rename(&inventory, &aside).unwrap();
        }
        place.go_on();
        is_reading.then_some(all)
    });
    place.wait_status("the lost disk in the status", |status| problem_with(status, "missing or suddenly empty"));
    place.wait_status("an end of what was under way", |status| status["inventory"]["pending"] == 0);
    fs::rename(&aside, &inventory).unwrap();
    place.wait_indexed(count.into());
}

/// A picture that is overwritten half and then removed does not stay searchable.
#[test]
fn a_picture_removed_while_it_settles_again_is_forgotten() {
    let mut place = Workplace::new();
    place.stock(2);
    place.start();
    place.wait_indexed(6);
    let whole = fs::read(place.inventory("burger_0.jpg")).unwrap();
    put(place.inventory("burger_0.jpg"), &whole[..whole.len() / 2]);
    // At the start, then as it is now, and once more because half of it is missing.
    place.wait("a second try", || (times_logged(&place, "burger_0.jpg settled") >= 3).then_some(()));
    fs::remove_file(place.inventory("burger_0.jpg")).unwrap();
    place.wait_indexed(5);
}

/// An inventory that is gone or empty all at once is kept, answered from, and forgotten only when the user says so.
#[test]
fn an_emptied_inventory_is_kept_until_the_user_says_so() {
    let mut place = Workplace::new();
    place.stock(2);
    place.start();
    place.wait_indexed(6);
    let (inventory, aside) = (place.inventory(""), place.root().join("aside"));
    fs::rename(&inventory, &aside).unwrap();
    fs::create_dir(&inventory).unwrap();
    place.wait_status("the emptied inventory in the status", |status| problem_with(status, "suddenly empty"));
    put(place.query("offline.jpg"), &pictures::jpeg(Food::Burger, 9));
    let record = place.wait_record("offline");
    assert_eq!(record["status"], "partial");
    assert!(record["message"].as_str().unwrap().contains("out of reach"), "{record:#}");
    assert_eq!(record["matches"].as_array().unwrap().len(), 5);
    // Not even a restart forgets.
    place.stop();
    place.start();
    assert_eq!(place.status().unwrap()["inventory"]["indexed"], 6);

    let check: Value = serde_json::from_slice(&place.run(&["check", "--json"]).stdout).unwrap();
    let remedy = check["problems"][0]["remedy"].as_str().unwrap().to_string();
    let command = remedy.split("on purpose: ").nth(1).expect("check says how to confirm");
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success());
    place.wait_indexed(0);
    place.wait_status("an end of the trouble", |status| status["state"] == "ready");

    fs::remove_dir(&inventory).unwrap();
    fs::rename(&aside, &inventory).unwrap();
    place.wait_indexed(6);
}

/// With too few watches the rest is looked through regularly; logged once, with the command that raises the limit.
#[test]
fn with_too_few_watches_everything_still_works() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 1");
    for number in 0..40 {
        put(place.inventory(format!("{number}/a.png")), &pictures::tiny(number));
    }
    if !start_with_limit(&mut place, "max_inotify_watches", 12) {
        return;
    }
    place.wait_indexed(40);
    for number in 0..40 {
        put(place.inventory(format!("{number}/b.png")), &pictures::tiny(100 + number));
    }
    place.wait_indexed(80);
    let status =
        place.wait_status("the limit in the status", |status| problem_with(status, "limit of watched folders"));
    let remedy = status["problems"][0]["remedy"].as_str().unwrap();
    assert!(remedy.contains("sysctl fs.inotify.max_user_watches="), "{remedy}");
    assert_eq!(times_logged(&place, "limit of watched folders"), 1, "{}", place.log());
}

/// With no watcher at all, likewise.
#[test]
fn without_a_watcher_everything_still_works() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 1");
    place.stock(1);
    if !start_with_limit(&mut place, "max_inotify_instances", 0) {
        return;
    }
    place.wait_indexed(3);
    put(place.inventory("new/a.png"), &pictures::tiny(1));
    place.wait_indexed(4);
    put(place.query("burger.jpg"), &pictures::jpeg(Food::Burger, 9));
    place.wait_record("burger");
    place.wait_status("the limit in the status", |status| problem_with(status, "limit of watchers"));
    // Each of these takes another look through all folders.
    for number in 2..5 {
        put(place.inventory(format!("new/{number}.png")), &pictures::tiny(number));
        place.wait_indexed(u64::from(number) + 3);
    }
    assert_eq!(times_logged(&place, "limit of watchers"), 1, "{}", place.log());
}

/// A file system that changes behind the daemon's back is looked through regularly: an overlay, written below.
#[test]
fn an_overlay_written_behind_its_back_is_seen() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 1");
    let layers = place.root().join("layers");
    for layer in ["lower", "upper", "work"] {
        fs::create_dir_all(layers.join(layer)).unwrap();
    }
    let mount = format!(
        "mount -t overlay overlay -o lowerdir={0}/lower,upperdir={0}/upper,workdir={0}/work '{1}'",
        layers.display(),
        place.inventory("").display()
    );
    if !Command::new("unshare").args(["-Urm", "sh", "-c", &mount]).status().is_ok_and(|status| status.success()) {
        return skip("this system does not let a test mount an overlay");
    }
    place.start_by(&["unshare", "-Urm", "sh", "-c", &format!("{mount}; exec \"$@\""), "sh"]);
    put(layers.join("upper/a.png"), &pictures::tiny(1));
    place.wait_indexed(1);
    put(layers.join("upper/b.png"), &pictures::tiny(2));
    place.wait_indexed(2);
    assert_eq!(times_logged(&place, "overlay may change without events"), 1, "{}", place.log());
}

/// The full scan on the timer finds what neither events nor polling can show.
#[test]
fn the_timer_alone_finds_everything() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 2\npoll_s = 3600");
    if !start_with_limit(&mut place, "max_inotify_watches", 1) {
        return;
    }
    put(place.inventory("one/two/a.png"), &pictures::tiny(1));
    place.wait_indexed(1);
}

/// A folder that may not be looked into does not stop its siblings, and is read when it may.
#[test]
fn an_unreadable_folder_does_not_stop_its_siblings() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 1");
    put(place.inventory("closed/a.png"), &pictures::tiny(1));
    put(place.inventory("open/b.png"), &pictures::tiny(2));
    let closed = place.inventory("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if rustix::process::geteuid().is_root() {
        // Root may look into everything: the daemon runs as another user, who owns all but that folder.
        let everything = Command::new("chown").args(["-R", "65534", place.root().to_str().unwrap()]).status().unwrap();
        assert!(everything.success());
        chown(&closed, Some(0), None).unwrap();
        place.start_by(&["setpriv", "--reuid", &NOBODY.to_string(), "--clear-groups"]);
    } else {
        place.start();
    }
    place.wait_indexed(1);
    let status =
        place.wait_status("the closed folder in the status", |status| problem_with(status, "look into the folder"));
    assert!(status["problems"][0]["path"].as_str().unwrap().ends_with("closed"), "{status:#}");
    assert_eq!(times_logged(&place, "could not look into the folder"), 1);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    place.wait_indexed(2);
    place.wait_status("an end of the trouble", |status| status["state"] == "ready");
}

/// A query set in a folder is quiet only when all of it is: nothing is answered in between.
#[test]
fn a_set_is_answered_when_all_of_it_is_quiet() {
    let mut place = Workplace::with_watch("settle_ms = 2000");
    place.stock(1);
    let drawn: Vec<Vec<u8>> = (0..6).map(|number| pictures::jpeg(Food::Burger, number)).collect();
    place.start();
    place.wait_indexed(3);
    let set = undisturbed(|attempt| {
        let set = format!("set_{attempt}");
        let (mut put_at, mut longest, mut is_too_early) = (Instant::now(), Duration::ZERO, false);
        for (number, picture) in drawn.iter().enumerate() {
            put(place.query(format!("{set}/{number}.jpg")), picture);
            is_too_early |= place.record(&set).is_some();
            (longest, put_at) = (longest.max(put_at.elapsed()), Instant::now());
            sleep(Duration::from_millis(250));
        }
        // Otherwise it was quiet for so long that an answer was right.
        let was_restless = longest < Duration::from_secs(1);
        assert!(!(was_restless && is_too_early), "answered before it was quiet\n{}", place.log());
        was_restless.then_some(set)
    });
    assert_eq!(place.wait_record(&set)["query"]["files"].as_array().unwrap().len(), 6);
    place.wait_all_done();
    assert_eq!(times_logged(&place, &format!("{set} answered in")), 1, "{}", place.log());
}

/// When the service manager was asked for more time, and when it got READY.
struct SlowStart {
    asked: Vec<Duration>,
    ready: Duration,
}

/// Longer than between two requests for more time.
const REQUEST_PAUSE: Duration = Duration::from_secs(7);
/// The daemon waits for a catalog that another process has to itself, for ten seconds at most.
const HELD: Duration = Duration::from_millis(8_500);

/// Starts the daemon while another process has its catalog to itself, and stops it. `None` where the machine kept the daemon or the
/// test from running for a second, so that the times show nothing.
fn start_slowly(place: &mut Workplace, socket: &UnixDatagram) -> Option<SlowStart> {
    let other = rusqlite::Connection::open(place.state("catalog.sqlite")).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE").unwrap();
    place.launch_by(&["env", &format!("NOTIFY_SOCKET={}", place.root().join("notify").display())]);
    let (started, mut other, mut budget) = (Instant::now(), Some(other), place.budget());
    let (mut asked, mut ready, mut buffer) = (Vec::new(), None, [0; 4096]);
    // As long again as between two requests: there is none after READY.
    while ready.is_none_or(|ready: Duration| started.elapsed() < ready + REQUEST_PAUSE) {
        budget.pause();
        if budget.is_spent() {
            place.fail("never ready");
        }
        if started.elapsed() > HELD {
            drop(other.take());
        }
        while let Ok(length) = socket.recv(&mut buffer) {
            match String::from_utf8_lossy(&buffer[..length]) {
                text if text.contains("EXTEND_TIMEOUT_USEC=60000000") => asked.push(started.elapsed()),
                text if text.contains("READY=1") => ready = Some(started.elapsed()),
                _ => {}
            }
        }
    }
    let is_undisturbed = budget.longest_disturbance() < Duration::from_secs(1);
    place.stop();
    while socket.recv(&mut buffer).is_ok() {}
    is_undisturbed.then_some(SlowStart { asked, ready: ready? })
}

/// While it loads, the service manager is asked for more time again and again, and not any more when it is ready.
#[test]
fn the_service_manager_is_kept_patient_through_a_slow_start() {
    let mut place = Workplace::new();
    place.stock(1);
    place.start();
    place.wait_indexed(3);
    place.stop();
    let socket = UnixDatagram::bind(place.root().join("notify")).unwrap();
    socket.set_nonblocking(true).unwrap();
    let SlowStart { asked, ready } = undisturbed(|_| start_slowly(&mut place, &socket));
    eprintln!("asked for time at {asked:.1?}, ready after {ready:.1?}");
    assert!(ready > HELD, "it was not slow: the test proves nothing");
    assert!(asked.iter().all(|at| *at < ready), "{asked:?}, ready after {ready:?}");
    let ends = asked.iter().skip(1).chain([&ready]);
    let longest = asked.iter().zip(ends).map(|(from, to)| *to - *from).max().expect("it was asked at all");
    assert!(longest < REQUEST_PAUSE, "{longest:?} without a word: {asked:?}, ready after {ready:?}");
}

/// What is wrong is sent to the service manager as well, and READY only once.
#[test]
fn the_service_manager_learns_what_is_wrong() {
    let mut place = Workplace::new();
    place.stock(1);
    let socket = UnixDatagram::bind(place.root().join("notify")).unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = format!("NOTIFY_SOCKET={}", place.root().join("notify").display());
    place.launch_by(&["env", &address]);
    let mut messages: Vec<String> = Vec::new();
    let mut receive_until = |place: &Workplace, words: &str| {
        let mut buffer = [0; 4096];
        place.wait(&format!("the message {words}"), || {
            while let Ok(length) = socket.recv(&mut buffer) {
                messages.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
                if messages.last().is_some_and(|text| text.contains(words)) {
                    return Some(messages.clone());
                }
            }
            None
        })
    };
    receive_until(&place, "READY=1");
    place.wait_indexed(3);
    fs::remove_dir_all(place.query("")).unwrap();
    receive_until(&place, "the folder is missing");
    fs::create_dir(place.query("")).unwrap();
    place.signal("TERM");
    let all = receive_until(&place, "STOPPING=1");
    assert_eq!(all.iter().filter(|text| text.contains("READY=1")).count(), 1);
    assert!(all.iter().any(|text| text.starts_with("STATUS=3 pictures searchable")), "{all:#?}");
}
