//! Folders that go, systems that refuse, disks that tell nothing: it works or says what is wrong, without a restart.
//! Numbers in brackets: the promises.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use artificio_demo::Food;

use super::pictures;
use super::workplace::{A_WHILE, Workplace, put};

/// A user that owns nothing.
const NOBODY: u32 = 65534;

fn problem_with(status: &Value, words: &str) -> bool {
    status["problems"].as_array().unwrap().iter().any(|problem| problem["what"].as_str().unwrap().contains(words))
}

/// How often something is said in the log.
fn times_said(place: &Workplace, words: &str) -> usize {
    place.log().lines().filter(|line| line.contains(words)).count()
}

/// Runs the daemon with one of the user's limits of the kernel lowered, in a user namespace of its own.
/// False, with a line that says so, where the system forbids that; never in CI.
fn start_with_limit(place: &mut Workplace, limit: &str, value: u32) -> bool {
    let set = format!("echo {value} >/proc/sys/user/{limit}");
    if !Command::new("unshare").args(["-Ur", "sh", "-c", &set]).status().is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "CI must be able to lower {limit}");
        eprintln!("SKIPPED: this system does not let a test lower {limit}");
        return false;
    }
    place.start_by(&["unshare", "-Ur", "sh", "-c", &format!("{set}; exec \"$@\""), "sh"]);
    true
}

/// [7] A root that is deleted and made again, or exchanged for another, works within five seconds.
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
    let started = Instant::now();
    place.wait_record("again");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());

    fs::rename(&query, place.root().join("query_old")).unwrap();
    fs::create_dir(&query).unwrap();
    put(place.query("exchanged.jpg"), &pictures::jpeg(Food::Pizza, 9));
    let started = Instant::now();
    place.wait_record("exchanged");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    sleep(A_WHILE);
    put(place.query("and_watched.jpg"), &pictures::jpeg(Food::Egg, 9));
    place.wait_record("and_watched");
    assert_eq!(place.status().unwrap()["state"], "ready");
}

/// [3, 7] A folder deleted and made again between two looks is another folder, though its name and, on some disks, its
/// number are the same: the root, and a set.
#[test]
fn a_folder_made_again_at_once_is_watched_again() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 3600");
    place.stock(1);
    put(place.query("set/deep/a.jpg"), &pictures::jpeg(Food::Burger, 1));
    let drawn = [pictures::jpeg(Food::Pizza, 2), pictures::jpeg(Food::Sushi, 3)];
    place.start();
    place.wait_record("set");
    for folder in ["set", ""] {
        fs::remove_dir_all(place.query(folder)).unwrap();
        fs::create_dir_all(place.query("set/deep")).unwrap();
        sleep(A_WHILE);
        let before = place.record("set").unwrap();
        put(place.query("set/deep/b.jpg"), &drawn[usize::from(folder.is_empty())]);
        place.wait_record_that("set", |record| record["query"]["files"] != before["query"]["files"]);
    }
}

/// [8] A disk that goes while its pictures are being read, and comes back: nothing is missing.
#[test]
fn a_disk_that_goes_and_comes_back_while_it_is_read_loses_nothing() {
    let mut place = Workplace::new();
    let (inventory, aside) = (place.inventory(""), place.root().join("aside"));
    for number in 0..600 {
        put(place.inventory(format!("{}/{number}.png", number % 7)), &pictures::tiny(number));
    }
    place.launch();
    place.wait_status("the first pictures", |status| status["inventory"]["indexed"].as_u64() > Some(5));
    fs::rename(&inventory, &aside).unwrap();
    let was_read = place.status().unwrap()["inventory"]["indexed"].as_u64().unwrap();
    assert!(was_read < 600, "all was read before the disk went: the test proves nothing");
    place.wait_status("the lost disk in the status", |status| problem_with(status, "missing or suddenly empty"));
    place.wait_status("an end of what was under way", |status| status["inventory"]["pending"] == 0);
    fs::rename(&aside, &inventory).unwrap();
    place.wait_indexed(600);
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
    sleep(Duration::from_millis(600));
    fs::remove_file(place.inventory("burger_0.jpg")).unwrap();
    place.wait_indexed(5);
}

/// [8] An inventory that is gone or empty all at once is kept, answered from, and forgotten only when the user says so.
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

/// [9] With too few watches the rest is looked through regularly; said once, with the line that mends it.
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
    assert_eq!(times_said(&place, "limit of watched folders"), 1, "{}", place.log());
}

/// [9] With no watcher at all, likewise.
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
    sleep(A_WHILE);
    assert_eq!(times_said(&place, "limit of watchers"), 1, "{}", place.log());
}

