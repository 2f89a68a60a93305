//! The linear autoencoder 1280 → 192 → 1280 on the trunk's features.
//!
//! A linear autoencoder that is trained to its optimum spans the leading principal components of its training features
//! (Baldi and Hornik, Neural Networks 2, 1989), so they are computed, not descended to: the same features always give
//! the same model, in seconds. Any invertible scaling of the code is undone by the decoder, so the code is free to be
//! turned and scaled for comparison: strong directions are what pictures have in common, and count for less than their
//! variance, and so does what differs between pictures of one kind (`pairs`).

use std::collections::HashMap;

use burn::tensor::Tensor;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use super::{pairs, subspace};
use crate::base::rows::Rows;
use crate::model::backend;
use crate::model::weights::Archive;

/// Names the version in the metadata of a saved model.
const VERSION_KEY: &str = "autoencoder_version";

/// Raise it with every change of what the numbers in the file mean.
const VERSION: &str = "2";

/// Squared distance from the mean below which rows count as one and the same.
const SAME: f32 = 1e-10;

/// Features to codes and back. Cheap to clone: clones share the weights.
#[derive(Clone)]
pub struct Autoencoder {
    width: usize,
    code_width: usize,
    mean: Vec<f32>,
    /// `[code_width, width]`, orthogonal and of unit length.
    directions: Vec<f32>,
    /// `[code_width]`: a code is this times what lies along each direction.
    scales: Vec<f32>,
    /// `[width, code_width]`: `directions` transposed and scaled.
    encoder: Tensor<2>,
    /// `[code_width, width]`: `directions`, the scales undone.
    decoder: Tensor<2>,
}

impl Autoencoder {
    /// The best linear autoencoder for `features` `[n, width]`, in float32. The code is narrower than `code_width` when
    /// the rows span fewer dimensions. `None` when fewer than two of the rows differ, or `code_width` is zero.
    pub fn fit(features: &Rows, code_width: usize) -> Option<Self> {
        Self::fit_weighted(features, &vec![1.0; features.len()], code_width)
    }

    /// Likewise where rows count by `weights` `[n]`, which need not add up to anything.
    pub fn fit_weighted(features: &Rows, weights: &[f32], code_width: usize) -> Option<Self> {
        let width = features.width();
        let mut rows = features.at_unit_length().into_values();
        let mean = mean_row(&rows, weights, width);
        if code_width == 0 || squared_distance_to(&mean, &rows) <= SAME * features.len() as f32 {
            return None;
        }
        subtract(&mut rows, &mean);
        weigh_rows(&mut rows, weights, width);
        let count = rows_worth(weights);
        let variance = sum_of_squares(&rows) as f32 / count;
        let leading = subspace::leading_directions(rows, width, code_width.min(width));
        if leading.directions.is_empty() {
            return None;
        }
        // What every direction is uncertain by: with few rows it outweighs their differences, and nothing is whitened.
        let noise = variance / count;
        let variances: Vec<f32> = leading.squares.iter().map(|squares| squares / count).collect();
        let code_width = variances.len();
        let plain = Self::from_parts(mean, leading.directions, vec![1.0; code_width]);
        let basis = pairs::basis(&plain.encode(features), features, weights, &variances, noise);
        let turn = backend::matrix(basis.turn, code_width);
        let directions = backend::values(turn.matmul(backend::matrix(plain.directions, width)));
        Some(Self::from_parts(plain.mean, directions, basis.scales))
    }

    /// `directions` are `[scales.len(), mean.len()]`, orthogonal and of unit length.
    fn from_parts(mean: Vec<f32>, directions: Vec<f32>, scales: Vec<f32>) -> Self {
        let (width, code_width) = (mean.len(), scales.len());
        let scaled = |at: usize| directions[at % code_width * width + at / code_width] * scales[at % code_width];
        let encoder = backend::matrix((0..directions.len()).map(scaled).collect(), code_width);
        let undone = |at: usize| directions[at] / scales[at / width];
        let decoder = backend::matrix((0..directions.len()).map(undone).collect(), width);
        Self { width, code_width, mean, directions, scales, encoder, decoder }
    }

    /// Numbers in a code.
    pub fn code_width(&self) -> usize {
        self.code_width
    }

