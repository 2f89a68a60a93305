//! Rows in a byte a value: enough to choose candidates among many pictures, small enough to keep of all of them.

use pulp::{Arch, Simd, WithSimd};

use crate::base::rows::{Rows, to_unit_length};
use artificio_random::Random;

/// Rows of int8 with a scale each, so that the product of two and of their scales is a cosine.
pub(super) struct Codes {
    width: usize,
    values: Vec<i8>,
    scales: Vec<f32>,
}

/// One of them.
pub(super) struct Code {
    pub(super) values: Vec<i8>,
    scale: f32,
}

impl Codes {
    pub(super) fn empty(width: usize) -> Self {
        Self { width, values: Vec::new(), scales: Vec::new() }
    }

    pub(super) fn push(&mut self, row: &[f32]) {
        let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs())).max(1e-12);
        let start = self.values.len();
        self.values.extend(row.iter().map(|value| (value / largest * 127.0).round() as i8));
        let squares: i32 = self.values[start..].iter().map(|value| i32::from(*value).pow(2)).sum();
        self.scales.push(1.0 / (squares.max(1) as f32).sqrt());
    }

    pub(super) fn len(&self) -> usize {
        self.scales.len()
    }

    pub(super) fn code(&self, at: usize) -> Code {
        Code { values: self.values(at).to_vec(), scale: self.scales[at] }
    }

    #[inline(always)]
    fn values(&self, at: usize) -> &[i8] {
        &self.values[at * self.width..][..self.width]
    }

    /// The cosines of `query` and each of `members`.
    pub(super) fn cosines(&self, query: &Code, members: &[u32], cosines: &mut Vec<f32>) {
        cosines.clear();
        Arch::new().dispatch(CodeScan { codes: self, query, members, cosines });
    }
}

impl Code {
    /// As a row of unit length.
    pub(super) fn row(&self) -> Vec<f32> {
        self.values.iter().map(|value| f32::from(*value) * self.scale).collect()
    }
}

struct CodeScan<'a> {
    codes: &'a Codes,
    query: &'a Code,
    members: &'a [u32],
    cosines: &'a mut Vec<f32>,
}

impl WithSimd for CodeScan<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { codes, query, members, cosines } = self;
        for &member in members {
            let mut product = 0;
            for (one, other) in query.values.iter().zip(codes.values(member as usize)) {
                product += i32::from(*one) * i32::from(*other);
            }
            cosines.push(product as f32 * query.scale * codes.scales[member as usize]);
        }
    }
}

/// Makes short rows of long ones, whose cosines are about those of the long ones around their mean: values are added up, each
/// with a random sign (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009).
pub(super) struct Folding {
    mean: Vec<f32>,
    signs: Vec<f32>,
    width: usize,
}

impl Folding {
    /// To `width` values, around the mean of a sample.
    pub(super) fn around(sample: &Rows, width: usize) -> Self {
        let mut mean = vec![0.0; sample.width()];
        for row in sample.iter() {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / sample.len() as f32);
        }
        let mut random = Random::new(1);
        let signs = mean.iter().map(|_| if random.count(0, 1) == 0 { 1.0 } else { -1.0 }).collect();
        Self { mean, signs, width }
    }

    pub(super) fn folded(&self, row: &[f32]) -> Vec<f32> {
        let mut folded = vec![0.0; self.width];
        for (at, ((value, mean), sign)) in row.iter().zip(&self.mean).zip(&self.signs).enumerate() {
            folded[at % self.width] += (value - mean) * sign;
        }
        to_unit_length(&mut folded);
        folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::dot::dot;

    fn rows(count: usize, width: usize) -> Rows {
        let mut random = Random::new(3);
        let mut rows = Rows::empty(width);
        for _ in 0..count {
            let mut row: Vec<f32> = (0..width).map(|_| random.count(0, 2000) as f32 / 1000.0 - 1.0).collect();
            to_unit_length(&mut row);
            rows.push(&row);
        }
        rows
    }

    #[test]
    fn cosines_of_codes_are_those_of_their_rows() {
        for width in [64, 100, 256] {
            let rows = rows(40, width);
            let mut codes = Codes::empty(width);
            rows.iter().for_each(|row| codes.push(row));
            codes.push(&vec![0.0; width]);
            let (mut cosines, all) = (Vec::new(), (0..41).collect::<Vec<u32>>());
            codes.cosines(&codes.code(7), &all, &mut cosines);
            for (at, row) in rows.iter().enumerate() {
                assert!(
                    (cosines[at] - dot(rows.row(7), row)).abs() < 0.01,
                    "{} {}",
                    cosines[at],
                    dot(rows.row(7), row)
                );
            }
            assert_eq!(cosines[40], 0.0, "a row of zeros");
            assert!((dot(&codes.code(3).row(), rows.row(3)) - 1.0).abs() < 0.001);
        }
    }

    #[test]
    fn folded_rows_keep_their_cosines_about() {
        let (rows, mut sums) = (rows(60, 1280), [0.0, 0.0]);
        let folding = Folding::around(&Rows::from_values(1280, vec![0.0; 1280]).unwrap(), 256);
        for at in 1..60 {
            // Half of it is the first.
            let mut near: Vec<f32> = rows.row(at).iter().zip(rows.row(0)).map(|(one, other)| one + other).collect();
            to_unit_length(&mut near);
            let kept = dot(&folding.folded(&near), &folding.folded(rows.row(0))) - dot(&near, rows.row(0));
            assert!(kept.abs() < 0.2, "{kept}");
            sums[0] += kept;
            sums[1] += kept * kept;
        }
        assert!((sums[0] / 59.0).abs() < 0.03 && (sums[1] / 59.0).sqrt() < 0.06, "{sums:?}");
    }
}
