//! Files that are elsewhere for a while, or look the same and are not: nothing is read from scratch that is known, and nothing that
//! has changed is taken for what it was.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use artificio_demo::Food;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::degraded::{problem_with, start_with_limit};
use super::pictures::jpeg;
use super::skipping::skip;
use super::workplace::{Workplace, found, put};

/// A disk in the inventory that is away over restarts: what it holds is found, marked as away, and never decoded again.
#[test]
fn a_disk_in_the_inventory_may_be_away_for_any_time() {
    let mut place = Workplace::new();
    place.stock(2);
    let [held, work, empty] = ["held", "work", "empty"].map(|name| place.root().join(name));
    for folder in [&held, &work, &empty, &place.inventory("nas")] {
        fs::create_dir(folder).unwrap();
    }
    for seed in [10, 11] {
        put(held.join(format!("far_{seed}.jpg")), &jpeg(Food::Egg, seed));
    }
    let mount = format!(
        "mount -t overlay overlay -o 'lowerdir={},upperdir={},workdir={}' '{}'",
        empty.display(),
        held.display(),
        work.display(),
        place.inventory("nas").display()
    );
    if !Command::new("unshare").args(["-Urm", "sh", "-c", &mount]).status().is_ok_and(|status| status.success()) {
        return skip("this system does not let a test mount an overlay");
    }
    let with_disk = format!("{mount}; exec \"$@\"");
    place.start_by(&["unshare", "-Urm", "sh", "-c", &with_disk, "sh"]);
    place.wait_indexed(8);
    let before = place.decoded();
    assert_eq!(before.len(), 8);
    place.stop();
    for name in ["first", "second"] {
        place.start();
        assert_eq!(place.status().unwrap()["inventory"]["indexed"], 8);
        place.wait_status("the disk in the status", |status| problem_with(status, "suddenly empty"));
        put(place.query(format!("{name}.jpg")), &jpeg(Food::Egg, 10));
        let record = place.wait_record(name);
        assert_eq!(record["status"], "partial", "{record:#}");
        assert!(record["message"].as_str().unwrap().contains("folder nas is out of reach"), "{record:#}");
        for found in record["matches"].as_array().unwrap() {
            let is_far = found["path"].as_str().unwrap().starts_with("nas/");
            assert_eq!(found.get("away"), is_far.then_some(&Value::Bool(true)), "{record:#}");
        }
        assert_eq!(record["matches"][0]["path"], "nas/far_10.jpg");
        place.stop();
    }
    place.start_by(&["unshare", "-Urm", "sh", "-c", &with_disk, "sh"]);
    place.wait_indexed(8);
    place.wait_record_that("second", |record| record["status"] == "ok" && record["matches"][0].get("away").is_none());
    assert_eq!(place.decoded(), before, "they were decoded again");
}

/// What the catalog knows of the inventory's file: when it was last changed in any way.
fn known_ctime_ns(place: &Workplace, path: &str) -> Option<i64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let catalog = Connection::open_with_flags(place.state("catalog.sqlite"), flags).unwrap();
    let find = "SELECT ctime_ns FROM files WHERE root = 1 AND path = ?1";
    catalog.query_row(find, [path.as_bytes()], |row| row.get(0)).ok()
}

/// A rename that no event tells of, because none come or nothing runs, costs reading the file and no more.
#[test]
fn a_rename_that_only_a_look_finds_is_not_decoded_again() {
    let mut place = Workplace::with_watch("settle_ms = 100\nrescan_s = 86400\npoll_s = 1");
    place.stock(2);
    if !start_with_limit(&mut place, "max_inotify_instances", 0) {
        return;
    }
    place.wait_indexed(6);
    let before = place.decoded();
    assert_eq!(before.len(), 6);
    let rename = |from: &str, to: &str| {
        fs::create_dir_all(place.inventory(to).parent().unwrap()).unwrap();
        fs::rename(place.inventory(from), place.inventory(to)).unwrap();
    };
    let is_at = |place: &Workplace, path: &str| {
        place.wait(path, || known_ctime_ns(place, path));
        place.wait_indexed(6);
        assert_eq!(place.decoded(), before, "it was decoded again");
    };
    rename("pizza_0.jpg", "sorted/pizza.jpg");
    is_at(&place, "sorted/pizza.jpg");
    rename("sorted", "by_hand");
    is_at(&place, "by_hand/pizza.jpg");
    place.stop();
    fs::rename(place.inventory("by_hand/pizza.jpg"), place.inventory("pizza.jpg")).unwrap();
    fs::rename(place.inventory("sushi_0.jpg"), place.inventory("by_hand/sushi.jpg")).unwrap();
    place.start();
    is_at(&place, "pizza.jpg");
    is_at(&place, "by_hand/sushi.jpg");
}

/// A file is what it was only if nothing about it changed: a program may rewrite it at the same length and set back its time.
#[test]
fn a_file_rewritten_in_place_is_read_again_and_one_only_touched_changes_nothing() {
    let (pizza, egg) = (jpeg(Food::Pizza, 0), jpeg(Food::Egg, 2_000));
    let length = pizza.len().max(egg.len());
    // What follows the end of a JPEG is no part of the picture.
    let [pizza, egg] = [pizza, egg].map(|mut bytes| {
        bytes.resize(length, 0);
        bytes
    });
    let mut place = Workplace::new();
    place.stock(2);
    put(place.inventory("pizza_0.jpg"), &pizza);
    place.start();
    place.wait_indexed(6);
    let before = place.decoded();
    let ask = |place: &Workplace, name: &str| {
        put(place.query(format!("{name}.jpg")), &egg);
        place.wait_record(name)
    };
    let first = ask(&place, "first");
    let touched = place.inventory("burger_0.jpg");
    fs::set_permissions(&touched, fs::Permissions::from_mode(0o640)).unwrap();
    wait_known(&place, &touched, "burger_0.jpg");
    let second = ask(&place, "second");
    assert_eq!(second["index_generation"], first["index_generation"], "nothing changed");
    assert_eq!(place.decoded(), before, "it was decoded again");

    let rewritten = place.inventory("pizza_0.jpg");
    let modified = fs::metadata(&rewritten).unwrap().modified().unwrap();
    let file = File::options().write(true).open(&rewritten).unwrap();
    file.write_all_at(&egg, 0).unwrap();
    file.set_modified(modified).unwrap();
    wait_known(&place, &rewritten, "pizza_0.jpg");
    let third = ask(&place, "third");
    assert_eq!((&third["matches"][0]["relation"], found(&third)[0].as_str()), (&"identical".into(), "pizza_0.jpg"));
    assert!(third["index_generation"].as_u64() > second["index_generation"].as_u64());
}

/// Waits until the daemon has read the file as it is now.
fn wait_known(place: &Workplace, file: &Path, path: &str) {
    let now = fs::metadata(file).unwrap();
    let ctime_ns = now.ctime() * 1_000_000_000 + now.ctime_nsec();
    place.wait("the file as it is now", || (known_ctime_ns(place, path) == Some(ctime_ns)).then_some(()));
    place.wait_all_done();
}
