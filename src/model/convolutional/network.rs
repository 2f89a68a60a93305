//! The network: its weights by name, the way from pixels to a code and the way back.

use artificio_random::Random;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Tensor, TensorData};

use super::super::backend;
use super::layers::{
    depth_to_space, mean_of_places, mean_shares, normalised_around, normalised_pointwise, space_to_depth, unit,
};
use super::pixels::Pixels;

/// Channels after the first layers.
const NARROW: usize = 32;

/// Channels at 7×7.
const WIDE: usize = 64;

/// Side of the map that the layout is read from and the decoder begins with.
const SMALLEST: usize = Pixels::SIDE / 8;

/// How quickly a pixel's share in a palette colour falls with its distance: e⁻¹ at 1/√120 = 0.09, a distance in Lab of
/// about 8, which is just a difference at a glance.
const SHARPNESS: f32 = 120.0;

/// A colour's share of the picture is raised to this power, so that one large plain background is not all that counts.
/// Measured leave-one-out on a set of 36 pictures of food: mAP .806 with the usual root, .835 with .4, .851 with .3.
const POWER: f32 = 0.3;

/// What a colour that is nowhere counts as, in shares.
const NOWHERE: f32 = 1e-5;

/// What textures and layout weigh in the code beside the colours.
const TEXTURE_WEIGHT: f32 = 0.3;
const LAYOUT_WEIGHT: f32 = 0.15;

/// Grey in the middle between black and white, in scaled Lab; and what spreads Lab to about one.
const MIDDLE: f32 = 0.35;
const SPREAD: f32 = 4.0;

/// The weights, in the order in which a network holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Palette,
    Patch,
    Around,
    Halve,
    AroundWide,
    Textures,
    Layout,
    Unfold,
    Double,
    Mix,
    DoubleAgain,
    Paint,
    Mean,
}

impl Layer {
    pub(super) const ALL: [Self; 13] = [
        Self::Palette,
        Self::Patch,
        Self::Around,
        Self::Halve,
        Self::AroundWide,
        Self::Textures,
        Self::Layout,
        Self::Unfold,
        Self::Double,
        Self::Mix,
        Self::DoubleAgain,
        Self::Paint,
        Self::Mean,
    ];

    /// Its name in a saved model.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Palette => "palette",
            Self::Patch => "encoder.patch",
            Self::Around => "encoder.around",
            Self::Halve => "encoder.halve",
            Self::AroundWide => "encoder.around_wide",
            Self::Textures => "encoder.textures",
            Self::Layout => "encoder.layout",
            Self::Unfold => "decoder.unfold",
            Self::Double => "decoder.double",
            Self::Mix => "decoder.mix",
            Self::DoubleAgain => "decoder.double_again",
            Self::Paint => "decoder.paint",
            Self::Mean => "decoder.mean",
        }
    }

    /// Rows and columns.
    pub(super) fn shape(self, parts: Parts) -> [usize; 2] {
        match self {
            Self::Palette => [parts.colours, 3],
            Self::Patch => [4 * 4 * 3, NARROW],
            Self::Around => [9 * NARROW, NARROW],
            Self::Halve => [4 * NARROW, WIDE],
            Self::AroundWide => [9 * WIDE, WIDE],
            Self::Textures => [NARROW + 2 * WIDE, parts.textures],
            Self::Layout => [SMALLEST * SMALLEST * WIDE, parts.layout],
            Self::Unfold => [parts.width(), SMALLEST * SMALLEST * WIDE],
            Self::Double => [WIDE, 4 * NARROW],
            Self::Mix => [9 * NARROW, NARROW],
            Self::DoubleAgain => [NARROW, 4 * NARROW],
            Self::Paint => [NARROW, 4 * 3],
            Self::Mean => [1, Pixels::WIDTH],
        }
    }

    /// How much the numbers that chance gives it are to spread what goes through it: twice where a rectifier lets only
    /// half of it through, little where training begins with what is there without it.
    fn gain(self) -> f32 {
        match self {
            Self::Textures | Self::Layout => 1.0,
            Self::Paint => 0.01,
            _ => 2.0,
        }
    }
}

/// How many numbers of a code tell of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) colours: usize,
    pub(super) textures: usize,
    pub(super) layout: usize,
}

impl Parts {
    /// The parts of a code of `code_width` numbers, or of 4 where that is less.
    pub(super) fn of(code_width: usize) -> Self {
        let code_width = code_width.max(4);
        let textures = code_width / 4;
        Self { colours: code_width - 2 * textures, textures, layout: textures }
    }

    pub(super) fn width(self) -> usize {
        self.colours + self.textures + self.layout
    }
}

/// A code in its parts, each `[n, ...]` and of unit length.
pub(super) struct Code {
    pub(super) colours: Tensor<2>,
    pub(super) textures: Tensor<2>,
    pub(super) layout: Tensor<2>,
}

impl Code {
    /// `[n, parts.width()]`; every row is as long as every other.
    pub(super) fn joined(self) -> Tensor<2> {
        let parts = vec![self.colours, self.textures * TEXTURE_WEIGHT, self.layout * LAYOUT_WEIGHT];
        Tensor::cat(parts, 1)
    }
}

/// All weights. Cheap to clone: clones share them.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) parts: Parts,
    /// As [`Layer::ALL`].
    pub(super) weights: Vec<Tensor<2>>,
}

