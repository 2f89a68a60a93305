//! What stands around a dish: cutlery, napkins, cups, herbs. It is the same for all food, so no clue to the kind.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{along, dark, hex, white};
use crate::dish::glaze;
use crate::ingredients::{basil, lemon_wedge};
use crate::placement::Placement;
use crate::shape::{Shape, disc, leaf, line, ring, rounded};
use crate::solid::Solid;

/// Which extras stand around a dish, and where.
#[derive(Debug, Clone)]
pub struct Extras {
    spots: Vec<(usize, Placement)>,
}

impl Extras {
    /// Up to three extras around a dish of this half width and half depth.
    pub fn choose(random: &mut Random, half: (f32, f32)) -> Self {
        let mut spots = Vec::new();
        let mut angle = random.angle();
        for _ in 0..random.count(0, 3) {
            let reach = random.between(1.6, 1.85);
            let place = Placement::new(half.0 * reach * angle.cos(), half.1 * reach * angle.sin(), 0.0);
            spots.push(stand(random.count(0, 8), place));
            angle += random.between(1.4, 2.6);
        }
        spots.sort_by(|one, other| one.1.at.1.total_cmp(&other.1.at.1));
        Self { spots }
    }

    /// Draws those behind the dish.
    pub fn draw_behind(&self, canvas: &mut SceneCanvas, random: &mut Random) {
        for (which, place) in self.spots.iter().filter(|(_, place)| place.at.1 < 0.0) {
            draw(canvas, random, *which, place);
        }
    }

    /// Draws those in front of the dish.
    pub fn draw_in_front(&self, canvas: &mut SceneCanvas, random: &mut Random) {
        for (which, place) in self.spots.iter().filter(|(_, place)| place.at.1 >= 0.0) {
            draw(canvas, random, *which, place);
        }
    }
}

/// Cups stand behind the dish: in front they would hide it.
fn stand(which: usize, place: Placement) -> (usize, Placement) {
    let back = if is_tall(which) { -place.at.1.abs() } else { place.at.1 };
    (which, Placement::new(place.at.0, back, 0.0))
}

fn is_tall(which: usize) -> bool {
    matches!(which, 3 | 4)
}

fn draw(canvas: &mut SceneCanvas, random: &mut Random, which: usize, place: &Placement) {
    match which {
        0 => fork(canvas, &place.turned(random.around(1.5, 0.5))),
        1 => knife(canvas, &place.turned(random.around(1.5, 0.5))),
        2 => napkin(canvas, random, place),
        3 | 4 => cup(canvas, random, place),
        5 => herbs(canvas, random, place),
        6 => cherry_tomatoes(canvas, random, place),
        7 => lemon_wedge(canvas, &place.turned(random.angle()).scaled(1.3)),
        _ => dip(canvas, random, place),
    }
}

fn steel(canvas: &mut SceneCanvas, place: &Placement, outline: &dyn Fn(f32) -> Shape) {
    canvas.shadow(place, 0.03, outline);
    let tones = [(0.0, hex(0xf4f6f8)), (0.45, hex(0xaab0b6)), (0.55, hex(0x7d848b)), (1.0, hex(0xd8dcdf))];
    canvas.fill(&outline(0.0), &place.lift(0.02), along((0.0, -0.06), (0.0, 0.06), &tones));
}

fn fork(canvas: &mut SceneCanvas, place: &Placement) {
    steel(canvas, &place.shift(0.35, 0.0), &|spread| rounded(0.45 + spread, 0.032 + spread, 3.0));
    steel(canvas, &place.shift(-0.18, 0.0), &|spread| rounded(0.13 + spread, 0.085 + spread, 2.6));
    for row in 0..4 {
        let y = (row as f32 - 1.5) * 0.05;
        steel(canvas, &place.shift(-0.36, y), &|spread| rounded(0.14 + spread, 0.014 + spread, 4.0));
    }
}

