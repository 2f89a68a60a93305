//! The drawing surface: a table seen from a fixed direction under one lamp.
//!
//! World coordinates: x to the right, y toward the viewer, z up; a dish has a radius of about 1. The projection is
//! parallel, so anything flat on the table is drawn by an affine transform.

use artificio_random::Random;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Pixmap, Shader, Stroke, Transform};

use crate::colour::{Colour, dark};
use crate::shape::{Outline, disc, line, polygon};

/// Where the viewer stands.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The pixel of the world's origin.
    pub centre_px: (f32, f32),
    /// Pixels per world unit.
    pub unit_px: f32,
    /// Height of a circle on the table as a share of its width: 1 from above, 0.2 almost from the side.
    pub squash: f32,
    /// How far the camera is held askew.
    pub roll_degrees: f32,
}

impl View {
    /// How much of an upright length is seen.
    pub fn rise(&self) -> f32 {
        (1.0 - self.squash * self.squash).max(0.0).sqrt()
    }
}

/// Where the lamp hangs.
#[derive(Debug, Clone, Copy)]
pub struct Light {
    /// The unit direction on the table toward the lamp.
    pub toward: (f32, f32),
    /// The sine of its elevation.
    pub height: f32,
}

impl Light {
    /// Brightness of a surface whose normal has these parts toward the lamp (on the table) and up; about 1 for a top.
    pub fn on(&self, toward: f32, up: f32) -> f32 {
        let level = (1.0 - self.height * self.height).sqrt();
        let direct = toward * level + up * self.height;
        0.5 + 0.65 * ((direct + 0.35) / 1.35).max(0.0)
    }

    /// True if no part of a rim whose normal leans out and up this much is in full shade.
    pub fn is_linear(&self, normal: (f32, f32)) -> bool {
        let level = (1.0 - self.height * self.height).sqrt();
        normal.1 * self.height + 0.35 >= normal.0.abs() * level
    }
}

/// A spot on the table, with the direction and size of what is drawn there.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// World position.
    pub at: (f32, f32, f32),
    /// Rotation on the table.
    pub turn: f32,
    /// Size of the local unit.
    pub scale: f32,
}

impl Place {
    /// A place on the table.
    pub fn new(x: f32, y: f32, z: f32) -> Self {
        Self { at: (x, y, z), turn: 0.0, scale: 1.0 }
    }

    /// The same place, raised by local units.
    pub fn lift(self, z: f32) -> Self {
        Self { at: (self.at.0, self.at.1, self.at.2 + z * self.scale), ..self }
    }

    /// The place at these local coordinates.
    pub fn shift(self, x: f32, y: f32) -> Self {
        let (sin, cos) = self.turn.sin_cos();
        let moved =
            (self.at.0 + self.scale * (x * cos - y * sin), self.at.1 + self.scale * (x * sin + y * cos), self.at.2);
        Self { at: moved, ..self }
    }

    /// The same place, rotated further by radians.
    pub fn turned(self, radians: f32) -> Self {
        Self { turn: self.turn + radians, ..self }
    }

    /// The same place with a larger or smaller unit.
    pub fn scaled(self, scale: f32) -> Self {
        Self { scale: self.scale * scale, ..self }
    }

    /// A direction of the table as seen from this place.
    pub fn local(&self, direction: (f32, f32)) -> (f32, f32) {
        let (sin, cos) = self.turn.sin_cos();
        (direction.0 * cos + direction.1 * sin, direction.1 * cos - direction.0 * sin)
    }
}

/// A point in a place's local coordinates: across, toward its front, up.
pub type Point = (f32, f32, f32);

/// Pixels, and how the world falls on them.
#[derive(Debug, Clone)]
pub struct Canvas {
    /// What is drawn so far.
    pub pixmap: Pixmap,
    /// The camera.
    pub view: View,
    /// The lamp.
    pub light: Light,
}

