//! Rectangles on a sheet in whole pixels, and the scale from design units to pixels.

/// A rectangle on the sheet, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Area {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Area {
    /// The area with its top left corner at (`x`, `y`).
    pub fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// First column to the right of it.
    pub fn right(&self) -> u32 {
        self.x + self.width
    }

    /// First row below it.
    pub fn bottom(&self) -> u32 {
        self.y + self.height
    }

    /// An area of `width` × `height` in its middle, cut to its own size.
    pub fn centred(&self, width: u32, height: u32) -> Self {
        let (width, height) = (width.min(self.width), height.min(self.height));
        Self::new(self.x + (self.width - width) / 2, self.y + (self.height - height) / 2, width, height)
    }

    /// Whether the two share a pixel.
    #[cfg(test)]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }
}

/// Pixels per design unit. A sheet is designed 1600 units wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale(pub f32);

impl Scale {
    /// Design width of a sheet.
    pub const SHEET_WIDTH: f32 = 1600.0;
    /// The smallest text is 13 units tall, and must have 12 pixels. So a narrower sheet is not a smaller one: it has fewer columns.
    const LEAST: f32 = 12.0 / 13.0;

    /// The scale of a sheet of `width_px`.
    pub fn of(width_px: u32) -> Self {
        Self((width_px as f32 / Self::SHEET_WIDTH).max(Self::LEAST))
    }

    /// Pixels in design units.
    pub fn units(self, pixels: u32) -> f32 {
        pixels as f32 / self.0
    }

    /// Design units in whole pixels, at least one for any positive value.
    pub fn px(self, units: f32) -> u32 {
        let pixels = (units * self.0).round();
        if units > 0.0 { pixels.max(1.0) as u32 } else { 0 }
    }

    /// Design units in fractional pixels, for text.
    pub fn fine(self, units: f32) -> f32 {
        units * self.0
    }
}

/// Largest enlargement of a tiny picture: beyond it there is nothing more to see ...
const MAX_ENLARGEMENT: f64 = 4.0;
/// ... but it gets at least this share of its room: otherwise a picture of one pixel would be invisible.
const LEAST_SHARE: f64 = 0.2;
/// A little more is allowed if the picture then fills the panel: a thin border around it looks like a mistake.
const FILLING_ENLARGEMENT: f64 = 5.5;

/// Size in pixels at which a picture of `width` × `height` fits into `room`, whole and undistorted; at least 1 × 1.
pub(super) fn fitted_size(width: u32, height: u32, room: Area) -> (u32, u32) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let filling = (f64::from(room.width) / width).min(f64::from(room.height) / height);
    let scale = if filling <= FILLING_ENLARGEMENT { filling } else { MAX_ENLARGEMENT.max(filling * LEAST_SHARE) };
    let fitted = |side: f64, limit: u32| ((side * scale).round() as u32).clamp(1, limit.max(1));
    (fitted(width, room.width), fitted(height, room.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape_within_a_pixel() {
        let room = Area::new(0, 0, 306, 230);
        for (width, height) in [(4000, 3000), (3000, 4000), (10_000, 1_000), (300, 300), (611, 457), (77, 1999)] {
            let (w, h) = fitted_size(width, height, room);
            assert!(w <= room.width && h <= room.height);
            let expected = f64::from(w) * f64::from(height) / f64::from(width);
            let other = f64::from(h) * f64::from(width) / f64::from(height);
            assert!(
                (expected - f64::from(h)).abs() <= 1.0 || (other - f64::from(w)).abs() <= 1.0,
                "{width}×{height}: {w}×{h}"
            );
            assert!(w == room.width || h == room.height);
        }
    }

    #[test]
    fn a_tiny_picture_is_hardly_enlarged_and_a_thin_one_stays_visible() {
        let room = Area::new(0, 0, 306, 230);
        assert_eq!(fitted_size(1, 1, room), (46, 46));
        assert_eq!(fitted_size(20, 10, room), (80, 40));
        assert_eq!(fitted_size(30_000, 2, room), (306, 1));
        assert_eq!(fitted_size(0, 0, room), (46, 46));
    }
}
