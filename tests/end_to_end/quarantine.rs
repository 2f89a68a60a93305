//! Pictures that kill the process that decodes them, or never end being decoded: found out in a trial, set aside, reported;
//! and pictures that are innocent, whatever happens to the service.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use artificio_demo::Food;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ImageEncoder, RgbImage, RgbaImage};
use serde_json::Value;

use super::pictures::{jpeg, tiny};
use super::workplace::{Workplace, is_sentence, put};

/// Enough for the daemon with two workers (it asks for 520 MiB, most of which it never touches), not for 570 MiB more.
const TOO_LITTLE_KIB: u32 = 900_000;
const SIGABRT: i32 = 6;
/// What its decoder never returns from, in a debug build.
const LOOP: &[u8] = b"artificio test fault: loop\n";

/// A picture within all bounds whose pixels take 570 MiB. Where the process may not have these, it is ended by SIGABRT:
/// in Rust nobody can catch that.
fn deadly() -> Vec<u8> {
    let picture = RgbaImage::new(12_200, 12_200);
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::NoFilter);
    encoder.write_image(picture.as_raw(), 12_200, 12_200, image::ExtendedColorType::Rgba8).unwrap();
    bytes
}

fn short_of_memory(place: &mut Workplace) {
    let limit = format!("ulimit -v {TOO_LITTLE_KIB}; exec \"$@\"");
    place.launch_by(&["sh", "-c", &limit, "sh"]);
}

fn dies(place: &mut Workplace) {
    short_of_memory(place);
    let status = place.wait_end();
    assert_eq!(status.signal(), Some(SIGABRT), "{status}\n{}", place.log());
}

fn problems_of<'a>(status: &'a Value, name: &str) -> Vec<&'a Value> {
    let problems = status["problems"].as_array().unwrap().iter();
    problems.filter(|problem| problem["path"].as_str().unwrap().ends_with(name)).collect()
}

