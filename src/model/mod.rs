//! From pixels to features (the trunk) and from features to codes (the autoencoder); the only user of burn.

mod autoencoder;
mod backbone;
mod backend;
pub mod convolutional;
mod extractor;
mod linear;
mod sample_weights;
mod served;
mod training_set;
mod weights;

pub use autoencoder::{Coder, Unlearned};
pub use backbone::Trunk;
pub use extractor::{Extractor, FeatureKind};
pub use linear::Autoencoder;
pub use served::{Model, UNTRAINED_ID};
pub use training_set::{Lesson, SEED};
