//! A 1×1 convolution: one matrix product over all pixels.

use std::ops::Range;

use super::matmul::{Finish, Packed, Part, Pixels, Target};
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
        Ok(Self { weights: Packed::new(&weights, &bias), activation })
    }

    /// All inputs of as many `pixels` as `target` has places, to the channels `outputs`.
    pub(super) fn widen(&self, outputs: Range<usize>, pixels: Pixels, target: Target) {
        self.apply(Part { inputs: 0..self.weights.inputs, outputs }, pixels, None, target);
    }

    /// The channels `inputs` to all outputs, one part of the inputs after another; with the last, `residual` is added,
    /// which stands as `target` does.
    pub(super) fn narrow(&self, inputs: Range<usize>, pixels: Pixels, residual: Option<&[f32]>, target: Target) {
        self.apply(Part { inputs, outputs: 0..self.weights.outputs }, pixels, residual, target);
    }

    fn apply(&self, part: Part, pixels: Pixels, residual: Option<&[f32]>, target: Target) {
        let (floor, ceiling) = match self.activation {
            Activation::Relu6 => (0.0, 6.0),
            Activation::Linear => (f32::MIN, f32::MAX),
        };
        self.weights.apply(part, pixels, Finish { floor, ceiling, residual }, target);
    }
}
