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

/// Side of the square the encoder sees, in pixels.
pub const SQUARE_SIDE: usize = 224;

/// A whole picture squashed to 224×224, RGB, 8 bits a channel, row after row: `[224, 224, 3]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Square(Vec<u8>);

impl Square {
    /// Takes `[224, 224, 3]` bytes; `None` for any other number of them.
    pub fn from_rgb(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == SQUARE_SIDE * SQUARE_SIDE * 3).then_some(Self(bytes))
    }

    /// The bytes, `[224, 224, 3]`.
    pub fn rgb(&self) -> &[u8] {
        &self.0
    }

    /// The picture seen in a mirror: every row reversed.
    pub fn mirrored(&self) -> Self {
        let row = SQUARE_SIDE * 3;
        Self(self.0.chunks_exact(row).flat_map(|row| row.rchunks_exact(3).flatten().copied()).collect())
    }
}
