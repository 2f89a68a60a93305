//! What is kept of a picture for good: the features that a model of either encoder is trained on and makes embeddings of.

use std::sync::Arc;

use super::Backbone;
use super::convolutional::Pixels;
use super::onnx::{NetworkProblem, OnnxNetwork};
use crate::base::eight_bits;
use crate::base::rows::Rows;
use crate::catalog::ModelRow;
use crate::config::Encoder;
use crate::error::Trouble;
use crate::picture::{EditedView, Square};

/// The features that models of one encoder take, of one network. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureKind {
    /// The encoder.
    pub encoder: Encoder,
    /// Distinguishes them from features of another kind in the catalog.
    pub version: Arc<str>,
    /// Numbers in a row.
    pub width: usize,
    /// Of these the first so many tell of the whole picture; 0: none of them, compared as they are, tell which pictures are alike.
    whole: usize,
}

impl FeatureKind {
    /// What features of a changed view of a picture are kept under.
    pub fn of_view(&self, view: EditedView) -> String {
        format!("{}/{}", self.version, view.name())
    }

    /// Those of `encoder`, with the network that comes with the program.
    pub fn of(encoder: Encoder) -> Self {
        let (version, width, whole) = match encoder {
            Encoder::Pretrained => (Backbone::VERSION, Backbone::WIDTH, Backbone::HEAD_WIDTH),
            Encoder::Convolutional => (Pixels::VERSION, Pixels::WIDTH, 0),
        };
        Self { encoder, version: version.into(), width, whole }
    }

    /// Those of a network of the user's own: all of a row tells of the whole picture.
    pub fn of_network(version: &str, width: usize) -> Self {
        Self { encoder: Encoder::Pretrained, version: version.into(), width, whole: width }
    }

    /// Whether the model in `row` takes them.
    pub fn are_taken_by(&self, row: &ModelRow) -> bool {
        row.features_version == *self.version && row.encoder.is(self.encoder)
    }

    /// Whether these are made by the network that comes with the program, which thresholds were measured with.
    pub fn is_bundled_network(&self) -> bool {
        *self.version == *Backbone::VERSION
    }

    /// Whether how like two pictures are can be told from their features as they are.
    pub fn tells_likeness(&self) -> bool {
        self.whole > 0
    }

    /// Numbers in the part of a row for the whole picture.
    pub fn whole_width(&self) -> usize {
        self.whole
    }

    /// The part for the whole picture of a row of features: how like two pictures are is the product of theirs at unit length,
    /// wherever in them things lie. `None` for a row of another kind, and where there is no such part.
    pub fn whole_of<'a>(&self, features: &'a [f32]) -> Option<&'a [f32]> {
        features.get(..self.whole).filter(|_| self.tells_likeness() && features.len() == self.width)
    }
}

/// Makes features of pictures. Shared by all workers.
pub enum Extractor {
    /// For the pretrained encoder: what its frozen network makes of them.
    Backbone(Box<Backbone>),
    /// For the pretrained encoder: what a network of the user's own makes of them.
    Onnx(Box<OnnxNetwork>),
    /// For the convolutional encoder: the pictures themselves, made small.
    Pixels,
}

impl Extractor {
    /// One for models of `encoder`, with the network that comes with the program.
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
        match self {
            Self::Backbone(_) => FeatureKind::of(Encoder::Pretrained),
            Self::Onnx(network) => network.kind(),
            Self::Pixels => FeatureKind::of(Encoder::Convolutional),
        }
    }

    /// The encoder whose models take them.
    pub fn encoder(&self) -> Encoder {
        match self {
            Self::Backbone(_) | Self::Onnx(_) => Encoder::Pretrained,
            Self::Pixels => Encoder::Convolutional,
        }
    }

    /// Whether another process can make the same features, without being given a network.
    pub fn is_part_of_program(&self) -> bool {
        !matches!(self, Self::Onnx(_))
    }

    /// Side of the squares it takes, in pixels.
    pub fn side(&self) -> usize {
        match self {
            Self::Backbone(_) => Backbone::SIDE,
            Self::Onnx(network) => network.side(),
            Self::Pixels => Pixels::SQUARE_SIDE,
        }
    }

    /// Pictures, squares of [`Extractor::side`], to features `[n, kind().width]`, in the [precision](eight_bits) that they are kept
    /// with: the same picture is the same, whether it was just looked at or comes from the catalog.
    ///
    /// # Errors
    /// When a network of the user's own makes no numbers of one of them.
    pub fn features(&self, pictures: &[Square]) -> Result<Rows, NetworkProblem> {
        let exact = match self {
            Self::Backbone(backbone) => backbone.features(pictures),
            Self::Onnx(network) => network.features(pictures)?,
            Self::Pixels => Pixels::features(pictures),
        };
        let mut features = Rows::empty(exact.width());
        exact.iter().for_each(|row| {
            features.push(&eight_bits::rounded(row));
        });
        Ok(features)
    }
}
