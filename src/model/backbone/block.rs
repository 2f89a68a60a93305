//! The inverted residual block that EfficientNet-Lite0 is made of, and the memory its layers work in.

use std::ops::Range;

use super::GROUP;
use super::buffer::Buffer;
use super::depthwise::Depthwise;
use super::matmul::{PixelSpan, Target};
use super::packed::MAX_PANEL;
use super::pointwise::{Activation, Pointwise};
use super::stem;
use crate::model::weights::{Archive, LoadError};

/// How many times wider a block is inside than at its entrance.
const EXPANSION: usize = 6;

/// Bytes of a block's widened pixels that are worked on at a time: they stay in the second cache from the expansion to the
/// projection, and never go to memory.
const PIECE_BYTES: usize = 256 << 10;

/// An inverted residual block: widen, filter each channel, narrow, add what came in.
pub(super) struct Block {
    /// The first block's is the stem.
    expand: Pointwise,
    depthwise: Depthwise,
    project: Pointwise,
    residual: bool,
    outputs: usize,
}

/// What of a block is worked on at a time: some rows of the output in all channels, or all rows in some channels.
#[derive(Clone, Copy)]
struct Piece {
    rows: usize,
    /// A multiple of [`MAX_PANEL`], or all.
    channels: usize,
}

/// Where a picture's pixels stand between layers.
#[derive(Default)]
pub(super) struct Scratch {
    /// What a block begins with and leaves behind.
    pub(super) current: Buffer,
    /// After the expansion: some rows.
    pub(super) wide: Buffer,
    /// After the depthwise convolution: some rows.
    filtered: Buffer,
    /// What becomes `current`.
    next: Buffer,
    /// Where the pixels of a product go.
    pub(super) places: Vec<usize>,
}

impl Block {
    pub(super) fn read(
        archive: &Archive,
        name: &str,
        side: usize,
        stride: usize,
        [inputs, outputs]: [usize; 2],
    ) -> Result<Self, LoadError> {
        let (expand, seen, inner) = if name == "blocks.0" {
            ("stem".into(), stem::SEEN, inputs)
        } else {
            (format!("{name}.expand"), inputs, inputs * EXPANSION)
        };
        Ok(Self {
            expand: Pointwise::read(archive, &expand, seen, inner, Activation::Relu6)?,
            depthwise: Depthwise::read(archive, &format!("{name}.depthwise"), side, stride, inner)?,
            project: Pointwise::read(archive, &format!("{name}.project"), inner, outputs, Activation::Linear)?,
            residual: stride == 1 && inputs == outputs,
            outputs,
        })
    }

    /// Side of the output for one of the input.
    pub(super) fn shrunk(&self, side: usize) -> usize {
        self.depthwise.shrunk(side)
    }

    /// A large picture goes in bands of rows, a small one, where weights are many, in parts of the channels: then each
    /// weight is read once.
    fn piece(&self, side: usize) -> Piece {
        let (channels, shrunk) = (self.depthwise.channels(), self.shrunk(side));
        let numbers = PIECE_BYTES / size_of::<f32>();
        match numbers / (side * side) / MAX_PANEL {
            0 => Piece { rows: (numbers / channels / side * shrunk / side).clamp(1, shrunk), channels },
            parts => Piece { rows: shrunk, channels: channels.min(parts * MAX_PANEL) },
        }
    }

    /// Turns `scratch.current` from `[side, side]` pixels to `[⌈side/stride⌉, ⌈side/stride⌉]`.
    pub(super) fn apply(&self, side: usize, scratch: &mut Scratch) {
        self.apply_to(side, scratch, |rows, _| PixelSpan { pitch: side * side, first: rows.start * side });
    }

    /// As [`Block::apply`], of pixels whose rows `input` puts into `scratch.current` when they are needed, and says where.
    pub(super) fn apply_to(
        &self,
        side: usize,
        scratch: &mut Scratch,
        input: impl FnMut(Range<usize>, &mut Buffer) -> PixelSpan,
    ) {
        self.apply_by(self.piece(side), side, scratch, input);
    }

