//! Pictures that end the whole process, or never end being decoded: found out, set aside, said. Numbers in brackets: the
//! promises.

use std::fs;
use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
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

/// [23] The picture is tried twice, the second time alone; then it and its copies are set aside and all else is served.
#[test]
fn an_inventory_picture_that_ends_the_process_twice_is_set_aside() {
    let mut place = Workplace::with_settings("[limits]\nworkers = 2");
    place.stock(2);
    let killer = deadly();
    put(place.inventory("killer.png"), &killer);
    put(place.inventory("copy/killer.png"), &killer);
    dies(&mut place);
    dies(&mut place);
    short_of_memory(&mut place);
    place.wait_indexed(6);
    let status = place.wait_status("both copies reported", |status| status["inventory"]["failed"] == 2);
    let problems = problems_of(&status, "killer.png");
    assert_eq!(problems.len(), 2, "{status:#}");
    for problem in problems {
        let (what, remedy) = (problem["what"].as_str().unwrap(), problem["remedy"].as_str().unwrap());
        assert!(is_sentence(what) && what.contains("ended the whole program 2 times"), "{what}");
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
    // Without the list it is tried once more, and with enough memory it is a picture like any other.
    place.stop();
    fs::remove_file(place.state("quarantine.json")).unwrap();
    place.start();
    assert_eq!(place.wait_indexed(8)["inventory"]["failed"], 0);
}

/// [23] A query likewise: its answer says why, and others are answered.
#[test]
fn a_query_that_ends_the_process_twice_gets_an_error_answer() {
    let mut place = Workplace::with_settings("[limits]\nworkers = 2");
    place.stock(2);
    short_of_memory(&mut place);
    place.wait_indexed(6);
    put(place.query("killer.png"), &deadly());
    assert_eq!(place.wait_end().signal(), Some(SIGABRT), "{}", place.log());
    put(place.query("good.jpg"), &jpeg(Food::Pizza, 2_000));
    dies(&mut place);
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
}

/// [23] Whoever ends the process by force does so in the middle of some picture, which is not its fault.
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

/// [28] A picture whose decoding takes too long is given up and said; whoever else waits is not kept waiting, and when more
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
