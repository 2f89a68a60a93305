//! Pixels times a fixed matrix, with bias, activation and residual in the same pass over memory.
//!
//! The product of a 1×1 convolution. A general matrix product packs both of its sides at every call and leaves bias and
//! activation to further passes; here the weights never change, so they are put in the order of their use once, and a
//! tile of the product is written when it is finished. The tile stays in registers throughout, after Goto and van de
//! Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34 (2008).

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::GROUP;
use super::buffer::Buffer;

/// Weights `[in, out]` in the order of their use, and bias `[out]`.
pub(super) struct Packed {
    /// Panels of columns, each `[in, columns of the panel]`; the last one may be narrower.
    panels: Buffer,
    /// As many as the panels have columns.
    bias: Buffer,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// Parts of the inputs and outputs begin at multiples of this: no panel is wider, whatever the machine.
pub(super) const PART: usize = 3 * GROUP;

/// Which inputs and outputs of a product are meant.
pub(super) struct Part {
    pub(super) inputs: Range<usize>,
    pub(super) outputs: Range<usize>,
}

/// Some pixels of `[groups, pitch, GROUP]`: those from `first` on.
#[derive(Clone, Copy)]
pub(super) struct Pixels<'data> {
    pub(super) values: &'data [f32],
    pub(super) pitch: usize,
    pub(super) first: usize,
}

/// Where the pixels of a product go in `[groups, pitch, GROUP]`: one place for each.
pub(super) struct Target<'data> {
    pub(super) values: &'data mut [f32],
    pub(super) pitch: usize,
    pub(super) places: &'data [usize],
}

/// What happens to a sum before it is written.
#[derive(Clone, Copy)]
pub(super) struct Finish<'data> {
    /// Smaller sums become this.
    pub(super) floor: f32,
    /// Larger sums become this.
    pub(super) ceiling: f32,
    /// Added last; it stands as the target does.
    pub(super) residual: Option<&'data [f32]>,
}

impl Packed {
    /// Takes `weights` `[in, bias.len()]`.
    pub(super) fn new(weights: &[f32], bias: &[f32]) -> Self {
        Arch::new().dispatch(Pack { weights, bias })
    }

    /// Adds the products of the channels `inputs` of as many pixels as `target` has places with the columns `outputs`.
    /// `pixels` and `target` hold these channels and columns only. The first inputs begin sums, the last ones finish them.
    /// Parts begin at multiples of [`PART`].
    pub(super) fn apply(&self, part: Part, pixels: Pixels, finish: Finish, target: Target) {
        Arch::new().dispatch(MatmulRun { weights: self, part, pixels, finish, target });
    }
}

/// A loop over all rows of a tile. The compiler unrolls no loop that becomes as long as these, and keeps no sums in registers then.
macro_rules! unrolled {
    ($row:ident < $end:ident $body:block) => {
        unrolled!($row < $end $body 0 1 2 3 4 5 6 7 8)
    };
    ($row:ident < $end:ident $body:block $($number:literal)*) => {
        $(if $number < $end {
            let $row = $number;
            $body
        })*
    };
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

/// Vectors of columns in a panel: 9 × 3 sums fill the registers where there are 32, 6 × 2 where there are 16.
const fn vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 3 } else { 2 }
}

struct MatmulRun<'data> {
    weights: &'data Packed,
    part: Part,
    pixels: Pixels<'data>,
    finish: Finish<'data>,
    target: Target<'data>,
}

impl WithSimd for MatmulRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match (S::REGISTER_COUNT >= 32, self.target.places.len()) {
            (true, 9..) => self.panels::<S, 9>(simd),
            (false, 6..) => self.panels::<S, 6>(simd),
            _ => self.panels::<S, 1>(simd),
        }
    }
}

