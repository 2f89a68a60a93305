//! Ingredients that several kinds of food share: leaves, slices, rings, wedges.

use std::f32::consts::TAU;

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, along, around, dark, hex};
use crate::placement::Placement;
use crate::shape::{Wobble, circle_angles, disc, leaf, line, polygon, ring};
use crate::solid::{Solid, slab};

/// A leaf of lettuce with a ruffled edge that rises and falls.
pub fn lettuce(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32, colour: Rgba) {
    let folds = ((radius * place.scale * canvas.camera.unit_px * 0.55) as usize).clamp(18, 44);
    let (shape, ruffle) = (Wobble::new(random, 0.12, 2, 5), Wobble::new(random, 0.9, 7, 13));
    let edge: Vec<(f32, f32, f32)> = circle_angles(folds)
        .map(|angle| {
            let wave = ruffle.at(angle) - 1.0;
            let reach = radius * (shape.at(angle) + wave * 0.07);
            (reach * angle.cos(), reach * angle.sin(), radius * wave * 0.13)
        })
        .collect();
    let base = colour.vary(random, 0.03);
    // The ribs spread from the stem, near one edge.
    let stem = -0.5 * radius;
    canvas.facet(place, &edge, base.lit(0.8).ink());
    for index in 0..folds {
        let (from, to) = (edge[index], edge[(index + 1) % folds]);
        let slope = (to.2 - from.2) / radius * 14.0;
        let inward = (stem + (from.0 - stem) * 0.3, from.1 * 0.3, 0.0);
        let beyond = (stem + (to.0 - stem) * 0.3, to.1 * 0.3, 0.0);
        let (near, far) = (canvas.project(place, inward), canvas.project(place, from));
        let tone = base.lit(0.9 + slope.clamp(-0.35, 0.3));
        let ink = along(near, far, &[(0.0, tone.mix(hex(0xe8edb0), 0.3)), (1.0, tone.lit(1.06))]);
        canvas.facet(place, &[inward, from, to, beyond], ink);
    }
    canvas.fill(&disc(radius * 0.33), &place.shift(stem * 0.7, 0.0), base.mix(hex(0xe8edb0), 0.4).ink());
    for angle in circle_angles(5) {
        let reach = radius * 0.75;
        let vein = line([(stem, 0.0), (reach * angle.cos(), reach * angle.sin())]);
        canvas.stroke(&vein, place, radius * 0.03, hex(0xeaf0c4).fade(0.35));
    }
}

/// A smooth pointed leaf: basil, spinach, rocket.
pub fn basil(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, length: f32) {
    let green = hex(random.pick([0x3f7d2c, 0x4f8f3a, 0x2f6b2a]));
    let width = length * random.between(0.45, 0.62);
    canvas.shadow(place, 0.03, &|spread| leaf(length + spread * 0.5, width + spread * 0.5));
    let lifted = place.lift(0.02);
    canvas.fill(
        &leaf(length, width),
        &lifted,
        along(
            (0.0, -width),
            (0.0, width),
            &[(0.0, green.lit(1.25)), (0.48, green), (0.52, green.lit(0.7)), (1.0, green.lit(0.95))],
        ),
    );
    canvas.stroke(&line([(-length, 0.0), (length * 0.85, 0.0)]), &lifted, length * 0.03, hex(0xb6d38a).fade(0.7));
}

/// A slice of tomato, seeds up.
pub fn tomato_slice(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) {
    let red = hex(0xc8321f).vary(random, 0.03);
    let height = radius * 0.16;
    canvas.solid(place, &Solid { profile: &slab(radius, height, 0.0), outline: &disc, colour: &|_| red });
    let top = place.lift(height);
    canvas.fill(&disc(radius * 0.9), &top, hex(0xe2654a).ink());
    for angle in circle_angles(6) {
        let chamber = top.turned(angle + 0.3).shift(radius * 0.52, 0.0);
        canvas.fill(&leaf(radius * 0.26, radius * 0.24), &chamber, hex(0xb9301c).ink());
        for seed in [-0.09, 0.08] {
            canvas.fill(&disc(radius * 0.045), &chamber.shift(seed * radius, seed * radius), hex(0xe9a878).ink());
        }
    }
    canvas.gloss(&top, 0.0, radius * 0.5, 0.35);
}

/// A slice of cucumber.
pub fn cucumber_slice(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) {
    let height = radius * 0.16;
    canvas.shadow(place, height, &|spread| disc(radius + spread * 0.5));
    canvas.solid(place, &Solid { profile: &slab(radius, height, 0.0), outline: &disc, colour: &|_| hex(0x3c6b2f) });
    let top = place.lift(height).turned(random.angle());
    canvas.fill(
        &disc(radius * 0.92),
        &top,
        around((0.0, 0.0), radius, &[(0.0, hex(0xdfe8b8)), (0.6, hex(0xe6efc8)), (1.0, hex(0xa9c987))]),
    );
    for angle in circle_angles(9) {
        let seed = top.turned(angle).shift(radius * 0.45, 0.0);
        canvas.fill(&leaf(radius * 0.13, radius * 0.06), &seed, hex(0xf6f2cf).ink());
        canvas.stroke(&leaf(radius * 0.13, radius * 0.06), &seed, radius * 0.02, hex(0xa8b878).fade(0.8));
    }
}

