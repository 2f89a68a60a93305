//! Solids, drawn as a pile of thin slices from the bottom up, each shaded by the slope of its side.

use std::f32::consts::{FRAC_PI_2, PI};

use tiny_skia::{PathBuilder, Transform};

use crate::canvas::SceneCanvas;
use crate::colour::{Rgba, along, around, white};
use crate::placement::Placement;
use crate::shape::{Shape, between, disc, ring};

/// Height of a slice in pixels of the profile (more on the gentle slopes of dishes), and the most slices of a solid.
const SLICE_PX: f32 = 3.2;
const WIDE_SLICE_PX: f32 = 4.2;
const MOST_SLICES: usize = 30;

/// Width of the rim that is painted of a wide solid's slices: that of several slices.
const RIM_PX: f32 = 18.0;

/// A solid whose slices differ in height and size only.
pub struct Solid<'a> {
    /// Height and radius of the slice at 0..1 of the way from the bottom to the top.
    pub profile: &'a dyn Fn(f32) -> (f32, f32),
    /// The slice of a radius.
    pub outline: &'a dyn Fn(f32) -> Shape,
    /// The colour at 0..1 of the way from the bottom to the top.
    pub colour: &'a dyn Fn(f32) -> Rgba,
}

impl SceneCanvas {
    /// Draws a solid at `place`.
    pub fn solid(&mut self, place: &Placement, solid: &Solid<'_>) {
        let steps = self.slices(place, solid.profile, SLICE_PX);
        self.pile(place, solid, steps, |slice, _| slice);
    }

    /// Draws a wide and flat solid at `place`, of which every slice contains its own smaller copy.
    ///
    /// Of all slices but the top one only a rim is painted, for the rest is hidden: half the time for a plate.
    pub fn wide_solid(&mut self, place: &Placement, solid: &Solid<'_>) {
        let unit_px = place.scale * self.camera.unit_px;
        let steps = self.slices(place, solid.profile, WIDE_SLICE_PX);
        self.pile(place, solid, steps, |slice, radius| {
            let share = 1.0 - RIM_PX / (radius * unit_px);
            let hole = slice.clone().filter(|_| share > 0.3)?.transform(Transform::from_scale(share, share));
            between(&slice, &hole)
        });
    }

    fn pile(&mut self, place: &Placement, solid: &Solid<'_>, steps: usize, cut: impl Fn(Shape, f32) -> Shape) {
        let toward = place.local(self.light.toward);
        for step in 0..=steps {
            let way = step as f32 / steps as f32;
            let (z, radius) = (solid.profile)(way);
            let ink = self.shade((solid.colour)(way), toward, radius, normal(solid.profile, way, 0.5 / steps as f32));
            let slice = (solid.outline)(radius);
            let slice = if step < steps { cut(slice, radius) } else { slice };
            self.fill(&slice, &place.lift(z), ink);
        }
    }

    /// Draws a ring-shaped tube: the way goes from its lower edge (0) over the crest (1).
    pub fn tube(&mut self, place: &Placement, middle: f32, solid: &Solid<'_>) {
        let steps = self.slices(place, solid.profile, SLICE_PX);
        let toward = place.local(self.light.toward);
        for step in 0..=steps {
            let way = step as f32 / steps as f32;
            let (z, reach) = (solid.profile)(way);
            let (out, up) = normal(solid.profile, way, 0.5 / steps as f32);
            let colour = (solid.colour)(way);
            let inner = self.shade(colour, toward, middle, (-out, up));
            self.fill(&ring(middle, middle - reach), &place.lift(z), inner);
            let outer = self.shade(colour, toward, middle + reach, (out, up));
            self.fill(&ring(middle + reach, middle - 0.01), &place.lift(z), outer);
        }
    }

