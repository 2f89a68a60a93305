//! A 1×1 convolution: one matrix product over all pixels.

use super::buffer::Buffer;
use super::matmul::{Finish, Packed};
use crate::model::weights::{Archive, LoadError};

/// What follows the bias.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// Clamp to 0..=6.
    Relu6,
    /// Leave as it is.
    Linear,
}

/// Weights `[in, out]` and bias `[out]` of a 1×1 convolution.
pub(super) struct Pointwise {
    weights: Packed,
    activation: Activation,
}

impl Pointwise {
    /// `weights` are `[inputs, bias.len()]`.
    pub(super) fn new(weights: Vec<f32>, bias: Vec<f32>, activation: Activation) -> Self {
        Self { weights: Packed::new(&weights, &bias), activation }
    }

    /// The layer called `name` in `archive`: `name.weight` `[inputs, outputs]` and `name.bias` `[outputs]`.
    pub(super) fn read(
        archive: &Archive,
        name: &str,
        inputs: usize,
        outputs: usize,
        activation: Activation,
    ) -> Result<Self, LoadError> {
        let weights = archive.sized(&format!("{name}.weight"), inputs, outputs)?;
        let bias = archive.sized(&format!("{name}.bias"), 1, outputs)?;
        Ok(Self::new(weights, bias, activation))
    }

    /// Pixels `[n, in]` to pixels `[n, out]`.
    pub(super) fn apply(&self, pixels: &[f32], out: &mut Buffer) {
        self.run(pixels, None, out);
    }

    /// As [`Pointwise::apply`], plus the pixels `residual` `[n, out]`.
    pub(super) fn apply_and_add(&self, pixels: &[f32], residual: &[f32], out: &mut Buffer) {
        self.run(pixels, Some(residual), out);
    }

    fn run(&self, pixels: &[f32], residual: Option<&[f32]>, out: &mut Buffer) {
        let (floor, ceiling) = match self.activation {
            Activation::Relu6 => (0.0, 6.0),
            Activation::Linear => (f32::MIN, f32::MAX),
        };
        self.weights.apply(pixels, Finish { floor, ceiling, residual }, out);
    }
}
