//! Pictures over what the convolutional decoder paints from their codes.

use image::RgbImage;

use super::page::{Heading, Page};
use super::subject::{Subject, evenly};
use crate::answer::sheet::{Area, draw_picture};
use crate::answer::text::{Setting, Weight};
use crate::base::rows::Rows;
use crate::model::convolutional::{ConvolutionalAutoencoder, Pixels};

/// Pictures side by side, and lines of them.
const ACROSS: usize = 8;
const LINES: usize = 3;
/// Room for the names of the rows.
const NAMES_PX: u32 = 128;
const GAP_PX: u32 = 12;
/// Between a line of pictures and the next.
const SPACE_PX: u32 = 34;
const RADIUS_PX: f32 = 7.0;
const NAME: Setting = Setting { size_px: 15.0, weight: Weight::Regular };

/// Draws it.
pub(super) fn draw(subject: &Subject, encoder: &ConvolutionalAutoencoder) -> RgbImage {
    let mut shown = Rows::empty(Pixels::WIDTH);
    for at in evenly(subject.inventory.len(), ACROSS * LINES) {
        shown.push(subject.inventory.row(at));
    }
    let back = encoder.decode(&encoder.encode(&shown));
    let lost = 100.0 * encoder.reconstruction_error(&subject.inventory);
    let heading = Heading {
        label: "Reconstructions".into(),
        title: format!("{:.0} % of what differs between pictures is painted back", (100.0 - lost).max(0.0)),
        text: format!(
            "Above what the encoder sees of a picture of the inventory, {0} × {0} pixels; below what the decoder makes of \
             its {1} values, and of nothing else. The decoder is there to train the code; queries are answered without \
             it. So what comes back is in the code for certain, and what does not may be there all the same.",
            Pixels::SIDE,
            encoder.embedding_width()
        ),
        is_warning: false,
    };
    let body_px = body_px(shown.len());
    subject.page(&heading, body_px, |page| lines(page, &shown, &back), "pictures are taken evenly over the inventory")
}

/// Side of a picture.
fn side_px() -> u32 {
    let width = super::page::WIDTH_PX - 2 * super::page::MARGIN_PX - NAMES_PX;
    (width + GAP_PX) / ACROSS as u32 - GAP_PX
}

fn body_px(pictures: usize) -> u32 {
    let lines = pictures.div_ceil(ACROSS) as u32;
    (lines * (2 * side_px() + GAP_PX + SPACE_PX)).saturating_sub(SPACE_PX)
}

fn lines(page: &mut Page, shown: &Rows, back: &Rows) {
    let side = side_px();
    for (number, (original, painted)) in shown.iter().zip(back.iter()).enumerate() {
        let (line, place) = ((number / ACROSS) as u32, (number % ACROSS) as u32);
        let top = page.body.y + line * (2 * side + GAP_PX + SPACE_PX);
        let rows = [("the picture", original, top), ("from its code", painted, top + side + GAP_PX)];
        for (name, row, top) in rows {
            let panel = Area::new(page.body.x + NAMES_PX + place * (side + GAP_PX), top, side, side);
            draw_picture(&mut page.canvas, page.palette, panel, RADIUS_PX, Some(&Pixels::picture(row)));
            if place == 0 {
                let beside = Area::new(page.body.x, top, NAMES_PX - GAP_PX, side);
                page.write_beside(name, beside, NAME, page.palette.soft_ink);
            }
        }
    }
}
