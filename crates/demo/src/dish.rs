//! What food is served on: plates, boards, slates, paper, bowls and pans. Each returns the height of its surface.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, along, dark, hex, white};
use crate::placement::Placement;
use crate::shape::{Shape, circle_angles, disc, ring, rounded};
use crate::solid::Solid;
use crate::texture::Grain;

/// Draws a plate, board, slate, tray or paper with room for this half width and half depth.
pub fn lay(canvas: &mut SceneCanvas, random: &mut Random, half: (f32, f32)) -> f32 {
    let place = Placement::new(0.0, 0.0, 0.0);
    match random.count(0, 9) {
        0..=4 => plate(canvas, random, &place, half.0.max(half.1) * 1.22),
        5..=6 => board(canvas, random, &place, half),
        7 => slate(canvas, &place, half),
        8 => tray(canvas, random, &place, half),
        _ => paper(canvas, random, half),
    }
}

/// A glaze for plates, bowls and cups.
pub fn glaze(random: &mut Random) -> Rgba {
    hex(random.pick([
        0xf7f5f0, 0xf7f5f0, 0xeae4d6, 0xdfe7ea, 0x4d5560, 0x9fb8b0, 0xc97b5a, 0x6d8fb3, 0xe6b89c, 0x2f4858, 0xd9a441,
    ]))
}

/// A round plate with a rim.
pub fn plate(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) -> f32 {
    let colour = glaze(random);
    let height = 0.09 * radius;
    canvas.shadow(place, height * 1.6, &|spread| disc(radius * 0.92 + spread));
    let under = |way: f32| (height * way, radius * (0.62 + 0.38 * way));
    canvas.wide_solid(place, &Solid { profile: &under, outline: &disc, colour: &|way| colour.lit(0.6 + 0.3 * way) });
    let inside = |way: f32| (height * (1.0 - 0.65 * way.powf(0.7)), radius * (1.0 - 0.34 * way));
    canvas.wide_solid(place, &Solid { profile: &inside, outline: &disc, colour: &|_| colour });
    let well = place.lift(height * 0.35);
    let toward = place.local(canvas.light.toward);
    let span = (toward.0 * radius * 0.7, toward.1 * radius * 0.7);
    let sheen = along(span, (-span.0, -span.1), &[(0.0, colour.lit(0.93)), (1.0, colour.lit(1.06))]);
    canvas.fill(&disc(radius * 0.66), &well, sheen);
    canvas.stroke(&disc(radius * 0.66), &well, radius * 0.012, dark(0.12));
    decorate(canvas, random, &place.lift(height), radius);
    height * 0.35
}

fn decorate(canvas: &mut SceneCanvas, random: &mut Random, rim: &Placement, radius: f32) {
    let paint = hex(random.pick([0x2f5d9b, 0xa63d40, 0x3a6b4c, 0xc8963e, 0x3b3b3b]));
    match random.count(0, 4) {
        0 => canvas.stroke(&disc(radius * 0.985), rim, radius * 0.025, paint),
        1 => {
            canvas.stroke(&disc(radius * 0.96), rim, radius * 0.012, paint);
            canvas.stroke(&disc(radius * 0.9), rim, radius * 0.03, paint.fade(0.8));
        }
        2 => {
            for angle in circle_angles(28) {
                let spot = rim.shift(angle.cos() * radius * 0.92, angle.sin() * radius * 0.92);
                canvas.fill(&disc(radius * 0.02), &spot, paint.ink());
            }
        }
        _ => canvas.stroke(&disc(radius * 0.99), rim, radius * 0.012, white(0.5)),
    }
}

/// A rounded wooden board.
pub fn board(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, half: (f32, f32)) -> f32 {
    let colour = hex(random.pick([0xc99a62, 0xa8743f, 0xdcb888, 0x7d5233]));
    let power = random.pick([2.0, 3.5, 6.0, 8.0]);
    let grow = if power < 3.0 { 1.3 } else { 1.12 };
    let outline = |radius: f32| rounded(half.0 * grow + radius, half.1 * grow + radius, power);
    slab_of(canvas, place, 0.1, &outline, colour);
    let top = place.lift(0.1);
    let offset = random.between(0.0, 9.0);
    canvas.grain(&outline(0.0), &top, Grain { opacity: 0.4, size: (6.0, 0.4), turn_degrees: 0.0, offset });
    canvas.grain(&outline(0.0), &top, Grain { opacity: 0.2, size: (3.0, 2.0), turn_degrees: 0.0, offset });
    0.1
}

fn slate(canvas: &mut SceneCanvas, place: &Placement, half: (f32, f32)) -> f32 {
    let outline = |radius: f32| rounded(half.0 * 1.12 + radius, half.1 * 1.12 + radius, 14.0);
    slab_of(canvas, place, 0.05, &outline, hex(0x3a3f44));
    canvas.grain(
        &outline(0.0),
        &place.lift(0.05),
        Grain { opacity: 0.35, size: (2.0, 1.2), turn_degrees: 20.0, offset: 2.0 },
    );
    0.05
}

