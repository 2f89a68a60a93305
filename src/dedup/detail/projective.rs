//! Maps of a plane that keep lines straight: what a camera, a scanner or an editor makes of a flat picture.

use super::matching::CornerPair;

/// Where each place of one picture lies in another, in pixels of both: a 3 × 3 matrix, row by row, whose last value is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ProjectiveMap([f64; 9]);

/// A map is none of a copy where it makes one side of a square longer than the other by this factor ...
const MOST_STRETCHED: f64 = 2.0;
/// ... makes it smaller or larger than this ...
const LEAST_SCALE: f64 = 0.2;
/// ... or shows one corner of the picture from so much farther away than another.
const MOST_TILTED: f64 = 2.0;
/// Keeps the perspective of few corners from running wild, for places between 0 and 1.
const TILT_PENALTY: f64 = 1e-3;

impl ProjectiveMap {
    /// Turned by an angle, scaled, and moved so that one place comes to another.
    pub(super) fn similarity(scale: f32, angle: f32, from: (f32, f32), to: (f32, f32)) -> Self {
        let (sin, cos) = f64::from(angle).sin_cos();
        let (cos, sin) = (f64::from(scale) * cos, f64::from(scale) * sin);
        let (x, y) = (f64::from(from.0), f64::from(from.1));
        let (left, top) = (f64::from(to.0) - cos * x + sin * y, f64::from(to.1) - sin * x - cos * y);
        Self([cos, -sin, left, sin, cos, top, 0.0, 0.0, 1.0])
    }

    /// Where a place comes to.
    #[inline(always)]
    pub(super) fn apply(&self, x: f32, y: f32) -> (f32, f32) {
        let m = &self.0.map(|value| value as f32);
        let away = m[6] * x + m[7] * y + m[8];
        ((m[0] * x + m[1] * y + m[2]) / away, (m[3] * x + m[4] * y + m[5]) / away)
    }

    /// The map back.
    pub(super) fn inverse(&self) -> Self {
        let [a, b, c, d, e, f, g, h, i] = self.0;
        let inverse = [
            e * i - f * h,
            c * h - b * i,
            b * f - c * e,
            f * g - d * i,
            a * i - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ];
        Self(inverse.map(|value| value / inverse[8]))
    }

    /// The affine map that takes corners to their partners best, by least squares; a corner that was found at a coarser level
    /// counts less. Places are divided by `size`.
    pub(super) fn affine(pairs: &[CornerPair], size: f32) -> Option<Self> {
        let (mut across, mut along) = ([[0.0; 4]; 3], [[0.0; 4]; 3]);
        for (x, y, to_x, to_y, weight) in pairs.iter().map(|pair| scaled(pair, size)) {
            add(&mut across, [x, y, 1.0, to_x], weight);
            add(&mut along, [x, y, 1.0, to_y], weight);
        }
        let ([a, b, c], [d, e, f]) = (solved(across)?, solved(along)?);
        Some(Self::with_size([a, b, c, d, e, f, 0.0, 0.0, 1.0], size))
    }

    /// The projective map, likewise (Hartley and Zisserman, "Multiple PictureView Geometry", 4.1, with the last value kept at 1).
    pub(super) fn projective(pairs: &[CornerPair], size: f32) -> Option<Self> {
        let mut sums = [[0.0; 9]; 8];
        for (x, y, to_x, to_y, weight) in pairs.iter().map(|pair| scaled(pair, size)) {
            add(&mut sums, [x, y, 1.0, 0.0, 0.0, 0.0, -to_x * x, -to_x * y, to_x], weight);
            add(&mut sums, [0.0, 0.0, 0.0, x, y, 1.0, -to_y * x, -to_y * y, to_y], weight);
        }
        sums[6][6] += TILT_PENALTY;
        sums[7][7] += TILT_PENALTY;
        let [a, b, c, d, e, f, g, h] = solved(sums)?;
        Some(Self::with_size([a, b, c, d, e, f, g, h, 1.0], size))
    }

    fn with_size(mut values: [f64; 9], size: f32) -> Self {
        let size = f64::from(size);
        values[2] *= size;
        values[5] *= size;
        values[6] /= size;
        values[7] /= size;
        Self(values)
    }

