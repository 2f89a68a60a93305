//! The linear autoencoder: from the backbone's features to embeddings and back, fitted in closed form.

mod autoencoder;
mod eigen;
mod pairs;
mod subspace;
mod teaching;

pub use autoencoder::LinearAutoencoder;
