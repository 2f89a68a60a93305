//! Pixels times a fixed matrix, with bias, activation and residual in the same pass over memory.
//!
//! The product of a 1×1 convolution. A general matrix product packs both of its sides at every call and leaves bias and
//! activation to further passes; here the weights never change, so they are put in the order of their use once, and a
//! tile of the product is written when it is finished. The tile stays in registers throughout, after Goto and van de
//! Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34 (2008).
//!
//! A picture meets 13 MB of weights, each once: they come from beyond the second cache. So while a panel of them is
//! multiplied with all pixels, the next one is fetched, a few cache lines a tile.

use pulp::{Arch, Simd, WithSimd};

use super::GROUP;
use super::packed::{Packed, Submatrix, panel_vectors};
use super::prefetch::prefetch;

/// Some pixels of `[groups, pitch, GROUP]`: those from `first` on.
#[derive(Clone, Copy)]
pub(super) struct PixelSpan {
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

/// The product of some inputs of `pixels`, as many pixels as `target` has places, with some columns of `weights`.
/// `pixels` and `target` hold these inputs and columns only. The first inputs begin sums, further ones add to them, the
/// last ones finish them.
pub(super) struct Product<'data> {
    pub(super) weights: &'data Packed,
    pub(super) part: Submatrix,
    pub(super) pixels: &'data [f32],
    pub(super) span: PixelSpan,
    pub(super) target: Target<'data>,
    pub(super) finish: Finish<'data>,
    /// The weights that are needed thereafter.
    pub(super) next: &'data [f32],
}

impl Product<'_> {
    pub(super) fn compute(self) {
        Arch::new().dispatch(self);
    }
}

/// A loop over the rows or columns of a tile. The compiler itself does not unroll loops as long as these, and keeps no sums
/// in registers then.
macro_rules! unrolled {
    ($at:ident < $end:ident $body:block) => {
        unrolled!($at < $end $body 0 1 2 3 4 5 6 7 8)
    };
    ($at:ident < $end:ident $body:block $($number:literal)*) => {
        $(if $number < $end {
            let $at = $number;
            $body
        })*
    };
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        match (S::REGISTER_COUNT >= 32, self.target.places.len()) {
            (_, 0) => {}
            (true, 9..) => self.panels::<S, 9>(simd),
            (false, 6..) => self.panels::<S, 6>(simd),
            _ => self.panels::<S, 1>(simd),
        }
    }
}

impl Product<'_> {
    /// All panels, one after another, for all pixels, `HEIGHT` at a time.
    #[inline(always)]
    fn panels<S: Simd, const HEIGHT: usize>(&mut self, simd: S) {
        let mut left = self.part.outputs.start;
        while left < self.part.outputs.end {
            let vectors = (self.part.outputs.end - left).div_ceil(S::F32_LANES).min(panel_vectors::<S>());
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
        let Packed { bias, inputs, .. } = self.weights;
        let Submatrix { inputs: part, outputs } = self.part.clone();
        let width = VECTORS * S::F32_LANES;
        let columns = S::as_simd_f32s(self.weights.panel::<S>(left, part.clone())).0.as_chunks::<VECTORS>().0;
        let bias = S::as_simd_f32s(&bias[left..][..width]).0.as_chunks::<VECTORS>().0[0];
        let is_last = left + width >= outputs.end;
        let next = if is_last { self.next } else { self.weights.panel::<S>(left + width, part.clone()) };
        let lines = self.pixels.as_chunks::<GROUP>().0;
        let count = self.target.places.len();
        let share = next.len().div_ceil(count.div_ceil(HEIGHT)).next_multiple_of(GROUP).max(GROUP);
        let mut shares = next.chunks(share);
        for begin in (0..count).step_by(HEIGHT) {
            let row = begin.min(count - HEIGHT);
            let mut sums = if part.start == 0 { [bias; HEIGHT] } else { self.begun::<S, HEIGHT, VECTORS>(row, left) };
            let ahead = shares.next().unwrap_or_default();
            let lines = &lines[self.span.first + row..];
            sums = tile::<S, HEIGHT, VECTORS>(simd, lines, self.span.pitch, columns, sums, ahead);
            if part.end == *inputs {
                sums = self.finished::<S, HEIGHT, VECTORS>(simd, sums, row, left);
            }
            self.store::<S, HEIGHT, VECTORS>(sums, row, begin - row, left);
        }
    }

    /// Where the vector from column `column` on stands in the target, in vectors, for the place 0.
    #[inline(always)]
    fn start<S: Simd>(&self, column: usize) -> usize {
        let column = column - self.part.outputs.start;
        (column / GROUP * self.target.pitch * GROUP + column % GROUP) / S::F32_LANES
    }

    /// The sums that stand in the target.
    #[inline(always)]
    fn begun<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
        &self,
        row: usize,
        left: usize,
    ) -> [[S::f32s; VECTORS]; HEIGHT] {
        let values = S::as_simd_f32s(self.target.values).0;
        let places = &self.target.places[row..].as_chunks::<HEIGHT>().0[0];
        let mut sums = [[values[0]; VECTORS]; HEIGHT];
        unrolled!(vector < VECTORS {
            let start = self.start::<S>(left + vector * S::F32_LANES);
            unrolled!(row < HEIGHT {
                sums[row][vector] = values[start + places[row] * (GROUP / S::F32_LANES)];
            });
        });
        sums
    }

    /// The sums of the pixels from `row` on and the columns from `left` on with activation and residual.
    #[inline(always)]
    fn finished<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
        &self,
        simd: S,
        mut sums: [[S::f32s; VECTORS]; HEIGHT],
        row: usize,
        left: usize,
    ) -> [[S::f32s; VECTORS]; HEIGHT] {
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
            let values = S::as_mut_simd_f32s(self.target.values).0;
            unrolled!(row < HEIGHT {
                if row >= done {
                    values[start + places[row] * (GROUP / S::F32_LANES)] = sums[row][vector];
                }
            });
        });
    }
}