    /// By how much it enlarges around a place.
    pub(super) fn scale_at(&self, x: f32, y: f32) -> f32 {
        let (here, right, down) = (self.apply(x, y), self.apply(x + 1.0, y), self.apply(x, y + 1.0));
        let area = (right.0 - here.0) * (down.1 - here.1) - (right.1 - here.1) * (down.0 - here.0);
        area.abs().sqrt()
    }

    /// The angle in radians to which it turns what lies level around a place.
    pub(super) fn angle_at(&self, x: f32, y: f32) -> f32 {
        let (here, right) = (self.apply(x, y), self.apply(x + 1.0, y));
        (right.1 - here.1).atan2(right.0 - here.0)
    }

    /// Whether a copy of a picture of this size could have come about so: not mirrored, hardly stretched, in sight.
    pub(super) fn is_plausible(&self, (width, height): (f32, f32)) -> bool {
        let m = &self.0;
        let corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
        let is_in_sight = |&(x, y): &(f32, f32)| {
            let away = m[6] * f64::from(x) + m[7] * f64::from(y) + 1.0;
            (1.0 / MOST_TILTED..MOST_TILTED).contains(&away)
        };
        if !corners.iter().all(is_in_sight) {
            return false;
        }
        let [a, b, c, d] = corners.map(|(x, y)| self.apply(x, y));
        let turn = |a: (f32, f32), b: (f32, f32), c: (f32, f32)| (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0);
        if ![turn(a, b, c), turn(b, c, d), turn(c, d, a), turn(d, a, b)].iter().all(|turn| *turn > 0.0) {
            return false;
        }
        // The singular values of its linear part, from their product and the sum of their squares.
        let (product, squares) = (m[0] * m[4] - m[1] * m[3], m[0] * m[0] + m[1] * m[1] + m[3] * m[3] + m[4] * m[4]);
        let root = (squares * squares - 4.0 * product * product).max(0.0).sqrt();
        let (longer, shorter) = (((squares + root) / 2.0).sqrt(), ((squares - root) / 2.0).max(0.0).sqrt());
        longer < MOST_STRETCHED * shorter && shorter > LEAST_SCALE && longer < 1.0 / LEAST_SCALE
    }
}

/// Both places divided by `size`, and the weight.
fn scaled(pair: &CornerPair, size: f32) -> (f64, f64, f64, f64, f64) {
    let scaled = |value: f32| f64::from(value / size);
    let weight = 1.0 / f64::from(pair.to.scale * pair.to.scale);
    (scaled(pair.from.x), scaled(pair.from.y), scaled(pair.to.x), scaled(pair.to.y), weight)
}

/// Adds an equation to the normal equations; its last value is the right side.
fn add<const EQUATIONS: usize, const COLUMNS: usize>(
    sums: &mut [[f64; COLUMNS]; EQUATIONS],
    equation: [f64; COLUMNS],
    weight: f64,
) {
    for (row, factor) in sums.iter_mut().zip(equation) {
        row.iter_mut().zip(equation).for_each(|(sum, value)| *sum += weight * factor * value);
    }
}

/// The unknowns of linear equations, by elimination with pivots; `None` where they are not determined.
fn solved<const EQUATIONS: usize, const COLUMNS: usize>(
    mut rows: [[f64; COLUMNS]; EQUATIONS],
) -> Option<[f64; EQUATIONS]> {
    for column in 0..EQUATIONS {
        let largest = |one: &usize, other: &usize| rows[*one][column].abs().total_cmp(&rows[*other][column].abs());
        let pivot = (column..EQUATIONS).max_by(largest)?;
        if rows[pivot][column].abs() < 1e-12 {
            return None;
        }
        rows.swap(column, pivot);
        let pivot = rows[column];
        for (_, row) in rows.iter_mut().enumerate().filter(|(number, _)| *number != column) {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(pivot).for_each(|(value, above)| *value -= factor * above);
        }
    }
    Some(std::array::from_fn(|at| rows[at][EQUATIONS] / rows[at][at]))
}
