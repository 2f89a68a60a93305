//! How far two pictures agree in their pixels, once it is known where each place of one lies in the other.

use super::Detail;
use super::levels::ShadeLevel;
use super::projective::ProjectiveMap;

/// Places along the longer side at which both pictures are looked at.
const ACROSS: usize = 64;
/// Shades are compared with those around them in blocks of this side.
const BLOCK: usize = 8;
/// The outermost places are left out: what lies around a picture on the other reaches into them.
const MARGIN: usize = 3;
/// Blocks of which fewer places are in both pictures are passed over.
const LEAST_IN_BLOCK: f32 = 24.0;
/// Added to the variance of a block, in squared grey levels: below four levels there is noise, not shape.
const NOISE: f32 = 16.0;

/// What the pixels say of a map.
pub(super) struct DetailAgreement {
    /// The correlation of both pictures within blocks, up to 1.
    pub(super) correlation: f32,
    /// The share of the first picture that lies in the second.
    pub(super) covered: f32,
}

/// One of two pictures; it may be looked at in a mirror.
#[derive(Clone, Copy)]
pub(super) struct PictureView<'a> {
    pub(super) detail: &'a Detail,
    pub(super) is_mirrored: bool,
}

impl PictureView<'_> {
    /// The shade at a place, on one of its levels.
    #[inline(always)]
    fn shade(&self, level: &ShadeLevel, x: f32, y: f32) -> f32 {
        let x = if self.is_mirrored { self.detail.width - x } else { x };
        level.between(x / level.scale, y / level.scale)
    }

    fn contains(&self, (x, y): (f32, f32)) -> bool {
        (0.0..self.detail.width).contains(&x) && (0.0..self.detail.height).contains(&y)
    }

    /// The level of which a pixel is about so long.
    fn level(&self, step_px: f32) -> &ShadeLevel {
        let levels = &self.detail.smooth;
        levels.iter().rev().find(|level| level.scale <= 1.1 * step_px).unwrap_or(&levels[0])
    }
}

/// The share of `one` that a map takes into `other`.
pub(super) fn covered(one: PictureView<'_>, map: &ProjectiveMap, other: PictureView<'_>) -> f32 {
    const PLACES: usize = 16;
    let place = |at: usize| (at as f32 + 0.5) / PLACES as f32;
    let lies_within = |at: &usize| {
        let (x, y) = (place(at % PLACES) * one.detail.width, place(at / PLACES) * one.detail.height);
        other.contains(map.apply(x, y))
    };
    (0..PLACES * PLACES).filter(lies_within).count() as f32 / (PLACES * PLACES) as f32
}

/// How far `one` agrees with what is at the same places of `other`.
pub(super) fn agreement(one: PictureView<'_>, map: &ProjectiveMap, other: PictureView<'_>) -> DetailAgreement {
    let (width, height) = (one.detail.width, one.detail.height);
    let step = width.max(height) / ACROSS as f32;
    let across = |side: f32| ((side / step).round() as usize).max(1);
    let (columns, rows) = (across(width), across(height));
    let levels = (one.level(step), other.level(step * map.scale_at(width / 2.0, height / 2.0)));
    let (mut inside, mut sums) = (0, BlockSums::default());
    for first_row in (0..rows).step_by(BLOCK) {
        for first_column in (0..columns).step_by(BLOCK) {
            let mut block = BlockSums::default();
            for row in first_row..(first_row + BLOCK).min(rows) {
                for column in first_column..(first_column + BLOCK).min(columns) {
                    let (x, y) = ((column as f32 + 0.5) * step, (row as f32 + 0.5) * step);
                    let there = map.apply(x, y);
                    if !other.contains(there) {
                        continue;
                    }
                    inside += 1;
                    let is_inner = |at: usize, count: usize| (MARGIN..count.saturating_sub(MARGIN)).contains(&at);
                    if is_inner(column, columns) && is_inner(row, rows) {
                        block.add(one.shade(levels.0, x, y), other.shade(levels.1, there.0, there.1));
                    }
                }
            }
            if block.count >= LEAST_IN_BLOCK {
                sums.join(&block);
            }
        }
    }
    let covered = inside as f32 / (columns * rows) as f32;
    DetailAgreement { correlation: sums.product / (sums.one_square * sums.other_square).sqrt().max(1e-6), covered }
}

/// Sums over the places of a block: of shades, their squares and products.
#[derive(Default)]
struct BlockSums {
    count: f32,
    one: f32,
    other: f32,
    one_square: f32,
    other_square: f32,
    product: f32,
}

impl BlockSums {
    #[inline(always)]
    fn add(&mut self, one: f32, other: f32) {
        self.count += 1.0;
        self.one += one;
        self.other += other;
        self.one_square += one * one;
        self.other_square += other * other;
        self.product += one * other;
    }

    /// Adds what a block says: its deviations from its means, in its standard deviations.
    fn join(&mut self, block: &Self) {
        let mean = |sum: f32| sum / block.count;
        let (one, other) = (mean(block.one), mean(block.other));
        let one_variance = (mean(block.one_square) - one * one).max(0.0);
        let other_variance = (mean(block.other_square) - other * other).max(0.0);
        let scale = ((one_variance + NOISE) * (other_variance + NOISE)).sqrt();
        self.product += block.count * (mean(block.product) - one * other) / scale;
        self.one_square += block.count * one_variance / (one_variance + NOISE);
        self.other_square += block.count * other_variance / (other_variance + NOISE);
    }
}
