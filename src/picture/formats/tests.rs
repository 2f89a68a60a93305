//! Small files of every new kind, as they lie among the fuzzer's seeds.

use std::path::Path;

use image::{DynamicImage, GenericImageView};

use crate::picture::{Bounds, Resolution, Unusable, decode, open};

const BOUNDS: Bounds = Bounds { file_bytes: 1 << 20, pixels: 4_000_000, decode_ms: 10_000, memory_bytes: 0 };

macro_rules! seed {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../fuzz/seeds/picture/", $name)).as_slice())
    };
}

/// A file's name and its bytes.
type Seed = (&'static str, &'static [u8]);

/// Small files with four colours in their corners, as they lie upright, and their sizes.
const DRAWN: [(Seed, (u32, u32), &str); 23] = [
    (seed!("lossy.jxl"), (48, 36), "red green blue yellow"),
    (seed!("modular.jxl"), (48, 36), "red green blue yellow"),
    (seed!("lossless.jp2"), (48, 36), "red green blue yellow"),
    (seed!("lossy.j2k"), (48, 36), "red green blue yellow"),
    (seed!("alpha.jp2"), (48, 36), "red green blue yellow"),
    (seed!("palette.tiff"), (48, 36), "red green blue yellow"),
    (seed!("palette_lzw.tiff"), (48, 36), "red green blue yellow"),
    (seed!("ycbcr.tiff"), (48, 36), "red green blue yellow"),
    (seed!("big.tiff"), (48, 36), "red green blue yellow"),
    (seed!("colour.ppm"), (48, 36), "red green blue yellow"),
    (seed!("inks.jpg"), (48, 36), "red green blue yellow"),
    (seed!("inks-progressive.jpg"), (48, 36), "red green blue yellow"),
    (seed!("inks.tiff"), (48, 36), "red green blue yellow"),
    (seed!("png.ico"), (32, 32), "red green blue yellow"),
    // How the camera was held, as the raw file says.
    (seed!("sony.arw"), (252, 336), "blue red yellow green"),
    (seed!("nikon.nef"), (252, 336), "green yellow red blue"),
    (seed!("adobe.dng"), (336, 252), "red green blue yellow"),
    (seed!("panasonic.rw2"), (336, 252), "red green blue yellow"),
    (seed!("olympus.orf"), (336, 252), "red green blue yellow"),
    (seed!("fuji.raf"), (336, 252), "red green blue yellow"),
    (seed!("canon.cr3"), (252, 336), "blue red yellow green"),
    (seed!("canon.crw"), (252, 336), "green yellow red blue"),
    (seed!("bmp.ico"), (16, 16), "red green blue yellow"),
];
#[cfg(feature = "avif")]
const DRAWN_AVIF: [(Seed, (u32, u32), &str); 6] = [
    // Planes of differences that are half as wide and high, half as wide, and whole; 8, 10 and 12 bits.
    (seed!("alpha.avif"), (48, 36), "red green blue yellow"),
    (seed!("premultiplied.avif"), (48, 36), "red green blue yellow"),
    // Cropped, then turned, then mirrored.
    (seed!("turned.avif"), (36, 48), "red blue green yellow"),
    (seed!("grid.avif"), (128, 64), "red green blue yellow"),
    (seed!("lossless.avif"), (48, 36), "red green blue yellow"),
    (seed!("wide.avif"), (48, 36), "red green blue yellow"),
];
#[cfg(not(feature = "avif"))]
const DRAWN_AVIF: [(Seed, (u32, u32), &str); 0] = [];
/// Others, without colours.
const GREY: [(Seed, (u32, u32)); 4] = [
    (seed!("grey-alpha.tiff"), (48, 36)),
    (seed!("grey.pgm"), (48, 36)),
    (seed!("bit.pbm"), (48, 36)),
    (seed!("grey.j2k"), (48, 36)),
];

fn corners(picture: &DynamicImage) -> String {
    let (width, height) = (picture.width(), picture.height());
    let colour = |(x, y)| match picture.get_pixel(x, y).0.map(|value| value > 128) {
        [true, false, false, _] => "red",
        [false, true, false, _] => "green",
        [false, false, true, _] => "blue",
        [true, true, false, _] => "yellow",
        _ => "another",
    };
    let (left, right, top, bottom) = (width / 8, width * 7 / 8, height / 8, height * 7 / 8);
    [(left, top), (right, top), (left, bottom), (right, bottom)].map(colour).join(" ")
}

