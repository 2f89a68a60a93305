//! The training loop: steps of AdamW over views of the pictures, with a way to look on and a way to stop.

use artificio_random::Random;
use burn::optim::{AdamW, AdamWConfig, AdamWState, Optimizer};

use super::super::backend;
use super::network::{Layer, Network, Parts, pictures};
use super::objective::{Views, loss};
use super::pixels::Pixels;
use super::{augmentation, colour, palette};
use crate::progress::Progress;
use crate::rows::Rows;

/// Colours are counted in every so many pixels of every so many lines: two hundred pixels tell them well enough.
const SAMPLED_PIXEL: usize = 4;

/// Pictures a step; each is seen twice.
const PICTURES_A_STEP: usize = 32;

const LEARNING_RATE: f64 = 2e-3;

/// The palette begins where it should be, and moves slowly.
const PALETTE_PACE: f64 = 0.05;

const WEIGHT_DECAY: f32 = 1e-3;

/// Share of the steps until the learning rate is whole: before that, the optimiser's averages are of too little.
const WARM_UP: f64 = 0.08;

/// What is served is the average of the weights over about the last 1/(1 − this) steps (Polyak and Juditsky, SIAM Journal
/// on Control and Optimization 30, 1992).
const MEMORY: f32 = 0.98;

/// How much work a training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Numbers in a code.
    pub code_width: usize,
    /// Steps of the optimiser.
    pub steps: usize,
    /// The same seed and pictures give the same network, to the bit.
    pub seed: u64,
}

/// Why there is no network at the end of a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was asked to.
    Cancelled,
    /// The numbers ran away after this many steps; nothing of them is used.
    Diverged(usize),
    /// Fewer than two pictures, or all alike.
    NothingToLearn,
}

/// What a training leaves behind.
pub(super) struct Trained {
    pub(super) network: Network,
    /// Of each step.
    pub(super) losses: Vec<f32>,
}

/// Trains a network on pictures `[n, 56 * 56 * 3]`, 0 to 255, that count by `weights` `[n]`. Whoever follows is asked between steps whether to go on.
pub(super) fn train(
    pixels: &Rows,
    weights: &[f32],
    effort: Effort,
    follower: &dyn Progress,
) -> Result<Trained, Stopped> {
    let mut random = Random::new(effort.seed);
    let mut deck = Deck::of(weights);
    let known = deck.first(pixels, &mut random);
    let (mean, variance) = mean_and_variance(&known);
    if known.len() < 2 || variance < f32::EPSILON {
        return Err(Stopped::NothingToLearn);
    }
    let parts = Parts::of(effort.code_width);
    let palette = palette::of_pictures(&known, parts.colours, &mut random);
    let mut training = Training::of(Network::new(parts, palette, &mean, &mut random));
    let mut losses = Vec::new();
    for step in 1..=effort.steps {
        if follower.is_cancelled() {
            return Err(Stopped::Cancelled);
        }
        let chosen = deck.deal(PICTURES_A_STEP, &mut random);
        let views = views(pixels, &chosen, &mut random);
        let loss = training.step(views, variance, pace(step, effort.steps));
        if !loss.is_finite() {
            return Err(Stopped::Diverged(step));
        }
        losses.push(loss);
        follower.told(step as f32 / effort.steps as f32);
    }
    let network = training.average;
    let is_sound = network.weights.iter().all(|weights| backend::values(weights.clone()).iter().all(|v| v.is_finite()));
    if is_sound { Ok(Trained { network, losses }) } else { Err(Stopped::Diverged(effort.steps)) }
}

/// A network being trained.
struct Training {
    network: Network,
    average: Network,
    optimiser: AdamW,
    states: Vec<Option<AdamWState<2>>>,
    steps: usize,
}

impl Training {
    fn of(network: Network) -> Self {
        let optimiser = AdamWConfig::new().with_beta_2(0.99).with_weight_decay(WEIGHT_DECAY).build();
        Self { average: network.clone(), network, optimiser, states: vec![None; Layer::ALL.len()], steps: 0 }
    }

    /// One step; returns the loss before it.
    fn step(&mut self, views: Views, variance: f32, pace: f64) -> f32 {
        let tracked = Network {
            parts: self.network.parts,
            weights: self.network.weights.iter().map(|weights| weights.clone().autodiff().require_grad()).collect(),
        };
        let loss = loss(&tracked, views, variance);
        let mut gradients = loss.backward();
        self.steps += 1;
        // The first steps are soon forgotten: the average of a short training is of its later half.
        let memory = MEMORY.min(self.steps as f32 / (self.steps + 9) as f32);
        for layer in Layer::ALL {
            let at = layer as usize;
            let Some(gradient) = tracked.weights[at].grad_remove(&mut gradients) else { continue };
            let rate = LEARNING_RATE * pace * if layer == Layer::Palette { PALETTE_PACE } else { 1.0 };
            let (weights, state) =
                self.optimiser.step(rate, self.network.weights[at].clone(), gradient, self.states[at].take());
            self.average.weights[at] = self.average.weights[at].clone() * memory + weights.clone() * (1.0 - memory);
            self.network.weights[at] = weights;
            self.states[at] = state;
        }
        loss.inner().into_scalar()
    }
}

