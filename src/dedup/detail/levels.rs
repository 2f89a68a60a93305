//! A picture at ever smaller sizes: what is a corner at one size is none at another, and copies are larger or smaller.

use super::GreyPicture;

/// A level is smaller than the one before it by this factor along a side: the cube root of two.
const FACTOR: f32 = 1.26;
/// The last level is about so long.
const LEAST_PX: f32 = 40.0;
/// No level is narrower.
const LEAST_SIDE_PX: usize = 12;

/// A picture in greyscale at one size.
#[derive(Clone)]
pub(super) struct ShadeLevel {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Row by row.
    pub(super) shades: Vec<u8>,
    /// Pixels of the picture to one of this level, along a side.
    pub(super) scale: f32,
}

/// All levels of a picture, the largest first: at least one.
pub(super) fn levels(picture: &GreyPicture) -> Vec<ShadeLevel> {
    let GreyPicture { width, height, shades } = picture;
    let mut level = ShadeLevel { width: *width, height: *height, shades: shades.clone(), scale: 1.0 };
    let mut levels = Vec::new();
    while level.width.max(level.height) as f32 >= LEAST_PX * FACTOR && level.width.min(level.height) >= LEAST_SIDE_PX {
        let next = level.blurred().shrunk(level.scale * FACTOR, (*width, *height));
        levels.push(level);
        level = next;
    }
    levels.push(level);
    levels
}

impl ShadeLevel {
    /// The shade at a place; that of the nearest edge outside.
    #[inline(always)]
    pub(super) fn at(&self, x: i32, y: i32) -> u8 {
        let (x, y) = (x.clamp(0, self.width as i32 - 1), y.clamp(0, self.height as i32 - 1));
        self.shades[y as usize * self.width + x as usize]
    }

    /// The shade between four pixels. Places are those of corners of pixels: the first pixel's centre is at a half.
    #[inline(always)]
    pub(super) fn between(&self, x: f32, y: f32) -> f32 {
        // Rounds down without a call: places outside are at most one picture away.
        let down = |value: f32| (value + 4096.0) as i32 - 4096;
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (down(x), down(y));
        let (across, along) = (x - left as f32, y - top as f32);
        let shade = |x: i32, y: i32| f32::from(self.at(x, y));
        let upper = shade(left, top) + (shade(left + 1, top) - shade(left, top)) * across;
        let lower = shade(left, top + 1) + (shade(left + 1, top + 1) - shade(left, top + 1)) * across;
        upper + (lower - upper) * along
    }

    /// Each pixel with its neighbours, weighted 1, 2, 1 along both sides.
    pub(super) fn blurred(&self) -> Self {
        let (width, last) = (self.width, self.width - 1);
        let mut along = vec![0_u16; self.shades.len()];
        for (row, sums) in self.shades.chunks_exact(width).zip(along.chunks_exact_mut(width)) {
            let shade = |x: usize| u16::from(row[x]);
            sums[0] = 3 * shade(0) + shade(1.min(last));
            sums[last] = 3 * shade(last) + shade(last.saturating_sub(1));
            for (x, near) in row.windows(3).enumerate() {
                sums[x + 1] = u16::from(near[0]) + 2 * u16::from(near[1]) + u16::from(near[2]);
            }
        }
        let row = |y: usize| &along[y * width..(y + 1) * width];
        let mut shades = Vec::with_capacity(self.shades.len());
        for y in 0..self.height {
            let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(self.height - 1)));
            let near = above.iter().zip(here).zip(below);
            shades.extend(near.map(|((above, here), below)| ((above + 2 * here + below + 8) >> 4) as u8));
        }
        Self { shades, ..*self }
    }

    /// At another scale of a picture of this size.
    fn shrunk(&self, scale: f32, (width, height): (usize, usize)) -> Self {
        let side = |pixels: usize| ((pixels as f32 / scale).round() as usize).max(1);
        let (width, height) = (side(width), side(height));
        let (columns, rows) = (evenly(self.width, width), evenly(self.height, height));
        let row = |y: usize| &self.shades[y * self.width..(y + 1) * self.width];
        let mut shades = Vec::with_capacity(width * height);
        for (top, bottom, down) in rows {
            let (upper, lower) = (row(top), row(bottom));
            shades.extend(columns.iter().map(|&(left, right, across)| {
                let along = |row: &[u8]| f32::from(row[left]) + (f32::from(row[right]) - f32::from(row[left])) * across;
                let (above, below) = (along(upper), along(lower));
                (above + (below - above) * down + 0.5) as u8
            }));
        }
        Self { width, height, shades, scale }
    }
}

/// For `count` places spread evenly over a row of pixels: the pixels before and after each, and how far it is from the first to
/// the second.
fn evenly(pixels: usize, count: usize) -> Vec<(usize, usize, f32)> {
    let place = |at: usize| ((at as f32 + 0.5) * pixels as f32 / count as f32 - 0.5).max(0.0);
    let around = |place: f32| (place as usize, (place as usize + 1).min(pixels - 1), place.fract());
    (0..count).map(|at| around(place(at))).collect()
}
