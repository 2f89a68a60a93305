//! A model as it serves: it turns features into embeddings.

use crate::base::rows::Rows;
use crate::catalog::ModelRow;
use crate::config::{Encoder, ModelSettings};
use crate::error::Trouble;

use super::convolutional::ConvolutionalAutoencoder;
use super::{Autoencoder, FeatureKind, FolderLesson, FolderReport};

/// The id of the model that serves before any training.
pub const UNTRAINED_ID: &str = "features";

/// What turns features into embeddings.
#[derive(Clone)]
pub struct Model {
    id: String,
    features: FeatureKind,
    trained_on: usize,
    /// `None`: the part of features for the whole picture is the embedding.
    autoencoder: Option<Autoencoder>,
}

impl Model {
    /// What answers before the first training on `features`: the part of them for the whole picture, since the others help only where
    /// a training knows which of them matter; of the convolutional encoder the part that counts colours.
    pub fn untrained(settings: &ModelSettings, features: FeatureKind) -> Self {
        let autoencoder = match features.encoder {
            Encoder::Pretrained => None,
            Encoder::Convolutional => {
                Some(Autoencoder::Convolutional(ConvolutionalAutoencoder::untrained(settings.code_width.count())))
            }
        };
        Self { id: UNTRAINED_ID.into(), features, trained_on: 0, autoencoder }
    }

    /// A model just trained on `features`.
    pub fn trained(id: String, features: FeatureKind, trained_on: usize, autoencoder: Autoencoder) -> Self {
        Self { id, features, trained_on, autoencoder: Some(autoencoder) }
    }

    /// The model kept in `row`; `None` for one of another encoder, or of other features, which cannot be compared.
    pub fn from_row(row: &ModelRow, features: &FeatureKind) -> Result<Option<Self>, Trouble> {
        if !features.are_taken_by(row) {
            return Ok(None);
        }
        let autoencoder = Autoencoder::from_safetensors(features, &row.weights).map_err(|reason| {
            Trouble::new(format!("the model cannot be used: {reason}"), &row.id, "a new one is trained by itself")
        })?;
        Ok(Some(Self::trained(row.id.clone(), features.clone(), row.trained_on, autoencoder)))
    }

    /// Its name in records.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it was trained; else its embeddings are parts of the features, or what an untrained encoder makes of them.
    pub fn is_trained(&self) -> bool {
        self.trained_on > 0
    }

    /// Its kind.
    pub fn encoder(&self) -> Encoder {
        self.features.encoder
    }

    /// The features it takes.
    pub fn features(&self) -> &FeatureKind {
        &self.features
    }

    /// Pictures it was trained on; 0 before the first training.
    pub fn trained_on(&self) -> usize {
        self.trained_on
    }

    /// What folders gave it; `None` where they were not asked.
    pub fn folder_lesson(&self) -> Option<&FolderLesson> {
        self.autoencoder.as_ref().and_then(Autoencoder::folder_lesson)
    }

    /// The same to be shown, or why there is nothing.
    pub fn folder_report(&self) -> FolderReport {
        let untrained = || FolderReport::none("no folders taught: nothing is trained yet");
        self.autoencoder.as_ref().map_or_else(untrained, Autoencoder::folder_report)
    }

    /// Values in its embeddings.
    pub fn embedding_width(&self) -> usize {
        self.autoencoder.as_ref().map_or(self.features.whole_width(), Autoencoder::embedding_width)
    }

    /// What comes back of features from their embeddings, at about unit length; `None` where embeddings are parts of the features.
    pub fn restored(&self, features: &Rows) -> Option<Rows> {
        self.autoencoder.as_ref().map(|autoencoder| autoencoder.restored(features))
    }

    /// Features `[n, features().width]` to embeddings `[n, embedding_width]`, not of unit length.
    pub fn encode(&self, features: &Rows) -> Rows {
        match &self.autoencoder {
            Some(autoencoder) => autoencoder.encode(features),
            None => self.whole_pictures(features),
        }
    }

    /// Of features `[n, width]` the part for the whole picture.
    fn whole_pictures(&self, features: &Rows) -> Rows {
        let none = vec![0.0; self.features.whole_width()];
        let mut whole = Rows::empty(none.len());
        for row in features.iter() {
            whole.push(self.features.whole_of(row).unwrap_or(&none));
        }
        whole
    }
}
