//! Draws the notice: a message in place of the matches, or in a band above them.

use std::borrow::Cow;

use super::area::{Area, Scale};
use super::canvas::SheetCanvas;
use super::theme::Palette;
use super::words::{clean_name, clean_paragraph};
use super::{Notice, NoticeKind, SheetContent};
use crate::answer::text::{Line, Setting, Weight, line, paragraph};

/// A longer text is cut with an ellipsis.
const MAX_HEADLINE_LINES: usize = 3;
const MAX_DETAIL_LINES: usize = 8;

/// Sizes in design units.
struct Sizes {
    padding: f32,
    marker: f32,
    headline: f32,
    detail: f32,
    space: f32,
    /// The marker is to the left of the text, not above it.
    has_marker_on_left: bool,
}

const ALONE: Sizes =
    Sizes { padding: 0.0, marker: 48.0, headline: 34.0, detail: 20.0, space: 14.0, has_marker_on_left: false };
const BAND: Sizes =
    Sizes { padding: 22.0, marker: 36.0, headline: 18.0, detail: 16.0, space: 2.0, has_marker_on_left: true };

/// A notice whose lines are shaped.
pub(super) struct ComposedNotice {
    /// Total height in pixels.
    pub height: u32,
    headline: Vec<Line>,
    detail: Vec<Line>,
    sizes: &'static Sizes,
    scale: Scale,
}

/// The content's notice; without matches and without a notice, one that says so.
pub(super) fn needed(content: &SheetContent) -> Option<Cow<'_, Notice>> {
    match &content.notice {
        Some(notice) => Some(Cow::Borrowed(notice)),
        None if content.matches.is_empty() => Some(Cow::Owned(Notice {
            kind: NoticeKind::NothingSimilar,
            headline: "No matches".to_string(),
            detail: "There is no picture to compare this one with yet.".to_string(),
        })),
        None => None,
    }
}

/// Shapes `notice` for a width of `width` pixels; `alone` when no matches follow it.
pub(super) fn compose(notice: &Notice, alone: bool, width: u32, sheet_width_px: u32) -> ComposedNotice {
    let scale = Scale::of(sheet_width_px);
    let sizes = if alone { &ALONE } else { &BAND };
    let text_px = (width as f32 - scale.fine(text_left(sizes) + sizes.padding)).max(1.0);
    let headline = headline_setting(sizes, scale);
    let headline = paragraph(&clean_name(&notice.headline), headline, text_px, MAX_HEADLINE_LINES);
    // Lines of more than about eighty letters are hard to follow.
    let detail_px = text_px.min(scale.fine(sizes.detail * if alone { 34.0 } else { 80.0 }));
    let detail = match clean_paragraph(&notice.detail) {
        detail if detail.is_empty() => Vec::new(),
        detail => paragraph(&detail, detail_setting(sizes, scale), detail_px, MAX_DETAIL_LINES),
    };
    let mut composed = ComposedNotice { height: 0, headline, detail, sizes, scale };
    composed.height = composed.measure();
    composed
}

impl ComposedNotice {
    fn measure(&self) -> u32 {
        let (sizes, scale) = (self.sizes, self.scale);
        let space = if self.detail.is_empty() { 0.0 } else { sizes.space };
        let text = self.headline.len() as f32 * headline_height(sizes)
            + space
            + self.detail.len() as f32 * detail_height(sizes);
        let inner = if sizes.has_marker_on_left { text.max(sizes.marker) } else { text + sizes.marker + 22.0 };
        scale.px(inner + 2.0 * sizes.padding)
    }

    /// Draws it into `area`.
    pub fn draw(&self, canvas: &mut SheetCanvas, palette: &Palette, kind: NoticeKind, area: Area) {
        let (sizes, scale) = (self.sizes, self.scale);
        let padding = scale.px(sizes.padding);
        if sizes.has_marker_on_left {
            canvas.fill_round(area, scale.fine(12.0), palette.panel);
        }
        let side = scale.px(sizes.marker);
        let (x, mut y) = (area.x + padding, area.y + padding);
        draw_marker(canvas, palette, kind, Area::new(x, y, side, side));
        if !sizes.has_marker_on_left {
            y += side + scale.px(22.0);
        } else if self.detail.is_empty() {
            y += (side.saturating_sub(scale.px(headline_height(sizes)))) / 2;
        }
        let text_x = area.x as f32 + scale.fine(text_left(sizes));
        let mut top = y as f32;
        let mut set = |lines: &[Line], size: f32, height: f32, colour| {
            for line in lines {
                canvas.text(line, text_x, (top + scale.fine(height * 0.5 + size * 0.363)).round(), colour);
                top += scale.fine(height);
            }
            top += scale.fine(sizes.space);
        };
        set(&self.headline, sizes.headline, headline_height(sizes), palette.ink);
        set(&self.detail, sizes.detail, detail_height(sizes), palette.soft_ink);
    }
}

fn draw_marker(canvas: &mut SheetCanvas, palette: &Palette, kind: NoticeKind, area: Area) {
    let (sign, colour) = match kind {
        NoticeKind::Error => ("!", palette.warning),
        NoticeKind::NothingSimilar => ("≠", palette.accent),
        NoticeKind::Partial => ("i", palette.accent),
    };
    canvas.fill_round(area, area.width as f32, colour);
    let size_px = area.width as f32 * 0.56;
    let sign = line(sign, Setting { size_px, weight: Weight::SemiBold });
    let x = area.x as f32 + (area.width as f32 - sign.width_px) / 2.0;
    canvas.text(&sign, x, (area.y as f32 + area.height as f32 / 2.0 + size_px * 0.363).round(), palette.on_accent);
}

/// Where the text begins, in design units from the notice's left edge.
fn text_left(sizes: &Sizes) -> f32 {
    if sizes.has_marker_on_left { sizes.padding + sizes.marker + 18.0 } else { sizes.padding }
}

fn headline_height(sizes: &Sizes) -> f32 {
    sizes.headline * 1.28
}

fn detail_height(sizes: &Sizes) -> f32 {
    sizes.detail * 1.5
}

fn headline_setting(sizes: &Sizes, scale: Scale) -> Setting {
    Setting { size_px: scale.fine(sizes.headline), weight: Weight::SemiBold }
}

fn detail_setting(sizes: &Sizes, scale: Scale) -> Setting {
    Setting { size_px: scale.fine(sizes.detail), weight: Weight::Regular }
}