    fn apply_by(
        &self,
        piece: Piece,
        side: usize,
        scratch: &mut Scratch,
        mut input: impl FnMut(Range<usize>, &mut Buffer) -> PixelSpan,
    ) {
        let Scratch { current, wide, filtered, next, places } = scratch;
        let (shrunk, channels) = (self.shrunk(side), self.depthwise.channels());
        let ring = self.depthwise.ring(side, side, piece.rows);
        let wide = wide.room(ring.group_pitch() * piece.channels);
        ring.clear_margins(wide);
        let out = next.room(shrunk * shrunk * self.outputs.next_multiple_of(GROUP));
        let mut expanded = 0;
        for first in (0..shrunk).step_by(piece.rows) {
            let rows = first..shrunk.min(first + piece.rows);
            let seen = self.depthwise.rows_seen(&ring, rows.end);
            let span = input(expanded..seen, current);
            for first in (0..channels).step_by(piece.channels) {
                let part = first..channels.min(first + piece.channels);
                let (columns, weights) = (self.expand.columns(part.clone()), self.project.rows(part.clone()));
                ring.places(expanded..seen, places);
                let target = Target { values: wide, pitch: ring.group_pitch(), places };
                let ahead = self.project.first_weights(weights.clone());
                self.expand.apply(columns, (current, span), None, target, ahead);
                let filtered = filtered.room(rows.len() * shrunk * part.len());
                self.depthwise.apply(part.clone(), wide, ring, rows.clone(), filtered);
                places.clear();
                places.extend(rows.start * shrunk..rows.end * shrunk);
                let following = if part.end < channels { part.end } else { 0 };
                let following = following..channels.min(following + piece.channels);
                let ahead = self.expand.first_weights(self.expand.columns(following));
                let pixels = (&*filtered, PixelSpan { pitch: rows.len() * shrunk, first: 0 });
                let residual = if self.residual { Some(&**current) } else { None };
                let target = Target { values: out, pitch: shrunk * shrunk, places };
                self.project.apply(weights, pixels, residual, target, ahead);
            }
            expanded = seen;
        }
        std::mem::swap(current, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::backbone::network::{WEIGHTS, WEIGHTS_VERSION};

    #[test]
    fn pieces_leave_no_seams() {
        let archive = Archive::open(WEIGHTS, "version", WEIGHTS_VERSION).unwrap();
        for (name, kernel, stride, [inputs, outputs], side) in [
            ("blocks.2", 3, 1, [24, 24], 72),
            ("blocks.3", 5, 2, [24, 40], 72),
            ("blocks.4", 5, 1, [40, 40], 37),
            ("blocks.5", 3, 2, [40, 80], 29),
            ("blocks.10", 5, 1, [112, 112], 18),
        ] {
            let block = Block::read(&archive, name, kernel, stride, [inputs, outputs]).unwrap();
            let (rows, channels) = (block.shrunk(side), block.depthwise.channels());
            let run = |piece: Piece| {
                let mut scratch = Scratch::default();
                let current = scratch.current.room(side * side * inputs.next_multiple_of(GROUP));
                current.iter_mut().enumerate().for_each(|(at, value)| *value = (at * 37 % 101) as f32 / 50.0 - 1.0);
                block.apply_by(piece, side, &mut scratch, |rows, _| PixelSpan {
                    pitch: side * side,
                    first: rows.start * side,
                });
                // The last group may hold channels that mean nothing.
                scratch.current[..outputs / GROUP * GROUP * rows * rows].to_vec()
            };
            let whole = run(Piece { rows, channels });
            assert!(whole.iter().any(|value| *value > 0.1), "{name} does something");
            let usual = block.piece(side);
            assert!(usual.rows < rows || usual.channels < channels, "{name} is worked on in pieces");
            for piece in
                [usual, Piece { rows: 1, channels }, Piece { rows: 7, channels }, Piece { rows, channels: MAX_PANEL }]
            {
                assert!(run(piece) == whole, "{name} by {} rows, {} channels", piece.rows, piece.channels);
            }
        }
    }
}
