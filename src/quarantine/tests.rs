//! Tests with simulated crashes: a process that dies is a guard that never ends a decoding; trials end as a test says.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::Encoder;
use crate::files::Stamp;
use crate::isolation::Outputs;
use crate::model::Extractor;
use crate::picture;
use crate::picture::Resolution;

const BOUNDS: Bounds = Bounds { file_bytes: 1 << 20, pixels: 1_000_000, decode_ms: 60_000, memory_bytes: 0 };
const OUTPUTS: Outputs = Outputs { square: true, features: false, longest_px: None, crop: None };
const CRASH: CrashCause = CrashCause::Signal { number: 11 };

/// How trials of these contents end; those of all others end well. A machine without child processes has none.
#[derive(Default)]
struct FakeTrials {
    verdicts: HashMap<&'static str, fn() -> TrialOutcome>,
    has_no_children: bool,
    held: Arc<Mutex<Vec<String>>>,
}

impl Trial for FakeTrials {
    fn hold(&self, bytes: &[u8], _path: &Path, _order: &DecodeOrder) -> TrialOutcome {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        if self.has_no_children {
            return TrialOutcome::NotStarted("operation not permitted".into());
        }
        let verdict = self.verdicts.get(text.as_str()).copied();
        self.held.lock().unwrap().push(text);
        verdict.unwrap_or(|| TrialOutcome::Ended(Err(Unusable::CutOff)))()
    }

    fn decode(
        &self,
        bytes: &[u8],
        _path: &Path,
        _bounds: &Bounds,
        _resolution: Resolution,
        memory_bytes: u64,
    ) -> Result<DynamicImage, Unusable> {
        self.held.lock().unwrap().push(format!("{} bytes, {memory_bytes} of memory", bytes.len()));
        Ok(DynamicImage::new_rgba8(3, 2))
    }

    fn close(&self) {}
}

fn crashing() -> FakeTrials {
    FakeTrials {
        verdicts: HashMap::from([("bad", (|| TrialOutcome::Crashed(CRASH)) as fn() -> TrialOutcome)]),
        ..FakeTrials::default()
    }
}

fn open(state: &Path, trials: FakeTrials) -> (Arc<Quarantine>, Vec<Trouble>) {
    let (quarantine, troubles) = Quarantine::open(state, Box::new(trials));
    (Arc::new(quarantine), troubles)
}

/// A process dies while it decodes these.
fn crash_while_decoding(state: &Path, pictures: &[&str]) -> Vec<Trouble> {
    let (quarantine, troubles) = open(state, FakeTrials::default());
    for (number, picture) in pictures.iter().enumerate() {
        let guard = quarantine.guard(&format!("worker-{number}"), Suspects::Leave, Arc::new(Unsupervised));
        guard.deps().begin(Hash::of(picture.as_bytes()), Path::new(picture));
    }
    troubles
}

fn decode(quarantine: &Arc<Quarantine>, suspects: Suspects, picture: &str) -> Unusable {
    let guard = quarantine.guard("worker-0", suspects, Arc::new(Unsupervised));
    let contents = FileSnapshot { bytes: picture.into(), hash: Hash::of(picture.as_bytes()), stamp: Stamp::NEVER };
    let extractor = Extractor::load(Encoder::Convolutional).unwrap();
    guard.extract(&contents, Path::new(picture), &BOUNDS, OUTPUTS, &extractor).err().unwrap()
}

fn treatment(quarantine: &Quarantine, picture: &str) -> Treatment {
    quarantine.treatment(Hash::of(picture.as_bytes()), &BOUNDS)
}

#[test]
fn a_crash_makes_suspects_and_a_trial_tells_which_one_caused_it() {
    let state = tempfile::tempdir().unwrap();
    assert!(crash_while_decoding(state.path(), &["good", "bad", "bad"]).is_empty());
    let (quarantine, troubles) = open(state.path(), crashing());
    assert_eq!(troubles.len(), 2, "two copies are one content: {troubles:?}");
    assert!(troubles.iter().all(|trouble| trouble.remedy.starts_with("there is nothing to do")), "{troubles:?}");
    assert!(marks::all_in(&quarantine.folder).is_empty(), "a mark is left");
    assert_eq!(decode(&quarantine, Suspects::Leave, "bad"), Unusable::AwaitsTrial);
    assert_eq!(decode(&quarantine, Suspects::Try, "bad"), Unusable::SetAside(CRASH));
    assert_eq!(decode(&quarantine, Suspects::Leave, "bad"), Unusable::SetAside(CRASH));
    // The result of its trial, and afterwards that of any other content: the text is no picture.
    assert_eq!(decode(&quarantine, Suspects::Try, "good"), Unusable::CutOff);
    assert_eq!(decode(&quarantine, Suspects::Try, "good"), Unusable::NotAPicture);
    let (quarantine, troubles) = open(state.path(), FakeTrials::default());
    assert!(troubles.is_empty(), "{troubles:?}");
    assert_eq!(treatment(&quarantine, "bad"), Treatment::Refused(Unusable::SetAside(CRASH)));
    assert_eq!(treatment(&quarantine, "good"), Treatment::Unknown);
}

