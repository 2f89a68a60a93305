//! CPU time of one picture through the trunk on one core.
//!
//! `cargo bench --bench encode`: the median over several runs, for batches of 1 and 8 pictures.

use std::time::Instant;

use artificio::model::Trunk;
use artificio::picture::{SQUARE_SIDE, Square};

const RUNS: usize = 9;

/// Enough that the clock's steps of a few milliseconds do not matter.
const PICTURES_A_RUN: usize = 40;

fn main() {
    let trunk = match Trunk::load() {
        Ok(trunk) => trunk,
        Err(trouble) => return eprintln!("{trouble}"),
    };
    let pictures: Vec<Square> = (0..PICTURES_A_RUN).filter_map(picture).collect();
    for batch in [1, 8] {
        let mut times_ms: Vec<f64> = (0..=RUNS).map(|_| run_ms(&trunk, &pictures, batch)).skip(1).collect();
        times_ms.sort_by(f64::total_cmp);
        println!("artificio threads=1 batch={batch}: {:.2} CPU ms/image", times_ms[RUNS / 2]);
    }
}

/// Some picture, another for every `seed`.
fn picture(seed: usize) -> Option<Square> {
    Square::from_rgb(
        (0..SQUARE_SIDE * SQUARE_SIDE * 3).map(|at| (at * (seed + 3) / 97 + at % 31 * seed) as u8).collect(),
    )
}

/// Milliseconds a picture.
fn run_ms(trunk: &Trunk, pictures: &[Square], batch: usize) -> f64 {
    let start = cpu_ms();
    for chunk in pictures.chunks(batch) {
        std::hint::black_box(trunk.features(chunk));
    }
    (cpu_ms() - start) / pictures.len() as f64
}

/// CPU time of this thread where the kernel tells it, else wall time.
fn cpu_ms() -> f64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let wall = START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3;
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(wall, |nanoseconds| nanoseconds / 1e6)
}
