//! From pixels to features (the trunk) and from features to codes (the autoencoder); the only user of burn.

mod autoencoder;
mod backend;
mod block;
mod buffer;
mod coder;
pub mod convolutional;
mod depthwise;
mod eigen;
mod extractor;
mod learn;
mod pairs;
mod pointwise;
mod product;
mod served;
mod stem;
mod subspace;
mod trunk;
mod weighing;
mod weights;

pub use autoencoder::Autoencoder;
pub use coder::{Coder, Unlearned};
pub use extractor::{Extractor, FeatureKind};
pub use learn::{Lesson, SEED};
pub use served::{Model, UNTRAINED_ID};
pub use trunk::Trunk;
