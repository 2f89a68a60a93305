//! Relevance feedback: moves a query's embeddings towards those of the pictures in its `yes/` folder and away from those in its
//! `not/` folder.

use crate::base::rows::{Rows, to_unit_length};
use crate::config::Metric;

/// How much the examples count, the query itself being 1.
#[derive(Debug, Clone, Copy)]
pub struct FeedbackWeights {
    /// The mean of the positive examples.
    pub positive: f32,
    /// The mean of the negative examples; less than 1.
    pub negative: f32,
}

/// Measured: see `docs/decisions/feedback.md`.
pub const WEIGHTS: FeedbackWeights = FeedbackWeights { positive: 0.75, negative: 0.2 };

/// Embeddings `[m, width]` moved towards the mean of `positive`, `[p, width]`, and away from that of `negative`, `[n, width]`:
/// Rocchio, "Relevance Feedback in Information Retrieval", 1971. With cosine, directions are moved; the weights are scaled to add
/// up to 1, so that with Euclidean distance examples do not change how far from the origin a query is.
pub fn moved(embeddings: &Rows, positive: &Rows, negative: &Rows, weights: FeedbackWeights, metric: Metric) -> Rows {
    let prepared = |row: &[f32]| {
        let mut row = row.to_vec();
        if metric == Metric::Cosine {
            to_unit_length(&mut row);
        }
        row
    };
    let (mut shift, mut sum) = (vec![0.0; embeddings.width()], 1.0);
    for (examples, weight) in [(positive, weights.positive), (negative, -weights.negative)] {
        if !examples.is_empty() {
            sum += weight;
        }
        for row in examples.iter().map(prepared) {
            shift.iter_mut().zip(row).for_each(|(shift, value)| *shift += weight * value / examples.len() as f32);
        }
    }
    let mut moved = Rows::empty(embeddings.width());
    for row in embeddings.iter().map(prepared) {
        let row: Vec<f32> = row.iter().zip(&shift).map(|(value, shift)| (value + shift) / sum).collect();
        moved.push(&row);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALVES: FeedbackWeights = FeedbackWeights { positive: 0.5, negative: 0.5 };

    fn rows(values: &[f32]) -> Rows {
        Rows::from_values(2, values.to_vec()).unwrap()
    }

    #[test]
    fn a_query_moves_away_from_negative_examples() {
        let (query, unlike) = (rows(&[3.0, 3.0]), rows(&[5.0, 0.0, 3.0, 0.0]));
        let by_direction = moved(&query, &rows(&[]), &unlike, HALVES, Metric::Cosine);
        assert!(by_direction.row(0)[0] < by_direction.row(0)[1] * 0.8, "{by_direction:?}");
        assert_eq!(moved(&query, &rows(&[]), &unlike, HALVES, Metric::Euclidean).row(0), [2.0, 6.0]);
    }

    #[test]
    fn a_query_moves_towards_positive_examples() {
        let (query, like) = (rows(&[0.0, 3.0]), rows(&[6.0, 3.0, 12.0, 3.0]));
        assert_eq!(moved(&query, &like, &rows(&[]), HALVES, Metric::Euclidean).row(0), [3.0, 3.0]);
        let both = moved(&query, &like, &rows(&[0.0, 2.0]), HALVES, Metric::Euclidean);
        assert_eq!(both.row(0), [4.5, 3.5]);
        let by_direction = moved(&query, &rows(&[9.0, 0.0]), &rows(&[]), HALVES, Metric::Cosine);
        assert!((by_direction.row(0)[0] / by_direction.row(0)[1] - 0.5).abs() < 1e-6, "only directions count");
    }

    #[test]
    fn without_examples_a_query_stays_where_it_is() {
        let query = rows(&[3.0, 4.0]);
        assert_eq!(moved(&query, &rows(&[]), &rows(&[]), WEIGHTS, Metric::Euclidean).values(), query.values());
    }
}
