//! How far a mean may be off: the bootstrap, percentile method (Efron and Tibshirani, An introduction to the bootstrap, 1993,
//! chapter 13). Of differences between pairs it is a paired comparison.

use artificio_random::Random;
use serde::{Deserialize, Serialize};

/// Resamples drawn.
const RESAMPLES: usize = 1_000;

/// A mean, and what it exceeds and stays below with a confidence of 95 %. The names in JSON are kept in catalogs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean of the values.
    pub mean: f32,
    /// The lower bound.
    pub low: f32,
    /// The upper bound.
    pub high: f32,
}

impl Estimate {
    /// Of the mean of `values`; all zero without any. The same values give the same estimate.
    pub fn of(values: &[f32]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let mut random = Random::new(0);
        let mean = |sum: f32| sum / values.len() as f32;
        let mut resample = |_| mean((0..values.len()).map(|_| values[random.count(0, values.len() - 1)]).sum());
        let mut means: Vec<f32> = (0..RESAMPLES).map(&mut resample).collect();
        means.sort_by(f32::total_cmp);
        Self {
            mean: mean(values.iter().sum()),
            low: means[RESAMPLES / 40],
            high: means[RESAMPLES - 1 - RESAMPLES / 40],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_covers_its_mean() {
        let values: Vec<f32> = (0..200).map(|at| (at % 10) as f32).collect();
        let Estimate { mean, low, high } = Estimate::of(&values);
        // The normal approximation gives 4.5 ± 1.96 · 2.87 / √200.
        assert!((mean - 4.5).abs() < 1e-5 && (low - 4.1).abs() < 0.1 && (high - 4.9).abs() < 0.1, "{low} {high}");
        assert_eq!(Estimate::of(&[]).mean, 0.0);
        assert!(Estimate::of(&[1.0, f32::NAN]).mean.is_nan());
    }
}
