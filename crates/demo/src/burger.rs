//! Burgers: a bun, and between its halves what the cook put there.

use artificio_random::Random;

use crate::canvas::{Canvas, Place};
use crate::colour::{Colour, dark, hex};
use crate::dish;
use crate::ingredients::{lettuce, onion_ring, tomato_slice};
use crate::shape::{Wobble, disc, rounded};
use crate::solid::{Solid, dome, slab};

/// What may lie between the halves of a bun.
#[derive(Clone, Copy, PartialEq)]
enum Filling {
    Patty,
    Cheese,
    Lettuce,
    Tomato,
    Onion,
    Sauce,
}

/// Serves one burger, or two or three small ones.
pub fn serve(canvas: &mut Canvas, random: &mut Random, arrangement: usize) {
    let count = [1, 1, 2, 1, 1, 3][arrangement % 6];
    let half = if count == 1 { (0.85, 0.75) } else { (1.0, 0.8) };
    let table = dish::lay(canvas, random, half);
    let mut spots = match count {
        1 => vec![(random.around(0.0, 0.15), random.around(0.0, 0.1), 1.15)],
        2 => vec![(-0.5, random.around(-0.1, 0.15), 0.76), (0.48, random.around(0.1, 0.15), 0.76)],
        _ => vec![(-0.5, 0.2, 0.62), (0.5, 0.25, 0.62), (0.02, -0.4, 0.62)],
    };
    if count == 1 && random.chance(0.35) {
        spots[0].0 -= 0.2;
        fries(canvas, random, &Place::new(0.72, -0.1, table));
    }
    spots.sort_by(|one, other| one.1.total_cmp(&other.1));
    for (x, y, scale) in spots {
        burger(canvas, random, &Place::new(x, y, table).scaled(scale));
    }
}

fn burger(canvas: &mut Canvas, random: &mut Random, place: &Place) {
    let bun = hex(random.pick([0xc98743, 0xd89a4e, 0xb9702f, 0xdba862, 0x9c5f2e])).vary(random, 0.03);
    canvas.shadow(place, 0.5, &|spread| disc(0.56 + spread));
    let heel = slab(0.58, 0.17, 0.08);
    canvas.solid(place, &Solid { profile: &heel, outline: &disc, colour: &|way| bun.lit(0.72 + 0.3 * way) });
    canvas.fill(&disc(0.52), &place.lift(0.17), hex(0xf0d9a8).ink());
    let mut height = 0.16;
    for filling in recipe(random) {
        height += lay(canvas, random, &place.lift(height), filling);
    }
    crown(canvas, random, &place.lift(height), bun);
}

fn recipe(random: &mut Random) -> Vec<Filling> {
    let mut layers = Vec::new();
    if random.chance(0.6) {
        layers.push(Filling::Lettuce);
    }
    if random.chance(0.3) {
        layers.push(Filling::Sauce);
    }
    for _ in 0..random.pick([1, 1, 1, 2]) {
        layers.push(Filling::Patty);
        if random.chance(0.75) {
            layers.push(Filling::Cheese);
        }
    }
    let mut toppings = vec![Filling::Tomato, Filling::Onion, Filling::Lettuce];
    random.shuffle(&mut toppings);
    let kept = random.count(1, 3);
    layers.extend(toppings.into_iter().take(kept));
    layers
}

/// Draws a filling and returns its thickness.
fn lay(canvas: &mut Canvas, random: &mut Random, place: &Place, filling: Filling) -> f32 {
    match filling {
        Filling::Patty => patty(canvas, random, place),
        Filling::Cheese => cheese(canvas, random, place),
        Filling::Lettuce => {
            let green = hex(random.pick([0x6fae3a, 0x8cc152, 0x4f8f35]));
            lettuce(canvas, random, place, 0.66, green.lit(0.85));
            lettuce(canvas, random, &place.lift(0.04).turned(2.0), 0.63, green);
            0.08
        }
        Filling::Tomato => {
            for spot in [(-0.2, -0.14), (0.24, -0.05), (-0.22, 0.2), (0.19, 0.24)] {
                tomato_slice(canvas, random, &place.shift(spot.0, spot.1), 0.34);
            }
            0.06
        }
        Filling::Onion => {
            for spot in [(-0.2, 0.1), (0.22, 0.0), (0.0, 0.24)] {
                onion_ring(canvas, random, &place.shift(spot.0, spot.1), 0.32);
            }
            0.04
        }
        Filling::Sauce => {
            let sauce = hex(random.pick([0xb8281c, 0xe7b53a, 0xf0dcb0]));
            let shape = Wobble::new(random, 0.12, 4, 9);
            let drop = |way: f32| (0.05 * way, 0.56);
            canvas
                .solid(place, &Solid { profile: &drop, outline: &|radius| shape.outline(radius), colour: &|_| sauce });
            0.04
        }
    }
}

