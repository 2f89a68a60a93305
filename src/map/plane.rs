//! Lays embeddings out on a plane by t-SNE, so that similar pictures lie together (van der Maaten and Hinton 2008).
//!
//! Attraction acts between near neighbours only, as in the Barnes-Hut version (van der Maaten 2014). Repulsion is exact:
//! for 5,000 pictures that takes seconds with vector instructions, needs no tree, and the same pictures always give the same
//! plane, whatever the number of cores.

use crate::base::dot::dot;
use crate::base::nearest::keep_first;
use crate::base::parallel::{cores, map};
use crate::base::rows::Rows;
use crate::progress::Progress;

/// Independent sums of the repulsion, so that the compiler can use vector instructions.
const LANES: usize = 8;
/// About this many neighbours count for a picture.
const PERPLEXITY: f32 = 30.0;
const STEPS: usize = 500;
/// In the first steps attraction is this much stronger, so that groups find together ...
const EXAGGERATION: f32 = 12.0;
/// ... for so many steps.
const EXAGGERATED_STEPS: usize = 150;
/// Share of the whole work spent on finding neighbours.
const NEIGHBOURS_SHARE: f32 = 0.2;

/// Sparse rows: for each picture its neighbours and how strongly they attract each other.
type Attraction = Vec<Vec<(usize, f32)>>;

/// Positions on a plane for embeddings of unit length `[n, width]`; `None` when the work was cancelled.
pub fn plane(embeddings: &Rows, progress: &dyn Progress) -> Option<Vec<[f32; 2]>> {
    let count = embeddings.len();
    if count < 4 {
        return Some((0..count).map(|at| [at as f32, 0.0]).collect());
    }
    let perplexity = PERPLEXITY.min((count - 1) as f32 / 3.0);
    let neighbours = nearest(embeddings, ((3.0 * perplexity) as usize).clamp(1, count - 1), progress)?;
    let attraction = attraction(&neighbours, perplexity);
    let mut places = beginning(embeddings);
    let (mut speeds, mut gains) = (vec![[0.0_f32; 2]; count], vec![[1.0_f32; 2]; count]);
    let rate = (count as f32 / EXAGGERATION / 4.0).max(50.0);
    for step in 0..STEPS {
        if progress.is_cancelled() {
            return None;
        }
        progress.set_share(NEIGHBOURS_SHARE + (1.0 - NEIGHBOURS_SHARE) * step as f32 / STEPS as f32);
        let is_early = step < EXAGGERATED_STEPS;
        let (stress, momentum) = if is_early { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
        let gradients = gradients(&places, &attraction, stress);
        for at in 0..count {
            for axis in 0..2 {
                let (gradient, speed) = (gradients[at][axis], &mut speeds[at][axis]);
                let gain = &mut gains[at][axis];
                *gain = if (gradient > 0.0) == (*speed > 0.0) { (*gain * 0.8).max(0.01) } else { *gain + 0.2 };
                *speed = momentum * *speed - rate * *gain * gradient;
                places[at][axis] += *speed;
            }
        }
    }
    Some(places)
}

/// For every picture its `k` nearest others with their squared distances, on all cores.
fn nearest(embeddings: &Rows, k: usize, progress: &dyn Progress) -> Option<Vec<Vec<(usize, f32)>>> {
    let nearest_of = |at: usize| {
        let embedding = embeddings.row(at);
        let others = (0..embeddings.len()).filter(|&other| other != at);
        let mut found: Vec<(usize, f32)> =
            others.map(|other| (other, (2.0 - 2.0 * dot(embedding, embeddings.row(other))).max(0.0))).collect();
        keep_first(&mut found, k, |one, other| one.1.total_cmp(&other.1).then(one.0.cmp(&other.0)));
        found
    };
    let share = embeddings.len().div_ceil(cores() * 16).max(1);
    let positions: Vec<usize> = (0..embeddings.len()).collect();
    let mut found = Vec::with_capacity(embeddings.len());
    for chunk in positions.chunks(share * cores()) {
        if progress.is_cancelled() {
            return None;
        }
        progress.set_share(NEIGHBOURS_SHARE * found.len() as f32 / embeddings.len() as f32);
        found.extend(map(chunk.len(), |at| nearest_of(chunk[at])));
    }
    Some(found)
}

/// Neighbourhoods of equal perplexity, symmetric, of sum 1.
fn attraction(neighbours: &[Vec<(usize, f32)>], perplexity: f32) -> Attraction {
    let mut symmetric: Attraction = vec![Vec::new(); neighbours.len()];
    let all = 2.0 * neighbours.len() as f32;
    for (at, found) in neighbours.iter().enumerate() {
        for (share, &(other, _)) in shares(found, perplexity).iter().zip(found) {
            symmetric[at].push((other, share / all));
            symmetric[other].push((at, share / all));
        }
    }
    symmetric
}

/// Gaussian weights of squared distances, with the width that gives the perplexity; found by bisection.
fn shares(found: &[(usize, f32)], perplexity: f32) -> Vec<f32> {
    let least = found.iter().map(|(_, distance)| *distance).fold(f32::INFINITY, f32::min);
    let (mut low, mut high, mut sharpness) = (0.0_f32, f32::INFINITY, 1.0_f32);
    let mut shares = Vec::new();
    for _ in 0..60 {
        shares = found.iter().map(|(_, distance)| (-(distance - least) * sharpness).exp()).collect();
        let sum: f32 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        let entropy: f32 = shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.ln()).sum();
        let excess = entropy - perplexity.ln();
        if excess.abs() < 1e-4 {
            break;
        }
        if excess > 0.0 {
            low = sharpness;
        } else {
            high = sharpness;
        }
        sharpness = if high.is_finite() { f32::midpoint(low, high) } else { sharpness * 2.0 };
    }
    shares
}

