//! The linear autoencoder 2432 → 192 → 2432 on the backbone's features.
//!
//! A linear autoencoder that is trained to its optimum spans the leading principal components of its training features
//! (Baldi and Hornik, Neural Networks 2, 1989), so they are computed, not descended to: the same features always give
//! the same model, in seconds. Any invertible scaling of the embedding is undone by the decoder, so the embedding is free to be
//! turned and scaled for comparison: strong directions are what pictures have in common, and count for less than their
//! variance, and so does what differs between pictures of one kind (`pairs`).

use std::collections::HashMap;

use burn::tensor::Tensor;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use super::pairs::{self, Basis};
use super::{subspace, teaching};
use crate::base::rows::Rows;
use crate::model::backend;
use crate::model::folders::{FolderLabels, FolderLesson};
use crate::model::weights::{Archive, ArrayProblem, LoadError};

/// Names the version in the metadata of a saved model.
const VERSION_KEY: &str = "autoencoder_version";

/// Raise it with every change of what the numbers in the file mean.
const VERSION: &str = "2";

/// The array with what folders gave it, as JSON.
const LESSON: &str = "folders";

/// Squared distance from the mean below which rows count as one and the same.
const SAME: f32 = 1e-10;

/// Features to embeddings and back. Cheap to clone: clones share the weights.
#[derive(Clone)]
pub struct LinearAutoencoder {
    width: usize,
    embedding_width: usize,
    mean: Vec<f32>,
    /// `[embedding_width, width]`, orthogonal and of unit length.
    directions: Vec<f32>,
    /// `[embedding_width]`: an embedding is this times what lies along each direction.
    scales: Vec<f32>,
    /// What folders gave it.
    lesson: Option<FolderLesson>,
    /// `[width, embedding_width]`: `directions` transposed and scaled.
    encoder: Tensor<2>,
    /// `[embedding_width, width]`: `directions`, the scales undone.
    decoder: Tensor<2>,
}

impl LinearAutoencoder {
    /// The best linear autoencoder for `features` `[n, width]`, in float32. The embedding is narrower than `embedding_width` when
    /// the rows span fewer dimensions. `None` when fewer than two of the rows differ, or `embedding_width` is zero.
    pub fn fit(features: &Rows, embedding_width: usize) -> Option<Self> {
        Self::fit_weighted(features, &vec![1.0; features.len()], embedding_width)
    }

    /// Likewise where rows count by `weights` `[n]`, which need not add up to anything.
    pub fn fit_weighted(features: &Rows, weights: &[f32], embedding_width: usize) -> Option<Self> {
        Self::fit_taught(features, weights, &FolderLabels::default(), embedding_width)
    }

    /// Likewise where the `folders` of the rows may teach what belongs together.
    pub fn fit_taught(
        features: &Rows,
        weights: &[f32],
        folders: &FolderLabels,
        embedding_width: usize,
    ) -> Option<Self> {
        let width = features.width();
        let mut rows = features.at_unit_length().into_values();
        let mean = mean_row(&rows, weights, width);
        if embedding_width == 0 || squared_distance_to(&mean, &rows) <= SAME * features.len() as f32 {
            return None;
        }
        subtract(&mut rows, &mean);
        scale_by_weights(&mut rows, weights, width);
        let count = effective_count(weights);
        let variance = sum_of_squares(&rows) as f32 / count;
        let untaught_width = embedding_width.min(width);
        let components = if folders.is_empty() { untaught_width } else { untaught_width.max(teaching::COMPONENTS) };
        let leading = subspace::leading_directions(rows, width, components.min(width));
        if leading.directions.is_empty() {
            return None;
        }
        // What every direction is uncertain by: with few rows it outweighs their differences, and nothing is whitened.
        let noise = variance / count;
        let variances: Vec<f32> = leading.squares.iter().map(|squares| squares / count).collect();
        let all = Self::plain(mean, leading.directions, variances.len());
        let untaught_width = untaught_width.min(variances.len());
        let plain = Self::plain(all.mean.clone(), all.directions[..untaught_width * width].to_vec(), untaught_width);
        let variances = &variances[..untaught_width];
        let untaught = plain.turned(pairs::basis(&plain.encode(features), features, weights, variances, noise));
        if folders.is_empty() {
            return Some(untaught);
        }
        let (components, embeddings) = (all.encode(features), untaught.encode(features));
        let material = teaching::Material { features, components: &components, untaught: &embeddings };
        let (lesson, basis) = teaching::learn(&material, folders, embedding_width);
        let fitted = basis.map_or(untaught, |basis| all.turned(basis));
        Some(Self { lesson: Some(lesson), ..fitted })
    }

