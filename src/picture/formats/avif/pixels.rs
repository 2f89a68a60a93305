//! The planes of a decoded AV1 picture as red, green, blue and transparency (ITU-T H.273).

use image::RgbaImage;
use re_rav1d::{Picture, PixelLayout, PlanarImageComponent, pixel};

use super::super::boxes::Numbers;

/// Code points that say what the planes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColourCodes {
    /// Of the colours.
    pub primaries: u16,
    /// Of the brightness.
    pub transfer: u16,
    matrix: u16,
    is_full_range: bool,
}

impl ColourCodes {
    /// Those in a container's property.
    pub fn read(content: &[u8]) -> Option<Self> {
        let mut numbers = Numbers(content);
        let mut code = || numbers.next(2).map(|code| code as u16);
        let (primaries, transfer, matrix) = (code()?, code()?, code()?);
        Some(Self { primaries, transfer, matrix, is_full_range: numbers.next(1)? & 0x80 != 0 })
    }

    /// Those in the picture itself.
    pub fn of(picture: &Picture) -> Self {
        Self {
            primaries: picture.color_primaries() as u16,
            transfer: picture.transfer_characteristic() as u16,
            matrix: picture.matrix_coefficients() as u16,
            is_full_range: is_full_range(picture),
        }
    }

    /// What red, green and blue take of the three planes.
    fn matrix(self) -> [[f32; 3]; 3] {
        let (red, blue) = match self.matrix {
            // Green, blue, red.
            0 => return [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            // YCgCo.
            8 => return [[1.0, -1.0, 1.0], [1.0, 1.0, 0.0], [1.0, -1.0, -1.0]],
            1 => (0.2126, 0.0722),
            4 => (0.30, 0.11),
            7 => (0.212, 0.087),
            9 | 10 => (0.2627, 0.0593),
            // Where nothing is said it is as in JPEG (BT.601).
            _ => (0.299, 0.114),
        };
        let green = 1.0 - red - blue;
        [
            [1.0, 0.0, 2.0 * (1.0 - red)],
            [1.0, -2.0 * blue * (1.0 - blue) / green, -2.0 * red * (1.0 - red) / green],
            [1.0, 2.0 * (1.0 - blue), 0.0],
        ]
    }
}

fn is_full_range(picture: &Picture) -> bool {
    picture.color_range() == pixel::YUVRange::Full
}

/// How the values of a plane become levels from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
struct LevelRange {
    zero: f32,
    scale: f32,
}

impl LevelRange {
    fn of_light(bits: usize, is_full: bool) -> Self {
        let unit = (1 << (bits - 8)) as f32;
        if is_full {
            Self { zero: 0.0, scale: 255.0 / ((1 << bits) - 1) as f32 }
        } else {
            Self { zero: 16.0 * unit, scale: 255.0 / (219.0 * unit) }
        }
    }

    /// Differences, of which the middle is none.
    fn of_difference(bits: usize, is_full: bool) -> Self {
        let unit = (1 << (bits - 8)) as f32;
        let scale = if is_full { 255.0 / ((1 << bits) - 1) as f32 } else { 255.0 / (224.0 * unit) };
        Self { zero: 128.0 * unit, scale }
    }

    fn level(self, value: f32) -> f32 {
        (value - self.zero) * self.scale
    }
}

/// The rows of a plane.
struct PlaneRows {
    plane: re_rav1d::Plane,
    stride: usize,
    sample_bytes: usize,
}

impl PlaneRows {
    fn of(picture: &Picture, component: PlanarImageComponent) -> Self {
        let sample_bytes = if picture.bit_depth() > 8 { 2 } else { 1 };
        Self { stride: picture.stride(component) as usize, plane: picture.plane(component), sample_bytes }
    }