/// Whoever is set aside, by the ends of their paths, and why.
fn set_aside(place: &Workplace) -> Vec<(String, String)> {
    let list: Value = serde_json::from_slice(&fs::read(place.state("quarantine.json")).unwrap()).unwrap();
    let entries = list["contents"].as_array().unwrap().iter().filter(|entry| entry["state"] != "suspect");
    let name = |entry: &Value| entry["path"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
    entries.map(|entry| (name(entry), entry["state"]["set_aside"].to_string())).collect()
}

/// More than there is: by default, a picture that would take all memory is refused before it is decoded.
const OVERCOMMITTED: &str = "[limits]\nworkers = 2\nmax_memory_megabytes = 16384";

/// A picture that takes more memory than there is kills the service once; then its trial finds it out, it and its copies are
/// set aside, and all else is served.
#[test]
fn an_inventory_picture_that_takes_all_memory_is_set_aside_at_its_first_trial() {
    let mut place = Workplace::with_settings(OVERCOMMITTED);
    place.stock(2);
    let killer = deadly();
    put(place.inventory("killer.png"), &killer);
    put(place.inventory("copy/killer.png"), &killer);
    dies(&mut place);
    short_of_memory(&mut place);
    place.wait_indexed(6);
    let status = place.wait_status("both copies reported", |status| status["inventory"]["failed"] == 2);
    let problems = problems_of(&status, "killer.png");
    assert_eq!(problems.len(), 2, "{status:#}");
    for problem in problems {
        let (what, remedy) = (problem["what"].as_str().unwrap(), problem["remedy"].as_str().unwrap());
        assert!(is_sentence(what) && what.contains("takes more memory than the"), "{what}");
        assert!(is_sentence(remedy) && remedy.contains("tried again when its content changes"), "{remedy}");
    }
    assert_eq!(status["state"], "ready", "a bad picture is its own trouble, not the daemon's");
    let shown = String::from_utf8(place.run(&["status"]).stdout).unwrap();
    assert!(shown.contains("killer.png") && shown.contains("set aside"), "{shown}");
    place.assert_alive(0);
    // A start later it is known, and nobody dies to find out.
    place.stop();
    short_of_memory(&mut place);
    place.wait_status("both copies reported again", |status| status["inventory"]["failed"] == 2);
    put(place.inventory("killer.png"), &jpeg(Food::Salad, 0));
    place.wait_indexed(7);
    // With enough memory it is tried once more, and is a picture like any other.
    place.stop();
    place.start();
    assert_eq!(place.wait_indexed(8)["inventory"]["failed"], 0);
    assert_eq!(set_aside(&place), []);
}

/// A query likewise: its answer says why, others are answered, and nothing is remembered against it by a version that
/// condemned by counting deaths.
#[test]
fn a_query_that_takes_all_memory_gets_an_error_answer_and_another_one_where_there_is_more() {
    let mut place = Workplace::with_settings(OVERCOMMITTED);
    place.stock(2);
    short_of_memory(&mut place);
    place.wait_indexed(6);
    put(place.query("killer.png"), &deadly());
    assert_eq!(place.wait_end().signal(), Some(SIGABRT), "{}", place.log());
    put(place.query("good.jpg"), &jpeg(Food::Pizza, 2_000));
    short_of_memory(&mut place);
    let record = place.wait_record("killer");
    let message = record["message"].as_str().unwrap();
    assert_eq!(record["status"], "error");
    assert!(is_sentence(message) && message.contains("set aside") && message.contains("What to do"), "{message}");
    assert_eq!(place.wait_record("good")["status"], "ok");
    put(place.query("set/a.png"), &fs::read(place.query("killer.png")).unwrap());
    put(place.query("set/b.jpg"), &jpeg(Food::Pizza, 2_001));
    place.wait_record_that("set", |record| record["status"] == "partial");
    let written = place.written("killer");
    place.stop();
    short_of_memory(&mut place);
    place.assert_alive(0);
    place.assert_left_alone("killer", written);
    place.stop();
    let content = blake3::hash(&deadly()).to_hex().to_string();
    let path = place.query("killer.png");
    let entry = serde_json::json!({ "content": content, "path": path, "deaths": 2, "standing": "deadly" });
    let list = serde_json::json!({ "version": 1, "program": "0.1.0", "contents": [entry] });
    fs::write(place.state("quarantine.json"), list.to_string()).unwrap();
    place.start();
    place.wait_record_that("killer", |record| record["status"] != "error");
    assert_eq!(set_aside(&place), []);
}

/// A picture whose decoder does not return, and for the trial of which there is a minute's time.
fn with_a_trial_that_lasts() -> Workplace {
    let mut place = Workplace::with_settings("[limits]\nworkers = 1\nmax_decode_ms = 60000");
    place.stock(2);
    put(place.inventory("a_loop.png"), LOOP);
    place.launch();
    place.wait("the loop to be under way", || under_way(&place).contains("a_loop.png").then_some(()));
    place.kill();
    place.launch();
    place.wait("its trial", || child_of(&place));
    place
}

/// What the threads of the service have marked on the disk.
fn under_way(place: &Workplace) -> String {
    let files = fs::read_dir(place.state("under-way")).into_iter().flatten().flatten();
    files.map(|file| fs::read_to_string(file.path()).unwrap_or_default()).collect()
}

/// A child process that decodes a picture for the service.
fn child_of(place: &Workplace) -> Option<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", place.pid())).ok()?.flatten();
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).ok();
    tasks.filter_map(children).find_map(|pids| pids.split_whitespace().next()?.parse().ok())
}

/// Whoever waits does not wait for a trial, however long it takes; and where the service dies during one, so does the child,
/// and the trial is held again.
#[test]
fn a_trial_holds_nobody_up_and_is_begun_again_after_a_death() {
    let mut place = with_a_trial_that_lasts();
    let child = child_of(&place).unwrap();
    place.wait_progress("the others searchable", |status| {
        let indexed = status["inventory"]["indexed"].as_u64().unwrap_or(0);
        (indexed, indexed == 6)
    });
    put(place.query("good.jpg"), &jpeg(Food::Pizza, 2_000));
    place.wait_record_that("good", |record| record["status"] != "error");
    assert_eq!(child_of(&place), Some(child), "the trial has ended: the test proves nothing");
    place.kill();
    place.wait("the child's end", || (!is_running(child)).then_some(()));
    place.set("[limits]\nworkers = 1\nmax_decode_ms = 500");
    place.start();
    let status = place.wait_status("the loop reported", |status| status["inventory"]["failed"] == 1);
    let problem = problems_of(&status, "a_loop.png")[0]["what"].as_str().unwrap();
    assert!(problem.contains("longer than the 500 ms allowed"), "{problem}");
    place.wait_indexed(6);
}

fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Whoever ends only the child proves nothing either: the picture is no culprit, and it is tried once more.
#[test]
fn a_child_that_somebody_ends_condemns_nobody() {
    let mut place = with_a_trial_that_lasts();
    let child = child_of(&place).unwrap();
    assert!(Command::new("kill").args(["-KILL", &child.to_string()]).status().unwrap().success());
    assert_eq!(set_aside(&place), []);
    let again = place.wait("another trial", || child_of(&place).filter(|other| *other != child));
    assert!(place.log().contains("ended from outside"), "{}", place.log());
    assert_eq!(set_aside(&place), []);
    // A stop does not wait for a trial, and leaves none behind.
    place.stop();
    assert!(!is_running(again));
}

/// A picture whose decoder crashes takes the service with it once; in its trial, only the child.
#[test]
fn a_picture_that_crashes_its_decoder_is_named_with_what_happened() {
    let mut place = Workplace::with_settings("[limits]\nworkers = 2");
    place.stock(2);
    put(place.inventory("crash.png"), b"artificio test fault: abort\n1");
    place.launch();
    assert_eq!(place.wait_end().signal(), Some(SIGABRT), "{}", place.log());
    place.start();
    place.wait_indexed(6);
    let status = place.wait_status("the crash reported", |status| status["inventory"]["failed"] == 1);
    let problem = problems_of(&status, "crash.png")[0]["what"].as_str().unwrap();
    assert!(is_sentence(problem) && problem.contains("(aborted, signal 6)"), "{problem}");
    put(place.query("crash.png"), b"artificio test fault: abort\n1");
    assert_eq!(place.wait_record("crash")["status"], "error", "a copy of it is known, and ends nothing");
    put(place.query("other.png"), b"artificio test fault: abort\n2");
    assert_eq!(place.wait_end().signal(), Some(SIGABRT), "{}", place.log());
    place.start();
    let record = place.wait_record("other");
    assert!(record["message"].as_str().unwrap().contains("signal 6"), "{record:#}");
    let aborted = r#"{"signal":{"number":6}}"#.to_string();
    assert_eq!(set_aside(&place), [("crash.png".into(), aborted.clone()), ("other.png".into(), aborted)]);
}

/// A picture on which our own code panics costs a thread, which is replaced, and that picture; a query gets the reason.
#[test]
fn a_picture_that_makes_a_worker_panic_costs_that_picture_only() {
    let mut place = Workplace::with_settings("[limits]\nworkers = 1");
    place.stock(2);
    put(place.inventory("a_panic.png"), b"artificio test fault: panic\n1");
    put(place.query("panic.png"), b"artificio test fault: panic\n2");
    place.start();
    let status = place.wait_status("the panic reported", |status| status["inventory"]["failed"] == 1);
    let problem = problems_of(&status, "a_panic.png")[0]["what"].as_str().unwrap();
    assert!(is_sentence(problem) && problem.contains("artificio itself gave up on it"), "{problem}");
    let record = place.wait_record("panic");
    assert!(record["message"].as_str().unwrap().contains("artificio itself gave up on it"), "{record:#}");
    let status = place.wait_indexed(6);
    assert_eq!(
        (&status["state"], place.log().matches("ended unexpectedly").count()),
        (&"ready".into(), 2),
        "{}",
        place.log()
    );
    place.assert_alive(0);
    assert_eq!(set_aside(&place), []);
}

/// Where the system lets the service start no child, it says so once, decodes suspects like all others, and condemns nobody.
#[test]
fn without_child_processes_it_says_so_once_and_goes_on() {
    let mut place = Workplace::with_settings("[limits]\nworkers = 2");
    let program = place.root().join("artificio");
    fs::copy(env!("CARGO_BIN_EXE_artificio"), &program).unwrap();
    let by_copy = format!("shift; exec '{}' \"$@\"", program.display());
    let pictures = [0, 1].map(|number| (place.inventory(format!("{number}.png")), tiny(number)));
    for (number, (path, picture)) in pictures.iter().enumerate() {
        let mark = serde_json::json!({ "content": blake3::hash(picture).to_hex().to_string(), "path": path });
        put(place.state(&format!("under-way/worker-{number}")), format!("{mark}\n").as_bytes());
    }
    place.start_by(&["sh", "-c", &by_copy, "sh"]);
    // What cannot be executed cannot be started once more, whoever asks.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o644)).unwrap();
    pictures.iter().for_each(|(path, picture)| put(path, picture));
    place.wait_indexed(2);
    let status = place.status().unwrap();
    assert_eq!(set_aside(&place), []);
    place.assert_alive(0);
    let said = place.log().matches("cannot be tried in a process of its own").count();
    assert_eq!(said, 1, "{status:#}\n{}", place.log());
}

