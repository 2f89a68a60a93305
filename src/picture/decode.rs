//! Decodes a file's bytes into an upright picture within limits; damaged bytes give an error, not a panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use image::DynamicImage;

use super::formats::{Format, recognise};
use super::{Bounds, Unusable};

/// Decodes `bytes`, the content of the file at `path`, and turns the picture upright. The content decides what it is; the name
/// matters only for what content cannot tell.
pub fn decode(bytes: &[u8], path: &Path, bounds: &Bounds) -> Result<DynamicImage, Unusable> {
    decode_within(bytes, path, bounds, &mut |_| Ok(()))
}

/// The same; before a pixel is decoded, `reserve` gets the memory in bytes that is going to be needed: see
/// `docs/decisions/one-budget-of-memory.md`.
pub fn decode_within(
    bytes: &[u8],
    path: &Path,
    bounds: &Bounds,
    reserve: &mut dyn FnMut(u64) -> Result<(), Unusable>,
) -> Result<DynamicImage, Unusable> {
    #[cfg(debug_assertions)]
    super::faults::act(bytes);
    let format = recognise(bytes, path)?;
    // Some damaged files make decoders panic (tiff 0.11 even does on a valid planar LZW file).
    let result = caught(|| decode_upright(bytes, format, bounds, reserve));
    result.unwrap_or_else(|| Err(Unusable::Damaged(format!("the {} decoder gave up on it", format.name))))
}

/// The result of `work` on one picture; `None` if it panics, so that a panic costs this picture only. `work` uses
/// nothing shared, so no broken state can leak out.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    result.ok()
}

fn decode_upright(
    bytes: &[u8],
    format: &Format,
    bounds: &Bounds,
    reserve: &mut dyn FnMut(u64) -> Result<(), Unusable>,
) -> Result<DynamicImage, Unusable> {
    let opened = (format.open)(bytes, bounds)?;
    let header = opened.header;
    bounds.check_header(header.width, header.height, header.decoded_bytes, bytes.len() as u64)?;
    if header.is_cut_off {
        return Err(Unusable::CutOff);
    }
    reserve(header.memory_bytes)?;
    let mut picture = (opened.decode)()?;
    picture.apply_orientation(header.orientation);
    Ok(picture)
}

thread_local! {
    /// Whether this thread is decoding a picture, where panics are caught and reported in plain words.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Hides caught panics of decoders from the terminal; any other panic is printed as usual. Takes effect once per
/// process.
pub fn silence_caught_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                print(panic);
            }
        }));
    });
}
