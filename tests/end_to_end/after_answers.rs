//! What becomes of an answer: a command is run after it, also by a service that is confined; and one day it is too old.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use artificio::catalog::{AnswerRow, Catalog};
use artificio_demo::Food;

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

const TWO_DAYS: Duration = Duration::from_secs(2 * 86_400);
const FAILED: &str = "the command of `on_answer` ended with exit status: 1";

fn ask(place: &Workplace, name: &str) {
    put(place.query(format!("{name}.jpg")), &jpeg(Food::Burger, 2_000));
    assert_eq!(place.wait_record(name)["status"], "ok");
}

/// As a service manager starts it. Nobody listens at that socket, which the service does not mind.
fn start_confined(place: &mut Workplace) {
    let manager = format!("NOTIFY_SOCKET={}", place.root().join("notify").display());
    place.start_by(&["env", &manager]);
}

/// As if the answer had been written two days ago.
fn age(place: &Workplace, name: &str) {
    let catalog = Catalog::open(&place.root().join("db/state")).unwrap().catalog;
    let row = catalog.answers().unwrap().into_iter().find(|row| row.name == name).unwrap();
    catalog.put_answer(&AnswerRow { answered_s: row.answered_s - TWO_DAYS.as_secs() as i64, ..row }).unwrap();
    for path in [place.record_path(name), place.sheet_path(name)] {
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - TWO_DAYS).unwrap();
    }
}

#[test]
fn a_command_is_run_after_each_answer_and_an_answer_that_is_too_old_goes_for_good() {
    let seen = tempfile::tempdir().unwrap();
    let seen = seen.path().join("seen");
    let script = format!("echo \"$@\" >> '{}'; test \"$4\" != error", seen.display());
    let placeholders = "\"{record}\", \"{sheet}\", \"{name}\", \"{status}\"";
    let settings =
        format!("[answer]\nkeep_days = 1\non_answer = [\"/bin/sh\", \"-c\", {script:?}, \"sh\", {placeholders}]");
    let mut place = Workplace::with_settings(&settings);
    place.stock(1);
    start_confined(&mut place);
    ask(&place, "a");
    put(place.query("broken.jpg"), b"no picture");
    place.wait_status("a failed command", |status| status["degraded_by"].to_string().contains(FAILED));
    ask(&place, "b");
    place.wait_status("a command that works", |status| !status["degraded_by"].to_string().contains(FAILED));
    let line = |name: &str, status: &str| {
        format!("{} {} {name} {status}\n", place.record_path(name).display(), place.sheet_path(name).display())
    };
    let expected = [line("a", "ok"), line("broken", "error"), line("b", "ok")].concat();
    assert_eq!(fs::read_to_string(&seen).unwrap(), expected);
    place.stop();

    age(&place, "a");
    start_confined(&mut place);
    place.wait("the end of the old answer", || (!place.record_path("a").exists()).then_some(()));
    place.wait("that of its sheet", || (!place.sheet_path("a").exists()).then_some(()));
    assert!(place.record_path("b").exists() && place.query("a.jpg").exists());
    // Neither this nor another start makes it again.
    fs::set_permissions(place.query("a.jpg"), Permissions::from_mode(0o600)).unwrap();
    ask(&place, "c");
    place.stop();
    start_confined(&mut place);
    ask(&place, "d");
    assert!(!place.record_path("a").exists(), "{}", place.log());
    fs::remove_file(place.query("a.jpg")).unwrap();
    ask(&place, "a");
    place.stop();
}
