//! The convolutional autoencoder: from a picture's pixels to an embedding and back, trained from nothing on the user's pictures.
//!
//! ```text
//! pixels [56, 56, 3] ─ Lab ─┬─ palette: soft bins of colour, their shares        ─ colours  [K] ─┐
//!                           └─ convolutions ─ 7×7 ─┬─ means over the picture      ─ textures [T] ─┼─ embedding ─ convolutions ─ pixels
//!                                                  └─ all places, a fully connected layer ─ layout [L] ─┘
//! ```
//!
//! All of it is matrix products on NHWC tensors: on burn-ndarray a convolution layer's backward pass is a hundred times
//! slower. Two terms train it: what comes back has to look like the picture, and two views of one picture (cut, mirrored,
//! recoloured) have to be closer to each other than to any other picture.

mod augmentation;
mod colour;
mod encoder;
mod layers;
mod network;
mod objective;
mod palette;
mod pixels;
mod training;

pub use encoder::ConvolutionalAutoencoder;
pub use pixels::Pixels;
pub use training::{Effort, Stopped};
