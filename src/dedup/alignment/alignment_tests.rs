//! Alignments of drawn pictures of which it is known what was done to them.

use super::*;
use crate::dedup::policy::NEAR_DUPLICATE;

use crate::picture::MINIATURE_SIDE;

const SIDE: f32 = MINIATURE_SIDE as f32;

/// A function of the plane with shape everywhere, another for every seed.
fn shade(seed: usize, x: f32, y: f32) -> f32 {
    let wave = |number: usize| {
        let at = |step: f32| (((number + 9 * seed) as f32) * step).fract() - 0.5;
        (at(0.618) * 60.0 * x + at(0.755) * 60.0 * y + at(0.877) * 12.0).sin() * (1.2 + at(0.31))
    };
    128.0 + (0..5).map(wave).sum::<f32>() * 22.0
}

/// The miniature of a picture that shows, at `x` and `y` from 0 to 1, `shade`.
fn drawn(shade: impl Fn(f32, f32) -> f32) -> Miniature {
    let mean = |at: usize| {
        let place = |sub: usize| {
            let (x, y) = ((at % 32) as f32 + (sub % 4) as f32 / 4.0, (at / 32) as f32 + (sub / 4) as f32 / 4.0);
            shade((x + 0.125) / SIDE, (y + 0.125) / SIDE)
        };
        ((0..16).map(place).sum::<f32>() / 16.0).clamp(0.0, 255.0) as u8
    };
    Miniature::from_bytes(&(0..1024).map(mean).collect::<Vec<u8>>()).unwrap()
}

fn aligned(one: &Miniature, other: &Miniature) -> (Alignment, bool) {
    Scene::of(one).align_either_way(&Scene::of(other)).expect("somewhere")
}

#[test]
fn a_copy_is_the_same_whatever_its_brightness_and_contrast() {
    let original = drawn(|x, y| shade(1, x, y));
    let copy = drawn(|x, y| 60.0 + 0.5 * shade(1, x, y));
    let (seen, _) = aligned(&original, &copy);
    assert!(
        seen.similarity > 0.97 && seen.window.is_whole() && !seen.is_mirrored && seen.quarter_turns == 0,
        "{seen:?}"
    );
}

#[test]
fn a_trimmed_and_mirrored_copy_is_found_where_it_lies() {
    let original = drawn(|x, y| shade(2, x, y));
    let trimmed = drawn(|x, y| shade(2, 0.3 + (1.0 - x) * 0.65, 0.1 + y * 0.75));
    let (seen, is_swapped) = aligned(&trimmed, &original);
    assert!(seen.similarity > NEAR_DUPLICATE && seen.is_mirrored && is_swapped, "{seen:?}");
    let Window { left, top, width, height } = seen.window;
    for (found, wanted) in [(left, 0.3), (top, 0.1), (width, 0.65), (height, 0.75)] {
        assert!((found - wanted * SIDE).abs() < 1.0, "{seen:?}");
    }
}

#[test]
fn turned_copies_are_found_in_every_pose() {
    let original = drawn(|x, y| shade(3, x, y));
    let turned =
        [drawn(|x, y| shade(3, y, 1.0 - x)), drawn(|x, y| shade(3, 1.0 - x, 1.0 - y)), drawn(|x, y| shade(3, y, x))];
    for (copy, (is_mirrored, is_half)) in turned.iter().zip([(false, false), (false, true), (true, false)]) {
        let (seen, _) = aligned(&original, copy);
        assert!(seen.similarity > 0.97, "{seen:?}");
        assert_eq!((seen.is_mirrored, seen.quarter_turns == 2), (is_mirrored, is_half), "{seen:?}");
    }
}

#[test]
fn frames_and_captions_are_looked_past() {
    let original = drawn(|x, y| shade(4, x, y));
    let framed = drawn(|x, y| {
        let (x, y) = ((x - 0.1) / 0.8, (y - 0.1) / 0.8);
        if (0.0..1.0).contains(&x) && (0.0..1.0).contains(&y) { shade(4, x, y) } else { 255.0 }
    });
    let captioned = drawn(|x, y| if y > 0.9 { 20.0 } else { shade(4, x, y) });
    for copy in [framed, captioned] {
        let (seen, _) = aligned(&original, &copy);
        assert!(seen.similarity > NEAR_DUPLICATE, "{seen:?}");
    }
}

#[test]
fn different_pictures_and_those_without_shape_are_not_the_same() {
    let pictures: Vec<Miniature> = (1..12).map(|seed| drawn(|x, y| shade(seed, x, y))).collect();
    let plain: Vec<Miniature> = vec![
        drawn(|_, _| 255.0),
        drawn(|_, _| 30.0),
        drawn(|x, _| 90.0 + 60.0 * x),
        drawn(|x, y| 200.0 - 90.0 * (x - 0.5).hypot(y - 0.5)),
        drawn(|_, y| if y < 0.4 { 200.0 } else { 80.0 }),
        drawn(|_, y| if y < 0.6 { 180.0 } else { 40.0 }),
    ];
    for all in [pictures, plain] {
        let scenes: Vec<Scene> = all.iter().map(Scene::of).collect();
        for (at, one) in scenes.iter().enumerate() {
            for (number, other) in scenes.iter().enumerate().skip(at + 1) {
                let similarity = one.align_either_way(other).map_or(0.0, |(seen, _)| seen.similarity);
                assert!(similarity < 0.85, "{at} and {number}: {similarity}");
            }
        }
    }
}

#[test]
fn windows_side_by_side_are_compared_as_one_alone_is() {
    let (one, other) = (drawn(|x, y| shade(5, x, y)), drawn(|x, y| shade(6, x, y)));
    let (sums, posed) = (Sums::of(&one), posed_outline(&outline(&other), 3));
    let mut found = Vec::new();
    WindowOutlines::of(&sums).similar(&posed, 0.0, &mut found, -2.0);
    assert_eq!(found.len(), 385);
    for (similarity, window) in found {
        let cells = sums.cells::<8>(&window);
        let mut alone: Outline = std::array::from_fn(|at| cells[at % 8][at / 8]);
        let mean = alone.iter().sum::<f32>() / alone.len() as f32;
        alone.iter_mut().for_each(|value| *value -= mean);
        let length = alone.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-3);
        let wanted = outline_similarity(&alone.map(|value| value / length), &posed);
        assert_eq!(similarity.to_bits(), wanted.to_bits(), "{window:?}");
    }
    assert_eq!(sums.cells::<16>(&Window::WHOLE), whole_cells(&one));
}

#[test]
fn a_mirrored_outline_is_that_of_the_mirrored_picture() {
    let [as_it_is, in_a_mirror] = outlines(&drawn(|x, y| shade(7, x, y)));
    let mut mirrored = as_it_is;
    mirror(&mut mirrored);
    assert_eq!(mirrored, in_a_mirror);
}

#[test]
fn there_are_as_many_windows_as_the_documents_say() {
    assert_eq!(outlines::windows().len(), 385);
}
