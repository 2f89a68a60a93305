//! Corners of two pictures that look the same, and maps from one picture to the other on which many of them agree.

use std::f32::consts::{PI, TAU};

use pulp::{Arch, Simd, WithSimd};

use super::Detail;
use super::corners::{Corner, Description};
use super::projective::ProjectiveMap;

/// Of 256 comparisons two descriptions of one corner differ in at most so many.
const MOST_DIFFERENT: u32 = 80;
/// Pairs that are considered, the clearest.
const MOST_PAIRS: usize = 200;
/// Comparisons in a description.
const MOST_COMPARED: u32 = 256;
/// Corners nearer than this are one, found at several levels.
const ONE_CORNER_PX: f32 = 6.0;
/// Maps that are worked out, those with the most pairs.
const STARTS: usize = 4;
/// A map with fewer pairs than this is chance.
pub(super) const LEAST_PAIRS: usize = 4;
/// With so many pairs a map may have perspective.
const PROJECTIVE_FROM: usize = 8;
/// How far a pair may be off a map, as shares of the longer side: at the start, and while an affine and a projective map are
/// fitted.
const START_TOLERANCE: f32 = 0.06;
const AFFINE_TOLERANCES: [f32; 3] = [0.05, 0.035, 0.025];
const PROJECTIVE_TOLERANCES: [f32; 3] = [0.03, 0.015, 0.01];
/// ... and in pixels of the corner's level, whatever the size.
const LEVEL_TOLERANCE_PX: f32 = 1.5;
/// Pairs of one map agree in scale up to this factor, and in angle up to these radians.
const ONE_SCALE: f32 = 1.6;
const ONE_ANGLE: f32 = 0.5;

/// A corner of one picture and the one of the other that looks like it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CornerPair {
    pub(super) from: Corner,
    pub(super) to: Corner,
}

/// A map from one picture, mirrored or not, to the other.
pub(super) struct FoundMap {
    pub(super) map: ProjectiveMap,
    pub(super) is_mirrored: bool,
    /// Pairs of corners that agree on it.
    pub(super) pairs: usize,
}

