//! Pizzas: whole, with a slice taken out, and single slices.

use std::f32::consts::TAU;

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, around, hex};
use crate::dish;
use crate::placement::Placement;
use crate::shape::{Shape, Wobble, disc, polygon, rounded};
use crate::solid::{Solid, slab};
use crate::toppings::{Topping, portion, put};

/// A part of a round pizza, its tip at the origin.
struct PizzaSector {
    from: f32,
    to: f32,
    shape: Wobble,
}

/// What all slices of one pizza have in common: the colours of dough, sauce and cheese, and the toppings.
struct Recipe {
    dough: Rgba,
    sauce: Rgba,
    cheese: Rgba,
    toppings: Vec<Topping>,
}

/// Serves a whole pizza, most of one, a few slices or a single one.
pub fn serve(canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
    let recipe = recipe(random);
    let slice = TAU / random.pick([6.0, 8.0]);
    match arrangement % 5 {
        0 | 3 => {
            let table = dish::lay(canvas, random, (1.02, 1.02));
            let start = random.angle();
            let place = Placement::new(0.0, 0.0, table);
            pizza(canvas, random, &place, (start, start + TAU), &recipe);
            cuts(canvas, &place.turned(start).lift(0.065), slice);
        }
        1 => {
            let table = dish::lay(canvas, random, (1.05, 1.05));
            let start = random.between(0.2, 2.0);
            let place = Placement::new(-0.05, -0.05, table);
            pizza(canvas, random, &place, (start + slice, start + TAU), &recipe);
            let middle = start + slice * 0.5;
            let taken = Placement::new(0.42 * middle.cos(), 0.42 * middle.sin(), table);
            pizza(canvas, random, &taken, (start, start + slice), &recipe);
        }
        2 => slices(canvas, random, &recipe, (slice, &[(0.0, 0.0, 1.5)])),
        _ => slices(canvas, random, &recipe, (slice, &[(-0.42, 0.0, 1.3), (0.42, 0.05, 1.3)])),
    }
}

/// Single slices of this angle around these middles, in these sizes; neighbours point opposite ways.
fn slices(canvas: &mut SceneCanvas, random: &mut Random, recipe: &Recipe, cut: (f32, &[(f32, f32, f32)])) {
    let (slice, spots) = cut;
    let table = dish::lay(canvas, random, if spots.len() > 1 { (1.0, 0.85) } else { (0.8, 0.8) });
    let mut heading = random.pick([-1.0, 1.0]) * std::f32::consts::FRAC_PI_2 + random.around(0.0, 0.3);
    for (x, y, scale) in spots {
        let tip = Placement::new(*x, *y, table).scaled(*scale).shift(-0.6 * heading.cos(), -0.6 * heading.sin());
        pizza(canvas, random, &tip, (heading - slice * 0.5, heading + slice * 0.5), recipe);
        heading += std::f32::consts::PI;
    }
}

fn recipe(random: &mut Random) -> Recipe {
    let mut all = [
        Topping::Mushroom,
        Topping::Olive,
        Topping::Basil,
        Topping::Onion,
        Topping::Pepper,
        Topping::Tomato,
        Topping::Mozzarella,
    ];
    random.shuffle(&mut all);
    let mut toppings: Vec<Topping> = all.into_iter().take(random.count(1, 3)).collect();
    if random.chance(0.55) {
        toppings.insert(0, Topping::Salami);
    }
    Recipe {
        dough: hex(random.pick([0xd9a55c, 0xc98f48, 0xe0b878, 0xb97f42])),
        sauce: hex(random.pick([0xb5361d, 0xa52a17, 0xc2512a, 0xe9dfc4])),
        cheese: hex(random.pick([0xf0cf6f, 0xf3dd97, 0xe8b84f, 0xf4e7c0])),
        toppings,
    }
}

impl PizzaSector {
    fn outline(&self, radius: f32) -> Shape {
        let steps = ((self.to - self.from) * 11.0) as usize + 4;
        let arc = (0..=steps).map(|step| {
            let angle = self.from + (self.to - self.from) * step as f32 / steps as f32;
            let reach = radius * self.shape.at(angle);
            (reach * angle.cos(), reach * angle.sin())
        });
        let tip = if self.to - self.from < TAU - 0.01 { Some((0.0, 0.0)) } else { None };
        polygon(arc.chain(tip))
    }

