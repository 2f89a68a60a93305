//! Burgers: a bun and, between its halves, a random choice of fillings.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, dark, hex};
use crate::dish;
use crate::fillings::{Filling, lay};
use crate::placement::Placement;
use crate::shape::{disc, rounded};
use crate::solid::{Solid, dome, slab};

/// Serves one burger, or two or three small ones.
pub fn serve(canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
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
        fries(canvas, random, &Placement::new(0.72, -0.1, table));
    }
    spots.sort_by(|one, other| one.1.total_cmp(&other.1));
    for (x, y, scale) in spots {
        burger(canvas, random, &Placement::new(x, y, table).scaled(scale));
    }
}

fn burger(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
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

fn crown(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, bun: Rgba) {
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

fn seeds(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, height: f32, colour: Rgba) {
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

fn skewer(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    canvas.thread(place, &[(0.0, 0.0, -0.02), (0.03, 0.0, 0.5)], 0.02, hex(0xd8b98a));
    let fruit = hex(random.pick([0x7c8a34, 0xc5301f, 0x3f6b34]));
    canvas.ball(&place.lift(0.24).shift(0.015, 0.0), 0.08, fruit, 0.7);
}

fn fries(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
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
