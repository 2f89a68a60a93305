//! Composes one picture: camera, lamp, table, food and what stands around it, then the grading as a photograph.

use artificio_random::Random;
use image::RgbImage;
use tiny_skia::Pixmap;

use crate::background::{TABLE_TOPS, draw_table};
use crate::camera::{Camera, Light};
use crate::canvas::SceneCanvas;
use crate::deck::deal;
use crate::extras::Extras;
use crate::grading::Grading;
use crate::{Food, burger, doughnut, egg, pizza, salad, sushi};

/// The sizes pictures come in, in pixels.
const SIZES_PX: [(u32, u32); 6] = [(448, 336), (336, 448), (400, 400), (480, 300), (400, 300), (360, 360)];

/// Draws a picture of a kind; the same seed draws the same picture.
///
/// Successive seeds are dealt their table top, size, viewpoint and arrangement from shuffled decks, so that a few
/// pictures of a kind already show all of them.
pub fn draw(food: Food, seed: u64) -> RgbImage {
    let deck = deck(food);
    let mut random = Random::new(seed.wrapping_mul(6) + food as u64);
    let (width, height) = SIZES_PX[deal(deck, seed, SIZES_PX.len())];
    let angles = viewpoints(food);
    let squash = (angles[deal(deck + 1, seed, angles.len())] + random.around(0.0, 0.05)).min(1.0);
    let Some(pixmap) = Pixmap::new(width, height) else { return RgbImage::new(width, height) };
    let mut canvas = SceneCanvas {
        pixmap,
        camera: camera(&mut random, (width, height), squash, headroom(food)),
        light: lamp(&mut random),
    };
    draw_table(&mut canvas, &mut random, table_top(food, seed));
    let extras = Extras::choose(&mut random, (0.95, 0.85));
    extras.draw_behind(&mut canvas, &mut random);
    serve(food, &mut canvas, &mut random, deal(deck + 3, seed, 30));
    extras.draw_in_front(&mut canvas, &mut random);
    Grading::new(&mut random).apply(&canvas.pixmap, &mut random)
}

fn table_top(food: Food, seed: u64) -> usize {
    deal(deck(food) + 2, seed, TABLE_TOPS)
}

/// Each kind has shuffled decks of its own.
fn deck(food: Food) -> u64 {
    1000 * (food as u64 + 1)
}

fn serve(food: Food, canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
    match food {
        Food::Burger => burger::serve(canvas, random, arrangement),
        Food::Pizza => pizza::serve(canvas, random, arrangement),
        Food::Salad => salad::serve(canvas, random, arrangement),
        Food::Sushi => sushi::serve(canvas, random, arrangement),
        Food::Doughnut => doughnut::serve(canvas, random, arrangement),
        Food::Egg => egg::serve(canvas, random, arrangement),
    }
}

/// The viewpoints that a kind is photographed from: 1 from above, 0.25 nearly from the side.
fn viewpoints(food: Food) -> [f32; 5] {
    match food {
        Food::Burger => [0.27, 0.34, 0.45, 0.6, 0.78],
        Food::Doughnut => [0.42, 0.55, 0.7, 0.85, 1.0],
        Food::Pizza | Food::Egg => [0.5, 0.62, 0.75, 0.9, 1.0],
        Food::Salad => [0.42, 0.55, 0.7, 0.85, 1.0],
        Food::Sushi => [0.4, 0.5, 0.62, 0.75, 0.95],
    }
}

/// How high a kind stands on its dish, in world units.
fn headroom(food: Food) -> f32 {
    match food {
        Food::Burger => 1.1,
        Food::Doughnut | Food::Salad => 0.8,
        Food::Pizza | Food::Egg | Food::Sushi => 0.3,
    }
}

fn camera(random: &mut Random, size_px: (u32, u32), squash: f32, headroom: f32) -> Camera {
    let (width, height) = (size_px.0 as f32, size_px.1 as f32);
    // A dish is about 2.4 units wide; what stands on it needs room above.
    let rise = (1.0 - squash * squash).max(0.0).sqrt();
    let fit = (width / 2.45).min(height / (2.1 * squash + headroom * rise + 0.2));
    let unit_px = fit * random.between(0.82, 1.14);
    let lift = unit_px * headroom * 0.42 * rise;
    let centre_px = (width * random.around(0.5, 0.08), height * random.around(0.5, 0.04) + lift);
    Camera { centre_px, unit_px, squash, roll_degrees: random.around(0.0, 6.0) }
}

fn lamp(random: &mut Random) -> Light {
    // From the left or the right, never straight from behind: food lit from behind shows the viewer its dark side.
    let angle = random.pick([0.0, std::f32::consts::PI]) + random.around(0.0, 0.8);
    Light { toward: (angle.cos(), angle.sin()), height: random.between(0.55, 0.85) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_picture_and_another_seed_another() {
        for food in Food::ALL {
            assert!(draw(food, 7) == draw(food, 7), "{food:?}");
            assert!(draw(food, 7) != draw(food, 8), "{food:?}");
        }
    }

    #[test]
    fn every_kind_is_drawn_on_every_table_top() {
        for food in Food::ALL {
            let mut met: Vec<usize> = (0..7).map(|seed| table_top(food, seed)).collect();
            met.sort_unstable();
            assert_eq!(met, (0..TABLE_TOPS).collect::<Vec<_>>());
        }
    }
}