    /// Points that lie on the piece with room for something of this size around them.
    fn spots(&self, random: &mut Random, count: usize, room: f32) -> Vec<(f32, f32)> {
        let mut spots: Vec<(f32, f32)> = Vec::new();
        let whole = self.to - self.from > TAU - 0.01;
        for _ in 0..count * 14 {
            let (angle, radius) = (random.between(self.from, self.to), random.unit().sqrt() * (0.84 - room));
            let inside =
                whole || (radius * (angle - self.from).sin().abs()).min(radius * (self.to - angle).sin().abs()) > room;
            let spot = (radius * angle.cos(), radius * angle.sin());
            let free = spots.iter().all(|other| (other.0 - spot.0).hypot(other.1 - spot.1) > room * 2.1);
            if inside && free && spots.len() < count {
                spots.push(spot);
            }
        }
        spots
    }
}

fn pizza(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, sector: (f32, f32), recipe: &Recipe) {
    let piece = PizzaSector { from: sector.0, to: sector.1, shape: Wobble::new(random, 0.015, 2, 7) };
    let share = (sector.1 - sector.0) / TAU;
    canvas.shadow(place, 0.1, &|spread| piece.outline(0.99 + spread * 0.6));
    let crust = slab(1.0, 0.13, 0.05);
    canvas.solid(
        place,
        &Solid {
            profile: &|way| (crust(way).0 * 0.5, crust(way).1),
            outline: &|radius| piece.outline(radius),
            colour: &|way| recipe.dough.lit(0.7 + 0.3 * way),
        },
    );
    let rim = |way: f32| (0.06 + 0.07 * (way * std::f32::consts::PI).sin(), 1.0 - 0.17 * way);
    canvas.solid(
        place,
        &Solid {
            profile: &rim,
            outline: &|radius| piece.outline(radius),
            colour: &|way| recipe.dough.lit(1.08 - 0.2 * (way - 0.4).abs()),
        },
    );
    scorch(canvas, random, place, &piece, share);
    let top = place.lift(0.06);
    canvas.fill(&piece.outline(0.85), &top, recipe.sauce.ink());
    cheese(canvas, random, &top, &piece, (recipe, share));
    for topping in &recipe.toppings {
        let (count, size) = portion(*topping);
        let count = ((count as f32 * share).ceil() as usize).max(2);
        for (x, y) in piece.spots(random, count, size) {
            let spot = top.shift(x, y).turned(random.angle());
            put(canvas, random, &spot, (*topping, size));
        }
    }
}

fn scorch(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, piece: &PizzaSector, share: f32) {
    for _ in 0..(46.0 * share) as usize {
        let angle = random.between(piece.from + 0.06, piece.to - 0.06);
        let reach = random.between(0.88, 0.97);
        let spot = place.shift(reach * angle.cos(), reach * angle.sin()).lift(0.12).turned(angle + 1.57);
        let size = random.between(0.02, 0.07);
        let tone = [(0.0, hex(0x5a2f14).fade(0.6)), (1.0, hex(0x7a4a1c).fade(0.0))];
        canvas.fill(&rounded(size * 1.5, size * 0.8, 2.0), &spot, around((0.0, 0.0), size * 1.3, &tone));
    }
}

fn cheese(canvas: &mut SceneCanvas, random: &mut Random, top: &Placement, piece: &PizzaSector, melt: (&Recipe, f32)) {
    let (recipe, share) = melt;
    let edge = Wobble::new(random, 0.035, 5, 15);
    let melted = PizzaSector { from: piece.from, to: piece.to, shape: edge };
    canvas.fill(&melted.outline(0.8), &top.lift(0.005), recipe.cheese.ink());
    for (x, y) in piece.spots(random, (60.0 * share) as usize + 3, 0.05) {
        let size = random.between(0.06, 0.16);
        let blob = Wobble::new(random, 0.2, 2, 5);
        let tone = if random.chance(0.55) { recipe.cheese.lit(1.25) } else { recipe.cheese.mix(recipe.sauce, 0.45) };
        let soft = [(0.3, tone.fade(0.85)), (1.0, tone.fade(0.0))];
        canvas.fill(&blob.outline(size.min(0.11)), &top.shift(x, y).lift(0.006), around((0.0, 0.0), size, &soft));
        if random.chance(0.3) {
            canvas.fill(&disc(size * 0.3), &top.shift(x + 0.03, y).lift(0.006), hex(0xa8622a).fade(0.45).ink());
        }
    }
}

fn cuts(canvas: &mut SceneCanvas, place: &Placement, slice: f32) {
    let mut angle = 0.0;
    while angle < TAU - 0.1 {
        canvas.thread(
            place,
            &[
                (0.0, 0.0, 0.0),
                (0.86 * f32::cos(angle), 0.86 * f32::sin(angle), 0.0),
                (f32::cos(angle), f32::sin(angle), -0.01),
            ],
            0.012,
            hex(0x5a2a12).fade(0.55),
        );
        angle += slice;
    }
}
