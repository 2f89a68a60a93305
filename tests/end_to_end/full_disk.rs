//! Disks without room: logged once with what to do, waited out without useless work, over within seconds of there being room.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use artificio_demo::Food;
use serde_json::Value;

use super::pictures::{jpeg, tiny};
use super::skipping::skip;
use super::workplace::{Workplace, put};

/// How long the disk stays full, and the processor time allowed for it: half a percent of a core.
const FULL: Duration = Duration::from_secs(30);
const ALLOWED_MS: u64 = 150;
/// Within this time of there being room everything is done, and nothing says any more that there is none.
const RECOVERY: Duration = Duration::from_secs(10);

/// A disk of so many KiB in the place of a folder; only the daemon sees it.
struct Disk {
    /// As the daemon knows it.
    folder: PathBuf,
}

impl Disk {
    /// Launches the daemon with it. `None`, with a line that says so, where the system forbids that.
    fn launch(place: &mut Workplace, folder: &Path, kib: u32) -> Option<Self> {
        Self::launch_after(place, folder, kib, "true")
    }

    /// ... after a shell command.
    fn launch_after(place: &mut Workplace, folder: &Path, kib: u32, before: &str) -> Option<Self> {
        let mount = format!("mount -t tmpfs -o size={kib}k tmpfs '{}'", folder.display());
        if !Command::new("unshare").args(["-Urm", "sh", "-c", &mount]).status().is_ok_and(|status| status.success()) {
            skip("this system does not let a test mount a disk");
            return None;
        }
        place.launch_by(&["unshare", "-Urm", "sh", "-c", &format!("{mount}; {before}; exec \"$@\""), "sh"]);
        Some(Self { folder: folder.to_path_buf() })
    }

    /// A file on it, as it is reached from here.
    fn path(&self, place: &Workplace, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}", place.pid(), self.folder.join(name).display()))
    }

    /// Leaves no room on it.
    fn fill(&self, place: &Workplace) {
        let mut filler = File::create(self.path(place, "filler")).unwrap();
        while filler.write_all(&[1; 4096]).is_ok() {}
    }

    fn make_room(&self, place: &Workplace) {
        fs::remove_file(self.path(place, "filler")).unwrap();
    }

    fn json(&self, place: &Workplace, name: &str) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.path(place, name)).ok()?).ok()
    }
}

/// Lets the time pass and asserts that next to nothing was done meanwhile, and the trouble is logged once.
fn waits_it_out(place: &Workplace, trouble: &str) {
    // What was under way when the disk filled up is not done because of that.
    place.wait("an end of what was under way", || {
        let before = place.processor_ms();
        sleep(Duration::from_secs(1));
        (place.processor_ms() - before <= 10).then_some(())
    });
    let before = place.processor_ms();
    sleep(FULL);
    let spent = place.processor_ms() - before;
    eprintln!("{trouble}: {spent} ms of processor time in {FULL:?}");
    assert!(spent <= ALLOWED_MS, "{spent} ms of processor time in {FULL:?}\n{}", place.log());
    let lines: Vec<_> = place.log().lines().filter(|line| line.contains(trouble)).map(str::to_string).collect();
    assert!(lines.len() == 1 && lines[0].contains("free some space"), "{lines:#?}");
}