#[test]
fn every_kind_is_decoded_upright_whatever_its_name() {
    for ((name, bytes), size, expected) in DRAWN.into_iter().chain(DRAWN_AVIF) {
        let opened = open(bytes, Path::new(name), &BOUNDS).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!(opened.size(), size, "{name}, by its header");
        for name in [name, "picture.jpg", "picture"] {
            let picture = decode(bytes, Path::new(name), &BOUNDS).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert_eq!((picture.width(), picture.height()), size, "{name}");
            assert_eq!(corners(&picture), expected, "{name}");
        }
    }
    for ((name, bytes), size) in GREY {
        let picture = decode(bytes, Path::new(name), &BOUNDS).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert_eq!((picture.width(), picture.height()), size, "{name}");
    }
}

#[test]
fn inks_have_the_colours_that_they_have_on_paper() {
    for (name, bytes) in [seed!("inks.jpg"), seed!("inks.tiff")] {
        let picture = decode(bytes, Path::new(name), &BOUNDS).unwrap().into_rgb8();
        // As LittleCMS has them.
        let expected = [(3, 3, [237, 28, 36]), (44, 3, [0, 166, 80]), (3, 33, [46, 48, 146]), (44, 33, [255, 242, 0])];
        for (x, y, expected) in expected {
            for (value, expected) in picture.get_pixel(x, y).0.into_iter().zip(expected) {
                assert!(value.abs_diff(expected) <= 5, "{name} {x} {y}: {:?}", picture.get_pixel(x, y));
            }
        }
    }
    let (name, bytes) = seed!("inks-progressive.jpg");
    let picture = decode(bytes, Path::new(name), &BOUNDS).unwrap().into_rgb8();
    let [red, green, blue] = picture.get_pixel(3, 3).0;
    assert!(red > 250 && green < 5 && blue < 5, "without a profile: {red} {green} {blue}");
}

#[cfg(feature = "heic")]
#[test]
fn heic_is_decoded_and_without_its_feature_it_would_be_refused_by_name() {
    let (name, bytes) = seed!("hevc.heic");
    let picture = decode(bytes, Path::new(name), &BOUNDS).unwrap();
    assert_eq!(((picture.width(), picture.height()), corners(&picture)), ((48, 36), "red green blue yellow".into()));
}

#[cfg(not(feature = "heic"))]
#[test]
fn heic_is_refused_by_name() {
    let (name, bytes) = seed!("hevc.heic");
    assert_eq!(decode(bytes, Path::new(name), &BOUNDS).err(), Some(Unusable::Unsupported("HEIC".into())));
}

#[cfg(feature = "avif")]
#[test]
fn transparency_and_colours_of_avif_are_those_that_were_drawn() {
    let decoded = |(name, bytes): Seed| decode(bytes, Path::new(name), &BOUNDS).unwrap().into_rgba8();
    // A hole in the middle, where the yellow begins.
    for seed in [seed!("alpha.avif"), seed!("premultiplied.avif")] {
        let picture = decoded(seed);
        assert_eq!(picture.get_pixel(2, 2).0[3], 255, "{}", seed.0);
        let [red, green, blue, alpha] = picture.get_pixel(26, 20).0;
        assert!(
            alpha.abs_diff(60) < 10 && red > 190 && green > 180 && blue < 90,
            "{}: {red} {green} {blue} {alpha}",
            seed.0
        );
    }
    assert_eq!(decoded(seed!("lossless.avif")).get_pixel(2, 2).0, [220, 30, 30, 255]);
    // The same numbers in Display P3 are a stronger red.
    let [red, green, ..] = decoded(seed!("wide.avif")).get_pixel(2, 2).0;
    assert!(red > 230 && green < 15, "{red} {green}");
    let grey = decoded(seed!("grey.avif"));
    assert!(grey.pixels().all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]), "no colours");
    assert!(grey.get_pixel(2, 2).0[0].abs_diff(86) < 6 && grey.get_pixel(45, 33).0[0].abs_diff(201) < 6);
}

#[cfg(not(feature = "avif"))]
#[test]
fn avif_is_refused_by_name() {
    let (name, bytes) = seed!("alpha.avif");
    assert_eq!(decode(bytes, Path::new(name), &BOUNDS).err(), Some(Unusable::Unsupported("AVIF".into())));
}

