//! Short rows that stand for long ones: what two of them have in common is no less than what the long ones have.

use pulp::Arch;

use super::numbers::{on_all_cores, product};
use crate::rows::{Rows, to_unit_length};

/// Numbers in a head: so many coordinates less one, and the length of the rest.
/// With real features 64 rule out a quarter of 10,000 pictures' pairs, 128 half, 256 four fifths.
const WIDTH: usize = 256;
/// Directions are sought in so many rows at most, evenly spread.
const SAMPLE: usize = 1_024;
/// Each turn brings the directions nearer to those in which the rows are longest; any would do, good ones rule out more.
const TURNS: usize = 4;
/// Fewer rows are compared faster than directions are found.
const LEAST_ROWS: usize = 8_000;
/// Shorter rows are hardly longer than their heads.
const LEAST_WIDTH: usize = 4 * WIDTH;
/// Added to the square of each rest: more than what rounding takes away.
const ROUNDING: f32 = 1e-4;

/// A head of every row: its coordinates along a few orthonormal directions, and the length of what is left. By Cauchy and
/// Schwarz the product of two rests is no more than that of their lengths, so the product of two heads is no less than that
/// of the rows.
pub(super) struct Heads(Rows);

impl Heads {
    /// Whether there are rows enough, and long enough.
    pub fn pay_for(rows: &Rows) -> bool {
        rows.len() >= LEAST_ROWS && rows.width() >= LEAST_WIDTH
    }

    /// Of unit rows, at least some hundreds.
    pub fn of(rows: &Rows) -> Option<Self> {
        let directions = directions(rows);
        let head = |at: usize| {
            let row = rows.row(at);
            let mut head: Vec<f32> = Arch::new()
                .dispatch(|| directions.iter().map(|direction| product(row, direction)).collect::<Vec<f32>>());
            let rest = product(row, row) - product(&head, &head);
            head.push((rest.max(0.0) + ROUNDING).sqrt());
            head
        };
        let heads = on_all_cores(rows.len(), head);
        Rows::from_values(WIDTH, heads.into_iter().flatten().collect()).map(Self)
    }

    /// `[n, 256]`.
    pub fn rows(&self) -> &Rows {
        &self.0
    }
}

/// Directions `[255, width]`, orthonormal, in which the rows are long: subspace iteration on their second moments (Golub and
/// Van Loan, "Matrix Computations", 8.2.4), begun from some of the rows.
fn directions(rows: &Rows) -> Vec<Vec<f32>> {
    let count = rows.len().min(SAMPLE);
    let sample: Vec<&[f32]> = (0..count).map(|number| rows.row(number * rows.len() / count)).collect();
    let mut directions: Vec<Vec<f32>> = (0..WIDTH - 1).map(|at| sample[at * count / WIDTH].to_vec()).collect();
    orthonormalise(&mut directions);
    for _ in 0..TURNS {
        directions = on_all_cores(directions.len(), |at| {
            let mut turned = vec![0.0; rows.width()];
            for row in &sample {
                let along = product(row, &directions[at]);
                turned.iter_mut().zip(*row).for_each(|(sum, value)| *sum += along * value);
            }
            turned
        });
        orthonormalise(&mut directions);
    }
    directions
}

/// Gram and Schmidt, twice, which is enough for rounding. What lies in the space of those before it becomes zeros: a
/// direction less.
fn orthonormalise(directions: &mut [Vec<f32>]) {
    for at in 0..directions.len() {
        let (former, rest) = directions.split_at_mut(at);
        let Some(direction) = rest.first_mut() else { break };
        to_unit_length(direction);
        for _ in 0..2 {
            for other in former.iter() {
                let along = product(direction, other);
                direction.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
            if product(direction, direction) < 1e-6 {
                direction.fill(0.0);
            }
            to_unit_length(direction);
        }
    }
}