    /// The samples of a row, as many as `to` takes; each is used for `1 << shared` pixels.
    fn read(&self, row: usize, shared: usize, range: LevelRange, to: &mut [f32]) {
        let bytes = &self.plane[row * self.stride..][..self.stride];
        if self.sample_bytes == 1 {
            to.chunks_mut(1 << shared)
                .zip(bytes)
                .for_each(|(pixels, sample)| pixels.fill(range.level(f32::from(*sample))));
        } else {
            to.chunks_mut(1 << shared).zip(bytes.chunks_exact(2)).for_each(|(pixels, sample)| {
                pixels.fill(range.level(f32::from(u16::from_ne_bytes([sample[0], sample[1]]))));
            });
        }
    }
}

fn bits(picture: &Picture) -> usize {
    picture.bits_per_component().map_or_else(|| picture.bit_depth(), |bits| bits.0)
}

/// The part of a canvas's row that a tile covers, from `x` on, for each row from `y` on.
fn covered<'a>(canvas: &'a mut RgbaImage, picture: &Picture, [x, y]: [u32; 2]) -> impl Iterator<Item = &'a mut [u8]> {
    let width = canvas.width().saturating_sub(x).min(picture.width()) as usize;
    let (row_bytes, x) = (canvas.width() as usize * 4, x as usize * 4);
    let rows = canvas.chunks_exact_mut(row_bytes.max(1)).skip(y as usize).take(picture.height() as usize);
    rows.map(move |row| &mut row[x..][..width * 4])
}

/// Draws a tile onto the canvas, opaque, with its upper left corner at `at`.
pub fn draw(picture: &Picture, codes: ColourCodes, canvas: &mut RgbaImage, at: [u32; 2]) {
    let bits = bits(picture);
    let layout = picture.pixel_layout();
    let light = LevelRange::of_light(bits, codes.is_full_range);
    // Three planes of light, without a difference between them.
    let difference = if codes.matrix == 0 { light } else { LevelRange::of_difference(bits, codes.is_full_range) };
    let matrix = if layout == PixelLayout::I400 { [[1.0, 0.0, 0.0]; 3] } else { codes.matrix() };
    let (across, down) = match layout {
        PixelLayout::I420 => (1, 1),
        PixelLayout::I422 => (1, 0),
        PixelLayout::I400 | PixelLayout::I444 => (0, 0),
    };
    let first = PlaneRows::of(picture, PlanarImageComponent::Y);
    let others = (layout != PixelLayout::I400)
        .then(|| [PlanarImageComponent::U, PlanarImageComponent::V].map(|component| PlaneRows::of(picture, component)));
    let mut values = [0, 1, 2].map(|_| vec![0.0_f32; picture.width() as usize]);
    for (row, pixels) in covered(canvas, picture, at).enumerate() {
        let [one, two, three] = &mut values;
        first.read(row, 0, light, one);
        if let Some([second, third]) = &others
            && (down == 0 || row % 2 == 0)
        {
            second.read(row >> down, across, difference, two);
            third.read(row >> down, across, difference, three);
        }
        let planes = one.iter().zip(two.iter()).zip(three.iter());
        for (pixel, ((one, two), three)) in pixels.chunks_exact_mut(4).zip(planes) {
            let level = |of: &[f32; 3]| (of[0] * one + of[1] * two + of[2] * three + 0.5) as u8;
            pixel.copy_from_slice(&[level(&matrix[0]), level(&matrix[1]), level(&matrix[2]), 255]);
        }
    }
}

/// Draws a tile of the transparency onto the canvas.
pub fn draw_alpha(picture: &Picture, canvas: &mut RgbaImage, at: [u32; 2]) {
    let range = LevelRange::of_light(bits(picture), is_full_range(picture));
    let rows = PlaneRows::of(picture, PlanarImageComponent::Y);
    let mut values = vec![0.0_f32; picture.width() as usize];
    for (row, pixels) in covered(canvas, picture, at).enumerate() {
        rows.read(row, 0, range, &mut values);
        pixels.chunks_exact_mut(4).zip(&values).for_each(|(pixel, value)| pixel[3] = (value + 0.5) as u8);
    }
}