/// [10] A file system that changes behind the daemon's back is looked through regularly: an overlay, written below.
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
        assert!(std::env::var_os("CI").is_none(), "CI must be able to mount an overlay");
        eprintln!("SKIPPED: this system does not let a test mount an overlay");
        return;
    }
    place.start_by(&["unshare", "-Urm", "sh", "-c", &format!("{mount}; exec \"$@\""), "sh"]);
    put(layers.join("upper/a.png"), &pictures::tiny(1));
    place.wait_indexed(1);
    put(layers.join("upper/b.png"), &pictures::tiny(2));
    place.wait_indexed(2);
    assert_eq!(times_said(&place, "overlay may change without events"), 1, "{}", place.log());
}

/// [5] The full scan on the timer finds what no hint and no polling told of.
#[test]
fn the_timer_alone_finds_everything() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 2\npoll_s = 3600");
    if !start_with_limit(&mut place, "max_inotify_watches", 1) {
        return;
    }
    put(place.inventory("one/two/a.png"), &pictures::tiny(1));
    place.wait_indexed(1);
}

/// [11] A folder that may not be looked into does not stop its siblings, and is read when it may.
#[test]
fn an_unreadable_folder_does_not_stop_its_siblings() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 1");
    put(place.inventory("closed/a.png"), &pictures::tiny(1));
    put(place.inventory("open/b.png"), &pictures::tiny(2));
    let closed = place.inventory("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    if rustix::process::geteuid().is_root() {
        // Root may look into everything: the daemon runs as somebody else, who owns all but that folder.
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
    assert_eq!(times_said(&place, "could not look into the folder"), 1);
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
    for (number, picture) in drawn.iter().enumerate() {
        put(place.query(format!("set/{number}.jpg")), picture);
        assert!(place.record("set").is_none(), "answered before it was quiet");
        sleep(Duration::from_millis(250));
    }
    assert_eq!(place.wait_record("set")["query"]["files"].as_array().unwrap().len(), 6);
    sleep(A_WHILE);
    assert_eq!(times_said(&place, "answered in"), 1, "{}", place.log());
}

/// [31] While it loads, the manager is asked for more time again and again, and not any more when it is ready.
#[test]
fn the_service_manager_is_kept_patient_through_a_slow_start() {
    let mut place = Workplace::new();
    place.stock(1);
    place.start();
    place.wait_indexed(3);
    place.stop();
    // Somebody else writes the catalog: the daemon's first write to it waits, for ten seconds at most.
    let (held, pause) = (Duration::from_millis(8_500), Duration::from_secs(7));
    let other = rusqlite::Connection::open(place.state("catalog.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let socket = UnixDatagram::bind(place.root().join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    place.launch_by(&["env", &format!("NOTIFY_SOCKET={}", place.root().join("notify").display())]);
    let (started, mut other) = (Instant::now(), Some(other));
    let (mut asked, mut ready, mut buffer) = (Vec::new(), None, [0; 4096]);
    // As long again as between two requests: there is none after READY.
    while ready.is_none_or(|ready: Duration| started.elapsed() < ready + pause) {
        assert!(started.elapsed() < Duration::from_secs(60), "never ready\n{}", place.log());
        if started.elapsed() > held {
            other = None;
        }
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        match String::from_utf8_lossy(&buffer[..length]) {
            text if text.contains("EXTEND_TIMEOUT_USEC=60000000") => asked.push(started.elapsed()),
            text if text.contains("READY=1") => ready = Some(started.elapsed()),
            _ => {}
        }
    }
    let ready = ready.unwrap();
    eprintln!("asked for time at {asked:.1?}, ready after {ready:.1?}");
    assert!(other.is_none() && ready > held, "it was not slow: the test proves nothing");
    assert!(asked.iter().all(|at| *at < ready), "{asked:?}, ready after {ready:?}");
    let ends = asked.iter().skip(1).chain([&ready]);
    let longest = asked.iter().zip(ends).map(|(from, to)| *to - *from).max().expect("it was asked at all");
    assert!(longest < pause, "{longest:?} without a word: {asked:?}, ready after {ready:?}");
}

/// [9, 31] What is wrong is told to the service manager as well, and READY only once.
#[test]
fn the_service_manager_is_told() {
    let mut place = Workplace::new();
    place.stock(1);
    let socket = UnixDatagram::bind(place.root().join("notify")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = format!("NOTIFY_SOCKET={}", place.root().join("notify").display());
    place.start_by(&["env", &address]);
    let mut told = Vec::new();
    let mut hear_until = |words: &str| {
        let mut buffer = [0; 4096];
        while !told.last().is_some_and(|text: &String| text.contains(words)) {
            let length = socket.recv(&mut buffer).unwrap_or_else(|_| panic!("never told {words}: {told:#?}"));
            told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        }
        told.clone()
    };
    hear_until("READY=1");
    fs::remove_dir_all(place.query("")).unwrap();
    hear_until("the folder is missing");
    fs::create_dir(place.query("")).unwrap();
    place.signal("TERM");
    let all = hear_until("STOPPING=1");
    assert_eq!(all.iter().filter(|text| text.contains("READY=1")).count(), 1);
    assert!(all.iter().any(|text| text.starts_with("STATUS=3 pictures searchable")), "{all:#?}");
}
