//! Another view of a picture: a part of it, maybe mirrored, in other light. What stays the same is what it shows.

use artificio_random::Random;

use super::pixels::Pixels;

/// The smallest part, as a share of the picture's area.
const LEAST_AREA: f32 = 0.3;

/// A part is at most this much wider or narrower than the picture, as a natural logarithm.
const STRETCH: f32 = 0.25;

/// How much contrast differs at most; saturation somewhat more, the three channels' strengths and brightness less. Little,
/// for colours tell things apart: with three times that, and a fifth of the views in grey, textures alone reached mAP .10 on
/// groceries, not .16.
const CHANGE: f32 = 0.1;

const SIDE: usize = Pixels::SIDE;

/// A view `[56, 56, 3]` of `pixels` `[56, 56, 3]`, both sRGB 0 to 1.
pub(super) fn view(pixels: &[f32], random: &mut Random) -> Vec<f32> {
    let mut view = part(pixels, random);
    relight(&mut view, random);
    view
}

fn part(pixels: &[f32], random: &mut Random) -> Vec<f32> {
    let (area, stretch) = (random.between(LEAST_AREA, 1.0), random.around(0.0, STRETCH).exp());
    let (height, width) = ((area * stretch).sqrt().min(1.0), (area / stretch).sqrt().min(1.0));
    let rows = places(random.between(0.0, 1.0 - height), height);
    let mut columns = places(random.between(0.0, 1.0 - width), width);
    if random.chance(0.5) {
        columns.reverse();
    }
    let mut view = Vec::with_capacity(Pixels::WIDTH);
    for (y, below) in &rows {
        let (upper, lower) = (&pixels[y * SIDE * 3..][..SIDE * 3], &pixels[(y + 1) * SIDE * 3..][..SIDE * 3]);
        for (x, beside) in &columns {
            for channel in 0..3 {
                let at = x * 3 + channel;
                let across = |line: &[f32]| line[at] + (line[at + 3] - line[at]) * beside;
                let (above, under) = (across(upper), across(lower));
                view.push(above + (under - above) * below);
            }
        }
    }
    view
}

/// For each of the view's places along an axis the pixel before it and how far it is on the way to the next.
fn places(start: f32, length: f32) -> Vec<(usize, f32)> {
    let place = |at: usize| {
        let exact = (start + length * (at as f32 + 0.5) / SIDE as f32) * SIDE as f32 - 0.5;
        let exact = exact.clamp(0.0, (SIDE - 1) as f32);
        let before = (exact as usize).min(SIDE - 2);
        (before, exact - before as f32)
    };
    (0..SIDE).map(place).collect()
}

fn relight(view: &mut [f32], random: &mut Random) {
    let saturation = random.around(1.0, 1.5 * CHANGE);
    let (contrast, brightness) = (random.around(1.0, CHANGE), random.around(0.0, 0.4 * CHANGE));
    let strengths: [f32; 3] = std::array::from_fn(|_| random.around(1.0, 0.4 * CHANGE));
    let middle = view.iter().sum::<f32>() / view.len() as f32;
    for pixel in view.as_chunks_mut::<3>().0 {
        let grey = pixel.iter().sum::<f32>() / 3.0;
        for (value, strength) in pixel.iter_mut().zip(strengths) {
            let coloured = grey + (*value - grey) * saturation;
            *value = (((coloured - middle) * contrast + middle) * strength + brightness).clamp(0.0, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_a_picture_of_its_own() {
        let picture: Vec<f32> = (0..Pixels::WIDTH).map(|at| (at % 168) as f32 / 168.0).collect();
        let mut random = Random::new(1);
        let views = [view(&picture, &mut random), view(&picture, &mut random)];
        assert!(views.iter().all(|view| view.len() == Pixels::WIDTH));
        assert!(views.iter().flatten().all(|value| (0.0..=1.0).contains(value)));
        assert_ne!(views[0], views[1]);
        assert_eq!(views[0], view(&picture, &mut Random::new(1)), "the same seed, the same view");
    }

    #[test]
    fn the_whole_picture_is_a_part_of_itself() {
        for (at, (before, beyond)) in places(0.0, 1.0).into_iter().enumerate() {
            assert!((before as f32 + beyond - at as f32).abs() < 1e-4);
        }
    }
}
