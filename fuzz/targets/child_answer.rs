//! Any bytes as what the child process of a trial writes, whose decoder may have been taken over.

#![no_main]

use artificio::isolation::{read_answer, read_ready};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let written = read_ready(bytes).map_or(bytes, |(_, rest)| rest);
    if let Some((Ok(extracted), _)) = read_answer(written) {
        if let Some(square) = extracted.square {
            assert_eq!(square.rgb().len(), square.side() * square.side() * 3);
        }
        if let Some(picture) = extracted.picture {
            assert!(picture.width() > 0 && picture.height() > 0);
        }
    }
});
