//! The drawing surface: a table seen from a fixed direction under one lamp.
//!
//! World coordinates: x to the right, y toward the viewer, z up; a dish has a radius of about 1. The projection is
//! parallel, so anything flat on the table is drawn by an affine transform.

use artificio_random::Random;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Pixmap, Shader, Stroke, Transform};

use crate::camera::{Camera, Light};
use crate::colour::{Rgba, dark};
use crate::placement::{Placement, Point};
use crate::shape::{Shape, disc, line, polygon};

/// The picture so far, and how the world is projected onto it.
#[derive(Debug, Clone)]
pub struct SceneCanvas {
    /// The pixels so far.
    pub pixmap: Pixmap,
    /// The camera.
    pub camera: Camera,
    /// The lamp.
    pub light: Light,
}

impl SceneCanvas {
    /// The transform from a place's local plane to pixels.
    pub fn transform(&self, place: &Placement) -> Transform {
        let (camera, unit) = (&self.camera, self.camera.unit_px);
        let base_y = camera.centre_px.1 - unit * camera.rise() * place.at.2;
        Transform::from_row(unit, 0.0, 0.0, unit * camera.squash, camera.centre_px.0, base_y)
            .post_rotate_at(camera.roll_degrees, camera.centre_px.0, camera.centre_px.1)
            .pre_translate(place.at.0, place.at.1)
            .pre_rotate(place.turn.to_degrees())
            .pre_scale(place.scale, place.scale)
    }

    /// The pixel of a point in a place's local coordinates.
    pub fn project(&self, place: &Placement, point: Point) -> (f32, f32) {
        let spot = place.shift(point.0, point.1).lift(point.2);
        let transform = self.transform(&spot);
        (transform.tx, transform.ty)
    }

    /// True if a surface with this normal (world directions) faces the viewer.
    pub fn sees(&self, normal: (f32, f32, f32)) -> bool {
        normal.1 * self.camera.rise() + normal.2 * self.camera.squash > 0.12
    }

    /// Fills an outline that lies flat at `place`; where its parts overlap, nothing is painted (even-odd).
    pub fn fill(&mut self, outline: &Shape, place: &Placement, ink: Shader<'static>) {
        let transform = self.transform(place);
        self.paint(outline, transform, ink);
    }

    /// Fills an outline given in pixels.
    pub fn fill_px(&mut self, outline: &Shape, ink: Shader<'static>) {
        self.paint(outline, Transform::identity(), ink);
    }

    /// Fills the outline through points in local coordinates that need not be level.
    pub fn facet(&mut self, place: &Placement, points: &[Point], ink: Shader<'static>) {
        let outline = polygon(points.iter().map(|point| self.project(place, *point)));
        self.fill_px(&outline, ink);
    }

    fn paint(&mut self, outline: &Shape, transform: Transform, shader: Shader<'static>) {
        if let Some(path) = outline {
            let paint = Paint { shader, ..Paint::default() };
            self.pixmap.fill_path(path, &paint, FillRule::EvenOdd, transform, None);
        }
    }

    /// Draws a line of `width` local units that lies flat at `place`.
    pub fn stroke(&mut self, outline: &Shape, place: &Placement, width: f32, colour: Rgba) {
        if let Some(path) = outline {
            let paint = Paint { shader: colour.ink(), ..Paint::default() };
            let stroke = round_stroke(width);
            self.pixmap.stroke_path(path, &paint, &stroke, self.transform(place), None);
        }
    }

    /// Draws a line through points in local coordinates that need not be level, `width` local units wide.
    pub fn thread(&mut self, place: &Placement, points: &[Point], width: f32, colour: Rgba) {
        let Some(path) = line(points.iter().map(|point| self.project(place, *point))) else { return };
        let paint = Paint { shader: colour.ink(), ..Paint::default() };
        let stroke = round_stroke(width * place.scale * self.camera.unit_px);
        self.pixmap.stroke_path(&path, &paint, &stroke, Transform::identity(), None);
    }

    /// Draws a soft shadow below something of this outline (a function of how far it spreads) and height.
    pub fn shadow(&mut self, place: &Placement, height: f32, outline: &dyn Fn(f32) -> Shape) {
        let toward = self.light.toward;
        let reach = height * place.scale * 0.55;
        let mut spot = *place;
        spot.at.0 -= toward.0 * reach;
        spot.at.1 -= toward.1 * reach;
        let softness = 0.06 + height * 0.35;
        // So many steps that the edge of each is too faint to be seen.
        let steps = ((softness * 2.0 * place.scale * self.camera.unit_px) as usize).clamp(3, 9);
        for step in 0..steps {
            let spread = softness * (1.0 - 2.0 * step as f32 / (steps - 1) as f32);
            self.fill(&outline(spread), &spot, dark(0.5 / steps as f32).ink());
        }
    }

    /// Scatters flat specks of about `size` over a disc of `radius` at `place`.
    pub fn specks(&mut self, random: &mut Random, place: &Placement, radius: f32, looks: (usize, f32, Rgba)) {
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
