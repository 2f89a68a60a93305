//! Sushi: pressed rice under fish, rolls in seaweed, in rows on a board or a plate.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, along, hex};
use crate::dish;
use crate::placement::Placement;
use crate::rolls::{boat, inside_out, roll, side_grains};
use crate::shape::{Wobble, line, rounded};
use crate::solid::{Solid, slab};

/// A piece of sushi; a roll has the colour of its filling.
#[derive(Clone, Copy)]
enum SushiPiece {
    Nigiri(Fish),
    Roll(u32),
    InsideOut(u32),
    Boat,
}

/// What lies on pressed rice.
#[derive(Clone, Copy)]
enum Fish {
    Salmon,
    Tuna,
    Omelette,
    Prawn,
}

/// Serves rows of one to three sorts on a board, a slate or a plate.
pub fn serve(canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
    let (columns, rows, half) = [
        (4, 2, (1.1, 0.62)),
        (3, 2, (0.95, 0.65)),
        (2, 1, (0.8, 0.5)),
        (4, 3, (1.1, 0.9)),
        (3, 1, (1.0, 0.5)),
        (3, 3, (0.95, 0.95)),
    ][arrangement % 6];
    let table = dish::lay(canvas, random, half);
    let scale = (half.0 * 2.0 / columns as f32).min(half.1 * 2.0 / rows as f32) * if rows == 1 { 1.05 } else { 1.2 };
    condiments(canvas, random, &Placement::new(half.0 * 0.95, -half.1 * 1.02, table));
    let lean = random.around(0.0, 0.35);
    let mixed = random.chance(0.3);
    for row in 0..rows {
        let sort = piece(random);
        for column in 0..columns {
            let x = ((column as f32 + 0.5) / columns as f32 * 2.0 - 1.0) * half.0;
            let y = ((row as f32 + 0.5) / rows as f32 * 2.0 - 1.0) * half.1;
            let place = Placement::new(x, y, table).scaled(scale).turned(lean + random.around(0.0, 0.08));
            let which = if mixed { piece(random) } else { sort };
            make(canvas, random, &place, which);
        }
    }
}

fn piece(random: &mut Random) -> SushiPiece {
    let core = random.pick([0xef7a4d, 0x8fb84a, 0xb92f36, 0xf1c232, 0xd9e6a8]);
    match random.count(0, 9) {
        0..=3 => SushiPiece::Nigiri(random.pick([Fish::Salmon, Fish::Salmon, Fish::Tuna, Fish::Omelette, Fish::Prawn])),
        4..=6 => SushiPiece::Roll(core),
        7..=8 => SushiPiece::InsideOut(core),
        _ => SushiPiece::Boat,
    }
}

fn make(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, piece: SushiPiece) {
    match piece {
        SushiPiece::Nigiri(fish) => nigiri(canvas, random, &place.turned(1.25), fish),
        SushiPiece::Roll(core) => roll(canvas, random, place, hex(core)),
        SushiPiece::InsideOut(core) => inside_out(canvas, random, place, hex(core)),
        SushiPiece::Boat => boat(canvas, random, &place.turned(1.25)),
    }
}

fn nigiri(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, fish: Fish) {
    let rice = |grow: f32| rounded(0.4 + grow, 0.17 + grow, 2.9);
    canvas.shadow(place, 0.26, &rice);
    let body = slab(0.0, 0.25, 0.02);
    canvas.solid(place, &Solid { profile: &body, outline: &rice, colour: &|way| hex(0xf1ece0).lit(0.78 + 0.25 * way) });
    side_grains(canvas, random, place, (0.38, 0.155, 0.25));
    let (flesh, stripe) = match fish {
        Fish::Salmon => (hex(0xf0824f), hex(0xfbd3b5)),
        Fish::Tuna => (hex(0xb3303a), hex(0xd9707a)),
        Fish::Omelette => (hex(0xf2c443), hex(0xfae08a)),
        Fish::Prawn => (hex(0xf5d3bf), hex(0xe06a3c)),
    };
    let flesh = flesh.vary(random, 0.03);
    let cover = |grow: f32| rounded(0.46 + grow, 0.2 + grow, 3.4);
    let drape = |way: f32| (0.2 + 0.13 * (way * 1.6).min(1.0).sqrt(), -0.1 * (way - 0.3).max(0.0).powf(1.6) - 0.01);
    canvas.solid(place, &Solid { profile: &drape, outline: &cover, colour: &|way| flesh.lit(0.72 + 0.32 * way) });
    marks(canvas, &place.lift(0.33), fish, stripe);
    canvas.gloss(&place.lift(0.33), 0.0, 0.12, 0.55);
    if matches!(fish, Fish::Omelette) {
        belt(canvas, place);
    }
}

fn marks(canvas: &mut SceneCanvas, top: &Placement, fish: Fish, stripe: Rgba) {
    match fish {
        Fish::Omelette => canvas.stroke(&rounded(0.33, 0.09, 3.0), top, 0.014, stripe.fade(0.7)),
        _ => {
            for step in 0..6 {
                let x = -0.33 + step as f32 * 0.12;
                canvas.stroke(
                    &line([(x - 0.05, -0.12), (x + 0.03, 0.0), (x - 0.04, 0.12)]),
                    top,
                    0.017,
                    stripe.fade(0.75),
                );
            }
        }
    }
}

fn belt(canvas: &mut SceneCanvas, place: &Placement) {
    let arc: Vec<_> = (0..=12)
        .map(|step| {
            let angle = std::f32::consts::PI * step as f32 / 12.0;
            let bend = |value: f32| value.abs().powf(0.55).copysign(value);
            (0.0, 0.205 * bend(angle.cos()), 0.34 * bend(angle.sin()))
        })
        .collect();
    canvas.thread(place, &arc, 0.09, hex(0x1f2a22));
}

/// Ginger and wasabi, each on half of the boards.
fn condiments(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    if random.chance(0.5) {
        let shape = Wobble::new(random, 0.1, 2, 5);
        let paste = hex(0x9dbb58);
        canvas.solid(
            place,
            &Solid {
                profile: &slab(0.13, 0.1, 0.05),
                outline: &|radius| shape.outline(radius),
                colour: &|way| paste.lit(0.8 + 0.25 * way),
            },
        );
    }
    if random.chance(0.5) {
        for petal in 0..5 {
            let spot = place.shift(-0.3, 0.02).turned(petal as f32 * 1.3).shift(0.05, 0.0).lift(petal as f32 * 0.02);
            let shape = Wobble::new(random, 0.15, 2, 6);
            canvas.fill(
                &shape.outline(0.11),
                &spot,
                along((-0.1, 0.0), (0.1, 0.0), &[(0.0, hex(0xf6c9b8)), (1.0, hex(0xe59a8a))]),
            );
        }
    }
}
