//! The trained network as it serves: rows of pixels to embeddings and back, and the file it is kept in.

use std::collections::HashMap;
use std::sync::Arc;

use artificio_random::Random;
use burn::tensor::Tensor;
use log::debug;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, serialize};

use super::super::backend;
use super::super::weights::{Archive, LoadError};
use super::network::{Layer, Network, Parts, pictures};
use super::pixels::Pixels;
use super::training::{Effort, Stopped, Trained, train};
use super::{colour, palette};
use crate::base::rows::Rows;
use crate::progress::Progress;

/// Names the version in the metadata of a saved model.
const VERSION_KEY: &str = "convolutional_version";

/// Raise it with every change of the network or of what its numbers mean.
const VERSION: &str = "1";

/// The name of the array that says how the training went.
const LOSSES: &str = "training.losses";

/// Pictures that go through the network at once: enough for the matrix products, few enough for the cache.
const BATCH: usize = 8;

/// What an untrained decoder paints.
static GREY: [f32; Pixels::WIDTH] = [0.5; Pixels::WIDTH];

/// The convolutional autoencoder. Cheap to clone: clones share the weights.
#[derive(Clone)]
pub struct ConvolutionalAutoencoder {
    network: Network,
    /// Of each step of its training; none where that is not known.
    losses: Arc<[f32]>,
}

impl ConvolutionalAutoencoder {
    /// Trains on pictures `[n, 56 * 56 * 3]` as [`Pixels::features`] gives them, that count by `weights` `[n]`. The same pictures and the same effort
    /// give the same encoder, to the bit.
    ///
    /// # Errors
    /// When it was cancelled, when the pictures are too few or all the same, when the loss diverged.
    pub fn train(pixels: &Rows, weights: &[f32], effort: Effort, follower: &dyn Progress) -> Result<Self, Stopped> {
        let Trained { network, losses } = train(pixels, weights, effort, follower)?;
        let (first, last) = (losses.first(), losses.last());
        debug!("{} steps on {} pictures: loss {first:?} at first, {last:?} at last", losses.len(), pixels.len());
        Ok(Self { network, losses: losses.into() })
    }

    /// The loss of each step of its training, the first first; none for one that was kept without.
    pub fn losses(&self) -> &[f32] {
        &self.losses
    }

    /// Pictures `[n, 56 * 56 * 3]`, 0 to 255, to embeddings `[n, embedding_width]`, all of one length.
    pub fn encode(&self, pixels: &Rows) -> Rows {
        self.in_batches(pixels, self.embedding_width(), |lab| self.network.encode(lab.clone(), lab).joined())
    }

    /// What a picture's embedding is before any training: how much of which colour it holds `[n, colours]`.
    pub fn untrained(embedding_width: usize) -> Self {
        let parts = Parts::of(embedding_width);
        let mut network = Network::new(parts, palette::of_all_colours(parts.colours), &GREY, &mut Random::new(0));
        // Untrained textures and layout say nothing.
        for layer in [Layer::Textures, Layer::Layout] {
            network.weights[layer as usize] = network.weights[layer as usize].zeros_like();
        }
        Self { network, losses: Arc::default() }
    }

    /// Embeddings `[n, embedding_width]` back to pictures `[n, 56 * 56 * 3]`, 0 to 255.
    pub fn decode(&self, embeddings: &Rows) -> Rows {
        let mut rows = Rows::empty(Pixels::WIDTH);
        for batch in embeddings.values().chunks(BATCH * embeddings.width().max(1)) {
            let embeddings = backend::matrix(batch.to_vec(), embeddings.width());
            let painted = backend::values(self.network.decode(embeddings).reshape([-1, Pixels::WIDTH as i32]));
            for picture in painted.chunks_exact(Pixels::WIDTH) {
                rows.push(&picture.iter().map(|value| value * 255.0).collect::<Vec<f32>>());
            }
        }
        rows
    }

