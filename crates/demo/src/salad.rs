//! Salads: leaves and what is mixed among them, in a bowl or on a plate.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, around, hex};
use crate::dish;
use crate::ingredients::{basil, cube, cucumber_slice, lettuce, olive_ring, onion_ring, tomato_slice};
use crate::placement::Placement;
use crate::shape::{disc, leaf, line, rounded};
use crate::solid::Solid;

/// What is mixed among the leaves.
#[derive(Clone, Copy)]
enum Bite {
    CherryTomato,
    TomatoSlice,
    Cucumber,
    Onion,
    Olive,
    Feta,
    Crouton,
    Corn,
    Carrot,
    Egg,
    Rocket,
}

/// Serves one bowl, two small ones, or a plate.
pub fn serve(canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
    match arrangement % 5 {
        3 => {
            let table = dish::plate(canvas, random, &Placement::new(0.0, 0.0, 0.0), 1.2);
            heap(canvas, random, &Placement::new(0.0, 0.0, table), (0.85, 0.3));
        }
        4 => {
            for place in [Placement::new(-0.62, -0.3, 0.0), Placement::new(0.6, 0.25, 0.0)] {
                bowl(canvas, random, &place, 0.66);
            }
        }
        _ => bowl(canvas, random, &Placement::new(0.0, 0.0, 0.0), 1.08),
    }
}

fn bowl(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) {
    let rim = dish::bowl(canvas, random, place, radius);
    let inside = place.lift(rim - radius * 0.1).scaled(radius);
    let height = random.between(0.2, 0.42);
    heap(canvas, random, &inside, (0.84, height));
}

/// Heaps a salad over a disc of this radius, as high as this in its middle, from the back to the front and upward.
fn heap(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, size: (f32, f32)) {
    let greens = leaves(random);
    let ground = greens[0].lit(0.45);
    canvas.fill(&disc(size.0), place, ground.ink());
    let bites = bites(random);
    for level in 0..3 {
        let inward = 1.0 - level as f32 * 0.3;
        for (x, y) in covering(random, 20 - level * 7) {
            let (x, y) = (x * size.0 * inward * 0.92, y * size.0 * inward * 0.92);
            let spot = on_heap(place, size, (x, y)).turned(random.angle());
            let green = greens[random.count(0, greens.len() - 1)];
            let radius = random.between(0.26, 0.36);
            lettuce(canvas, random, &spot, radius, green.lit(0.72 + 0.16 * level as f32));
        }
        for (x, y) in spread(random, 5 + level * 3, 0.2) {
            let (x, y) = (x * size.0 * inward * 0.85, y * size.0 * inward * 0.85);
            let spot = on_heap(place, size, (x, y)).lift(0.05).turned(random.angle());
            let bite = bites[random.count(0, bites.len() - 1)];
            put(canvas, random, &spot, bite);
        }
    }
}

/// The place on the surface of a heap above a point of its ground.
fn on_heap(place: &Placement, size: (f32, f32), point: (f32, f32)) -> Placement {
    let way = (point.0.hypot(point.1) / size.0).min(1.0);
    place.shift(point.0, point.1).lift(size.1 * (1.0 - way * way) + 0.03)
}

/// Points that cover the unit disc evenly, in the order of a sunflower's seeds, the farthest from the viewer first.
fn covering(random: &mut Random, count: usize) -> Vec<(f32, f32)> {
    let start = random.angle();
    let seed = |index: usize| {
        let (angle, radius) = (start + index as f32 * 2.399_963, ((index as f32 + 0.7) / count as f32).sqrt().min(1.0));
        (angle.cos() * radius + random.around(0.0, 0.06), angle.sin() * radius)
    };
    let mut spots: Vec<(f32, f32)> = (0..count).map(seed).collect();
    spots.sort_by(|one, other| one.1.total_cmp(&other.1));
    spots
}

