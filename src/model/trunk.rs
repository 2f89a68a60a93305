//! EfficientNet-Lite0 without its classifier: a picture's 1280 features.

use std::sync::{Mutex, PoisonError};

use super::block::{Block, Scratch};
use super::pointwise::{Activation, Pointwise};
use super::stem;
use super::weights::Archive;
use crate::error::Trouble;
use crate::picture::{SQUARE_SIDE, Square};
use crate::rows::Rows;

/// Made by `tools/convert_lite0.py`; its licence stands beside it.
const WEIGHTS: &[u8] = include_bytes!("../../assets/efficientnet_lite0.safetensors");

/// (depthwise kernel, stride of the first block, output channels, blocks): Tan and Le, EfficientNet, ICML 2019, table 1,
/// without squeeze-and-excitation, with ReLU6 and a stem and head of fixed width (the Lite variant).
const STAGES: [(usize, usize, usize, usize); 7] =
    [(3, 1, 16, 1), (3, 2, 24, 2), (5, 2, 40, 2), (3, 2, 80, 3), (5, 1, 112, 3), (5, 2, 192, 4), (3, 1, 320, 1)];

const STEM_WIDTH: usize = 32;

/// The frozen network from a picture to its features. Shared by all workers; a call computes on the caller's core.
pub struct Trunk {
    stem: Pointwise,
    blocks: Vec<Block>,
    head: Pointwise,
    /// Scratch memory of calls that are over, 10 MB each, at most one for every call that ever ran at the same time.
    /// Giving it back to the system and asking for it anew would cost more than a third of the time of a picture.
    idle: Mutex<Vec<Scratch>>,
}

impl Trunk {
    /// Numbers in a feature row.
    pub const WIDTH: usize = 1280;

    /// Part of the catalog's key for cached features: another trunk's features are another thing.
    pub const VERSION: &'static str = "lite0-1";

    /// Unpacks the bundled weights (0.02 s, 13 MB of memory).
    ///
    /// # Errors
    /// When the program's own copy is damaged.
    pub fn load() -> Result<Self, Trouble> {
        Self::from_bytes(WEIGHTS)
            .map_err(|what| Trouble::new(what, "efficientnet_lite0.safetensors", "install the program again"))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let archive = Archive::open(bytes, "version", Self::VERSION)?;
        let stem = Pointwise::read(&archive, "stem", 27, STEM_WIDTH, Activation::Relu6)?;
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
        Ok(Self { stem, blocks, head, idle: Mutex::default() })
    }

    /// Pictures to features `[n, 1280]`, none of them negative.
    ///
    /// One after another: a picture's layers stay in the cache better than a batch's, and weights need no batch.
    pub fn features(&self, pictures: &[Square]) -> Rows {
        let mut rows = Rows::empty(Self::WIDTH);
        let mut pixels = vec![0.0; SQUARE_SIDE * SQUARE_SIDE * 3];
        // A worker that panicked left a whole list behind, if any: nothing is computed under the lock.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = idle().pop().unwrap_or_default();
        for picture in pictures {
            pixels.iter_mut().zip(picture.rgb()).for_each(|(to, from)| *to = (f32::from(*from) - 127.0) / 128.0);
            rows.push(&self.forward(&pixels, &mut scratch));
        }
        idle().push(scratch);
        rows
    }

    /// One picture `[224, 224, 3]` that is already (x − 127) / 128 to its features `[1280]`.
    fn forward(&self, pixels: &[f32], scratch: &mut Scratch) -> Vec<f32> {
        let mut side = SQUARE_SIDE / 2;
        stem::gather(pixels, SQUARE_SIDE, &mut scratch.wide);
        self.stem.apply(&scratch.wide, &mut scratch.current);
        for block in &self.blocks {
            block.apply(side, scratch);
            side = block.shrunk(side);
        }
        self.head.apply(&scratch.current, &mut scratch.wide);
        mean_of_pixels(&scratch.wide, Self::WIDTH)
    }
}

/// Global average pool: `[pixels, width]` to `[width]`.
fn mean_of_pixels(values: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    for pixel in values.chunks_exact(width) {
        mean.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
    }
    let share = width as f32 / values.len() as f32;
    mean.iter_mut().for_each(|sum| *sum *= share);
    mean
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
        assert_eq!(expected.len(), Trunk::WIDTH);
        let mut pixels = Vec::new();
        for (i, j) in (0..224 * 224).map(|pixel| (pixel / 224, pixel % 224)) {
            pixels.extend((0..3).map(|c| (0.013 * i as f64 + 0.017 * j as f64 + 0.7 * f64::from(c)).sin() as f32));
        }
        let error = distance(&Trunk::load().unwrap().forward(&pixels, &mut Scratch::default()), &expected);
        println!("relative error of the probe: {error:.2e}");
        assert!(error < 5e-3, "{error}");
    }

    #[test]
    fn a_batch_gives_what_its_pictures_give_alone() {
        let trunk = Trunk::load().unwrap();
        let picture = |seed: usize| {
            Square::from_rgb((0..224 * 224 * 3).map(|at| (at * seed / 97 + at % 31 * seed) as u8).collect()).unwrap()
        };
        let pictures = [picture(3), picture(5), picture(11)];
        let together = trunk.features(&pictures);
        assert_eq!((together.len(), together.width()), (3, Trunk::WIDTH));
        for (at, picture) in pictures.iter().enumerate() {
            let alone = trunk.features(std::slice::from_ref(picture));
            assert!(distance(together.row(at), alone.row(0)) < 1e-6);
        }
        assert!(distance(together.row(0), together.row(1)) > 0.01);
    }

    #[test]
    fn workers_can_share_it() {
        fn shared<T: Send + Sync>() {}
        shared::<Trunk>();
    }

    #[test]
    fn damaged_weights_are_refused() {
        assert!(Trunk::from_bytes(&WEIGHTS[..WEIGHTS.len() / 2]).is_err());
        assert!(Trunk::from_bytes(b"").is_err());
    }
}
