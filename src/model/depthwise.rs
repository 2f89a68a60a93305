//! A direct depthwise convolution on NHWC pictures with bias and ReLU6 in the same pass.
//!
//! Every output pixel of a block of channels is summed in registers over all taps and written once. Four neighbours are
//! summed together where all their taps fall inside the picture, so each weight is loaded once for four of them.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

/// Channels come in multiples of this; no vector of any machine is longer.
pub(super) const CHANNEL_BLOCK: usize = 16;

/// Output pixels that are summed together.
const TILE: usize = 4;

/// A depthwise convolution with TensorFlow SAME padding, bias and ReLU6.
pub(super) struct Depthwise {
    side: usize,
    stride: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// Zeros before the first pixel under TensorFlow SAME padding; what is missing to `side` goes behind the last one.
pub(super) fn padding_before(length: usize, side: usize, stride: usize) -> usize {
    let steps = length.div_ceil(stride).max(1) - 1;
    (steps * stride + side).saturating_sub(length) / 2
}

impl Depthwise {
    /// A kernel `[side * side, channels]`, channels in multiples of [`CHANNEL_BLOCK`].
    pub(super) fn new(side: usize, stride: usize, weights: Vec<f32>, bias: Vec<f32>) -> Self {
        Self { side, stride, weights, bias }
    }

    /// `[height, width, channels]` to `[⌈height/stride⌉, ⌈width/stride⌉, channels]`.
    pub(super) fn apply(&self, input: &[f32], height: usize, width: usize) -> Vec<f32> {
        let channels = self.bias.len();
        let mut out = vec![0.0; height.div_ceil(self.stride) * width.div_ceil(self.stride) * channels];
        Arch::new().dispatch(Run { layer: self, input, height, width, out: &mut out });
        out
    }
}

struct Run<'data> {
    layer: &'data Depthwise,
    input: &'data [f32],
    height: usize,
    width: usize,
    out: &'data mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, input, height, width, out } = self;
        let lanes = layer.bias.len() / S::F32_LANES;
        let out_width = width.div_ceil(layer.stride);
        let view = View {
            simd,
            input: S::as_simd_f32s(input).0,
            weights: S::as_simd_f32s(&layer.weights).0,
            bias: S::as_simd_f32s(&layer.bias).0,
            width,
            lanes,
            side: layer.side,
            stride: layer.stride,
            before: padding_before(width, layer.side, layer.stride),
        };
        let before = padding_before(height, layer.side, layer.stride);
        for (y, row) in S::as_mut_simd_f32s(out).0.chunks_exact_mut(out_width * lanes).enumerate() {
            let first = before.saturating_sub(y * layer.stride);
            let last = (height + before - y * layer.stride).min(layer.side);
            view.row(y * layer.stride + first - before, first..last, row);
        }
    }
}

/// One call's data as vectors of the machine; `lanes` of them are one pixel.
struct View<'data, S: Simd> {
    simd: S,
    input: &'data [S::f32s],
    weights: &'data [S::f32s],
    bias: &'data [S::f32s],
    width: usize,
    lanes: usize,
    side: usize,
    stride: usize,
    before: usize,
}

impl<S: Simd> View<'_, S> {
    /// One output row from the kernel rows `taps`, the first of which lies on input row `top`.
    #[inline(always)]
    fn row(&self, top: usize, taps: Range<usize>, out: &mut [S::f32s]) {
        let count = out.len() / self.lanes;
        let mut x = 0;
        while x < count {
            let inside = x * self.stride >= self.before
                && (x + TILE - 1) * self.stride + self.side <= self.width + self.before
                && x + TILE <= count;
            if inside {
                let left = x * self.stride - self.before;
                self.pixels::<TILE>(top, taps.clone(), left, 0..self.side, &mut out[x * self.lanes..]);
                x += TILE;
            } else {
                let first = self.before.saturating_sub(x * self.stride);
                let last = (self.width + self.before - x * self.stride).min(self.side);
                let left = x * self.stride + first - self.before;
                self.pixels::<1>(top, taps.clone(), left, first..last, &mut out[x * self.lanes..]);
                x += 1;
            }
        }
    }

    /// `N` neighbouring output pixels from the kernel rows `rows` and columns `columns`.
    #[inline(always)]
    fn pixels<const N: usize>(
        &self,
        top: usize,
        rows: Range<usize>,
        left: usize,
        columns: Range<usize>,
        out: &mut [S::f32s],
    ) {
        let (simd, lanes) = (self.simd, self.lanes);
        let (zero, six) = (simd.splat_f32s(0.0), simd.splat_f32s(6.0));
        for lane in 0..lanes {
            let mut sums = [self.bias[lane]; N];
            for (down, row) in rows.clone().enumerate() {
                for (right, column) in columns.clone().enumerate() {
                    let weight = self.weights[(row * self.side + column) * lanes + lane];
                    let start = ((top + down) * self.width + left + right) * lanes + lane;
                    for (pixel, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.mul_add_e_f32s(self.input[start + pixel * self.stride * lanes], weight, *sum);
                    }
                }
            }
            for (pixel, sum) in sums.into_iter().enumerate() {
                out[pixel * lanes + lane] = simd.min_f32s(simd.max_f32s(sum, zero), six);
            }
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
                    let layer = Depthwise::new(side, stride, noise(side * side * channels, 1), noise(channels, 2));
                    let input = noise(height * width * channels, 3);
                    let (fast, slow) = (layer.apply(&input, height, width), naive(&layer, &input, height, width));
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