/// Points of the unit disc at least `room` apart, the farthest from the viewer first.
fn spread(random: &mut Random, count: usize, room: f32) -> Vec<(f32, f32)> {
    let mut spots: Vec<(f32, f32)> = Vec::new();
    for _ in 0..count * 8 {
        let spot = random.in_disc();
        let free = spots.iter().all(|other| (other.0 - spot.0).hypot(other.1 - spot.1) > room);
        if free && spots.len() < count {
            spots.push(spot);
        }
    }
    spots.sort_by(|one, other| one.1.total_cmp(&other.1));
    spots
}

fn leaves(random: &mut Random) -> Vec<Rgba> {
    let mixtures: [&[u32]; 4] = [
        &[0x6fae3a, 0x8cc152, 0x4f8f35],
        &[0x3f7d2c, 0x5c9a3c, 0x7a2a4a],
        &[0xa5c95a, 0xc3d97c, 0x7fb341],
        &[0x4f8f35, 0x8a3550, 0x9cc45a],
    ];
    random.pick(mixtures).iter().map(|green| hex(*green).vary(random, 0.03)).collect()
}

fn bites(random: &mut Random) -> Vec<Bite> {
    let mut all = [
        Bite::CherryTomato,
        Bite::TomatoSlice,
        Bite::Cucumber,
        Bite::Onion,
        Bite::Olive,
        Bite::Feta,
        Bite::Crouton,
        Bite::Corn,
        Bite::Carrot,
        Bite::Egg,
        Bite::Rocket,
    ];
    random.shuffle(&mut all);
    all.into_iter().take(random.count(3, 5)).collect()
}

fn put(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, bite: Bite) {
    match bite {
        Bite::CherryTomato => {
            canvas.shadow(place, 0.08, &|spread| disc(0.09 + spread * 0.6));
            canvas.ball(place, 0.11, hex(0xcf3a26).vary(random, 0.04), 0.8);
        }
        Bite::TomatoSlice => tomato_slice(canvas, random, place, 0.16),
        Bite::Cucumber => cucumber_slice(canvas, random, place, 0.16),
        Bite::Onion => onion_ring(canvas, random, place, 0.15),
        Bite::Olive => olive_ring(canvas, random, place, 0.085),
        Bite::Feta => cube(canvas, place, 0.14, hex(0xf8f4ea)),
        Bite::Crouton => cube(canvas, place, 0.15, hex(0xcf9a50).vary(random, 0.04)),
        Bite::Corn => {
            for _ in 0..7 {
                let spot = place.shift(random.around(0.0, 0.1), random.around(0.0, 0.1));
                canvas.ball(&spot, 0.035, hex(0xf2c838).vary(random, 0.04), 0.5);
            }
        }
        Bite::Carrot => {
            for _ in 0..9 {
                let spot = place.shift(random.around(0.0, 0.09), random.around(0.0, 0.09)).turned(random.angle());
                let shred = line([(-0.11, 0.0), (-0.03, 0.02), (0.04, 0.015), (0.11, -0.02)]);
                canvas.stroke(&shred, &spot, 0.022, hex(0xe07a22).vary(random, 0.05));
            }
        }
        Bite::Egg => boiled_egg(canvas, place),
        Bite::Rocket => basil(canvas, random, place, 0.2),
    }
}

fn boiled_egg(canvas: &mut SceneCanvas, place: &Placement) {
    canvas.shadow(place, 0.06, &|spread| rounded(0.17 + spread * 0.6, 0.13 + spread * 0.6, 2.2));
    let wall = |way: f32| (0.06 * way, -0.05 * (1.0 - way));
    let outline = |radius: f32| rounded(0.17 + radius, 0.13 + radius, 2.1);
    canvas.solid(place, &Solid { profile: &wall, outline: &outline, colour: &|_| hex(0xf3ede0) });
    let top = place.lift(0.06);
    canvas.fill(&outline(0.0), &top, hex(0xfdfaf2).ink());
    let yolk = [(0.0, hex(0xf5c23c)), (0.8, hex(0xf0b02c)), (1.0, hex(0xe0a030))];
    canvas.fill(&disc(0.082), &top.shift(0.025, 0.0), around((0.0, 0.0), 0.082, &yolk));
    canvas.fill(&leaf(0.03, 0.012), &top.shift(0.0, -0.02), hex(0x4f8a34).ink());
}
