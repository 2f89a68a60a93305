//! Toppings of a pizza: how many pieces of each, and how they are drawn.

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{around, dark, hex, white};
use crate::ingredients::{basil, mushroom_slice, olive_ring, onion_ring, tomato_slice};
use crate::placement::Placement;
use crate::shape::{Wobble, disc, line};
use crate::solid::{Solid, slab};

/// What lies on the cheese of a pizza.
#[derive(Clone, Copy)]
pub enum Topping {
    /// Round slices of sausage.
    Salami,
    /// Slices cut through cap and stem.
    Mushroom,
    /// Rings.
    Olive,
    /// Leaves.
    Basil,
    /// Rings.
    Onion,
    /// Curved strips.
    Pepper,
    /// Slices.
    Tomato,
    /// White blobs.
    Mozzarella,
}

/// How many pieces a whole pizza gets, and their size.
pub fn portion(topping: Topping) -> (usize, f32) {
    match topping {
        Topping::Salami => (15, 0.135),
        Topping::Mushroom => (12, 0.1),
        Topping::Olive => (18, 0.06),
        Topping::Basil => (9, 0.13),
        Topping::Onion => (8, 0.13),
        Topping::Pepper => (14, 0.11),
        Topping::Tomato => (8, 0.15),
        Topping::Mozzarella => (9, 0.14),
    }
}

/// Lays one piece of a topping at `place`.
pub fn put(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, topping: (Topping, f32)) {
    let size = topping.1;
    match topping.0 {
        Topping::Salami => salami(canvas, random, place, size),
        Topping::Mushroom => mushroom_slice(canvas, random, place, size),
        Topping::Olive => olive_ring(canvas, random, place, size),
        Topping::Basil => basil(canvas, random, place, size),
        Topping::Onion => onion_ring(canvas, random, place, size),
        Topping::Tomato => tomato_slice(canvas, random, place, size),
        Topping::Pepper => pepper(canvas, random, place, size),
        Topping::Mozzarella => {
            let blob = Wobble::new(random, 0.1, 2, 4);
            let profile = slab(size, 0.035, 0.02);
            canvas.solid(
                place,
                &Solid { profile: &profile, outline: &|radius| blob.outline(radius), colour: &|_| hex(0xfaf4e4) },
            );
            canvas.gloss(place, 0.035, size * 0.5, 0.6);
        }
    }
}

fn salami(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, size: f32) {
    let red = hex(random.pick([0xb03a26, 0xa32d1f, 0xbf4a2c])).vary(random, 0.03);
    canvas.shadow(place, 0.03, &|spread| disc(size + spread * 0.4));
    canvas.solid(place, &Solid { profile: &slab(size, 0.03, 0.01), outline: &disc, colour: &|_| red.lit(0.8) });
    let top = place.lift(0.03);
    canvas.fill(
        &disc(size * 0.93),
        &top,
        around((0.0, 0.0), size, &[(0.0, red.lit(1.1)), (0.75, red), (1.0, red.lit(0.75))]),
    );
    canvas.specks(random, &top, size * 0.75, (9, size * 0.09, hex(0xe8a48a).fade(0.7)));
    canvas.gloss(&top, 0.0, size * 0.5, 0.3);
}

fn pepper(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, size: f32) {
    let colour = hex(random.pick([0x4c8f35, 0xd9a21f, 0xc7371f, 0x5fa043]));
    let bend = random.between(0.7, 1.3);
    let arc = || {
        (0..9)
            .map(|step| (step as f32 / 8.0 - 0.5) * 2.2)
            .map(|angle| (size * angle.sin(), size * bend * (1.0 - angle.cos())))
    };
    canvas.stroke(&line(arc()), place, 0.05, dark(0.25));
    canvas.stroke(&line(arc()), &place.lift(0.02), 0.042, colour);
    canvas.stroke(&line(arc()), &place.lift(0.032), 0.012, white(0.4));
}
