//! Where the colours of the first layer start from: the colours that the training pictures have, by k-means.

use artificio_random::Random;

use super::colour::{lab, to_lab};
use crate::rows::Rows;

/// Pixels looked at.
const SAMPLE: usize = 20_000;

/// Rounds of Lloyd's algorithm (IEEE Transactions on Information Theory 28, 1982).
const ROUNDS: usize = 10;

/// Steps from 0 to 1 along each channel for a palette of all colours there are.
const STEPS: usize = 16;

/// `count` colours `[count, 3]` in scaled Lab that stand for those of the pictures `[n, 56 * 56 * 3]`.
pub(super) fn of_pictures(pixels: &Rows, count: usize, random: &mut Random) -> Vec<f32> {
    let all = pixels.values().as_chunks::<3>().0;
    let sample: Vec<[f32; 3]> =
        (0..SAMPLE).map(|_| lab(all[random.count(0, all.len() - 1)].map(|value| value / 255.0))).collect();
    centres(&sample, count, random)
}

/// `count` colours `[count, 3]` in scaled Lab that stand for all there are: what serves before any training.
pub(super) fn of_all_colours(count: usize) -> Vec<f32> {
    let channel = |step: usize| step as f32 / (STEPS - 1) as f32;
    let cube =
        (0..STEPS * STEPS * STEPS).flat_map(|at| [at / STEPS / STEPS, at / STEPS % STEPS, at % STEPS].map(channel));
    let sample = to_lab(&cube.collect::<Vec<f32>>());
    centres(sample.as_chunks::<3>().0, count, &mut Random::new(1))
}

fn centres(sample: &[[f32; 3]], count: usize, random: &mut Random) -> Vec<f32> {
    let mut centres: Vec<[f32; 3]> = (0..count).map(|_| sample[random.count(0, sample.len() - 1)]).collect();
    for _ in 0..ROUNDS {
        let mut sums = vec![([0.0_f64; 3], 0_u32); count];
        for colour in sample {
            let (sum, members) = &mut sums[nearest(&centres, colour)];
            sum.iter_mut().zip(colour).for_each(|(sum, value)| *sum += f64::from(*value));
            *members += 1;
        }
        for (centre, (sum, members)) in centres.iter_mut().zip(&sums) {
            // A colour that stands for nothing goes where there is something.
            *centre = match members {
                0 => sample[random.count(0, sample.len() - 1)],
                _ => sum.map(|sum| (sum / f64::from(*members)) as f32),
            };
        }
    }
    centres.concat()
}

fn nearest(centres: &[[f32; 3]], colour: &[f32; 3]) -> usize {
    let (mut best, mut least) = (0, f32::INFINITY);
    for (at, centre) in centres.iter().enumerate() {
        let distance: f32 = centre.iter().zip(colour).map(|(a, b)| (a - b) * (a - b)).sum();
        if distance < least {
            (best, least) = (at, distance);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_colours_of_the_pictures() {
        let colours = [[255.0, 0.0, 0.0], [0.0, 255.0, 0.0], [20.0, 20.0, 200.0]];
        let pixels = Rows::from_values(300, (0..600).flat_map(|at| colours[at % 3]).collect()).unwrap();
        let palette = of_pictures(&pixels, 8, &mut Random::new(1));
        for colour in colours {
            let wanted = lab(colour.map(|value| value / 255.0));
            let is_there = |found: &[f32]| found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-3);
            assert!(palette.chunks_exact(3).any(is_there), "{wanted:?} in {palette:?}");
        }
        assert_eq!(palette, of_pictures(&pixels, 8, &mut Random::new(1)), "the same seed, the same palette");
    }
}
