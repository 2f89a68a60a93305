//! Draws the sheet: one picture that shows the query and its most similar inventory pictures.
//!
//! [`render`] is pure: the same content and style give the same pixels. Geometry is in `layout`, text shaping in
//! [`super::text`], colours in `theme`; `paint` combines them.

mod area;
mod arrangement;
mod canvas;
mod cell;
mod encode;
mod examples;
mod layout;
mod mosaic;
mod notice;
mod paint;
mod picture;
mod theme;
mod words;

#[cfg(test)]
mod tests;

use image::{RgbImage, RgbaImage};

pub use encode::{EncodeError, encode};
pub use words::{closeness, decimals, percent, pictures, thousands};

pub use examples::{Examples, MAX_EXAMPLES};

use area::{Area, Scale};
use arrangement::arrangement;
use cell::CaptionLines;
use layout::{Layout, LayoutInput};
use theme::palette;

use super::Grade;
use crate::config::Theme;

/// Most matches on a sheet; further ones are left out.
pub const MAX_MATCHES: usize = 50;
/// Most query pictures on a sheet; further ones are counted but not shown.
pub const MAX_QUERIES: usize = 30;
/// Narrowest and widest sheet in pixels; other widths are clamped to this range.
pub const WIDTH_LIMITS_PX: (u32, u32) = (480, 4096);

/// Least and largest aspect ratio (width / height) of a match's panel, and of a single query's panel.
const CELL_ASPECTS: (f32, f32) = (0.7, 1.7);
const QUERY_ASPECTS: (f32, f32) = (0.7, 1.9);

/// Everything a sheet shows.
#[derive(Debug, Clone)]
pub struct SheetContent {
    /// The query's name as the user knows it: "burger.jpg" or "my set".
    pub title: String,
    /// The query's pictures, 1 to [`MAX_QUERIES`].
    pub queries: Vec<QueryPicture>,
    /// How many more it has, which are not shown.
    pub further_queries: usize,
    /// What the answer was drawn towards and kept away from: at most two kinds.
    pub examples: Vec<Examples>,
    /// The answer in rank order, 0 to [`MAX_MATCHES`].
    pub matches: Vec<Match>,
    /// Shown above the matches, or in place of them.
    pub notice: Option<Notice>,
    /// Where the answer comes from.
    pub footer: Footer,
}

/// A query picture.
#[derive(Debug, Clone)]
pub struct QueryPicture {
    /// Its file name.
    pub name: String,
    /// Its pixels; without them a placeholder with the name is shown.
    pub picture: Option<RgbaImage>,
}

/// A picture of the inventory that is similar to the query.
#[derive(Debug, Clone)]
pub struct Match {
    /// Place in the answer, from 1.
    pub rank: usize,
    /// Path relative to the inventory folder.
    pub name: String,
    /// How similar it is; `None` when that is not known.
    pub grade: Option<Grade>,
    /// Shown only where the grade is not known: share (0..1) of random inventory pairs that are less similar than this match is to the query; NaN when it is not
    /// known.
    pub closer_than: f32,
    /// The raw similarity, shown only where `closer_than` is not known.
    pub similarity: f32,
    /// Alternative wordings of a label on the picture, the longest first; the first that fits is shown. Empty: no
    /// label.
    pub mark: Vec<String>,
    /// Its pixels; without them a placeholder is shown.
    pub picture: Option<RgbaImage>,
}

/// A message on the sheet.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// A few words: "This picture could not be read".
    pub headline: String,
    /// A sentence or two: why, and what to do.
    pub detail: String,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// The query could not be answered.
    Error,
    /// The inventory holds nothing similar.
    NothingSimilar,
    /// The answer is valid but incomplete.
    Partial,
}

/// The last line of a sheet.
#[derive(Debug, Clone)]
pub struct Footer {
    /// Name of the model that ranked the pictures.
    pub model: String,
    /// What folders taught it; empty where they taught nothing.
    pub folders: String,
    /// How it was compared, where that is not the usual way; else empty.
    pub how: String,
    /// Number of pictures that were searched.
    pub inventory: usize,
    /// Which part of the inventory they are, as in "within shirts"; empty: all of it.
    pub scope: String,
    /// Date of the answer, as shown.
    pub date: String,
}

/// The appearance of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SheetStyle {
    /// Light or dark.
    pub theme: Theme,
    /// Width in pixels, within [`WIDTH_LIMITS_PX`]; everything scales with it. The height depends on the content.
    pub width_px: u32,
    /// Columns of the grid of matches; `None`: chosen by the number of matches.
    pub columns: Option<u32>,
}

impl Default for SheetStyle {
    fn default() -> Self {
        Self { theme: Theme::Light, width_px: 1600, columns: None }
    }
}

impl SheetStyle {
    fn width(&self) -> u32 {
        self.width_px.clamp(WIDTH_LIMITS_PX.0, WIDTH_LIMITS_PX.1)
    }
}

