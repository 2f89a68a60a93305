//! Corners of a picture, each with a description that stays the same when the picture is turned, scaled or mirrored.

use std::f32::consts::TAU;

use artificio_random::Random;

use super::levels::ShadeLevel;

/// Corners of a picture, at most, on all its levels.
const MOST_CORNERS: usize = 400;
/// The least of both curvatures of a corner, as the sum of products of differences over a window (Shi and Tomasi, "Good
/// features to track", CVPR 1994).
const LEAST_CURVATURE: f32 = 1500.0;
/// A window reaches so far from its middle.
const WINDOW_REACH: usize = 2;
/// No two corners of one level are nearer along both sides.
const APART_PX: usize = 3;
/// A level is divided into this number of regions along both sides, and none has more than a few times its share of the corners.
const REGIONS: usize = 4;
/// What a description looks at lies within this distance of its corner, in pixels of the level.
const REACH_PX: i32 = 10;
/// Angles for which the compared places are worked out.
const ANGLES: usize = 64;
/// Comparisons in a description, and as many mirrored.
const COMPARISONS: usize = 128;

/// Where a corner is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corner {
    /// In pixels of the picture.
    pub(super) x: f32,
    pub(super) y: f32,
    /// Where it is lighter, in radians.
    pub(super) angle: f32,
    /// That of its level.
    pub(super) scale: f32,
}

/// 256 comparisons of two shades each. Those of the second half are those of the first in a mirror, so that exchanging the halves
/// gives the description of the mirrored corner.
pub(super) type Description = [u64; 4];

/// The places that descriptions compare, at each angle, in pixels around the corner: BRIEF (Calonder and others, ECCV 2010),
/// turned with the corner as in ORB (Rublee and others, ICCV 2011).
pub struct Places(Vec<[[i8; 4]; 2 * COMPARISONS]>);

impl Places {
    /// The same ones every time: descriptions with other places cannot be compared.
    pub fn new() -> Self {
        let mut random = Random::new(7);
        let mut coordinate = || loop {
            let value = random.normal() * 0.45 * REACH_PX as f32;
            if value.abs() <= REACH_PX as f32 {
                return value;
            }
        };
        let upright: Vec<[f32; 4]> = (0..COMPARISONS).map(|_| std::array::from_fn(|_| coordinate())).collect();
        let at_angle = |number: usize| {
            let (sin, cos) = (number as f32 * TAU / ANGLES as f32).sin_cos();
            let turned = |x: f32, y: f32| [cos * x - sin * y, sin * x + cos * y].map(|value| value.round() as i8);
            std::array::from_fn(|at| {
                let [x, y, other_x, other_y] = upright[at % COMPARISONS];
                let side = if at < COMPARISONS { 1.0 } else { -1.0 };
                let ([x, y], [other_x, other_y]) = (turned(x, side * y), turned(other_x, side * other_y));
                [x, y, other_x, other_y]
            })
        };
        Self((0..ANGLES).map(at_angle).collect())
    }
}

/// The corners of all levels, with their descriptions.
pub(super) fn corners(levels: &[ShadeLevel], places: &Places) -> (Vec<Corner>, Vec<Description>) {
    let side = |level: &ShadeLevel| ((level.width * level.height) as f32).sqrt();
    let total: f32 = levels.iter().map(side).sum();
    let (mut corners, mut descriptions) = (Vec::new(), Vec::new());
    for level in levels {
        let most = (MOST_CORNERS as f32 * side(level) / total) as usize;
        let blurred = level.blurred();
        let smooth = blurred.blurred();
        for (x, y) in places_of_corners(&blurred, most) {
            let angle = angle(&smooth, x, y);
            let (x, y) = (x as i32, y as i32);
            descriptions.push(description(&smooth, x, y, angle, places));
            let place = |at: i32| (at as f32 + 0.5) * level.scale;
            corners.push(Corner { x: place(x), y: place(y), angle, scale: level.scale });
        }
    }
    (corners, descriptions)
}

