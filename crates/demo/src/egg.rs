//! Fried eggs: in the pan, on a plate, on toast.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, around, dark, hex, white};
use crate::dish;
use crate::ingredients::{basil, lettuce};
use crate::placement::Placement;
use crate::shape::{Shape, Wobble, disc, polygon, rounded};
use crate::solid::{Solid, dome, slab};
use crate::texture::Grain;

/// Serves eggs in a pan, on a plate with a side, or on toast.
pub fn serve(canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
    match arrangement % 6 {
        0 => in_pan(canvas, random, &[(0.05, 0.0, 1.15)]),
        1 => on_plate(canvas, random, &[(-0.38, -0.08, 0.95), (0.38, 0.12, 0.95)]),
        2 => on_toast(canvas, random, &[(0.0, 0.0, 1.1)]),
        3 => in_pan(canvas, random, &[(-0.33, -0.28, 0.8), (0.36, -0.2, 0.8), (-0.02, 0.36, 0.8)]),
        4 => on_plate(canvas, random, &[(0.1, 0.0, 1.35)]),
        _ => on_toast(canvas, random, &[(-0.55, -0.15, 0.82), (0.55, 0.15, 0.82)]),
    }
}

fn in_pan(canvas: &mut SceneCanvas, random: &mut Random, spots: &[(f32, f32, f32)]) {
    let place = Placement::new(0.0, 0.0, 0.0);
    let floor = dish::pan(canvas, random, &place, 1.12);
    for _ in 0..26 {
        let (x, y) = random.in_disc();
        let size = random.between(0.01, 0.05);
        let drop = place.shift(x * 0.88, y * 0.88).lift(floor);
        canvas.fill(&disc(size), &drop, hex(0xd9a84a).fade(0.3).ink());
        canvas.fill(&disc(size * 0.4), &drop, white(0.3).ink());
    }
    for (x, y, scale) in spots {
        egg(canvas, random, &Placement::new(*x, *y, floor).scaled(*scale));
    }
}

fn on_plate(canvas: &mut SceneCanvas, random: &mut Random, spots: &[(f32, f32, f32)]) {
    let table = dish::lay(canvas, random, (0.95, 0.85));
    if random.chance(0.5) {
        for lane in 0..random.count(2, 3) {
            bacon(canvas, random, &Placement::new(0.0, -0.6 + lane as f32 * 0.17, table));
        }
    } else if random.chance(0.5) {
        let green = hex(random.pick([0x6fae3a, 0x4f8f35]));
        lettuce(canvas, random, &Placement::new(-0.55, -0.3, table + 0.02), 0.45, green);
    }
    for (x, y, scale) in spots {
        egg(canvas, random, &Placement::new(*x, *y, table + 0.03).scaled(*scale));
    }
    if random.chance(0.4) {
        let sprig = Placement::new(0.5, 0.5, table + 0.05);
        let turn = random.angle();
        basil(canvas, random, &sprig.turned(turn), 0.17);
        basil(canvas, random, &sprig.shift(0.1, 0.04).turned(turn + 2.0), 0.15);
    }
}

fn on_toast(canvas: &mut SceneCanvas, random: &mut Random, spots: &[(f32, f32, f32)]) {
    let table = dish::lay(canvas, random, if spots.len() > 1 { (1.15, 0.8) } else { (0.85, 0.8) });
    for (x, y, scale) in spots {
        let place = Placement::new(*x, *y, table).scaled(*scale).turned(random.around(0.0, 0.5));
        toast(canvas, random, &place);
        egg(canvas, random, &place.lift(0.13).scaled(0.86));
    }
}

fn toast(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let crust = hex(random.pick([0xb5763a, 0x9a602d, 0x7d4d26]));
    let outline = |spread: f32| rounded(0.64 + spread, 0.6 + spread, 4.5);
    canvas.shadow(place, 0.15, &outline);
    let wall = |way: f32| (0.12 * way, 0.0);
    canvas.solid(place, &Solid { profile: &wall, outline: &outline, colour: &|way| crust.lit(0.7 + 0.3 * way) });
    let crumb = [(0.0, hex(0xeccb8e)), (0.7, hex(0xdcae68)), (1.0, crust)];
    canvas.fill(&outline(-0.035), &place.lift(0.12), around((0.0, 0.0), 0.8, &crumb));
    let grain = Grain { opacity: 0.3, size: (0.9, 0.9), turn_degrees: 0.0, offset: random.between(0.0, 9.0) };
    canvas.grain(&outline(-0.035), &place.lift(0.12), grain);
}

