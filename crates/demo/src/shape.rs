//! Shapes in the plane: discs, rings, rounded boxes, leaves, irregular blobs, lines. They have no colour and no place.

use std::f32::consts::TAU;

use artificio_random::Random;
use tiny_skia::{Path, PathBuilder};

/// A path to fill or to stroke; `None` is empty and paints nothing.
pub type Shape = Option<Path>;

/// The polygon with these corners.
pub fn polygon(points: impl IntoIterator<Item = (f32, f32)>) -> Shape {
    let mut builder = line_builder(points);
    builder.close();
    builder.finish()
}

/// The open line through these points, to be stroked.
pub fn line(points: impl IntoIterator<Item = (f32, f32)>) -> Shape {
    line_builder(points).finish()
}

fn line_builder(points: impl IntoIterator<Item = (f32, f32)>) -> PathBuilder {
    let mut builder = PathBuilder::new();
    for (x, y) in points {
        if builder.is_empty() {
            builder.move_to(x, y);
        } else {
            builder.line_to(x, y);
        }
    }
    builder
}

/// `count` angles at equal distances around the circle.
pub fn circle_angles(count: usize) -> impl Iterator<Item = f32> {
    (0..count).map(move |step| step as f32 / count as f32 * TAU)
}

/// A disc around the origin.
pub fn disc(radius: f32) -> Shape {
    PathBuilder::from_circle(0.0, 0.0, radius.max(1e-4))
}

/// A disc with a round hole; to be filled even-odd.
pub fn ring(outer: f32, inner: f32) -> Shape {
    let mut builder = PathBuilder::new();
    builder.push_circle(0.0, 0.0, outer.max(1e-4));
    if inner > 1e-3 {
        builder.push_circle(0.0, 0.0, inner);
    }
    builder.finish()
}

/// What lies inside one outline but not inside another within it; to be filled even-odd.
pub fn between(outer: &Shape, inner: &Shape) -> Shape {
    let mut builder = PathBuilder::new();
    for path in [outer, inner].into_iter().flatten() {
        builder.push_path(path);
    }
    builder.finish()
}

/// An ellipse (`power` 2) that becomes a rounded box as `power` grows.
pub fn rounded(half_width: f32, half_height: f32, power: f32) -> Shape {
    let bend = |value: f32| value.abs().powf(2.0 / power).copysign(value);
    polygon(circle_angles(72).map(|angle| (half_width * bend(angle.cos()), half_height * bend(angle.sin()))))
}

/// A leaf: pointed at both ends, its stem at the left.
pub fn leaf(length: f32, width: f32) -> Shape {
    let mut builder = PathBuilder::new();
    builder.move_to(-length, 0.0);
    builder.cubic_to(-length * 0.5, -width * 1.3, length * 0.4, -width * 1.1, length, 0.0);
    builder.cubic_to(length * 0.4, width * 1.1, -length * 0.5, width * 1.3, -length, 0.0);
    builder.close();
    builder.finish()
}

/// An irregular circle, the same in every size: its radius is a sum of waves around the circle.
#[derive(Debug, Clone)]
pub struct Wobble {
    waves: Vec<(f32, f32, f32)>,
}

impl Wobble {
    /// Waves of `lowest..=highest` turns a round, together about `amount` of the radius high.
    pub fn new(random: &mut Random, amount: f32, lowest: usize, highest: usize) -> Self {
        let share = amount / ((highest - lowest + 1) as f32).sqrt();
        let wave = |turns: usize| (turns as f32, share * random.between(0.5, 1.5), random.angle());
        Self { waves: (lowest..=highest).map(wave).collect() }
    }

    /// The radius at an angle, about 1.
    pub fn at(&self, angle: f32) -> f32 {
        1.0 + self.waves.iter().map(|(turns, height, phase)| height * (turns * angle + phase).sin()).sum::<f32>()
    }

    /// The outline of about this radius.
    pub fn outline(&self, radius: f32) -> Shape {
        polygon(circle_angles(64).map(|angle| {
            let reach = radius * self.at(angle);
            (reach * angle.cos(), reach * angle.sin())
        }))
    }
}
