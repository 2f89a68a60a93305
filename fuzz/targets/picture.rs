//! Any bytes as a picture: it is refused with a reason, or becomes a square and a miniature within the limits.

#![no_main]

use std::path::Path;

use artificio::picture::{self, Bounds, Miniature, PictureMetadata, Resolution};
use libfuzzer_sys::fuzz_target;

/// Of a TGA file, because only a name tells one: whatever has no other signature is read as that.
const NAME: &str = "fuzzed.tga";
const BOUNDS: Bounds = Bounds { file_bytes: 1 << 20, pixels: 4_000_000, decode_ms: 10_000, memory_bytes: 0 };

fuzz_target!(
    // A decoder's panic costs one picture and is no finding; every other panic is.
    init: picture::silence_caught_panics(),
    |bytes: &[u8]| {
        let metadata = PictureMetadata::of(bytes);
        assert!([metadata.camera, metadata.lens].iter().flatten().all(|text| !text.is_empty() && text.len() < 1_000));
        match picture::decode(bytes, Path::new(NAME), &BOUNDS) {
            Err(problem) => assert!(!problem.to_string().is_empty() && !problem.remedy().is_empty()),
            Ok(decoded) => {
                let pixels = u64::from(decoded.width()) * u64::from(decoded.height());
                assert!(0 < pixels && pixels <= BOUNDS.pixels);
                let square = picture::square(&decoded, 288).expect("every decoded picture has a square");
                assert_eq!(square.rgb().len(), 288 * 288 * 3);
                Miniature::of(&square);
                picture::shrink(&decoded, 256).expect("and a small view");
            }
        }
        // The same as small as its decoder can make it at once.
        if let Ok(opened) = picture::open(bytes, Path::new(NAME), &BOUNDS) {
            let (width, height) = opened.size();
            if let Ok(small) = opened.decode(Resolution::LEAST) {
                assert!(0 < small.width() && small.width() <= width && 0 < small.height() && small.height() <= height);
            }
        }
    }
);