fn egg(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let place = place.turned(random.angle());
    let shape = Wobble::new(random, 0.1, 2, 6);
    let rim = shape.clone();
    let outline = move |radius: f32| -> Shape { rim.outline(radius) };
    canvas.shadow(&place, 0.05, &|spread| shape.outline(0.6 + spread * 0.5));
    let crisp = random.between(0.0, 1.0);
    let brown = hex(0xfff8ea).mix(hex(0xa8672a), crisp);
    canvas.fill(&outline(0.605), &place, brown.lit(0.85).ink());
    let profile = slab(0.6, 0.06, 0.05);
    let albumen = |way: f32| brown.mix(hex(0xfdfbf4), (way * 2.2).min(1.0));
    canvas.solid(&place, &Solid { profile: &profile, outline: &outline, colour: &albumen });
    let top = place.lift(0.06);
    let sheen = [(0.0, hex(0xfffefa)), (0.65, hex(0xf9f5ea)), (1.0, hex(0xeee4d0).mix(brown, 0.4))];
    canvas.fill(&outline(0.54), &top, around((0.0, 0.0), 0.6, &sheen));
    bubbles(canvas, random, &top, &shape, crisp);
    let off = random.in_disc();
    yolk(canvas, random, &top.shift(off.0 * 0.14, off.1 * 0.14));
    if random.chance(0.6) {
        canvas.specks(random, &place.lift(0.07), 0.5, (45, 0.008, dark(0.75)));
    }
    if random.chance(0.35) {
        chives(canvas, random, &place.lift(0.08));
    }
}

fn bubbles(canvas: &mut SceneCanvas, random: &mut Random, top: &Placement, shape: &Wobble, crisp: f32) {
    for _ in 0..34 {
        let angle = random.angle();
        let reach = shape.at(angle) * random.between(0.36, 0.55);
        let spot = top.shift(reach * angle.cos(), reach * angle.sin());
        let size = random.between(0.012, 0.04);
        let soft = [(0.0, white(0.9)), (0.6, hex(0xefe6d4).fade(0.5)), (1.0, hex(0xb98a50).fade(0.3 * crisp))];
        canvas.fill(&disc(size), &spot, around((-size * 0.3, -size * 0.3), size * 1.3, &soft));
    }
}

fn yolk(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let yellow: Rgba = hex(random.pick([0xf6b21b, 0xf9c22e, 0xf29a12, 0xef8410]));
    let (radius, height) = (random.between(0.22, 0.26), random.between(0.11, 0.16));
    canvas.fill(&disc(radius * 1.12), place, hex(0xd9a55a).fade(0.3).ink());
    canvas.solid(
        place,
        &Solid { profile: &dome(radius, height), outline: &disc, colour: &|way| yellow.lit(0.85 + 0.2 * way) },
    );
    canvas.gloss(place, height * 0.9, radius * 0.45, 0.85);
    let toward = place.local(canvas.light.toward);
    let glint = place.lift(height).shift(toward.0 * radius * 0.5, toward.1 * radius * 0.5).turned(-place.turn);
    canvas.fill(&rounded(radius * 0.16, radius * 0.1, 2.0), &glint, white(0.9).ink());
}

fn chives(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    for _ in 0..16 {
        let (x, y) = random.in_disc();
        let spot = place.shift(x * 0.42, y * 0.42).turned(random.angle());
        canvas.fill(&rounded(0.035, 0.014, 4.0), &spot, hex(0x4f8a34).vary(random, 0.06).ink());
    }
}

fn bacon(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let (phase, red) = (random.angle(), hex(0x9c3a24).vary(random, 0.03));
    let strip = |from: f32, to: f32| {
        let wave = move |step: usize, side: f32| {
            let x = step as f32 / 15.0 - 1.0;
            (x * 0.72, side + 0.035 * (x * 9.0 + phase).sin())
        };
        polygon((0..=30).map(move |step| wave(step, from)).chain((0..=30).rev().map(move |step| wave(step, to))))
    };
    canvas.fill(&strip(-0.075, 0.095), place, dark(0.3).ink());
    for (from, to, colour) in [
        (-0.085, 0.075, red),
        (-0.05, -0.02, hex(0xe9b893)),
        (0.02, 0.038, hex(0xe0a57c)),
        (-0.085, -0.07, red.lit(0.6)),
    ] {
        canvas.fill(&strip(from, to), &place.lift(0.03), colour.ink());
    }
}
