//! The last step, which makes a photograph of a drawing: vignette, glow, colour cast, contrast and sensor noise.

use artificio_random::Random;
use image::RgbImage;
use tiny_skia::Pixmap;

/// How the colours of a picture are changed at the end.
#[derive(Debug, Clone, Copy)]
pub struct Grading {
    /// Factor of red, green and blue.
    pub cast: (f32, f32, f32),
    /// Slope of the tone curve at its middle; 1 changes nothing.
    pub contrast: f32,
    /// The share of the light that is missing in the corners.
    pub vignette: f32,
    /// Where the light is brightest, in -1..1 of the frame, and by how much.
    pub glow: (f32, f32, f32),
    /// Standard deviation of the noise, in steps of 1/255.
    pub noise: f32,
}

impl Grading {
    /// A random grading: daylight, lamplight or shade.
    pub fn new(random: &mut Random) -> Self {
        let warmth = random.around(0.02, 0.07);
        let exposure = random.between(0.86, 1.03);
        Self {
            cast: (exposure * (1.0 + warmth), exposure, exposure * (1.0 - warmth)),
            contrast: random.between(0.95, 1.14),
            vignette: random.between(0.05, 0.4),
            glow: (random.around(0.0, 0.8), random.around(-0.3, 0.6), random.between(0.0, 0.14)),
            noise: random.between(0.8, 3.5),
        }
    }

    /// The finished picture.
    pub fn apply(&self, pixmap: &Pixmap, random: &mut Random) -> RgbImage {
        let (width, height) = (pixmap.width(), pixmap.height());
        let mut picture = RgbImage::new(width, height);
        let curve = self.curves();
        for (index, (target, source)) in picture.pixels_mut().zip(pixmap.pixels()).enumerate() {
            let x = (index as u32 % width) as f32 / width as f32 * 2.0 - 1.0;
            let y = (index as u32 / width) as f32 / height as f32 * 2.0 - 1.0;
            let light = self.light(x, y);
            let bits = random.bits();
            // The sum of four bytes is close enough to a bell curve, of standard deviation 148.
            let bell = (0..4).map(|byte| (bits >> (8 * byte) & 255) as f32).sum::<f32>() - 510.0;
            let noise = bell / 148.0 * self.noise;
            let tone =
                |channel: usize, value: u8| (curve[channel][value as usize] * light + noise).clamp(0.0, 255.0) as u8;
            target.0 = [tone(0, source.red()), tone(1, source.green()), tone(2, source.blue())];
        }
        picture
    }

    fn light(&self, x: f32, y: f32) -> f32 {
        let corner = (x * x + y * y) * 0.5;
        let (left, up) = (x - self.glow.0, y - self.glow.1);
        let glow = self.glow.2 * (1.0 - (left * left + up * up) * 0.5).max(-1.0);
        1.0 - self.vignette * corner * corner + glow
    }

    fn curves(&self) -> [[f32; 256]; 3] {
        let mut curves = [[0.0; 256]; 3];
        for (curve, cast) in curves.iter_mut().zip([self.cast.0, self.cast.1, self.cast.2]) {
            for (value, tone) in curve.iter_mut().enumerate() {
                let plain = value as f32 / 255.0 * cast;
                *tone = ((plain - 0.5) * self.contrast + 0.5) * 255.0;
            }
        }
        curves
    }
}