fn knife(canvas: &mut SceneCanvas, place: &Placement) {
    steel(canvas, &place.shift(-0.32, 0.0), &|spread| leaf(0.5 + spread, 0.085 + spread));
    let grip = place.shift(0.38, 0.0);
    let outline = |spread: f32| rounded(0.34 + spread, 0.05 + spread, 4.0);
    canvas.shadow(&grip, 0.04, &outline);
    canvas.fill(
        &outline(0.0),
        &grip.lift(0.03),
        along((0.0, -0.05), (0.0, 0.05), &[(0.0, hex(0x6b4a35)), (1.0, hex(0x2e1f17))]),
    );
}

fn napkin(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let place = place.turned(random.angle());
    let cloth = hex(random.pick([0xf3efe6, 0xb5483a, 0x3f6c8f, 0x7c9a6b, 0xe0b354, 0x55505a]));
    let outline = |spread: f32| rounded(0.5 + spread, 0.42 + spread, 12.0);
    canvas.shadow(&place, 0.06, &outline);
    canvas.fill(
        &outline(0.0),
        &place,
        along((-0.5, -0.4), (0.5, 0.4), &[(0.0, cloth.lit(1.1)), (1.0, cloth.lit(0.85))]),
    );
    canvas.stroke(&outline(-0.04), &place, 0.018, cloth.mix(white(1.0), 0.55));
    for fold in [-0.14, 0.17] {
        canvas.stroke(&line([(fold, -0.42), (fold + 0.03, 0.42)]), &place, 0.02, dark(0.13));
        canvas.stroke(&line([(fold + 0.02, -0.42), (fold + 0.05, 0.42)]), &place, 0.014, white(0.25));
    }
}

fn cup(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let colour = glaze(random);
    let (radius, height) = (0.3, random.between(0.35, 0.6));
    canvas.shadow(place, height, &|spread| disc(radius + spread));
    let turned = place.turned(random.pick([0.3, 2.6, -0.4, 3.5]));
    for step in 0..36 {
        let angle = step as f32 / 35.0 * std::f32::consts::PI;
        let spot = turned.shift(radius + angle.sin() * 0.14, 0.0).lift(height * (0.5 + 0.32 * angle.cos()));
        canvas.fill(&disc(0.035), &spot, colour.lit(0.85).ink());
    }
    let wall = |way: f32| (height * way, radius * (0.8 + 0.2 * way.powf(0.5)));
    canvas.solid(place, &Solid { profile: &wall, outline: &disc, colour: &|_| colour });
    let rim = place.lift(height);
    canvas.fill(&ring(radius, radius * 0.9), &rim, colour.lit(1.1).ink());
    canvas.fill(&disc(radius * 0.9), &rim, colour.lit(0.55).ink());
    let drink = hex(random.pick([0x3b2417, 0xb9825a, 0xc46a1c, 0x7f9a3c, 0xe8d9c0]));
    canvas.fill(&disc(radius * 0.86), &rim.lift(-0.05), drink.ink());
    canvas.stroke(&disc(radius * 0.8), &rim.lift(-0.05), 0.015, drink.lit(1.35));
}

fn herbs(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    for _ in 0..random.count(2, 5) {
        let spot = place.shift(random.around(0.0, 0.16), random.around(0.0, 0.16)).turned(random.angle());
        basil(canvas, random, &spot, 0.2);
    }
}

fn cherry_tomatoes(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    for spot in [(0.0, 0.0), (0.26, 0.08), (0.08, 0.25)].iter().take(random.count(1, 3)) {
        let rest = place.shift(spot.0, spot.1);
        canvas.shadow(&rest, 0.12, &|spread| disc(0.11 + spread));
        canvas.ball(&rest, 0.13, hex(0xc93324).vary(random, 0.03), 0.8);
    }
}

fn dip(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let (colour, sauce) = (glaze(random), hex(random.pick([0xa8281c, 0xe8c24a, 0x3a2016, 0xf2ead8, 0x6f8b3d])));
    canvas.shadow(place, 0.14, &|spread| disc(0.26 + spread));
    let wall = |way: f32| (0.14 * way, 0.2 + 0.08 * way);
    canvas.solid(place, &Solid { profile: &wall, outline: &disc, colour: &|_| colour });
    canvas.fill(&disc(0.25), &place.lift(0.14), colour.lit(0.7).ink());
    canvas.fill(&disc(0.235), &place.lift(0.12), sauce.ink());
    canvas.gloss(place, 0.12, 0.11, 0.5);
}