impl Canvas {
    /// The transform from a place's local plane to pixels.
    pub fn transform(&self, place: &Place) -> Transform {
        let (view, unit) = (&self.view, self.view.unit_px);
        let base_y = view.centre_px.1 - unit * view.rise() * place.at.2;
        Transform::from_row(unit, 0.0, 0.0, unit * view.squash, view.centre_px.0, base_y)
            .post_rotate_at(view.roll_degrees, view.centre_px.0, view.centre_px.1)
            .pre_translate(place.at.0, place.at.1)
            .pre_rotate(place.turn.to_degrees())
            .pre_scale(place.scale, place.scale)
    }

    /// The pixel of a point in a place's local coordinates.
    pub fn project(&self, place: &Place, point: Point) -> (f32, f32) {
        let spot = place.shift(point.0, point.1).lift(point.2);
        let transform = self.transform(&spot);
        (transform.tx, transform.ty)
    }

    /// True if a surface with this normal (world directions) is turned to the viewer.
    pub fn sees(&self, normal: (f32, f32, f32)) -> bool {
        normal.1 * self.view.rise() + normal.2 * self.view.squash > 0.12
    }

    /// Fills an outline that lies flat at `place`; inside overlapping parts the colour is left out.
    pub fn fill(&mut self, outline: &Outline, place: &Place, ink: Shader<'static>) {
        let transform = self.transform(place);
        self.paint(outline, transform, ink);
    }

    /// Fills an outline given in pixels.
    pub fn fill_px(&mut self, outline: &Outline, ink: Shader<'static>) {
        self.paint(outline, Transform::identity(), ink);
    }

    /// Fills the outline through points in local coordinates that need not be level.
    pub fn facet(&mut self, place: &Place, points: &[Point], ink: Shader<'static>) {
        let outline = polygon(points.iter().map(|point| self.project(place, *point)));
        self.fill_px(&outline, ink);
    }

    fn paint(&mut self, outline: &Outline, transform: Transform, shader: Shader<'static>) {
        if let Some(path) = outline {
            let paint = Paint { shader, ..Paint::default() };
            self.pixmap.fill_path(path, &paint, FillRule::EvenOdd, transform, None);
        }
    }

    /// Draws a line of `width` local units that lies flat at `place`.
    pub fn stroke(&mut self, outline: &Outline, place: &Place, width: f32, colour: Colour) {
        if let Some(path) = outline {
            let paint = Paint { shader: colour.ink(), ..Paint::default() };
            let stroke = round_stroke(width);
            self.pixmap.stroke_path(path, &paint, &stroke, self.transform(place), None);
        }
    }

    /// Draws a line through points in local coordinates that need not be level, `width` local units wide.
    pub fn thread(&mut self, place: &Place, points: &[Point], width: f32, colour: Colour) {
        let Some(path) = line(points.iter().map(|point| self.project(place, *point))) else { return };
        let paint = Paint { shader: colour.ink(), ..Paint::default() };
        let stroke = round_stroke(width * place.scale * self.view.unit_px);
        self.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }

    /// Draws a soft shadow below something of this outline (a function of how far it spreads) and height.
    pub fn shadow(&mut self, place: &Place, height: f32, outline: &dyn Fn(f32) -> Outline) {
        let toward = self.light.toward;
        let reach = height * place.scale * 0.55;
        let mut spot = *place;
        spot.at.0 -= toward.0 * reach;
        spot.at.1 -= toward.1 * reach;
        let softness = 0.06 + height * 0.35;
        // As many steps as keep their edges too faint to be seen.
        let steps = ((softness * 2.0 * place.scale * self.view.unit_px) as usize).clamp(3, 9);
        for step in 0..steps {
            let spread = softness * (1.0 - 2.0 * step as f32 / (steps - 1) as f32);
            self.fill(&outline(spread), &spot, dark(0.5 / steps as f32).ink());
        }
    }

    /// Scatters flat specks of about `size` over a disc of `radius` at `place`.
    pub fn specks(&mut self, random: &mut Random, place: &Place, radius: f32, looks: (usize, f32, Colour)) {
        let (count, size, colour) = looks;
        for _ in 0..count {
            let (x, y) = random.in_disc();
            let spot = place.shift(x * radius, y * radius);
            let dot = disc(size * random.between(0.4, 1.3));
            self.fill(&dot, &spot, colour.vary(random, 0.04).ink());
        }
    }
}

fn round_stroke(width: f32) -> Stroke {
    Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() }
}
