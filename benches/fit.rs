//! Measures the time to fit the autoencoder to 10,000 feature rows: `cargo bench --bench fit`.

use std::time::Instant;

use artificio::base::rows::Rows;
use artificio::model::{Backbone, LinearAutoencoder};

fn main() {
    for count in [500, 2_000, 10_000] {
        let Some(features) = Rows::from_values(Backbone::WIDTH, made_up(count)) else { continue };
        let start = Instant::now();
        let Some(model) = LinearAutoencoder::fit(&features, 192) else { continue };
        let took_s = start.elapsed().as_secs_f64();
        let error = model.reconstruction_error(&features);
        println!("fit {count}x{} to {}: {took_s:.2} s, error {error:.4}", Backbone::WIDTH, model.embedding_width());
    }
}

/// Rows `[count, width]` that are never negative, with variances that fall slowly, as those of real features do.
fn made_up(count: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    let sources: Vec<f32> = (0..300 * Backbone::WIDTH).map(|_| next() - 0.5).collect();
    let mut rows = Vec::with_capacity(count * Backbone::WIDTH);
    for _ in 0..count {
        let mut row: Vec<f32> = (0..Backbone::WIDTH).map(|_| next() * 0.1 + 0.3).collect();
        for (rank, source) in sources.chunks_exact(Backbone::WIDTH).enumerate() {
            let weight = (next() - 0.5) / (1.0 + rank as f32).sqrt();
            row.iter_mut().zip(source).for_each(|(value, step)| *value += weight * step);
        }
        rows.extend(row.into_iter().map(|value| value.max(0.0)));
    }
    rows
}
