//! Doughnuts: rings of dough under icing, with sprinkles, stripes or sugar on it.

use std::f32::consts::{FRAC_PI_2, PI};

use artificio_random::Random;

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, dark, hex, white};
use crate::dish;
use crate::placement::{Placement, Point};
use crate::shape::{Wobble, between, circle_angles, disc, polygon, ring};
use crate::solid::Solid;

/// The radius of the ring's middle line, and the radii of the tube across and upward.
const MIDDLE: f32 = 0.36;
const TUBE: (f32, f32) = (0.235, 0.19);

/// Serves one doughnut, several side by side, or a pile.
pub fn serve(canvas: &mut SceneCanvas, random: &mut Random, arrangement: usize) {
    let (spots, half) = match arrangement % 6 {
        0 => (vec![(0.0, 0.0, 0.0, 1.4)], (0.85, 0.85)),
        1 => (vec![(-0.5, -0.42, 0.0, 0.8), (0.5, -0.3, 0.0, 0.8), (0.02, 0.45, 0.0, 0.8)], (1.0, 0.9)),
        2 => (pile(random), (0.75, 0.7)),
        3 => (rows(), (1.15, 0.8)),
        4 => (vec![(-0.45, -0.1, 0.0, 0.95), (0.42, 0.28, 0.0, 0.95)], (0.95, 0.8)),
        _ => (vec![(-0.4, -0.25, 0.0, 1.0), (0.5, 0.0, 0.0, 1.0), (0.0, 0.1, 0.3, 1.0)], (0.95, 0.8)),
    };
    let table = dish::lay(canvas, random, half);
    let shared_coat = random.chance(0.3).then(|| Coat::new(random));
    for (x, y, z, scale) in spots {
        let place = Placement::new(x, y, table + z).scaled(scale).turned(random.angle());
        let coat = shared_coat.unwrap_or_else(|| Coat::new(random));
        doughnut(canvas, random, &place, &coat);
    }
}

fn pile(random: &mut Random) -> Vec<(f32, f32, f32, f32)> {
    let count = random.count(3, 4);
    (0..count).map(|level| (random.around(0.0, 0.1), random.around(0.0, 0.08), level as f32 * 0.33, 0.95)).collect()
}

fn rows() -> Vec<(f32, f32, f32, f32)> {
    let row = |y: f32| [-0.76, 0.0, 0.76].map(|x| (x, y, 0.0, 0.6));
    row(-0.42).into_iter().chain(row(0.38)).collect()
}

/// How a doughnut is covered.
#[derive(Clone, Copy)]
struct Coat {
    dough: Rgba,
    icing: Option<Rgba>,
    topping: usize,
    accent: Rgba,
}

impl Coat {
    fn new(random: &mut Random) -> Self {
        let icing = hex(random.pick([
            0xef8fb2, 0x4b2a1a, 0xf6efe2, 0xd98e3f, 0x8fcfb0, 0x7fa8dc, 0xf3d65c, 0xb58fd0, 0x6b3d22, 0xd6455d,
        ]));
        let (dark_accent, light_accent) =
            (random.pick([0x3b2015, 0x8c2f45]), random.pick([0xfaf3e8, 0xf2c94c, 0xf4a9c0]));
        Self {
            dough: hex(random.pick([0xcf9448, 0xb97a35, 0xd9a860, 0x6b452b])),
            icing: (!random.chance(0.12)).then_some(icing),
            topping: random.count(0, 5),
            accent: hex(if icing.is_light() { dark_accent } else { light_accent }),
        }
    }
}

/// A point of the tube: `around` the ring, and `across` from the outer edge (0) over the crest to the inner one (π).
fn on_tube(around: f32, across: f32, grow: f32) -> Point {
    let reach = MIDDLE + (TUBE.0 + grow) * across.cos();
    (reach * around.cos(), reach * around.sin(), TUBE.1 + (TUBE.1 + grow) * across.sin())
}

fn doughnut(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, coat: &Coat) {
    canvas.shadow(place, 0.3, &|spread| ring(MIDDLE + TUBE.0 * 0.8 + spread, MIDDLE - TUBE.0 * 0.7 - spread * 0.3));
    // Icing hides the crest.
    let end = if coat.icing.is_some() { 0.72 } else { 1.0 };
    let tube = |way: f32| {
        let across = -FRAC_PI_2 + way * end * PI;
        (TUBE.1 * (1.0 + across.sin()), TUBE.0 * across.cos())
    };
    let pale = coat.dough.mix(hex(0xf4ddb0), 0.55);
    let crumb = |way: f32| pale.mix(coat.dough, ((way * end - 0.42).abs() * 6.0).min(1.0));
    canvas.tube(place, MIDDLE, &Solid { profile: &tube, outline: &|_| None, colour: &crumb });
    if let Some(icing) = coat.icing {
        ice(canvas, random, place, icing);
    } else {
        sugar(canvas, random, place);
    }
    let topping = if coat.icing.is_some() { coat.topping } else { 5 };
    match topping {
        0 | 1 => sprinkles(canvas, random, place, None),
        2 => sprinkles(canvas, random, place, Some(coat.accent)),
        3 => stripes(canvas, place, coat.accent),
        4 => nuts(canvas, random, place),
        _ => {}
    }
}

