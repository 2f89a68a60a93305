//! EfficientNet-Lite0 without its classifier: a picture's features.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::block::{Block, Scratch};
use super::buffer::Buffer;
use super::matmul::{PixelSpan, Target};
use super::pointwise::{Activation, Pointwise};
use super::pooling::{self, Details, Map};
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
    pub const WIDTH: usize = pooling::WIDTH;

    /// Numbers in a row as published, and in the [part for the whole picture](Backbone::whole_of).
    pub const HEAD_WIDTH: usize = pooling::WHOLE;

    /// Side of the squares that [`Backbone::features`] is measured with, in pixels.
    pub const SIDE: usize = 288;

    /// Side of those that the network was trained with.
    pub const PUBLISHED_SIDE: usize = 224;

    /// Part of the catalog's key for cached features: another backbone's features are another thing.
    pub const VERSION: &'static str = "lite0-288-layers-2";

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
        let head = Pointwise::read(&archive, "head", inputs, Self::HEAD_WIDTH, Activation::Relu6)?;
        Ok(Self { blocks, head, idle: Mutex::default() })
    }

    /// Pictures, of any even side, to features `[n, 2432]` of one length, pooled from several layers: see the table of this module's
    /// `pooling`.
    ///
    /// One after another: a picture's layers stay in the cache better than a batch's, and weights need no batch.
    pub fn features(&self, pictures: &[Square]) -> Rows {
        self.rows(pictures, Self::WIDTH, |picture, scratch| {
            let mut details = Details::default();
            let side = self.forward(picture.rgb(), picture.side(), scaled, scratch, |block, map, side| {
                details.see(block, map, side);
            });
            details.features(Map { values: &scratch.wide, side, channels: Self::HEAD_WIDTH })
        })
    }

    /// The head's map `[n, 1280]` pooled as published, by the plain mean: what the network is without anything of ours.
    pub fn published_features(&self, pictures: &[Square]) -> Rows {
        self.rows(pictures, Self::HEAD_WIDTH, |picture, scratch| {
            let side = self.forward(picture.rgb(), picture.side(), scaled, scratch, |_, _, _| ());
            mean(&scratch.wide, side)
        })
    }

    /// The part for the whole picture of a row of features, `[1280]` at unit length: how like two pictures are is the product of
    /// theirs, wherever in them things lie. `None` for a row of another kind.
    pub fn whole_of(features: &[f32]) -> Option<&[f32]> {
        pooling::whole_of(features)
    }

    fn rows(&self, pictures: &[Square], width: usize, row: impl Fn(&Square, &mut Scratch) -> Vec<f32>) -> Rows {
        let mut rows = Rows::empty(width);
        // A worker that panicked left a whole list behind, if any: nothing is computed under the lock.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = idle().pop().unwrap_or_default();
        for picture in pictures {
            rows.push(&row(picture, &mut scratch));
        }
        idle().push(scratch);
        rows
    }

    /// One picture `[side, side, 3]`, of values that `scaled` makes numbers of, to the last layer, which stands in `scratch.wide` then,
    /// `[groups, last, last, GROUP]`; `last` is given back. `see` is shown what each block leaves, with its side.
    fn forward<T: Copy>(
        &self,
        picture: &[T],
        side: usize,
        scaled: impl Fn(T) -> f32,
        scratch: &mut Scratch,
        mut see: impl FnMut(usize, &[f32], usize),
    ) -> usize {
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
            see(at, &scratch.current, side);
        }
        let Scratch { current, wide, places, .. } = scratch;
        let pitch = side * side;
        places.clear();
        places.extend(0..pitch);
        let target = Target { values: wide.room(pitch * Self::HEAD_WIDTH), pitch, places };
        let pixels = (&**current, PixelSpan { pitch, first: 0 });
        self.head.apply(self.head.columns(0..Self::HEAD_WIDTH), pixels, None, target, &[]);
        side
    }
}

/// What the network was trained with for a byte of a picture.
fn scaled(value: u8) -> f32 {
    (f32::from(value) - 127.0) / 128.0
}

/// Global average pool: `[groups, places, GROUP]` to `[1280]`.
fn mean(places: &[f32], side: usize) -> Vec<f32> {
    let map = Map { values: places, side, channels: Backbone::HEAD_WIDTH };
    map.mean(&vec![1.0 / (side * side) as f32; side * side], |value| value)
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
        assert_eq!(expected.len(), Backbone::HEAD_WIDTH);
        let mut pixels = Vec::new();
        for (i, j) in (0..224 * 224).map(|pixel| (pixel / 224, pixel % 224)) {
            pixels.extend((0..3).map(|c| (0.013 * i as f64 + 0.017 * j as f64 + 0.7 * f64::from(c)).sin() as f32));
        }
        let mut scratch = Scratch::default();
        let side = Backbone::load().unwrap().forward(
            &pixels,
            Backbone::PUBLISHED_SIDE,
            |value| value,
            &mut scratch,
            |_, _, _| (),
        );
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