#[test]
fn no_number_of_crashes_sets_a_picture_aside_without_a_trial() {
    let state = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        crash_while_decoding(state.path(), &["good"]);
    }
    let (quarantine, _) = open(state.path(), FakeTrials::default());
    assert_eq!(treatment(&quarantine, "good"), Treatment::Suspect);
    assert_eq!(decode(&quarantine, Suspects::Try, "good"), Unusable::CutOff);
    assert_eq!(treatment(&quarantine, "good"), Treatment::Unknown);
}

#[test]
fn a_trial_ended_from_outside_is_repeated() {
    let state = tempfile::tempdir().unwrap();
    crash_while_decoding(state.path(), &["good"]);
    let interrupted = (|| TrialOutcome::Interrupted("killed".into())) as fn() -> TrialOutcome;
    let trials = FakeTrials { verdicts: HashMap::from([("good", interrupted)]), ..FakeTrials::default() };
    let held = trials.held.clone();
    let (quarantine, _) = open(state.path(), trials);
    for _ in 0..3 {
        assert_eq!(decode(&quarantine, Suspects::Try, "good"), Unusable::TrialInterrupted("killed".into()));
    }
    assert_eq!(held.lock().unwrap().len(), 3);
    assert_eq!(treatment(&quarantine, "good"), Treatment::Suspect);
}

#[test]
fn only_suspects_get_a_trial() {
    let state = tempfile::tempdir().unwrap();
    let trials = crashing();
    let held = trials.held.clone();
    let (quarantine, _) = open(state.path(), trials);
    assert_eq!(decode(&quarantine, Suspects::Try, "bad"), Unusable::NotAPicture);
    assert_eq!(held.lock().unwrap().len(), 0);
}

#[test]
fn without_child_processes_it_reports_that_and_sets_nothing_aside() {
    let state = tempfile::tempdir().unwrap();
    crash_while_decoding(state.path(), &["good"]);
    let (quarantine, _) = open(state.path(), FakeTrials { has_no_children: true, ..FakeTrials::default() });
    assert_eq!(quarantine.trouble(), None);
    assert_eq!(decode(&quarantine, Suspects::Try, "good"), Unusable::NotAPicture, "decoded here");
    assert!(quarantine.trouble().is_some_and(|trouble| trouble.what.ends_with("operation not permitted")));
    assert_eq!(treatment(&quarantine, "good"), Treatment::Unknown, "it did no harm");
}

#[test]
fn a_clean_shutdown_makes_no_suspects() {
    let state = tempfile::tempdir().unwrap();
    let (quarantine, _) = open(state.path(), FakeTrials::default());
    let guard = quarantine.guard("worker-0", Suspects::Leave, Arc::new(Unsupervised));
    let deps = guard.deps();
    deps.begin(Hash::of(b"before"), Path::new("a path longer than the next one"));
    assert_eq!(marks::all_in(&quarantine.folder).len(), 1);
    deps.end();
    assert!(marks::all_in(&quarantine.folder).is_empty(), "nothing is being decoded");
    deps.begin(Hash::of(b"during"), Path::new("during"));
    assert_eq!(marks::all_in(&quarantine.folder)[0].path, "during");
    quarantine.close();
    deps.end();
    deps.begin(Hash::of(b"after"), Path::new("after"));
    assert!(open(state.path(), FakeTrials::default()).1.is_empty());
}

#[test]
fn what_was_abandoned_is_a_suspect_and_what_took_too_long_is_tried_again_when_more_time_is_allowed() {
    let state = tempfile::tempdir().unwrap();
    let too_slow = (|| TrialOutcome::Crashed(CrashCause::Time { limit_ms: 60_000 })) as fn() -> TrialOutcome;
    let (quarantine, _) =
        open(state.path(), FakeTrials { verdicts: HashMap::from([("slow", too_slow)]), ..FakeTrials::default() });
    let slot = Arc::<Slot<&str>>::default();
    let guard = quarantine.guard("worker-0", Suspects::Leave, slot.clone());
    slot.begin_job("the job");
    guard.deps().begin(Hash::of(b"slow"), Path::new("slow"));
    let limit = Duration::from_millis(20);
    std::thread::sleep(limit * 2);
    assert!(slot.abandon_after(limit, limit).is_none(), "the process stood still for half of it");
    let (job, decoding) = slot.abandon_after(limit, limit).expect("it is overdue");
    assert_eq!(job, "the job");
    quarantine.abandon(&decoding);
    assert!(!guard.deps().end(), "the thread learns that it was abandoned");
    assert_eq!(decode(&quarantine, Suspects::Try, "slow"), Unusable::SetAside(CrashCause::Time { limit_ms: 60_000 }));
    let (quarantine, troubles) = open(state.path(), FakeTrials::default());
    assert!(troubles.is_empty(), "{troubles:?}");
    let allowed = |decode_ms| quarantine.treatment(decoding.content, &Bounds { decode_ms, ..BOUNDS });
    assert!(matches!(allowed(60_000), Treatment::Refused(_)));
    assert_eq!(allowed(60_001), Treatment::Suspect);
}

