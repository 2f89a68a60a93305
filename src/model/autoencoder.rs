//! A trained autoencoder of either kind: features to codes and back.

use super::convolutional::{Convolutional, Effort, Stopped};
use super::linear::Autoencoder;
use crate::base::rows::Rows;
use crate::config::{Encoder, ModelSettings};
use crate::progress::Progress;

/// What was learned from features. Cheap to clone.
#[derive(Clone)]
pub enum Coder {
    /// From the trunk's features.
    Linear(Box<Autoencoder>),
    /// From pixels.
    Convolutional(Convolutional),
}

/// Why nothing was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlearned {
    /// It was no longer wanted.
    Cancelled,
    /// For this reason, as the rest of a sentence that begins with the model.
    Because(String),
}

impl Coder {
    /// Learns from features `[n, width]` of the kind that the settings' encoder takes; they count by `weights` `[n]`,
    /// which need not add up to anything.
    /// `seed` decides what is random in a training.
    ///
    /// # Errors
    /// When it was cancelled, or the pictures teach nothing.
    pub fn learn(
        settings: &ModelSettings,
        features: &Rows,
        weights: &[f32],
        seed: u64,
        follower: &dyn Progress,
    ) -> Result<Self, Unlearned> {
        let code_width = settings.code_width.count();
        let alike = || Unlearned::Because("its pictures are too much alike to learn from".into());
        match settings.encoder {
            Encoder::Pretrained => Autoencoder::fit_weighted(features, weights, code_width)
                .map(Box::new)
                .map(Self::Linear)
                .ok_or_else(alike),
            Encoder::Convolutional => {
                let effort = Effort { code_width, steps: settings.train_steps.count(), seed };
                Convolutional::train(features, weights, effort, follower).map(Self::Convolutional).map_err(|stopped| {
                    match stopped {
                        Stopped::Cancelled => Unlearned::Cancelled,
                        Stopped::NothingToLearn => alike(),
                        Stopped::Diverged(step) => {
                            Unlearned::Because(format!("its numbers ran away after {step} steps of training"))
                        }
                    }
                })
            }
        }
    }

    /// What [`Coder::to_safetensors`] of an `encoder` made.
    ///
    /// # Errors
    /// When the bytes are damaged or of a version that this program does not know; the text says which.
    pub fn from_safetensors(encoder: Encoder, bytes: &[u8]) -> Result<Self, String> {
        Ok(match encoder {
            Encoder::Pretrained => Self::Linear(Box::new(Autoencoder::from_safetensors(bytes)?)),
            Encoder::Convolutional => Self::Convolutional(Convolutional::from_safetensors(bytes)?),
        })
    }

    /// Everything that was learned, as a file.
    pub fn to_safetensors(&self) -> Vec<u8> {
        match self {
            Self::Linear(linear) => linear.to_safetensors(),
            Self::Convolutional(convolutional) => convolutional.to_safetensors(),
        }
    }

    /// Whose features it takes.
    pub fn encoder(&self) -> Encoder {
        match self {
            Self::Linear(_) => Encoder::Pretrained,
            Self::Convolutional(_) => Encoder::Convolutional,
        }
    }

    /// Numbers in a code.
    pub fn code_width(&self) -> usize {
        match self {
            Self::Linear(linear) => linear.code_width(),
            Self::Convolutional(convolutional) => convolutional.code_width(),
        }
    }

    /// Features `[n, width]` to codes `[n, code_width]`, not of unit length.
    pub fn encode(&self, features: &Rows) -> Rows {
        match self {
            Self::Linear(linear) => linear.encode(features),
            Self::Convolutional(convolutional) => convolutional.encode(features),
        }
    }

    /// What comes back of features `[n, width]` from their codes, scaled as features at unit length would be.
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
