//! What a similarity means: the share of random inventory pairs that are less similar.

use artificio_random::Random;

use super::Index;

/// Pairs looked at: with so many a share is known within ±0.7 % (two standard errors), and the tail to 1 in 20,000.
const SAMPLED_PAIRS: usize = 20_000;

/// Similarities of random inventory pairs, sorted.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    sorted: Vec<f32>,
}

impl Calibration {
    /// Measures an index: every pair of a small one, a sample of a large one; always the same for the same index.
    pub fn measure(index: &Index) -> Self {
        let count = index.len();
        let all_pairs = count * count.saturating_sub(1) / 2;
        let mut sorted: Vec<f32> = if all_pairs <= SAMPLED_PAIRS {
            let pairs = (0..count).flat_map(|a| (0..a).map(move |b| (a, b)));
            pairs.map(|(a, b)| index.similarity_between(a, b)).collect()
        } else {
            let mut random = Random::new(0);
            let mut below = |limit: usize| random.count(0, limit - 1);
            let pairs = std::iter::repeat_with(|| (below(count), below(count - 1)));
            // The second is drawn from the others: skip over the first.
            let others = pairs.map(|(a, b)| (a, if b >= a { b + 1 } else { b }));
            others.take(SAMPLED_PAIRS).map(|(a, b)| index.similarity_between(a, b)).collect()
        };
        sorted.sort_unstable_by(f32::total_cmp);
        Self { sorted }
    }

    /// The share of pairs less similar than `similarity`, 0 to 1; 1 where there are no pairs to compare with.
    pub fn closer_than(&self, similarity: f32) -> f32 {
        if self.sorted.is_empty() {
            return 1.0;
        }
        self.sorted.partition_point(|&other| other < similarity) as f32 / self.sorted.len() as f32
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Metric;

    fn circle(count: usize) -> Index {
        let mut index = Index::empty(2, Metric::Cosine);
        for at in 0..count {
            let angle = at as f32 / count as f32 * std::f32::consts::TAU;
            index.put(Path::new(&format!("{at}")), &[angle.cos(), angle.sin()]);
        }
        index
    }

    #[test]
    fn a_small_inventory_is_measured_whole() {
        let calibration = Calibration::measure(&circle(4));
        // 4 neighbours at cosine 0, 2 opposites at cosine -1.
        assert_eq!(calibration.closer_than(0.5), 1.0);
        assert!((calibration.closer_than(-0.5) - 2.0 / 6.0).abs() < 1e-6);
        assert_eq!(calibration.closer_than(-1.5), 0.0);
    }

    #[test]
    fn a_large_inventory_is_sampled_evenly_and_the_same_every_time() {
        let index = circle(1000);
        let calibration = Calibration::measure(&index);
        // On a circle the angle between two random points is even: half of the pairs are less similar than cosine 0.
        assert!((calibration.closer_than(0.0) - 0.5).abs() < 0.02);
        assert_eq!(calibration.closer_than(0.3), Calibration::measure(&index).closer_than(0.3));
    }

    #[test]
    fn without_pairs_everything_is_closest() {
        assert_eq!(Calibration::measure(&circle(1)).closer_than(0.0), 1.0);
    }
}
