//! Draws the map of an inventory as one image: the middle square of every picture in its cell.

use image::imageops;
use image::{Rgb, RgbImage, RgbaImage};

use super::grid::Grid;
use crate::answer::text::{Setting, Weight, fitted};
use crate::config::Theme;
use crate::overview::{Thumbnail, write};

/// Share of a cell's side left free between pictures.
const GAP: f32 = 0.05;

const CAPTION: Setting = Setting { size_px: 22.0, weight: Weight::Regular };
/// Height of the strip below the map that a caption stands in.
const STRIP_PX: u32 = 48;

/// Draws the map with cells of `cell_px`; thumbnails in the order of the grid's cells, `None` where there is none.
pub fn draw(grid: &Grid, thumbnails: &[Thumbnail], cell_px: u32, theme: Theme) -> RgbImage {
    let ground = ground(theme);
    let gap = ((cell_px as f32 * GAP).round() as u32).max(1);
    let margin = cell_px / 2;
    let side = |cells: usize| cells as u32 * cell_px + 2 * margin;
    let mut map = RgbImage::from_pixel(side(grid.columns), side(grid.rows), ground);
    for (cell, thumbnail) in grid.cells.iter().zip(thumbnails) {
        let Ok(thumbnail) = thumbnail else { continue };
        let inner = cell_px - gap;
        let piece = middle_square(thumbnail, inner, ground);
        let place = |cells: usize| i64::from(margin + cells as u32 * cell_px + gap / 2);
        imageops::replace(&mut map, &piece, place(cell.column), place(cell.row));
    }
    map
}

fn ground(theme: Theme) -> Rgb<u8> {
    match theme {
        Theme::Light => Rgb([251, 250, 248]),
        Theme::Dark => Rgb([21, 23, 26]),
    }
}

/// The map with a line of text below it.
pub fn captioned(map: &RgbImage, caption: &str, theme: Theme) -> RgbImage {
    let ink = match theme {
        Theme::Light => [84, 88, 94],
        Theme::Dark => [181, 185, 190],
    };
    let mut larger = RgbImage::from_pixel(map.width(), map.height() + STRIP_PX, ground(theme));
    imageops::replace(&mut larger, map, 0, 0);
    let margin = STRIP_PX / 2;
    let line = fitted(caption, CAPTION, map.width().saturating_sub(2 * margin) as f32);
    write(&mut larger, &line, margin, map.height() + margin, ink);
    larger
}

/// The square in the middle of a picture at `side` pixels, on `ground`. Most of what a picture shows is there, and squares
/// fill the map evenly.
fn middle_square(picture: &RgbaImage, side: u32, ground: Rgb<u8>) -> RgbImage {
    let (width, height) = picture.dimensions();
    let least = width.min(height).max(1);
    let square = imageops::crop_imm(picture, (width - least) / 2, (height - least) / 2, least, least).to_image();
    let filter = if least > side { crate::picture::Filter::Lanczos } else { crate::picture::Filter::CatmullRom };
    let square = crate::picture::resample(&square, side, side, filter).unwrap_or(square);
    let blended = |pixel: &image::Rgba<u8>| {
        let alpha = u32::from(pixel.0[3]);
        let mixed =
            |at: usize| ((u32::from(pixel.0[at]) * alpha + u32::from(ground.0[at]) * (255 - alpha) + 127) / 255) as u8;
        [mixed(0), mixed(1), mixed(2)]
    };
    RgbImage::from_raw(square.width(), square.height(), square.pixels().flat_map(blended).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;
    use crate::error::Trouble;
    use crate::map::GridCell;
    use crate::overview::to_jpeg;

    #[test]
    fn every_picture_is_in_its_cell_and_a_lost_one_leaves_it_empty() {
        let red = RgbaImage::from_pixel(40, 20, Rgba([255, 0, 0, 255]));
        let clear = RgbaImage::from_pixel(10, 10, Rgba([0, 0, 255, 0]));
        let cells = (0..3).map(|column| GridCell { column, row: 0 }).collect();
        let grid = Grid { columns: 3, rows: 1, cells };
        let lost = Err(Trouble::new("the file is gone", "x.jpg", ""));
        let map = draw(&grid, &[Ok(red), Ok(clear), lost], 20, Theme::Light);
        assert_eq!(map.dimensions(), (80, 40));
        assert_eq!(map.get_pixel(20, 20).0, [255, 0, 0]);
        for free in [(40, 20), (60, 20), (2, 2)] {
            assert_eq!(map.get_pixel(free.0, free.1).0, [251, 250, 248], "{free:?}");
        }
        assert!(to_jpeg(&map).unwrap().starts_with(b"\xFF\xD8"));
    }

    #[test]
    fn a_caption_stands_below_the_map_and_covers_nothing() {
        let map = RgbImage::from_pixel(400, 100, Rgb([255, 0, 0]));
        let captioned = captioned(&map, "5,000 of 312,000 pictures", Theme::Light);
        assert_eq!(captioned.dimensions(), (400, 100 + STRIP_PX));
        assert_eq!(imageops::crop_imm(&captioned, 0, 0, 400, 100).to_image(), map);
        assert!(captioned.pixels().any(|pixel| pixel.0.iter().all(|value| *value < 150)), "it is written");
    }
}
