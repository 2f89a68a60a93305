//! EfficientNet-Lite0 without its classifier: a picture's 1280 features.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::GROUP;
use super::block::{Block, Scratch};
use super::buffer::Buffer;
use super::matmul::{PixelSpan, Target};
use super::pointwise::{Activation, Pointwise};
use super::stem;
use crate::base::rows::Rows;
use crate::error::Trouble;
use crate::model::weights::{Archive, LoadError};
use crate::picture::Square;

/// Made by `tools/convert_lite0.py`; its licence stands beside it.
pub(super) const WEIGHTS: &[u8] = include_bytes!("../../../assets/efficientnet_lite0.safetensors");

/// (depthwise kernel, stride of the first block, output channels, blocks): Tan and Le, EfficientNet, ICML 2019, table 1,
/// without squeeze-and-excitation, with ReLU6 and a stem and head of fixed width (the Lite variant).
const STAGES: [(usize, usize, usize, usize); 7] =
    [(3, 1, 16, 1), (3, 2, 24, 2), (5, 2, 40, 2), (3, 2, 80, 3), (5, 1, 112, 3), (5, 2, 192, 4), (3, 1, 320, 1)];

const STEM_WIDTH: usize = 32;

/// What the weights' file calls itself.
pub(super) const WEIGHTS_VERSION: &str = "lite0-1";

/// Places of the last layer are weighted by a normal distribution about the middle of the picture, of this deviation in sides. Flat
/// from 0.22 to 0.29.
const POOLING_REACH: f32 = 0.25;

/// The frozen network from a picture to its features. Shared by all workers; a call computes on the caller's core.
pub struct Backbone {
    blocks: Vec<Block>,
    head: Pointwise,
    /// Scratch memory of calls that are over, 3 MB each, at most one for every call that ever ran at the same time.
    /// Giving it back to the system and asking for it again would cost more than a third of the time of a picture.
    idle: Mutex<Vec<Scratch>>,
}

impl Backbone {
    /// Numbers in a feature row.
    pub const WIDTH: usize = 1280;

    /// Side of the squares that [`Backbone::features`] is measured with, in pixels.
    pub const SIDE: usize = 288;

    /// Side of those that the network was trained with.
    pub const PUBLISHED_SIDE: usize = 224;

    /// Part of the catalog's key for cached features: another backbone's features are another thing.
    pub const VERSION: &'static str = "lite0-288-centred-1";

