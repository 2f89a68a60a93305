//! The layers' building blocks on NHWC tensors `[n, height, width, channels]`: rearrangements and matrix products.

use burn::tensor::Tensor;

/// Keeps divisions by lengths away from zero.
const SMALL: f32 = 1e-3;

/// Sums below this are of nothing.
const NOTHING: f32 = 1e-12;

/// A 1×1 convolution: `[n, h, w, in]` by `[in, out]` to `[n, h, w, out]`, in one matrix product.
pub(super) fn pointwise(input: Tensor<4>, weights: &Tensor<2>) -> Tensor<4> {
    let [count, height, width, channels] = input.dims();
    let outputs = weights.dims()[1];
    input.reshape([count * height * width, channels]).matmul(weights.clone()).reshape([count, height, width, outputs])
}

/// Every block of `block`×`block` places becomes one place: `[n, h, w, c]` to `[n, h / block, w / block, block² c]`.
/// With [`pointwise`] after it, a convolution whose stride is its kernel.
pub(super) fn space_to_depth(input: Tensor<4>, block: usize) -> Tensor<4> {
    let [count, height, width, channels] = input.dims();
    input.reshape([count, height / block, block, width / block, block * channels]).permute([0, 1, 3, 2, 4]).reshape([
        count,
        height / block,
        width / block,
        block * block * channels,
    ])
}

/// The way back: `[n, h, w, block² c]` to `[n, block h, block w, c]`.
pub(super) fn depth_to_space(input: Tensor<4>, block: usize) -> Tensor<4> {
    let [count, height, width, channels] = input.dims();
    let channels = channels / block / block;
    input.reshape([count, height, width, block, block * channels]).permute([0, 1, 3, 2, 4]).reshape([
        count,
        height * block,
        width * block,
        channels,
    ])
}

/// Every place with its eight neighbours, zeros beyond the edge: `[n, h, w, c]` to `[n, h, w, 9 c]`. With [`pointwise`]
/// after it, a 3×3 convolution.
pub(super) fn neighbourhood(input: Tensor<4>) -> Tensor<4> {
    let [count, height, width, channels] = input.dims();
    let device = input.device();
    let side = Tensor::zeros([count, height, 1, channels], &device);
    let wide = Tensor::cat(vec![side.clone(), input, side], 2);
    let line = Tensor::zeros([count, 1, width + 2, channels], &device);
    let padded = Tensor::cat(vec![line.clone(), wide, line], 1);
    let shifted = |at: usize| padded.clone().narrow(1, at / 3, height).narrow(2, at % 3, width);
    Tensor::cat((0..9).map(shifted).collect(), 3)
}

/// Each place scaled to a root mean square of one over its channels (Zhang and Sennrich, "Root mean square layer
/// normalization", NeurIPS 2019), without a gain of its own: the next product has one.
pub(super) fn normalised(input: Tensor<4>) -> Tensor<4> {
    let channels = input.dims()[3] as f32;
    let squares = sums_over_channels(input.clone().square());
    input / (squares / channels + SMALL).sqrt()
}

/// Each value divided by the sum over its row: `[n, c]`, none negative. A row of next to nothing stays that: what is divided
/// by 0 has no gradient.
pub(super) fn shares(rows: Tensor<2>) -> Tensor<2> {
    let [count, channels] = rows.dims();
    let sums = sums_over_channels(rows.clone().reshape([1, 1, count, channels])).reshape([count, channels]);
    rows / (sums + NOTHING)
}

/// In every channel the sum over all of them, as a product: an operation on tensors of two shapes is much slower on
/// burn-ndarray than one on tensors of the same, and its backward pass slower still.
fn sums_over_channels(input: Tensor<4>) -> Tensor<4> {
    let channels = input.dims()[3];
    let ones = Tensor::ones([channels, channels], &input.device());
    pointwise(input, &ones)
}

/// Rows `[n, d]` at unit length.
pub(super) fn unit(rows: Tensor<2>) -> Tensor<2> {
    let square = rows.clone().square().sum_dim(1);
    rows / (square + SMALL * SMALL).sqrt()
}

/// Means over all places: `[n, h, w, c]` to `[n, c]`.
pub(super) fn mean_of_places(input: Tensor<4>) -> Tensor<2> {
    let [count, height, width, channels] = input.dims();
    input.reshape([count, height * width, channels]).mean_dim(1).reshape([count, channels])
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::super::super::backend;
    use super::*;

    fn counted(shape: [usize; 4]) -> Tensor<4> {
        let values: Vec<f32> = (0..shape.iter().product()).map(|number| number as f32).collect();
        Tensor::from_data(TensorData::new(values, shape), &backend::device())
    }

    fn values(tensor: Tensor<4>) -> Vec<f32> {
        tensor.into_data().try_into_vec().unwrap()
    }

    #[test]
    fn blocks_become_channels_and_come_back() {
        let input = counted([2, 4, 6, 3]);
        let deep = space_to_depth(input.clone(), 2);
        assert_eq!(deep.dims(), [2, 2, 3, 12]);
        // The second place of the first line: x from 2 to 3, y from 0 to 1.
        assert_eq!(values(deep.clone())[12..24], [6., 7., 8., 9., 10., 11., 24., 25., 26., 27., 28., 29.]);
        assert_eq!(values(depth_to_space(deep, 2)), values(input));
    }

    #[test]
    fn a_place_sees_its_neighbours_and_zeros_beyond_the_edge() {
        let seen = values(neighbourhood(counted([1, 3, 3, 1])));
        assert_eq!(seen[4 * 9..5 * 9], [0., 1., 2., 3., 4., 5., 6., 7., 8.]);
        assert_eq!(seen[..9], [0., 0., 0., 0., 0., 1., 0., 3., 4.]);
    }
}
