//! Places the parts of a sheet for each of its four arrangements.

use super::super::area::Area;
use super::super::cell::{CellSize, EXTRA_LARGE, MEDIUM, MatchCell};
use super::super::examples::{ExampleAreas, ROW as EXAMPLE_ROW};
use super::super::mosaic;
use super::{HeadingAreas, LABEL, Layout, LayoutInput};

// All in design units.
const GUTTER: f32 = 60.0;
const COLUMN_GAP: f32 = 24.0;
const ROW_GAP: f32 = 26.0;
const TITLE_SPACE: f32 = 20.0;
/// Height of the query's band above a large grid.
const BAND: f32 = 300.0;
const BAND_TITLE: f32 = 54.0;
const SUBTITLE: f32 = 38.0;
/// Space above the examples, below the query's pictures or, in the band, below the subtitle.
const EXAMPLES_SPACE: f32 = 26.0;
const BAND_EXAMPLES_SPACE: f32 = 18.0;
/// Widest panel of a match.
const MAX_PANEL: f32 = 720.0;
/// When the panels of the query and of a match next to it differ by less than this share, they get the same height.
const SAME_HEIGHT: f32 = 0.18;
/// On a narrow sheet: the largest share of its width for the query, and the spaces around it and between matches.
const NARROW_QUERY: f32 = 0.44;
const NARROW_GUTTER: f32 = 28.0;
const NARROW_GAP: f32 = 16.0;
/// Width of the query next to a notice.
const NOTICE_QUERY: f32 = 520.0;

impl Layout {
    /// Places the notice across the sheet, above everything else; returns the area below it.
    pub(super) fn banner(&mut self, input: &LayoutInput<'_>, content: Area) -> Area {
        let Some(height) = input.notice_px else { return content };
        let notice = Area { height: height(content.width), ..content };
        self.notice = Some(notice);
        Area { y: notice.bottom() + self.scale.px(36.0), ..content }
    }

    pub(super) fn notice_only(&mut self, input: &LayoutInput<'_>, content: Area) -> u32 {
        let scale = self.scale;
        let mut notice = Area { width: content.width.min(scale.px(1100.0)), ..content };
        let mut end = content.y;
        if input.queries > 0 {
            let width = scale.px(NOTICE_QUERY);
            end = self.query_column(input, content, width, None);
            let x = content.x + width + scale.px(GUTTER + 12.0);
            let y = self.tiles.first().map_or(content.y, |tile| tile.y);
            notice = Area::new(x, y, content.right() - x, 0);
        }
        if let Some(height) = input.notice_px {
            notice.height = height(notice.width);
            let tiles_end = self.tiles.iter().map(Area::bottom).max().unwrap_or(end);
            let room = tiles_end.saturating_sub(notice.y + notice.height);
            // Slightly above the middle of the picture next to it, which looks centred.
            notice.y += room * 2 / 5;
            self.notice = Some(notice);
            end = end.max(notice.bottom());
        }
        end
    }

    /// The same on a narrow sheet: the notice below the query.
    pub(super) fn notice_below(&mut self, input: &LayoutInput<'_>, content: Area) -> u32 {
        let mut end = content.y;
        if input.queries > 0 {
            let width = content.width.min(self.scale.px(NOTICE_QUERY));
            end = self.query_column(input, content, width, None) + self.scale.px(NARROW_GUTTER);
        }
        let Some(height) = input.notice_px else { return end };
        let notice = Area { y: end, height: height(content.width), ..content };
        self.notice = Some(notice);
        notice.bottom()
    }

    pub(super) fn query_left(&mut self, input: &LayoutInput<'_>, content: Area, columns: u32, query_ratio: f32) -> u32 {
        let (gap, gutter) = (self.scale.px(COLUMN_GAP), self.scale.px(GUTTER));
        let cells_px = (content.width - gutter - (columns - 1) * gap) as f32;
        let cell = ((cells_px / (query_ratio + columns as f32)) as u32).min(self.scale.px(MAX_PANEL));
        let grid = columns * cell + (columns - 1) * gap;
        let query = content.width - gutter - grid;
        let panel_height = aspect_height(cell, input.cell_aspect);
        let neighbour = (query_ratio == 1.0).then_some(panel_height);
        let caption = CellSize::for_panel(cell, self.scale).caption_px(input.captions, self.scale);
        let rows = (input.matches as u32).div_ceil(columns);
        let height = rows * (panel_height + caption) + (rows - 1) * self.scale.px(ROW_GAP);
        let end = self.query_column(input, Area { height, ..content }, query, neighbour);
        let area = Area::new(content.right() - grid, self.matches_heading(content, grid), grid, 0);
        end.max(self.grid(area, input, columns, (cell, panel_height)))
    }

