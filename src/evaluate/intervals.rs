//! How far figures may be off: 95 % confidence intervals by the bootstrap over queries (percentile method; Efron and Tibshirani, An
//! introduction to the bootstrap, 1993, chapter 13).

use artificio_random::Random;
use serde::Serialize;

use super::metrics::{FIGURES, Figures, Outcome};

/// Samples drawn.
const RESAMPLES: usize = 1_000;
/// Share of them below the interval, and above.
const TAIL: f64 = 0.025;

/// The bounds of each figure's interval; both equal the figure where there is one query, or none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Interval {
    /// The lower bounds.
    pub low: Figures,
    /// The upper bounds.
    pub high: Figures,
}

impl Interval {
    /// Of the means over these queries. The same seed gives the same interval.
    pub(super) fn of(outcomes: &[Outcome], seed: u64) -> Self {
        if outcomes.is_empty() {
            return Self::default();
        }
        let values: Vec<[f64; FIGURES]> = outcomes.iter().map(|outcome| outcome.figures().values()).collect();
        let mut random = Random::new(seed);
        let mut means: [Vec<f64>; FIGURES] = Default::default();
        for _ in 0..RESAMPLES {
            let mut sums = [0.0; FIGURES];
            for _ in 0..values.len() {
                let drawn = &values[random.count(0, values.len() - 1)];
                sums.iter_mut().zip(drawn).for_each(|(sum, value)| *sum += value);
            }
            means.iter_mut().zip(sums).for_each(|(means, sum)| means.push(sum / values.len() as f64));
        }
        means.iter_mut().for_each(|means| means.sort_unstable_by(f64::total_cmp));
        let at = |share: f64| means.each_ref().map(|means| means[(share * (RESAMPLES - 1) as f64).round() as usize]);
        Self { low: Figures::from_values(at(TAIL)), high: Figures::from_values(at(1.0 - TAIL)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Queries of which the first `right` find their one right answer first, and the others last of ten.
    fn outcomes(queries: usize, right: usize) -> Vec<Outcome> {
        (0..queries).map(|at| Outcome::of(&[if at < right { 0 } else { 9 }], 10)).collect()
    }

    #[test]
    fn the_interval_is_that_of_a_binomial_share() {
        // 60 of 100: the normal approximation gives .6 ± 1.96 √(.6 · .4 / 100) = .504 to .696.
        let Interval { low, high } = Interval::of(&outcomes(100, 60), 1);
        assert!((low.p_at_1 - 0.504).abs() < 0.02 && (high.p_at_1 - 0.696).abs() < 0.02, "{low:?} {high:?}");
        let narrow = Interval::of(&outcomes(1_600, 960), 1);
        let shrunk = (high.p_at_1 - low.p_at_1) / (narrow.high.p_at_1 - narrow.low.p_at_1);
        assert!((shrunk - 4.0).abs() < 0.8, "sixteen times the queries, a quarter of the width: {shrunk}");
    }

    #[test]
    fn what_never_varies_is_certain_and_the_seed_decides() {
        let Interval { low, high } = Interval::of(&outcomes(20, 20), 1);
        assert_eq!((low.map, high.map), (1.0, 1.0));
        assert_eq!(Interval::of(&outcomes(50, 20), 3), Interval::of(&outcomes(50, 20), 3));
        assert_ne!(Interval::of(&outcomes(50, 20), 3), Interval::of(&outcomes(50, 20), 4));
        assert_eq!(Interval::of(&[], 1), Interval::default());
    }
}
