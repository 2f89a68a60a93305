//! The state folder out of reach, at the start and while the service runs: it stays up, says so, and goes on without a restart.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use artificio_demo::Food;

use super::pictures::jpeg;
use super::skipping::skip;
use super::workplace::{Workplace, put};

/// A user that owns nothing else.
const NOBODY: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Who starts the daemon: root may look into everything, so another user, to whom the folders are given.
fn ordinary_user(place: &Workplace) -> Option<[&'static str; 4]> {
    if !rustix::process::geteuid().is_root() {
        skip("only root can let a test run as another user");
        return None;
    }
    let root = place.root().to_str().unwrap();
    assert!(Command::new("chown").args(["-R", "65534", root]).status().unwrap().success());
    Some(["setpriv", "--reuid", "65534", "--clear-groups"])
}

/// Asks, and asserts that it is answered.
fn ask(place: &Workplace, name: &str) {
    put(place.query(format!("{name}.jpg")), &jpeg(Food::Burger, 2_000));
    assert_eq!(place.wait_record(name)["status"], "ok");
}

fn wait_log(place: &Workplace, words: &str) {
    place.wait(words, || place.log().contains(words).then_some(()));
}

#[test]
fn a_state_folder_that_may_not_be_looked_into_ends_nothing() {
    let mut place = Workplace::new();
    place.stock(2);
    let Some(user) = ordinary_user(&place) else { return };
    place.start_by(&user);
    let state = place.state("");
    set_mode(&state, 0o000);
    wait_log(&place, "could not look into the state folder: permission denied");
    ask(&place, "a");
    set_mode(&state, 0o755);
    place.wait_status("an end of the trouble", |status| {
        status["state"] == "ready" && status["queries"]["answered"] == 1 && status["inventory"]["indexed"] == 6
    });
    for trouble in ["could not look into the state folder", "could not write the status"] {
        assert_eq!(place.log().matches(trouble).count(), 2, "said once, and once that it is over:\n{}", place.log());
    }
    place.stop();
}

#[test]
fn a_state_folder_that_is_moved_away_and_back_ends_nothing_and_another_one_is_begun_with() {
    let mut place = Workplace::new();
    place.stock(2);
    place.start();
    let [state, aside] = [place.state(""), place.root().join("aside")];
    fs::rename(&state, &aside).unwrap();
    wait_log(&place, "the state folder was moved or removed under the running service");
    ask(&place, "a");
    assert!(!state.exists(), "its place is free");
    fs::rename(&aside, &state).unwrap();
    place.wait_status("an end of the trouble", |status| {
        status["state"] == "ready" && status["queries"]["answered"] == 1 && status["inventory"]["indexed"] == 6
    });
    // Another folder, on which another daemon could work.
    fs::rename(&state, &aside).unwrap();
    fs::create_dir(&state).unwrap();
    fs::write(state.join("lock"), b"").unwrap();
    wait_log(&place, "begins again");
    ask(&place, "b");
    place.wait_indexed(6);
    assert_eq!(place.run(&["run"]).status.code(), Some(3), "one daemon at a time");
    place.stop();
}

/// A folder that belongs to somebody else, as on a disk that is mounted read-only.
#[test]
fn a_start_waits_for_a_state_folder_that_cannot_be_written() {
    let mut place = Workplace::new();
    place.stock(2);
    let Some(user) = ordinary_user(&place) else { return };
    let state = place.state("");
    chown(&state, Some(0), None).unwrap();
    let socket = UnixDatagram::bind(place.root().join("notify")).unwrap();
    socket.set_nonblocking(true).unwrap();
    fs::set_permissions(place.root().join("notify"), fs::Permissions::from_mode(0o777)).unwrap();
    let address = format!("NOTIFY_SOCKET={}", place.root().join("notify").display());
    let wrapper: Vec<&str> = user.into_iter().chain(["env", &address]).collect();
    for is_ended in [true, false] {
        place.launch_by(&wrapper);
        // Up, alive, and saying why.
        let (mut messages, mut buffer) = (String::new(), [0; 4096]);
        place.wait("the service manager informed", || {
            while let Ok(length) = socket.recv(&mut buffer) {
                messages += &String::from_utf8_lossy(&buffer[..length]);
            }
            let is_all = ["READY=1", "STATUS=waiting for the state folder: ", "WATCHDOG=1"];
            is_all.iter().all(|words| messages.contains(words)).then_some(())
        });
        if is_ended {
            place.stop();
        }
    }
    // Nobody listens any more, so nobody waits either.
    drop(socket);
    wait_log(&place, "permission denied (give the user who runs artificio access");
    chown(&state, Some(NOBODY), None).unwrap();
    place.wait_indexed(6);
    place.stop();
}

/// The folder of the answers is waited for like those that are read.
#[test]
fn a_start_waits_for_an_answer_folder_that_cannot_be_made() {
    let mut place = Workplace::new();
    place.stock(2);
    let answer = place.root().join("answer");
    fs::remove_dir(&answer).unwrap();
    fs::write(&answer, b"in its place").unwrap();
    place.start();
    let status = place.status().unwrap();
    assert!(status["degraded_by"].to_string().contains("could not make the folder"), "{status:#}");
    put(place.query("a.jpg"), &jpeg(Food::Burger, 2_000));
    place.wait_status("the query", |status| status["queries"]["pending"] == 1);
    fs::remove_file(&answer).unwrap();
    place.wait_record_that("a", |record| record["status"] == "ok");
    place.wait_status("an end of the trouble", |status| status["state"] == "ready");
    place.stop();
}
