//! The layers' building blocks on NHWC tensors `[n, height, width, channels]`: rearrangements and matrix products.

use burn::tensor::Tensor;

/// Keeps divisions by lengths away from zero.
const SMALL: f32 = 1e-3;

/// Sums below this are of nothing.
const NOTHING: f32 = 1e-12;

/// A 1×1 convolution: `[n, h, w, in]` by `[in, out]` to `[n, h, w, out]`, in one matrix product.
fn pointwise(input: Tensor<4>, weights: &Tensor<2>) -> Tensor<4> {
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

/// A picture's places as rows, framed by zeros, so that the neighbours of all places are the same rows read from another
/// beginning: a line of zeros after every picture and a zero after every line are the edges of both their sides.
struct Framed {
    /// `[n, h, w, c]` of what is in the frame.
    dims: [usize; 4],
    /// `[line + 1 + n (h + 1) line + line + 1, c]`, where a line is w + 1 long.
    rows: Tensor<2>,
}

impl Framed {
    fn of(input: Tensor<4>) -> Self {
        let dims @ [count, height, width, channels] = input.dims();
        let (line, device) = (width + 1, input.device());
        let framed = Tensor::zeros([count, height + 1, line, channels], &device);
        let framed = framed.slice_assign([0..count, 0..height, 0..width, 0..channels], input);
        let edge = Tensor::zeros([line + 1, channels], &device);
        let inner = framed.reshape([count * (height + 1) * line, channels]);
        Self { dims, rows: Tensor::cat(vec![edge.clone(), inner, edge], 0) }
    }

    /// Of every place and every zero between them one of the nine that it sees, `[n (h + 1) line, c]`.
    fn neighbour(&self, number: usize) -> Tensor<2> {
        let [count, height, width, _] = self.dims;
        let line = width + 1;
        self.rows.clone().narrow(0, number / 3 * line + number % 3, count * (height + 1) * line)
    }

    /// The sum of what is made of each neighbour `[.., out]`, as `[n, h, w, out]`.
    fn sum(&self, of: impl Fn(usize) -> Tensor<2>) -> Tensor<4> {
        let [count, height, width, _] = self.dims;
        let sum = (1..9).fold(of(0), |sum, neighbour| sum + of(neighbour));
        let outputs = sum.dims()[1];
        let framed = sum.reshape([count, height + 1, width + 1, outputs]);
        framed.slice([0..count, 0..height, 0..width, 0..outputs])
    }
}

/// A 3×3 convolution with zeros beyond the edge: `[n, h, w, in]` by `[9 in, out]` to `[n, h, w, out]`, as nine products.
/// On burn-ndarray that takes a third of the time of copying every place's neighbours together for a single one.
fn around(input: Tensor<4>, weights: &Tensor<2>) -> Tensor<4> {
    let channels = input.dims()[3];
    let framed = Framed::of(input);
    let of = |neighbour: usize| weights.clone().narrow(0, neighbour * channels, channels);
    framed.sum(|neighbour| framed.neighbour(neighbour).matmul(of(neighbour)))
}

/// [`pointwise`] of places scaled to a root mean square of one over their channels (Zhang and Sennrich, "Root mean square
/// layer normalization", NeurIPS 2019), without a gain of their own: the weights have one.
pub(super) fn normalised_pointwise(input: Tensor<4>, weights: &Tensor<2>) -> Tensor<4> {
    let channels = input.dims()[3];
    let squares = squares(input.clone());
    scaled_down(pointwise(input, weights), squares, channels)
}

/// A 3×3 convolution of `[n, h, w, in]` by `[9 in, out]`, zeros beyond the edge, each place and its neighbours scaled as
/// in [`normalised_pointwise`].
pub(super) fn normalised_around(input: Tensor<4>, weights: &Tensor<2>) -> Tensor<4> {
    let channels = 9 * input.dims()[3];
    let squares = Framed::of(squares(input.clone()));
    let squares = squares.sum(|neighbour| squares.neighbour(neighbour));
    scaled_down(around(input, weights), squares, channels)
}

/// The sum of the squares over the channels of every place: `[n, h, w, c]` to `[n, h, w, 1]`.
fn squares(input: Tensor<4>) -> Tensor<4> {
    let ones = Tensor::ones([input.dims()[3], 1], &input.device());
    pointwise(input.square(), &ones)
}

/// Products `[n, h, w, out]` of places of `channels` channels, divided by the root mean square of what they are of: it is
/// one number a place, and so the products, which are narrower, are scaled in its stead.
fn scaled_down(products: Tensor<4>, squares: Tensor<4>, channels: usize) -> Tensor<4> {
    let outputs = products.dims()[3];
    let scale = (squares / channels as f32 + SMALL).sqrt().recip();
    products * in_every_channel(scale, outputs)
}

/// `[n, h, w, 1]` to `[n, h, w, channels]`, as a product: an operation on tensors of two shapes is much slower on
/// burn-ndarray than one on tensors of the same, and its backward pass slower still.
fn in_every_channel(input: Tensor<4>, channels: usize) -> Tensor<4> {
    let ones = Tensor::ones([1, channels], &input.device());
    pointwise(input, &ones)
}

/// The mean over places of each value's share in the sum over its place: `[n, places, c]` to `[n, c]`, none negative. A
/// place of next to nothing stays that: what is divided by 0 has no gradient.
pub(super) fn mean_shares(values: Tensor<3>) -> Tensor<2> {
    let [count, places, channels] = values.dims();
    let ones = Tensor::ones([channels, 1], &values.device());
    let sums = values.clone().reshape([count * places, channels]).matmul(ones);
    // One product sums the shares and divides them: no share is ever written down.
    let scales = (sums + NOTHING).recip().reshape([count, 1, places]) / places as f32;
    scales.matmul(values).reshape([count, channels])
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

    /// Every place with its eight neighbours, zeros beyond the edge: `[n, h, w, c]` to `[n, h, w, 9 c]`.
    fn neighbourhood(input: &Tensor<4>) -> Tensor<4> {
        let [count, height, width, channels] = input.dims();
        let all = values(input.clone());
        let mut seen = Vec::new();
        for at in 0..count * height * width {
            let (picture, y, x) = (at / width / height, at / width % height, at % width);
            for neighbour in 0..9 {
                let (y, x) = ((y + neighbour / 3).wrapping_sub(1), (x + neighbour % 3).wrapping_sub(1));
                let is_inside = y < height && x < width;
                let begin = if is_inside { ((picture * height + y) * width + x) * channels } else { 0 };
                seen.extend((begin..begin + channels).map(|value| if is_inside { all[value] } else { 0.0 }));
            }
        }
        Tensor::from_data(TensorData::new(seen, [count, height, width, 9 * channels]), &backend::device())
    }

    fn assert_near(found: Tensor<4>, expected: Tensor<4>) {
        assert_eq!(found.dims(), expected.dims());
        let (found, expected) = (values(found), values(expected));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4 * b.abs().max(1.0)), "{found:?}");
    }

    #[test]
    fn a_place_sees_its_neighbours_and_zeros_beyond_the_edge() {
        let (input, weights) = (counted([2, 4, 3, 4]), counted([1, 1, 36, 5]).reshape([36, 5]) - 90.0);
        assert_near(around(input.clone(), &weights), pointwise(neighbourhood(&input), &weights));
    }

    #[test]
    fn scaling_products_is_scaling_what_they_are_of() {
        let (input, weights) = (counted([2, 3, 3, 4]), counted([1, 1, 36, 5]).reshape([36, 5]) - 90.0);
        let seen = neighbourhood(&input);
        let scaled = |row: &[f32]| {
            let mean = row.iter().map(|value| value * value).sum::<f32>() / 36.0;
            row.iter().map(|value| value / (mean + SMALL).sqrt()).collect::<Vec<f32>>()
        };
        let scaled = values(seen.clone()).chunks_exact(36).flat_map(scaled).collect::<Vec<f32>>();
        let scaled = Tensor::from_data(TensorData::new(scaled, [2, 3, 3, 36]), &backend::device());
        let expected = pointwise(scaled, &weights);
        assert_near(normalised_around(input, &weights), expected.clone());
        assert_near(normalised_pointwise(seen, &weights), expected);
    }

    #[test]
    fn shares_add_up_to_one() {
        let counts = Tensor::<3>::from_data(
            TensorData::new(vec![1.0_f32, 3.0, 0.0, 2.0, 0.0, 0.0], [1, 3, 2]),
            &backend::device(),
        );
        let shares: Vec<f32> = mean_shares(counts).into_data().try_into_vec().unwrap();
        // 1/4 and 3/4, nothing and all; the last place holds nothing at all.
        assert!((shares[0] - 0.25 / 3.0).abs() < 1e-6 && (shares[1] - 1.75 / 3.0).abs() < 1e-6, "{shares:?}");
    }
}
