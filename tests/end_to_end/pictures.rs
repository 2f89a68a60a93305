//! Pictures drawn for the tests, each once per process, and files that are damaged on purpose.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{LazyLock, Mutex};

use artificio_demo::{Food, draw};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

type Drawn = HashMap<(Food, u64), RgbImage>;

static DRAWN: LazyLock<Mutex<Drawn>> = LazyLock::new(Mutex::default);

fn drawn(kind: Food, seed: u64) -> RgbImage {
    if let Some(picture) = DRAWN.lock().unwrap().get(&(kind, seed)) {
        return picture.clone();
    }
    let picture = draw(kind, seed);
    DRAWN.lock().unwrap().insert((kind, seed), picture.clone());
    picture
}

/// A JPEG file of a kind of food.
pub fn jpeg(kind: Food, seed: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    drawn(kind, seed).write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 90)).unwrap();
    bytes
}

/// Both side by side: the second one is the right half.
pub fn side_by_side(left: Food, right: Food, seed: u64) -> Vec<u8> {
    let (left, right) = (drawn(left, seed), drawn(right, seed));
    let mut both = RgbImage::new(left.width() + right.width(), left.height().max(right.height()));
    image::imageops::replace(&mut both, &left, 0, 0);
    image::imageops::replace(&mut both, &right, i64::from(left.width()), 0);
    encoded(&both)
}

/// A PNG file of a kind of food.
pub fn png(kind: Food, seed: u64) -> Vec<u8> {
    encoded(&drawn(kind, seed))
}

/// A PNG file of 64×48 pixels that differs with every `number`; quick to make and to read.
pub fn tiny(number: u32) -> Vec<u8> {
    let spread = number.wrapping_mul(2_654_435_761);
    encoded(&RgbImage::from_fn(64, 48, |x, y| {
        let shade = |shift: u32| ((spread >> shift) as u8).wrapping_add((x * y / (1 + (number + shift) % 7)) as u8);
        image::Rgb([shade(0), shade(8), shade(16)])
    }))
}

fn encoded(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG file whose header claims `side` × `side` pixels and that holds next to none.
pub fn png_claiming(side: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(side.to_be_bytes());
    header.extend(side.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in [header, b"IDAT\x78\x9c\x63\x60\x00\x00\x00\x02\x00\x01".to_vec(), b"IEND".to_vec()] {
        file.extend((chunk.len() as u32 - 4).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc(&chunk).to_be_bytes());
    }
    file
}

/// PNG's checksum (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
