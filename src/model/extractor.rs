//! What is kept of a picture for good: the features that a model of either encoder is trained on and makes embeddings of.

use super::Backbone;
use super::convolutional::Pixels;
use crate::base::eight_bits;
use crate::base::rows::Rows;
use crate::config::Encoder;
use crate::error::Trouble;
use crate::picture::{EditedView, Square};

/// The features that models of one encoder take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureKind {
    /// Distinguishes them from features of another kind in the catalog.
    pub version: &'static str,
    /// Numbers in a row.
    pub width: usize,
}

impl FeatureKind {
    /// What features of a changed view of a picture are kept under.
    pub fn of_view(self, view: EditedView) -> String {
        format!("{}/{}", self.version, view.name())
    }

    /// Those of `encoder`.
    pub fn of(encoder: Encoder) -> Self {
        match encoder {
            Encoder::Pretrained => Self { version: Backbone::VERSION, width: Backbone::WIDTH },
            Encoder::Convolutional => Self { version: Pixels::VERSION, width: Pixels::WIDTH },
        }
    }
}

/// Makes features of pictures. Shared by all workers.
pub enum Extractor {
    /// For the pretrained encoder: what its frozen network makes of them.
    Backbone(Box<Backbone>),
    /// For the convolutional encoder: the pictures themselves, made small.
    Pixels,
}

impl Extractor {
    /// One for models of `encoder`.
    ///
    /// # Errors
    /// When the program's own copy of the weights is damaged.
    pub fn load(encoder: Encoder) -> Result<Self, Trouble> {
        Ok(match encoder {
            Encoder::Pretrained => Self::Backbone(Box::new(Backbone::load()?)),
            Encoder::Convolutional => Self::Pixels,
        })
    }

    /// The features it makes.
    pub fn kind(&self) -> FeatureKind {
        FeatureKind::of(self.encoder())
    }

    /// The encoder whose models take them.
    pub fn encoder(&self) -> Encoder {
        match self {
            Self::Backbone(_) => Encoder::Pretrained,
            Self::Pixels => Encoder::Convolutional,
        }
    }

    /// Side of the squares it takes, in pixels.
    pub fn side(&self) -> usize {
        match self {
            Self::Backbone(_) => Backbone::SIDE,
            Self::Pixels => Pixels::SQUARE_SIDE,
        }
    }

    /// Pictures, squares of [`Extractor::side`], to features `[n, kind().width]`, in the [precision](eight_bits) that they are kept
    /// with: the same picture is the same, whether it was just looked at or comes from the catalog.
    pub fn features(&self, pictures: &[Square]) -> Rows {
        let exact = match self {
            Self::Backbone(backbone) => backbone.features(pictures),
            Self::Pixels => Pixels::features(pictures),
        };
        let mut features = Rows::empty(exact.width());
        exact.iter().for_each(|row| {
            features.push(&eight_bits::rounded(row));
        });
        features
    }
}