/// The initial positions: the first two principal components, scaled down, so that the large structure comes from the
/// embeddings.
fn beginning(embeddings: &Rows) -> Vec<[f32; 2]> {
    let (count, width) = (embeddings.len(), embeddings.width());
    let mut mean = vec![0.0_f32; width];
    embeddings.iter().for_each(|row| mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count as f32));
    let mut axes: Vec<Vec<f32>> = Vec::new();
    for axis in 0..2 {
        let mut direction: Vec<f32> = (0..width).map(|at| ((at * 7 + axis * 3 + 1) as f32).sin()).collect();
        for _ in 0..30 {
            let mut next = vec![0.0_f32; width];
            for row in embeddings.iter() {
                let along = dot(row, &direction) - dot(&mean, &direction);
                next.iter_mut()
                    .zip(row.iter().zip(&mean))
                    .for_each(|(sum, (value, mean))| *sum += along * (value - mean));
            }
            for former in &axes {
                let along = dot(&next, former);
                next.iter_mut().zip(former).for_each(|(value, former)| *value -= along * former);
            }
            crate::base::rows::to_unit_length(&mut next);
            direction = next;
        }
        axes.push(direction);
    }
    let place = |row: &[f32]| [0, 1].map(|axis| dot(row, &axes[axis]) - dot(&mean, &axes[axis]));
    let mut places: Vec<[f32; 2]> = embeddings.iter().map(place).collect();
    let spread = (places.iter().map(|place| place[0] * place[0]).sum::<f32>() / count as f32).sqrt().max(1e-12);
    // Identical embeddings would never separate: each is moved a little, by its position in the order.
    for (at, place) in places.iter_mut().enumerate() {
        let turn = at as f32 * 2.399_963;
        *place = [place[0] / spread * 1e-4 + 1e-6 * turn.cos(), place[1] / spread * 1e-4 + 1e-6 * turn.sin()];
    }
    places
}