impl Network {
    /// The network before training: the palette `[parts.colours, 3]`, the mean picture `[56 * 56 * 3]`, sRGB 0 to 1, and
    /// chance everywhere else (He and others, "Delving deep into rectifiers", ICCV 2015).
    pub(super) fn new(parts: Parts, palette: Vec<f32>, mean: &[f32], random: &mut Random) -> Self {
        let chance = |layer: Layer, random: &mut Random| {
            let [rows, columns] = layer.shape(parts);
            let spread = (layer.gain() / rows as f32).sqrt();
            backend::matrix((0..rows * columns).map(|_| random.normal() * spread).collect(), columns)
        };
        // Before the sigmoid that makes colours of it.
        let logit = |value: &f32| {
            let value = value.clamp(0.01, 0.99);
            (value / (1.0 - value)).ln()
        };
        let weights = Layer::ALL.map(|layer| match layer {
            Layer::Palette => backend::matrix(palette.clone(), 3),
            Layer::Mean => backend::matrix(mean.iter().map(logit).collect(), Pixels::WIDTH),
            _ => chance(layer, random),
        });
        Self { parts, weights: weights.into() }
    }

    fn layer(&self, layer: Layer) -> &Tensor<2> {
        &self.weights[layer as usize]
    }

    /// Pixels `[n, 56, 56, 3]` in scaled Lab to their codes; the colours are counted in `counted` `[n, h, w, 3]`, which is
    /// the same or a sample of it.
    pub(super) fn encode(&self, lab: Tensor<4>, counted: Tensor<4>) -> Code {
        let count = lab.dims()[0];
        let spread = (lab.clone() - backend::matrix(vec![MIDDLE, 0.0, 0.0], 3).reshape([1, 1, 1, 3])) * SPREAD;
        let patches = relu(normalised_pointwise(space_to_depth(spread, 4), self.layer(Layer::Patch)));
        let fine = relu(normalised_around(patches, self.layer(Layer::Around)));
        let coarse = relu(normalised_pointwise(space_to_depth(fine.clone(), 2), self.layer(Layer::Halve)));
        let around = relu(normalised_around(coarse.clone(), self.layer(Layer::AroundWide)));
        let means = [fine, coarse.clone(), around].map(|map| unit(mean_of_places(map)));
        let places = coarse.reshape([count, SMALLEST * SMALLEST * WIDE]);
        Code {
            colours: self.colours(counted),
            textures: unit(Tensor::cat(means.into(), 1).matmul(self.layer(Layer::Textures).clone())),
            layout: unit(places.matmul(self.layer(Layer::Layout).clone())),
        }
    }

    /// The share of each palette colour in the picture. A pixel belongs to all of them, the nearest most: it counts
    /// exp(−SHARPNESS |x − c|²) for the colour c, scaled so that it counts one in all.
    ///
    /// That is a 1×1 convolution and a softmax: |x − c|² is the product of (x, |x|², 1) and (−2c, 1, |c|²). With the squares
    /// in the product nothing is greater than exp(0), and no largest one has to be found.
    fn colours(&self, lab: Tensor<4>) -> Tensor<2> {
        let [count, height, width, _] = lab.dims();
        let places = lab.reshape([count * height * width, 3]);
        let ones = Tensor::ones([count * height * width, 1], &places.device());
        let places = Tensor::cat(vec![places.clone(), places.square().sum_dim(1), ones], 1);
        let palette = self.layer(Layer::Palette);
        let ones = Tensor::ones([self.parts.colours, 1], &palette.device());
        let colours = Tensor::cat(vec![palette.clone() * -2.0, ones, palette.clone().square().sum_dim(1)], 1);
        let counts = places.matmul(colours.transpose() * -SHARPNESS).exp();
        let shares = mean_shares(counts.reshape([count, height * width, self.parts.colours]));
        unit((shares + NOWHERE).powf_scalar(POWER))
    }

    /// Codes `[n, parts.width()]` to pixels `[n, 56, 56, 3]`, sRGB 0 to 1.
    pub(super) fn decode(&self, codes: Tensor<2>) -> Tensor<4> {
        let count = codes.dims()[0];
        let unfolded = relu(codes.matmul(self.layer(Layer::Unfold).clone()) * SPREAD);
        let map = unfolded.reshape([count, SMALLEST, SMALLEST, WIDE]);
        let map = depth_to_space(relu(normalised_pointwise(map, self.layer(Layer::Double))), 2);
        let map = relu(normalised_around(map, self.layer(Layer::Mix)));
        let map = depth_to_space(relu(normalised_pointwise(map, self.layer(Layer::DoubleAgain))), 2);
        let painted = depth_to_space(normalised_pointwise(map, self.layer(Layer::Paint)), 2);
        sigmoid(painted + self.layer(Layer::Mean).clone().reshape([1, Pixels::SIDE, Pixels::SIDE, 3]))
    }
}

/// Rows of pixels as a tensor `[n, 56, 56, 3]`.
pub(super) fn pictures(values: Vec<f32>) -> Tensor<4> {
    let count = values.len() / Pixels::WIDTH;
    Tensor::from_data(TensorData::new(values, [count, Pixels::SIDE, Pixels::SIDE, 3]), &backend::device())
}
