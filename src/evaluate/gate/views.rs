//! How well a model finds pictures by changed views of them, picture by picture, so that two models can be compared in pairs.

use crate::base::rows::Rows;
use crate::config::{Metric, SetMode};
use crate::index::{PlainComparison, SearchMode};

/// How a picture was found by its views: means over these.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ViewOutcome {
    /// By how much it is more similar to its view than the most similar of the others, 1 being the distance between a picture and
    /// the mean of the others: 1 where all others are the same, 0 where another one is nearer, however much: a miss is a miss.
    ///
    /// Unlike the separation it does not depend on how many dimensions embeddings have, or on how much of their variance lies
    /// between kinds, so that narrow models and models that folders taught can be compared with others.
    pub margin: f32,
    /// 1 / its rank among all.
    pub reciprocal_rank: f32,
    /// How many standard deviations it is more similar than the others are (a z-score).
    pub separation: f32,
}

/// Embeddings that are searched by views of some of them.
pub struct SearchedViews<'a> {
    /// Of all pictures, `[n, width]`.
    pub gallery: &'a Rows,
    /// The folder of each, by which a model was taught, `[n]`. A picture is looked for among those of other folders.
    pub folder_of: &'a [Option<u32>],
    /// How embeddings are compared.
    pub metric: Metric,
}

impl SearchedViews<'_> {
    /// How pictures are found by their views: `owners` are their places in the gallery `[m]`, and `views` `[m · k, width]` has k
    /// embeddings of each in a row.
    pub fn find(&self, owners: &[usize], views: &Rows) -> Vec<ViewOutcome> {
        let comparison =
            PlainComparison::new(self.gallery, SearchMode { metric: self.metric, set_mode: SetMode::Mean });
        let queries: Vec<Rows> =
            views.iter().filter_map(|view| Rows::from_values(views.width(), view.to_vec())).collect();
        let similarities = comparison.similarities(&queries);
        let of_each = (views.len() / owners.len().max(1)).max(1);
        // A search ranks what is no number last; here it must not pass for a figure.
        if ![self.gallery, views].iter().all(|rows| rows.values().iter().all(|value| value.is_finite())) {
            let nothing = ViewOutcome { margin: f32::NAN, reciprocal_rank: 0.0, separation: f32::NAN };
            return vec![nothing; owners.len()];
        }
        let found = owners.iter().zip(similarities.chunks(of_each));
        found.map(|(&owner, views)| self.found(owner, views)).collect()
    }

    /// From the similarities of the views of a picture to the gallery.
    fn found(&self, owner: usize, views: &[Vec<f32>]) -> ViewOutcome {
        let mut sum = ViewOutcome::default();
        for view in views {
            let found = self.found_by_one(owner, view);
            sum.margin += found.margin / views.len() as f32;
            sum.reciprocal_rank += found.reciprocal_rank / views.len() as f32;
            sum.separation += found.separation / views.len() as f32;
        }
        sum
    }

    fn found_by_one(&self, owner: usize, similarities: &[f32]) -> ViewOutcome {
        let own = similarities[owner];
        let folder = self.folder_of[owner];
        let is_together = |at: usize| at == owner || (folder.is_some() && self.folder_of[at] == folder);
        let (mut count, mut sum, mut squares, mut before, mut nearest) =
            (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f32, f32::NEG_INFINITY);
        for other in (0..similarities.len()).filter(|at| !is_together(*at)).map(|at| similarities[at]) {
            count += 1.0;
            sum += f64::from(other);
            squares += f64::from(other).powi(2);
            nearest = nearest.max(other);
            // Half a rank for a tie: a model whose embeddings are all the same finds nothing.
            before += if other > own { 1.0 } else { f32::from(u8::from(other == own)) / 2.0 };
        }
        let mean = sum / f64::max(count, 1.0);
        let deviation = (squares / f64::max(count, 1.0) - mean.powi(2)).max(0.0).sqrt();
        let separation = if deviation > 1e-9 { (f64::from(own) - mean) / deviation } else { 0.0 };
        // Where all embeddings are the same there is no distance to measure by.
        let distance = 1.0 - mean as f32;
        let margin = match distance > 1e-6 {
            true if count > 0.0 => ((own - nearest) / distance).clamp(0.0, 1.0),
            _ => 0.0,
        };
        ViewOutcome { margin, reciprocal_rank: 1.0 / (1.0 + before), separation: separation as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[f32]) -> Rows {
        Rows::from_values(2, values.to_vec()).unwrap()
    }

    fn found(gallery: &Rows, folder_of: &[Option<u32>], owners: &[usize], views: &Rows) -> Vec<ViewOutcome> {
        SearchedViews { gallery, folder_of, metric: Metric::Cosine }.find(owners, views)
    }

    #[test]
    fn figures_by_hand() {
        // The view of picture 0 is nearer to picture 1 (similarity 0.8) than to its own (0.6); the last is at 0.
        let gallery = rows(&[0.6, 0.8, 0.8, 0.6, 0.0, 1.0]);
        let [one] = found(&gallery, &[None; 3], &[0], &rows(&[2.0, 0.0]))[..] else { panic!("one is sought") };
        assert_eq!(one.reciprocal_rank, 0.5);
        assert!((one.separation - 0.5).abs() < 1e-5, "(0.6 - 0.4) / 0.4: {one:?}");
        assert_eq!(one.margin, 0.0, "another one is nearer");
        // Its own folder may be nearer.
        let [together] = found(&gallery, &[Some(7), Some(7), None], &[0], &rows(&[2.0, 0.0]))[..] else { panic!() };
        assert!(together.reciprocal_rank == 1.0 && (together.margin - 0.6).abs() < 1e-5, "{together:?}");
        // A second view that is the picture itself: the mean of both.
        let [two] = found(&gallery, &[None; 3], &[0], &rows(&[2.0, 0.0, 0.6, 0.8]))[..] else { panic!() };
        assert_eq!(two.reciprocal_rank, 0.75);
    }

    #[test]
    fn by_distance_lengths_count() {
        let gallery = rows(&[1.0, 0.0, 3.0, 0.0, 5.0, 0.0]);
        let searched = SearchedViews { gallery: &gallery, folder_of: &[None; 3], metric: Metric::Euclidean };
        let [one] = searched.find(&[1], &rows(&[3.0, 0.0]))[..] else { panic!() };
        // Itself at 1, both others at 1 / 3.
        assert!(one.reciprocal_rank == 1.0 && (one.margin - 1.0).abs() < 1e-5, "{one:?}");
    }

    #[test]
    fn a_model_that_makes_all_embeddings_the_same_finds_nothing() {
        let gallery = rows(&[1.0, 0.0].repeat(20));
        for one in found(&gallery, &[None; 20], &[3, 4], &rows(&[1.0, 0.0].repeat(2))) {
            assert!(one.margin == 0.0 && one.reciprocal_rank < 0.1 && one.separation == 0.0, "{one:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_no_margin() {
        let gallery = rows(&[1.0, 0.0, f32::NAN, 0.0, 0.0, 1.0]);
        assert!(found(&gallery, &[None; 3], &[0], &rows(&[1.0, 0.0]))[0].margin.is_nan());
    }
}
