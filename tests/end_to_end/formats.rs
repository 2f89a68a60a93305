//! The formats that people have: a collection of real files of each, with what must become of them, and one of each through the
//! daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use artificio::config::Config;
use artificio::isolation::Isolation;
use artificio::picture::{Bounds, Resolution, Unusable, open, silence_caught_panics};
use image::{DynamicImage, GenericImageView, Rgba};
use serde_json::Value;

use super::corpus::corpus;
use super::waiting::own_time;
use super::workplace::{Workplace, is_sentence, put};
use super::zoo::assert_decoded_in_time;

/// Nobody waits longer for a picture.
const LONGEST_DECODING: Duration = Duration::from_secs(5);

/// A line of manifest.csv: what must become of a file, and for a drawing the colours of its corners.
struct Specimen {
    name: String,
    must: String,
    corners: String,
}

fn specimens(folder: &Path) -> Vec<Specimen> {
    let manifest = fs::read_to_string(folder.join("manifest.csv")).unwrap();
    let mut lines = manifest.lines();
    assert!(lines.next().unwrap().starts_with("file,must,source,licence,note,\"corners"));
    let specimen = |line: &str| {
        let mut parts = line.split(',');
        let (name, must) = (parts.next().unwrap().into(), parts.next().unwrap().into());
        // Only notes are quoted.
        Specimen { name, must, corners: line.rsplit(',').next().unwrap().into() }
    };
    let specimens: Vec<Specimen> = lines.map(specimen).collect();
    assert!(specimens.len() >= 129, "the collection is nearly empty: {}", specimens.len());
    specimens
}

fn corners(picture: &DynamicImage) -> String {
    let (width, height) = (picture.width(), picture.height());
    let colour = |(x, y)| match picture.get_pixel(x, y).0.map(|value| value > 128) {
        [true, false, false, _] => "red",
        [false, true, false, _] => "green",
        [false, false, true, _] => "blue",
        [true, true, false, _] => "yellow",
        _ => "another",
    };
    let (left, right, top, bottom) = (width / 8, width * 7 / 8, height / 8, height * 7 / 8);
    [(left, top), (right, top), (left, bottom), (right, bottom)].map(colour).join(" ")
}

/// What is wrong with what became of a file.
fn mistake(specimen: &Specimen, result: &Result<DynamicImage, Unusable>) -> Option<String> {
    let Specimen { must, corners: expected, .. } = specimen;
    match (must.as_str(), result) {
        ("refuse" | "either", Err(problem)) if is_sentence(&problem.to_string()) => None,
        ("either", Ok(_)) => None,
        ("refuse", Ok(picture)) => Some(format!("decoded, {} × {}", picture.width(), picture.height())),
        (_, Err(problem)) => Some(problem.to_string()),
        (must, Ok(picture)) => {
            let size = format!("decode {}x{}", picture.width(), picture.height());
            let seen = corners(picture);
            if must != size {
                Some(size)
            } else if !expected.is_empty() && *expected != seen {
                Some(format!("{seen} in the corners instead of {expected}"))
            } else {
                None
            }
        }
    }
}