    /// Places the first match as wide as the query, and smaller ones in two columns next to it that end at the same
    /// height. All panels have the same shape, which determines the widths.
    pub(super) fn large_first_match(&mut self, input: &LayoutInput<'_>, content: Area) -> u32 {
        let scale = self.scale;
        let (gap, gutter, row_gap) = (scale.px(COLUMN_GAP), scale.px(GUTTER), scale.px(ROW_GAP));
        let lines = input.captions;
        let captions = 2 * MEDIUM.caption_px(lines, scale) + row_gap - EXTRA_LARGE.caption_px(lines, scale);
        let aspect = input.cell_aspect;
        let cell = ((content.width - gutter - 2 * gap) as f32 - 2.0 * aspect * captions as f32) as u32 / 6;
        let (panel, first) = (aspect_height(cell, aspect), (content.width - gutter - 2 * gap - 2 * cell) / 2);
        let first_panel = 2 * panel + captions;
        let end = self.query_column(input, Area { height: first_panel, ..content }, first, Some(first_panel));
        let grid = first + 2 * (gap + cell);
        let top = self.matches_heading(content, grid);
        let x = content.right() - grid;
        self.cells.push(MatchCell::below(Area::new(x, top, first, first_panel), EXTRA_LARGE, lines, scale));
        for place in 0..input.matches as u32 - 1 {
            let x = x + first + gap + place % 2 * (cell + gap);
            let y = top + place / 2 * (panel + MEDIUM.caption_px(lines, scale) + row_gap);
            self.cells.push(MatchCell::below(Area::new(x, y, cell, panel), MEDIUM, lines, scale));
        }
        self.cells.iter().map(MatchCell::bottom).fold(end, u32::max)
    }

    pub(super) fn query_above(&mut self, input: &LayoutInput<'_>, content: Area, columns: u32) -> u32 {
        let scale = self.scale;
        let band = scale.px(BAND);
        let mut x = content.x;
        if input.queries > 0 {
            self.tiles = match input.queries {
                1 => vec![Area::new(x, content.y, (band as f32 * input.query_aspect) as u32, band)],
                queries => mosaic::of_height(Area { height: band, ..content }, queries, input.query_aspect, scale),
            };
            x = self.tiles.iter().map(Area::right).max().unwrap_or(x) + scale.px(GUTTER - 12.0);
        }
        let middle = content.y + band / 2;
        let has_examples = input.queries > 0 && input.examples != [0, 0];
        let below = if has_examples { BAND_EXAMPLES_SPACE + EXAMPLE_ROW } else { 0.0 };
        let top = middle - scale.px((LABEL + BAND_TITLE + SUBTITLE + below) / 2.0);
        let heading = HeadingAreas::with_title(x, top, content.right() - x, scale, BAND_TITLE);
        self.query = Some(heading);
        let subtitle = Area::new(x, heading.title.bottom(), heading.title.width, scale.px(SUBTITLE));
        self.subtitle = Some(subtitle);
        if has_examples {
            let rows = Area { y: subtitle.bottom() + scale.px(BAND_EXAMPLES_SPACE), ..subtitle };
            self.examples = ExampleAreas::side_by_side(rows, input.examples, scale);
        }
        let gap = scale.px(if columns > 8 { 16.0 } else { 20.0 });
        let cell = (content.width - (columns - 1) * gap) / columns;
        let grid = Area { y: content.y + band + scale.px(44.0), ..content };
        self.grid(grid, input, columns, (cell, aspect_height(cell, input.cell_aspect)))
    }

