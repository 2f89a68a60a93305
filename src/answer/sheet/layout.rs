//! Computes where everything on a sheet goes, in whole pixels; it knows nothing of colours, pixels or fonts.

use super::area::{Area, Scale};
use super::arrangement::{Arrangement, arrangement, is_narrow};
use super::cell::{CaptionLines, MatchCell};
use super::examples::ExampleAreas;

mod place;

/// Design units.
const MARGIN: f32 = 64.0;
const NARROW_MARGIN: f32 = 28.0;
const TOP: f32 = 56.0;
const NARROW_TOP: f32 = 28.0;
const LABEL: f32 = 24.0;
const TITLE: f32 = 42.0;
const FOOTER_SPACE: f32 = 44.0;
const FOOTER: f32 = 58.0;
const BOTTOM: f32 = 26.0;
/// Height of one more line of the footer, and how many more a narrow sheet has.
pub(super) const FOOTER_LINE: f32 = 22.0;
const NARROW_FOOTER_LINES: f32 = 3.0;

/// What a layout depends on.
pub(super) struct LayoutInput<'a> {
    /// Width of the sheet in pixels.
    pub width_px: u32,
    /// Columns the user asked for.
    pub columns: Option<u32>,
    /// Number of matches.
    pub matches: usize,
    /// Number of query pictures.
    pub queries: usize,
    /// Number of examples of each kind.
    pub examples: [usize; 2],
    /// Aspect ratio (width / height) of a single query's panel.
    pub query_aspect: f32,
    /// Aspect ratio (width / height) of a match's panel.
    pub cell_aspect: f32,
    /// The lines of captions.
    pub captions: CaptionLines,
    /// Height in pixels of the notice for a width in pixels; `None` without a notice.
    pub notice_px: Option<&'a dyn Fn(u32) -> u32>,
}

/// A label with a title below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeadingAreas {
    /// The label's line.
    pub label: Area,
    /// The title's line.
    pub title: Area,
}

impl HeadingAreas {
    fn at(x: u32, y: u32, width: u32, scale: Scale) -> Self {
        Self::with_title(x, y, width, scale, TITLE)
    }

    fn with_title(x: u32, y: u32, width: u32, scale: Scale, title: f32) -> Self {
        let label = Area::new(x, y, width, scale.px(LABEL));
        Self { label, title: Area::new(x, label.bottom(), width, scale.px(title)) }
    }
}

/// A sheet's geometry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// Size of the sheet in pixels; the height depends on the content.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Pixels per design unit.
    pub scale: Scale,
    /// Heading above or next to the query's pictures; `None` without a query.
    pub query: Option<HeadingAreas>,
    /// Heading above the matches, when they are to the right of the query.
    pub matches: Option<HeadingAreas>,
    /// Line below the query's title, when the matches are below the query.
    pub subtitle: Option<Area>,
    /// One panel for each query picture.
    pub tiles: Vec<Area>,
    /// One row for each kind of examples that there are, in their order.
    pub examples: Vec<ExampleAreas>,
    /// One cell for each match, in rank order.
    pub cells: Vec<MatchCell>,
    /// The notice.
    pub notice: Option<Area>,
    /// The footer with its hairline on top.
    pub footer: Area,
}

impl Layout {
    /// Computes the layout for `input`.
    pub fn arrange(input: &LayoutInput<'_>) -> Self {
        let scale = Scale::of(input.width_px);
        let width = scale.units(input.width_px);
        let (margin, top) = if is_narrow(width) { (NARROW_MARGIN, NARROW_TOP) } else { (MARGIN, TOP) };
        let margin = scale.px(margin);
        let content = Area::new(margin, scale.px(top), input.width_px - 2 * margin, 0);
        let more = if is_narrow(width) { NARROW_FOOTER_LINES * FOOTER_LINE } else { 0.0 };
        let footer = Area::new(margin, 0, content.width, scale.px(FOOTER + more));
        let empty = Vec::new();
        let mut layout = Self {
            width: input.width_px,
            height: 0,
            scale,
            query: None,
            matches: None,
            subtitle: None,
            tiles: empty,
            examples: Vec::new(),
            cells: Vec::new(),
            notice: None,
            footer,
        };
        let end = match arrangement(input.matches, input.columns, width) {
            Arrangement::Notice if is_narrow(width) => layout.notice_below(input, content),
            Arrangement::Notice => layout.notice_only(input, content),
            Arrangement::QueryLeft { columns, query_ratio } => {
                let content = layout.banner(input, content);
                layout.query_left(input, content, columns, query_ratio)
            }
            Arrangement::LargeFirstMatch => {
                let content = layout.banner(input, content);
                layout.large_first_match(input, content)
            }
            Arrangement::QueryAbove { columns } => {
                let content = layout.banner(input, content);
                layout.query_above(input, content, columns)
            }
            Arrangement::Narrow { columns } => {
                let content = layout.banner(input, content);
                layout.narrow(input, content, columns)
            }
        };
        layout.footer.y = end + scale.px(FOOTER_SPACE);
        layout.height = layout.footer.bottom() + scale.px(BOTTOM);
        layout
    }
}

#[cfg(test)]
mod tests;