fn patty(canvas: &mut Canvas, random: &mut Random, place: &Place) -> f32 {
    let meat = hex(random.pick([0x5b3220, 0x6b3c26, 0x4a2a1c, 0x7a4a2c])).vary(random, 0.02);
    let shape = Wobble::new(random, 0.03, 5, 14);
    let outline = |radius: f32| shape.outline(radius);
    canvas.solid(
        place,
        &Solid { profile: &slab(0.6, 0.16, 0.06), outline: &outline, colour: &|way| meat.lit(0.8 + 0.35 * way) },
    );
    for _ in 0..90 {
        let (angle, way) = (random.angle(), random.between(0.15, 0.9));
        if !canvas.sees((angle.cos(), angle.sin(), 0.1)) {
            continue;
        }
        let (x, y) = (0.585 * angle.cos(), 0.585 * angle.sin());
        let colour = if random.chance(0.5) { dark(0.35) } else { hex(0xb07a50).fade(0.5) };
        let length = random.between(0.01, 0.04);
        let (from, to) = ((x, y, 0.16 * way), (x + length, y, 0.16 * way + random.around(0.0, 0.015)));
        canvas.thread(place, &[from, to], random.between(0.012, 0.03), colour);
    }
    0.15
}

fn cheese(canvas: &mut Canvas, random: &mut Random, place: &Place) -> f32 {
    let yellow = hex(random.pick([0xf2b632, 0xf6c94c, 0xe89c2a, 0xf4e2a4]));
    let place = place.turned(random.angle());
    let droop = |x: f32, y: f32, z: f32| {
        let reach = x.hypot(y);
        let over = (reach - 0.58).max(0.0);
        let pull = if reach > 0.58 { (0.58 + over * 0.35) / reach } else { 1.0 };
        (x * pull, y * pull, z - over * 0.85)
    };
    let side = |low: f32| {
        let walk = (0..40).map(move |step| (step / 10, (step % 10) as f32 / 5.0 - 1.0));
        walk.map(move |(edge, way)| match edge {
            0 => droop(way * 0.56, -0.56, low),
            1 => droop(0.56, way * 0.56, low),
            2 => droop(-way * 0.56, 0.56, low),
            _ => droop(-0.56, -way * 0.56, low),
        })
    };
    for (low, tone) in [(-0.005, 0.62), (0.01, 0.75), (0.03, 1.0)] {
        let points: Vec<_> = side(low).collect();
        canvas.facet(&place, &points, yellow.lit(tone).ink());
    }
    0.03
}

fn crown(canvas: &mut Canvas, random: &mut Random, place: &Place, bun: Colour) {
    canvas.fill(&disc(0.59), place, dark(0.3).ink());
    let height = random.between(0.34, 0.44);
    let round = dome(0.62, height);
    let profile = |way: f32| {
        if way < 0.12 {
            (0.06 * way / 0.12, 0.57 + 0.05 * way / 0.12)
        } else {
            let (z, radius) = round((way - 0.12) / 0.88);
            (z + 0.06, radius)
        }
    };
    let tone = |way: f32| hex(0xf0cf94).mix(bun, (way * 3.5).min(1.0)).lit(0.85 + 0.2 * way);
    canvas.solid(place, &Solid { profile: &profile, outline: &disc, colour: &tone });
    canvas.gloss(place, height * 0.85, 0.3, 0.5);
    let seed = random.pick([Some(hex(0xf7e7bf)), Some(hex(0xf7e7bf)), Some(hex(0x2b2622)), None]);
    if let Some(seed) = seed {
        seeds(canvas, random, &place.lift(0.06), height, seed);
    }
    if random.chance(0.2) {
        skewer(canvas, random, &place.lift(height));
    }
}

fn seeds(canvas: &mut Canvas, random: &mut Random, place: &Place, height: f32, colour: Colour) {
    for _ in 0..110 {
        let (x, y) = random.in_disc();
        let (x, y) = (x * 0.93, y * 0.93);
        let up = (1.0 - x * x - y * y).max(0.0).sqrt();
        if !canvas.sees((x * 0.8, y * 0.8, up)) {
            continue;
        }
        let turn = random.angle();
        let at = |way: f32| {
            let (x, y) = (x + turn.cos() * way, y + turn.sin() * way);
            (x * 0.62, y * 0.62, height * (1.0 - x * x - y * y).max(0.0).sqrt())
        };
        canvas.thread(place, &[at(-0.024), at(0.034)], 0.04, dark(0.25));
        canvas.thread(place, &[at(-0.028), at(0.028)], 0.03, colour.vary(random, 0.04));
    }
}

fn skewer(canvas: &mut Canvas, random: &mut Random, place: &Place) {
    canvas.thread(place, &[(0.0, 0.0, -0.02), (0.03, 0.0, 0.5)], 0.02, hex(0xd8b98a));
    let fruit = hex(random.pick([0x7c8a34, 0xc5301f, 0x3f6b34]));
    canvas.ball(&place.lift(0.24).shift(0.015, 0.0), 0.08, fruit, 0.7);
}

fn fries(canvas: &mut Canvas, random: &mut Random, place: &Place) {
    for layer in 0..34 {
        let spot = place
            .shift(random.around(0.0, 0.26), random.around(0.0, 0.3))
            .turned(random.angle())
            .lift(layer as f32 * 0.006);
        let golden = hex(0xe9b949).vary(random, 0.05);
        let (length, width) = (random.between(0.14, 0.26), 0.035);
        canvas.fill(&rounded(length, width, 6.0), &spot.lift(-0.01), dark(0.25).ink());
        canvas.fill(&rounded(length, width, 6.0), &spot, golden.lit(0.8).ink());
        canvas.fill(&rounded(length - 0.01, width * 0.5, 6.0), &spot.lift(0.02), golden.lit(1.1).ink());
    }
}
