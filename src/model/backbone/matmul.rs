//! Pixels times a fixed matrix, with bias, activation and residual in the same pass over memory.
//!
//! The product of a 1×1 convolution. A general matrix product packs both of its sides at every call and leaves bias and
//! activation to further passes; here the weights never change, so they are put in the order of their use once, and a
//! tile of the product is written when it is finished. The tile stays in registers throughout, after Goto and van de
//! Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34 (2008).

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::buffer::Buffer;

/// Bytes of pixels that stay in the cache while all weights pass by.
const CHUNK_BYTES: usize = 256 << 10;

/// Weights `[in, out]` in the order of their use, and bias `[out]`.
pub(super) struct Packed {
    /// Panels of columns, each `[in, columns of the panel]`; the last one may be narrower.
    panels: Buffer,
    /// As many as the panels have columns.
    bias: Buffer,
    inputs: usize,
    outputs: usize,
}

/// What happens to a sum before it is written.
#[derive(Clone, Copy)]
pub(super) struct Finish<'data> {
    /// Smaller sums become this.
    pub(super) floor: f32,
    /// Larger sums become this.
    pub(super) ceiling: f32,
    /// `[n, out]`, added last.
    pub(super) residual: Option<&'data [f32]>,
}

impl Packed {
    /// Takes `weights` `[in, bias.len()]`.
    pub(super) fn new(weights: &[f32], bias: &[f32]) -> Self {
        Arch::new().dispatch(Pack { weights, bias })
    }

    /// `pixels` `[n, in]` to `[n, out]`.
    pub(super) fn apply(&self, pixels: &[f32], finish: Finish, out: &mut Buffer) {
        let out = out.room(pixels.len() / self.inputs * self.outputs);
        Arch::new().dispatch(MatmulRun { weights: self, pixels, finish, out });
    }
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
        for left in (0..padded).step_by(vectors::<S>() * S::F32_LANES) {
            let right = padded.min(left + vectors::<S>() * S::F32_LANES);
            for row in weights.chunks_exact(outputs) {
                panels.extend((left..right).map(|column| row.get(column).copied().unwrap_or(0.0)));
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(padded, 0.0);
        Packed { panels: Buffer::holding(&panels), bias: Buffer::holding(&bias), inputs, outputs }
    }
}

/// Vectors of columns in a panel: 7 × 3 sums fill the registers where there are 32, 6 × 2 where there are 16. (All
/// layers of the backbone have a multiple of 7 pixels.)
const fn vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 3 } else { 2 }
}

struct MatmulRun<'data> {
    weights: &'data Packed,
    pixels: &'data [f32],
    finish: Finish<'data>,
    out: &'data mut [f32],
}

impl WithSimd for MatmulRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match (S::REGISTER_COUNT >= 32, self.pixels.len() / self.weights.inputs) {
            (true, 7..) => self.chunks::<S, 7>(simd),
            (false, 6..) => self.chunks::<S, 6>(simd),
            _ => self.chunks::<S, 1>(simd),
        }
    }
}

impl MatmulRun<'_> {
    /// All pixels, a chunk of them after another, `HEIGHT` ≤ n at a time.
    #[inline(always)]
    fn chunks<S: Simd, const HEIGHT: usize>(&mut self, simd: S) {
        let inputs = self.weights.inputs;
        let count = self.pixels.len() / inputs;
        let rows = (CHUNK_BYTES / size_of::<f32>() / inputs / HEIGHT).max(1) * HEIGHT;
        for first in (0..count).step_by(rows) {
            let rows = first..count.min(first + rows);
            let mut left = 0;
            while left < self.weights.bias.len() {
                let vectors = ((self.weights.bias.len() - left) / S::F32_LANES).min(vectors::<S>());
                match vectors {
                    1 => self.panel::<S, HEIGHT, 1>(simd, rows.clone(), left),
                    2 => self.panel::<S, HEIGHT, 2>(simd, rows.clone(), left),
                    _ => self.panel::<S, HEIGHT, 3>(simd, rows.clone(), left),
                }
                left += vectors * S::F32_LANES;
            }
        }
    }

    /// The panel from column `left` on for the pixels `rows`. Where they end in a piece of a tile, the tile reaches back
    /// over pixels that are done, and does them once more.
    #[inline(always)]
    fn panel<S: Simd, const HEIGHT: usize, const VECTORS: usize>(&mut self, simd: S, rows: Range<usize>, left: usize) {
        let Packed { panels, bias, inputs, outputs } = self.weights;
        let width = VECTORS * S::F32_LANES;
        let columns = S::as_simd_f32s(&panels[left * inputs..][..width * inputs]).0.as_chunks::<VECTORS>().0;
        let bias = S::as_simd_f32s(&bias[left..][..width]).0.as_chunks::<VECTORS>().0[0];
        let span = left..(left + width).min(*outputs);
        for row in rows.step_by(HEIGHT) {
            let row = row.min(self.pixels.len() / inputs - HEIGHT);
            let sums = tile::<S, HEIGHT, VECTORS>(simd, &self.pixels[row * inputs..], columns, bias);
            for (row, sums) in (row..).zip(sums) {
                let span = row * outputs + span.start..row * outputs + span.end;
                store(simd, sums, &mut self.out[span.clone()], self.finish, span);
            }
        }
    }
}

