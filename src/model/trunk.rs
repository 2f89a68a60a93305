//! EfficientNet-Lite0 without its classifier: a picture's 1280 features.

use super::depthwise::{CHANNEL_BLOCK, Depthwise};
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

/// How many times wider a block is inside than at its entrance; the first block is not.
const EXPANSION: usize = 6;

/// An inverted residual block: widen, filter each channel, narrow, add what came in.
struct Block {
    expand: Option<Pointwise>,
    depthwise: Depthwise,
    stride: usize,
    project: Pointwise,
    residual: bool,
}

/// The frozen network from a picture to its features. Shared by all workers; a call computes on the caller's core.
pub struct Trunk {
    stem: Pointwise,
    blocks: Vec<Block>,
    head: Pointwise,
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
        let stem = pointwise(&archive, "stem", 27, STEM_WIDTH, Activation::Relu6)?;
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
        Ok(Self { stem, blocks, head: pointwise(&archive, "head", inputs, Self::WIDTH, Activation::Relu6)? })
    }

    /// Pictures to features `[n, 1280]`, none of them negative.
    pub fn features(&self, pictures: &[Square]) -> Rows {
        let mut rows = Rows::empty(Self::WIDTH);
        for picture in pictures {
            let pixels: Vec<f32> = picture.rgb().iter().map(|&value| (f32::from(value) - 127.0) / 128.0).collect();
            rows.push(&self.forward(&pixels));
        }
        rows
    }

    /// One picture `[224, 224, 3]` that is already (x − 127) / 128 to its features `[1280]`.
    fn forward(&self, pixels: &[f32]) -> Vec<f32> {
        let mut side = SQUARE_SIDE / 2;
        let mut values = self.stem.apply(stem::gather(pixels, SQUARE_SIDE));
        for block in &self.blocks {
            values = block.apply(values, side);
            side = side.div_ceil(block.stride);
        }
        mean_of_pixels(&self.head.apply(values), Self::WIDTH)
    }
}

impl Block {
    fn read(
        archive: &Archive,
        name: &str,
        side: usize,
        stride: usize,
        [inputs, outputs]: [usize; 2],
    ) -> Result<Self, String> {
        let (expand, inner) = if name == "blocks.0" {
            (None, inputs)
        } else {
            let inner = inputs * EXPANSION;
            (Some(pointwise(archive, &format!("{name}.expand"), inputs, inner, Activation::Relu6)?), inner)
        };
        debug_assert_eq!(inner % CHANNEL_BLOCK, 0);
        let kernel = archive.sized(&format!("{name}.depthwise.weight"), side * side, inner)?;
        let bias = archive.sized(&format!("{name}.depthwise.bias"), 1, inner)?;
        Ok(Self {
            expand,
            depthwise: Depthwise::new(side, stride, kernel, bias),
            stride,
            project: pointwise(archive, &format!("{name}.project"), inner, outputs, Activation::Linear)?,
            residual: stride == 1 && inputs == outputs,
        })
    }

    /// `[side, side, in]` to `[⌈side/stride⌉, ⌈side/stride⌉, out]`.
    fn apply(&self, input: Vec<f32>, side: usize) -> Vec<f32> {
        let kept = self.residual.then(|| input.clone());
        let wide = match &self.expand {
            Some(expand) => expand.apply(input),
            None => input,
        };
        let filtered = self.depthwise.apply(&wide, side, side);
        drop(wide);
        match kept {
            Some(residual) => self.project.apply_and_add(filtered, &residual),
            None => self.project.apply(filtered),
        }
    }
}

fn pointwise(
    archive: &Archive,
    name: &str,
    inputs: usize,
    outputs: usize,
    activation: Activation,
) -> Result<Pointwise, String> {
    let weights = archive.sized(&format!("{name}.weight"), inputs, outputs)?;
    let bias = archive.sized(&format!("{name}.bias"), 1, outputs)?;
    Ok(Pointwise::new(weights, bias, activation))
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
        let error = distance(&Trunk::load().unwrap().forward(&pixels), &expected);
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
