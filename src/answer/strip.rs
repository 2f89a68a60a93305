//! The strip of an answer: its query and first matches as small squares beside one another, in one JPEG file of some tens of kilobytes. The gallery
//! shows it instead of the sheet, which has megabytes and of which nothing can be seen at the size of a card.
//!
//! Strips lie in a folder of their own in the answer folder, under the answer's name. They are part of no promise: an answer without one is
//! shown by its sheet.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, RgbaImage, imageops};

use crate::files::{make_folder, remove_own, replace_quick};
use crate::picture::{Filter, resample};

/// The folder's name in the answer folder.
pub const STRIPS_FOLDER: &str = ".thumbnails";
/// Most matches on a strip; the page has places for so many.
pub const MATCHES_ON_STRIP: usize = 6;

/// Pixels along an edge of a square.
const SIDE: u32 = 144;
/// Quality of the JPEG file, of 100.
const QUALITY: u8 = 70;
/// A picture loses at most this share of its longer side; the rest of its square has the colour of its edges.
const MOST_CUT: f64 = 0.25;
/// In the place of a picture that could not be read.
const EMPTY: Rgb<u8> = Rgb([222, 222, 226]);
/// A strip is written just before its record: one that is older, and has none, is left over.
const LEFT_OVER_AFTER: Duration = Duration::from_secs(3_600);

/// The JPEG file of an answer with these pictures, of which those that could not be read are missing; `None` where there is nothing to show.
/// Of a set, the first four pictures share the query's square.
pub fn strip(queries: &[Option<&RgbaImage>], matches: &[Option<&RgbaImage>]) -> Option<Vec<u8>> {
    if queries.iter().chain(matches).all(Option::is_none) {
        return None;
    }
    let matches = &matches[..matches.len().min(MATCHES_ON_STRIP)];
    let mut strip = RgbImage::from_pixel(SIDE * (1 + matches.len() as u32), SIDE, EMPTY);
    match queries {
        [one] => draw(&mut strip, *one, [0, 0], SIDE),
        set => {
            let half = SIDE / 2;
            let places = [[0, 0], [half, 0], [0, half], [half, half]];
            set.iter().zip(places).for_each(|(picture, place)| draw(&mut strip, *picture, place, half));
        }
    }
    for (picture, at) in matches.iter().zip(1..) {
        draw(&mut strip, *picture, [at * SIDE, 0], SIDE);
    }
    let mut jpeg = Vec::new();
    strip.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY)).ok()?;
    Some(jpeg)
}

fn draw(strip: &mut RgbImage, picture: Option<&RgbaImage>, [x, y]: [u32; 2], side: u32) {
    if let Some(square) = picture.and_then(|picture| square(picture, side)) {
        imageops::replace(strip, &square, i64::from(x), i64::from(y));
    }
}

/// The middle of a picture in a square.
fn square(picture: &RgbaImage, side: u32) -> Option<RgbImage> {
    let (width, height) = picture.dimensions();
    let shorter = f64::from(width.min(height));
    let kept = |pixels: u32| f64::from(pixels).min(shorter.max(f64::from(pixels) * (1.0 - MOST_CUT)));
    let (kept_width, kept_height) = (kept(width), kept(height));
    let whole = |pixels: f64| (pixels.round() as u32).max(1);
    let (x, y) = ((width - whole(kept_width).min(width)) / 2, (height - whole(kept_height).min(height)) / 2);
    let middle = imageops::crop_imm(picture, x, y, whole(kept_width), whole(kept_height)).to_image();
    let scale = f64::from(side) / kept_width.max(kept_height);
    let size = [kept_width, kept_height].map(|pixels| whole(pixels * scale).min(side));
    let shown = on_white(&resample(&middle, size[0], size[1], Filter::Lanczos)?);
    let mut square = RgbImage::from_pixel(side, side, edge_colour(&shown));
    let place = size.map(|pixels| i64::from((side - pixels) / 2));
    imageops::replace(&mut square, &shown, place[0], place[1]);
    Some(square)
}

fn on_white(picture: &RgbaImage) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        Rgb([red, green, blue].map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8))
    })
}

/// The mean of the first and the last column, or row, whichever is at the empty side.
fn edge_colour(picture: &RgbImage) -> Rgb<u8> {
    let (width, height) = picture.dimensions();
    let is_edge = |x: u32, y: u32| if width < height { x == 0 || x + 1 == width } else { y == 0 || y + 1 == height };
    let edges = picture.enumerate_pixels().filter(|(x, y, _)| is_edge(*x, *y));
    let (sums, count) = edges.fold(([0_u32; 3], 0), |(mut sums, count), (_, _, pixel)| {
        sums.iter_mut().zip(pixel.0).for_each(|(sum, value)| *sum += u32::from(value));
        (sums, count + 1)
    });
    Rgb(sums.map(|sum| (sum / count.max(1)) as u8))
}

/// Where the strip of the answer with this stem (`result_<name>`) lies.
pub fn strip_path(answers: &Path, stem: &str) -> PathBuf {
    answers.join(STRIPS_FOLDER).join(format!("{stem}.jpg"))
}

