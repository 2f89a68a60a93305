//! Training pictures a second of the convolutional encoder, on one core: `cargo bench --bench convolutional`.
//!
//! A picture is counted once for each of its two views, as each goes through the whole network and back. Making the views
//! (cutting, mirroring, recolouring, Lab) is part of it.

use std::time::Instant;

use artificio::model::convolutional::{Convolutional, Effort, Pixels};
use artificio::progress::Unfollowed;
use artificio::rows::Rows;
use artificio_random::Random;

/// Views in a step.
const VIEWS: usize = 64;
const SHORT: usize = 5;
const LONG: usize = 45;

fn main() {
    let mut random = Random::new(7);
    let values = (0..48 * Pixels::WIDTH).map(|_| 255.0 * random.unit()).collect();
    let Some(pixels) = Rows::from_values(Pixels::WIDTH, values) else { return };
    let weights = vec![1.0; pixels.len()];
    let train = |steps: usize| {
        let (start, cpu) = (Instant::now(), cpu_s());
        let trained = Convolutional::train(&pixels, &weights, Effort { code_width: 192, steps, seed: 1 }, &Unfollowed);
        assert!(trained.is_ok(), "the pictures differ, so there is something to learn");
        (start.elapsed().as_secs_f64(), cpu_s() - cpu)
    };
    // What a training costs before its first step does not count.
    let (short, long) = (train(SHORT), train(LONG));
    let views = ((LONG - SHORT) * VIEWS) as f64;
    println!(
        "artificio: {:.0} training pictures a CPU second, {:.0} a second",
        views / (long.1 - short.1),
        views / (long.0 - short.0)
    );
}

/// CPU time of this thread, which does all the work.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|time| time.parse::<f64>().ok()).map_or(f64::NAN, |time| time / 1e9)
}
