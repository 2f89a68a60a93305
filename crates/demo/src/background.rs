//! The table tops that a dish can stand on. Every kind of food is drawn on all of them, so that none is a clue to the kind.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, along, dark, hex, white};
use crate::placement::Placement;
use crate::shape::{Shape, circle_angles, disc, line, polygon};
use crate::texture::Grain;

/// How many table tops there are.
pub const TABLE_TOPS: usize = 7;

/// Half the width of the table, in world units; it ends beyond the frame except in side views.
const REACH: f32 = 9.0;

/// Draws one of the table tops over the whole canvas, and a blurred room behind it when seen from the side.
pub fn draw_table(canvas: &mut SceneCanvas, random: &mut Random, which: usize) {
    let place = Placement::new(0.0, 0.0, 0.0).turned(random.angle());
    match which % TABLE_TOPS {
        0 => wood(canvas, random, &place),
        1 => gingham(canvas, random, &place),
        2 => marble(canvas, random, &place),
        3 => slate(canvas, random, &place),
        4 => plain(canvas, random, &place),
        5 => linen(canvas, random, &place),
        _ => terrazzo(canvas, random, &place),
    }
    if canvas.camera.squash < 0.36 {
        room(canvas, random);
    }
}

fn band(from: f32, to: f32) -> Shape {
    polygon([(-REACH, from), (REACH, from), (REACH, to), (-REACH, to)])
}

fn top(canvas: &mut SceneCanvas, place: &Placement, colour: Rgba) {
    canvas.fill(&band(-REACH, REACH), place, colour.ink());
}

fn noise(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, opacity: f32, size: (f32, f32)) {
    let grain = Grain { opacity, size, turn_degrees: 0.0, offset: random.between(0.0, 9.0) };
    canvas.grain(&band(-REACH, REACH), place, grain);
}

fn wood(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let base = random.pick([hex(0x8a5a34), hex(0xb98a58), hex(0x5a3a26), hex(0xd9c3a0), hex(0x6f7f86), hex(0xe8e4dc)]);
    let plank = random.between(0.55, 1.1);
    let mut edge = -4.5;
    top(canvas, place, base);
    while edge < 4.5 {
        canvas.fill(&band(edge, edge + plank), place, base.vary(random, 0.05).ink());
        edge += plank;
    }
    noise(canvas, random, place, 0.32, (9.0, 0.55));
    let mut seam = -4.5;
    while seam < 4.5 {
        canvas.fill(&band(seam - 0.012, seam + 0.016), place, dark(0.6).ink());
        canvas.fill(&band(seam + 0.016, seam + 0.035), place, white(0.1).ink());
        seam += plank;
    }
}

fn gingham(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let colours = [hex(0xc0392b), hex(0x2e5fa3), hex(0x3f8a54), hex(0xe0a526), hex(0x7a5aa0), hex(0x4a4a4a)];
    let (thread, check) = (random.pick(colours), random.between(0.18, 0.36));
    top(canvas, place, hex(0xf6f2ea));
    let across = place.turned(std::f32::consts::FRAC_PI_2);
    let mut edge = -4.5;
    while edge < 4.5 {
        canvas.fill(&band(edge, edge + check), place, thread.fade(0.5).ink());
        canvas.fill(&band(edge, edge + check), &across, thread.fade(0.5).ink());
        edge += check * 2.0;
    }
    noise(canvas, random, place, 0.16, (1.2, 1.2));
}

fn marble(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let (stone, vein) = random.pick([
        (hex(0xeceae6), hex(0x8d8f94)),
        (hex(0x2c3034), hex(0xcfc9bd)),
        (hex(0xd8cfc0), hex(0x94754f)),
        (hex(0x47604f), hex(0xd6dfd0)),
    ]);
    top(canvas, place, stone);
    noise(canvas, random, place, 0.16, (6.0, 3.0));
    for _ in 0..9 {
        let (mut x, mut y, mut heading) = (-4.5, random.between(-4.0, 4.0), random.around(0.3, 0.3));
        let mut points = vec![(x, y)];
        while x < 4.5 {
            heading = (heading + random.around(0.0, 0.45)).clamp(-0.6, 1.2);
            x += 0.22;
            y += 0.22 * heading.tan();
            points.push((x, y));
        }
        let width = random.between(0.01, 0.035);
        canvas.stroke(&line(points.clone()), place, width * 4.0, vein.fade(0.13));
        canvas.stroke(&line(points), place, width, vein.fade(0.45));
    }
}