fn ice(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, icing: Rgba) {
    const LOWEST: f32 = 0.72;
    let (drip, hole) = (Wobble::new(random, 0.3, 3, 9), Wobble::new(random, 0.2, 2, 5));
    let edge = |around: f32| (LOWEST - 0.36 + 0.3 * (drip.at(around) - 1.0)).clamp(-0.1, LOWEST);
    let rim = |edge: &dyn Fn(f32) -> f32| -> Vec<Point> {
        circle_angles(72).map(|around| on_tube(around, edge(around), 0.012)).collect()
    };
    let outer = rim(&edge);
    let inner = rim(&|around| PI - (LOWEST - 0.35 + 0.25 * (hole.at(around) - 1.0)).clamp(0.0, LOWEST));
    let lower: Vec<_> = outer.iter().map(|point| (point.0, point.1, point.2 - 0.02)).collect();
    band(canvas, place, (&lower, &inner), icing.lit(0.55));
    band(canvas, place, (&outer, &inner), icing.lit(0.86));
    let crest = |way: f32| {
        let across = 0.45 + (FRAC_PI_2 - 0.45) * way;
        (TUBE.1 + (TUBE.1 + 0.012) * across.sin(), (TUBE.0 + 0.012) * across.cos())
    };
    canvas.tube(place, MIDDLE, &Solid { profile: &crest, outline: &|_| None, colour: &|_| icing });
    shine(canvas, place);
}

/// Fills what lies between two lines around the ring.
fn band(canvas: &mut SceneCanvas, place: &Placement, lines: (&[Point], &[Point]), colour: Rgba) {
    let outline = |points: &[Point]| polygon(points.iter().map(|point| canvas.project(place, *point)));
    canvas.fill_px(&between(&outline(lines.0), &outline(lines.1)), colour.ink());
}

fn shine(canvas: &mut SceneCanvas, place: &Placement) {
    let toward = place.local(canvas.light.toward);
    let middle = toward.1.atan2(toward.0);
    for (reach, width, alpha) in [(0.55, 0.075, 0.16), (0.45, 0.05, 0.22), (0.32, 0.025, 0.35)] {
        let arc: Vec<_> =
            (0..=14).map(|step| on_tube(middle + reach * (step as f32 / 7.0 - 1.0), 1.15, 0.014)).collect();
        canvas.thread(place, &arc, width, white(alpha));
    }
}

fn sprinkles(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement, one_colour: Option<Rgba>) {
    for _ in 0..95 {
        let (around, across) = (random.angle(), random.between(0.6, 2.5));
        let turned = around + place.turn;
        let out = across.cos();
        if !canvas.sees((out * turned.cos(), out * turned.sin(), across.sin())) {
            continue;
        }
        let lean = random.around(0.0, 1.0);
        let (along, over) = (0.07 * (1.0 - lean.abs() * 0.6), 0.12 * lean);
        let (from, to) = (on_tube(around - along, across - over, 0.02), on_tube(around + along, across + over, 0.02));
        let shade = |point: Point| (point.0, point.1, point.2 - 0.012);
        let colour = hex(random.pick([0xe8476a, 0xf5c531, 0x4aa3df, 0x5cb85c, 0xffffff, 0xf28c28, 0x9b59b6]));
        canvas.thread(place, &[shade(from), shade(to)], 0.034, dark(0.3));
        canvas.thread(place, &[from, to], 0.03, one_colour.unwrap_or(colour));
    }
}

fn stripes(canvas: &mut SceneCanvas, place: &Placement, colour: Rgba) {
    let count = 26;
    let points: Vec<_> = (0..=count * 6)
        .map(|step| {
            let way = step as f32 / (count * 6) as f32;
            let across = FRAC_PI_2 + 0.85 * (way * count as f32 * PI).cos();
            on_tube(way * PI * 2.0, across, 0.018)
        })
        .collect();
    let below: Vec<_> = points.iter().map(|point| (point.0, point.1, point.2 - 0.012)).collect();
    canvas.thread(place, &below, 0.032, dark(0.25));
    canvas.thread(place, &points, 0.026, colour);
}

fn nuts(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    for _ in 0..120 {
        let point = on_tube(random.angle(), random.between(0.65, 2.4), 0.02);
        let crumb = hex(random.pick([0xd9b27c, 0xb9854a, 0xefdcb4])).vary(random, 0.04);
        let spot = place.shift(point.0, point.1).lift(point.2).turned(random.angle());
        let size = random.between(0.014, 0.032);
        canvas.fill(
            &polygon([(-size, -size), (size, -size * 0.6), (size * 0.4, size)]),
            &spot.lift(-0.012),
            dark(0.3).ink(),
        );
        canvas.fill(&polygon([(-size, -size), (size, -size * 0.6), (size * 0.4, size)]), &spot, crumb.ink());
    }
}

fn sugar(canvas: &mut SceneCanvas, random: &mut Random, place: &Placement) {
    for _ in 0..420 {
        let point = on_tube(random.angle(), random.between(0.2, 2.8), 0.004);
        let spot = place.shift(point.0, point.1).lift(point.2);
        let grain = random.between(0.005, 0.014);
        canvas.fill(&disc(grain), &spot, white(0.75).ink());
    }
}
