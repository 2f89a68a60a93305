//! A 1×1 convolution: one matrix product over all pixels, or a part of it.

use std::ops::Range;

use super::matmul::{Finish, PixelSpan, Product, Target};
use super::packed::{Packed, Submatrix};
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

    /// All inputs, to some `outputs`.
    pub(super) fn columns(&self, outputs: Range<usize>) -> Submatrix {
        Submatrix { inputs: 0..self.weights.inputs, outputs }
    }

    /// Some `inputs`, to all outputs.
    pub(super) fn rows(&self, inputs: Range<usize>) -> Submatrix {
        Submatrix { inputs, outputs: 0..self.weights.outputs }
    }

    /// What [`Pointwise::apply`] begins with.
    pub(super) fn first_weights(&self, part: Submatrix) -> &[f32] {
        self.weights.first_panel(part)
    }

    /// Some inputs of as many pixels from `span` on as `target` has places, to some outputs; see [`Product`]. With the last inputs
    /// `residual` is added, which stands as `target` does.
    pub(super) fn apply(
        &self,
        part: Submatrix,
        (pixels, span): (&[f32], PixelSpan),
        residual: Option<&[f32]>,
        target: Target,
        next: &[f32],
    ) {
        let (floor, ceiling) = match self.activation {
            Activation::Relu6 => (0.0, 6.0),
            Activation::Linear => (f32::MIN, f32::MAX),
        };
        let finish = Finish { floor, ceiling, residual };
        Product { weights: &self.weights, part, pixels, span, target, finish, next }.compute();
    }
}
