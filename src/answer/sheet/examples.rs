//! Rows of small pictures: what the answer was drawn towards, and what it was kept away from.

use image::RgbaImage;

use super::area::{Area, Scale};

/// Most pictures of one kind that a sheet shows; further ones are counted.
pub const MAX_EXAMPLES: usize = 16;

/// Design units.
const LABEL: f32 = 26.0;
const SIDE: f32 = 72.0;
const GAP: f32 = 10.0;
const ROW_SPACE: f32 = 18.0;
/// Between two rows side by side.
const BESIDE: f32 = 40.0;
/// A label needs so much.
const LEAST_WIDTH: f32 = 120.0;
/// Height of a row with its label.
pub(super) const ROW: f32 = LABEL + SIDE;

/// Examples of one kind.
#[derive(Debug, Clone)]
pub struct Examples {
    /// What they are for.
    pub label: &'static str,
    /// Their pixels, up to [`MAX_EXAMPLES`]; without them a placeholder is shown.
    pub pictures: Vec<Option<RgbaImage>>,
    /// How many there are beyond these.
    pub further: usize,
}

impl Examples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.pictures.len() + self.further
    }
}

/// How many there are of each kind.
pub(super) fn counts(examples: &[Examples]) -> [usize; 2] {
    [0, 1].map(|kind| examples.get(kind).map_or(0, Examples::count))
}

/// Where the examples of one kind go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExampleAreas {
    /// The label's line.
    pub label: Area,
    /// A panel for each that is shown.
    pub panels: Vec<Area>,
    /// Where the number of the others is shown.
    pub rest: Option<Area>,
}

impl ExampleAreas {
    /// One row below the other, as wide as `area`, from its top.
    pub fn stacked(area: Area, counts: [usize; 2], scale: Scale) -> Vec<Self> {
        let mut top = area.y;
        let counts = counts.into_iter().filter(|&count| count > 0);
        counts
            .map(|count| {
                let row = Self::row(Area { y: top, ..area }, count, scale);
                top = row.bottom() + scale.px(ROW_SPACE);
                row
            })
            .collect()
    }

    /// One row beside the other, from the top left of `area`: if both are short, the second follows the first.
    pub fn side_by_side(area: Area, counts: [usize; 2], scale: Scale) -> Vec<Self> {
        let beside = scale.px(BESIDE);
        match counts {
            [0, 0] => Vec::new(),
            [0, count] | [count, 0] => vec![Self::row(area, count, scale)],
            [one, other] => {
                let half = (area.width - beside) / 2;
                let mut first = Self::row(Area { width: half, ..area }, one, scale);
                let least = area.x + scale.px(LEAST_WIDTH);
                let end = first.rest.iter().chain(&first.panels).map(Area::right).fold(least, u32::max);
                first.label.width = end.min(area.x + half) - area.x;
                let x = first.label.right() + beside;
                let second = Self::row(Area { x, width: area.right() - x, ..area }, other, scale);
                vec![first, second]
            }
        }
    }

    fn row(area: Area, count: usize, scale: Scale) -> Self {
        let (side, gap) = (scale.px(SIDE), scale.px(GAP));
        let label = Area { height: scale.px(LABEL), ..area };
        let room = ((area.width + gap) / (side + gap)).max(1) as usize;
        let shown = if count <= room.min(MAX_EXAMPLES) { count } else { (room - 1).min(MAX_EXAMPLES) };
        let panel = |at: usize| Area::new(area.x + at as u32 * (side + gap), label.bottom(), side, side);
        Self { label, panels: (0..shown).map(panel).collect(), rest: (shown < count).then(|| panel(shown)) }
    }

    /// First row of pixels below them.
    pub fn bottom(&self) -> u32 {
        self.rest.iter().chain(&self.panels).map(Area::bottom).fold(self.label.bottom(), u32::max)
    }
}