#[test]
fn answers_wait_for_room_and_cost_nothing_meanwhile() {
    let mut place = Workplace::new();
    place.stock(2);
    let folder = place.root().join("answer");
    let Some(disk) = Disk::launch(&mut place, &folder, 4096) else { return };
    place.wait_indexed(6);
    disk.fill(&place);
    for name in ["a", "b", "c"] {
        put(place.query(format!("{name}.jpg")), &jpeg(Food::Burger, 2_000));
    }
    let trouble = "could not write the sheet";
    place.wait_status("the trouble", |status| status["degraded_by"].to_string().contains(trouble));
    waits_it_out(&place, trouble);
    for end in ["png", "json"] {
        assert!(!disk.path(&place, &format!("result_a.{end}")).exists(), "a part of an answer");
    }
    disk.make_room(&place);
    let mut recovery = Duration::ZERO;
    for name in ["a", "b", "c"] {
        let (record, taken) = place.wait_timed("the answer", || disk.json(&place, &format!("result_{name}.json")));
        recovery += taken;
        assert_eq!(record["status"], "ok");
        image::open(disk.path(&place, &format!("result_{name}.png"))).expect("a whole sheet");
    }
    let is_over = |status: &Value| status["state"] == "ready" && status["queries"]["answered"] == 3;
    let (_, taken) = place.wait_timed("an end of the trouble", || place.status().filter(is_over));
    assert!(recovery + taken < RECOVERY, "{recovery:?} {taken:?}");
}

#[test]
fn what_was_read_waits_for_room_in_the_catalog_and_is_not_read_again() {
    let mut place = Workplace::new();
    place.stock(2);
    let folder = place.state("");
    let Some(disk) = Disk::launch(&mut place, &folder, 8192) else { return };
    let indexed = |count: u64| {
        place.wait_timed("pictures searchable", || {
            disk.json(&place, "status.json").filter(|status| {
                let inventory = &status["inventory"];
                status["state"] == "ready" && inventory["indexed"] == count && inventory["pending"] == 0
            })
        })
    };
    indexed(6);
    disk.fill(&place);
    for number in 0..200 {
        put(place.inventory(format!("{number}.png")), &tiny(number));
    }
    put(place.query("a.jpg"), &jpeg(Food::Burger, 2_000));
    // The answer folder has room: a query is answered from what is known.
    place.wait_record("a");
    let written = place.written("a");
    waits_it_out(&place, "could not write the catalog");
    assert_eq!(place.written("a"), written, "answered again and again");
    disk.make_room(&place);
    let (_, recovery) = indexed(206);
    assert!(recovery < RECOVERY, "{recovery:?}");
    place.wait_record_that("a", |record| record["status"] == "ok" && record["inventory"] == 206);
    for number in 0..200 {
        let read = place.log().matches(&format!("/{number}.png read")).count();
        assert_eq!(read, 1, "{number}.png");
    }
    // SQLite takes the path for that of the folder outside, so it is shown copies.
    place.wait("the answer kept", || {
        for name in ["catalog.sqlite", "catalog.sqlite-wal"] {
            fs::copy(disk.path(&place, name), place.root().join(name)).ok()?;
        }
        let catalog = rusqlite::Connection::open(place.root().join("catalog.sqlite")).unwrap();
        let answers = catalog.query_row("SELECT count(*) FROM answers", [], |row| row.get::<_, i64>(0));
        (answers.ok()? == 1).then_some(())
    });
}

/// A start on a full disk waits for room, instead of to fail again and again until the service manager gives up.
#[test]
fn a_start_waits_for_room_and_goes_on_by_itself() {
    let mut place = Workplace::new();
    place.stock(2);
    let folder = place.state("");
    let fill = format!("cat /dev/zero >'{}' 2>/dev/null", folder.join("filler").display());
    let Some(disk) = Disk::launch_after(&mut place, &folder, 8192, &fill) else { return };
    place.wait("the reason", || place.log().contains("waiting until the state folder can be used").then_some(()));
    let reason = "catalog.sqlite: could not open the catalog";
    assert!(place.log().contains(reason) && place.log().contains("free some space"), "{}", place.log());
    disk.make_room(&place);
    put(place.query("a.jpg"), &jpeg(Food::Burger, 2_000));
    place.wait("an answer", || place.record("a").filter(|record| record["status"] == "ok"));
    assert_eq!(place.log().matches(reason).count(), 1, "{}", place.log());
    assert!(place.log().contains("catalog.sqlite: resolved: could not open the catalog"), "{}", place.log());
    place.stop();
}