fn tray(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, half: (f32, f32)) -> f32 {
    let colour = glaze(random);
    let outline = |radius: f32| rounded(half.0 * 1.2 + radius, half.1 * 1.2 + radius, 5.0);
    slab_of(canvas, place, 0.07, &outline, colour);
    canvas.fill(&outline(-0.05), &place.lift(0.07), colour.lit(0.88).ink());
    canvas.fill(&outline(-0.08), &place.lift(0.05), colour.lit(0.97).ink());
    0.05
}

fn slab_of(canvas: &mut SceneCanvas, place: &Placement, height: f32, outline: &dyn Fn(f32) -> Shape, colour: Rgba) {
    canvas.shadow(place, height * 1.5, outline);
    let wall = |way: f32| (height * way, 0.0);
    canvas.solid(place, &Solid { profile: &wall, outline, colour: &|way| colour.lit(0.45 + 0.25 * way) });
    canvas.fill(&outline(0.0), &place.lift(height), colour.ink());
    canvas.stroke(&outline(-0.006), &place.lift(height), 0.012, white(0.25));
}

fn paper(canvas: &mut SceneCanvas, random: &mut Random, half: (f32, f32)) -> f32 {
    let place = Placement::new(0.0, 0.0, 0.005).turned(random.around(0.0, 0.4));
    let colour = hex(random.pick([0xf4efe4, 0xd2b48c, 0xfafafa]));
    let outline = |radius: f32| rounded(half.0 * 1.25 + radius, half.1 * 1.25 + radius, 16.0);
    canvas.shadow(&place, 0.05, &outline);
    canvas.fill(&outline(0.0), &place, colour.ink());
    canvas.grain(&outline(0.0), &place, Grain { opacity: 0.13, size: (2.6, 1.8), turn_degrees: 33.0, offset: 1.0 });
    0.01
}

/// A bowl, empty; returns the height of its rim.
pub fn bowl(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) -> f32 {
    let wooden = random.chance(0.3);
    let colour = if wooden { hex(random.pick([0x9a6a3d, 0xb98450, 0x6e472a])) } else { glaze(random) };
    let height = radius * random.between(0.45, 0.6);
    canvas.shadow(place, height, &|spread| disc(radius * 0.8 + spread));
    let outside = |way: f32| (height * way, radius * (0.5 + 0.5 * way.powf(0.55)));
    canvas.wide_solid(place, &Solid { profile: &outside, outline: &disc, colour: &|way| colour.lit(0.72 + 0.3 * way) });
    let rim = place.lift(height);
    canvas.fill(&disc(radius), &rim, colour.lit(1.08).ink());
    let toward = place.local(canvas.light.toward);
    let span = (toward.0 * radius, toward.1 * radius);
    let inner = along(span, (-span.0, -span.1), &[(0.0, colour.lit(0.35)), (1.0, colour.lit(0.8))]);
    canvas.fill(&disc(radius * 0.94), &rim, inner);
    height
}

/// An iron pan with its handle; returns the height of its floor.
pub fn pan(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, radius: f32) -> f32 {
    let iron = hex(random.pick([0x2b2b2d, 0x3a3532, 0x51565c, 0x8c3b32, 0x38566b]));
    let handle = place.turned(random.pick([-0.7, 0.5, 2.5, 3.6]) + random.around(0.0, 0.3));
    let height = 0.2 * radius;
    canvas.shadow(place, height, &|spread| disc(radius * 0.95 + spread));
    let grip = handle.shift(radius * 1.55, 0.0);
    canvas.shadow(&grip, height, &|spread| rounded(radius * 0.62 + spread, radius * 0.1 + spread, 4.0));
    let bar = |grow: f32| rounded(radius * 0.62 + grow, radius * 0.11 + grow, 4.0);
    canvas.fill(&bar(0.0), &grip.lift(height * 0.6), iron.lit(0.55).ink());
    canvas.fill(&bar(-0.01), &grip.lift(height * 0.9), iron.lit(1.08).ink());
    canvas.fill(&disc(radius * 0.045), &grip.shift(radius * 0.45, 0.0).lift(height * 0.9), dark(0.8).ink());
    let outside = |way: f32| (height * way, radius * (0.9 + 0.1 * way));
    canvas.wide_solid(place, &Solid { profile: &outside, outline: &disc, colour: &|_| iron.lit(0.85) });
    let inside = |way: f32| (height * (1.0 - 0.85 * way), radius * (0.97 - 0.1 * way));
    canvas.fill(&ring(radius, radius * 0.96), &place.lift(height), iron.lit(1.35).ink());
    canvas.wide_solid(place, &Solid { profile: &inside, outline: &disc, colour: &|_| iron.lit(0.8) });
    let floor = place.lift(height * 0.15);
    canvas.fill(&disc(radius * 0.87), &floor, iron.lit(1.05).ink());
    canvas.grain(
        &disc(radius * 0.87),
        &floor,
        Grain { opacity: 0.18, size: (1.0, 1.0), turn_degrees: 0.0, offset: 3.0 },
    );
    height * 0.15
}
