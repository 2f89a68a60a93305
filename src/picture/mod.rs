//! From a file to pixels: decoding within limits, EXIF orientation and dates, the square the encoder sees, the content hash.

mod bounds;
#[cfg_attr(
    not(any(feature = "avif", feature = "heic")),
    allow(dead_code, reason = "only these say colours by code points")
)]
mod colour;
mod decode;
mod edited_view;
#[cfg(debug_assertions)]
mod faults;
mod formats;
mod metadata;
mod miniature;
mod read;
mod resize;
mod resolution;
mod unusable;

pub use bounds::Bounds;
pub use decode::{OpenedPicture, decode, is_of_slow_format, open, silence_caught_panics};
pub use edited_view::{EditedView, edited_views};
pub use metadata::PictureMetadata;
pub use miniature::{MINIATURE_SIDE, Miniature};
pub use read::{FileSnapshot, Hash, read_still};
pub use resize::{Filter, resample, shrink, square};
pub use resolution::Resolution;
pub use unusable::{CrashCause, Unusable};

/// A whole picture resized to a square, RGB, 8 bits per channel, row by row: `[side, side, 3]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Square {
    side: usize,
    rgb: Vec<u8>,
}

impl Square {
    /// Takes `[side, side, 3]` bytes; `None` for any other number of them.
    pub fn from_rgb(side: usize, rgb: Vec<u8>) -> Option<Self> {
        (rgb.len() == side * side * 3).then_some(Self { side, rgb })
    }

    /// Pixels along an edge.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The bytes, `[side, side, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The sums of `across` × `across` blocks of pixels, `[across, across, 3]`; the rest of a side that does not divide
    /// evenly is ignored. `across` must be at least one and at most the side.
    pub fn block_sums(&self, across: usize) -> Vec<u32> {
        let block = self.side / across;
        let mut sums = vec![0; across * across * 3];
        for (y, line) in self.rgb.chunks_exact(self.side * 3).take(across * block).enumerate() {
            let sums = &mut sums[y / block * across * 3..][..across * 3];
            for (sums, pixels) in sums.chunks_exact_mut(3).zip(line.chunks_exact(block * 3)) {
                pixels.iter().enumerate().for_each(|(at, value)| sums[at % 3] += u32::from(*value));
            }
        }
        sums
    }

    /// The sums of `across` × `across` parts of the picture, `[across, across, 3]`, for a side that does not divide evenly: pixels on an
    /// edge between parts count in each by what lies there. In units in which a part has `side` × `side`. `across` must be at most the
    /// side.
    pub fn part_sums(&self, across: usize) -> Vec<u32> {
        let side = self.side;
        // A pixel is `across` units wide, and a part `side`: it lies in one part, or in two.
        let shares = |at: usize| {
            let (first, start) = (at * across / side, at * across);
            let in_first = ((first + 1) * side - start).min(across);
            [(first, in_first), (first + 1, across - in_first)].into_iter().filter(|(_, share)| *share > 0)
        };
        let mut sums = vec![0; across * across * 3];
        for (at, pixel) in self.rgb.chunks_exact(3).enumerate() {
            for (row, height) in shares(at / side) {
                for (column, width) in shares(at % side) {
                    let sums = &mut sums[(row * across + column) * 3..][..3];
                    let weigh = (width * height) as u32;
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += weigh * u32::from(*value));
                }
            }
        }
        sums
    }

    /// The picture mirrored: every row reversed.
    pub fn mirrored(&self) -> Self {
        let rows = self.rgb.chunks_exact((self.side * 3).max(1));
        let rgb = rows.flat_map(|row| row.rchunks_exact(3).flatten().copied()).collect();
        Self { side: self.side, rgb }
    }
}