    fn slices(&self, place: &Placement, profile: &dyn Fn(f32) -> (f32, f32), slice_px: f32) -> usize {
        let mut length = 0.0;
        for step in 0..8 {
            let (low, high) = (profile(step as f32 / 8.0), profile((step + 1) as f32 / 8.0));
            let (up, grow) = ((high.0 - low.0).abs() * self.camera.rise(), high.1 - low.1);
            // A slice larger than the one below hides it, except for what sticks out in front.
            length += if grow > 0.0 { (up - grow * self.camera.squash).max(0.0) } else { up - grow };
        }
        ((length * place.scale * self.camera.unit_px / slice_px) as usize).clamp(5, MOST_SLICES)
    }

    /// The ink of a slice whose side leans out and up this much: lit on the side of the lamp.
    pub fn shade(
        &self,
        colour: Rgba,
        toward: (f32, f32),
        radius: f32,
        normal: (f32, f32),
    ) -> tiny_skia::Shader<'static> {
        let tone = |side: f32| colour.lit(self.light.on(side * normal.0, normal.1));
        let (x, y) = (toward.0 * radius, toward.1 * radius);
        if self.light.is_linear(normal) {
            return along((-x, -y), (x, y), &[(0.0, tone(-1.0)), (1.0, tone(1.0))]);
        }
        along((-x, -y), (x, y), &[(0.0, tone(-1.0)), (0.5, tone(0.0)), (1.0, tone(1.0))])
    }

    /// Draws a ball that rests on `place`, with a highlight of this strength.
    pub fn ball(&mut self, place: &Placement, radius: f32, colour: Rgba, gloss: f32) {
        let (x, y) = self.project(place, (0.0, 0.0, radius));
        let size = radius * place.scale * self.camera.unit_px;
        let spot = (self.light.toward.0 * 0.45, self.light.toward.1 * 0.35 - 0.25);
        let tones = [(0.0, colour.lit(1.15)), (0.55, colour), (1.0, colour.lit(0.6))];
        let centre = (x + spot.0 * size, y + spot.1 * size);
        self.fill_px(&circle_px(x, y, size), around(centre, size * 1.45, &tones));
        let shine = [(0.0, white(gloss)), (0.5, white(gloss * 0.6)), (1.0, white(0.0))];
        self.fill_px(&circle_px(centre.0, centre.1, size * 0.32), around(centre, size * 0.32, &shine));
    }

    /// Lays a soft highlight on something `height` above `place`, on the side of the lamp.
    pub fn gloss(&mut self, place: &Placement, height: f32, reach: f32, strength: f32) {
        let toward = place.local(self.light.toward);
        let spot = place.shift(toward.0 * reach, toward.1 * reach).lift(height);
        let size = reach * 0.75;
        let shine = [(0.0, white(strength)), (0.4, white(strength * 0.5)), (1.0, white(0.0))];
        self.fill(&disc(size), &spot, around((0.0, 0.0), size, &shine));
    }
}

fn circle_px(x: f32, y: f32, radius: f32) -> Shape {
    PathBuilder::from_circle(x, y, radius.max(0.1))
}

/// The part of the surface's normal that points outward, and the part that points up.
fn normal(profile: &dyn Fn(f32) -> (f32, f32), way: f32, step: f32) -> (f32, f32) {
    let (low, high) = (profile((way - step).max(0.0)), profile((way + step).min(1.0)));
    let (up, grow) = (high.0 - low.0, high.1 - low.1);
    let length = up.hypot(grow);
    if length < 1e-6 { (0.0, 1.0) } else { (up / length, -grow / length) }
}

/// The profile of a dome: an ellipse's quarter.
pub fn dome(radius: f32, height: f32) -> impl Fn(f32) -> (f32, f32) {
    move |way| (height * (way * FRAC_PI_2).sin(), radius * (way * FRAC_PI_2).cos())
}

/// The profile of a slab with rounded edges.
pub fn slab(radius: f32, height: f32, rounding: f32) -> impl Fn(f32) -> (f32, f32) {
    move |way| {
        // Four fifths of the way are the side, the rest the shoulder over which the top closes.
        let side = (way / 0.8).min(1.0);
        let inward = 1.0 - (side * PI).sin().max(0.0).powf(0.6);
        let top = if way > 0.8 { (way - 0.8) / 0.2 * rounding } else { 0.0 };
        (height * side, radius - rounding * inward - top)
    }
}