fn slate(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let stone = random.pick([hex(0x33383c), hex(0x4b5054), hex(0x2a2d35), hex(0x5d5a57)]);
    top(canvas, place, stone);
    noise(canvas, random, place, 0.2, (2.6, 1.4));
    canvas.specks(random, place, 4.0, (160, 0.012, white(0.25)));
}

fn plain(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let colours = [0xf2c6b4, 0xf4d58d, 0xa9d6c5, 0x8fb8de, 0xcdb4db, 0xe9edc9, 0xd1495b, 0x2f5d62, 0xe07a3f, 0x3d4c7c];
    let base = hex(random.pick(colours));
    let far = base.lit(random.between(0.55, 0.8));
    let ink = along((-2.5, -1.0), (2.5, 1.0), &[(0.0, base.lit(1.15)), (0.5, base), (1.0, far)]);
    canvas.fill(&band(-REACH, REACH), place, ink);
}

fn linen(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let cloth = random.pick([hex(0xd9cdb8), hex(0xb8c4c2), hex(0xe9e3d8), hex(0x9c8f86), hex(0x7f8fa6), hex(0xc98f7a)]);
    top(canvas, place, cloth);
    noise(canvas, random, place, 0.13, (5.0, 0.16));
    noise(canvas, random, &place.turned(std::f32::consts::FRAC_PI_2), 0.13, (5.0, 0.16));
    let (stripe, gap) =
        (random.pick([hex(0xa63d40), hex(0x2f4b7c), hex(0xfaf7f0), hex(0x54684f)]), random.between(0.9, 2.0));
    let mut edge = -4.5 + random.unit() * gap;
    while edge < 4.5 {
        canvas.fill(&band(edge, edge + 0.1), place, stripe.fade(0.7).ink());
        canvas.fill(&band(edge + 0.15, edge + 0.18), place, stripe.fade(0.7).ink());
        edge += gap;
    }
}

fn terrazzo(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    let ground = random.pick([hex(0xe6e0d6), hex(0xcfd6d2), hex(0x3c4048), hex(0xe9d3c4)]);
    top(canvas, place, ground);
    noise(canvas, random, place, 0.12, (2.0, 2.0));
    for _ in 0..260 {
        let (x, y) = random.in_disc();
        let chip =
            random.pick([hex(0xb5654a), hex(0x5d7b6f), hex(0xd8b06a), hex(0x6b7280), hex(0x9a8478), hex(0xf4f1ea)]);
        let (size, start) = (random.between(0.03, 0.12), random.angle());
        let corners = circle_angles(random.count(4, 6)).map(|angle| {
            let reach = size * (0.75 + 0.25 * (3.0 * angle + start).sin());
            (reach * (angle + start).cos(), reach * (angle + start).sin())
        });
        canvas.fill(&polygon(corners), &place.shift(x * 4.2, y * 4.2), chip.vary(random, 0.05).fade(0.85).ink());
    }
}

/// What is visible beyond the far edge of the table: a wall out of focus, with round spots of light.
fn room(canvas: &mut SceneCanvas, random: &mut Random) {
    let wall = hex(random.pick([0x6b5a4e, 0x8fa3a0, 0xc9b79c, 0x3f4a57, 0xa8806a, 0xb9c2cc, 0x55624f]));
    let edge = Placement::new(0.0, random.between(-3.2, -2.2), 0.0);
    let board = polygon([(-REACH, 0.0), (REACH, 0.0), (REACH, -60.0), (-REACH, -60.0)]);
    let ink = along((0.0, -14.0), (0.0, 0.0), &[(0.0, wall.lit(0.75)), (0.6, wall.lit(1.1)), (1.0, wall.lit(0.7))]);
    canvas.fill(&board, &edge, ink);
    for blur in 0..14 {
        let reach = blur as f32 * 0.05;
        let soft = polygon([(-REACH, 0.0), (REACH, 0.0), (REACH, reach), (-REACH, reach)]);
        canvas.fill(&soft, &edge, wall.lit(0.8).fade(0.07).ink());
    }
    let upright = Placement { at: (edge.at.0, edge.at.1, 0.0), ..edge };
    for _ in 0..random.count(6, 16) {
        let (x, z) = (random.between(-3.0, 3.0), random.between(0.3, 2.6));
        let (x_px, y_px) = canvas.project(&upright, (x, 0.0, z));
        let size = canvas.camera.unit_px * random.between(0.08, 0.3);
        let spot = disc(size).and_then(|path| path.transform(tiny_skia::Transform::from_translate(x_px, y_px)));
        let glow = random.pick([hex(0xffe2a8), hex(0xffffff), hex(0xffc38f), hex(0xcfe6ff)]);
        canvas.fill_px(&spot, glow.fade(random.between(0.06, 0.2)).ink());
    }
}
