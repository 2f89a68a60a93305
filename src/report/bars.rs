//! Two figures compared by the lengths of their bars, and where a new one would have been refused.

use super::page::Page;
use crate::answer::sheet::{Area, Rgb, typeset};
use crate::answer::text::{Setting, Weight, line};

/// Height of a block.
pub(super) const HEIGHT_PX: u32 = 216;

const NAME: Setting = Setting { size_px: 20.0, weight: Weight::SemiBold };
const TEXT: Setting = Setting { size_px: 15.0, weight: Weight::Regular };
const VALUE: Setting = Setting { size_px: 16.0, weight: Weight::SemiBold };
const BAR_PX: u32 = 10;
/// Where the names of the models stand, and how far below them their bars.
const TOPS: [u32; 2] = [68, 118];
const BELOW_NAME_PX: u32 = 26;
/// Room for the values behind the bars.
const VALUE_PX: u32 = 84;

/// A figure of two models.
pub(super) struct Compared {
    /// A word or two.
    pub(super) name: &'static str,
    /// What it counts, and which way is better.
    pub(super) meaning: &'static str,
    /// Of the new model and of the one before.
    pub(super) after: f32,
    pub(super) before: f32,
    /// The worst with which a new one passes; `None` where any does.
    pub(super) limit: Option<f32>,
    /// On which side of it a new one is refused: "below" or "above".
    pub(super) refused: &'static str,
    /// Whether the new model is beyond it.
    pub(super) is_exceeded: bool,
    /// What a full bar stands for; 0: the greatest of the figures.
    pub(super) whole: f32,
    /// The figure as text.
    pub(super) format: fn(f32) -> String,
}

/// Draws it at the top of `area`; `models` are the names of the new one and of the one before.
pub(super) fn draw(page: &mut Page, area: Area, compared: &Compared, models: [&str; 2]) {
    let palette = page.palette;
    let row = |y: u32, height: u32| Area::new(area.x, area.y + y, area.width, height);
    page.write(compared.name, row(0, 28), NAME, palette.ink);
    page.write(compared.meaning, row(28, 26), TEXT, palette.soft_ink);
    let greatest = [compared.after, compared.before, compared.limit.unwrap_or(0.0)].into_iter().fold(0.0, f32::max);
    let whole = if compared.whole > 0.0 { compared.whole } else { greatest };
    let full = Area::new(area.x, area.y, area.width - VALUE_PX, BAR_PX);
    let length = |figure: f32| (full.width as f32 * (figure / whole.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0)) as u32;
    let new_colour = if compared.is_exceeded { palette.warning } else { palette.accent };
    let bars = [(compared.after, models[0], new_colour), (compared.before, models[1], palette.quiet_ink)];
    for ((figure, model, colour), top) in bars.into_iter().zip(TOPS) {
        page.write(model, row(top, 22), TEXT, palette.soft_ink);
        let bar = Area { y: area.y + top + BELOW_NAME_PX, ..full };
        draw_bar(page, bar, length(figure), colour);
        let value = Area::new(bar.right() + 14, bar.y - 7, VALUE_PX - 14, 24);
        page.write(&(compared.format)(figure), value, VALUE, palette.ink);
    }
    if let Some(limit) = compared.limit {
        let text = format!("refused {} {}", compared.refused, (compared.format)(limit));
        draw_limit(page, full, length(limit), &text);
    }
}

fn draw_bar(page: &mut Page, bar: Area, filled: u32, colour: Rgb) {
    let palette = page.palette;
    page.canvas.fill_round(bar, bar.height as f32, palette.track);
    if filled > 0 {
        page.canvas.fill_round(Area { width: filled.max(bar.height), ..bar }, bar.height as f32, colour);
    }
}

/// A line through each bar, named below.
fn draw_limit(page: &mut Page, full: Area, at: u32, text: &str) {
    let colour = page.palette.warning;
    let x = full.x + at.min(full.width);
    for top in TOPS {
        let bar_top = full.y + top + BELOW_NAME_PX;
        page.canvas.fill(Area::new(x.saturating_sub(1), bar_top - 6, 2, BAR_PX + 12), colour);
    }
    let label = line(&typeset(text), TEXT);
    // The name stands below its line, and within the block.
    let most = full.right() as f32 - label.width_px;
    let left = (x as f32 - label.width_px / 2.0).clamp(full.x as f32, most.max(full.x as f32));
    page.canvas.text(&label, left, full.y as f32 + 184.0, colour);
}