    /// Unpacks the bundled weights (0.02 s, 13 MB of memory).
    ///
    /// # Errors
    /// When the program's own copy is damaged.
    pub fn load() -> Result<Self, Trouble> {
        Self::from_bytes(WEIGHTS).map_err(|error| {
            Trouble::new(error.to_string(), "efficientnet_lite0.safetensors", "install the program again")
        })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, LoadError> {
        let archive = Archive::open(bytes, "version", WEIGHTS_VERSION)?;
        let mut blocks = Vec::new();
        let mut inputs = STEM_WIDTH;
        for (side, stride, outputs, repeats) in STAGES {
            for repeat in 0..repeats {
                let name = format!("blocks.{}", blocks.len());
                let stride = if repeat == 0 { stride } else { 1 };
                blocks.push(Block::read(&archive, &name, side, stride, [inputs, outputs])?);
                inputs = outputs;
            }
        }
        let head = Pointwise::read(&archive, "head", inputs, Self::WIDTH, Activation::Relu6)?;
        Ok(Self { blocks, head, idle: Mutex::default() })
    }

    /// Pictures, of any even side, to features `[n, 1280]`, none of them negative.
    ///
    /// What is in the middle of a picture counts most, and what is strong in it more than what is everywhere. That and the
    /// larger side lift the mean average precision of answers from .981, .490 and .811 on food, grocery and caltech90 to
    /// .986, .575 and .822.
    ///
    /// One after another: a picture's layers stay in the cache better than a batch's, and weights need no batch.
    pub fn features(&self, pictures: &[Square]) -> Rows {
        self.pooled(pictures, centred_mean)
    }

    /// The same pooled as published, by the plain mean: what the network is without anything of ours.
    pub fn published_features(&self, pictures: &[Square]) -> Rows {
        self.pooled(pictures, mean)
    }

    fn pooled(&self, pictures: &[Square], pool: impl Fn(&[f32], usize) -> Vec<f32>) -> Rows {
        let mut rows = Rows::empty(Self::WIDTH);
        // A worker that panicked left a whole list behind, if any: nothing is computed under the lock.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = idle().pop().unwrap_or_default();
        for picture in pictures {
            let side = self.forward(picture.rgb(), picture.side(), scaled, &mut scratch);
            rows.push(&pool(&scratch.wide, side));
        }
        idle().push(scratch);
        rows
    }

    /// One picture `[side, side, 3]`, of values that `scaled` makes numbers of, to the last layer, which stands in `scratch.wide` then,
    /// `[groups, last, last, GROUP]`; `last` is given back.
    fn forward<T: Copy>(&self, picture: &[T], side: usize, scaled: impl Fn(T) -> f32, scratch: &mut Scratch) -> usize {
        let half = side / 2;
        let mut gathered = |rows: Range<usize>, out: &mut Buffer| {
            let pitch = rows.len() * half;
            stem::gather(picture, side, &scaled, rows, out);
            PixelSpan { pitch, first: 0 }
        };
        let mut side = half;
        for (at, block) in self.blocks.iter().enumerate() {
            match at {
                0 => block.apply_to(side, scratch, &mut gathered),
                _ => block.apply(side, scratch),
            }
            side = block.shrunk(side);
        }
        let Scratch { current, wide, places, .. } = scratch;
        let pitch = side * side;
        places.clear();
        places.extend(0..pitch);
        let target = Target { values: wide.room(pitch * Self::WIDTH), pitch, places };
        let pixels = (&**current, PixelSpan { pitch, first: 0 });
        self.head.apply(self.head.columns(0..Self::WIDTH), pixels, None, target, &[]);
        side
    }
}

/// What the network was trained with for a byte of a picture.
fn scaled(value: u8) -> f32 {
    (f32::from(value) - 127.0) / 128.0
}

/// Global average pool: `[groups, places, GROUP]` to `[1280]`.
fn mean(places: &[f32], side: usize) -> Vec<f32> {
    let mut mean = vec![0.0; Backbone::WIDTH];
    for (group, places) in places.chunks_exact(side * side * GROUP).enumerate() {
        let mean = &mut mean[group * GROUP..][..GROUP];
        for place in places.chunks_exact(GROUP) {
            mean.iter_mut().zip(place).for_each(|(sum, value)| *sum += value);
        }
    }
    mean.iter_mut().for_each(|sum| *sum *= 1.0 / (side * side) as f32);
    mean
}

/// Generalised mean (Radenović, Tolias and Chum, "Fine-tuning CNN image retrieval with no human annotation", TPAMI 2019)
/// of `[groups, side, side, GROUP]`, places weighted about the middle (after Babenko and Lempitsky, "Aggregating deep convolutional
/// features for image retrieval", ICCV 2015): `[1280]`. The mean's power is 1.5, x · √x, where 1 would be the plain mean and
/// a large one the greatest value; answers are as good from 1.25 to 2. Places at the edge see padding where a picture goes on.
fn centred_mean(places: &[f32], side: usize) -> Vec<f32> {
    let distance = |at: usize| (at as f32 - (side - 1) as f32 / 2.0) / side as f32 / POOLING_REACH;
    let weight = |at: usize| (-0.5 * (distance(at / side).powi(2) + distance(at % side).powi(2))).exp();
    let all: f32 = (0..side * side).map(weight).sum();
    let weights: Vec<f32> = (0..side * side).map(|at| weight(at) / all).collect();
    let mut sums = vec![0.0; Backbone::WIDTH];
    for (group, places) in places.chunks_exact(side * side * GROUP).enumerate() {
        let sums = &mut sums[group * GROUP..][..GROUP];
        for (place, weight) in places.chunks_exact(GROUP).zip(&weights) {
            sums.iter_mut().zip(place).for_each(|(sum, value)| *sum += weight * value * value.sqrt());
        }
    }
    sums.iter_mut().for_each(|sum| *sum = sum.powf(2.0 / 3.0));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(left: &[f32], right: &[f32]) -> f32 {
        let length = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
        length(&mut left.iter().zip(right).map(|(a, b)| a - b)) / length(&mut right.iter().copied())
    }

    /// The figures come from the original float32 weights under onnxruntime; ours are rounded to float16.
    #[test]
    fn features_are_those_of_the_original_network() {
        let probe: serde_json::Value = serde_json::from_str(include_str!("testdata/lite0_probe.json")).unwrap();
        let expected: Vec<f32> =
            probe["features"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap() as f32).collect();
        assert_eq!(expected.len(), Backbone::WIDTH);
        let mut pixels = Vec::new();
        for (i, j) in (0..224 * 224).map(|pixel| (pixel / 224, pixel % 224)) {
            pixels.extend((0..3).map(|c| (0.013 * i as f64 + 0.017 * j as f64 + 0.7 * f64::from(c)).sin() as f32));
        }
        let mut scratch = Scratch::default();
        let side = Backbone::load().unwrap().forward(&pixels, Backbone::PUBLISHED_SIDE, |value| value, &mut scratch);
        assert_eq!(side, 7);
        let error = distance(&mean(&scratch.wide, side), &expected);
        println!("relative error of the probe: {error:.2e}");
        assert!(error < 5e-3, "{error}");
    }

    #[test]
    fn a_batch_gives_what_its_pictures_give_alone() {
        let backbone = Backbone::load().unwrap();
        let picture = |seed: usize| {
            let bytes = (0..Backbone::SIDE * Backbone::SIDE * 3).map(|at| (at * seed / 97 + at % 31 * seed) as u8);
            Square::from_rgb(Backbone::SIDE, bytes.collect()).unwrap()
        };
        let pictures = [picture(3), picture(5), picture(11)];
        let together = backbone.features(&pictures);
        assert_eq!((together.len(), together.width()), (3, Backbone::WIDTH));
        for (at, picture) in pictures.iter().enumerate() {
            let alone = backbone.features(std::slice::from_ref(picture));
            assert!(distance(together.row(at), alone.row(0)) < 1e-6);
        }
        assert!(distance(together.row(0), together.row(1)) > 0.01);
    }

    #[test]
    fn the_middle_of_a_picture_counts_most_and_the_strong_more_than_the_many() {
        let places = |values: [f32; 9]| values.map(|value| [value; GROUP]).concat().repeat(Backbone::WIDTH / GROUP);
        let pooled = |values: [f32; 9]| centred_mean(&places(values), 3)[0];
        assert!((pooled([2.0; 9]) - 2.0).abs() < 1e-5, "what is everywhere the same stays what it is");
        let (middle, edge, corner) =
            ([4, 1, 0].map(|place| std::array::from_fn(|at| f32::from(u8::from(at == place))))).into();
        assert!(pooled(middle) > pooled(edge) && pooled(edge) > pooled(corner) && pooled(corner) > 0.0);
        let spread = pooled([0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0, 0.5, 0.0]);
        assert!(pooled([0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) > spread);
    }

    #[test]
    fn workers_can_share_it() {
        fn shared<T: Send + Sync>() {}
        shared::<Backbone>();
    }

    #[test]
    fn damaged_weights_are_refused() {
        assert!(Backbone::from_bytes(&WEIGHTS[..WEIGHTS.len() / 2]).is_err());
        assert!(Backbone::from_bytes(b"").is_err());
    }
}