/// Whoever ends the process by force does so in the middle of some picture, which is not its fault.
#[test]
fn killed_again_and_again_while_it_reads_it_condemns_nobody() {
    const PICTURES: u64 = 200;
    let mut place = Workplace::new();
    let drawn = large();
    for number in 0..PICTURES {
        // The same pixels in another file: a comment behind JPEG's first marker.
        let comment = [&[0xFF, 0xFE, 0, 10], &number.to_be_bytes()[..]].concat();
        put(place.inventory(format!("{number}.jpg")), &[&drawn[..2], &comment, &drawn[2..]].concat());
    }
    let is_reading = |status: &Value| status["inventory"]["pending"].as_u64() > Some(0);
    for round in 0..5 {
        place.launch();
        place.wait_status("some work", |status| status["state"] == "ready" && is_reading(status));
        std::thread::sleep(Duration::from_millis(80 + 45 * round));
        assert!(place.status().is_some_and(|status| is_reading(&status)), "all was read: the test proves nothing");
        place.kill();
    }
    place.start();
    let status = place.wait_indexed(PICTURES);
    assert!(place.log().contains("to see whether it was the cause"), "none was under way: the test proves nothing");
    assert_eq!(status["problem_count"], 0, "{status:#}");
    let list: Value = serde_json::from_slice(&fs::read(place.state("quarantine.json")).unwrap()).unwrap();
    assert_eq!(list["contents"], serde_json::json!([]), "whoever was a suspect was decoded and is none");
}

/// A JPEG that takes longer to decode than to encode.
fn large() -> Vec<u8> {
    let small = image::load_from_memory(&jpeg(Food::Burger, 0)).unwrap();
    let mut bytes = Cursor::new(Vec::new());
    let large = small.resize_exact(2_400, 1_800, image::imageops::FilterType::Nearest);
    large.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

/// A picture that takes seconds to decode: lossless WebP is the slowest of the formats by the pixel.
fn slow() -> Vec<u8> {
    const SIDE: u32 = 12_000;
    let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 13;
        image::Rgb([noise as u8 & 15, (x / 7) as u8, (y / 5) as u8])
    });
    let mut bytes = Vec::new();
    let encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.encode(&picture, SIDE, SIDE, image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// A picture whose decoding takes too long is given up and said; whoever else waits is not kept waiting, and when more
/// time is allowed it is a picture like any other.
#[test]
fn a_picture_that_takes_too_long_to_decode_is_set_aside() {
    let mut place = Workplace::with_settings("[limits]\nworkers = 1\nmax_decode_ms = 300");
    let slow = slow();
    for number in 0..6 {
        put(place.inventory(format!("{number}.png")), &tiny(number));
    }
    put(place.inventory("5_slow.webp"), &slow);
    place.start();
    // The only worker is at it, or was: the others come after it.
    let status = place.wait_indexed(6);
    let problems = problems_of(&status, "5_slow.webp");
    let problem = problems.first().unwrap_or_else(|| place.fail("it was decoded in time: the test proves nothing"));
    let (what, remedy) = (problem["what"].as_str().unwrap(), problem["remedy"].as_str().unwrap());
    assert!(is_sentence(what) && what.contains("longer than the 300 ms allowed"), "{what}");
    assert!(remedy.contains("raise max_decode_ms"), "{remedy}");
    assert_eq!(status["state"], "ready", "the worker was replaced");
    put(place.query("slow.webp"), &slow);
    let record = place.wait_record("slow");
    assert!(record["status"] == "error" && record["message"].as_str().unwrap().contains("set aside"), "{record:#}");
    place.assert_alive(0);
    // A start later it is known, and nobody waits to find out.
    place.stop();
    place.start();
    let status = place.wait_indexed(6);
    assert_eq!(problems_of(&status, "5_slow.webp").len(), 1, "{status:#}");
    assert_eq!(place.log().matches("work goes on without it").count(), 1, "{}", place.log());

    place.set("[limits]\nworkers = 1");
    place.wait_indexed(7);
    place.wait_record_that("slow", |record| record["matches"][0]["relation"] == "identical");
    let list: Value = serde_json::from_slice(&fs::read(place.state("quarantine.json")).unwrap()).unwrap();
    assert_eq!(list["contents"], serde_json::json!([]));
}
