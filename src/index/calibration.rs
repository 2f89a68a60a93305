//! What a similarity means: the share of random inventory pairs that are less similar.

use super::averaging::{all_pairs, prepared};
use super::sample::SampledPicture;
use super::segment::place;
use super::snapshot::Snapshot;
use crate::base::rows::Rows;
use crate::config::Metric;

/// Similarities of random inventory pairs, sorted.
#[derive(Debug, Clone, Default)]
pub struct Calibration {
    sorted: Vec<f32>,
}

impl Calibration {
    /// Measures every pair of a `sample` of the pictures in `snapshot`, by their embeddings as they are: in a large inventory the
    /// pictures of a sample have hardly any neighbours in it to be averaged with, as the results of a search have.
    pub fn measure(snapshot: &Snapshot, sample: &[SampledPicture], metric: Metric) -> Self {
        let mut rows = Rows::empty(snapshot.width());
        for member in sample {
            let (segment, row) = place(member.position);
            rows.push(&prepared(snapshot.segments()[segment].embedding(row), metric));
        }
        let mut sorted = all_pairs(&rows, metric);
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
    use crate::index::{Index, SampleNeighbours};

    /// Averaging moves pictures on an even circle to their own place.
    fn circle(count: usize) -> Index {
        let at = |at: usize| at as f32 / count as f32 * std::f32::consts::TAU;
        Index::filled(2, (0..count).map(|number| (format!("{number}"), [at(number).cos(), at(number).sin()])))
    }

    fn calibration(index: &Index) -> Calibration {
        let (snapshot, mut neighbours) = (index.snapshot(), SampleNeighbours::default());
        neighbours.follow(&snapshot);
        Calibration::measure(&snapshot, neighbours.sample(), Metric::Cosine)
    }

    #[test]
    fn a_small_inventory_is_measured_whole() {
        let calibration = calibration(&circle(4));
        // 4 neighbours at cosine 0, 2 opposites at cosine -1.
        assert_eq!(calibration.closer_than(0.5), 1.0);
        assert!((calibration.closer_than(-0.5) - 2.0 / 6.0).abs() < 1e-6);
        assert_eq!(calibration.closer_than(-1.5), 0.0);
    }

    #[test]
    fn a_large_inventory_is_sampled_evenly_and_the_same_in_every_order() {
        let index = circle(5_000);
        let found = calibration(&index);
        // On a circle the angle between two random points is even: half of the pairs are less similar than cosine 0.
        assert!((found.closer_than(0.0) - 0.5).abs() < 0.02);
        let mut other = Index::empty(2);
        for number in (0..5_000).rev() {
            let path = format!("{number}");
            other.put(Path::new(&path), &index.embedding(Path::new(&path)).unwrap());
        }
        assert!((found.closer_than(0.3) - calibration(&other).closer_than(0.3)).abs() < 1e-3);
    }

    #[test]
    fn without_pairs_everything_is_closest() {
        assert_eq!(calibration(&circle(1)).closer_than(0.0), 1.0);
        assert_eq!(calibration(&Index::empty(2)).closer_than(0.0), 1.0);
    }
}