/// A ring of onion.
pub fn onion_ring(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) {
    let skin = hex(random.pick([0x9a3f78, 0xb9638f, 0x8c3468]));
    let shape = Wobble::new(random, 0.08, 2, 4);
    canvas.stroke(&shape.outline(radius), place, radius * 0.3, dark(0.15));
    canvas.stroke(&shape.outline(radius), &place.lift(0.02), radius * 0.26, skin);
    canvas.stroke(&shape.outline(radius * 0.96), &place.lift(0.03), radius * 0.12, hex(0xf4e4ee));
}

/// A ring of olive.
pub fn olive_ring(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) {
    let colour = hex(random.pick([0x2e2a26, 0x3b2f3a, 0x6f7a2f]));
    canvas.shadow(place, 0.03, &|spread| disc(radius + spread * 0.4));
    let tone = [(0.4, colour.lit(0.7)), (0.75, colour.lit(1.25)), (1.0, colour)];
    canvas.fill(&ring(radius, radius * 0.42), &place.lift(0.02), around((0.0, 0.0), radius, &tone));
}

/// A wedge of lemon, lying on its side.
pub fn lemon_wedge(canvas: &mut SceneCanvas, place: &Placement) {
    let radius = 0.2;
    canvas.shadow(place, 0.06, &|spread| disc(radius + spread));
    let rind = |way: f32| (0.07 * way, radius);
    canvas.solid(place, &Solid { profile: &rind, outline: &disc, colour: &|_| hex(0xe9c437) });
    let top = place.lift(0.07);
    canvas.fill(&disc(radius * 0.93), &top, hex(0xfaf3cf).ink());
    for angle in circle_angles(8) {
        let from = angle + 0.08;
        let points = (0..6).map(|step| from + step as f32 / 5.0 * (TAU / 8.0 - 0.16));
        let arc = points.map(|turn| (radius * 0.82 * turn.cos(), radius * 0.82 * turn.sin()));
        let tip = (radius * 0.1 * (from + 0.3).cos(), radius * 0.1 * (from + 0.3).sin());
        canvas.fill(&polygon(arc.chain([tip])), &top, hex(0xf3d94e).ink());
    }
    canvas.gloss(&top, 0.0, radius * 0.5, 0.5);
}

/// A little block: feta, croutons, tofu.
pub fn cube(canvas: &mut SceneCanvas, place: &Placement, size: f32, colour: Rgba) {
    let half = size * 0.5;
    let corner = |x: f32, y: f32, z: f32| (x * half, y * half, z * size);
    let top = [corner(-1.0, -1.0, 1.0), corner(1.0, -1.0, 1.0), corner(1.0, 1.0, 1.0), corner(-1.0, 1.0, 1.0)];
    for side in 0..4 {
        let (from, to) = (top[side], top[(side + 1) % 4]);
        let (x, y) = (from.0 + to.0, from.1 + to.1);
        let (sin, cos) = place.turn.sin_cos();
        let normal = ((x * cos - y * sin) / size, (x * sin + y * cos) / size, 0.0);
        if canvas.sees(normal) {
            let tone = canvas.light.on(normal.0 * canvas.light.toward.0 + normal.1 * canvas.light.toward.1, 0.0);
            canvas.facet(place, &[from, to, (to.0, to.1, 0.0), (from.0, from.1, 0.0)], colour.lit(tone).ink());
        }
    }
    canvas.facet(place, &top, colour.lit(1.02).ink());
    canvas.specks(
        &mut Random::new(size.to_bits() as u64),
        &place.lift(size),
        half * 0.8,
        (5, size * 0.05, colour.lit(0.88)),
    );
}

/// A slice of mushroom.
pub fn mushroom_slice(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, size: f32) {
    let flesh = hex(0xe6d8c0).vary(random, 0.03);
    canvas.shadow(place, 0.03, &|spread| disc(size * 0.7 + spread * 0.4));
    let top = place.lift(0.02);
    let outline = polygon(
        (0..=12)
            .map(|step| {
                let angle = std::f32::consts::PI * (1.0 + step as f32 / 12.0);
                (size * angle.cos(), size * angle.sin() * 0.95)
            })
            .chain([
                (size * 0.95, size * 0.25),
                (size * 0.3, size * 0.15),
                (size * 0.26, size * 0.75),
                (-size * 0.26, size * 0.75),
                (-size * 0.3, size * 0.15),
                (-size * 0.95, size * 0.25),
            ]),
    );
    canvas.fill(&outline, &top, flesh.ink());
    canvas.stroke(&outline, &top, size * 0.1, hex(0x9c7c58).fade(0.8));
    canvas.stroke(&line([(-size * 0.6, 0.0), (size * 0.6, 0.0)]), &top, size * 0.14, hex(0x8a6b4b).fade(0.6));
    canvas.gloss(&top, 0.0, size * 0.4, 0.2);
}
