//! Embeddings in whole numbers: eight bits a value for the scan, eight more for the exact order of what it found.
//!
//! A value is `scale · (coarse + fine / 254)`, where `scale` is 1/127 of the row's greatest value: the coarse part is the nearest
//! whole number, the fine part what is left. Together they are exact to 1/64,000 of the greatest value, which is closer than
//! float16, in two bytes.

/// Steps of the fine part in one of the coarse part. What rounding leaves is at most half a coarse step.
const FINE_STEPS: f32 = 254.0;
/// Greatest coarse value.
const COARSE_MAX: f32 = 127.0;
/// Greatest value of a query in the scan: large enough to add no error of its own, small enough that a sum over 8,000
/// products with [`COARSE_MAX`] fits 32 bits.
const QUERY_MAX: f32 = 2_047.0;

/// Writes `values` into `coarse` and `fine`, of the same length; gives the scale. What is not a finite number counts as 0.
pub fn quantise(values: &[f32], coarse: &mut [i8], fine: &mut [i8]) -> f32 {
    let scale = greatest(values) / COARSE_MAX;
    if scale == 0.0 {
        coarse.fill(0);
        fine.fill(0);
        return 0.0;
    }
    for ((value, coarse), fine) in values.iter().zip(coarse).zip(fine) {
        let steps = if value.is_finite() { value / scale } else { 0.0 };
        let whole = nearest(steps);
        // Casts from float saturate.
        *coarse = whole as i8;
        *fine = nearest((steps - whole) * FINE_STEPS) as i8;
    }
    scale
}

/// The nearest whole number to one between -4,000,000 and 4,000,000: adding 1.5 · 2²³ leaves no bits for a fraction. Unlike `round`,
/// which without instructions for it is a call for each value, it is computed in vectors.
fn nearest(value: f32) -> f32 {
    const WHOLE: f32 = 12_582_912.0;
    (value + WHOLE) - WHOLE
}

/// The values that [`quantise`] was given.
pub fn restore(coarse: &[i8], fine: &[i8], scale: f32) -> Vec<f32> {
    coarse.iter().zip(fine).map(|(&coarse, &fine)| scale * (f32::from(coarse) + f32::from(fine) / FINE_STEPS)).collect()
}

/// A query for the scan.
pub struct QuantisedQuery {
    values: Vec<i16>,
    scale: f32,
}

impl QuantisedQuery {
    /// Of an embedding.
    pub fn new(embedding: &[f32]) -> Self {
        let scale = greatest(embedding) / QUERY_MAX;
        let whole = |value: &f32| if scale > 0.0 && value.is_finite() { (value / scale).round() as i16 } else { 0 };
        Self { values: embedding.iter().map(whole).collect(), scale }
    }

    /// The dot product with a row of `coarse` values and their `scale`.
    ///
    /// Inlined, so that it is compiled for the vectors of its caller within [`pulp::Arch::dispatch`]; written as one sum,
    /// because that is what the compiler turns into multiply-add instructions on pairs.
    #[inline(always)]
    pub fn dot(&self, coarse: &[i8], scale: f32) -> f32 {
        let mut sum = 0_i32;
        for (&one, &other) in self.values.iter().zip(coarse) {
            // With checks for overflow, as tests are built, the sum would not be computed in vectors.
            sum = sum.wrapping_add(i32::from(one).wrapping_mul(i32::from(i16::from(other))));
        }
        sum as f32 * (self.scale * scale)
    }

    /// The dot products of several queries with one row, whose coarse values are given as they are added: what is loaded of the
    /// row is used for all of them. Otherwise as [`Self::dot`].
    #[inline(always)]
    pub fn dots<const N: usize>(queries: [&Self; N], wide: &[i16], scale: f32) -> [f32; N] {
        let values = queries.map(|query| &query.values[..wide.len()]);
        let mut sums = [0_i32; N];
        for at in 0..wide.len() {
            for (sum, values) in sums.iter_mut().zip(values) {
                *sum = sum.wrapping_add(i32::from(values[at]).wrapping_mul(i32::from(wide[at])));
            }
        }
        std::array::from_fn(|at| sums[at] as f32 * (queries[at].scale * scale))
    }
}

fn greatest(values: &[f32]) -> f32 {
    values.iter().filter(|value| value.is_finite()).fold(0.0, |greatest, value| value.abs().max(greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(width: usize, step: f32) -> Vec<f32> {
        (0..width).map(|at| (at as f32 * step).sin() * 3.0).collect()
    }

    fn quantised(values: &[f32]) -> (Vec<i8>, Vec<i8>, f32) {
        let (mut coarse, mut fine) = (vec![0; values.len()], vec![0; values.len()]);
        let scale = quantise(values, &mut coarse, &mut fine);
        (coarse, fine, scale)
    }

    #[test]
    fn values_come_back_to_sixteen_bits() {
        let values = wave(1_280, 0.37);
        let (coarse, fine, scale) = quantised(&values);
        for (value, restored) in values.iter().zip(restore(&coarse, &fine, scale)) {
            assert!((value - restored).abs() <= 3.0 / 64_000.0, "{value} {restored}");
        }
    }

    #[test]
    fn the_scan_comes_near_the_exact_product() {
        for width in [1, 2, 31, 192, 1_280] {
            let (one, other) = (wave(width, 0.37), wave(width, 0.41));
            let (coarse, _, scale) = quantised(&other);
            let exact: f32 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
            let found = QuantisedQuery::new(&one).dot(&coarse, scale);
            assert!((found - exact).abs() < 0.02 * 9.0 * (width as f32).sqrt(), "{width}: {found} {exact}");
            let wide: Vec<i16> = coarse.iter().map(|value| i16::from(*value)).collect();
            let (query, same) = (QuantisedQuery::new(&one), QuantisedQuery::new(&other));
            assert_eq!(QuantisedQuery::dots([&query, &same], &wide, scale), [found, same.dot(&coarse, scale)]);
        }
    }

    #[test]
    fn the_widest_embeddings_do_not_overflow() {
        let ones = vec![1.0; 8_000];
        let (coarse, _, scale) = quantised(&ones);
        assert!((QuantisedQuery::new(&ones).dot(&coarse, scale) - 8_000.0).abs() < 1.0);
    }

    #[test]
    fn zeros_and_what_is_not_a_number_are_zeros() {
        for values in [[0.0, 0.0], [f32::NAN, f32::INFINITY]] {
            let (coarse, fine, scale) = quantised(&values);
            assert_eq!(restore(&coarse, &fine, scale), [0.0, 0.0]);
            assert_eq!(QuantisedQuery::new(&values).dot(&coarse, scale), 0.0);
        }
    }
}
