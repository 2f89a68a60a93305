//! Parts of a miniature as small grids, and how they stand out of their surroundings.

use crate::picture::{MINIATURE_SIDE, Miniature};

/// Side of the grid on which two pictures are compared at last.
pub(super) const FINE: usize = 16;
/// A cell is compared with those so many rows and columns around it.
const REACH: usize = 2;
/// Added to the variance around a cell, in squared grey levels: below four levels there is noise, not shape.
const NOISE: f32 = 16.0;
/// Rows of the grid that may hold something else, at the top or at the bottom.
const BAND: usize = 4;
/// Mean square of a relief from which a picture has enough shape to be known by it. Paper, sky over sea and
/// a vignette have less, and with some freedom any of them fits any other. Of 2,622 photographs and drawings two do.
const ENOUGH_SHAPE: f32 = 0.2;
/// A window is the whole picture from this width and height on: less than a tenth is gone.
const WHOLE_FROM_PX: f32 = 30.0;

/// A rectangle of a miniature, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Of its left edge.
    pub left: f32,
    /// Of its upper edge.
    pub top: f32,
    /// At least a pixel.
    pub width: f32,
    /// At least a pixel.
    pub height: f32,
}

impl Window {
    /// All of a picture.
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, width: MINIATURE_SIDE as f32, height: MINIATURE_SIDE as f32 };

    /// By how much edges and sides differ in all, in pixels.
    pub(super) fn distance(&self, other: &Self) -> f32 {
        let place = (self.left - other.left).abs() + (self.top - other.top).abs();
        place + (self.width - other.width).abs() + (self.height - other.height).abs()
    }

    /// Whether it is nearly all of the picture.
    pub fn is_whole(&self) -> bool {
        self.width.min(self.height) >= WHOLE_FROM_PX
    }
}

/// For each corner of pixels, the sum of all pixels above and left of it: the sum over any rectangle is four of them
/// (Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984).
pub(super) struct Sums(Vec<f32>);

const CORNERS: usize = MINIATURE_SIDE + 1;

impl Sums {
    pub(super) fn of(miniature: &Miniature) -> Self {
        let mut sums = vec![0.0; CORNERS * CORNERS];
        for (y, row) in miniature.bytes().chunks_exact(MINIATURE_SIDE).enumerate() {
            let mut along = 0.0;
            for (x, &value) in row.iter().enumerate() {
                along += f32::from(value);
                sums[(y + 1) * CORNERS + x + 1] = sums[y * CORNERS + x + 1] + along;
            }
        }
        Self(sums)
    }

    /// The window as `SIDE` × `SIDE` means.
    #[inline(always)]
    pub(super) fn cells<const SIDE: usize>(&self, window: &Window) -> [[f32; SIDE]; SIDE] {
        let edge = |start: f32, size: f32, number: usize| {
            let place = (start + size * number as f32 / SIDE as f32).clamp(0.0, MINIATURE_SIDE as f32);
            let before = (place as usize).min(MINIATURE_SIDE - 1);
            (before, place - before as f32)
        };
        // Longer than the cells have edges: an array of SIDE + 1 cannot be named.
        let columns: [(usize, f32); CORNERS] =
            std::array::from_fn(|number| edge(window.left, window.width, number.min(SIDE)));
        let (mut former, mut cells) = ([0.0; CORNERS], [[0.0; SIDE]; SIDE]);
        for number in 0..=SIDE {
            let (y, down) = edge(window.top, window.height, number);
            let (upper, lower) = (&self.0[y * CORNERS..][..CORNERS], &self.0[(y + 1) * CORNERS..][..CORNERS]);
            let mut line = [0.0; CORNERS];
            for (sum, (x, right)) in line.iter_mut().zip(columns).take(SIDE + 1) {
                let above = upper[x] + (upper[x + 1] - upper[x]) * right;
                let below = lower[x] + (lower[x + 1] - lower[x]) * right;
                *sum = above + (below - above) * down;
            }
            if let Some(row) = number.checked_sub(1) {
                for (at, cell) in cells[row].iter_mut().enumerate() {
                    *cell = line[at + 1] - line[at] - former[at + 1] + former[at];
                }
            }
            former = line;
        }
        let area = window.width * window.height / (SIDE * SIDE) as f32;
        cells.map(|row| row.map(|sum| sum / area))
    }
}

/// How far each cell stands out of its surroundings, in their standard deviations: what is left of a picture whatever its
/// brightness, contrast and colours.
#[derive(Clone)]
pub(super) struct Relief([[f32; FINE]; FINE]);

impl Relief {
    #[inline(always)]
    pub(super) fn of(cells: &[[f32; FINE]; FINE]) -> Self {
        const WIDE: usize = FINE + 2 * REACH;
        let mut along = [[[0.0; FINE]; 2]; FINE];
        for (row, sums) in cells.iter().zip(&mut along) {
            let mut padded = [0.0; WIDE];
            for (at, value) in padded.iter_mut().enumerate() {
                *value = row[at.saturating_sub(REACH).min(FINE - 1)];
            }
            for at in 0..FINE {
                for value in &padded[at..=at + 2 * REACH] {
                    sums[0][at] += value;
                    sums[1][at] += value * value;
                }
            }
        }
        let count = ((2 * REACH + 1) * (2 * REACH + 1)) as f32;
        let mut relief = [[0.0; FINE]; FINE];
        for (y, line) in relief.iter_mut().enumerate() {
            let mut around = [[0.0; FINE]; 2];
            for near in y..=y + 2 * REACH {
                let sums = &along[near.saturating_sub(REACH).min(FINE - 1)];
                for at in 0..FINE {
                    around[0][at] += sums[0][at];
                    around[1][at] += sums[1][at];
                }
            }
            for at in 0..FINE {
                let mean = around[0][at] / count;
                let variance = (around[1][at] / count - mean * mean).max(0.0);
                line[at] = (cells[y][at] - mean) / (variance + NOISE).sqrt();
            }
        }
        Self(relief)
    }

    /// How far two reliefs agree, 0 to 1: their correlation, without the outermost cells, where a frame may reach in, and,
    /// where that is more, without a band at the top or at the bottom, where a caption may stand. Less where there is
    /// hardly any shape to agree on.
    #[inline(always)]
    pub(super) fn agreement(&self, other: &Self) -> f32 {
        let mut rows = [[0.0_f32; 3]; FINE];
        for ((one, other), sums) in self.0.iter().zip(&other.0).zip(&mut rows) {
            for at in 1..FINE - 1 {
                sums[0] += one[at] * other[at];
                sums[1] += one[at] * one[at];
                sums[2] += other[at] * other[at];
            }
        }
        let over = |rows: &[[f32; 3]]| {
            let sum = |which: usize| rows.iter().map(|sums| sums[which]).sum::<f32>();
            let (one, other) = (sum(1), sum(2));
            let shape = one.min(other) / (rows.len() * (FINE - 2)) as f32;
            sum(0) / (one * other).sqrt().max(1e-6) * (shape / ENOUGH_SHAPE).min(1.0)
        };
        [&rows[1..FINE - 1], &rows[1..FINE - BAND], &rows[BAND..FINE - 1]].map(over).into_iter().fold(0.0, f32::max)
    }
}