    /// ‖x − x′‖² / ‖x − mean‖² over all pictures `[n, 56 * 56 * 3]`: 0 is perfect, 1 no better than always painting
    /// the mean picture.
    pub fn reconstruction_error(&self, pixels: &Rows) -> f32 {
        let back = self.decode(&self.encode(pixels));
        let mut mean = vec![0.0_f64; pixels.width()];
        for row in pixels.iter() {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value) / pixels.len() as f64);
        }
        let (mut missed, mut all) = (0.0_f64, 0.0_f64);
        for (row, back) in pixels.iter().zip(back.iter()) {
            for ((value, back), mean) in row.iter().zip(back).zip(&mean) {
                missed += f64::from(value - back).powi(2);
                all += (f64::from(*value) - mean).powi(2);
            }
        }
        if all > 0.0 { (missed / all) as f32 } else { 0.0 }
    }

    /// Numbers in an embedding.
    pub fn embedding_width(&self) -> usize {
        self.network.parts.width()
    }

    /// The model as a safetensors file, its version in the metadata.
    pub fn to_safetensors(&self) -> Vec<u8> {
        let bytes: Vec<Vec<u8>> = self.network.weights.iter().map(|weights| bytes_of(weights.clone())).collect();
        let losses: Vec<u8> = self.losses.iter().flat_map(|loss| loss.to_le_bytes()).collect();
        let layers = Layer::ALL.iter().zip(&bytes);
        let layers = layers.map(|(layer, bytes)| (layer.name(), layer.shape(self.network.parts).to_vec(), bytes));
        let course = (!losses.is_empty()).then_some((LOSSES, vec![self.losses.len()], &losses));
        let views = layers.chain(course).map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape, bytes)?;
            Ok((name, view))
        });
        let metadata = HashMap::from([(VERSION_KEY.to_string(), VERSION.to_string())]);
        let file = views.collect::<Result<Vec<_>, _>>().and_then(|views| serialize(views, Some(metadata)));
        match file {
            Ok(file) => file,
            Err(error) => unreachable!("shapes and lengths agree: {error}"),
        }
    }

    /// Reads what [`ConvolutionalAutoencoder::to_safetensors`] wrote.
    ///
    /// # Errors
    /// When the bytes are damaged or of a version that this program does not know.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, LoadError> {
        let archive = Archive::open(bytes, VERSION_KEY, VERSION)?;
        let columns = |layer: Layer| archive.matrix(layer.name()).map(|matrix| matrix.columns);
        let colours = archive.matrix(Layer::Palette.name())?.values.len() / 3;
        let parts = Parts { colours, textures: columns(Layer::Textures)?, layout: columns(Layer::Layout)? };
        let read = |layer: &Layer| {
            let [rows, columns] = layer.shape(parts);
            archive.sized(layer.name(), rows, columns).map(|values| backend::matrix(values, columns))
        };
        let weights = Layer::ALL.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        // Models of before have none: they serve as well without.
        let losses = archive.matrix(LOSSES).map_or_else(|_| Arc::default(), |matrix| matrix.values.into());
        Ok(Self { network: Network { parts, weights }, losses })
    }

    fn in_batches(&self, pixels: &Rows, width: usize, work: impl Fn(Tensor<4>) -> Tensor<2>) -> Rows {
        let mut values = Vec::with_capacity(pixels.len() * width);
        for batch in pixels.values().chunks(BATCH * Pixels::WIDTH) {
            let rgb: Vec<f32> = batch.iter().map(|value| value / 255.0).collect();
            values.extend(backend::values(work(pictures(colour::to_lab(&rgb)))));
        }
        Rows::from_values(width, values).unwrap_or_else(|| Rows::empty(width))
    }
}

fn bytes_of(weights: Tensor<2>) -> Vec<u8> {
    backend::values(weights).iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[cfg(test)]
#[path = "encoder_tests.rs"]
mod tests;
