//! The only user of burn: trunk, autoencoder, training, registry of models.

mod backend;
mod depthwise;
mod pointwise;
mod stem;
mod trunk;
mod weights;

pub use trunk::Trunk;
