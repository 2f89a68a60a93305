//! A direct depthwise convolution on NHWC pictures with bias and ReLU6 in the same pass.
//!
//! Nine neighbouring output pixels are summed together in registers, over all taps, and written once: each weight is
//! loaded once for the nine of them. What lies outside the picture is a row of zeros, so borders take the same path.

use pulp::{Arch, Simd, WithSimd};

use super::buffer::Buffer;
use crate::model::weights::{Archive, LoadError};

/// Channels come in multiples of this; no vector of any machine is longer.
const CHANNEL_BLOCK: usize = 16;

/// Output pixels that are summed together; every layer of the backbone is a multiple of 9 wide.
const TILE: usize = 9;

/// Input columns that a tile of the widest kernel and stride sees.
const MAX_COLUMNS: usize = (TILE - 1) * 2 + 5;

/// A depthwise convolution with TensorFlow SAME padding, bias and ReLU6.
pub(super) struct Depthwise {
    side: usize,
    stride: usize,
    weights: Buffer,
    bias: Buffer,
}

/// Zeros before the first pixel under TensorFlow SAME padding; what is missing to `side` goes behind the last one.
pub(super) fn padding_before(length: usize, side: usize, stride: usize) -> usize {
    let steps = length.div_ceil(stride).max(1) - 1;
    (steps * stride + side).saturating_sub(length) / 2
}

impl Depthwise {
    /// The layer called `name` in `archive`: `name.weight` `[side * side, channels]` and `name.bias` `[channels]`.
    pub(super) fn read(
        archive: &Archive,
        name: &str,
        side: usize,
        stride: usize,
        channels: usize,
    ) -> Result<Self, LoadError> {
        let weights = archive.sized(&format!("{name}.weight"), side * side, channels)?;
        let bias = archive.sized(&format!("{name}.bias"), 1, channels)?;
        Ok(Self::new(side, stride, &weights, &bias))
    }

    /// A kernel `[side * side, channels]`; `side` 3 or 5, `stride` 1 or 2, channels in multiples of [`CHANNEL_BLOCK`].
    fn new(side: usize, stride: usize, weights: &[f32], bias: &[f32]) -> Self {
        debug_assert!(matches!((side, stride), (3 | 5, 1 | 2)) && bias.len().is_multiple_of(CHANNEL_BLOCK));
        Self { side, stride, weights: Buffer::holding(weights), bias: Buffer::holding(bias) }
    }

    /// `[height, width, channels]` to `[⌈height/stride⌉, ⌈width/stride⌉, channels]`.
    pub(super) fn apply(&self, input: &[f32], height: usize, width: usize, out: &mut Buffer) {
        let out = out.room(height.div_ceil(self.stride) * width.div_ceil(self.stride) * self.bias.len());
        Arch::new().dispatch(DepthwiseRun { layer: self, input, height, width, out });
    }
}

struct DepthwiseRun<'data> {
    layer: &'data Depthwise,
    input: &'data [f32],
    height: usize,
    width: usize,
    out: &'data mut [f32],
}

impl WithSimd for DepthwiseRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.layer.side, self.layer.stride) {
            (3, 1) => self.rows::<S, 3, 1>(simd),
            (3, _) => self.rows::<S, 3, 2>(simd),
            (_, 1) => self.rows::<S, 5, 1>(simd),
            _ => self.rows::<S, 5, 2>(simd),
        }
    }
}

impl DepthwiseRun<'_> {
    #[inline(always)]
    fn rows<S: Simd, const SIDE: usize, const STRIDE: usize>(self, simd: S) {
        let Self { layer, input, height, width, out } = self;
        let lanes = layer.bias.len() / S::F32_LANES;
        let (input, out) = (S::as_simd_f32s(input).0, S::as_mut_simd_f32s(out).0);
        let (weights, bias) = (S::as_simd_f32s(&layer.weights).0, S::as_simd_f32s(&layer.bias).0);
        let (above, before) = (padding_before(height, SIDE, STRIDE), padding_before(width, SIDE, STRIDE));
        let outside = vec![simd.splat_f32s(0.0); lanes];
        for (y, row) in out.chunks_exact_mut(width.div_ceil(STRIDE) * lanes).enumerate() {
            let mut lines: [&[S::f32s]; SIDE] = [&[]; SIDE];
            for (tap, line) in lines.iter_mut().enumerate() {
                let at = (y * STRIDE + tap).wrapping_sub(above);
                if at < height {
                    *line = &input[at * width * lanes..][..width * lanes];
                }
            }
            for (tile, out) in row.chunks_mut(TILE * lanes).enumerate() {
                let first = (tile * TILE * STRIDE).wrapping_sub(before);
                let seen = seen_from::<S, SIDE>(&lines, first, (TILE - 1) * STRIDE + SIDE, &outside);
                pixels::<S, SIDE, STRIDE>(simd, &seen, weights, bias, out);
            }
        }
    }
}

