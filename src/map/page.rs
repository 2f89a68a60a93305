//! Writes the map of an inventory as one self-contained HTML page in which one can zoom and search.

use std::path::PathBuf;

use image::RgbImage;
use serde::Serialize;

use super::grid::Grid;
use crate::base::dot::dot;
use crate::base::html::{Page, base64, json_in_script};
use crate::base::nearest::first;
use crate::base::parallel::map;
use crate::base::rows::Rows;
use crate::overview::{NotEncoded, Thumbnail, on_white, to_jpeg};

/// The page without its data, and the placeholder for it.
const BODY: &str = include_str!("page.html");
const PLACE: &str = "\"THE DATA\"";
const STYLE: &str = include_str!("page.css");
/// Number of nearest neighbours that the page shows for a picture.
const NEIGHBOURS: usize = 8;

#[derive(Serialize)]
struct MapData {
    title: String,
    columns: usize,
    rows: usize,
    pictures: Vec<MapPicture>,
}

#[derive(Serialize)]
struct MapPicture {
    column: usize,
    row: usize,
    path: String,
    width: u32,
    height: u32,
    /// Mean colour, shown until the picture is decoded.
    colour: [u8; 3],
    /// JPEG in base64.
    jpeg: String,
    /// Positions of its nearest neighbours, the most similar first.
    near: Vec<usize>,
}

/// The page for pictures `paths` with `embeddings` of unit length `[n, width]`; those without a thumbnail are left out.
///
/// # Errors
/// When a thumbnail cannot be encoded.
pub fn page(
    title: &str,
    grid: &Grid,
    paths: &[PathBuf],
    embeddings: &Rows,
    thumbnails: &[Thumbnail],
) -> Result<String, NotEncoded> {
    let shown: Vec<usize> = (0..paths.len()).filter(|&at| thumbnails[at].is_ok()).collect();
    let near = map(shown.len(), |place| nearest(&shown, shown[place], embeddings));
    let mut pictures = Vec::with_capacity(shown.len());
    for (&at, near) in shown.iter().zip(near) {
        let Ok(thumbnail) = &thumbnails[at] else { continue };
        let small = on_white(thumbnail);
        pictures.push(MapPicture {
            column: grid.cells[at].column,
            row: grid.cells[at].row,
            path: paths[at].to_string_lossy().into_owned(),
            width: small.width(),
            height: small.height(),
            colour: mean_colour(&small),
            jpeg: base64(&to_jpeg(&small)?),
            near,
        });
    }
    let data = MapData { title: title.into(), columns: grid.columns, rows: grid.rows, pictures };
    // Plain numbers and texts: nothing in it can fail to be written.
    let json = serde_json::to_string(&data).unwrap_or_default();
    let body = BODY.replacen(PLACE, &json_in_script(&json), 1);
    let page = Page { title: "artificio map", image_sources: "data:", has_scripts: true, style: STYLE, body: &body };
    Ok(page.to_html())
}

/// Positions in `shown` of the nearest neighbours of the picture at `at`.
fn nearest(shown: &[usize], at: usize, embeddings: &Rows) -> Vec<usize> {
    let embedding = embeddings.row(at);
    let similarity = |other: usize| dot(embedding, embeddings.row(other));
    let others = shown.iter().enumerate().filter(|(_, other)| **other != at);
    let found: Vec<(f32, usize)> = others.map(|(place, &other)| (similarity(other), place)).collect();
    let found = first(found, NEIGHBOURS, |one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    found.into_iter().map(|(_, place)| place).collect()
}

fn mean_colour(picture: &RgbImage) -> [u8; 3] {
    let count = u64::from(picture.width()) * u64::from(picture.height());
    let sums = picture.pixels().fold([0_u64; 3], |sums, pixel| [0, 1, 2].map(|at| sums[at] + u64::from(pixel.0[at])));
    sums.map(|sum| (sum / count.max(1)) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::GridCell;

    #[test]
    fn the_page_needs_nothing_else_and_a_name_cannot_break_out() {
        let grid =
            Grid { columns: 2, rows: 1, cells: vec![GridCell { column: 0, row: 0 }, GridCell { column: 1, row: 0 }] };
        let paths = ["</script><script>alert(1)</script>.png".into(), "b.png".into()];
        let embeddings = Rows::from_values(1, vec![1.0, 1.0]).unwrap();
        let picture = || Ok(image::RgbaImage::from_pixel(4, 3, image::Rgba([200, 100, 0, 255])));
        let page = page("Two pictures", &grid, &paths, &embeddings, &[picture(), picture()]).unwrap();
        assert_eq!(page.matches("</script>").count(), 1, "only its own");
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        let from = page.find("const data = ").unwrap() + "const data = ".len();
        let data: serde_json::Value =
            serde_json::Deserializer::from_str(&page[from..]).into_iter().next().unwrap().unwrap();
        assert_eq!(data["pictures"][0]["path"], "</script><script>alert(1)</script>.png");
        assert_eq!(data["pictures"][0]["near"], serde_json::json!([1]));
    }
}
