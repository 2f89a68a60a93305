//! Where in a picture another may lie: many windows at once, each as 64 values.

use pulp::{Arch, Simd, WithSimd};

use super::grid::{CellGrid, Sums, Window, whole_cells};
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
/// Sums in which a similarity is added up: alignments are kept to the bit from version to version, and this decides their last bits.
const LANES: usize = 16;
/// Windows whose outlines stand side by side.
const GROUP: usize = 16;

/// Outlines of several windows, value by value.
type OutlineGroup = [[f32; GROUP]; OUTLINE_VALUES];

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

/// The outlines of all windows of a picture: value by value those of a [`GROUP`] stand side by side, so that one instruction
/// compares many.
pub(super) struct WindowOutlines {
    pub(super) windows: Vec<Window>,
    groups: Vec<OutlineGroup>,
}

impl WindowOutlines {
    pub(super) fn of(sums: &Sums) -> Self {
        let windows = windows();
        let groups = windows.chunks(GROUP).map(|group| Arch::new().dispatch(OutlinesOfGroup(sums, group))).collect();
        Self { windows, groups }
    }

    /// How similar `outline` is to that of each window of at least this side.
    pub(super) fn similar<'a>(
        &'a self,
        outline: &'a Outline,
        least_px: f32,
        found: &mut Vec<(f32, Window)>,
        least: f32,
    ) {
        let is_allowed = |window: &Window| window.width.min(window.height) >= least_px;
        for (group, windows) in self.groups.iter().zip(self.windows.chunks(GROUP)) {
            if windows.iter().any(is_allowed) {
                let similarities = Arch::new().dispatch(SimilarityToGroup(group, outline));
                let both = similarities.into_iter().zip(windows);
                found.extend(
                    both.filter(|(similarity, window)| *similarity >= least && is_allowed(window))
                        .map(|(similarity, window)| (similarity, *window)),
                );
            }
        }
    }
}

/// [`outline`] of each window of a group.
#[inline(always)]
fn outlines_of(sums: &Sums, windows: &[Window]) -> OutlineGroup {
    let mut group = [[0.0; GROUP]; OUTLINE_VALUES];
    for (place, window) in windows.iter().enumerate() {
        for (x, column) in sums.cells::<SIDE>(window).iter().enumerate() {
            for (y, value) in column.iter().enumerate() {
                group[y * SIDE + x][place] = *value;
            }
        }
    }
    let mut sum = [0.0; GROUP];
    for values in &group {
        for at in 0..GROUP {
            sum[at] += values[at];
        }
    }
    let mut squares = [0.0; GROUP];
    for values in &mut group {
        for at in 0..GROUP {
            values[at] -= sum[at] / OUTLINE_VALUES as f32;
            squares[at] += values[at] * values[at];
        }
    }
    for values in &mut group {
        for at in 0..GROUP {
            values[at] /= squares[at].sqrt().max(1e-3);
        }
    }
    group
}

struct OutlinesOfGroup<'a>(&'a Sums, &'a [Window]);

impl WithSimd for OutlinesOfGroup<'_> {
    type Output = OutlineGroup;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> OutlineGroup {
        outlines_of(self.0, self.1)
    }
}

/// [`outline_similarity`] with each of a group.
struct SimilarityToGroup<'a>(&'a OutlineGroup, &'a Outline);

impl WithSimd for SimilarityToGroup<'_> {
    type Output = [f32; GROUP];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self(group, outline) = self;
        let mut similarities = [0.0; GROUP];
        for (part, to) in S::as_mut_simd_f32s(&mut similarities).0.iter_mut().enumerate() {
            let product = |value: usize| {
                let windows = S::as_simd_f32s(&group[value]).0[part];
                simd.mul_f32s(windows, simd.splat_f32s(outline[value]))
            };
            for lane in 0..LANES {
                let mut sum = product(lane);
                for value in (lane + LANES..OUTLINE_VALUES).step_by(LANES) {
                    sum = simd.add_f32s(sum, product(value));
                }
                *to = simd.add_f32s(*to, sum);
            }
        }
        similarities
    }
}

/// The outline of a whole picture.
pub fn outline(miniature: &Miniature) -> Outline {
    let cells: CellGrid<SIDE> = whole_cells(miniature);
    let mut outline: Outline = std::array::from_fn(|at| cells[at % SIDE][at / SIDE]);
    let mean = outline.iter().sum::<f32>() / OUTLINE_VALUES as f32;
    outline.iter_mut().for_each(|value| *value -= mean);
    let length = outline.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-3);
    outline.map(|value| value / length)
}

/// Their cosine.
#[inline(always)]
pub fn outline_similarity(one: &Outline, other: &Outline) -> f32 {
    dot_in_lanes::<LANES>(one, other)
}

/// The outline of a whole picture and that of its mirror image: those of near pictures are worth a finer comparison.
pub fn outlines(miniature: &Miniature) -> [Outline; 2] {
    let whole = outline(miniature);
    [whole, posed_outline(&whole, 1)]
}

/// Changes an outline, or its code, to that of the mirror image.
pub fn mirror<T>(outline: &mut [T]) {
    outline.chunks_exact_mut(SIDE).for_each(<[T]>::reverse);
}

/// An outline in another pose.
pub(super) fn posed_outline(outline: &Outline, pose: usize) -> Outline {
    std::array::from_fn(|place| {
        let (x, y) = source::<SIDE>(place % SIDE, place / SIDE, pose);
        outline[y * SIDE + x]
    })
}

/// CellGrid in another pose.
pub(super) fn posed_cells<const SIDE: usize>(cells: &CellGrid<SIDE>, pose: usize) -> CellGrid<SIDE> {
    std::array::from_fn(|x| {
        std::array::from_fn(|y| {
            let (x, y) = source::<SIDE>(x, y, pose);
            cells[x][y]
        })
    })
}

/// Which place of a square moves to a place by a pose.
fn source<const SIDE: usize>(x: usize, y: usize, pose: usize) -> (usize, usize) {
    let last = SIDE - 1;
    let (x, y) = match pose / 2 {
        0 => (x, y),
        1 => (last - y, x),
        2 => (last - x, last - y),
        _ => (y, last - x),
    };
    (if pose % 2 == 1 { last - x } else { x }, y)
}
