//! Files that are no pictures, or no files: each gets a message that says what it is, and nothing else suffers.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use artificio_demo::Food;

use super::pictures::{jpeg, png, png_claiming};
use super::workplace::{Workplace, bytes_of, found, is_sentence, put};

/// Files that cannot be used, and a word of the message about each.
fn broken() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (jpeg, png) = (jpeg(Food::Pizza, 0), png(Food::Pizza, 0));
    vec![
        ("empty.jpg", Vec::new(), "empty"),
        ("cut.jpg", jpeg[..jpeg.len() / 2].to_vec(), "cut off"),
        ("cut_early.jpg", jpeg[..40].to_vec(), ""),
        ("cut.png", png[..png.len() / 2].to_vec(), "cut off"),
        ("text.jpg", b"Dear Sir or Madam, this is a letter.".to_vec(), "not a JPEG"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), "cut off"),
        ("film.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  ".to_vec(), "video"),
        ("new.avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif".to_vec(), "cut off"),
        ("paper.pdf", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj".to_vec(), "PDF"),
        ("drawing.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), "SVG"),
        ("claims.png", png_claiming(60_000), "60000 × 60000"),
        ("zero.png", png_claiming(0), ""),
    ]
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').unwrap().0
}

#[test]
fn every_bad_query_gets_an_error_answer_that_says_why_and_a_good_one_replaces_it() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    // Two of them share a stem: the later one answers under its full name.
    let broken: Vec<_> = broken().into_iter().filter(|(name, ..)| *name != "cut.png").collect();
    for (name, bytes, _) in &broken {
        put(workplace.query(name), bytes);
    }
    for (name, _, word) in &broken {
        let record = workplace.wait_record(stem(name));
        let message = record["message"].as_str().unwrap();
        assert_eq!(record["status"], "error", "{name}: {record:#}");
        assert!(is_sentence(message) && message.contains(word) && message.contains(name), "{name}: {message}");
        assert_eq!(record["matches"], serde_json::json!([]), "{name}");
        assert_eq!(image::open(workplace.sheet_path(stem(name))).unwrap().width(), 1600, "{name} has a sheet too");
    }
    let status = workplace.wait_status("all errors", |status| status["queries"]["failed"] == broken.len());
    assert_eq!(status["queries"]["answered"], 0);
    assert!(workplace.memory_kib("VmHWM") < 1 << 20, "{} KiB", workplace.memory_kib("VmHWM"));

    for name in ["empty.jpg", "text.jpg", "claims.png"] {
        put(workplace.query(name), &jpeg(Food::Burger, 2_000));
        let record = workplace.wait_record_that(stem(name), |record| record["status"] == "ok");
        assert!(found(&record)[0].starts_with("burger_"));
    }
    workplace.assert_alive(0);
}

#[test]
fn every_bad_inventory_picture_is_a_problem_with_a_remedy_and_can_be_replaced() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    let broken = broken();
    for (name, bytes, _) in &broken {
        put(workplace.inventory(name), bytes);
    }
    workplace.start();
    let failed = broken.len() as u64;
    let status = workplace.wait_status("all failed", |status| status["inventory"]["failed"] == failed);
    assert_eq!(status["inventory"]["indexed"], 3);
    let problems = status["problems"].as_array().unwrap();
    for (name, _, word) in &broken {
        let path = workplace.inventory(name);
        let problem = problems.iter().find(|problem| problem["path"] == path.to_str().unwrap()).expect(name);
        let what = problem["what"].as_str().unwrap();
        assert!(is_sentence(what) && what.contains(word), "{name}: {what}");
        assert!(is_sentence(problem["remedy"].as_str().unwrap()), "{name}: {problem:#}");
    }
    assert_eq!(status["state"], "ready", "a bad picture is a problem of its own, not the daemon's");

    put(workplace.inventory("text.jpg"), &jpeg(Food::Salad, 0));
    fs::remove_file(workplace.inventory("cut.png")).unwrap();
    workplace.wait_status("two fewer", |status| status["inventory"]["failed"] == failed - 2);
    workplace.wait_indexed(4);

    // What is known to be bad is not read again at the next start, and still reported.
    workplace.stop();
    workplace.start();
    let status = workplace.wait_indexed(4);
    assert_eq!(status["inventory"]["failed"], failed - 2);
}

