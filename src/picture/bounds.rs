//! Limits on a picture's file size, pixels and decoding time, checked on its header before a pixel is decoded.

use serde::{Deserialize, Serialize};

use super::Unusable;
use crate::config::LimitSettings;

/// A picture of up to this many pixels may have a file of any size; for a larger one the file must be large enough.
const FREE_PIXELS: u64 = 16_000_000;
/// More pixels per byte than any encoder reaches on a photograph or a scan (blank 1-bit PNG: about 8,000).
const PIXELS_PER_BYTE: u64 = 10_000;
/// Largest decoded picture in memory. It limits 16-bit pictures, which take two to four times the memory of 8-bit ones.
const DECODED_BYTES: u64 = 640 << 20;

/// Limits for reading and decoding one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// Largest picture, in pixels.
    pub pixels: u64,
    /// Longest decoding, in milliseconds. A decoder cannot be stopped, so the code that waits for it enforces this
    /// limit.
    pub decode_ms: u64,
    /// The budget of memory for all pictures being decoded at a time, in bytes; 0: by what there is. Whoever decodes
    /// reserves what it needs.
    pub memory_bytes: u64,
}

impl From<&LimitSettings> for Bounds {
    fn from(limits: &LimitSettings) -> Self {
        Self {
            file_bytes: limits.max_file_megabytes.get() << 20,
            pixels: limits.max_megapixels.get() * 1_000_000,
            decode_ms: limits.max_decode_ms.get(),
            memory_bytes: limits.max_memory_megabytes.get() << 20,
        }
    }
}

impl Bounds {
    /// Whether a file of `size` bytes may be read.
    pub fn check_file(&self, size: u64) -> Result<(), Unusable> {
        if size > self.file_bytes {
            return Err(Unusable::FileTooLarge { megabytes: size >> 20, limit: self.file_bytes >> 20 });
        }
        Ok(())
    }

    /// Whether a picture of `width` × `height`, `decoded_bytes` in memory, from `file_bytes` on disk may be decoded.
    pub fn check_header(&self, width: u32, height: u32, decoded_bytes: u64, file_bytes: u64) -> Result<(), Unusable> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 {
            return Err(Unusable::Damaged("its width or height is zero".into()));
        }
        if pixels > FREE_PIXELS && pixels > file_bytes.saturating_mul(PIXELS_PER_BYTE) {
            return Err(Unusable::ClaimsTooMuch { width, height });
        }
        if pixels > self.pixels || decoded_bytes > DECODED_BYTES {
            return Err(Unusable::TooManyPixels { width, height, limit_megapixels: self.pixels / 1_000_000 });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_checked_before_pixels() {
        let bounds = Bounds { file_bytes: 1 << 20, pixels: 100_000_000, decode_ms: 1_000, memory_bytes: 0 };
        for (width, height, bytes_a_pixel, file_bytes, allowed) in [
            (4000, 3000, 3, 500_000, true),
            (4000, 4000, 3, 200, true),    // one colour, really this small
            (9000, 9000, 3, 193, false),   // 81 megapixels in 193 bytes
            (9000, 9000, 3, 50_000, true), // a blank scan
            (20_000, 20_000, 3, 90_000_000, false),
            (9500, 9500, 8, 90_000_000, false), // 16 bits and alpha: 722 MB
            (0, 10, 3, 68, false),
        ] {
            let decoded = u64::from(width) * u64::from(height) * bytes_a_pixel;
            let result = bounds.check_header(width, height, decoded, file_bytes);
            assert_eq!(result.is_ok(), allowed, "{width}×{height} in {file_bytes} bytes: {result:?}");
        }
    }
}
