//! Where one picture lies in another, and how similar they are there: by the pixels of their miniatures.
//!
//! Both are squashed to squares, so a trimmed picture is some window of the other whose sides need not have one scale. 385
//! windows are compared by their outlines; where one agrees, finer grids are compared and the window is moved until they
//! agree best. What is compared there is relief, not brightness: two products on white have brightness in common, but no relief.

mod grid;
mod outlines;
mod refine;
mod relief;

pub use grid::Window;
pub(super) use outlines::{OUTLINE_VALUES, Outline, mirror, outline, outline_similarity, outlines};

use grid::{Sums, whole_cells};
use outlines::{POSES, WindowOutlines, posed_cells, posed_outline};
use refine::refined;
use relief::Relief;

use super::policy::{LEAST_RELIEF, LEAST_WINDOW_OUTLINE};
use crate::picture::Miniature;

/// Windows from which it is tried, the best by outline.
const STARTS: usize = 6;
/// Starts from which the best window is searched for, the best by relief.
const REFINED: usize = 2;
/// Two windows are one start when their edges and sides differ by no more than this in all.
const ONE_START_PX: f32 = 7.0;
/// A turned picture is searched for whole, but for this: what is turned and trimmed is hardly ever a copy, and a bar that lies aslant on
/// white finds another bar.
const LEAST_TURNED_PX: f32 = 29.0;

/// A picture in which others are searched for. Takes a tenth of a millisecond to make and some 110 kB to keep.
pub struct Scene {
    miniature: Miniature,
    sums: Sums,
    windows: WindowOutlines,
}

/// How one picture lies in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// How far they agree there, 0 to 1.
    pub similarity: f32,
    /// It had to be mirrored, left to right, before it was turned.
    pub is_mirrored: bool,
    /// By how many quarters it had to be turned.
    pub quarter_turns: u8,
    /// Where in the other it lies.
    pub window: Window,
}

/// A picture lies here, in this pose, perhaps.
struct Start {
    window: Window,
    pose: usize,
    relief: Relief,
    agreement: f32,
}

impl Scene {
    /// Of a picture.
    pub fn of(miniature: &Miniature) -> Self {
        let sums = Sums::of(miniature);
        Self { miniature: miniature.clone(), windows: WindowOutlines::of(&sums), sums }
    }

    /// Where `other` lies in this picture, if anywhere: as a whole, or as one that was trimmed.
    pub fn align(&self, other: &Miniature) -> Option<Alignment> {
        let mut starts = self.starts(other);
        starts.sort_by(|one, other| other.agreement.total_cmp(&one.agreement));
        let worth_it = starts.into_iter().take(REFINED).filter(|start| start.agreement >= LEAST_RELIEF);
        let aligned = worth_it.map(|start| {
            let agreement = |window: &Window| Relief::of_window(&self.sums, window).agreement(&start.relief);
            let (window, similarity) = refined(start.window, start.agreement, agreement);
            let (is_mirrored, quarter_turns) = (start.pose % 2 == 1, (start.pose / 2) as u8);
            Alignment { similarity, is_mirrored, quarter_turns, window }
        });
        aligned.max_by(|one, other| one.similarity.total_cmp(&other.similarity))
    }

    /// How either picture lies in the other: the better of both, and whether it is this one that lies in `other`.
    pub fn align_either_way(&self, other: &Self) -> Option<(Alignment, bool)> {
        let (other_here, here_in_other) = (self.align(&other.miniature), other.align(&self.miniature));
        let both = [other_here.map(|found| (found, false)), here_in_other.map(|found| (found, true))];
        both.into_iter().flatten().max_by(|(one, _), (other, _)| one.similarity.total_cmp(&other.similarity))
    }

    /// The best windows by outline that differ from one another.
    fn starts(&self, other: &Miniature) -> Vec<Start> {
        let whole = outline(other);
        let mut found: Vec<(f32, Window, usize)> = Vec::new();
        let mut similar = Vec::new();
        for pose in 0..POSES {
            let least_px = if pose >= 2 { LEAST_TURNED_PX } else { 0.0 };
            self.windows.similar(&posed_outline(&whole, pose), least_px, &mut similar, LEAST_WINDOW_OUTLINE);
            found.extend(similar.drain(..).map(|(similarity, window)| (similarity, window, pose)));
        }
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut apart: Vec<(Window, usize)> = Vec::new();
        for (_, window, pose) in found {
            let is_one = |(other, of): &(Window, usize)| *of == pose && other.distance(&window) <= ONE_START_PX;
            if apart.len() < STARTS && !apart.iter().any(is_one) {
                apart.push((window, pose));
            }
        }
        let cells = whole_cells(other);
        let start = |(window, pose)| {
            let relief = Relief::of(&posed_cells(&cells, pose));
            let agreement = Relief::of_window(&self.sums, &window).agreement(&relief);
            Start { window, pose, relief, agreement }
        };
        apart.into_iter().map(start).collect()
    }
}

#[cfg(test)]
#[path = "alignment_tests.rs"]
mod tests;
