//! A model as it serves: it turns features into codes.

use crate::base::rows::Rows;
use crate::catalog::ModelRow;
use crate::config::{Encoder, ModelSettings};
use crate::error::Trouble;

use super::convolutional::Convolutional;
use super::{Coder, FeatureKind};

/// The id of the model that serves before any training.
pub const UNTRAINED_ID: &str = "features";

/// What turns features into codes.
#[derive(Clone)]
pub struct Model {
    id: String,
    encoder: Encoder,
    trained_on: usize,
    /// `None`: features are codes.
    coder: Option<Coder>,
}

impl Model {
    /// What answers before the first training: the trunk's features as they are; of the convolutional encoder the part
    /// that counts colours.
    pub fn untrained(settings: &ModelSettings) -> Self {
        let coder = match settings.encoder {
            Encoder::Pretrained => None,
            Encoder::Convolutional => Some(Coder::Convolutional(Convolutional::untrained(settings.code_width.count()))),
        };
        Self { id: UNTRAINED_ID.into(), encoder: settings.encoder, trained_on: 0, coder }
    }

    /// A model just trained.
    pub fn trained(id: String, trained_on: usize, coder: Coder) -> Self {
        Self { id, encoder: coder.encoder(), trained_on, coder: Some(coder) }
    }

    /// The model kept in `row`; `None` for one of another encoder, or of other features, which cannot be compared.
    pub fn from_row(row: &ModelRow, encoder: Encoder) -> Result<Option<Self>, Trouble> {
        if row.trunk != FeatureKind::of(encoder).version || row.encoder != encoder.name() {
            return Ok(None);
        }
        let coder = Coder::from_safetensors(encoder, &row.weights).map_err(|reason| {
            Trouble::new(format!("the model cannot be used: {reason}"), &row.id, "a new one is trained by itself")
        })?;
        Ok(Some(Self::trained(row.id.clone(), row.trained_on, coder)))
    }

    /// Its name in records.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it was; else its codes are made of features without having learned anything.
    pub fn is_trained(&self) -> bool {
        self.trained_on > 0
    }

    /// Its kind.
    pub fn encoder(&self) -> Encoder {
        self.encoder
    }

    /// The features it takes.
    pub fn features(&self) -> FeatureKind {
        FeatureKind::of(self.encoder)
    }

    /// Pictures it was trained on; 0 before the first training.
    pub fn trained_on(&self) -> usize {
        self.trained_on
    }

    /// Values in its codes.
    pub fn code_width(&self) -> usize {
        self.coder.as_ref().map_or(self.features().width, Coder::code_width)
    }

    /// What comes back of features from their codes, at about unit length; `None` where codes are the features.
    pub fn restored(&self, features: &Rows) -> Option<Rows> {
        self.coder.as_ref().map(|coder| coder.restored(features))
    }

    /// Features `[n, features().width]` to codes `[n, code_width]`, not of unit length.
    pub fn codes(&self, features: &Rows) -> Rows {
        match &self.coder {
            Some(coder) => coder.encode(features),
            None => features.clone(),
        }
    }
}
