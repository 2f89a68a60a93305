//! Pictures with many corners, altered in ways of which it is known where each place went.

use artificio_random::Random;

use super::*;
use crate::dedup::policy::{COPY_IN_DETAIL, COVERED_IN_DETAIL};

/// A drawing of discs and squares, another for every seed, at `x` and `y` from 0 to 1.
struct Drawing(Vec<[f32; 5]>);

impl Drawing {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut shape = |_| {
            let (x, y) = (random.unit(), random.unit());
            [x, y, random.between(0.02, 0.09), random.between(0.0, 255.0), random.unit()]
        };
        Self((0..150).map(&mut shape).collect())
    }

    fn shade(&self, x: f32, y: f32) -> f32 {
        let covers = |[left, top, size, _, kind]: &&[f32; 5]| {
            let (right, down) = (x - left, y - top);
            if *kind < 0.5 { right.hypot(down) < *size } else { right.abs().max((right + down).abs()) < *size }
        };
        self.0.iter().rev().find(covers).map_or(128.0, |shape| shape[3])
    }
}

/// A picture that shows, at places from 0 to 1, `shade`.
fn detail((width, height): (usize, usize), shade: impl Fn(f32, f32) -> f32) -> Detail {
    let pixel = |at: usize| {
        let part = |sub: usize| {
            let (x, y) = ((at % width) as f32 + (sub % 2) as f32 * 0.5, (at / width) as f32 + (sub / 2) as f32 * 0.5);
            shade((x + 0.25) / width as f32, (y + 0.25) / height as f32)
        };
        ((0..4).map(part).sum::<f32>() / 4.0) as u8
    };
    let shades = (0..width * height).map(pixel).collect();
    Detail::of(&GreyPicture::new(width, height, shades).unwrap(), &Places::new())
}

fn is_copy(found: &DetailMatch) -> bool {
    COPY_IN_DETAIL.iter().any(|(corners, least)| found.corners >= *corners && found.alignment.similarity >= *least)
}

/// What lies at a place of a copy: a place of the original.
type Alteration = fn(f32, f32) -> (f32, f32);

#[test]
fn a_copy_is_found_however_it_was_turned_tilted_or_placed() {
    let drawing = Drawing::new(3);
    let original = detail((300, 240), |x, y| drawing.shade(x, y));
    let rotated: Alteration = |x, y| {
        let (sin, cos) = 0.3_f32.sin_cos();
        // In squares of one size, 300 to 240.
        let (right, down) = ((x - 0.5) * 1.25 * 1.2, (y - 0.5) * 1.2);
        ((cos * right - sin * down) / 1.25 + 0.5, sin * right + cos * down + 0.5)
    };
    let tilted: Alteration = |x, y| {
        let away = 0.8 + 0.3 * x;
        ((x * 1.1 - 0.05) / away, (y * 1.1 - 0.05) / away)
    };
    let in_a_page: Alteration = |x, y| ((x - 0.3) / 0.6, (y - 0.1) / 0.6);
    let mirrored_part: Alteration = |x, y| (0.9 - 0.7 * x, 0.2 + 0.7 * y);
    for (name, alteration) in
        [("rotated", rotated), ("tilted", tilted), ("in a page", in_a_page), ("a mirrored part", mirrored_part)]
    {
        let copy = detail((300, 240), |x, y| {
            let (x, y) = alteration(x, y);
            if (0.0..1.0).contains(&x) && (0.0..1.0).contains(&y) { drawing.shade(x, y) } else { 255.0 }
        });
        let found = original.compare(&copy, COVERED_IN_DETAIL).unwrap_or_else(|| panic!("{name}: nothing"));
        assert!(is_copy(&found), "{name}: {found:?}");
        assert_eq!(found.alignment.is_mirrored, name == "a mirrored part", "{name}: {found:?}");
        let window = found.alignment.window;
        match name {
            "in a page" => {
                assert!(found.is_swapped && (window.left - 0.3 * 32.0).abs() < 0.5, "{found:?}");
                assert!((window.width - 0.6 * 32.0).abs() < 0.5, "{found:?}");
            }
            "a mirrored part" => {
                assert!(!found.is_swapped && (window.left - 0.2 * 32.0).abs() < 0.5, "{found:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn two_pictures_in_one_frame_are_no_copies() {
    let frame = Drawing::new(1);
    let page = |drawing: &Drawing| {
        detail((240, 300), |x, y| {
            let is_picture = (0.1..0.9).contains(&x) && (0.3..0.7).contains(&y);
            if is_picture { drawing.shade((x - 0.1) / 0.8, (y - 0.3) / 0.4) } else { frame.shade(x, y) }
        })
    };
    let (one, other) = (page(&Drawing::new(5)), page(&Drawing::new(6)));
    let found = one.compare(&other, COVERED_IN_DETAIL).expect("the frame is the same");
    assert!(found.corners > 40, "{found:?}");
    assert!(!is_copy(&found), "{found:?}");
}

#[test]
fn different_pictures_and_those_without_corners_are_no_copies() {
    let plain = detail((200, 200), |x, _| 90.0 + 60.0 * x);
    let others: Vec<Detail> = (10..14)
        .map(|seed| {
            let drawing = Drawing::new(seed);
            detail((200, 200), |x, y| drawing.shade(x, y))
        })
        .collect();
    for (at, one) in others.iter().enumerate() {
        assert!(plain.compare(one, COVERED_IN_DETAIL).is_none());
        for other in &others[at + 1..] {
            assert!(one.compare(other, COVERED_IN_DETAIL).is_none_or(|found| !is_copy(&found)));
        }
    }
    assert!(plain.compare(&plain, COVERED_IN_DETAIL).is_none());
    for (width, height) in [(1, 1), (1, 300), (300, 2), (5, 5), (13, 40)] {
        detail((width, height), |x, y| 255.0 * x * y);
    }
    assert!(GreyPicture::new(0, 0, Vec::new()).is_none() && GreyPicture::new(2, 2, vec![0; 3]).is_none());
}
