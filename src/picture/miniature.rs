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

    /// The miniature of the encoder's square, of at least 32 pixels: the mean luma (ITU-R BT.601) of each of its parts.
    pub fn of(square: &Square) -> Self {
        let (sums, part) = match square.side().is_multiple_of(MINIATURE_SIDE) {
            true => {
                let block = square.side() / MINIATURE_SIDE;
                (square.block_sums(MINIATURE_SIDE), block * block)
            }
            // A network of the user's own may take squares of any side.
            false => (square.part_sums(MINIATURE_SIDE), square.side() * square.side()),
        };
        let whole = 1000 * part as u64;
        let mut shades = [0; PIXELS];
        for (shade, sums) in shades.iter_mut().zip(sums.chunks_exact(3)) {
            let [red, green, blue] = [sums[0], sums[1], sums[2]].map(u64::from);
            *shade = ((299 * red + 587 * green + 114 * blue + whole / 2) / whole) as u8;
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

    #[test]
    fn squares_of_other_sides_give_nearly_the_same() {
        let of = |side: usize| {
            let shade = |at: usize| {
                let (x, y) =
                    (((at / 3 % side) as f32 + 0.5) / side as f32, ((at / 3 / side) as f32 + 0.5) / side as f32);
                (128.0 + 100.0 * (9.0 * x + 5.0 * y * y).sin()) as u8
            };
            Miniature::of(&Square::from_rgb(side, (0..side * side * 3).map(shade).collect()).unwrap())
        };
        let expected = of(288);
        for side in [64, 256, 260, 300, 333] {
            let off = of(side).bytes().iter().zip(expected.bytes()).map(|(one, other)| one.abs_diff(*other)).max();
            assert!(off.unwrap() <= 3, "{side}: {off:?}");
        }
        assert!(
            Miniature::of(&Square::from_rgb(33, vec![200; 33 * 33 * 3]).unwrap()).bytes().iter().all(|&b| b == 200)
        );
    }
}