    /// Features `[n, width]` of any length to codes `[n, code_width]`, which are not of unit length.
    pub fn encode(&self, features: &Rows) -> Rows {
        self.encode_prepared(self.prepared(features))
    }

    /// Codes `[n, code_width]` back to features of about unit length, `[n, width]`.
    pub fn decode(&self, codes: &Rows) -> Rows {
        if codes.is_empty() {
            return Rows::empty(self.width);
        }
        let codes = backend::matrix(codes.values().to_vec(), self.code_width);
        let mut values = backend::values(codes.matmul(self.decoder.clone()));
        values.chunks_exact_mut(self.width).for_each(|row| row.iter_mut().zip(&self.mean).for_each(|(v, m)| *v += m));
        rows(self.width, values)
    }

    /// ‖x − x'‖² / ‖x − mean‖² over all rows `[n, width]`, where x is a row at unit length and x' what comes back of it:
    /// 0 is perfect, 1 no better than always answering the mean.
    pub fn reconstruction_error(&self, features: &Rows) -> f32 {
        let prepared = self.prepared(features);
        let all = sum_of_squares(&prepared);
        // The directions are orthogonal, so what a code keeps of a row's square is the code's own square, unscaled.
        let mut codes = self.encode_prepared(prepared).into_values();
        codes.chunks_exact_mut(self.code_width).for_each(|code| {
            code.iter_mut().zip(&self.scales).for_each(|(value, scale)| *value /= scale);
        });
        let kept = sum_of_squares(&codes);
        if all > 0.0 { ((all - kept) / all).max(0.0) as f32 } else { 0.0 }
    }

    /// How much of what tells rows `[n, width]` apart their codes keep, `[code_width]`: by the first value alone, by the
    /// first two, and so on. The last is 1 less [`Autoencoder::reconstruction_error`].
    pub fn kept_by_values(&self, features: &Rows) -> Vec<f32> {
        let prepared = self.prepared(features);
        let all = sum_of_squares(&prepared).max(f64::MIN_POSITIVE);
        let mut squares = vec![0.0_f64; self.code_width];
        for code in self.encode_prepared(prepared).iter() {
            for ((sum, value), scale) in squares.iter_mut().zip(code).zip(&self.scales) {
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
        let arrays = [
            ("directions", vec![self.code_width, self.width], &directions),
            ("mean", vec![self.width], &mean),
            ("scales", vec![self.code_width], &scales),
        ];
        let views = arrays.map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape, bytes)?)));
        let metadata = HashMap::from([(VERSION_KEY.to_string(), VERSION.to_string())]);
        let file = views.into_iter().collect::<Result<Vec<_>, _>>().and_then(|views| serialize(views, Some(metadata)));
        match file {
            Ok(file) => file,
            Err(error) => unreachable!("shapes and lengths agree: {error}"),
        }
    }

    /// Reads what [`Autoencoder::to_safetensors`] wrote.
    ///
    /// # Errors
    /// When the bytes are damaged or of a version that this program does not know; the text says which.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, String> {
        let archive = Archive::open(bytes, VERSION_KEY, VERSION)?;
        let directions = archive.matrix("directions")?;
        let mean = archive.sized("mean", 1, directions.columns)?;
        let scales = archive.sized("scales", 1, directions.values.len() / directions.columns)?;
        if scales.iter().any(|scale| *scale <= 0.0) {
            return Err("damaged model file: a scale is not positive".into());
        }
        Ok(Self::from_parts(mean, directions.values, scales))
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
            return Rows::empty(self.code_width);
        }
        let codes = backend::matrix(values, self.width).matmul(self.encoder.clone());
        rows(self.code_width, backend::values(codes))
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

/// Scales rows so that their products with one another are those of weighted rows, of which there are [`rows_worth`].
fn weigh_rows(values: &mut [f32], weights: &[f32], width: usize) {
    let scale = rows_worth(weights) / weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for (row, weight) in values.chunks_exact_mut(width.max(1)).zip(weights) {
        row.iter_mut().for_each(|value| *value *= (weight * scale).sqrt());
    }
}

/// How many rows of equal weight say as much (Kish, Survey Sampling, 1965): `n` when all weigh the same.
fn rows_worth(weights: &[f32]) -> f32 {
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
