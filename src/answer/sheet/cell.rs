//! The geometry of one match on the sheet: its picture panel, its rank badge and the caption below.

use super::area::{Area, Scale};

/// Which lines all captions of a sheet have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CaptionLines {
    /// Lines of the name: one, or two where a name needs them.
    pub name: u32,
    /// Whether there is a line for the folder.
    pub folder: bool,
}

/// Sizes of a cell's parts in design units, depending on the width of the cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CellSize {
    /// Space between the panel and the name.
    pub space: f32,
    /// Font size of the name.
    pub name: f32,
    /// Font size of the score, and of the folder.
    pub score: f32,
    /// Space between the score and its bar.
    pub bar_space: f32,
    /// Thickness of the bar.
    pub bar: f32,
    /// Diameter of the rank's badge.
    pub badge: f32,
    /// Radius of the panel's corners.
    pub radius: f32,
}

/// For the first match when it is larger than the others.
pub(super) const EXTRA_LARGE: CellSize =
    CellSize { space: 16.0, name: 22.0, score: 17.0, bar_space: 10.0, bar: 6.0, badge: 44.0, radius: 12.0 };
const LARGE: CellSize =
    CellSize { space: 14.0, name: 18.0, score: 15.5, bar_space: 9.0, bar: 5.0, badge: 38.0, radius: 11.0 };
/// For the other matches then, and for grids of medium size.
pub(super) const MEDIUM: CellSize =
    CellSize { space: 11.0, name: 16.0, score: 14.0, bar_space: 8.0, bar: 4.0, badge: 32.0, radius: 9.0 };
const SMALL: CellSize =
    CellSize { space: 8.0, name: 13.5, score: 13.0, bar_space: 6.0, bar: 3.0, badge: 26.0, radius: 7.0 };

impl CellSize {
    /// The sizes for a panel of `width_px`.
    pub fn for_panel(width_px: u32, scale: Scale) -> Self {
        match width_px as f32 / scale.0 {
            units if units >= 380.0 => EXTRA_LARGE,
            units if units >= 260.0 => LARGE,
            units if units >= 190.0 => MEDIUM,
            _ => SMALL,
        }
    }

    fn name_height(&self) -> f32 {
        self.name * 1.45
    }

    fn score_height(&self) -> f32 {
        self.score * 1.5
    }

    fn folder_height(&self) -> f32 {
        self.score * 1.4
    }

    /// Height of everything below the panel, in pixels.
    pub fn caption_px(&self, lines: CaptionLines, scale: Scale) -> u32 {
        let names = lines.name * scale.px(self.name_height());
        let folder = if lines.folder { scale.px(self.folder_height()) } else { 0 };
        let parts = [self.space, self.score_height(), self.bar_space, self.bar];
        names + folder + parts.iter().map(|part| scale.px(*part)).sum::<u32>()
    }
}

/// Where the parts of a match go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MatchCell {
    /// The area behind the picture.
    pub panel: Area,
    /// The rank's badge, in a corner of the panel.
    pub badge: Area,
    /// The first line of the name; a second one has the same height.
    pub name: Area,
    /// The line of the folder, below all lines of the name.
    pub folder: Option<Area>,
    /// The line of the score.
    pub score: Area,
    /// The score's bar at its full length.
    pub bar: Area,
    /// The sizes of its parts.
    pub size: CellSize,
}

impl MatchCell {
    /// The cell whose panel is `panel`, with parts of `size`.
    pub fn below(panel: Area, size: CellSize, lines: CaptionLines, scale: Scale) -> Self {
        let line = |y: u32, units: f32| Area::new(panel.x, y, panel.width, scale.px(units));
        let name = line(panel.bottom() + scale.px(size.space), size.name_height());
        let below = name.y + lines.name * name.height;
        let folder = lines.folder.then(|| line(below, size.folder_height()));
        let score = line(folder.map_or(below, |folder| folder.bottom()), size.score_height());
        let bar = line(score.bottom() + scale.px(size.bar_space), size.bar);
        let inset = scale.px(size.badge * 0.24);
        let side = scale.px(size.badge);
        let badge = Area::new(panel.x + inset, panel.y + inset, side, side);
        Self { panel, badge, name, folder, score, bar, size }
    }

    /// Lines of the name that there is room for.
    pub fn name_lines(&self) -> u32 {
        let end = self.folder.map_or(self.score.y, |folder| folder.y);
        ((end - self.name.y) / self.name.height.max(1)).max(1)
    }

    /// First row below the cell.
    pub fn bottom(&self) -> u32 {
        self.bar.bottom()
    }
}
