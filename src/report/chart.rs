//! Lines over two axes.

use super::axis::Axis;
use super::page::Page;
use crate::answer::sheet::{Area, Rgb};
use crate::answer::text::{Setting, Weight, line};

/// Height of a page's body with a chart on it.
pub(super) const HEIGHT_PX: u32 = 620;

const LABEL: Setting = Setting { size_px: 15.0, weight: Weight::Regular };
const NAME: Setting = Setting { size_px: 16.0, weight: Weight::SemiBold };
/// Room for the numbers of the upright axis, for those below and for the lines' names.
const LEFT_PX: u32 = 74;
const BELOW_PX: u32 = 72;
const ABOVE_PX: u32 = 36;
const RIGHT_PX: u32 = 250;
/// Names of lines stand so far apart at least.
const NAME_PX: f32 = 50.0;

/// One line of a chart.
pub(super) struct Series {
    /// Said at its end: what it is, and its last value.
    pub(super) name: [String; 2],
    /// Its points, from left to right.
    pub(super) points: Vec<(f64, f64)>,
    pub(super) colour: Rgb,
    /// Thin lines are what the others are drawn from.
    pub(super) width_px: f32,
    /// How much of it is seen, 0 to 255.
    pub(super) alpha: u8,
}

/// What a chart shows.
pub(super) struct Chart {
    pub(super) across: Axis,
    pub(super) up: Axis,
    /// What the axes count.
    pub(super) names: [String; 2],
    /// Behind the numbers of the upright axis: " %".
    pub(super) unit: &'static str,
    pub(super) lines: Vec<Series>,
}

impl Chart {
    /// Draws it into the body of `page`.
    pub(super) fn draw(&self, page: &mut Page) {
        let body = page.body;
        let (width, height) = (body.width - LEFT_PX - RIGHT_PX, body.height - ABOVE_PX - BELOW_PX);
        let plot = Area::new(body.x + LEFT_PX, body.y + ABOVE_PX, width, height);
        self.draw_axes(page, plot);
        for series in &self.lines {
            let points: Vec<(f32, f32)> = series.points.iter().map(|point| self.place(plot, *point)).collect();
            page.canvas.stroke(&points, series.width_px, series.colour, series.alpha);
        }
        self.draw_names(page, plot);
    }

    fn place(&self, plot: Area, (across, up): (f64, f64)) -> (f32, f32) {
        let x = plot.x as f32 + plot.width as f32 * self.across.share(across);
        (x, plot.bottom() as f32 - plot.height as f32 * self.up.share(up))
    }

    fn draw_axes(&self, page: &mut Page, plot: Area) {
        let palette = page.palette;
        for mark in self.up.marks() {
            let y = self.place(plot, (self.across.from, mark)).1.round() as u32;
            page.canvas.fill(Area::new(plot.x, y, plot.width, 1), palette.line);
            let label = Area::new(page.body.x, y.saturating_sub(12), LEFT_PX - 16, 24);
            page.write_at_end(&(self.up.label(mark) + self.unit), label, LABEL, palette.quiet_ink);
        }
        page.canvas.fill(Area::new(plot.x, plot.bottom(), plot.width, 2), palette.quiet_ink);
        for mark in self.across.marks() {
            let x = self.place(plot, (mark, self.up.from)).0;
            page.canvas.fill(Area::new(x.round() as u32, plot.bottom(), 1, 8), palette.quiet_ink);
            let label = line(&self.across.label(mark), LABEL);
            page.canvas.text(&label, x - label.width_px / 2.0, plot.bottom() as f32 + 28.0, palette.quiet_ink);
        }
        let [across, up] = &self.names;
        let above = Area::new(page.body.x, page.body.y, page.body.width, 24);
        page.write(up, above, LABEL, palette.soft_ink);
        let below = Area::new(plot.x, plot.bottom() + 44, plot.width, 24);
        page.write_at_end(across, below, LABEL, palette.soft_ink);
    }

    /// Names the lines at their ends, moved apart where they would lie on one another.
    fn draw_names(&self, page: &mut Page, plot: Area) {
        let end = |series: &Series| series.points.last().map(|point| self.place(plot, *point).1);
        let mut named: Vec<(f32, &Series)> = self.lines.iter().filter_map(|one| Some((end(one)?, one))).collect();
        named.retain(|(_, series)| !series.name[0].is_empty());
        named.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut free = f32::MIN;
        for (y, series) in named {
            let y = y.max(free);
            free = y + NAME_PX;
            let row = Area::new(plot.right() + 18, (y - 24.0).max(0.0) as u32, RIGHT_PX - 18, 24);
            page.write(&series.name[0], row, NAME, series.colour);
            let row = Area { y: row.y + 22, ..row };
            page.write(&series.name[1], row, LABEL, page.palette.soft_ink);
        }
    }
}
