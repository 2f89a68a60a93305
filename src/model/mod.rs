//! The only user of burn: trunk, autoencoder, training, registry of models.

mod autoencoder;
mod backend;
mod block;
mod buffer;
mod depthwise;
mod eigen;
mod pointwise;
mod product;
mod served;
mod stem;
mod subspace;
mod trunk;
mod weights;

pub use autoencoder::Autoencoder;
pub use served::{Model, PRETRAINED};
pub use trunk::Trunk;
