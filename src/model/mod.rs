//! From pixels to features (the trunk) and from features to codes (the autoencoder); the only user of burn.

mod autoencoder;
mod backend;
mod block;
mod buffer;
mod depthwise;
mod eigen;
mod learn;
mod pointwise;
mod product;
mod served;
mod stem;
mod subspace;
mod trunk;
mod weighing;
mod weights;

pub use autoencoder::Autoencoder;
pub use learn::{Lesson, MOST_ROWS};
pub use served::{Model, PRETRAINED, UNTRAINED_ID};
pub use trunk::Trunk;
