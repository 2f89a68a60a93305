//! A direct depthwise convolution with bias and ReLU6 in the same pass.
//!
//! Neighbouring output pixels of a channel group are summed together in registers, over all taps, and written once: each
//! weight is loaded once for all of them. The input comes a few rows at a time, in a [`RowRing`].

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::GROUP;
use super::buffer::Buffer;
use super::ring::RowRing;
use crate::model::weights::{Archive, LoadError};

/// Output pixels that are summed together; every layer of the backbone is a multiple of 9 wide.
const TILE: usize = 9;

/// A depthwise convolution with TensorFlow SAME padding, bias and ReLU6.
pub(super) struct Depthwise {
    side: usize,
    stride: usize,
    /// `[groups, side * side, GROUP]`
    weights: Buffer,
    bias: Buffer,
}

/// Zeros before the first pixel under TensorFlow SAME padding; what is missing to `side` goes behind the last one.
fn padding_before(length: usize, side: usize, stride: usize) -> usize {
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

    /// A kernel `[side * side, channels]`; `side` 3 or 5, `stride` 1 or 2, channels in multiples of [`GROUP`].
    fn new(side: usize, stride: usize, weights: &[f32], bias: &[f32]) -> Self {
        debug_assert!(matches!((side, stride), (3 | 5, 1 | 2)) && bias.len().is_multiple_of(GROUP));
        let mut grouped = Vec::with_capacity(weights.len());
        for channel in (0..bias.len()).step_by(GROUP) {
            weights.chunks_exact(bias.len()).for_each(|tap| grouped.extend_from_slice(&tap[channel..][..GROUP]));
        }
        Self { side, stride, weights: Buffer::holding(&grouped), bias: Buffer::holding(bias) }
    }

    /// How many channels it filters.
    pub(super) fn channels(&self) -> usize {
        self.bias.len()
    }

    /// Rows or columns of the output for those of the input.
    pub(super) fn shrunk(&self, length: usize) -> usize {
        length.div_ceil(self.stride)
    }

    /// A ring for an input `[height, width]`, large enough for `rows` rows of the output.
    pub(super) fn ring(&self, height: usize, width: usize, rows: usize) -> RowRing {
        let (side, stride) = (self.side, self.stride);
        let tiles = self.shrunk(width).div_ceil(TILE);
        RowRing {
            height,
            width,
            before: padding_before(width, side, stride),
            above: padding_before(height, side, stride),
            pitch: (tiles * TILE - 1) * stride + side,
            slots: height.min((rows - 1) * stride + side),
        }
    }

    /// Rows of the input, from the first, that must have been seen for output rows before `end`.
    pub(super) fn rows_seen(&self, ring: &RowRing, end: usize) -> usize {
        ((end - 1) * self.stride + self.side - ring.above).min(ring.height)
    }

    /// The `rows` of `channels` of the output, `[groups, rows.len() * ⌈width/stride⌉, GROUP]`.
    pub(super) fn apply(
        &self,
        channels: Range<usize>,
        input: &[f32],
        ring: RowRing,
        rows: Range<usize>,
        out: &mut [f32],
    ) {
        Arch::new().dispatch(DepthwiseRun { layer: self, channels, input, ring, rows, out });
    }
}

struct DepthwiseRun<'data> {
    layer: &'data Depthwise,
    channels: Range<usize>,
    input: &'data [f32],
    ring: RowRing,
    rows: Range<usize>,
    out: &'data mut [f32],
}

impl WithSimd for DepthwiseRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.layer.side, self.layer.stride) {
            (3, 1) => self.groups::<S, 3, 1>(simd),
            (3, _) => self.groups::<S, 3, 2>(simd),
            (_, 1) => self.groups::<S, 5, 1>(simd),
            _ => self.groups::<S, 5, 2>(simd),
        }
    }
}

impl DepthwiseRun<'_> {
    #[inline(always)]
    fn groups<S: Simd, const SIDE: usize, const STRIDE: usize>(self, simd: S) {
        let Self { layer, channels, input, ring, rows, out } = self;
        let lanes = GROUP / S::F32_LANES;
        let (input, out) = (S::as_simd_f32s(input).0, S::as_mut_simd_f32s(out).0);
        let (weights, bias) = (&layer.weights[channels.start * SIDE * SIDE..], &layer.bias[channels]);
        let (weights, bias) = (S::as_simd_f32s(weights).0, S::as_simd_f32s(bias).0);
        let wide = layer.shrunk(ring.width);
        let zeros = vec![simd.splat_f32s(0.0); ring.pitch * lanes];
        let groups =
            input.chunks_exact(ring.group_pitch() * lanes).zip(out.chunks_exact_mut(rows.len() * wide * lanes));
        let taps = weights.chunks_exact(SIDE * SIDE * lanes).zip(bias.chunks_exact(lanes));
        for ((input, out), (weights, bias)) in groups.zip(taps) {
            for (y, out) in rows.clone().zip(out.chunks_exact_mut(wide * lanes)) {
                let mut lines: [&[S::f32s]; SIDE] = [&zeros; SIDE];
                for (tap, line) in lines.iter_mut().enumerate() {
                    let at = (y * STRIDE + tap).wrapping_sub(ring.above);
                    if at < ring.height {
                        *line = &input[at % ring.slots * ring.pitch * lanes..][..ring.pitch * lanes];
                    }
                }
                for (tile, out) in out.chunks_mut(TILE * lanes).enumerate() {
                    pixels::<S, SIDE, STRIDE>(simd, &lines, tile * TILE * STRIDE * lanes, weights, bias, out);
                }
            }
        }
    }
}

