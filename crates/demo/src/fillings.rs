//! Fillings of a burger, and how they are drawn.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{dark, hex};
use crate::ingredients::{lettuce, onion_ring, tomato_slice};
use crate::placement::Placement;
use crate::shape::Wobble;
use crate::solid::{Solid, slab};

/// A layer between the halves of a bun.
#[derive(Clone, Copy, PartialEq)]
pub enum Filling {
    /// Minced meat.
    Patty,
    /// A square slice whose corners hang down.
    Cheese,
    /// Two leaves.
    Lettuce,
    /// Four slices.
    Tomato,
    /// Three rings.
    Onion,
    /// A blob.
    Sauce,
}

/// Draws a filling and returns its thickness.
pub fn lay(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, filling: Filling) -> f32 {
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

fn patty(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) -> f32 {
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

fn cheese(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) -> f32 {
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
