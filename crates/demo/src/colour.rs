//! Colours, and the inks that shapes are filled with: one colour, or a linear or radial gradient.

use artificio_random::Random;
use tiny_skia::{Color, GradientStop, LinearGradient, Point, RadialGradient, Shader, SpreadMode, Transform};

/// Red, green, blue and opacity, each 0..1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rgba {
    red: f32,
    green: f32,
    blue: f32,
    alpha: f32,
}

/// The opaque colour `0xRRGGBB`.
pub const fn hex(rgb: u32) -> Rgba {
    Rgba {
        red: ((rgb >> 16) & 255) as f32 / 255.0,
        green: ((rgb >> 8) & 255) as f32 / 255.0,
        blue: (rgb & 255) as f32 / 255.0,
        alpha: 1.0,
    }
}

/// White of this opacity: highlights.
pub const fn white(alpha: f32) -> Rgba {
    Rgba { red: 1.0, green: 1.0, blue: 0.98, alpha }
}

/// A warm black of this opacity: shadows.
pub const fn dark(alpha: f32) -> Rgba {
    Rgba { red: 0.08, green: 0.04, blue: 0.03, alpha }
}

impl Rgba {
    /// The same colour with another opacity.
    pub fn fade(self, alpha: f32) -> Self {
        Self { alpha, ..self }
    }

    /// Linear interpolation: `share` of the other colour in this one.
    pub fn mix(self, other: Self, share: f32) -> Self {
        let blend = |own: f32, theirs: f32| own + (theirs - own) * share;
        Self {
            red: blend(self.red, other.red),
            green: blend(self.green, other.green),
            blue: blend(self.blue, other.blue),
            alpha: blend(self.alpha, other.alpha),
        }
    }

    /// The colour under this brightness: 1 changes nothing, less darkens and keeps it warm, more goes towards white.
    pub fn lit(self, brightness: f32) -> Self {
        if brightness > 1.0 {
            return self.mix(white(self.alpha), ((brightness - 1.0) * 0.8).min(1.0));
        }
        let shade = brightness.max(0.0);
        Self {
            red: self.red * shade.powf(0.85),
            green: self.green * shade,
            blue: self.blue * shade.powf(1.1),
            alpha: self.alpha,
        }
    }

    /// The colour, each channel at most `amount` off, and a little lighter or darker.
    pub fn vary(self, random: &mut Random, amount: f32) -> Self {
        let light = random.around(0.0, amount);
        let mut shift = |channel: f32| (channel + light + random.around(0.0, amount * 0.5)).clamp(0.0, 1.0);
        Self { red: shift(self.red), green: shift(self.green), blue: shift(self.blue), alpha: self.alpha }
    }

    /// True for colours on which a dark one contrasts more than white.
    pub fn is_light(self) -> bool {
        0.3 * self.red + 0.59 * self.green + 0.11 * self.blue > 0.55
    }

    /// The ink that is this colour everywhere.
    pub fn ink(self) -> Shader<'static> {
        Shader::SolidColor(self.skia())
    }

    fn skia(self) -> Color {
        let byte = |channel: f32| (channel.clamp(0.0, 1.0) * 255.0).round() as u8;
        Color::from_rgba8(byte(self.red), byte(self.green), byte(self.blue), byte(self.alpha))
    }
}

/// A linear gradient from one point to another through `stops` (position 0..1, colour).
pub fn along(from: (f32, f32), to: (f32, f32), stops: &[(f32, Rgba)]) -> Shader<'static> {
    let (start, end) = (Point::from_xy(from.0, from.1), Point::from_xy(to.0, to.1));
    LinearGradient::new(start, end, gradient(stops), SpreadMode::Pad, Transform::identity())
        .unwrap_or_else(|| first(stops))
}

/// A radial gradient from a point outward to `radius` through `stops` (position 0..1, colour).
pub fn around(centre: (f32, f32), radius: f32, stops: &[(f32, Rgba)]) -> Shader<'static> {
    let middle = Point::from_xy(centre.0, centre.1);
    RadialGradient::new(middle, 0.0, middle, radius, gradient(stops), SpreadMode::Pad, Transform::identity())
        .unwrap_or_else(|| first(stops))
}

fn gradient(stops: &[(f32, Rgba)]) -> Vec<GradientStop> {
    stops.iter().map(|(place, colour)| GradientStop::new(*place, colour.skia())).collect()
}

fn first(stops: &[(f32, Rgba)]) -> Shader<'static> {
    stops.first().map_or(dark(0.0), |(_, colour)| *colour).ink()
}
