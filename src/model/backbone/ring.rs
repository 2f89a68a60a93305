//! The rows of a picture that a kernel sees at a time, with margins of zeros.

use std::ops::Range;

use super::GROUP;

/// Some rows of `[height, width]` pixels: `[groups, slots, pitch, GROUP]`. Row y stands in slot y % slots, so rows that are
/// seen again stay where they are.
#[derive(Clone, Copy)]
pub(super) struct RowRing {
    pub(super) height: usize,
    pub(super) width: usize,
    /// Rows of zeros above the picture's. They, and those below, are nowhere.
    pub(super) above: usize,
    /// Columns of zeros before the picture's.
    pub(super) before: usize,
    /// The picture's columns and those of zeros before and behind it.
    pub(super) pitch: usize,
    pub(super) slots: usize,
}

impl RowRing {
    /// Pixels from a group to the next.
    pub(super) fn group_pitch(&self) -> usize {
        self.slots * self.pitch
    }

    /// Sets `places` to those of the pixels of `rows` in a group.
    pub(super) fn places(&self, rows: Range<usize>, places: &mut Vec<usize>) {
        places.clear();
        for row in rows {
            let start = row % self.slots * self.pitch + self.before;
            places.extend(start..start + self.width);
        }
    }

    /// Makes the columns before and behind the picture zero. Nothing else is ever written there.
    pub(super) fn clear_margins(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.pitch * GROUP) {
            row[..self.before * GROUP].fill(0.0);
            row[(self.before + self.width) * GROUP..].fill(0.0);
        }
    }
}