/// `HEIGHT` pixels times one panel of columns.
#[inline(always)]
fn tile<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    pixels: &[f32],
    columns: &[[S::f32s; VECTORS]],
    bias: [S::f32s; VECTORS],
) -> [[S::f32s; VECTORS]; HEIGHT] {
    let inputs = columns.len();
    let pixels = &pixels[..HEIGHT * inputs];
    let mut rows = [&pixels[..inputs]; HEIGHT];
    for row in 1..HEIGHT {
        rows[row] = &pixels[row * inputs..][..inputs];
    }
    let mut sums = [bias; HEIGHT];
    for at in 0..inputs {
        for row in 0..HEIGHT {
            let value = simd.splat_f32s(rows[row][at]);
            for vector in 0..VECTORS {
                sums[row][vector] = simd.mul_add_e_f32s(value, columns[at][vector], sums[row][vector]);
            }
        }
    }
    sums
}

/// Finishes the sums of one pixel and writes them to `out`, which is `span` of the whole output.
#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(
    simd: S,
    mut sums: [S::f32s; VECTORS],
    out: &mut [f32],
    finish: Finish,
    span: Range<usize>,
) {
    let (floor, ceiling) = (simd.splat_f32s(finish.floor), simd.splat_f32s(finish.ceiling));
    // Loops and no adapters with closures: those would be compiled without the wide instructions, as calls.
    for sum in &mut sums {
        *sum = simd.min_f32s(simd.max_f32s(*sum, floor), ceiling);
    }
    if let Some(residual) = finish.residual {
        for (sum, before) in sums.iter_mut().zip(residual[span].chunks(S::F32_LANES)) {
            *sum = simd.add_f32s(*sum, simd.partial_load_f32s(before));
        }
    }
    let (whole, rest) = S::as_mut_simd_f32s(out);
    for (target, sum) in whole.iter_mut().zip(sums) {
        *target = sum;
    }
    if let Some(last) = sums.get(whole.len()) {
        simd.partial_store_f32s(rest, *last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|at| ((at * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    #[test]
    fn it_is_a_matrix_product_for_every_remainder_of_rows_and_columns() {
        for (inputs, outputs) in [(1, 1), (5, 3), (27, 32), (16, 24), (40, 41), (33, 112), (64, 100)] {
            let (weights, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let packed = Packed::new(&weights, &bias);
            for count in [1, 2, 5, 6, 7, 8, 13, 14, 15, 50] {
                let (pixels, residual) = (numbers(count * inputs, 3), numbers(count * outputs, 4));
                let mut out = Buffer::default();
                let finish = Finish { floor: -2.0, ceiling: 3.0, residual: Some(&residual) };
                packed.apply(&pixels, finish, &mut out);
                assert_eq!(out.len(), count * outputs);
                for (at, value) in out.iter().enumerate() {
                    let (pixel, column) = (&pixels[at / outputs * inputs..][..inputs], at % outputs);
                    let sum: f32 = (0..inputs).map(|row| pixel[row] * weights[row * outputs + column]).sum();
                    let expected = (sum + bias[column]).clamp(-2.0, 3.0) + residual[at];
                    assert!((value - expected).abs() < 1e-4, "{inputs}→{outputs}, {count} pixels: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_long_run_of_pixels_goes_in_chunks() {
        let packed = Packed::new(&numbers(16 * 24, 1), &[0.0; 24]);
        let pixels = numbers(16 * 10_001, 2);
        let finish = Finish { floor: f32::MIN, ceiling: f32::MAX, residual: None };
        let (mut all, mut alone) = (Buffer::default(), Buffer::default());
        packed.apply(&pixels, finish, &mut all);
        for at in [0, 4095, 4096, 7777, 10_000] {
            packed.apply(&pixels[at * 16..][..16], finish, &mut alone);
            let close = all[at * 24..][..24].iter().zip(alone.iter()).all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(close, "pixel {at}");
        }
    }
}
