//! Measures the CPU time of one picture through the backbone, on one core.
//!
//! `cargo bench --bench encode`: the median over several runs, for batches of 1 and 8 pictures of the side that the network
//! was published with, which is comparable with other programs, and for one of the side that is used.
//!
//! `cargo bench --bench encode -- FILE...`: instead, what the service does with each file, on one thread and nothing beside it:
//! reading and decoding it, and the network; the mean of all files, for `benches/throughput.py`. Then what decoding all pixels takes, and
//! how far the features of the two lie apart.

use std::path::Path;
use std::time::Instant;

use artificio::config::{Config, Encoder};
use artificio::files::FileAt;
use artificio::isolation::Outputs;
use artificio::model::{Backbone, Extractor};
use artificio::picture::{Bounds, Square, read_still};
use artificio::quarantine::Guard;

const RUNS: usize = 9;

/// Enough that the clock's steps of a few milliseconds do not matter.
const PICTURES_A_RUN: usize = 40;

fn main() {
    // Cargo adds "--bench".
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if !files.is_empty() {
        return measure_files(&files);
    }
    let backbone = match Backbone::load() {
        Ok(backbone) => backbone,
        Err(trouble) => return eprintln!("{trouble}"),
    };
    for (side, batch) in [(Backbone::PUBLISHED_SIDE, 1), (Backbone::PUBLISHED_SIDE, 8), (Backbone::SIDE, 1)] {
        let pictures: Vec<Square> = (0..PICTURES_A_RUN).filter_map(|seed| picture(side, seed)).collect();
        let mut times_ms: Vec<f64> = (0..=RUNS).map(|_| run_ms(&backbone, &pictures, batch)).skip(1).collect();
        times_ms.sort_by(f64::total_cmp);
        let name = if side == Backbone::PUBLISHED_SIDE { "artificio".into() } else { format!("artificio-at-{side}") };
        println!("{name} threads=1 batch={batch}: {:.2} CPU ms/image", times_ms[RUNS / 2]);
    }
}

/// The first file is done once before: what is read only once belongs to none.
fn measure_files(files: &[String]) {
    let extractor = match Extractor::load(Encoder::Pretrained) {
        Ok(extractor) => extractor,
        Err(trouble) => return eprintln!("{trouble}"),
    };
    let bounds = Bounds::from(&Config::default().limits);
    let run = |outputs: Outputs, files: &[String]| {
        let (start, start_ms) = (Instant::now(), cpu_ms());
        for file in files.iter().map(Path::new) {
            let done = read_still(&FileAt::named(file), &bounds)
                .and_then(|contents| Guard::none().extract(&contents, file, &bounds, outputs, &extractor));
            if done.is_err() {
                eprintln!("{}: cannot be used", file.display());
            }
        }
        [cpu_ms() - start_ms, start.elapsed().as_secs_f64() * 1e3].map(|ms| ms / files.len() as f64)
    };
    let decoded = Outputs { square: true, features: false, longest_px: None, crop: None };
    let whole = Outputs { longest_px: Outputs::FULL_SIZE, ..decoded };
    let encoded = Outputs { features: true, ..decoded };
    run(encoded, &files[..1]);
    let ([decode, _], [all, wall]) = (run(decoded, files), run(encoded, files));
    let ([decode_whole, _], network) = (run(whole, files), all - decode);
    println!(
        "files threads=1: {decode:.2} CPU ms decoding, {network:.2} CPU ms network, {all:.2} CPU ms/file, {wall:.2} ms/file"
    );
    let features = |file: &str, outputs: Outputs| {
        let outputs = Outputs { features: true, ..outputs };
        let contents = read_still(&FileAt::named(Path::new(file)), &bounds).ok()?;
        Guard::none().extract(&contents, Path::new(file), &bounds, outputs, &extractor).ok()?.features
    };
    let apart = |file: &String| Some(relative(&features(file, whole)?, &features(file, decoded)?));
    let mut apart: Vec<f32> = files.iter().filter_map(apart).collect();
    apart.sort_by(f32::total_cmp);
    let (median, most) = (apart.get(apart.len() / 2).unwrap_or(&f32::NAN), apart.last().unwrap_or(&f32::NAN));
    println!(
        "whole: {decode_whole:.2} CPU ms decoding; features differ by {median:.4} of their length (median), {most:.4} (most)"
    );
}

/// The length of the difference, as a share of the first one's.
fn relative(one: &[f32], other: &[f32]) -> f32 {
    let length = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
    length(&mut one.iter().zip(other).map(|(one, other)| one - other)) / length(&mut one.iter().copied())
}

/// A made-up picture, different for every `seed`.
fn picture(side: usize, seed: usize) -> Option<Square> {
    Square::from_rgb(side, (0..side * side * 3).map(|at| (at * (seed + 3) / 97 + at % 31 * seed) as u8).collect())
}

/// Milliseconds a picture.
fn run_ms(backbone: &Backbone, pictures: &[Square], batch: usize) -> f64 {
    let start = cpu_ms();
    for chunk in pictures.chunks(batch) {
        std::hint::black_box(backbone.features(chunk));
    }
    (cpu_ms() - start) / pictures.len() as f64
}

/// CPU time of this thread where the kernel provides it, otherwise wall time.
fn cpu_ms() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let wall = START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3;
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(wall, |nanoseconds| nanoseconds / 1e6)
}