/// At most `most`, the sharpest, spread over the level.
fn places_of_corners(level: &ShadeLevel, most: usize) -> Vec<(usize, usize)> {
    let (width, height) = (level.width, level.height);
    let margin = WINDOW_REACH + 1;
    if width.min(height) <= 2 * margin {
        return Vec::new();
    }
    let curvature = curvatures(level);
    let mut found: Vec<(f32, usize, usize)> = Vec::new();
    for y in margin..height - margin {
        for x in margin..width - margin {
            let here = curvature[y * width + x];
            if here < LEAST_CURVATURE {
                continue;
            }
            let rows = [y - 1, y, y + 1].map(|row| &curvature[row * width + x - 1..=row * width + x + 1]);
            // Of neighbours that are equally sharp the first is taken.
            let is_sharpest = rows[0].iter().chain(&rows[1][..1]).all(|near| *near < here)
                && rows[2].iter().chain(&rows[1][2..]).all(|near| *near <= here);
            if is_sharpest {
                found.push((here, x, y));
            }
        }
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.2, one.1).cmp(&(other.2, other.1))));
    let mut is_taken = vec![false; width * height];
    let mut in_region = [0; REGIONS * REGIONS];
    let most_in_region = (most / 8).max(4);
    let mut places = Vec::new();
    for (_, x, y) in found {
        let region = y * REGIONS / height * REGIONS + x * REGIONS / width;
        if places.len() == most || in_region[region] == most_in_region || is_taken[y * width + x] {
            continue;
        }
        in_region[region] += 1;
        places.push((x, y));
        for row in y.saturating_sub(APART_PX)..=(y + APART_PX).min(height - 1) {
            is_taken[row * width + x.saturating_sub(APART_PX)..=row * width + (x + APART_PX).min(width - 1)].fill(true);
        }
    }
    places
}

/// For each pixel, how much its surroundings change in the direction in which they change least.
fn curvatures(level: &ShadeLevel) -> Vec<f32> {
    let (width, height) = (level.width, level.height);
    let mut products = [0; 3].map(|_: usize| vec![0_i32; width * height]);
    for y in 1..height - 1 {
        let row = |y: usize| &level.shades[y * width..(y + 1) * width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        let [xx, xy, yy] = &mut products;
        let to = y * width..(y + 1) * width;
        let (xx, xy, yy) = (&mut xx[to.clone()], &mut xy[to.clone()], &mut yy[to]);
        for x in 1..width - 1 {
            let across = i32::from(here[x + 1]) - i32::from(here[x - 1]);
            let along = i32::from(below[x]) - i32::from(above[x]);
            (xx[x], xy[x], yy[x]) = (across * across, across * along, along * along);
        }
    }
    let [xx, xy, yy] = products.map(|values| window_sums(&values, width, height));
    let all = xx.iter().zip(&xy).zip(&yy);
    all.map(|((xx, xy), yy)| {
        let (xx, xy, yy) = (*xx as f32, *xy as f32, *yy as f32);
        0.5 * ((xx + yy) - ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt())
    })
    .collect()
}

/// For each pixel the sum over the window around it; nothing at the edges.
fn window_sums(values: &[i32], width: usize, height: usize) -> Vec<i32> {
    let (mut along, mut sums) = (vec![0; values.len()], vec![0; values.len()]);
    for (row, sums) in values.chunks_exact(width).zip(along.chunks_exact_mut(width)) {
        for (sum, window) in sums[WINDOW_REACH..].iter_mut().zip(row.windows(2 * WINDOW_REACH + 1)) {
            *sum = window.iter().sum();
        }
    }
    for y in WINDOW_REACH..height - WINDOW_REACH {
        let sums = &mut sums[y * width..(y + 1) * width];
        for row in along[(y - WINDOW_REACH) * width..(y + WINDOW_REACH + 1) * width].chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
    sums
}

/// The direction of the centre of light around a corner (Rosin, "Measuring corner properties", 1999).
fn angle(level: &ShadeLevel, x: usize, y: usize) -> f32 {
    let (mut across, mut along) = (0, 0);
    for down in -REACH_PX..=REACH_PX {
        for right in -REACH_PX..=REACH_PX {
            if down * down + right * right <= REACH_PX * REACH_PX {
                let shade = i32::from(level.at(x as i32 + right, y as i32 + down));
                across += shade * right;
                along += shade * down;
            }
        }
    }
    (along as f32).atan2(across as f32)
}

fn description(level: &ShadeLevel, x: i32, y: i32, angle: f32, places: &Places) -> Description {
    let number = (angle.rem_euclid(TAU) * ANGLES as f32 / TAU).round() as usize % ANGLES;
    let mut bits = [0; 4];
    for (at, compared) in places.0[number].iter().enumerate() {
        let [left, top, other_left, other_top] = compared.map(i32::from);
        let is_darker = level.at(x + left, y + top) < level.at(x + other_left, y + other_top);
        bits[at / 64] |= u64::from(is_darker) << (at % 64);
    }
    bits
}
