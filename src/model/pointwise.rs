//! A 1×1 convolution: one matrix product over all pixels, then bias and activation in one pass.

use burn::tensor::Tensor;
use pulp::Arch;

use super::backend;

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
    weights: Tensor<2>,
    inputs: usize,
    bias: Vec<f32>,
    activation: Activation,
}

impl Pointwise {
    /// `weights` are `[inputs, bias.len()]`.
    pub(super) fn new(weights: Vec<f32>, bias: Vec<f32>, activation: Activation) -> Self {
        let inputs = weights.len() / bias.len();
        Self { weights: backend::matrix(weights, bias.len()), inputs, bias, activation }
    }

    /// Channels of the output.
    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Pixels `[n, in]` to pixels `[n, out]`.
    pub(super) fn apply(&self, pixels: Vec<f32>) -> Vec<f32> {
        let mut out = backend::values(backend::matrix(pixels, self.inputs).matmul(self.weights.clone()));
        finish(&mut out, &self.bias, self.activation);
        out
    }

    /// As [`Pointwise::apply`], plus the pixels `residual` `[n, out]`.
    pub(super) fn apply_and_add(&self, pixels: Vec<f32>, residual: &[f32]) -> Vec<f32> {
        let mut out = self.apply(pixels);
        Arch::new().dispatch(|| out.iter_mut().zip(residual).for_each(|(value, before)| *value += before));
        out
    }
}

/// Adds `bias` to every pixel and activates, in place.
fn finish(pixels: &mut [f32], bias: &[f32], activation: Activation) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for pixel in pixels.chunks_exact_mut(bias.len()) {
                match activation {
                    Activation::Relu6 => pixel.iter_mut().zip(bias).for_each(|(v, b)| *v = (*v + b).clamp(0.0, 6.0)),
                    Activation::Linear => pixel.iter_mut().zip(bias).for_each(|(v, b)| *v += b),
                }
            }
        },
    );
}