#[cfg(all(feature = "avif", feature = "heic"))]
#[test]
fn every_file_of_the_formats_people_have_is_what_it_is() {
    let Some(folder) = corpus("formats") else { return };
    silence_caught_panics();
    let bounds = Bounds::from(&Config::default().limits);
    // Those of which the decoder is not memory-safe are decoded in a process of their own.
    let isolation = Isolation::of(env!("CARGO_BIN_EXE_artificio").into());
    let (mut wrong, mut most_reserved) = (Vec::new(), 0);
    for specimen in specimens(&folder) {
        let path: PathBuf = folder.join(&specimen.name);
        let bytes = fs::read(&path).unwrap();
        let reserved = open(&bytes, &path, &bounds).map_or(0, |picture| picture.memory_bytes());
        most_reserved = most_reserved.max(reserved);
        let (result, took) = own_time(|| {
            isolation.decode_where_it_belongs(&bytes, &path, &bounds, Resolution::WHOLE).map(|(picture, _)| picture)
        });
        if took > LONGEST_DECODING {
            assert_decoded_in_time(&path);
        }
        wrong.extend(
            mistake(&specimen, &result).map(|seen| format!("{}: {}, but {seen}", specimen.name, specimen.must)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(most_reserved < 1 << 30, "{} MiB for one of them", most_reserved >> 20);
}

/// A small AVIF with a fault of its decoder, which debug builds know, behind its end.
#[cfg(feature = "avif")]
fn deadly(fault: &str) -> Vec<u8> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/picture");
    [fs::read(seeds.join("alpha.avif")).unwrap(), format!("artificio test fault: {fault}\n").into_bytes()].concat()
}

#[cfg(feature = "avif")]
#[test]
fn a_decoder_that_dies_of_a_picture_dies_alone() {
    let isolation = Isolation::of(env!("CARGO_BIN_EXE_artificio").into());
    let bounds = Bounds { decode_ms: 300, ..Bounds::from(&Config::default().limits) };
    let cases = [
        ("abort", "its decoder crashed on it (signal 6)"),
        ("allocate", "it needs more memory than a picture of its size should"),
        ("loop", "its decoder did not end within 300 ms"),
    ];
    for (fault, expected) in cases {
        let refused =
            isolation.decode_where_it_belongs(&deadly(fault), Path::new("a.avif"), &bounds, Resolution::WHOLE).err();
        assert_eq!(refused, Some(Unusable::Damaged(expected.into())), "{fault}");
    }
    isolation.close();
    let refused =
        isolation.decode_where_it_belongs(&deadly("abort"), Path::new("a.avif"), &bounds, Resolution::WHOLE).err();
    assert_eq!(refused, Some(Unusable::AwaitsTrial), "the service ends");
}

/// The fuzzer's seeds of the formats that the tests cannot write.
#[test]
fn one_of_each_format_is_found_and_asked_for() {
    let mut names = vec![
        "lossy.jxl",
        "lossless.jp2",
        "sony.arw",
        "canon.cr3",
        "canon.crw",
        "fuji.raf",
        "ycbcr.tiff",
        "colour.ppm",
        "png.ico",
    ];
    if cfg!(feature = "heic") {
        names.push("hevc.heic");
    }
    if cfg!(feature = "avif") {
        names.push("alpha.avif");
    }
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/picture");
    // Most of them show the same picture.
    let mut workplace = Workplace::with_settings("min_train = 100000\n[answer]\nresults = 20");
    workplace.stock(1);
    for name in &names {
        put(workplace.inventory(name), &fs::read(seeds.join(name)).unwrap());
    }
    let failed = usize::from(cfg!(feature = "avif"));
    #[cfg(feature = "avif")]
    put(workplace.inventory("deadly.avif"), &deadly("abort"));
    workplace.start();
    let status = workplace.wait_indexed(3 + names.len() as u64);
    assert_eq!(status["inventory"]["failed"], failed, "{status:#}");
    for (number, name) in names.iter().enumerate() {
        // Of another name: what it is, its content says.
        put(workplace.query(format!("asked_{number}.jpg")), &fs::read(seeds.join(name)).unwrap());
    }
    for (number, name) in names.iter().enumerate() {
        let asked = format!("asked_{number}");
        let record = workplace.wait_record(&asked);
        assert_eq!(record["status"], "ok", "{name}: {record:#}");
        let is_itself = |found: &Value| found["path"] == **name && found["relation"] == "identical";
        assert!(record["matches"].as_array().unwrap().iter().any(is_itself), "{name}: {record:#}");
        let sheet = image::open(workplace.sheet_path(&asked)).unwrap();
        let is_coloured = |Rgba([red, green, blue, _]): Rgba<u8>| red > 150 && green < 90 && blue < 90;
        let red = sheet.pixels().filter(|(_, _, pixel)| is_coloured(*pixel)).count();
        assert!(red > 300, "{name}: the sheet shows it: {red} red pixels");
    }
    workplace.assert_alive(0);
}

/// Files below `db/state/thumbnails`.
#[cfg(feature = "avif")]
fn thumbnails(place: &Workplace) -> Vec<PathBuf> {
    let folders = fs::read_dir(place.state("thumbnails")).unwrap().map(|entry| entry.unwrap().path());
    folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect()
}

#[cfg(feature = "avif")]
#[test]
fn of_what_takes_long_to_decode_a_small_copy_is_kept_and_made_again() {
    let large = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/large.avif")).unwrap();
    let mut place = Workplace::new();
    place.stock(1);
    put(place.inventory("large.avif"), &large);
    place.start();
    place.wait_indexed(4);
    let copies = thumbnails(&place);
    let [copy] = &copies[..] else { panic!("of JPEGs none is kept: {copies:?}") };
    let whole = fs::read(copy).unwrap();
    assert!((1_000..40_000).contains(&whole.len()), "{} bytes", whole.len());
    fs::write(copy, &whole[..whole.len() / 2]).unwrap();
    put(place.query("one.avif"), &[&large[..], b"\0\0\0\x08free"].concat());
    let record = place.wait_record("one");
    assert_eq!(record["matches"][0]["path"], "large.avif", "{record:#}");
    assert!(fs::read(copy).unwrap().len() > whole.len() / 2, "the sheet has made it again");
    // The sheet shows it: its upper left corner is red.
    let sheet = image::open(place.sheet_path("one")).unwrap().to_rgb8();
    let red = sheet.pixels().filter(|pixel| pixel.0[0] > 180 && pixel.0[1] < 70 && pixel.0[2] < 70).count();
    assert!(red > 20_000, "{red} red pixels");
    fs::remove_dir_all(place.state("thumbnails")).unwrap();
    put(place.query("two.avif"), &[&large[..], b"\0\0\0\x09free\0"].concat());
    assert_eq!(place.wait_record("two")["status"], "ok", "nothing needs them");
}
