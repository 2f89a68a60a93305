//! A model as it serves: it turns features into codes. Before the first training that is the identity.

use crate::catalog::ModelRow;
use crate::error::Trouble;
use crate::rows::Rows;

use super::{Autoencoder, Trunk};

/// The one kind of encoder there is so far: a frozen pretrained trunk below a trained autoencoder.
pub const PRETRAINED: &str = "pretrained";
/// The id of the model that serves before any training.
pub const UNTRAINED_ID: &str = "features";

/// What turns features into codes.
#[derive(Clone)]
pub struct Model {
    id: String,
    trained_on: usize,
    autoencoder: Option<Autoencoder>,
}

impl Model {
    /// The trunk's features as they are: what answers before the first training.
    pub fn untrained() -> Self {
        Self { id: UNTRAINED_ID.into(), trained_on: 0, autoencoder: None }
    }

    /// A model just trained.
    pub fn trained(id: String, trained_on: usize, autoencoder: Autoencoder) -> Self {
        Self { id, trained_on, autoencoder: Some(autoencoder) }
    }

    /// The model kept in `row`; `None` for one of another trunk, whose features cannot be compared any more.
    pub fn from_row(row: &ModelRow) -> Result<Option<Self>, Trouble> {
        if row.trunk != Trunk::VERSION || row.encoder != PRETRAINED {
            return Ok(None);
        }
        let autoencoder = Autoencoder::from_safetensors(&row.weights).map_err(|reason| {
            Trouble::new(format!("the model cannot be used: {reason}"), &row.id, "a new one is trained by itself")
        })?;
        Ok(Some(Self::trained(row.id.clone(), row.trained_on, autoencoder)))
    }

    /// Its name in records.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it was; else its codes are the features.
    pub fn is_trained(&self) -> bool {
        self.autoencoder.is_some()
    }

    /// Pictures it was trained on; 0 before the first training.
    pub fn trained_on(&self) -> usize {
        self.trained_on
    }

    /// Values in its codes.
    pub fn code_width(&self) -> usize {
        self.autoencoder.as_ref().map_or(Trunk::WIDTH, Autoencoder::code_width)
    }

    /// What comes back of features `[n, 1280]` from their codes, at about unit length; `None` before any training, when
    /// codes are the features.
    pub fn restored(&self, features: &Rows) -> Option<Rows> {
        self.autoencoder.as_ref().map(|autoencoder| autoencoder.decode(&autoencoder.encode(features)))
    }

    /// Features `[n, 1280]` to codes `[n, code_width]`, not of unit length.
    pub fn codes(&self, features: &Rows) -> Rows {
        match &self.autoencoder {
            Some(autoencoder) => autoencoder.encode(features),
            None => features.clone(),
        }
    }
}