/// The learning rate's share at a step: up in a line, down along half a cosine (Loshchilov and Hutter, ICLR 2017).
fn pace(step: usize, steps: usize) -> f64 {
    let turn = std::f64::consts::PI * step as f64 / steps as f64;
    (step as f64 / (WARM_UP * steps as f64)).min(1.0) * (0.5 + 0.5 * turn.cos())
}

/// Two views of each of the chosen pictures.
fn views(pixels: &Rows, chosen: &[usize], random: &mut Random) -> Views {
    let scaled: Vec<Vec<f32>> =
        chosen.iter().map(|&at| pixels.row(at).iter().map(|value| value / 255.0).collect()).collect();
    let rgb: Vec<f32> = scaled.iter().chain(&scaled).flat_map(|picture| augmentation::view(picture, random)).collect();
    let lab = colour::to_lab(&rgb);
    let line = |at: usize| lab.chunks_exact(3).skip(at * Pixels::SIDE).take(Pixels::SIDE).step_by(SAMPLED_PIXEL);
    let sample: Vec<f32> =
        (0..lab.len() / 3 / Pixels::SIDE).step_by(SAMPLED_PIXEL).flat_map(line).flatten().copied().collect();
    let side = Pixels::SIDE / SAMPLED_PIXEL;
    let sample = backend::matrix(sample, 3).reshape([2 * chosen.len(), side, side, 3]);
    Views { lab: pictures(lab).autodiff(), sample: sample.autodiff(), rgb: pictures(rgb).autodiff() }
}

/// The mean picture, and how much pixels vary from picture to picture, the mean over all of them; white is 1.
fn mean_and_variance(pixels: &Rows) -> (Vec<f32>, f32) {
    let count = pixels.len().max(1) as f64;
    let (mut sums, mut squares) = (vec![0.0_f64; pixels.width()], 0.0_f64);
    for row in pixels.iter() {
        for (sum, value) in sums.iter_mut().zip(row) {
            let value = f64::from(*value) / 255.0;
            *sum += value;
            squares += value * value;
        }
    }
    let means: f64 = sums.iter().map(|sum| sum / count * sum).sum();
    let variance = (squares - means) / count / pixels.width().max(1) as f64;
    (sums.iter().map(|sum| (sum / count) as f32).collect(), variance as f32)
}

/// The pictures in ever new orders: each is seen as often as its weight says, against the greatest one.
struct Deck {
    weights: Vec<f32>,
    cards: Vec<usize>,
    dealt: usize,
}

impl Deck {
    fn of(weights: &[f32]) -> Self {
        let greatest = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        Self { weights: weights.iter().map(|weight| weight / greatest).collect(), cards: Vec::new(), dealt: 0 }
    }

    /// Up to `count` different pictures.
    fn deal(&mut self, count: usize, random: &mut Random) -> Vec<usize> {
        if self.dealt + count > self.cards.len() {
            self.shuffle(random);
        }
        let count = count.min(self.cards.len());
        self.dealt += count;
        self.cards[self.dealt - count..self.dealt].to_vec()
    }

    /// Those of the pictures that are in the deck at first.
    fn first(&mut self, pixels: &Rows, random: &mut Random) -> Rows {
        self.shuffle(random);
        let mut chosen = Rows::empty(pixels.width());
        for at in &self.cards {
            chosen.push(pixels.row(*at));
        }
        chosen
    }

    /// A picture is in the deck when the sum of all weights passes a whole number with its own, beginning anywhere.
    fn shuffle(&mut self, random: &mut Random) {
        let mut sum = random.unit();
        self.cards.clear();
        for (at, weight) in self.weights.iter().enumerate() {
            let before = sum.floor();
            sum += weight;
            if sum.floor() > before {
                self.cards.push(at);
            }
        }
        random.shuffle(&mut self.cards);
        self.dealt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deck_deals_by_weight_and_nobody_twice_in_a_step() {
        let mut random = Random::new(3);
        let mut deck = Deck::of(&[vec![1.0; 4], vec![0.01; 100]].concat());
        let mut seen = vec![0; 104];
        for _ in 0..200 {
            let mut dealt = deck.deal(5, &mut random);
            dealt.iter().for_each(|at| seen[*at] += 1);
            dealt.sort_unstable();
            dealt.dedup();
            assert!(dealt.len() >= 4, "{dealt:?}");
        }
        assert!(seen[..4].iter().all(|times| *times == 200), "{:?}", &seen[..4]);
        let copies: usize = seen[4..].iter().sum();
        assert!((180..=200).contains(&copies) && seen[4..].iter().all(|times| *times < 10), "{copies}");
    }
}
