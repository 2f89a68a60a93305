//! A network of the user's own, as an ONNX file: from a picture's pixels to its features.
//!
//! The file and its description are the user's, and may be wrong in any way: whatever it does, the caller gets a
//! [`NetworkProblem`].

#[cfg(not(feature = "onnx"))]
mod absent;
mod problem;
#[cfg(feature = "onnx")]
mod runtime;

use crate::base::rows::{Rows, to_unit_length};
use crate::config::{ChannelOrder, InputLayout, NetworkDescription, OutputPooling};
use crate::model::FeatureKind;
use crate::picture::Square;
#[cfg(not(feature = "onnx"))]
use absent::NoRuntime as Runtime;
pub use problem::NetworkProblem;
#[cfg(feature = "onnx")]
use runtime::Runtime;

/// Numbers that a network may make of a picture: fewer tell too little, and more cost too much for each picture.
const WIDTHS: std::ops::RangeInclusive<usize> = 64..=4_096;
/// Rows of two pictures that are nothing alike differ by this much, at unit length, at least.
const LEAST_DIFFERENCE: f32 = 1e-4;

/// A network of the user's own that was tried. Shared by all workers; a call computes on one core.
pub struct OnnxNetwork {
    runtime: Runtime,
    description: NetworkDescription,
    kind: FeatureKind,
}

/// The result of a network: its shape, and the numbers row after row.
#[derive(Debug, Clone, PartialEq)]
struct Output {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl OnnxNetwork {
    /// Takes `bytes`, the content of an ONNX file, and tries it on two pictures. Its features are kept under `version`.
    ///
    /// # Errors
    /// When the runtime does not know one of its operators, or it does not make numbers of pictures as `description` says.
    pub fn load(bytes: Vec<u8>, description: NetworkDescription, version: &str) -> Result<Self, NetworkProblem> {
        let runtime = Runtime::load(bytes, description.output.as_deref())?;
        let mut network = Self { runtime, description, kind: FeatureKind::of_network(version, 0) };
        let rows = trial_pictures(network.side()).map(|picture| network.row(&picture));
        let [one, other] = rows;
        let (one, other) = (one?, other?);
        if !WIDTHS.contains(&one.len()) {
            return Err(NetworkProblem::Width { found: one.len(), allowed: WIDTHS });
        }
        let difference: f32 = one.iter().zip(&other).map(|(one, other)| (one - other).powi(2)).sum();
        if difference < LEAST_DIFFERENCE * LEAST_DIFFERENCE {
            return Err(NetworkProblem::Constant);
        }
        network.kind = FeatureKind::of_network(version, one.len());
        Ok(network)
    }

    /// The features it makes.
    pub fn kind(&self) -> FeatureKind {
        self.kind.clone()
    }

    /// Side of the squares that it takes, in pixels.
    pub fn side(&self) -> usize {
        self.description.side()
    }

    /// The output that is taken.
    pub fn output_name(&self) -> &str {
        self.runtime.output_name()
    }

    /// A picture as the numbers that it takes.
    pub fn input(&self, picture: &Square) -> Vec<f32> {
        input(picture, &self.description)
    }

    /// Pictures to features `[n, width]`, each at unit length.
    ///
    /// # Errors
    /// When the runtime gives up on one of them, or there are infinities in what it makes of it.
    pub fn features(&self, pictures: &[Square]) -> Result<Rows, NetworkProblem> {
        let mut rows = Rows::empty(self.kind.width);
        for picture in pictures {
            let row = self.row(picture)?;
            if !rows.push(&row) {
                return Err(NetworkProblem::OtherWidth { found: row.len(), before: self.kind.width });
            }
        }
        Ok(rows)
    }

    /// What it makes of one picture, at unit length.
    fn row(&self, picture: &Square) -> Result<Vec<f32>, NetworkProblem> {
        let side = picture.side();
        let shape = match self.description.layout {
            InputLayout::Nchw => [1, 3, side, side],
            InputLayout::Nhwc => [1, side, side, 3],
        };
        let output = self.runtime.run(self.input(picture), shape)?;
        let mut row = pooled(output, self.description.pooling, self.runtime.output_name())?;
        let length = row.iter().map(|value| value * value).sum::<f32>();
        // The sum of squares may be infinite where no number is.
        if !length.is_finite() {
            return Err(NetworkProblem::NotFinite { output: self.runtime.output_name().into() });
        }
        to_unit_length(&mut row);
        Ok(row)
    }
}

/// A picture as numbers, in the order and on the scale that the network takes.
fn input(picture: &Square, description: &NetworkDescription) -> Vec<f32> {
    let scaling = description.scaling();
    let number = |channel: usize, byte: u8| {
        let (mean, deviation) = scaling[channel];
        (f32::from(byte) / 255.0 - mean) / deviation
    };
    let order = match description.channels {
        ChannelOrder::Rgb => [0, 1, 2],
        ChannelOrder::Bgr => [2, 1, 0],
    };
    let pixels = || picture.rgb().chunks_exact(3);
    match description.layout {
        InputLayout::Nchw => {
            order.iter().flat_map(|&channel| pixels().map(move |pixel| number(channel, pixel[channel]))).collect()
        }
        InputLayout::Nhwc => pixels().flat_map(|pixel| order.map(|channel| number(channel, pixel[channel]))).collect(),
    }
}

/// One row of numbers out of the output of the given name.
fn pooled(output: Output, pooling: OutputPooling, name: &str) -> Result<Vec<f32>, NetworkProblem> {
    let Output { shape, values } = output;
    let count: usize = shape.iter().product();
    let shape_problem = || NetworkProblem::Shape { output: name.into(), shape: shape.clone(), pooling };
    if count == 0 || count != values.len() {
        return Err(shape_problem());
    }
    // A batch of one picture.
    let inner = shape.strip_prefix(&[1]).unwrap_or(&shape);
    match (pooling, inner) {
        (OutputPooling::None, sides) if sides.iter().filter(|side| **side > 1).count() <= 1 => Ok(values),
        (OutputPooling::First, [_, width]) => Ok(values[..*width].to_vec()),
        (OutputPooling::Mean, [tokens, width]) => {
            let mut mean = vec![0.0; *width];
            for token in values.chunks_exact(*width) {
                mean.iter_mut().zip(token).for_each(|(sum, value)| *sum += value / *tokens as f32);
            }
            Ok(mean)
        }
        (OutputPooling::Mean, [_, height, width]) => {
            let places = height * width;
            Ok(values.chunks_exact(places).map(|map| map.iter().sum::<f32>() / places as f32).collect())
        }
        _ => Err(shape_problem()),
    }
}

/// Two pictures that are nothing alike: a plain grey, and a colourful pattern.
fn trial_pictures(side: usize) -> [Square; 2] {
    let shade = |at: usize| {
        let (x, y, channel) = (at / 3 % side, at / 3 / side, at % 3);
        (((x * (channel + 2)) ^ (y * 3)) % 251) as u8
    };
    let squares = [vec![127; side * side * 3], (0..side * side * 3).map(shade).collect()];
    squares.map(|rgb| Square::from_rgb(side, rgb).unwrap_or_else(|| unreachable!("three bytes a pixel")))
}

#[cfg(test)]
mod tests;
