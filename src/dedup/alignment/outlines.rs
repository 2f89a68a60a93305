//! Where in a picture another may lie: many windows at once, each as 64 values.

use super::grid::{Sums, Window};
use crate::base::dot::dot_in_lanes;
use crate::picture::{MINIATURE_SIDE, Miniature};

/// Side of an outline.
const SIDE: usize = 8;
/// Values in an outline.
pub const OUTLINE_VALUES: usize = SIDE * SIDE;
/// Sides of the windows, in pixels of the miniature: 100 % to 56 %.
const SIZES: [usize; 6] = [32, 29, 26, 23, 20, 18];
/// The shorter share of a window to its longer one.
const LEAST_ASPECT: f32 = 0.74;
/// Mirrored or not, then turned by no, one, two or three quarters: twice the quarters, and one more where mirrored.
pub(super) const POSES: usize = 8;

/// 8×8 means without their own mean, at unit length.
pub type Outline = [f32; OUTLINE_VALUES];

/// All windows.
pub(super) fn windows() -> Vec<Window> {
    let places = |size: usize| {
        let (free, step) = (MINIATURE_SIDE - size, if size >= 26 { 2 } else { 3 });
        let count = free.div_ceil(step);
        (0..=count).map(move |number| (number * free / count.max(1)) as f32)
    };
    let is_allowed =
        |(width, height): &(usize, usize)| (*width).min(*height) as f32 >= LEAST_ASPECT * (*width).max(*height) as f32;
    let sizes = SIZES.into_iter().flat_map(|width| SIZES.map(|height| (width, height))).filter(is_allowed);
    sizes
        .flat_map(|(width, height)| {
            let at = move |left, top| Window { left, top, width: width as f32, height: height as f32 };
            places(width).flat_map(move |left| places(height).map(move |top| at(left, top)))
        })
        .collect()
}

/// The outline of a window.
#[inline(always)]
pub(super) fn outline(sums: &Sums, window: &Window) -> Outline {
    let mut outline = [0.0; OUTLINE_VALUES];
    for (to, row) in outline.chunks_exact_mut(SIDE).zip(sums.cells::<SIDE>(window)) {
        to.copy_from_slice(&row);
    }
    let mean = outline.iter().sum::<f32>() / OUTLINE_VALUES as f32;
    outline.iter_mut().for_each(|value| *value -= mean);
    let length = outline.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-3);
    outline.map(|value| value / length)
}

/// Their cosine. In as many lanes as it was measured with: alignments are kept to the bit from version to version.
#[inline(always)]
pub fn outline_similarity(one: &Outline, other: &Outline) -> f32 {
    dot_in_lanes::<16>(one, other)
}

/// The outline of a whole picture and that of its mirror image: those of near pictures are worth a finer comparison.
pub fn outlines(miniature: &Miniature) -> [Outline; 2] {
    let whole = outline(&Sums::of(miniature), &Window::WHOLE);
    [whole, posed_outline(&whole, 1)]
}

/// An outline in another pose.
pub(super) fn posed_outline(outline: &Outline, pose: usize) -> Outline {
    posed(outline, SIDE, pose)
}

/// A miniature in another pose.
pub(super) fn posed_miniature(miniature: &Miniature, pose: usize) -> Miniature {
    Miniature(posed(miniature.bytes(), MINIATURE_SIDE, pose))
}

/// A square of `side` values a row, in another pose.
fn posed<T: Copy, const COUNT: usize>(values: &[T; COUNT], side: usize, pose: usize) -> [T; COUNT] {
    let last = side - 1;
    std::array::from_fn(|place| {
        let (x, y) = (place % side, place / side);
        let (x, y) = match pose / 2 {
            0 => (x, y),
            1 => (last - y, x),
            2 => (last - x, last - y),
            _ => (y, last - x),
        };
        values[y * side + if pose % 2 == 1 { last - x } else { x }]
    })
}
