//! Decodes a file's bytes into an upright picture within limits; damaged bytes give an error, not a panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Once;

use image::DynamicImage;
use image::metadata::Orientation;

use super::formats::{Format, Header, Opened, recognise};
use super::{Bounds, Resolution, Unusable};

/// A picture whose header was read and keeps to the limits; no pixel of it is decoded yet.
pub struct OpenedPicture<'a> {
    bytes: &'a [u8],
    format: &'static Format,
    opened: Opened<'a>,
}

/// Reads the header of `bytes`, the content of the file at `path`. The content decides what it is; the name matters only for what
/// content cannot tell.
pub fn open<'a>(bytes: &'a [u8], path: &Path, bounds: &Bounds) -> Result<OpenedPicture<'a>, Unusable> {
    #[cfg(debug_assertions)]
    super::faults::act(bytes);
    let format = recognise(bytes, path)?;
    let opened = caught(|| (format.open)(bytes, bounds)).unwrap_or_else(|| Err(gave_up(format)))?;
    let header = &opened.header;
    bounds.check_header(header.width, header.height, header.decoded_bytes, bytes.len() as u64)?;
    if header.is_cut_off {
        return Err(Unusable::CutOff);
    }
    Ok(OpenedPicture { bytes, format, opened })
}

/// Whether `bytes`, the content of the file at `path`, are of a format whose decoder takes long for each pixel. No decoder looks at them,
/// so nobody needs to guard it.
pub fn is_of_slow_format(bytes: &[u8], path: &Path) -> bool {
    caught(|| recognise(bytes, path).is_ok_and(Format::is_slow)).unwrap_or(false)
}

/// Decodes `bytes`, the content of the file at `path`, in this process, with all its pixels, and turns the picture upright.
pub fn decode(bytes: &[u8], path: &Path, bounds: &Bounds) -> Result<DynamicImage, Unusable> {
    open(bytes, path, bounds)?.decode(Resolution::WHOLE)
}

impl OpenedPicture<'_> {
    /// The memory in bytes that is going to be needed: see `docs/decisions/one-budget-of-memory.md`.
    pub fn memory_bytes(&self) -> u64 {
        self.opened.header.memory_bytes
    }

    /// Its width and height in pixels, upright.
    pub fn size(&self) -> (u32, u32) {
        let Header { width, height, orientation, .. } = self.opened.header;
        let lies_on_its_side = matches!(
            orientation,
            Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
        );
        if lies_on_its_side { (height, width) } else { (width, height) }
    }

    /// Whether its decoder is not memory-safe throughout, or takes what no header tells: it belongs into a process of its own.
    pub fn needs_process(&self) -> bool {
        self.format.needs_process()
    }

    /// Decodes its pixels in this process, and turns the picture upright. Where its format allows it, the picture is smaller, but has
    /// the `resolution`.
    pub fn decode(self, resolution: Resolution) -> Result<DynamicImage, Unusable> {
        let Self { bytes, format, opened } = self;
        #[cfg(debug_assertions)]
        if format.needs_process() {
            super::faults::act_at_end(bytes);
        }
        #[cfg(not(debug_assertions))]
        let _ = bytes;
        let orientation = opened.header.orientation;
        // Some damaged files make decoders panic (tiff 0.11 even does on a valid planar LZW file).
        let decoded = caught(|| {
            let mut picture = (opened.decode)(resolution)?;
            picture.apply_orientation(orientation);
            Ok(picture)
        });
        decoded.unwrap_or_else(|| Err(gave_up(format)))
    }
}

fn gave_up(format: &Format) -> Unusable {
    Unusable::Damaged(format!("the {} decoder gave up on it", format.name))
}

/// The result of `work` on one picture; `None` if it panics, so that a panic costs this picture only. `work` uses
/// nothing shared, so no broken state can leak out.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    let was_guarded = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(was_guarded);
    result.ok()
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