/// Maps on which several pairs agree. Each pair of corners makes one of its own, by its places, angles and scales, and all are
/// tried: what a random choice of pairs (RANSAC) would find, without chance.
pub(super) fn maps(from: &Detail, to: &Detail) -> Vec<FoundMap> {
    let size = to.width.max(to.height);
    let pairs = [false, true].map(|is_mirrored| corner_pairs(from, to, is_mirrored));
    let mut starts: Vec<(usize, usize, usize)> = Vec::new();
    for (side, pairs) in pairs.iter().enumerate() {
        for (at, start) in pairs.iter().enumerate() {
            let map = start.map();
            let agreeing = pairs.iter().filter(|pair| pair.agrees(&map, START_TOLERANCE * size, start)).count();
            if agreeing >= LEAST_PAIRS {
                starts.push((agreeing, side, at));
            }
        }
    }
    starts.sort_by(|one, other| other.0.cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
    starts.truncate(STARTS);
    let fitted = |(_, side, at): (usize, usize, usize)| {
        let maps = fitted(&pairs[side], &pairs[side][at], (from.width, from.height), size);
        maps.into_iter().map(move |(map, pairs)| FoundMap { map, is_mirrored: side == 1, pairs })
    };
    starts.into_iter().flat_map(fitted).collect()
}

/// The affine and the projective map of the pairs that agree with one of them.
fn fitted(pairs: &[CornerPair], start: &CornerPair, shape: (f32, f32), size: f32) -> Vec<(ProjectiveMap, usize)> {
    let agreeing = |map: &ProjectiveMap, tolerance: f32| -> Vec<CornerPair> {
        pairs.iter().filter(|pair| pair.agrees(map, tolerance * size, start)).copied().collect()
    };
    let mut map = start.map();
    let mut chosen = agreeing(&map, START_TOLERANCE);
    let mut found = Vec::new();
    type Fit = fn(&[CornerPair], f32) -> Option<ProjectiveMap>;
    let kinds: [(Fit, [f32; 3], usize); 2] = [
        (ProjectiveMap::affine, AFFINE_TOLERANCES, LEAST_PAIRS),
        (ProjectiveMap::projective, PROJECTIVE_TOLERANCES, PROJECTIVE_FROM),
    ];
    for (fit, tolerances, least) in kinds {
        for tolerance in tolerances {
            let better = if chosen.len() < least { None } else { fit(&chosen, size) };
            let Some(better) = better.filter(|map| map.is_plausible(shape)) else { break };
            map = better;
            chosen = agreeing(&map, tolerance);
        }
        if chosen.len() >= least && map.is_plausible(shape) {
            found.push((map, chosen.len()));
        }
    }
    found
}

impl CornerPair {
    /// The map of this pair alone.
    fn map(&self) -> ProjectiveMap {
        let Self { from, to } = self;
        ProjectiveMap::similarity(to.scale / from.scale, to.angle - from.angle, (from.x, from.y), (to.x, to.y))
    }

    /// Whether a map takes one corner to the other, and both differ in scale and angle as those of `start` do.
    #[inline(always)]
    fn agrees(&self, map: &ProjectiveMap, tolerance_px: f32, start: &Self) -> bool {
        let (x, y) = map.apply(self.from.x, self.from.y);
        let off = (x - self.to.x).abs().max((y - self.to.y).abs());
        if off > tolerance_px.max(LEVEL_TOLERANCE_PX * self.to.scale) {
            return false;
        }
        let scale = self.to.scale * start.from.scale / (self.from.scale * start.to.scale);
        let turn = (self.to.angle - self.from.angle - start.to.angle + start.from.angle).abs() % TAU;
        (1.0 / ONE_SCALE..ONE_SCALE).contains(&scale) && turn.min(TAU - turn) < ONE_ANGLE
    }
}

/// For each corner the one that looks most like it, where one does; the clearest first. Places of a mirrored picture are those
/// in the mirror.
fn corner_pairs(from: &Detail, to: &Detail, is_mirrored: bool) -> Vec<CornerPair> {
    let nearest = Arch::new().dispatch(NearestCorners { from, to, is_mirrored });
    let mut found: Vec<(f32, usize, usize)> = Vec::new();
    for (at, nearest) in nearest.into_iter().enumerate() {
        if nearest.different <= MOST_DIFFERENT {
            let (first, second) = (nearest.different as f32, nearest.second as f32);
            // Lowe's ratio (IJCV 60, 2004), and a little for the difference itself.
            found.push((first / second + first / 400.0, at, nearest.at));
        }
    }
    found.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let mut is_taken = vec![false; to.corners.len()];
    found.retain(|(_, _, at)| !std::mem::replace(&mut is_taken[*at], true));
    found.truncate(MOST_PAIRS);
    let mirrored = |corner: Corner| match is_mirrored {
        true => Corner { x: from.width - corner.x, angle: PI - corner.angle, ..corner },
        false => corner,
    };
    found
        .into_iter()
        .map(|(_, one, other)| CornerPair { from: mirrored(from.corners[one]), to: to.corners[other] })
        .collect()
}

/// The nearest corner by description.
struct NearestCorner {
    at: usize,
    /// Comparisons in which both differ.
    different: u32,
    /// ... in which the next one differs that is another corner.
    second: u32,
}

struct NearestCorners<'a> {
    from: &'a Detail,
    to: &'a Detail,
    is_mirrored: bool,
}

impl WithSimd for NearestCorners<'_> {
    type Output = Vec<NearestCorner>;

    // Not for vectors: for the instruction that counts bits, which not every processor has.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<NearestCorner> {
        let Self { from, to, is_mirrored } = self;
        let mut found = Vec::with_capacity(from.descriptions.len());
        for description in &from.descriptions {
            let [a, b, c, d] = *description;
            found.push(nearest(if is_mirrored { [c, d, a, b] } else { [a, b, c, d] }, to));
        }
        found
    }
}

#[inline(always)]
fn nearest(description: Description, to: &Detail) -> NearestCorner {
    let mut best = NearestCorner { at: 0, different: u32::MAX, second: MOST_COMPARED };
    for (at, other) in to.descriptions.iter().enumerate() {
        let mut different = 0;
        for word in 0..description.len() {
            different += (description[word] ^ other[word]).count_ones();
        }
        if different >= best.second {
            continue;
        }
        let (here, before) = (&to.corners[at], &to.corners[best.at]);
        let is_another = (here.x - before.x).abs() + (here.y - before.y).abs() > ONE_CORNER_PX;
        if different < best.different {
            if is_another && best.different != u32::MAX {
                best.second = best.different;
            }
            (best.at, best.different) = (at, different);
        } else if is_another {
            best.second = different;
        }
    }
    best
}