/// Draws the sheet. Pictures may have any size; those no larger than [`match_side_px`] and [`query_side_px`] are drawn fastest.
pub fn render(content: &SheetContent, style: &SheetStyle) -> RgbImage {
    let queries = &content.queries[..content.queries.len().min(MAX_QUERIES)];
    let matches = &content.matches[..content.matches.len().min(MAX_MATCHES)];
    let notice = notice::needed(content);
    let width_px = style.width();
    let notice_px = |width: u32| match &notice {
        Some(notice) => notice::compose(notice, matches.is_empty(), width, width_px).height,
        None => 0,
    };
    let query_pictures = queries.iter().filter_map(|tile| tile.picture.as_ref());
    let match_pictures = matches.iter().filter_map(|found| found.picture.as_ref());
    let has_folders = matches.iter().any(|found| words::split_path(&found.name).0.is_some());
    let mut input = LayoutInput {
        width_px,
        columns: style.columns,
        matches: matches.len(),
        queries: queries.len(),
        examples: examples::counts(&content.examples),
        query_aspect: best_aspect(query_pictures, QUERY_ASPECTS),
        cell_aspect: best_aspect(match_pictures, CELL_ASPECTS),
        captions: CaptionLines { name: 1, folder: has_folders },
        notice_px: notice.is_some().then_some(&notice_px),
    };
    let mut layout = Layout::arrange(&input);
    if !paint::names_fit(matches, &layout) {
        input.captions.name = 2;
        layout = Layout::arrange(&input);
    }
    paint::sheet(content, queries, matches, notice.as_ref(), &layout, palette(style.theme))
}

/// Longest side in pixels at which a sheet with so many matches shows one of them; callers may shrink larger ones to it first.
pub fn match_side_px(matches: usize, style: &SheetStyle) -> u32 {
    let matches = matches.min(MAX_MATCHES);
    layouts(matches, 1, style).flat_map(|layout| layout.cells).map(|cell| longer_side(&cell.panel)).max().unwrap_or(0)
}

/// Longest side in pixels at which a sheet shows one of so many query pictures, whatever the number of matches.
pub fn query_side_px(queries: usize, style: &SheetStyle) -> u32 {
    let mut seen = Vec::new();
    // Sheets with the same arrangement show query pictures at the same size.
    let width = Scale::of(style.width()).units(style.width());
    let all = (0..=MAX_MATCHES).filter(|matches| {
        let arrangement = arrangement(*matches, style.columns, width);
        let is_new = !seen.contains(&arrangement);
        seen.push(arrangement);
        is_new
    });
    let layouts = all.flat_map(|matches| layouts(matches, queries.min(MAX_QUERIES), style));
    layouts.flat_map(|layout| layout.tiles).map(|panel| longer_side(&panel)).max().unwrap_or(0)
}

/// The sheets with pictures as tall, as square and as wide as panels get.
fn layouts(matches: usize, queries: usize, style: &SheetStyle) -> impl Iterator<Item = Layout> {
    let (width_px, columns) = (style.width(), style.columns);
    let of_cells = [CELL_ASPECTS.0, 1.0, CELL_ASPECTS.1].into_iter();
    let aspects = of_cells.flat_map(|cell| [QUERY_ASPECTS.0, 1.0, QUERY_ASPECTS.1].map(|query| (cell, query)));
    aspects.map(move |(cell_aspect, query_aspect)| {
        // The more lines captions have, the smaller are the pictures above them.
        let captions = CaptionLines { name: 1, folder: false };
        let (examples, notice_px) = ([0, 0], None);
        Layout::arrange(&LayoutInput {
            width_px,
            columns,
            matches,
            queries,
            examples,
            query_aspect,
            cell_aspect,
            captions,
            notice_px,
        })
    })
}

fn longer_side(panel: &Area) -> u32 {
    panel.width.max(panel.height)
}

/// The aspect ratio of panels that the pictures fill best; 4:3 without pictures. Where nearly all are of one shape it is theirs. Where
/// shapes are mixed it is between them, because a landscape picture in a portrait panel leaves half of it empty.
fn best_aspect<'a>(pictures: impl Iterator<Item = &'a RgbaImage>, limits: (f32, f32)) -> f32 {
    let aspect = |picture: &RgbaImage| picture.width().max(1) as f32 / picture.height().max(1) as f32;
    // A panorama fills no panel, and does not decide.
    let aspects: Vec<f32> = pictures.map(|picture| aspect(picture).clamp(0.5, 2.0)).collect();
    let filled = |panel: f32| {
        let shares = aspects.iter().map(|aspect| (aspect / panel).min(panel / aspect));
        let (sum, least) = shares.fold((0.0, 1.0_f32), |(sum, least), share| (sum + share, least.min(share)));
        2.0 * sum / aspects.len().max(1) as f32 + least
    };
    let candidates = aspects.iter().chain(&[0.75, 1.0, 4.0 / 3.0]).map(|aspect| aspect.clamp(limits.0, limits.1));
    let best = candidates.max_by(|one, other| filled(*one).total_cmp(&filled(*other)));
    if aspects.is_empty() { 4.0 / 3.0 } else { best.unwrap_or(4.0 / 3.0) }
}
