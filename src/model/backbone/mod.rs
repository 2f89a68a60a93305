//! The frozen backbone, EfficientNet-Lite0: from a picture's pixels to its features, on kernels of its own.
//!
//! Between layers channels stand in groups of [`GROUP`]: `[groups, pixels, GROUP]`, as in oneDNN's `nChw16c`. A pixel of a
//! group is one cache line, and what a kernel reads next to each other stands next to each other.

mod block;
mod buffer;
mod depthwise;
mod matmul;
mod network;
mod packed;
mod pointwise;
mod pooling;
mod prefetch;
mod ring;
mod stem;

pub use network::Backbone;

/// Channels of a group. No vector of any machine is longer.
const GROUP: usize = 16;
