//! Sushi rolled in seaweed.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, along, dark, hex, white};
use crate::placement::Placement;
use crate::shape::{Shape, Wobble, disc, line, rounded};
use crate::solid::{Solid, slab};

/// Grains of rice scattered over a flat disc.
fn grains(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, reach: (f32, f32), count: usize) {
    for _ in 0..count {
        let (x, y) = random.in_disc();
        let spot = place.shift(x * reach.0, y * reach.1).turned(random.angle());
        let grain = hex(0xfbf8f0).vary(random, 0.025);
        canvas.fill(&rounded(0.036, 0.019, 2.4), &spot.lift(-0.008), hex(0xa59c88).fade(0.45).ink());
        canvas.fill(&rounded(0.033, 0.016, 2.4), &spot, grain.ink());
    }
}

/// Grains of rice on an upright wall of this half width, half depth and height.
pub fn side_grains(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, wall: (f32, f32, f32)) {
    let (half_width, half_depth, height) = wall;
    for _ in 0..110 {
        let angle = random.angle();
        let turned = angle + place.turn;
        if !canvas.sees((turned.cos(), turned.sin(), 0.0)) {
            continue;
        }
        let bend = |value: f32| value.abs().powf(0.7).copysign(value);
        let (x, y, z) =
            (half_width * bend(angle.cos()), half_depth * bend(angle.sin()), height * random.between(0.2, 0.95));
        let tilt = random.around(0.0, 0.03);
        let tone = if random.chance(0.3) { hex(0xd9d0be) } else { hex(0xfdfaf3) };
        canvas.thread(place, &[(x - 0.02, y, z - tilt), (x + 0.02, y, z + tilt)], 0.026, tone.fade(0.7));
    }
}

/// A slice of a roll in seaweed.
pub fn roll(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, core: Rgba) {
    let (radius, height) = (0.31, 0.36);
    canvas.shadow(place, height, &|spread| disc(radius + spread));
    let nori = hex(0x1d2a23);
    canvas.solid(
        place,
        &Solid { profile: &|way| (height * way, radius), outline: &disc, colour: &|way| nori.lit(0.9 + 0.5 * way) },
    );
    let top = place.lift(height);
    canvas.fill(&disc(radius * 0.9), &top, hex(0xe9e3d4).ink());
    grains(canvas, random, &top, (radius * 0.82, radius * 0.82), 95);
    filling(canvas, random, &top, core, radius * 0.46);
}

/// A slice of a roll with its rice outside.
pub fn inside_out(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, core: Rgba) {
    let (radius, height) = (0.34, 0.32);
    canvas.shadow(place, height, &|spread| disc(radius + spread));
    canvas.solid(place, &Solid { profile: &slab(radius, height, 0.04), outline: &disc, colour: &|_| hex(0xefe9db) });
    side_grains(canvas, random, place, (radius * 0.97, radius * 0.97, height));
    let top = place.lift(height);
    grains(canvas, random, &top, (radius * 0.9, radius * 0.9), 110);
    canvas.fill(&disc(radius * 0.62), &top, hex(0x1d2a23).ink());
    canvas.fill(&disc(radius * 0.54), &top, hex(0xf1ecdf).ink());
    filling(canvas, random, &top, core, radius * 0.45);
    let coat = random.pick([hex(0xe8702a), hex(0x2b2622), hex(0xe9d2a0), hex(0x4f8a34)]);
    for _ in 0..46 {
        let (angle, z) = (random.angle(), height * random.between(0.1, 1.0));
        let turned = angle + place.turn;
        if canvas.sees((turned.cos(), turned.sin(), 0.1)) {
            canvas.thread(
                place,
                &[
                    (radius * angle.cos(), radius * angle.sin(), z),
                    (radius * angle.cos() + 0.012, radius * angle.sin(), z),
                ],
                0.034,
                coat.vary(random, 0.05),
            );
        }
    }
}

/// What a roll is filled with.
fn filling(canvas: &mut SceneCanvas, random: &mut Random, top: &Placement, core: Rgba, size: f32) {
    let place = top.turned(random.angle());
    canvas.fill(&disc(size * 1.05), &place, dark(0.18).ink());
    let shape = Wobble::new(random, 0.12, 2, 4);
    canvas.fill(
        &shape.outline(size),
        &place,
        along((-size, -size), (size, size), &[(0.0, core.lit(1.2)), (1.0, core.lit(0.85))]),
    );
    if random.chance(0.5) {
        let green = hex(0x86b048);
        canvas.fill(
            &rounded(size * 0.42, size * 0.85, 4.0),
            &place.shift(size * 0.45, 0.0),
            along((0.0, 0.0), (size * 0.4, 0.0), &[(0.0, hex(0xd5e3a0)), (1.0, green)]),
        );
    }
    canvas.stroke(&line([(-size * 0.5, -size * 0.3), (size * 0.1, -size * 0.5)]), &place, size * 0.1, white(0.5));
}

/// Roe on rice within a band of seaweed.
pub fn boat(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let outline = |grow: f32| -> Shape { rounded(0.4 + grow, 0.22 + grow, 2.3) };
    canvas.shadow(place, 0.3, &outline);
    let nori = hex(0x1d2a23);
    canvas.solid(
        place,
        &Solid { profile: &|way| (0.3 * way, 0.0), outline: &outline, colour: &|way| nori.lit(0.9 + 0.5 * way) },
    );
    let top = place.lift(0.3);
    canvas.fill(&outline(-0.03), &top, hex(0xb8401c).ink());
    let roe = hex(random.pick([0xf0682a, 0xe8492a, 0xf59a3a]));
    let mut spots: Vec<(f32, f32)> = (0..38).map(|_| random.in_disc()).collect();
    spots.sort_by(|one, other| one.1.total_cmp(&other.1));
    for (x, y) in spots {
        canvas.ball(&top.shift(x * 0.33, y * 0.16).lift(-0.02), 0.055, roe.vary(random, 0.03), 0.85);
    }
}
