//! The frozen backbone, EfficientNet-Lite0: from a picture's pixels to its features, on kernels of its own.

mod block;
mod buffer;
mod depthwise;
mod matmul;
mod network;
mod pointwise;
mod stem;

pub use network::Backbone;