    /// Places the query beside its heading, above a grid of few columns.
    pub(super) fn narrow(&mut self, input: &LayoutInput<'_>, content: Area, columns: u32) -> u32 {
        let scale = self.scale;
        let mut x = content.x;
        let text = scale.px(LABEL + BAND_TITLE + SUBTITLE);
        if input.queries > 0 {
            let most = (content.width as f32 * NARROW_QUERY) as u32;
            let width = most.min((scale.fine(BAND) * input.query_aspect) as u32);
            self.tiles = match input.queries {
                1 => vec![Area::new(x, content.y, width, aspect_height(width, input.query_aspect))],
                queries => mosaic::of_width(Area { width: most, ..content }, queries, input.query_aspect, scale),
            };
            x = self.tiles.iter().map(Area::right).max().unwrap_or(x) + scale.px(NARROW_GUTTER);
        }
        let tiles_end = self.tiles.iter().map(Area::bottom).max().unwrap_or(content.y);
        let top = content.y + (tiles_end - content.y).saturating_sub(text) / 2;
        let heading = HeadingAreas::with_title(x, top, content.right() - x, scale, BAND_TITLE);
        self.query = Some(heading);
        let subtitle = Area::new(x, heading.title.bottom(), heading.title.width, scale.px(SUBTITLE));
        self.subtitle = Some(subtitle);
        let mut end = tiles_end.max(subtitle.bottom());
        if input.queries > 0 && input.examples != [0, 0] {
            let below = Area { y: end + scale.px(EXAMPLES_SPACE), ..content };
            self.examples = ExampleAreas::side_by_side(below, input.examples, scale);
            end = self.examples.iter().map(ExampleAreas::bottom).fold(end, u32::max);
        }
        let gap = scale.px(NARROW_GAP);
        let cell = (content.width - (columns - 1) * gap) / columns;
        let grid = Area { y: end + scale.px(NARROW_GUTTER), ..content };
        self.grid(grid, input, columns, (cell, aspect_height(cell, input.cell_aspect)))
    }

    /// Places the heading and the pictures of the query in a column of `width`; returns the first row below. A set fills about the
    /// height of `content`, that of the matches next to it.
    /// `neighbour` is the height of the panel next to it, if the two should match.
    fn query_column(&mut self, input: &LayoutInput<'_>, content: Area, width: u32, neighbour: Option<u32>) -> u32 {
        let heading = HeadingAreas::at(content.x, content.y, width, self.scale);
        let top = heading.title.bottom() + self.scale.px(TITLE_SPACE);
        if input.queries == 0 {
            return top;
        }
        self.query = Some(heading);
        let own = aspect_height(width, input.query_aspect);
        let height = match neighbour {
            Some(height) if (own as f32 / height as f32 - 1.0).abs() < SAME_HEIGHT => height,
            _ => own,
        };
        self.tiles = match input.queries {
            1 => vec![Area::new(content.x, top, width, height)],
            queries => {
                let kinds = input.examples.iter().filter(|count| **count > 0).count() as u32;
                let taken = kinds * self.scale.px(EXAMPLES_SPACE + EXAMPLE_ROW);
                let room = Area::new(content.x, top, width, content.height.saturating_sub(taken));
                mosaic::of_width(room, queries, input.query_aspect, self.scale)
            }
        };
        let end = self.tiles.iter().map(Area::bottom).max().unwrap_or(top);
        let below = Area::new(content.x, end + self.scale.px(EXAMPLES_SPACE), width, 0);
        self.examples = ExampleAreas::stacked(below, input.examples, self.scale);
        self.examples.iter().map(ExampleAreas::bottom).max().unwrap_or(end)
    }

    /// Places the matches' heading over the right `width` of `content`; returns the first row below.
    fn matches_heading(&mut self, content: Area, width: u32) -> u32 {
        let heading = HeadingAreas::at(content.right() - width, content.y, width, self.scale);
        self.matches = Some(heading);
        heading.title.bottom() + self.scale.px(TITLE_SPACE)
    }

    /// Fills `columns` of cells with panels of the size `panel`, row by row, over the width of `area`.
    fn grid(&mut self, area: Area, input: &LayoutInput<'_>, columns: u32, panel: (u32, u32)) -> u32 {
        let (width, height) = panel;
        let scale = self.scale;
        let size = CellSize::for_panel(width, scale);
        let lines = input.captions;
        let row_px = height + size.caption_px(lines, scale) + scale.px(ROW_GAP);
        // All cells are equal. Rounding remainders go into the gaps, so that the last column ends at the margin.
        let left = |column: u32| if columns > 1 { column * (area.width - width) / (columns - 1) } else { 0 };
        let places = (0..input.matches as u32).map(|place| (place % columns, place / columns));
        let panels = places.map(|(column, row)| Area::new(area.x + left(column), area.y + row * row_px, width, height));
        self.cells.extend(panels.map(|panel| MatchCell::below(panel, size, lines, scale)));
        self.cells.iter().map(MatchCell::bottom).max().unwrap_or(area.y)
    }
}

fn aspect_height(width: u32, aspect: f32) -> u32 {
    (width as f32 / aspect).round() as u32
}
