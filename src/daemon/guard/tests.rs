//! Deaths played: a process that dies is a guard that never ends what it began.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::files::Stamp;

const BOUNDS: Bounds = Bounds { file_bytes: 1 << 20, pixels: 1_000_000, decode_ms: 60_000 };

fn contents(text: &str) -> Contents {
    Contents { bytes: text.into(), hash: Hash::of(text.as_bytes()), stamp: Stamp::NEVER }
}

fn open(state: &Path) -> (Arc<Quarantine>, Vec<Trouble>) {
    let (quarantine, said) = Quarantine::open(state);
    (Arc::new(quarantine), said)
}

/// A process dies while it decodes these.
fn die_over(state: &Path, pictures: &[&str]) -> Vec<Trouble> {
    let (quarantine, said) = open(state);
    for (number, picture) in pictures.iter().enumerate() {
        let hash = Hash::of(picture.as_bytes());
        let Guard(Some(post)) = quarantine.guard(&format!("worker-{number}"), &Arc::default()) else { unreachable!() };
        post.begin(hash, Path::new(picture), quarantine.mode(hash));
    }
    said
}

fn decode(quarantine: &Arc<Quarantine>, picture: &str) -> Unusable {
    let guard = quarantine.guard("worker-0", &Arc::default());
    guard.decode(&contents(picture), Path::new(picture), &BOUNDS, |_| Ok(())).unwrap_err()
}

#[test]
fn one_death_makes_suspects_and_a_second_one_alone_the_culprit() {
    let state = tempfile::tempdir().unwrap();
    assert!(die_over(state.path(), &["good", "bad", "bad"]).is_empty(), "two copies of it are one death");
    let said = die_over(state.path(), &["bad"]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|trouble| trouble.remedy.starts_with("nothing need be done")), "{said:?}");
    let (quarantine, said) = open(state.path());
    assert!(said.len() == 1 && said[0].path == Path::new("bad") && said[0].what.ends_with("set aside"), "{said:?}");
    assert_eq!(decode(&quarantine, "bad"), Unusable::Deadly { deaths: 2 });
    // The text is no picture, which is what its decoder says when it is asked.
    assert_eq!(decode(&quarantine, "good"), Unusable::NotAPicture);
    assert!(marker::all_in(&quarantine.folder).is_empty(), "a marker is left");
    let (quarantine, said) = open(state.path());
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(decode(&quarantine, "bad"), Unusable::Deadly { deaths: 2 });
}

#[test]
fn a_suspect_that_was_decoded_alone_is_none_any_more() {
    let state = tempfile::tempdir().unwrap();
    die_over(state.path(), &["one", "other"]);
    let (quarantine, _) = open(state.path());
    assert_eq!(quarantine.mode(Hash::of(b"one")), Mode::Alone);
    decode(&quarantine, "one");
    for (picture, mode) in [("one", Mode::Together), ("other", Mode::Alone)] {
        assert_eq!(quarantine.mode(Hash::of(picture.as_bytes())), mode, "{picture}");
        let (quarantine, _) = open(state.path());
        assert_eq!(quarantine.mode(Hash::of(picture.as_bytes())), mode, "{picture}, after a restart");
    }
}

#[test]
fn an_end_in_order_accuses_nobody() {
    let state = tempfile::tempdir().unwrap();
    let (quarantine, _) = open(state.path());
    let Guard(Some(post)) = quarantine.guard("worker-0", &Arc::default()) else { unreachable!() };
    post.begin(Hash::of(b"before"), Path::new("a path longer than the next one"), Mode::Together);
    assert_eq!(marker::all_in(&quarantine.folder).len(), 1);
    post.end(Hash::of(b"before"), Mode::Together);
    assert!(marker::all_in(&quarantine.folder).is_empty(), "nothing is being decoded");
    post.begin(Hash::of(b"during"), Path::new("during"), Mode::Together);
    assert_eq!(marker::all_in(&quarantine.folder)[0].path, "during");
    quarantine.close();
    post.end(Hash::of(b"during"), Mode::Together);
    post.begin(Hash::of(b"after"), Path::new("after"), Mode::Together);
    assert!(open(state.path()).1.is_empty());
}

#[test]
fn what_was_given_up_is_tried_again_when_more_time_is_allowed() {
    let state = tempfile::tempdir().unwrap();
    let (quarantine, _) = open(state.path());
    let slot = Arc::default();
    let Guard(Some(post)) = quarantine.guard("worker-0", &slot) else { unreachable!() };
    slot.take_on(crate::daemon::plan::Task { root: crate::catalog::Root::Query, path: "slow".into() });
    post.begin(Hash::of(b"slow"), Path::new("slow"), Mode::Alone);
    let limit = Duration::from_millis(20);
    std::thread::sleep(limit * 2);
    assert!(slot.give_up_after(limit, limit).is_none(), "the process stood still for half of it");
    let (task, decoding) = slot.give_up_after(limit, limit).expect("it is overdue");
    assert_eq!(task.path, Path::new("slow"));
    quarantine.give_up(&decoding, limit);
    assert!(!post.end(decoding.content, decoding.mode), "the thread hears that it was given up");
    // Nobody is kept waiting by one that is alone for ever.
    decode(&quarantine, "another");
    let (quarantine, said) = open(state.path());
    assert!(said.is_empty(), "{said:?}");
    let allowed = |decode_ms| quarantine.refuses(decoding.content, &Bounds { decode_ms, ..BOUNDS });
    assert_eq!(allowed(20), Some(Unusable::TooSlow { limit_ms: 20 }));
    assert_eq!(allowed(21), None);
}

#[test]
fn a_list_of_no_use_is_set_aside() {
    for text in ["{", r#"{"version": 2, "program": "x", "contents": []}"#] {
        let state = tempfile::tempdir().unwrap();
        die_over(state.path(), &["bad"]);
        fs::write(state.path().join(list::FILE_NAME), text).unwrap();
        let (quarantine, said) = open(state.path());
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(fs::read_to_string(state.path().join("quarantine.json.damaged")).unwrap(), text);
        assert_eq!(quarantine.mode(Hash::of(b"bad")), Mode::Alone, "the marker was found all the same");
    }
}

#[test]
fn another_program_tries_everything_again() {
    let state = tempfile::tempdir().unwrap();
    die_over(state.path(), &["bad"]);
    die_over(state.path(), &["bad"]);
    let (quarantine, _) = open(state.path());
    assert!(quarantine.refuses(Hash::of(b"bad"), &BOUNDS).is_some());
    let path = state.path().join(list::FILE_NAME);
    let older = fs::read_to_string(&path).unwrap().replace(env!("CARGO_PKG_VERSION"), "0.0.1");
    fs::write(&path, older).unwrap();
    assert_eq!(open(state.path()).0.refuses(Hash::of(b"bad"), &BOUNDS), None);
}