/// The gradient at every position.
fn gradients(places: &[[f32; 2]], attraction: &Attraction, stress: f32) -> Vec<[f32; 2]> {
    let (x, y): (Vec<f32>, Vec<f32>) = places.iter().map(|place| (place[0], place[1])).unzip();
    let repelled = map(places.len(), |at| repulsion(places[at], &x, &y));
    // Every position is paired with itself as well, at distance zero.
    let all = repelled.iter().map(|(sum, _)| f64::from(*sum)).sum::<f64>() - places.len() as f64;
    let all = (all as f32).max(1e-12);
    let gradient = |at: usize| {
        let mut pulled = [0.0_f32; 2];
        for &(other, strength) in &attraction[at] {
            let apart = [x[at] - x[other], y[at] - y[other]];
            let nearness = 1.0 / (1.0 + apart[0] * apart[0] + apart[1] * apart[1]);
            pulled[0] += strength * nearness * apart[0];
            pulled[1] += strength * nearness * apart[1];
        }
        let pushed = repelled[at].1;
        [0, 1].map(|axis| 4.0 * (stress * pulled[axis] - pushed[axis] / all))
    };
    (0..places.len()).map(gradient).collect()
}

/// The sum of one position's similarities to all others, and their repulsion of it.
fn repulsion(place: [f32; 2], x: &[f32], y: &[f32]) -> (f32, [f32; 2]) {
    let (mut near, mut push_x, mut push_y) = ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
    let step = |lane: usize, x: f32, y: f32, near: &mut [f32; LANES], sums: (&mut [f32; LANES], &mut [f32; LANES])| {
        let (apart_x, apart_y) = (place[0] - x, place[1] - y);
        let nearness = 1.0 / (1.0 + apart_x * apart_x + apart_y * apart_y);
        near[lane] += nearness;
        sums.0[lane] += nearness * nearness * apart_x;
        sums.1[lane] += nearness * nearness * apart_y;
    };
    let (whole_x, whole_y) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let (rest_x, rest_y) = (whole_x.remainder(), whole_y.remainder());
    for (x, y) in whole_x.zip(whole_y) {
        for lane in 0..LANES {
            step(lane, x[lane], y[lane], &mut near, (&mut push_x, &mut push_y));
        }
    }
    for (lane, (x, y)) in rest_x.iter().zip(rest_y).enumerate() {
        step(lane, *x, *y, &mut near, (&mut push_x, &mut push_y));
    }
    (near.iter().sum(), [push_x.iter().sum(), push_y.iter().sum()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Unfollowed;

    /// Three groups of 30 around directions of their own, with pseudo-random noise.
    fn groups() -> Rows {
        let mut rows = Rows::empty(16);
        for at in 0..90_usize {
            let mut row: Vec<f32> = (0..16).map(|value| 0.1 * ((at * 31 + value * 17) as f32).sin()).collect();
            row[at % 3] += 1.0;
            crate::base::rows::to_unit_length(&mut row);
            rows.push(&row);
        }
        rows
    }

    #[test]
    fn what_is_similar_lies_together_and_every_time_in_the_same_place() {
        let embeddings = groups();
        let places = plane(&embeddings, &Unfollowed).unwrap();
        for (at, place) in places.iter().enumerate() {
            let distance = |other: &[f32; 2]| (place[0] - other[0]).hypot(place[1] - other[1]);
            let mut others: Vec<usize> = (0..90).filter(|&other| other != at).collect();
            others.sort_by(|one, other| distance(&places[*one]).total_cmp(&distance(&places[*other])));
            assert!(others[..10].iter().all(|other| other % 3 == at % 3), "{at}: {:?}", &others[..10]);
        }
        assert_eq!(plane(&embeddings, &Unfollowed).unwrap(), places);
    }

    #[test]
    fn few_pictures_and_pictures_of_one_content_have_places_too() {
        for count in 0..8 {
            let embeddings = Rows::from_values(2, [1.0, 0.0].repeat(count)).unwrap();
            let places = plane(&embeddings, &Unfollowed).unwrap();
            assert_eq!(places.len(), count);
            assert!(places.iter().flatten().all(|value| value.is_finite()), "{places:?}");
        }
    }

    #[test]
    fn a_cancelled_layout_has_no_places() {
        struct Cancelled;
        impl Progress for Cancelled {
            fn is_cancelled(&self) -> bool {
                true
            }
        }
        assert!(plane(&groups(), &Cancelled).is_none());
    }
}
