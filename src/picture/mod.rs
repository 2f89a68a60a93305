//! From a file to pixels: decoding within limits, EXIF orientation, the square the encoder sees, the content hash;
//! and whether two pictures are the same one.

mod bounds;
mod decode;
mod jpeg;
mod miniature;
mod png;
mod read;
mod resize;
mod sameness;
mod unusable;
mod view;

pub use bounds::Bounds;
pub use decode::{decode, silence_caught_panics};
pub use miniature::{MINIATURE_SIDE, Miniature};
pub use read::{Contents, Hash, read_still};
pub use resize::{Filter, resample, shrink, square};
pub use sameness::{OUTLINE_VALUES, SAME, Scene, Sighting, Window, outlines};
pub use unusable::Unusable;
pub use view::{View, views};

/// A whole picture squashed to a square, RGB, 8 bits a channel, row after row: `[side, side, 3]`.
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

    /// The picture seen in a mirror: every row reversed.
    pub fn mirrored(&self) -> Self {
        let rows = self.rgb.chunks_exact((self.side * 3).max(1));
        let rgb = rows.flat_map(|row| row.rchunks_exact(3).flatten().copied()).collect();
        Self { side: self.side, rgb }
    }
}
