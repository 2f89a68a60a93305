//! A trained autoencoder of either kind: features to embeddings and back.

use super::convolutional::{ConvolutionalAutoencoder, Effort, Stopped};
use super::extractor::FeatureKind;
use super::folders::{FolderLabels, FolderLesson, FolderReport};
use super::linear::LinearAutoencoder;
use super::weights::{ArrayProblem, LoadError};
use crate::base::rows::Rows;
use crate::config::{Encoder, ModelSettings};
use crate::progress::Progress;

/// A trained autoencoder. Cheap to clone.
#[derive(Clone)]
pub enum Autoencoder {
    /// From the backbone's features.
    Linear(Box<LinearAutoencoder>),
    /// From pixels.
    Convolutional(ConvolutionalAutoencoder),
}

/// Why there is no trained autoencoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainingError {
    /// It was no longer wanted.
    Cancelled,
    /// For this reason, as the rest of a sentence that begins with the model.
    Failed(String),
}

impl Autoencoder {
    /// Trains on features `[n, width]` of the kind that the settings' encoder takes; they count by `weights` `[n]`,
    /// which need not add up to anything. Their `folders` teach the linear one.
    /// `seed` decides what is random in a training.
    ///
    /// # Errors
    /// When it was cancelled, or the pictures are too similar.
    pub fn train(
        settings: &ModelSettings,
        features: &Rows,
        weights: &[f32],
        folders: &FolderLabels,
        seed: u64,
        follower: &dyn Progress,
    ) -> Result<Self, TrainingError> {
        let embedding_width = settings.code_width.count();
        let too_similar = || TrainingError::Failed("its pictures are too much alike to learn from".into());
        match settings.encoder {
            Encoder::Pretrained => LinearAutoencoder::fit_taught(features, weights, folders, embedding_width)
                .map(Box::new)
                .map(Self::Linear)
                .ok_or_else(too_similar),
            Encoder::Convolutional => {
                let effort = Effort { embedding_width, steps: settings.train_steps.count(), seed };
                ConvolutionalAutoencoder::train(features, weights, effort, follower).map(Self::Convolutional).map_err(
                    |stopped| match stopped {
                        Stopped::Cancelled => TrainingError::Cancelled,
                        Stopped::NothingToLearn => too_similar(),
                        Stopped::Diverged(step) => {
                            TrainingError::Failed(format!("its numbers ran away after {step} steps of training"))
                        }
                    },
                )
            }
        }
    }

    /// What [`Autoencoder::to_safetensors`] made of one for `features`.
    ///
    /// # Errors
    /// When the bytes are damaged, of a version that this program does not know, or for features of another width.
    pub fn from_safetensors(features: &FeatureKind, bytes: &[u8]) -> Result<Self, LoadError> {
        match features.encoder {
            Encoder::Pretrained => {
                let (linear, width) = (LinearAutoencoder::from_safetensors(bytes)?, features.width);
                match linear.width() == width {
                    true => Ok(Self::Linear(Box::new(linear))),
                    false => Err(LoadError::array("mean", ArrayProblem::Shape(1, width))),
                }
            }
            Encoder::Convolutional => ConvolutionalAutoencoder::from_safetensors(bytes).map(Self::Convolutional),
        }
    }

    /// All of its weights, as a file.
    pub fn to_safetensors(&self) -> Vec<u8> {
        match self {
            Self::Linear(linear) => linear.to_safetensors(),
            Self::Convolutional(convolutional) => convolutional.to_safetensors(),
        }
    }

    /// What folders gave it; `None` where they were not asked.
    pub fn folder_lesson(&self) -> Option<&FolderLesson> {
        match self {
            Self::Linear(linear) => linear.folder_lesson(),
            Self::Convolutional(_) => None,
        }
    }

    /// The same to be shown, or why there is nothing.
    pub fn folder_report(&self) -> FolderReport {
        match (self, self.folder_lesson()) {
            (_, Some(lesson)) => FolderReport::of(lesson),
            (Self::Convolutional(_), None) => {
                FolderReport::none("the convolutional encoder learns nothing from folders")
            }
            (Self::Linear(_), None) => FolderReport::none(
                "no folders taught: there were not two to learn from, or the setting learn_from_folders was off",
            ),
        }
    }

    /// Numbers in an embedding.
    pub fn embedding_width(&self) -> usize {
        match self {
            Self::Linear(linear) => linear.embedding_width(),
            Self::Convolutional(convolutional) => convolutional.embedding_width(),
        }
    }

    /// Features `[n, width]` to embeddings `[n, embedding_width]`, not of unit length.
    pub fn encode(&self, features: &Rows) -> Rows {
        match self {
            Self::Linear(linear) => linear.encode(features),
            Self::Convolutional(convolutional) => convolutional.encode(features),
        }
    }

    /// What comes back of features `[n, width]` from their embeddings, scaled as features at unit length would be.
    pub fn restored(&self, features: &Rows) -> Rows {
        match self {
            Self::Linear(linear) => linear.decode(&linear.encode(features)),
            Self::Convolutional(convolutional) => {
                let mut back = convolutional.decode(&convolutional.encode(features));
                for (at, row) in features.iter().enumerate() {
                    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
                    back.row_mut(at).iter_mut().for_each(|value| *value /= length);
                }
                back
            }
        }
    }

    /// ‖x − x′‖² / ‖x − mean‖² over all rows `[n, width]`: 0 is perfect, 1 no better than always answering the mean.
    pub fn reconstruction_error(&self, features: &Rows) -> f32 {
        match self {
            Self::Linear(linear) => linear.reconstruction_error(features),
            Self::Convolutional(convolutional) => convolutional.reconstruction_error(features),
        }
    }
}