    /// Principal directions as they are.
    fn plain(mean: Vec<f32>, directions: Vec<f32>, count: usize) -> Self {
        Self::from_parts(mean, directions, vec![1.0; count])
    }

    /// The same in another basis of its embeddings.
    fn turned(&self, basis: Basis) -> Self {
        let turn = backend::matrix(basis.turn, self.embedding_width);
        let directions = backend::values(turn.matmul(backend::matrix(self.directions.clone(), self.width)));
        Self::from_parts(self.mean.clone(), directions, basis.scales)
    }

    /// `directions` are `[scales.len(), mean.len()]`, orthogonal and of unit length.
    fn from_parts(mean: Vec<f32>, directions: Vec<f32>, scales: Vec<f32>) -> Self {
        let (width, embedding_width) = (mean.len(), scales.len());
        let scaled =
            |at: usize| directions[at % embedding_width * width + at / embedding_width] * scales[at % embedding_width];
        let encoder = backend::matrix((0..directions.len()).map(scaled).collect(), embedding_width);
        let undone = |at: usize| directions[at] / scales[at / width];
        let decoder = backend::matrix((0..directions.len()).map(undone).collect(), width);
        Self { width, embedding_width, mean, directions, scales, lesson: None, encoder, decoder }
    }

    /// What folders gave it; `None` where they were not asked.
    pub fn folder_lesson(&self) -> Option<&FolderLesson> {
        self.lesson.as_ref()
    }

    /// Numbers in a row of features.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Numbers in an embedding.
    pub fn embedding_width(&self) -> usize {
        self.embedding_width
    }

    /// Features `[n, width]` of any length to embeddings `[n, embedding_width]`, which are not of unit length.
    pub fn encode(&self, features: &Rows) -> Rows {
        self.encode_prepared(self.prepared(features))
    }

    /// Embeddings `[n, embedding_width]` back to features of about unit length, `[n, width]`.
    pub fn decode(&self, embeddings: &Rows) -> Rows {
        if embeddings.is_empty() {
            return Rows::empty(self.width);
        }
        let embeddings = backend::matrix(embeddings.values().to_vec(), self.embedding_width);
        let mut values = backend::values(embeddings.matmul(self.decoder.clone()));
        values.chunks_exact_mut(self.width).for_each(|row| row.iter_mut().zip(&self.mean).for_each(|(v, m)| *v += m));
        rows(self.width, values)
    }

    /// ‖x − x'‖² / ‖x − mean‖² over all rows `[n, width]`, where x is a row at unit length and x' what comes back of it:
    /// 0 is perfect, 1 no better than always answering the mean.
    pub fn reconstruction_error(&self, features: &Rows) -> f32 {
        let prepared = self.prepared(features);
        let all = sum_of_squares(&prepared);
        // The directions are orthogonal, so what an embedding keeps of a row's square is the embedding's own square, unscaled.
        let mut embeddings = self.encode_prepared(prepared).into_values();
        embeddings.chunks_exact_mut(self.embedding_width).for_each(|embedding| {
            embedding.iter_mut().zip(&self.scales).for_each(|(value, scale)| *value /= scale);
        });
        let kept = sum_of_squares(&embeddings);
        if all > 0.0 { ((all - kept) / all).max(0.0) as f32 } else { 0.0 }
    }

    /// Which share of the variance of rows `[n, width]` their embeddings keep, `[embedding_width]`: by the first value alone, by the
    /// first two, and so on. The last is 1 less [`LinearAutoencoder::reconstruction_error`].
    pub fn kept_by_values(&self, features: &Rows) -> Vec<f32> {
        let prepared = self.prepared(features);
        let all = sum_of_squares(&prepared).max(f64::MIN_POSITIVE);
        let mut squares = vec![0.0_f64; self.embedding_width];
        for embedding in self.encode_prepared(prepared).iter() {
            for ((sum, value), scale) in squares.iter_mut().zip(embedding).zip(&self.scales) {
                *sum += f64::from(value / scale).powi(2);
            }
        }
        let add = |sum: &mut f64, square: f64| {
            *sum += square;
            Some((*sum / all).min(1.0) as f32)
        };
        squares.into_iter().scan(0.0, add).collect()
    }