/// Up to [`TILE`] neighbouring output pixels.
#[inline(always)]
fn pixels<S: Simd, const SIDE: usize, const STRIDE: usize>(
    simd: S,
    lines: &[&[S::f32s]; SIDE],
    first: usize,
    weights: &[S::f32s],
    bias: &[S::f32s],
    out: &mut [S::f32s],
) {
    let lanes = GROUP / S::F32_LANES;
    let (zero, six) = (simd.splat_f32s(0.0), simd.splat_f32s(6.0));
    let (weights, bias) = (&weights[..SIDE * SIDE * lanes], &bias[..lanes]);
    for lane in 0..lanes {
        let mut sums = [bias[lane]; TILE];
        for row in 0..SIDE {
            let line = &lines[row][first..][..((TILE - 1) * STRIDE + SIDE) * lanes];
            for column in 0..SIDE {
                let weight = weights[(row * SIDE + column) * lanes + lane];
                for pixel in 0..TILE {
                    let value = line[(pixel * STRIDE + column) * lanes + lane];
                    sums[pixel] = simd.mul_add_e_f32s(value, weight, sums[pixel]);
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

    /// Straight from the definition, one number at a time, of one channel `[height, width]`.
    fn naive(layer: &Depthwise, channel: usize, input: &[f32], height: usize, width: usize) -> Vec<f32> {
        let (side, stride) = (layer.side, layer.stride);
        let (above, before) = (padding_before(height, side, stride), padding_before(width, side, stride));
        let weights = &layer.weights[channel / GROUP * side * side * GROUP + channel % GROUP..];
        let mut out = Vec::new();
        for (y, x) in (0..height.div_ceil(stride)).flat_map(|y| (0..width.div_ceil(stride)).map(move |x| (y, x))) {
            let mut sum = layer.bias[channel];
            for (row, column) in (0..side * side).map(|tap| (tap / side, tap % side)) {
                let (down, right) = (y * stride + row, x * stride + column);
                if (above..height + above).contains(&down) && (before..width + before).contains(&right) {
                    sum += input[(down - above) * width + right - before] * weights[(row * side + column) * GROUP];
                }
            }
            out.push(sum.clamp(0.0, 6.0));
        }
        out
    }

    /// All rows, `band` of them at a time, through a ring no larger than needed.
    fn in_bands(layer: &Depthwise, channels: Range<usize>, input: &[f32], height: usize, width: usize, band: usize) {
        let (high, wide) = (layer.shrunk(height), layer.shrunk(width));
        let ring = layer.ring(height, width, band);
        let mut seen = vec![f32::NAN; ring.group_pitch() * channels.len()];
        ring.clear_margins(&mut seen);
        let (mut places, mut taken) = (Vec::new(), 0);
        for rows in (0..high).step_by(band).map(|first| first..high.min(first + band)) {
            let end = layer.rows_seen(&ring, rows.end);
            ring.places(taken..end, &mut places);
            for (at, place) in places.iter().enumerate() {
                for channel in 0..channels.len() {
                    let group = channel / GROUP * ring.group_pitch();
                    let value = input[((channels.start + channel) * height + taken) * width + at];
                    seen[(group + place) * GROUP + channel % GROUP] = value;
                }
            }
            taken = end;
            let mut out = vec![0.0; rows.len() * wide * channels.len()];
            layer.apply(channels.clone(), &seen, ring, rows.clone(), &mut out);
            for channel in 0..channels.len() {
                let from = &input[(channels.start + channel) * height * width..][..height * width];
                let expected = &naive(layer, channels.start + channel, from, height, width)[rows.start * wide..];
                let group = channel / GROUP * rows.len() * wide;
                for (pixel, expected) in (0..rows.len() * wide).zip(expected) {
                    let error = (out[(group + pixel) * GROUP + channel % GROUP] - expected).abs();
                    let Depthwise { side, stride, .. } = layer;
                    assert!(error < 1e-5, "{error}: kernel {side}, stride {stride}, {height}×{width}, {band} rows");
                }
            }
        }
        assert_eq!(taken, height, "every row of the input was seen");
    }

    #[test]
    fn it_does_what_the_definition_says_of_any_rows_and_channels() {
        for (side, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
            let layer = Depthwise::new(side, stride, &noise(side * side * 48, 1), &noise(48, 2));
            for (height, width) in [(1, 1), (2, 3), (7, 7), (9, 14), (13, 11), (16, 23)] {
                let input = noise(height * width * 48, 3);
                for channels in [0..48, 16..32] {
                    for band in [1, 2, 5, layer.shrunk(height)] {
                        in_bands(&layer, channels.clone(), &input, height, width, band.min(layer.shrunk(height)));
                    }
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
