//! Whether two pictures are the same one: saved anew, resized, recoloured, mirrored, turned, trimmed, framed or with a
//! caption. One is sought in the other by its pixels.
//!
//! Both are squashed to squares, so a trimmed picture is some window of the other whose sides need not have one scale. 385
//! windows are looked at by their outlines; where one agrees, finer grids are compared and the window is moved until they
//! agree best. What is compared there is relief, not brightness: two products on white have brightness in common, but no relief.

mod climb;
mod grid;
mod outlines;

use climb::climbed;
pub use grid::Window;
use grid::{FINE, Relief, Sums};
pub use outlines::{OUTLINE_VALUES, outlines};
use outlines::{Outline, POSES, likeness, outline, posed_miniature, posed_outline, windows};

use super::Miniature;

/// From here on two pictures are taken to be the same, [`Sighting::alike`].
///
/// Measured (`benches/duplicates.py` on 1,326 pictures of three sets and as many altered copies): it is reached by 99 % and more
/// of the copies of quality 30, of half the size, mirrored, turned, brighter, of more contrast or colour, grey, framed, with a
/// caption, and trimmed to 75 % of both sides; by 97 % of those trimmed to 75 % and grey, 94 % of those trimmed to 60 %, 92 % of
/// those of other hues. Of the 29,879 pairs of different files in these sets that are among the 32 nearest by features, 52 reach it
/// and were looked at: about half are copies and edits that lie in the sets; of the others nearly all are packages of one
/// design, drawings of one symbol, or photographs of one thing taken one after the other. From 0.96 on there are a third
/// fewer wrong pairs, and 72 % of the copies trimmed to 60 %.
pub const SAME: f32 = 0.92;

/// Where outlines agree less, nothing finer is looked at. Of copies trimmed to 60 % of both sides one in a hundred has less
/// than 0.77.
const LEAST_OUTLINE: f32 = 0.7;
/// Windows from which it is tried, the best by outline.
const STARTS: usize = 6;
/// Starts from which the best window is sought, the best by relief.
const CLIMBS: usize = 2;
/// Where relief agrees less at the start, the window is not moved.
const LEAST_RELIEF: f32 = 0.25;
/// Two windows are one start when their edges and sides differ by no more than this in all.
const ONE_START_PX: f32 = 7.0;
/// A turned picture is sought whole, but for this: what is turned and trimmed is hardly ever a copy, and a bar that lies aslant on
/// white finds another bar.
const LEAST_TURNED_PX: f32 = 29.0;

/// A picture in which others are sought. Takes a tenth of a millisecond to make and some 110 kB to keep.
pub struct Scene {
    miniature: Miniature,
    sums: Sums,
    windows: Vec<(Window, Outline)>,
}

/// How a picture was found in another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// How far they agree, 0 to 1.
    pub alike: f32,
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
        let windows = windows().into_iter().map(|window| (window, outline(&sums, &window))).collect();
        Self { miniature: miniature.clone(), sums, windows }
    }

    /// Where `other` lies in this picture, if anywhere: as a whole, or as one that was trimmed.
    pub fn sighting(&self, other: &Miniature) -> Option<Sighting> {
        let mut starts: Vec<Start> = self.starts(other).collect();
        starts.sort_by(|one, other| other.agreement.total_cmp(&one.agreement));
        let worth_it = starts.into_iter().take(CLIMBS).filter(|start| start.agreement >= LEAST_RELIEF);
        let seen = worth_it.map(|start| {
            let agreement = |window: &Window| self.relief(window).agreement(&start.relief);
            let (window, alike) = climbed(start.window, start.agreement, agreement);
            let (is_mirrored, quarter_turns) = (start.pose % 2 == 1, (start.pose / 2) as u8);
            Sighting { alike, is_mirrored, quarter_turns, window }
        });
        seen.max_by(|one, other| one.alike.total_cmp(&other.alike))
    }

    /// How either picture lies in the other: the better of both, and whether it is this one that lies in `other`.
    pub fn sameness(&self, other: &Self) -> Option<(Sighting, bool)> {
        let (other_here, here_in_other) = (self.sighting(&other.miniature), other.sighting(&self.miniature));
        let both = [other_here.map(|seen| (seen, false)), here_in_other.map(|seen| (seen, true))];
        both.into_iter().flatten().max_by(|(one, _), (other, _)| one.alike.total_cmp(&other.alike))
    }

    fn relief(&self, window: &Window) -> Relief {
        Relief::of(&self.sums.cells::<FINE>(window))
    }

    /// The best windows by outline that differ from one another.
    fn starts(&self, other: &Miniature) -> impl Iterator<Item = Start> {
        let whole = outline(&Sums::of(other), &Window::WHOLE);
        let mut found: Vec<(f32, Window, usize)> = Vec::new();
        for pose in 0..POSES {
            let posed = posed_outline(&whole, pose);
            let least_px = if pose >= 2 { LEAST_TURNED_PX } else { 0.0 };
            for (window, outline) in
                self.windows.iter().filter(|(window, _)| window.width.min(window.height) >= least_px)
            {
                let alike = likeness(outline, &posed);
                if alike >= LEAST_OUTLINE {
                    found.push((alike, *window, pose));
                }
            }
        }
        found.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut apart: Vec<(Window, usize)> = Vec::new();
        for (_, window, pose) in found {
            let is_one = |(other, of): &(Window, usize)| *of == pose && other.distance(&window) <= ONE_START_PX;
            if apart.len() < STARTS && !apart.iter().any(is_one) {
                apart.push((window, pose));
            }
        }
        apart.into_iter().map(|(window, pose)| {
            let relief = Relief::of(&Sums::of(&posed_miniature(other, pose)).cells::<FINE>(&Window::WHOLE));
            let agreement = self.relief(&window).agreement(&relief);
            Start { window, pose, relief, agreement }
        })
    }
}

#[cfg(test)]
#[path = "sameness_tests.rs"]
mod tests;