    /// The model as a safetensors file, its version in the metadata.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let [directions, mean, scales] = [&self.directions, &self.mean, &self.scales].map(|values| bytes(values));
        let lesson = self.lesson.as_ref().and_then(|lesson| serde_json::to_vec(lesson).ok());
        let mut arrays = vec![
            ("directions", Dtype::F32, vec![self.embedding_width, self.width], &directions),
            ("mean", Dtype::F32, vec![self.width], &mean),
            ("scales", Dtype::F32, vec![self.embedding_width], &scales),
        ];
        arrays.extend(lesson.iter().map(|lesson| (LESSON, Dtype::U8, vec![lesson.len()], lesson)));
        let views =
            arrays.into_iter().map(|(name, kind, shape, bytes)| Ok((name, TensorView::new(kind, shape, bytes)?)));
        let metadata = HashMap::from([(VERSION_KEY.to_string(), VERSION.to_string())]);
        let file = views.collect::<Result<Vec<_>, _>>().and_then(|views| serialize(views, Some(metadata)));
        match file {
            Ok(file) => file,
            Err(error) => unreachable!("shapes and lengths agree: {error}"),
        }
    }

    /// Reads what [`LinearAutoencoder::to_safetensors`] wrote.
    ///
    /// # Errors
    /// When the bytes are damaged or of a version that this program does not know.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, LoadError> {
        let archive = Archive::open(bytes, VERSION_KEY, VERSION)?;
        let directions = archive.matrix("directions")?;
        let mean = archive.sized("mean", 1, directions.columns)?;
        let scales = archive.sized("scales", 1, directions.values.len() / directions.columns)?;
        if scales.iter().any(|scale| *scale <= 0.0) {
            return Err(LoadError::array("scales", ArrayProblem::NotPositive));
        }
        let lesson = archive.text(LESSON).and_then(|lesson| serde_json::from_str(lesson).ok());
        Ok(Self { lesson, ..Self::from_parts(mean, directions.values, scales) })
    }

    /// Rows as the encoder wants them: at unit length, less the training mean.
    fn prepared(&self, features: &Rows) -> Vec<f32> {
        debug_assert!(features.is_empty() || features.width() == self.width);
        let mut values = features.at_unit_length().into_values();
        subtract(&mut values, &self.mean);
        values
    }

    fn encode_prepared(&self, values: Vec<f32>) -> Rows {
        if values.is_empty() {
            return Rows::empty(self.embedding_width);
        }
        let embeddings = backend::matrix(values, self.width).matmul(self.encoder.clone());
        rows(self.embedding_width, backend::values(embeddings))
    }
}

fn rows(width: usize, values: Vec<f32>) -> Rows {
    Rows::from_values(width, values).unwrap_or_else(|| Rows::empty(width))
}

fn mean_row(values: &[f32], weights: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; width];
    for (row, weight) in values.chunks_exact(width.max(1)).zip(weights) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(weight * value));
    }
    let all: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    sums.into_iter().map(|sum| (sum / all.max(f64::MIN_POSITIVE)) as f32).collect()
}

/// Scales rows so that their products with one another are those of weighted rows, of which there are
/// [`effective_count`].
fn scale_by_weights(values: &mut [f32], weights: &[f32], width: usize) {
    let scale = effective_count(weights) / weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for (row, weight) in values.chunks_exact_mut(width.max(1)).zip(weights) {
        row.iter_mut().for_each(|value| *value *= (weight * scale).sqrt());
    }
}

/// The effective sample size (Kish, Survey Sampling, 1965): `n` when all weights are the same.
fn effective_count(weights: &[f32]) -> f32 {
    let squares: f32 = weights.iter().map(|weight| weight * weight).sum();
    weights.iter().sum::<f32>().powi(2) / squares.max(f32::MIN_POSITIVE)
}

fn subtract(values: &mut [f32], mean: &[f32]) {
    values.chunks_exact_mut(mean.len().max(1)).for_each(|row| row.iter_mut().zip(mean).for_each(|(v, m)| *v -= m));
}

fn squared_distance_to(mean: &[f32], values: &[f32]) -> f32 {
    let row = |row: &[f32]| row.iter().zip(mean).map(|(value, mean)| (value - mean).powi(2)).sum::<f32>();
    values.chunks_exact(mean.len().max(1)).map(row).sum()
}

fn sum_of_squares(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum()
}

#[cfg(test)]
#[path = "autoencoder_tests.rs"]
mod tests;
