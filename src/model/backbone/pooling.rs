//! From the maps of the network's layers to the features of a picture: what is pooled of them, and how much each part counts.
//!
//! Features are parts one after another, each of a length of its own, so that a cosine of two rows is the mean of the parts'
//! cosines, weighted by the squares of those lengths:
//!
//! | part | of | values | length |
//! |---|---|---|---|
//! | the whole picture | the head's map, centred | 1280 | 1 |
//! | pattern and texture | the maps of 80 and of 112 channels, centred | 192 | .4 each |
//! | layout | the last block's map, by thirds of the picture from top to bottom | 3 · 320 | .3 each |
//!
//! What each gives stands in `docs/decisions/features-from-several-layers.md`.

use std::ops::Range;

use super::GROUP;

/// Values of the part for the whole picture, which comes first.
pub(super) const WHOLE: usize = 1280;

/// The blocks whose maps show patterns and textures, with their channels.
const PATTERNS: [(usize, usize); 2] = [(7, 80), (10, 112)];
const PATTERN_LENGTH: f32 = 0.4;

/// The last block, with its channels.
const LAYOUT: (usize, usize) = (15, 320);
/// From top to bottom only: a picture and its mirror image have the same layout.
const BANDS: usize = 3;
const BAND_LENGTH: f32 = 0.3;

/// Values of all parts.
pub(super) const WIDTH: usize = WHOLE + PATTERNS[0].1 + PATTERNS[1].1 + BANDS * LAYOUT.1;

/// Places of a map are weighted by a normal distribution about the middle of the picture, of this deviation in sides. Flat
/// from 0.22 to 0.29.
const REACH: f32 = 0.25;

/// What a layer makes of a picture: `[⌈channels / GROUP⌉, side · side, GROUP]`.
#[derive(Clone, Copy)]
pub(super) struct Map<'a> {
    pub(super) values: &'a [f32],
    pub(super) side: usize,
    pub(super) channels: usize,
}

/// The parts that come after the whole picture, gathered while the network runs.
#[derive(Default)]
pub(super) struct Details(Vec<f32>);

impl Details {
    /// Takes what features need of the map that `block` leaves.
    pub(super) fn see(&mut self, block: usize, values: &[f32], side: usize) {
        if let Some(&(_, channels)) = PATTERNS.iter().find(|(of, _)| *of == block) {
            let map = Map { values, side, channels };
            let mean = map.mean(&centred(side), |value| value);
            // Its sign and the root of its size: one strong channel does not drown the others.
            self.add(mean.into_iter().map(|value| value.signum() * value.abs().sqrt()).collect(), PATTERN_LENGTH);
        }
        if block == LAYOUT.0 {
            let map = Map { values, side, channels: LAYOUT.1 };
            for band in bands(side) {
                self.add(map.mean(&inside(side, band), |value| value), BAND_LENGTH);
            }
        }
    }

    fn add(&mut self, mut part: Vec<f32>, length: f32) {
        scale_to(&mut part, length);
        self.0.append(&mut part);
    }

    /// The features `[WIDTH]`, given the map of the head.
    pub(super) fn features(self, head: Map<'_>) -> Vec<f32> {
        let mut features = whole(head);
        features.extend(self.0);
        features
    }
}

/// Generalised mean (Radenović, Tolias and Chum, "Fine-tuning CNN image retrieval with no human annotation", TPAMI 2019) of the
/// head's map, `[WHOLE]` at unit length, places weighted about the middle (after Babenko and Lempitsky, "Aggregating deep
/// convolutional features for image retrieval", ICCV 2015). The mean's power is 1.5, x · √x, where 1 would be the plain mean and
/// a large one the greatest value; answers are as good from 1.25 to 2. Places at the edge see padding where a picture goes on.
fn whole(head: Map<'_>) -> Vec<f32> {
    let mut whole = head.mean(&centred(head.side), |value| value * value.sqrt());
    whole.iter_mut().for_each(|value| *value = value.powf(2.0 / 3.0));
    scale_to(&mut whole, 1.0);
    whole
}

/// The part for the whole picture of a row `[WIDTH]`; `None` for a row of another kind.
pub(super) fn whole_of(features: &[f32]) -> Option<&[f32]> {
    features.get(..WHOLE).filter(|_| features.len() == WIDTH)
}

impl Map<'_> {
    /// The mean of `term` over places, which count by `weights` `[side · side]`: `[channels]`.
    pub(super) fn mean(&self, weights: &[f32], term: impl Fn(f32) -> f32) -> Vec<f32> {
        let mut means = vec![0.0; self.channels.next_multiple_of(GROUP)];
        for (means, places) in
            means.chunks_exact_mut(GROUP).zip(self.values.chunks_exact(self.side * self.side * GROUP))
        {
            for (place, weight) in places.chunks_exact(GROUP).zip(weights).filter(|(_, weight)| **weight > 0.0) {
                means.iter_mut().zip(place).for_each(|(sum, value)| *sum += weight * term(*value));
            }
        }
        means.truncate(self.channels);
        means
    }
}

