//! The loss that training minimises: reconstruction and contrast between pictures.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};

use super::super::backend;
use super::network::Network;

/// How much nearer than others the right view has to be: small asks for a little, large for a lot.
const TEMPERATURE: f32 = 0.2;

/// Two views of each of `n` pictures: first one of each, then another of each.
pub(super) struct PairedViews {
    /// `[2n, 56, 56, 3]` in scaled Lab.
    pub(super) lab: Tensor<4>,
    /// Some of these pixels, `[2n, h, w, 3]`: enough to count colours in.
    pub(super) sample: Tensor<4>,
    /// `[2n, 56, 56, 3]`, sRGB 0 to 1.
    pub(super) rgb: Tensor<4>,
}

/// How badly the network does on `views`. `variance` is that of the training pictures' pixels.
pub(super) fn loss(network: &Network, views: PairedViews, variance: f32) -> Tensor<1> {
    let embedding = network.encode(views.lab, views.sample);
    let contrastive = contrastive_loss(embedding.textures.clone());
    let painted = network.decode(embedding.joined());
    (painted - views.rgb).square().mean() / variance + contrastive
}

/// NT-Xent (Chen and others, "A simple framework for contrastive learning of visual representations", ICML 2020): how
/// surprising it is, by the products of the rows `[2n, d]`, which are of unit length, that `i` and `n + i` are a pair.
fn contrastive_loss(rows: Tensor<2>) -> Tensor<1> {
    let count = rows.dims()[0];
    let products = rows.clone().matmul(rows.transpose()) / TEMPERATURE;
    // No view is its own partner: far below every product.
    let others = products + square(count, |row, column| if row == column { -1e4 } else { 0.0 });
    let pairs = square(count, |row, column| f32::from(u8::from(column == (row + count / 2) % count)));
    (log_softmax(others, 1) * pairs).sum() / -(count as f32)
}

fn square(side: usize, value: impl Fn(usize, usize) -> f32) -> Tensor<2> {
    let values: Vec<f32> = (0..side * side).map(|at| value(at / side, at % side)).collect();
    Tensor::from_data(TensorData::new(values, [side, side]), &backend::device())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_agree_surprise_less_than_pairs_that_do_not() {
        let rows = |values: [f32; 8]| backend::matrix(values.into(), 2);
        let surprise = |values| contrastive_loss(rows(values)).into_scalar::<f32>();
        let (apart, mixed) = (surprise([1., 0., 0., 1., 1., 0., 0., 1.]), surprise([1., 0., 0., 1., 0., 1., 1., 0.]));
        // By hand: each of four rows has products 1, 0, 0 with the others, divided by 0.2; the pair is the 1.
        assert!((apart - (1.0 + 2.0 * (-5.0_f32).exp()).ln()).abs() < 1e-4, "{apart}");
        assert!((mixed - (2.0 + 5.0_f32.exp()).ln()).abs() < 1e-4, "{mixed}");
    }
}
