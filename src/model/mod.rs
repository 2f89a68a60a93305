//! The only user of burn: trunk, autoencoder, training, registry of models.
