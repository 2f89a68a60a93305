//! A picture as 32×32 pixels of greyscale: enough to see whether two are the same, small enough to keep of every picture.

use super::Square;

/// Side of a miniature, in pixels.
pub const MINIATURE_SIDE: usize = 32;
const PIXELS: usize = MINIATURE_SIDE * MINIATURE_SIDE;

/// A whole picture squashed to 32×32 pixels of greyscale, row after row: `[32, 32]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miniature(pub(crate) [u8; PIXELS]);

impl Miniature {
    /// The version under which miniatures are stored. Raise it with every change of [`Miniature::of`], so that
    /// different kinds are never compared.
    pub const VERSION: &'static str = "grey32-1";

    /// The miniature of the encoder's square, whose side is a multiple of 32: the mean luma (ITU-R BT.601) of each
    /// block of pixels.
    pub fn of(square: &Square) -> Self {
        let block = square.side() / MINIATURE_SIDE;
        debug_assert!(block > 0 && square.side().is_multiple_of(MINIATURE_SIDE));
        let whole = 1000 * (block * block) as u32;
        let mut shades = [0; PIXELS];
        for (shade, sums) in shades.iter_mut().zip(square.block_sums(MINIATURE_SIDE).chunks_exact(3)) {
            *shade = ((299 * sums[0] + 587 * sums[1] + 114 * sums[2] + whole / 2) / whole) as u8;
        }
        Self(shades)
    }

    /// Takes `[32, 32]` bytes; `None` for any other number of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, `[32, 32]`.
    pub fn bytes(&self) -> &[u8; PIXELS] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_the_mean_of_its_block() {
        let (side, block) = (224, 7);
        let mut rgb = vec![0; side * side * 3];
        for (at, value) in rgb.iter_mut().enumerate() {
            let (x, y) = (at / 3 % side, at / 3 / side);
            // White in the second block of the first row, but for one of its columns.
            *value = if y < block && (block..2 * block - 1).contains(&x) { 255 } else { 0 };
        }
        let miniature = Miniature::of(&Square::from_rgb(side, rgb).unwrap());
        assert_eq!(&miniature.bytes()[..3], [0, 219, 0]);
        assert!(miniature.bytes()[3..].iter().all(|&value| value == 0));
        assert_eq!(Miniature::from_bytes(miniature.bytes()), Some(miniature));
        assert_eq!(Miniature::from_bytes(&[0; 100]), None);
    }
}