impl MatmulRun<'_> {
    /// All panels, one after another, for all pixels, `HEIGHT` at a time.
    #[inline(always)]
    fn panels<S: Simd, const HEIGHT: usize>(&mut self, simd: S) {
        let Range { start: mut left, end } = self.part.outputs;
        while left < end {
            let vectors = (end - left).div_ceil(S::F32_LANES).min(vectors::<S>());
            match vectors {
                1 => self.panel::<S, HEIGHT, 1>(simd, left),
                2 => self.panel::<S, HEIGHT, 2>(simd, left),
                _ => self.panel::<S, HEIGHT, 3>(simd, left),
            }
            left += vectors * S::F32_LANES;
        }
    }

    /// The panel from column `left` on. Where the pixels end in a piece of a tile, the tile reaches back over pixels that
    /// are done, and leaves those alone.
    #[inline(always)]
    fn panel<S: Simd, const HEIGHT: usize, const VECTORS: usize>(&mut self, simd: S, left: usize) {
        let Packed { panels, bias, inputs, .. } = self.weights;
        let width = VECTORS * S::F32_LANES;
        let panel = &panels[left * inputs..][..width * inputs];
        let columns = &S::as_simd_f32s(panel).0.as_chunks::<VECTORS>().0[self.part.inputs.clone()];
        let bias = S::as_simd_f32s(&bias[left..][..width]).0.as_chunks::<VECTORS>().0[0];
        let Pixels { values, pitch, first } = self.pixels;
        let lines = values.as_chunks::<GROUP>().0;
        let count = self.target.places.len();
        for begin in (0..count).step_by(HEIGHT) {
            let row = begin.min(count - HEIGHT);
            let sums =
                if self.part.inputs.start == 0 { [bias; HEIGHT] } else { self.begun::<S, HEIGHT, VECTORS>(row, left) };
            let sums = tile::<S, HEIGHT, VECTORS>(simd, &lines[first + row..], pitch, columns, sums);
            if self.part.inputs.end == *inputs {
                self.finish(simd, sums, row, begin - row, left);
            } else {
                self.store::<S, HEIGHT, VECTORS>(sums, row, begin - row, left);
            }
        }
    }

    /// Where the columns of the vector from column `at` on begin in the target, in vectors.
    #[inline(always)]
    fn start<S: Simd>(&self, at: usize) -> usize {
        let column = at - self.part.outputs.start;
        (column / GROUP * self.target.pitch * GROUP + column % GROUP) / S::F32_LANES
    }

    /// The sums that stand in the target.
    #[inline(always)]
    fn begun<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
        &self,
        row: usize,
        left: usize,
    ) -> [[S::f32s; VECTORS]; HEIGHT] {
        let out = S::as_simd_f32s(self.target.values).0;
        let places = &self.target.places[row..].as_chunks::<HEIGHT>().0[0];
        let mut sums = [[out[0]; VECTORS]; HEIGHT];
        unrolled!(vector < VECTORS {
            let start = self.start::<S>(left + vector * S::F32_LANES);
            unrolled!(row < HEIGHT {
                sums[row][vector] = out[start + places[row] * (GROUP / S::F32_LANES)];
            });
        });
        sums
    }

    /// Writes the sums of the pixels from `row` on, but for the first `done`, and of the columns from `left` on.
    #[inline(always)]
    fn store<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
        &mut self,
        sums: [[S::f32s; VECTORS]; HEIGHT],
        row: usize,
        done: usize,
        left: usize,
    ) {
        let places = &self.target.places[row..].as_chunks::<HEIGHT>().0[0];
        unrolled!(vector < VECTORS {
            let start = self.start::<S>(left + vector * S::F32_LANES);
            let out = S::as_mut_simd_f32s(self.target.values).0;
            unrolled!(row < HEIGHT {
                if row >= done {
                    out[start + places[row] * (GROUP / S::F32_LANES)] = sums[row][vector];
                }
            });
        });
    }

    /// As [`MatmulRun::store`], with activation and residual.
    #[inline(always)]
    fn finish<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
        &mut self,
        simd: S,
        mut sums: [[S::f32s; VECTORS]; HEIGHT],
        row: usize,
        done: usize,
        left: usize,
    ) {
        let (floor, ceiling) = (simd.splat_f32s(self.finish.floor), simd.splat_f32s(self.finish.ceiling));
        unrolled!(row < HEIGHT {
            unrolled!(vector < VECTORS {
                sums[row][vector] = simd.min_f32s(simd.max_f32s(sums[row][vector], floor), ceiling);
            });
        });
        if let Some(residual) = self.finish.residual {
            let residual = S::as_simd_f32s(residual).0;
            let places = &self.target.places[row..].as_chunks::<HEIGHT>().0[0];
            unrolled!(vector < VECTORS {
                let start = self.start::<S>(left + vector * S::F32_LANES);
                unrolled!(row < HEIGHT {
                    let before = residual[start + places[row] * (GROUP / S::F32_LANES)];
                    sums[row][vector] = simd.add_f32s(sums[row][vector], before);
                });
            });
        }
        self.store::<S, HEIGHT, VECTORS>(sums, row, done, left);
    }
}

