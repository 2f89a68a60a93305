//! Encodes a finished sheet.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

/// PNG bytes of a sheet. Measured on a sheet of five photographs, 1600 × 838: the Paeth filter with fast compression gives
/// 1262 kB in 5 ms; choosing a filter for every row 1258 kB in 14 ms; the best compression 1146 kB in 116 ms.
///
/// # Errors
/// The encoder's own words; with a picture in memory as source that means memory ran out.
pub fn to_png(image: &RgbImage) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(image.as_raw().len() / 3);
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Paeth)
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .map_err(|error| format!("the sheet could not be encoded: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_comes_back() {
        let image = RgbImage::from_fn(33, 21, |x, y| image::Rgb([x as u8 * 7, y as u8 * 11, (x * y) as u8]));
        let bytes = to_png(&image).unwrap();
        assert_eq!(image::load_from_memory(&bytes).unwrap().to_rgb8(), image);
    }
}
