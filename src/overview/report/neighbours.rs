//! What the linear code keeps, where there are no pixels to paint: whether what comes back of a picture's code still has the
//! same pictures next to it, and which the codes themselves have next to it.

use std::path::PathBuf;

use image::RgbImage;

use super::page::{Heading, MARGIN_PX, Page, WIDTH_PX};
use super::subject::{Subject, evenly};
use crate::answer::sheet::{Area, draw_picture, thousands};
use crate::answer::text::{Setting, Weight};
use crate::base::dot::dot;
use crate::base::nearest::first;
use crate::base::rows::{Rows, to_unit_length};
use crate::model::Autoencoder;
use crate::overview::thumbnails::{Thumbnail, thumbnails};
use crate::progress::Progress;

/// Pictures shown with their neighbours.
const SAMPLES: usize = 6;
/// Neighbours in a group.
const NEIGHBOURS: usize = 3;
const GROUPS: [&str; 3] = ["Nearest by the features", "Nearest by what comes back", "Nearest by the codes"];
/// Between pictures, between groups, between lines.
const GAP_PX: u32 = 12;
const GROUP_PX: u32 = 46;
const LINE_PX: u32 = 44;
const HEADINGS_PX: u32 = 40;
const RADIUS_PX: f32 = 7.0;
const BAR_PX: u32 = 4;
const NAME: Setting = Setting { size_px: 16.0, weight: Weight::SemiBold };
const TEXT: Setting = Setting { size_px: 14.5, weight: Weight::Regular };

/// A picture of the inventory, and positions of those nearest to it, by each of [`GROUPS`].
struct Sample {
    at: usize,
    nearest: [Vec<usize>; 3],
    /// Cosine of the features and what comes back of them.
    alike: f32,
}

impl Sample {
    /// How many of a group are in the first one, too.
    fn shared(&self, group: usize) -> usize {
        self.nearest[group].iter().filter(|at| self.nearest[0].contains(at)).count()
    }
}

/// Draws it; `None` when the work was cancelled.
pub(super) fn draw(subject: &Subject, coder: &Autoencoder, progress: &dyn Progress) -> Option<RgbImage> {
    let features = &subject.inventory;
    let samples = samples([features, &coder.restored(features), &coder.encode(features)]);
    let shown = samples.iter().flat_map(|sample| std::iter::once(&sample.at).chain(sample.nearest.iter().flatten()));
    let paths: Vec<PathBuf> = shown.map(|&at| subject.paths[at].clone()).collect();
    let made = thumbnails(&subject.folder, &paths, side_px(), &subject.bounds, progress)?;
    let sum = |count: &dyn Fn(&Sample) -> usize| samples.iter().map(count).sum::<usize>();
    let all = sum(&|sample| sample.nearest[0].len());
    let (restored, by_codes) = (sum(&|sample| sample.shared(1)), sum(&|sample| sample.shared(2)));
    let heading = Heading {
        label: "What the code keeps".into(),
        title: format!("{restored} of {all} nearest pictures come back, {by_codes} are nearest by the codes"),
        text: format!(
            "This encoder has no pixels to paint back: it takes the network’s {} features to {} values and back. So each \
             picture stands beside those nearest to it by the features as they are, by what comes back of all codes, and by \
             the codes themselves, which are what queries are answered by; below it, how alike its features and what comes \
             back of them are. Where the second group is the first, the code has \
             lost nothing that matters; where the third is another, that is what was learned.",
            thousands(features.width()),
            thousands(coder.embedding_width())
        ),
        is_warning: false,
    };
    let lines = samples.len() as u32;
    let body_px = HEADINGS_PX + (lines * (side_px() + LINE_PX)).saturating_sub(LINE_PX - 30);
    let right = "underlined: nearest by the features, too";
    Some(subject.page(&heading, body_px, |page| lines_of(page, &samples, &made), right))
}

