//! A window moved and resized until what it shows agrees best.

use super::grid::Window;
use crate::picture::MINIATURE_SIDE;

/// Moved by so many pixels, then by fewer.
const STEPS_PX: [f32; 3] = [1.0, 0.5, 0.25];
/// With each step all moves are tried so often, as long as one helps.
const ROUNDS: usize = 4;
/// Where the largest step leads to less agreement, smaller ones are not tried.
const WORTH_REFINING: f32 = 0.5;
/// Sides of a window are no shorter than this.
const LEAST_SIDE_PX: f32 = 16.0;
/// A move that helps less is rounding.
const LEAST_GAIN: f32 = 1e-4;

/// What a move adds to left, top, width and height: the window elsewhere, or one of its edges elsewhere.
const MOVES: [[f32; 4]; 12] = [
    [1.0, 0.0, 0.0, 0.0],
    [-1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, -1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
    [0.0, 0.0, -1.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
    [0.0, 0.0, 0.0, -1.0],
    [-1.0, 0.0, 1.0, 0.0],
    [0.0, -1.0, 0.0, 1.0],
    [1.0, 0.0, -1.0, 0.0],
    [0.0, 1.0, 0.0, -1.0],
];

/// The best window near `start` and its agreement, which is `first` at the start.
pub(super) fn refined(start: Window, first: f32, agreement: impl Fn(&Window) -> f32) -> (Window, f32) {
    let (mut at, mut best) = (start, first);
    // A window that was no better once is no better later.
    let mut tried = vec![start];
    for step in STEPS_PX {
        for _ in 0..ROUNDS {
            let before = best;
            for change in MOVES {
                let window = at.changed(change, step);
                if !window.is_allowed() || tried.contains(&window) {
                    continue;
                }
                tried.push(window);
                let moved = agreement(&window);
                if moved > best + LEAST_GAIN {
                    (at, best) = (window, moved);
                }
            }
            if best <= before {
                break;
            }
        }
        if best < WORTH_REFINING {
            break;
        }
    }
    (at, best)
}

impl Window {
    fn changed(&self, [left, top, width, height]: [f32; 4], step: f32) -> Self {
        Self {
            left: self.left + left * step,
            top: self.top + top * step,
            width: self.width + width * step,
            height: self.height + height * step,
        }
    }

    fn is_allowed(&self) -> bool {
        let side = MINIATURE_SIDE as f32;
        let lies_within = self.left >= 0.0 && self.left + self.width <= side && self.top >= 0.0;
        lies_within && self.top + self.height <= side && self.width.min(self.height) >= LEAST_SIDE_PX
    }
}