/// Adds the first `HEIGHT` pixels of `lines` times one panel of columns to `sums`.
#[inline(always)]
fn tile<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    lines: &[[f32; GROUP]],
    pitch: usize,
    columns: &[[S::f32s; VECTORS]],
    mut sums: [[S::f32s; VECTORS]; HEIGHT],
) -> [[S::f32s; VECTORS]; HEIGHT] {
    for (group, columns) in columns.chunks(GROUP).enumerate() {
        let seen = &lines[group * pitch..].as_chunks::<HEIGHT>().0[0];
        for at in 0..columns.len().min(GROUP) {
            unrolled!(row < HEIGHT {
                let value = simd.splat_f32s(seen[row][at]);
                unrolled!(vector < VECTORS {
                    sums[row][vector] = simd.mul_add_e_f32s(value, columns[at][vector], sums[row][vector]);
                });
            });
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|at| ((at * 37 + seed * 11) % 101) as f32 / 50.0 - 1.0).collect()
    }

    /// `[pixels, channels]` as `[groups, pixels, GROUP]`; what is behind the last channel must not matter.
    fn grouped(pixels: &[f32], channels: usize) -> Vec<f32> {
        let count = pixels.len() / channels;
        let mut groups = vec![f32::NAN; channels.next_multiple_of(GROUP) * count];
        for (at, value) in pixels.iter().enumerate() {
            groups[position(at / channels, at % channels, count)] = *value;
        }
        groups
    }

    /// Where a channel of a pixel stands.
    fn position(pixel: usize, channel: usize, pitch: usize) -> usize {
        (channel / GROUP * pitch + pixel) * GROUP + channel % GROUP
    }

    #[test]
    fn it_is_a_matrix_product_for_every_remainder_of_rows_and_columns() {
        for (inputs, outputs) in [(1, 1), (5, 3), (27, 32), (16, 24), (40, 41), (33, 112), (64, 100)] {
            let (weights, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let packed = Packed::new(&weights, &bias);
            for count in [1, 2, 5, 6, 7, 8, 13, 14, 15, 50] {
                let (pixels, residual) = (numbers(count * inputs, 3), numbers(count * outputs, 4));
                let (input, added) = (grouped(&pixels, inputs), grouped(&residual, outputs));
                // The second pixel on go, in reverse, to every place but the first.
                let places: Vec<usize> = (1..count).rev().collect();
                let mut values = vec![0.0; added.len()];
                let target = Target { values: &mut values, pitch: count, places: &places };
                let finish = Finish { floor: -2.0, ceiling: 3.0, residual: Some(&added) };
                let part = Part { inputs: 0..inputs, outputs: 0..outputs };
                packed.apply(part, Pixels { values: &input, pitch: count, first: 1 }, finish, target);
                for (at, place) in (0..outputs).flat_map(|column| (1..count).map(move |place| (column, place))) {
                    let pixel = &pixels[(count - place) * inputs..][..inputs];
                    let sum: f32 = (0..inputs).map(|row| pixel[row] * weights[row * outputs + at]).sum();
                    let expected = (sum + bias[at]).clamp(-2.0, 3.0) + residual[place * outputs + at];
                    let value = values[position(place, at, count)];
                    assert!((value - expected).abs() < 1e-4, "{inputs}→{outputs}, {count} pixels: {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn parts_are_the_same_as_all_at_once() {
        let (inputs, outputs) = (3 * PART, 2 * PART + 20);
        let packed = Packed::new(&numbers(inputs * outputs, 1), &numbers(outputs, 2));
        for count in [5, 20, 31] {
            let input = grouped(&numbers(count * inputs, 3), inputs);
            let places: Vec<usize> = (0..count).collect();
            let run = |inputs: Range<usize>, outputs: Range<usize>, values: &mut [f32]| {
                let pixels = Pixels { values: &input[inputs.start * count..], pitch: count, first: 0 };
                let finish = Finish { floor: -2.0, ceiling: 3.0, residual: None };
                packed.apply(
                    Part { inputs, outputs },
                    pixels,
                    finish,
                    Target { values, pitch: count, places: &places },
                );
            };
            let room = || vec![0.0; outputs.next_multiple_of(GROUP) * count];
            let (mut whole, mut summed, mut beside) = (room(), room(), room());
            run(0..inputs, 0..outputs, &mut whole);
            for first in (0..inputs).step_by(PART) {
                run(first..first + PART, 0..outputs, &mut summed);
            }
            for first in (0..outputs).step_by(PART) {
                run(0..inputs, first..outputs.min(first + PART), &mut beside[first * count..]);
            }
            assert!(whole == summed && whole == beside, "{count} pixels");
            assert!(whole.iter().any(|value| *value > 0.5));
        }
    }
}
