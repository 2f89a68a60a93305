//! The dot product of two rows, and the squared distance between them.

/// Sums kept side by side, so that additions need not wait for each other. With these the compiler fills the widest vectors.
pub const LANES: usize = 32;

/// The dot product of two rows of one length.
///
/// It is inlined, so that it is compiled for the vectors of its caller within [`pulp::Arch::dispatch`]. The result
/// does not depend on them: what is added to what depends on [`LANES`] alone.
#[inline(always)]
pub fn dot(one: &[f32], other: &[f32]) -> f32 {
    in_lanes::<LANES>(one, other, |a, b| a * b)
}

/// The square of the Euclidean distance between two rows of one length.
#[inline(always)]
pub fn squared_distance(one: &[f32], other: &[f32]) -> f32 {
    in_lanes::<LANES>(one, other, |a, b| (a - b) * (a - b))
}

/// [`dot`] with the additions in the order of another number of lanes; of one, they are made one after the other.
///
/// Only for results that are kept, or compared from one version of the program to the next, and were first computed in that
/// order: it decides their last bits.
#[inline(always)]
pub fn dot_in_lanes<const LANES: usize>(one: &[f32], other: &[f32]) -> f32 {
    in_lanes::<LANES>(one, other, |a, b| a * b)
}

#[inline(always)]
fn in_lanes<const LANES: usize>(one: &[f32], other: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (ones, ones_rest) = one.as_chunks::<LANES>();
    let (others, others_rest) = other.as_chunks::<LANES>();
    for (one, other) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += term(one[lane], other[lane]);
        }
    }
    let rest: f32 = ones_rest.iter().zip(others_rest).map(|(&a, &b)| term(a, b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_and_rest_are_both_counted() {
        for width in [0, 1, 31, 32, 33, 100, 128] {
            let one: Vec<f32> = (0..width).map(|at| at as f32).collect();
            let expected: f32 = one.iter().sum::<f32>() * 2.0;
            assert_eq!(dot(&one, &vec![2.0; width]), expected, "width {width}");
            assert_eq!(dot_in_lanes::<1>(&one, &vec![2.0; width]), expected, "width {width}");
            assert_eq!(squared_distance(&one, &vec![0.0; width]), dot(&one, &one), "width {width}");
        }
    }

    #[test]
    fn one_lane_adds_one_after_the_other() {
        let (one, other): (Vec<f32>, Vec<f32>) =
            (0..1280).map(|at| ((at as f32 * 0.37).sin(), (at as f32 * 0.71).cos())).unzip();
        let plain: f32 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
        assert_eq!(dot_in_lanes::<1>(&one, &other).to_bits(), plain.to_bits());
        assert!((dot(&one, &other) - plain).abs() < 1e-3);
    }
}
