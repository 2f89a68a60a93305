//! The weights of a matrix product in the order of their use.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::GROUP;
use super::buffer::Buffer;

/// No panel is wider, whatever the machine, and the width of each divides it.
pub(super) const MAX_PANEL: usize = 3 * GROUP;

/// Weights `[in, out]` in panels, and bias `[out]`.
pub(super) struct Packed {
    /// Panels of columns, each `[in, columns of the panel]`; the last one may be narrower.
    panels: Buffer,
    /// As many as the panels have columns.
    pub(super) bias: Buffer,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// Some inputs and outputs of a product. They begin at multiples of [`MAX_PANEL`], or end with the last one.
#[derive(Clone)]
pub(super) struct Submatrix {
    pub(super) inputs: Range<usize>,
    pub(super) outputs: Range<usize>,
}

impl Packed {
    /// Takes `weights` `[in, bias.len()]`.
    pub(super) fn new(weights: &[f32], bias: &[f32]) -> Self {
        Arch::new().dispatch(Pack { weights, bias })
    }

    /// The weights of `inputs` in the panel from column `left` on: `[inputs.len(), columns of the panel]`.
    #[inline(always)]
    pub(super) fn panel<S: Simd>(&self, left: usize, inputs: Range<usize>) -> &[f32] {
        let width = (self.bias.len() - left).min(panel_vectors::<S>() * S::F32_LANES);
        &self.panels[left * self.inputs..][inputs.start * width..inputs.end * width]
    }

    /// The first panel that is used of `part`.
    pub(super) fn first_panel(&self, part: Submatrix) -> &[f32] {
        Arch::new().dispatch(FirstPanel { weights: self, part })
    }
}

/// Vectors of columns in a panel: 9 × 3 sums fill the registers where there are 32, 6 × 2 where there are 16.
pub(super) const fn panel_vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 3 } else { 2 }
}

struct Pack<'data> {
    weights: &'data [f32],
    bias: &'data [f32],
}

impl WithSimd for Pack<'_> {
    type Output = Packed;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Packed {
        let Self { weights, bias } = self;
        let (inputs, outputs) = (weights.len() / bias.len(), bias.len());
        let padded = outputs.next_multiple_of(S::F32_LANES);
        let mut panels = Vec::with_capacity(padded * inputs);
        for left in (0..padded).step_by(panel_vectors::<S>() * S::F32_LANES) {
            let right = padded.min(left + panel_vectors::<S>() * S::F32_LANES);
            for row in weights.chunks_exact(outputs) {
                panels.extend((left..right).map(|column| row.get(column).copied().unwrap_or(0.0)));
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(padded, 0.0);
        Packed { panels: Buffer::holding(&panels), bias: Buffer::holding(&bias), inputs, outputs }
    }
}

struct FirstPanel<'data> {
    weights: &'data Packed,
    part: Submatrix,
}

impl<'data> WithSimd for FirstPanel<'data> {
    type Output = &'data [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        self.weights.panel::<S>(self.part.outputs.start, self.part.inputs)
    }
}