/// Writes the strip of an answer, or removes the former one where there is none. That it cannot be written is no problem of the answer.
pub fn write_strip(answers: &Path, stem: &str, strip: Option<&[u8]>) {
    let path = strip_path(answers, stem);
    let folder = answers.join(STRIPS_FOLDER);
    // Others may write into the folder of answers: a link in this place could lead anywhere.
    let is_other = fs::symlink_metadata(&folder).is_ok_and(|found| !found.is_dir());
    let written = strip
        .filter(|_| !is_other)
        .map(|strip| make_folder(&folder).and_then(|()| replace_quick(&path, strip, "write the small pictures")));
    if !is_other && !matches!(written, Some(Ok(()))) {
        // Of another answer than the sheet. Mostly there is none.
        let _ = remove_own(&path);
    }
    if let Some(Err(trouble)) = written {
        log::debug!("{trouble}");
    }
}

/// Removes strips whose records are gone: of these file names, or, without any, all that are left over.
pub fn remove_left_over(answers: &Path, records: Option<&mut dyn Iterator<Item = &OsStr>>) {
    let is_gone = |stem: &str| fs::symlink_metadata(answers.join(format!("{stem}.json"))).is_err();
    let stem_of = |name: &OsStr, end: &str| Some(name.to_str()?.strip_suffix(end)?.to_string());
    let remove = |stem: &str| drop(remove_own(&strip_path(answers, stem)));
    match records {
        Some(names) => {
            let stems = names.filter_map(|name| stem_of(name, ".json"));
            stems.filter(|stem| stem.starts_with("result_") && is_gone(stem)).for_each(|stem| remove(&stem));
        }
        None => {
            let is_old = |written: SystemTime| written.elapsed().is_ok_and(|age| age > LEFT_OVER_AFTER);
            for entry in fs::read_dir(answers.join(STRIPS_FOLDER)).into_iter().flatten().flatten() {
                let stem =
                    stem_of(&entry.file_name(), ".jpg").filter(|stem| stem.starts_with("result_") && is_gone(stem));
                let metadata = entry.metadata().ok().filter(fs::Metadata::is_file);
                if let Some(stem) = stem
                    && metadata.and_then(|metadata| metadata.modified().ok()).is_some_and(is_old)
                {
                    remove(&stem);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    fn plain(width: u32, height: u32, colour: [u8; 4]) -> RgbaImage {
        RgbaImage::from_pixel(width, height, Rgba(colour))
    }

    fn is_near(strip: &RgbImage, x: u32, y: u32, colour: [u8; 3]) -> bool {
        strip.get_pixel(x, y).0.iter().zip(colour).all(|(one, other)| one.abs_diff(other) < 12)
    }

    #[test]
    fn a_strip_has_a_square_for_the_query_and_one_for_each_match() {
        let (red, blue) = (plain(300, 400, [200, 0, 0, 255]), plain(90, 20, [0, 0, 200, 255]));
        let jpeg = strip(&[Some(&red)], &[Some(&blue), None, Some(&red)]).unwrap();
        let strip = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(strip.dimensions(), (4 * SIDE, SIDE));
        let middle = SIDE / 2;
        assert!(is_near(&strip, middle, middle, [200, 0, 0]) && is_near(&strip, middle, 2, [200, 0, 0]));
        assert!(is_near(&strip, SIDE + middle, 3, [0, 0, 200]), "a wide picture's square has its colour");
        assert!(is_near(&strip, 2 * SIDE + middle, middle, EMPTY.0));
    }

    #[test]
    fn a_set_shares_a_square_and_no_more_matches_are_shown_than_there_are_places() {
        let (red, glass) = (plain(9, 9, [200, 0, 0, 255]), plain(9, 9, [0, 0, 0, 0]));
        let set = [Some(&red), Some(&glass), None, Some(&red), Some(&glass)];
        let jpeg = strip(&set, &[Some(&red); 50]).unwrap();
        let strip = image::load_from_memory(&jpeg).unwrap().into_rgb8();
        assert_eq!(strip.width(), SIDE * (1 + MATCHES_ON_STRIP as u32));
        let (first, last) = (SIDE / 4, SIDE * 3 / 4);
        assert!(is_near(&strip, first, first, [200, 0, 0]) && is_near(&strip, last, last, [200, 0, 0]));
        assert!(is_near(&strip, last, first, [255, 255, 255]) && is_near(&strip, first, last, EMPTY.0));
        assert!(super::strip(&[], &[]).is_none() && super::strip(&[None], &[]).is_none());
    }

    #[test]
    fn a_strip_goes_with_its_answer() {
        let folder = tempfile::tempdir().unwrap();
        let answers = folder.path();
        let is_there = |stem: &str| strip_path(answers, stem).exists();
        write_strip(answers, "result_a", None);
        assert_eq!(fs::read_dir(answers).unwrap().count(), 0, "no folder for nothing");
        for stem in ["result_a", "result_b", "result_c", "result_d"] {
            write_strip(answers, stem, Some(b"strip"));
        }
        fs::write(answers.join("result_a.json"), b"{}").unwrap();
        write_strip(answers, "result_d", None);
        assert!(is_there("result_a") && !is_there("result_d"), "the former one would show another answer");
        let names = ["result_a.json", "result_b.json", "other", "../x.json"].map(OsStr::new);
        remove_left_over(answers, Some(&mut names.into_iter()));
        assert_eq!([is_there("result_a"), is_there("result_b"), is_there("result_c")], [true, false, true]);
        remove_left_over(answers, None);
        assert!(is_there("result_c"), "its record may be about to be written");
        for stem in ["result_a", "result_c"] {
            let file = fs::File::options().write(true).open(strip_path(answers, stem)).unwrap();
            file.set_modified(SystemTime::now() - 2 * LEFT_OVER_AFTER).unwrap();
        }
        remove_left_over(answers, None);
        assert!(is_there("result_a") && !is_there("result_c"));
    }
}