/// The `count` pixels of each line from column `first` on; `outside` where there is none. A column left of the picture
/// has wrapped round to a huge number, and an empty line lies above or below it.
#[inline(always)]
fn seen_from<'data, S: Simd, const SIDE: usize>(
    lines: &[&'data [S::f32s]; SIDE],
    first: usize,
    count: usize,
    outside: &'data [S::f32s],
) -> [[&'data [S::f32s]; MAX_COLUMNS]; SIDE] {
    let lanes = outside.len();
    let mut seen = [[outside; MAX_COLUMNS]; SIDE];
    for (line, seen) in lines.iter().zip(&mut seen) {
        for (column, pixel) in seen[..count].iter_mut().enumerate() {
            let at = first.wrapping_add(column);
            if at < line.len() / lanes {
                *pixel = &line[at * lanes..][..lanes];
            }
        }
    }
    seen
}

/// Up to [`TILE`] neighbouring output pixels from the input pixels `seen`.
#[inline(always)]
fn pixels<S: Simd, const SIDE: usize, const STRIDE: usize>(
    simd: S,
    seen: &[[&[S::f32s]; MAX_COLUMNS]; SIDE],
    weights: &[S::f32s],
    bias: &[S::f32s],
    out: &mut [S::f32s],
) {
    let lanes = bias.len();
    let (zero, six) = (simd.splat_f32s(0.0), simd.splat_f32s(6.0));
    for lane in 0..lanes {
        let mut sums = [bias[lane]; TILE];
        for (row, line) in seen.iter().enumerate() {
            for column in 0..SIDE {
                let weight = weights[(row * SIDE + column) * lanes + lane];
                for pixel in 0..TILE {
                    sums[pixel] = simd.mul_add_e_f32s(line[pixel * STRIDE + column][lane], weight, sums[pixel]);
                }
            }
        }
        for (pixel, sum) in out.chunks_exact_mut(lanes).zip(sums) {
            pixel[lane] = simd.min_f32s(simd.max_f32s(sum, zero), six);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        (0..count as u32)
            .map(|at| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / 8e6 - 1.0)
            .collect()
    }

    /// Straight from the definition, one number at a time.
    fn naive(layer: &Depthwise, input: &[f32], height: usize, width: usize) -> Vec<f32> {
        let (side, stride, channels) = (layer.side, layer.stride, layer.bias.len());
        let (above, before) = (padding_before(height, side, stride), padding_before(width, side, stride));
        let mut out = Vec::new();
        for y in 0..height.div_ceil(stride) {
            for x in 0..width.div_ceil(stride) {
                for channel in 0..channels {
                    let mut sum = layer.bias[channel];
                    for (row, column) in (0..side * side).map(|tap| (tap / side, tap % side)) {
                        let (down, right) = (y * stride + row, x * stride + column);
                        if (above..height + above).contains(&down) && (before..width + before).contains(&right) {
                            let at = ((down - above) * width + right - before) * channels + channel;
                            sum += input[at] * layer.weights[(row * side + column) * channels + channel];
                        }
                    }
                    out.push(sum.clamp(0.0, 6.0));
                }
            }
        }
        out
    }

    #[test]
    fn it_does_what_the_definition_says() {
        for (side, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
            for (height, width) in [(1, 1), (2, 3), (7, 7), (9, 14), (13, 11), (16, 23)] {
                for channels in [16, 48] {
                    let layer = Depthwise::new(side, stride, &noise(side * side * channels, 1), &noise(channels, 2));
                    let input = noise(height * width * channels, 3);
                    let mut fast = Buffer::default();
                    layer.apply(&input, height, width, &mut fast);
                    let slow = naive(&layer, &input, height, width);
                    assert_eq!(fast.len(), slow.len());
                    let worst = fast.iter().zip(&slow).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(worst < 1e-5, "{worst} at kernel {side}, stride {stride}, {height}×{width}×{channels}");
                }
            }
        }
    }

    #[test]
    fn padding_is_that_of_tensorflow() {
        assert_eq!(padding_before(224, 3, 2), 0);
        assert_eq!(padding_before(225, 3, 2), 1);
        assert_eq!(padding_before(56, 5, 2), 1);
        assert_eq!(padding_before(56, 3, 1), 1);
        assert_eq!(padding_before(56, 5, 1), 2);
    }
}
