//! From pixels to features (the backbone) and from features to embeddings (the autoencoder); the only user of burn.

mod autoencoder;
mod backbone;
mod backend;
pub mod convolutional;
mod extractor;
mod folders;
mod linear;
mod onnx;
mod sample_weights;
mod served;
mod training_set;
mod weights;

pub use autoencoder::{Autoencoder, TrainingError};
pub use backbone::Backbone;
pub use extractor::{Extractor, FeatureKind};
pub use folders::{DEEPEST as DEEPEST_FOLDER, FolderLabels, FolderLesson, FolderLevel, FolderReport};
pub use linear::LinearAutoencoder;
pub use onnx::{NetworkProblem, OnnxNetwork};
pub use served::{Model, UNTRAINED_ID};
pub use training_set::{SEED, TrainingSet};
pub use weights::{ArrayProblem, LoadError};
