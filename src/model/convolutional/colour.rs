//! Colours as people perceive their differences: CIE Lab, scaled so that a distance of 1 is a large one.

/// Weights of L*, a* and b*, each of about 100: lightness counts half, since it is what lamps and shadows change.
const SCALE: [f32; 3] = [0.006, 0.012, 0.012];

/// The scaled Lab of a colour whose red, green and blue (sRGB) are 0 to 1.
pub(super) fn lab(rgb: [f32; 3]) -> [f32; 3] {
    let [red, green, blue] = rgb.map(linear);
    let x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505;
    let y = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089;
    let [x, y, z] = [x, y, z].map(curve);
    [SCALE[0] * (116.0 * y - 16.0), SCALE[1] * 500.0 * (x - y), SCALE[2] * 200.0 * (y - z)]
}

/// Pixels `[n, 3]`, sRGB 0 to 1, to scaled Lab.
pub(super) fn to_lab(rgb: &[f32]) -> Vec<f32> {
    rgb.as_chunks::<3>().0.iter().flat_map(|pixel| lab(*pixel)).collect()
}

fn linear(value: f32) -> f32 {
    if value > 0.04045 { ((value + 0.055) / 1.055).powf(2.4) } else { value / 12.92 }
}

fn curve(share: f32) -> f32 {
    if share > 0.008_856 { share.cbrt() } else { 7.787 * share + 16.0 / 116.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_have_their_known_places() {
        for (rgb, expected) in [
            ([1.0, 1.0, 1.0], [100.0, 0.0, 0.0]),
            ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
            ([1.0, 0.0, 0.0], [53.2, 80.1, 67.2]),
            ([0.0, 0.0, 1.0], [32.3, 79.2, -107.9]),
        ] {
            let found = lab(rgb);
            for at in 0..3 {
                assert!((found[at] / SCALE[at] - expected[at]).abs() < 0.5, "{rgb:?}: {found:?}");
            }
        }
    }
}
