//! How many pixels of a picture are needed: a decoder that can make a smaller picture at once leaves out the rest.

use serde::{Deserialize, Serialize};

/// Pixels needed for each that is shown: resizing from fewer would change what is seen.
const SPARE: u32 = 2;
/// Reductions that decoders can do, the largest first.
const REDUCTIONS: [u32; 3] = [8, 4, 2];

/// Pixels that are needed along the sides of a picture, where it has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    shorter_px: u32,
    longer_px: u32,
}

impl Resolution {
    /// All that there are.
    pub const WHOLE: Self = Self { shorter_px: u32::MAX, longer_px: u32::MAX };
    /// None: the least that a decoder makes.
    pub const LEAST: Self = Self { shorter_px: 0, longer_px: 0 };

    /// Enough for a square of `side` pixels.
    pub const fn for_square(side: u32) -> Self {
        Self { shorter_px: side.saturating_mul(SPARE), longer_px: 0 }
    }

    /// Enough for a copy whose longer side is `longest` pixels.
    pub const fn for_copy(longest: u32) -> Self {
        Self { shorter_px: 0, longer_px: longest.saturating_mul(SPARE) }
    }

    /// Enough for both.
    pub fn and(self, other: Self) -> Self {
        Self { shorter_px: self.shorter_px.max(other.shorter_px), longer_px: self.longer_px.max(other.longer_px) }
    }

    /// By how much both sides of a picture of `width` × `height` pixels may be divided: 1, 2, 4 or 8.
    pub fn reduction(self, width: u32, height: u32) -> u32 {
        let (shorter, longer) = (width.min(height), width.max(height));
        let is_enough = |by: &u32| shorter / by >= self.shorter_px && longer / by >= self.longer_px && shorter >= *by;
        REDUCTIONS.into_iter().find(is_enough).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_of_what_is_shown_stays() {
        let square = Resolution::for_square(288);
        assert_eq!(square.reduction(4032, 3024), 4);
        assert_eq!(square.reduction(3024, 4032), 4);
        assert_eq!(square.reduction(1152, 1152), 2);
        assert_eq!(square.reduction(1151, 9000), 1);
        assert_eq!(Resolution::for_copy(240).reduction(4032, 100), 8);
        assert_eq!(Resolution::for_copy(240).and(square).reduction(4032, 3024), 4);
        assert_eq!(Resolution::for_copy(1_000).and(square).reduction(4032, 3024), 2);
        assert_eq!(Resolution::WHOLE.reduction(60_000, 60_000), 1);
        assert_eq!(Resolution::for_copy(u32::MAX).reduction(60_000, 60_000), 1);
        assert_eq!(Resolution::LEAST.reduction(60_000, 3), 2);
    }
}
