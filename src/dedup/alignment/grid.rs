//! Windows of a miniature, and what they show as small grids.

use crate::picture::{MINIATURE_SIDE, Miniature};

/// Side of the grid on which two pictures are compared at last.
pub(super) const FINE: usize = 16;
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

/// A grid, column after column: sums along rows are then sums of columns, which are vectors.
pub(super) type CellGrid<const SIDE: usize> = [[f32; SIDE]; SIDE];

/// For each corner of pixels, the sum of all pixels above and left of it: the sum over any rectangle is four of them
/// (Crow, "Summed-area tables for texture mapping", SIGGRAPH 1984). Column after column.
pub(super) struct Sums(Box<[Column; CORNERS]>);

const CORNERS: usize = MINIATURE_SIDE + 1;

/// Sums at the corners of one column.
type Column = [f32; CORNERS];

impl Sums {
    pub(super) fn of(miniature: &Miniature) -> Self {
        let mut sums = Box::new([[0.0; CORNERS]; CORNERS]);
        for x in 0..MINIATURE_SIDE {
            let mut down = 0.0;
            for y in 0..MINIATURE_SIDE {
                down += f32::from(miniature.bytes()[y * MINIATURE_SIDE + x]);
                sums[x + 1][y + 1] = sums[x][y + 1] + down;
            }
        }
        Self(sums)
    }

    /// The window as `SIDE` × `SIDE` means.
    #[inline(always)]
    pub(super) fn cells<const SIDE: usize>(&self, window: &Window) -> CellGrid<SIDE> {
        let columns = Edges::<SIDE>::along(window.left, window.width);
        let rows = Edges::<SIDE>::along(window.top, window.height);
        let area = window.width * window.height / (SIDE * SIDE) as f32;
        // In two passes: what was just written in one place cannot be read in another without waiting for it.
        let mut between = [[0.0; CORNERS]; CORNERS];
        for (number, between) in between.iter_mut().enumerate().take(SIDE + 1) {
            let (left, right) = (&self.0[columns.before[number]], &self.0[columns.before[number] + 1]);
            for y in 0..CORNERS {
                between[y] = left[y] + (right[y] - left[y]) * columns.share[number];
            }
        }
        let (mut left, mut cells) = (rows.of(&between[0]), [[0.0; SIDE]; SIDE]);
        for number in 0..SIDE {
            let right = rows.of(&between[number + 1]);
            for y in 0..SIDE {
                cells[number][y] = (right[y + 1] - left[y + 1] - right[y] + left[y]) / area;
            }
            left = right;
        }
        cells
    }
}

/// Where the edges of `SIDE` cells lie: the corner before each, and the share of a pixel after it. Longer than there are edges: an
/// array of `SIDE` + 1 cannot be named.
struct Edges<const SIDE: usize> {
    before: [usize; CORNERS],
    share: [f32; CORNERS],
}

impl<const SIDE: usize> Edges<SIDE> {
    #[inline(always)]
    fn along(start: f32, size: f32) -> Self {
        let (mut before, mut share) = ([0; CORNERS], [0.0; CORNERS]);
        for number in 0..=SIDE {
            let place = (start + size * number as f32 / SIDE as f32).clamp(0.0, MINIATURE_SIDE as f32);
            before[number] = (place as usize).min(MINIATURE_SIDE - 1);
            share[number] = place - before[number] as f32;
        }
        Self { before, share }
    }

    /// The sums of a column at these edges.
    #[inline(always)]
    fn of(&self, column: &Column) -> Column {
        let mut sums = [0.0; CORNERS];
        for number in 0..=SIDE {
            let (above, below) = (column[self.before[number]], column[self.before[number] + 1]);
            sums[number] = above + (below - above) * self.share[number];
        }
        sums
    }
}

/// A whole miniature as `SIDE` × `SIDE` means. What [`Sums::cells`] gives for [`Window::WHOLE`], to the bit: sums of whole numbers
/// are exact.
pub(super) fn whole_cells<const SIDE: usize>(miniature: &Miniature) -> CellGrid<SIDE> {
    let block = MINIATURE_SIDE / SIDE;
    let mut sums = [[0_u32; SIDE]; SIDE];
    for (y, row) in miniature.bytes().chunks_exact(MINIATURE_SIDE).enumerate() {
        for (x, pixels) in row.chunks_exact(block).enumerate() {
            sums[x][y / block] += pixels.iter().map(|value| u32::from(*value)).sum::<u32>();
        }
    }
    sums.map(|column| column.map(|sum| sum as f32 / (block * block) as f32))
}