#[test]
fn what_is_not_a_file_is_passed_over() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    put(workplace.root().join("outside.jpg"), &jpeg(Food::Egg, 0));
    for folder in [workplace.query(""), workplace.inventory("")] {
        let fifo = Command::new("mkfifo").arg(folder.join("fifo.jpg")).status();
        assert!(fifo.unwrap().success());
        symlink(folder.join("nowhere"), folder.join("dangling.jpg")).unwrap();
        symlink(workplace.root().join("outside.jpg"), folder.join("outward.jpg")).unwrap();
        symlink(&folder, folder.join("loop")).unwrap();
        drop(UnixListener::bind(folder.join("socket.jpg")).unwrap());
        fs::create_dir(folder.join("nothing in it.png")).unwrap();
        put(folder.join("Thumbs.db"), b"not asked");
        put(folder.join("half.jpg.part"), b"not asked");
        put(folder.join(".hidden.jpg"), b"not asked");
    }
    workplace.start();
    workplace.wait_indexed(3);
    workplace.assert_alive(0);
    let status = workplace.wait_indexed(3);
    assert_eq!((&status["inventory"]["failed"], &status["queries"]["failed"]), (&0.into(), &0.into()), "{status:#}");
    assert_eq!(workplace.answers(), ["result_still_there_0.json", "result_still_there_0.png"], "only the good query");
    for name in ["fifo.jpg", "dangling.jpg", "outward.jpg", "socket.jpg"] {
        let times = workplace.log().matches(&format!("query/{name}: passed over")).count();
        assert_eq!(times, 1, "{name} is logged once\n{}", workplace.log());
    }
    put(workplace.query("inside.jpg"), &jpeg(Food::Pizza, 2_000));
    symlink(workplace.query("inside.jpg"), workplace.query("link.jpg")).unwrap();
    assert_eq!(workplace.wait_record("link")["status"], "ok", "a link within the folder is a picture");
}

#[test]
fn odd_names_are_names() {
    let mut workplace = Workplace::new();
    workplace.stock(1);
    let names: [&[u8]; 6] = [
        &[&[b'n'; 251][..], b".jpg"].concat(),
        b"caf\xE9.jpg",
        b"two\nlines.jpg",
        b" spaces and 'quotes\" and \\ .jpg",
        "größe 大きさ 😀.jpg".as_bytes(),
        b"-rf.jpg",
    ];
    workplace.start();
    workplace.wait_indexed(3);
    for (seed, name) in names.iter().enumerate() {
        put(workplace.inventory(OsStr::from_bytes(name)), &jpeg(Food::Egg, seed as u64));
    }
    workplace.wait_indexed(9);
    for (seed, name) in names.iter().enumerate() {
        let path = workplace.query(OsStr::from_bytes(name));
        put(&path, &jpeg(Food::Egg, seed as u64));
        assert!(bytes_of(&path).ends_with(name));
    }
    let records = workplace.wait("six answers", || {
        let entries = fs::read_dir(workplace.root().join("answer")).unwrap().map(|entry| entry.unwrap().path());
        let records: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        (records.len() == 6).then_some(records)
    });
    for path in records {
        let record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(record["status"], "ok", "{}: {record:#}", path.display());
        let (asked, best) = (record["query"]["files"][0]["path"].as_str().unwrap(), &found(&record)[0]);
        assert_eq!(asked, best, "each finds its own copy");
        assert!(path.with_extension("png").exists());
    }
    // Whatever a file is called, a line of the log is a line of the log.
    let stray = workplace.log().lines().find(|line| line.starts_with("lines.jpg")).map(str::to_string);
    assert_eq!(stray, None, "a newline in a name breaks the log");
    workplace.stop();
    workplace.start();
    assert_eq!(workplace.wait_indexed(9)["queries"]["answered"], 6);
}

/// Eight pictures of 24 megapixels with transparency, that take some 200 MB each, and eight workers.
#[test]
fn all_workers_together_keep_to_one_budget_of_memory() {
    let settings = |megabytes: u32| format!("[limits]\nworkers = 8\nmax_memory_megabytes = {megabytes}");
    let mut workplace = Workplace::with_settings(&settings(300));
    workplace.start();
    let before_mib = workplace.memory_kib("VmHWM") >> 10;
    let png = |width: u32, height: u32| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let picture = image::RgbaImage::from_pixel(width, height, image::Rgba([90, 120, 30, 128]));
        picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    let large = png(6_000, 4_000);
    workplace.hold();
    for number in 0..8_u8 {
        // What follows the end of a PNG is no part of the picture, but makes another content.
        put(workplace.inventory(format!("{number}.png")), &[large.as_slice(), &[number]].concat());
    }
    workplace.go_on();
    workplace.wait_indexed(8);
    let memory_mib = workplace.memory_kib("VmHWM") >> 10;
    eprintln!("8 pictures of 24 megapixels by 8 workers: {memory_mib} MiB at most, {before_mib} MiB before");
    assert!(memory_mib < before_mib + 300 + 100, "{memory_mib} MiB, {before_mib} MiB before");

    put(workplace.query("huge.png"), &png(8_000, 5_000));
    let record = workplace.wait_record("huge");
    assert_eq!(record["status"], "error", "{record:#}");
    let message = record["message"].as_str().unwrap();
    assert!(
        message.contains("more than the 300 MB allowed") && message.contains("raise max_memory_megabytes"),
        "{message}"
    );
    workplace.set(&settings(400));
    workplace.wait_record_that("huge", |record| record["status"] != "error");
}