#[test]
fn what_took_too_much_memory_is_tried_again_where_there_is_more() {
    let allowed = (memory_allowance() >> 20) as f64;
    let more = |megabytes: f64| has_more_now(CrashCause::Memory { megabytes: megabytes as u64 }, &BOUNDS);
    assert!(more(allowed * 0.5) && !more(allowed * 1.5));
}

#[test]
fn an_unusable_list_is_set_aside() {
    for text in ["{", r#"{"version": 3, "program": "x", "contents": []}"#] {
        let state = tempfile::tempdir().unwrap();
        crash_while_decoding(state.path(), &["bad"]);
        fs::write(state.path().join(list::FILE_NAME), text).unwrap();
        let (quarantine, troubles) = open(state.path(), FakeTrials::default());
        assert_eq!(troubles.len(), 2, "{troubles:?}");
        assert_eq!(fs::read_to_string(state.path().join("quarantine.json.damaged")).unwrap(), text);
        assert_eq!(treatment(&quarantine, "bad"), Treatment::Suspect, "the mark was found anyway");
    }
}

#[test]
fn what_was_set_aside_by_counting_is_a_suspect() {
    let state = tempfile::tempdir().unwrap();
    let entry = |name: &str, standing: &str| {
        let content = Hash::of(name.as_bytes()).to_hex();
        format!(r#"{{"content": "{content}", "path": "/inventory/{name}", "deaths": 2, "standing": {standing}}}"#)
    };
    let (deadly, slow) = (entry("good", r#""deadly""#), entry("slow", r#"{"slow": {"limit_ms": 60000}}"#));
    let text = format!(r#"{{"version": 1, "program": "0.1.0", "contents": [{deadly}, {slow}]}}"#);
    fs::write(state.path().join(list::FILE_NAME), text).unwrap();
    let (quarantine, troubles) = open(state.path(), FakeTrials::default());
    assert!(troubles.is_empty(), "{troubles:?}");
    for name in ["good", "slow"] {
        assert_eq!(treatment(&quarantine, name), Treatment::Suspect, "{name}");
        assert!(quarantine.is_suspect_at(&Path::new("/inventory").join(name)));
    }
    assert!(!quarantine.is_suspect_at(Path::new("/inventory/other")));
}

#[test]
fn another_program_tries_everything_again() {
    let state = tempfile::tempdir().unwrap();
    crash_while_decoding(state.path(), &["bad"]);
    let (quarantine, _) = open(state.path(), crashing());
    decode(&quarantine, Suspects::Try, "bad");
    let path = state.path().join(list::FILE_NAME);
    let older = fs::read_to_string(&path).unwrap().replace(env!("CARGO_PKG_VERSION"), "0.0.1");
    fs::write(&path, older).unwrap();
    assert_eq!(treatment(&open(state.path(), FakeTrials::default()).0, "bad"), Treatment::Suspect);
}

#[cfg(feature = "avif")]
#[test]
fn what_its_decoder_may_not_decode_here_goes_to_a_process_of_its_own_with_the_memory_reserved() {
    let state = tempfile::tempdir().unwrap();
    let trials = FakeTrials::default();
    let held = Arc::clone(&trials.held);
    let (quarantine, _) = open(state.path(), trials);
    let guard = quarantine.guard("worker-0", Suspects::Leave, Arc::new(Unsupervised));
    let decode = |bytes: &[u8]| {
        let contents = FileSnapshot { bytes: bytes.into(), hash: Hash::of(bytes), stamp: Stamp::NEVER };
        guard.decode(&contents, Path::new("a"), &BOUNDS, Resolution::WHOLE, |decoded| Ok(decoded.width()))
    };
    let avif = include_bytes!("../../fuzz/seeds/picture/alpha.avif");
    assert_eq!(decode(avif), Ok(3), "as the child says");
    let memory_bytes = picture::open(avif, Path::new("a"), &BOUNDS).unwrap().memory_bytes();
    assert_eq!(*held.lock().unwrap(), [format!("{} bytes, {memory_bytes} of memory", avif.len())]);
    assert_eq!(decode(include_bytes!("../../fuzz/seeds/picture/grey.jpg")), Ok(24), "in this process");
    assert_eq!(held.lock().unwrap().len(), 1);
}