/// Weights `[side · side]` about the middle, which add up to one.
fn centred(side: usize) -> Vec<f32> {
    let distance = |at: usize| (at as f32 - (side - 1) as f32 / 2.0) / side as f32 / REACH;
    let weight = |at: usize| (-0.5 * (distance(at / side).powi(2) + distance(at % side).powi(2))).exp();
    let all: f32 = (0..side * side).map(weight).sum();
    (0..side * side).map(|at| weight(at) / all).collect()
}

/// Weights `[side · side]` of the places in some rows, which add up to one.
fn inside(side: usize, rows: Range<usize>) -> Vec<f32> {
    let share = 1.0 / (rows.len() * side) as f32;
    (0..side * side).map(|at| if rows.contains(&(at / side)) { share } else { 0.0 }).collect()
}

/// The rows of a map that each band has.
fn bands(side: usize) -> [Range<usize>; BANDS] {
    std::array::from_fn(|at| at * side / BANDS..(at + 1) * side / BANDS)
}

/// A row of zeros stays as it is.
fn scale_to(row: &mut [f32], length: f32) {
    crate::base::rows::to_unit_length(row);
    row.iter_mut().for_each(|value| *value *= length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(row: &[f32]) -> f32 {
        row.iter().map(|value| value * value).sum::<f32>().sqrt()
    }

    /// A map of so many channels, all alike, with these places.
    fn map<const PLACES: usize>(channels: usize, values: [f32; PLACES]) -> Vec<f32> {
        values.map(|value| [value; GROUP]).concat().repeat(channels.div_ceil(GROUP))
    }

    #[test]
    fn the_middle_of_a_picture_counts_most_and_the_strong_more_than_the_many() {
        let pooled = |values: [f32; 9]| {
            let map = map(GROUP, values);
            Map { values: &map, side: 3, channels: GROUP }.mean(&centred(3), |value| value * value.sqrt())[0]
        };
        assert!((pooled([1.0; 9]) - 1.0).abs() < 1e-5, "what is everywhere the same stays what it is");
        let (middle, edge, corner) =
            ([4, 1, 0].map(|place| std::array::from_fn(|at| f32::from(u8::from(at == place))))).into();
        assert!(pooled(middle) > pooled(edge) && pooled(edge) > pooled(corner) && pooled(corner) > 0.0);
        let spread = pooled([0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0]);
        assert!(pooled([0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) > spread);
    }

    #[test]
    fn each_band_sees_its_own_part_of_the_picture() {
        let near_the_top: [f32; 36] = std::array::from_fn(|at| f32::from(u8::from(at == 8)));
        let values = map(LAYOUT.1, near_the_top);
        let means = bands(6)
            .map(|rows| Map { values: &values, side: 6, channels: LAYOUT.1 }.mean(&inside(6, rows), |value| value)[3]);
        assert_eq!(means, [1.0 / 12.0, 0.0, 0.0]);
        assert_eq!(bands(9), [0..3, 3..6, 6..9]);
        assert_eq!(bands(7), [0..2, 2..4, 4..7]);
    }

    #[test]
    fn every_part_has_its_length_whatever_the_maps_are() {
        let mut details = Details::default();
        for (block, channels) in [(6, 80), PATTERNS[0], PATTERNS[1], LAYOUT] {
            let values: Vec<f32> = (0..16 * channels).map(|at| (at as f32).sin() * block as f32).collect();
            details.see(block, &values, 4);
        }
        let head: Vec<f32> = (0..16 * WHOLE).map(|at| (at % 7) as f32).collect();
        let features = details.features(Map { values: &head, side: 4, channels: WHOLE });
        assert_eq!(features.len(), WIDTH);
        let mut at = 0;
        for (values, expected) in [(WHOLE, 1.0), (80, 0.4), (112, 0.4), (320, 0.3), (320, 0.3), (320, 0.3)] {
            assert!((length(&features[at..at + values]) - expected).abs() < 1e-5, "part at {at}");
            at += values;
        }
        assert_eq!(whole_of(&features), Some(&features[..WHOLE]));
        assert_eq!(whole_of(&features[..WHOLE]), None, "features of another kind");
        let flat = Details::default().features(Map { values: &vec![0.0; 16 * WHOLE], side: 4, channels: WHOLE });
        assert!(flat.iter().all(|value| *value == 0.0), "a map of zeros is no division by zero");
    }
}
