//! Whether two pictures show the same in detail, however one was turned, scaled, tilted, written on or put into another.
//!
//! Both are reduced to 320 pixels. Corners that look the same ([`corners`], [`matching`]) say where one picture would lie in
//! the other; whether it does, the pixels there decide ([`agreement`]), over the whole picture and not only at its corners: two
//! advertisements with the same letters agree in many corners, and two screenshots of one program in all but the picture.

mod agreement;
mod corners;
#[cfg(test)]
mod detail_tests;
mod levels;
mod matching;
mod projective;

use std::f32::consts::FRAC_PI_2;

pub use corners::Places;

use agreement::{PictureView, agreement, covered};
use corners::{Corner, Description, corners};
use levels::{ShadeLevel, levels};
use matching::{FoundMap, maps};
use projective::ProjectiveMap;

use super::alignment::{Alignment, Window};
use crate::picture::MINIATURE_SIDE;

/// Pictures are looked at with their longer side at most so long.
pub const DETAIL_PX: u32 = 320;
/// Pixels are compared on every second level from this scale on: a picture fills a fifth of another, or more.
const SMOOTH_FROM: f32 = 1.9;

/// A picture in greyscale.
pub struct GreyPicture {
    width: usize,
    height: usize,
    shades: Vec<u8>,
}

impl GreyPicture {
    /// Takes `width × height` shades, row by row; `None` for any other number of them, and for none. It is meant to be
    /// [`DETAIL_PX`] long.
    pub fn new(width: usize, height: usize, shades: Vec<u8>) -> Option<Self> {
        (!shades.is_empty() && shades.len() == width * height).then_some(Self { width, height, shades })
    }
}

/// What is kept of a picture to compare it: some 50 kB.
pub struct Detail {
    width: f32,
    height: f32,
    corners: Vec<Corner>,
    /// Of each corner.
    descriptions: Vec<Description>,
    smooth: Vec<ShadeLevel>,
}

/// How one picture lies in another, in detail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetailMatch {
    /// Its similarity is the correlation of both pictures.
    pub alignment: Alignment,
    /// Whether it is the first picture that lies in the second.
    pub is_swapped: bool,
    /// Corners on which both agree.
    pub corners: usize,
}

impl Detail {
    /// Of a picture.
    pub fn of(picture: &GreyPicture, places: &Places) -> Self {
        let levels = levels(picture);
        let (corners, descriptions) = corners(&levels, places);
        let first = levels.iter().position(|level| level.scale >= SMOOTH_FROM).unwrap_or(levels.len() - 1);
        let smooth = levels[first..].iter().step_by(2).map(ShadeLevel::blurred).collect();
        Self { width: picture.width as f32, height: picture.height as f32, corners, descriptions, smooth }
    }

    /// How many corners it has.
    pub fn corners(&self) -> usize {
        self.corners.len()
    }

    /// How either picture lies in the other, where at least `least_covered` of it does; the best of several maps.
    pub fn compare(&self, other: &Self, least_covered: f32) -> Option<DetailMatch> {
        let judged = maps(self, other).into_iter().filter_map(|found| self.judged(&found, other, least_covered));
        judged.max_by(|one, other| one.alignment.similarity.total_cmp(&other.alignment.similarity))
    }

    /// What the pixels say of a map from this picture to the other.
    fn judged(&self, found: &FoundMap, other: &Self, least_covered: f32) -> Option<DetailMatch> {
        let here = PictureView { detail: self, is_mirrored: found.is_mirrored };
        let there = PictureView { detail: other, is_mirrored: false };
        let back = found.map.inverse();
        // The one is looked at of which more is in the other: a copy has its original in it, or is part of it.
        let is_swapped = covered(here, &found.map, there) >= covered(there, &back, here);
        let (inner, map, outer) = if is_swapped { (here, &found.map, there) } else { (there, &back, here) };
        let agreement = agreement(inner, map, outer);
        if agreement.covered < least_covered {
            return None;
        }
        let window = window(map, inner.detail, outer);
        let turns = (map.angle_at(inner.detail.width / 2.0, inner.detail.height / 2.0) / FRAC_PI_2).round();
        let alignment = Alignment {
            similarity: agreement.correlation.clamp(0.0, 1.0),
            is_mirrored: found.is_mirrored,
            quarter_turns: turns.rem_euclid(4.0) as u8,
            window,
        };
        Some(DetailMatch { alignment, is_swapped, corners: found.pairs })
    }
}

/// The rectangle of `outer` in which `inner` lies, in pixels of a miniature.
fn window(map: &ProjectiveMap, inner: &Detail, outer: PictureView<'_>) -> Window {
    let (width, height) = (inner.width, inner.height);
    let corners = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)].map(|(x, y)| map.apply(x, y));
    let side = MINIATURE_SIDE as f32;
    let range = |places: [f32; 4], of: f32| {
        let places = places.map(|place| (place / of * side).clamp(0.0, side));
        let (least, most) = (places.into_iter().fold(side, f32::min), places.into_iter().fold(0.0, f32::max));
        (least, (most - least).max(1.0))
    };
    let (left, width) = range(corners.map(|corner| corner.0), outer.detail.width);
    let (top, height) = range(corners.map(|corner| corner.1), outer.detail.height);
    Window { left: if outer.is_mirrored { side - left - width } else { left }, top, width, height }
}