/// Adds the first `HEIGHT` pixels of `lines` times one panel of columns to `sums`, and fetches `ahead` meanwhile.
#[inline(always)]
fn tile<S: Simd, const HEIGHT: usize, const VECTORS: usize>(
    simd: S,
    lines: &[[f32; GROUP]],
    pitch: usize,
    columns: &[[S::f32s; VECTORS]],
    mut sums: [[S::f32s; VECTORS]; HEIGHT],
    ahead: &[f32],
) -> [[S::f32s; VECTORS]; HEIGHT] {
    let share = ahead.len().div_ceil(columns.len().div_ceil(GROUP)).next_multiple_of(GROUP).max(GROUP);
    let mut shares = ahead.chunks(share);
    for (group, columns) in columns.chunks(GROUP).enumerate() {
        for line in shares.next().unwrap_or_default().chunks(GROUP) {
            prefetch(line);
        }
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
    use std::ops::Range;

    use super::*;
    use crate::model::backbone::packed::MAX_PANEL;

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
                let part = Submatrix { inputs: 0..inputs, outputs: 0..outputs };
                let span = PixelSpan { pitch: count, first: 1 };
                Product { weights: &packed, part, pixels: &input, span, target, finish, next: &[] }.compute();
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
        let (inputs, outputs) = (3 * MAX_PANEL, 2 * MAX_PANEL + 20);
        let packed = Packed::new(&numbers(inputs * outputs, 1), &numbers(outputs, 2));
        for count in [5, 20, 31] {
            let input = grouped(&numbers(count * inputs, 3), inputs);
            let places: Vec<usize> = (0..count).collect();
            let run = |inputs: Range<usize>, outputs: Range<usize>, values: &mut [f32]| {
                let finish = Finish { floor: -2.0, ceiling: 3.0, residual: None };
                let (pixels, span) = (&input[inputs.start * count..], PixelSpan { pitch: count, first: 0 });
                let target = Target { values, pitch: count, places: &places };
                let part = Submatrix { inputs, outputs };
                let next = packed.first_panel(part.clone());
                Product { weights: &packed, part, pixels, span, target, finish, next }.compute();
            };
            let room = || vec![0.0; outputs.next_multiple_of(GROUP) * count];
            let (mut whole, mut summed, mut beside) = (room(), room(), room());
            run(0..inputs, 0..outputs, &mut whole);
            for first in (0..inputs).step_by(MAX_PANEL) {
                run(first..first + MAX_PANEL, 0..outputs, &mut summed);
            }
            for first in (0..outputs).step_by(MAX_PANEL) {
                run(0..inputs, first..outputs.min(first + MAX_PANEL), &mut beside[first * count..]);
            }
            assert!(whole == summed && whole == beside, "{count} pixels");
            assert!(whole.iter().any(|value| *value > 0.5));
        }
    }
}
