//! Draws groups of pictures as one sheet: a line for each group, with a heading and the names of its pictures.

use image::{Rgb, RgbImage, imageops};

use super::lettering::{mixed, write};
use super::thumbnails::Thumbnail;
use crate::answer::text::{Setting, Weight, fitted};
use crate::config::Theme;

/// Most groups on a sheet; the others are counted.
pub const SHOWN_GROUPS: usize = 60;
/// Most pictures of a group; the others are counted.
pub const SHOWN_MEMBERS: usize = 8;

const CELL_PX: u32 = 180;
const GAP_PX: u32 = 12;
const MARGIN_PX: u32 = 32;
const HEADING_PX: u32 = 34;
const CAPTION_PX: u32 = 26;
const HEADING: Setting = Setting { size_px: 17.0, weight: Weight::SemiBold };
const CAPTION: Setting = Setting { size_px: 13.0, weight: Weight::Regular };

/// A line of the sheet.
pub struct SheetGroup {
    /// Stands above its pictures.
    pub heading: String,
    /// Positions of its files.
    pub members: Vec<usize>,
}

/// Draws the first groups. `shown` gives the name and the thumbnail, at most 180 pixels a side, of a position.
pub fn group_sheet<'a>(
    groups: &[SheetGroup],
    shown: &dyn Fn(usize) -> (&'a str, Option<&'a Thumbnail>),
    theme: Theme,
) -> RgbImage {
    let (ground, panel, ink, soft) = match theme {
        Theme::Light => ([251, 250, 248], [240, 238, 234], [26, 28, 31], [84, 88, 94]),
        Theme::Dark => ([21, 23, 26], [32, 35, 39], [242, 242, 240], [181, 185, 190]),
    };
    let groups = &groups[..groups.len().min(SHOWN_GROUPS)];
    let across = groups.iter().map(|group| group.members.len().min(SHOWN_MEMBERS)).max().unwrap_or(0).max(3) as u32;
    let line_px = HEADING_PX + CELL_PX + CAPTION_PX + GAP_PX;
    let width = 2 * MARGIN_PX + across * (CELL_PX + GAP_PX) - GAP_PX;
    let mut sheet = RgbImage::from_pixel(width, 2 * MARGIN_PX + groups.len() as u32 * line_px, Rgb(ground));
    for (number, group) in groups.iter().enumerate() {
        let top = MARGIN_PX + number as u32 * line_px;
        let heading = fitted(&group.heading, HEADING, (width - 2 * MARGIN_PX) as f32);
        write(&mut sheet, &heading, MARGIN_PX, top + HEADING_PX - 14, ink);
        for (place, &member) in group.members.iter().take(SHOWN_MEMBERS).enumerate() {
            let (left, top) = (MARGIN_PX + place as u32 * (CELL_PX + GAP_PX), top + HEADING_PX);
            fill(&mut sheet, (left, top), panel);
            let (name, thumbnail) = shown(member);
            if let Some(Ok(picture)) = thumbnail {
                let opaque = on(picture, panel);
                let middle = |free: u32, side: u32| i64::from(free + CELL_PX.saturating_sub(side) / 2);
                let (x, y) = (middle(left, opaque.width()), middle(top, opaque.height()));
                imageops::replace(&mut sheet, &opaque, x, y);
            }
            write(&mut sheet, &fitted(name, CAPTION, CELL_PX as f32), left, top + CELL_PX + 18, soft);
        }
    }
    sheet
}

fn fill(sheet: &mut RgbImage, corner: (u32, u32), colour: [u8; 3]) {
    let square = RgbImage::from_pixel(CELL_PX, CELL_PX, Rgb(colour));
    imageops::replace(sheet, &square, i64::from(corner.0), i64::from(corner.1));
}

fn on(picture: &image::RgbaImage, ground: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        Rgb(mixed(ground, [red, green, blue], alpha))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_a_line_with_names_and_a_missing_picture_leaves_its_panel() {
        let group = SheetGroup { members: (0..11).collect(), heading: "eleven".into() };
        let red: Thumbnail = Ok(image::RgbaImage::from_pixel(90, 60, image::Rgba([255, 0, 0, 255])));
        let shown = |at: usize| ("ein Bild.jpg", (at > 0).then_some(&red));
        let sheet = group_sheet(&[group], &shown, Theme::Light);
        let middle = |place: u32| {
            let x = MARGIN_PX + place * (CELL_PX + GAP_PX) + CELL_PX / 2;
            sheet.get_pixel(x, MARGIN_PX + HEADING_PX + CELL_PX / 2).0
        };
        assert_eq!((middle(0), middle(1)), ([240, 238, 234], [255, 0, 0]));
        let captions = imageops::crop_imm(&sheet, MARGIN_PX, MARGIN_PX + HEADING_PX + CELL_PX, CELL_PX, CAPTION_PX);
        assert!(captions.to_image().pixels().any(|pixel| pixel.0[0] < 150), "the name is written");
    }
}