/// By rows of features, of what comes back of them, and of codes.
fn samples(rows: [&Rows; 3]) -> Vec<Sample> {
    let rows = rows.map(at_unit_length);
    let sample = |at| Sample {
        at,
        nearest: [0, 1, 2].map(|group| nearest(&rows[group], at)),
        alike: dot(rows[0].row(at), rows[1].row(at)),
    };
    evenly(rows[0].len(), SAMPLES).map(sample).collect()
}

/// The positions of the rows nearest to that at `at`, itself left out.
fn nearest(rows: &Rows, at: usize) -> Vec<usize> {
    let others: Vec<(usize, f32)> =
        (0..rows.len()).filter(|other| *other != at).map(|other| (other, dot(rows.row(at), rows.row(other)))).collect();
    let nearest = first(others, NEIGHBOURS, |one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    nearest.into_iter().map(|(other, _)| other).collect()
}

fn at_unit_length(rows: &Rows) -> Rows {
    let mut rows = rows.clone();
    (0..rows.len()).for_each(|at| to_unit_length(rows.row_mut(at)));
    rows
}

/// Side of a picture.
fn side_px() -> u32 {
    let (groups, neighbours) = (GROUPS.len() as u32, NEIGHBOURS as u32);
    let free = WIDTH_PX - 2 * MARGIN_PX - groups * GROUP_PX - groups * (neighbours - 1) * GAP_PX;
    free / (groups * neighbours + 1)
}

/// Left edge of a place in a group.
fn left_px(page: &Page, group: usize, place: usize) -> u32 {
    let group_px = NEIGHBOURS as u32 * (side_px() + GAP_PX) - GAP_PX;
    let first = page.body.x + side_px() + GROUP_PX + group as u32 * (group_px + GROUP_PX);
    first + place as u32 * (side_px() + GAP_PX)
}

fn lines_of(page: &mut Page, samples: &[Sample], made: &[Thumbnail]) {
    let (side, body) = (side_px(), page.body);
    page.write("The picture", Area::new(body.x, body.y, side, 24), NAME, page.palette.ink);
    for (group, name) in GROUPS.into_iter().enumerate() {
        let area = Area::new(left_px(page, group, 0), body.y, side * NEIGHBOURS as u32, 24);
        page.write(name, area, NAME, page.palette.ink);
    }
    let mut made = made.iter().map(|thumbnail| thumbnail.as_ref().ok());
    for (number, sample) in (0_u32..).zip(samples) {
        let top = body.y + HEADINGS_PX + number * (side + LINE_PX);
        let panel = Area::new(body.x, top, side, side);
        draw_picture(&mut page.canvas, page.palette, panel, RADIUS_PX, made.next().flatten());
        let alike = Area::new(body.x, top + side + 8, side, 20);
        page.write(&format!("{:.2} alike", sample.alike), alike, TEXT, page.palette.soft_ink);
        for (group, nearest) in sample.nearest.iter().enumerate() {
            for (place, at) in nearest.iter().enumerate() {
                let panel = Area { x: left_px(page, group, place), ..panel };
                draw_picture(&mut page.canvas, page.palette, panel, RADIUS_PX, made.next().flatten());
                if group > 0 && sample.nearest[0].contains(at) {
                    let bar = Area { y: panel.bottom() + 8, height: BAR_PX, ..panel };
                    page.canvas.fill_round(bar, BAR_PX as f32, page.palette.accent);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_nearest_first_and_never_oneself() {
        let rows = Rows::from_values(2, vec![1.0, 0.0, 0.0, 1.0, 0.9, 0.1, 0.5, 0.5, 0.6, 0.5]).unwrap();
        assert_eq!(nearest(&at_unit_length(&rows), 0), [2, 4, 3]);
        let turned = Rows::from_values(2, vec![1.0, 0.0, 1.0, 0.1, 0.0, 1.0, 0.5, 0.5, 0.6, 0.5]).unwrap();
        let samples = samples([&rows, &rows, &turned]);
        assert_eq!(samples.len(), 5);
        assert!(samples.iter().all(|sample| sample.shared(1) == 3 && sample.alike > 0.999));
        assert_eq!((&samples[0].nearest[2][..], samples[0].shared(2)), (&[1, 4, 3][..], 2));
    }
}