/// However much of it is missing: refused, or a smaller preview; never a panic that nobody catches.
#[test]
fn what_is_cut_off_is_refused() {
    for ((name, bytes), ..) in DRAWN.into_iter().chain(DRAWN_AVIF) {
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
            let decoded = decode(&bytes[..length], Path::new(name), &BOUNDS);
            // The decoder of ASCII headers and bare rows takes what follows as the rest.
            assert!(decoded.is_err() || name == "canon.cr3", "{length} of {} bytes of {name}", bytes.len());
        }
    }
}

#[test]
fn a_header_is_judged_before_a_pixel_is_decoded() {
    let small = Bounds { pixels: 1_000, ..BOUNDS };
    for ((name, bytes), ..) in DRAWN.into_iter().chain(DRAWN_AVIF) {
        let refused = open(bytes, Path::new(name), &small).err();
        let is_too_large = matches!(refused, Some(Unusable::TooManyPixels { .. }));
        assert!(is_too_large || name.ends_with("ico") || name.ends_with("jxl"), "{name}: {refused:?}");
    }
}

/// More than the decoders were seen to take at their peak, in bytes a pixel: see `docs/formats.md`.
#[test]
fn the_new_decoders_reserve_what_they_take() {
    let hevc = if cfg!(feature = "heic") { vec![(seed!("hevc.heic"), 19)] } else { Vec::new() };
    let av1 = DRAWN_AVIF.iter().take(1).map(|(seed, ..)| (*seed, 19)).collect::<Vec<_>>();
    for ((name, bytes), least) in hevc.into_iter().chain(av1).chain([
        (seed!("lossy.jxl"), 15),
        (seed!("modular.jxl"), 15),
        (seed!("lossless.jp2"), 25),
    ]) {
        let reserved = open(bytes, Path::new(name), &BOUNDS).map(|picture| picture.memory_bytes()).unwrap();
        assert!(reserved >= least * 48 * 36, "{name}: {reserved} bytes for {} pixels", 48 * 36);
    }
}

#[test]
fn jpeg_2000_decodes_the_wavelets_of_a_smaller_picture_alone_and_keeps_its_transparency() {
    let open_seed = |(name, bytes): Seed| open(bytes, Path::new(name), &BOUNDS).unwrap();
    let small = open_seed(seed!("lossless.jp2")).decode(Resolution::for_copy(6)).unwrap();
    assert_eq!(((small.width(), small.height()), corners(&small)), ((12, 9), "red green blue yellow".into()));
    let whole = open_seed(seed!("alpha.jp2")).decode(Resolution::WHOLE).unwrap().into_rgba8();
    assert_eq!(whole.get_pixel(2, 2).0, [220, 30, 30, 255]);
    assert_eq!(whole.get_pixel(26, 20).0, [220, 210, 30, 60], "a hole in the middle");
    assert!(open_seed(seed!("grey.j2k")).needs_process());
}

/// A picture with more channels than a print needs would take memory for each.
#[test]
fn jpeg_2000_with_many_channels_is_refused_by_its_header() {
    let (name, bytes) = seed!("lossy.j2k");
    let mut many = bytes.to_vec();
    many[40] = 64;
    let refused = decode(&many, Path::new(name), &BOUNDS).err();
    assert!(matches!(refused, Some(Unusable::UnsupportedVariant(_))), "{refused:?}");
}

/// A TIFF file whose first directory says: a JPEG at `at`, and nothing else.
fn raw_file(at: u32, length: u32, compression: u16, tail: &[u8]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0\x04\0".to_vec();
    let entries = [(0x103_u16, 3_u16, u32::from(compression)), (0x106, 3, 32_803), (0x201, 4, at), (0x202, 4, length)];
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(tail);
    bytes
}

#[test]
fn a_raw_file_without_a_preview_that_is_large_enough_says_so() {
    let (_, thumbnail) = seed!("baseline.jpg");
    let found = |bytes: &[u8]| decode(bytes, Path::new("DSC1.NEF"), &BOUNDS).err();
    let small = raw_file(62, thumbnail.len() as u32, 34_713, thumbnail);
    assert!(matches!(found(&small), Some(Unusable::UnsupportedVariant(name)) if name.contains("preview")), "24 pixels");
    let outside = raw_file(62, 1 << 30, 34_713, thumbnail);
    assert_eq!(found(&outside), Some(Unusable::CutOff));
    let lossless = [b"\xFF\xD8\xFF\xC3\0\x11\x08\x0F\0\x0F\0\x03".as_slice(), &[0; 90]].concat();
    let lossless = raw_file(62, 90, 7, &lossless);
    assert!(matches!(found(&lossless), Some(Unusable::UnsupportedVariant(_))), "the sensor's data is no preview");
}
