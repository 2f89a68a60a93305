//! A collection of real files of every format and kind of damage, each with the expected result.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use artificio::config::Config;
use artificio::files::FileAt;
use artificio::picture::{Bounds, decode, read_still, silence_caught_panics, square};
use artificio_demo::Food;
use image::DynamicImage;

use super::corpus::corpus;
use super::pictures::jpeg;
use super::waiting::own_time;
use super::workplace::{Workplace, is_sentence, put};

/// Nobody waits longer for a picture.
const LONGEST_DECODING: Duration = Duration::from_secs(5);

/// A line of manifest.csv. `size` is that after orientation.
struct Animal {
    path: PathBuf,
    expect: String,
    size: Option<(u32, u32)>,
}

fn animals() -> Vec<Animal> {
    let Some(zoo) = corpus("zoo") else { return Vec::new() };
    let manifest = fs::read_to_string(zoo.join("manifest.csv")).unwrap();
    let mut lines = manifest.lines();
    assert!(
        lines.next().unwrap().starts_with("path,category,bytes,format,mode,raw_w,raw_h,exif_orientation,expect,w,h,")
    );
    // Only the note, the last part, is ever quoted.
    let animal = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        let size = parts[9].parse().ok().zip(parts[10].parse().ok());
        Animal { path: zoo.join(parts[0]), expect: parts[8].into(), size }
    };
    let animals: Vec<Animal> = lines.map(animal).collect();
    assert!(animals.len() > 120, "the zoo is nearly empty: {}", animals.len());
    animals
}

/// Asserts that the time limit is kept. The machine may stand still meanwhile, but not three times.
pub fn assert_decoded_in_time(path: &Path) {
    let took: Vec<Duration> = (0..3).map(|_| own_time(|| look_at(path)).1).collect();
    assert!(took.iter().min() < Some(&LONGEST_DECODING), "{}: took {took:?}", path.display());
}

fn look_at(path: &Path) -> Result<DynamicImage, String> {
    let bounds = Bounds::from(&Config::default().limits);
    let read = read_still(&FileAt::named(path), &bounds).and_then(|contents| decode(&contents.bytes, path, &bounds));
    read.map_err(|problem| format!("{problem}"))
}

#[test]
fn every_file_of_the_zoo_is_taken_for_what_it_is() {
    silence_caught_panics();
    let mut wrong = Vec::new();
    for Animal { path, expect, size } in animals() {
        let (looked, took) = own_time(|| look_at(&path));
        if took > LONGEST_DECODING {
            assert_decoded_in_time(&path);
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = looked.as_ref().map(|picture| (picture.width(), picture.height())).map_err(String::clone);
        let is_right = match (expect.as_str(), &looked) {
            ("decode" | "decode_orient_optional", Ok(_)) => found.as_ref().ok() == size.as_ref(),
            ("decode" | "decode_orient_optional", Err(_)) => false,
            ("refuse", Ok(_)) => false,
            ("refuse" | "refuse_or_partial" | "decode_optional" | "decode_or_refuse", Err(reason)) => {
                is_sentence(reason)
            }
            ("refuse_or_partial" | "decode_optional" | "decode_or_refuse", Ok(_)) => {
                size.is_none() || found.as_ref().ok() == size.as_ref()
            }
            (other, _) => panic!("{other} in the manifest is unknown"),
        };
        if !is_right {
            wrong.push(format!("{name}: {expect} {size:?}, but {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Mean difference of two pictures' values as the encoder sees them, 0 to 255.
fn difference(one: &DynamicImage, other: &DynamicImage) -> f64 {
    let (one, other) = (square(one, 224).unwrap(), square(other, 224).unwrap());
    let differences = one.rgb().iter().zip(other.rgb()).map(|(a, b)| f64::from(a.abs_diff(*b)));
    differences.sum::<f64>() / one.rgb().len() as f64
}

#[test]
fn a_scene_looks_the_same_however_the_camera_was_held() {
    let mut scenes: BTreeMap<(u32, u32), Vec<(PathBuf, DynamicImage)>> = BTreeMap::new();
    for Animal { path, .. } in animals() {
        if path.file_name().unwrap().to_str().unwrap().starts_with("orient_") {
            let picture = look_at(&path).unwrap();
            scenes.entry((picture.width(), picture.height())).or_default().push((path, picture));
        }
    }
    if scenes.is_empty() {
        return;
    }
    assert_eq!(scenes.values().map(Vec::len).collect::<Vec<_>>(), [5, 3], "portraits and landscapes");
    for scene in scenes.values() {
        let (_, first) = &scene[0];
        assert!(difference(first, &first.fliph()) > 20.0, "the measure sees that a picture is mirrored");
        for (path, picture) in scene {
            let difference = difference(first, picture);
            assert!(difference < 8.0, "{}: {difference:.1} from the first", path.display());
        }
    }
}

#[test]
fn bombs_are_refused_within_a_gibibyte() {
    let bombs = animals().into_iter().filter(|animal| animal.path.to_str().unwrap().contains("bad/bomb_"));
    let bombs: Vec<PathBuf> = bombs.map(|animal| animal.path).collect();
    if bombs.is_empty() {
        return;
    }
    assert_eq!(bombs.len(), 4);
    let mut workplace = Workplace::new();
    workplace.stock(1);
    workplace.start();
    put(workplace.query("calm.jpg"), &jpeg(Food::Pizza, 0));
    workplace.wait_record("calm");
    let calm = workplace.memory_kib("VmHWM");
    for bomb in &bombs {
        put(workplace.query(bomb.file_name().unwrap()), &fs::read(bomb).unwrap());
        workplace.wait_record(bomb.file_stem().unwrap().to_str().unwrap());
    }
    let most = workplace.memory_kib("VmHWM");
    assert!(most < 1 << 20, "{most} KiB, {calm} KiB before");
    workplace.assert_alive(0);
}
