//! Camera raw, by the picture that the camera has put into it for its own screen: the largest embedded JPEG.
//!
//! Previews were looked for in real files of Canon (CR2, CR3, CRW), Adobe (DNG) and in the structures that the other makers use. The
//! sensor's data itself is never decoded: it takes seconds, and another colour for every camera.

mod canon;
pub mod directories;
mod fuji;

use image::metadata::Orientation;

use super::{Bounds, Format, Opened, jpeg, tiff};
use crate::picture::Unusable;
use directories::Directories;

/// Raw files of TIFF's directories: CR2, NEF, ARW, DNG, ORF, RW2, PEF, SRW and others.
pub const RAW: Format = Format { name: NAME, open: |bytes, bounds| open(bytes, bounds, directories::previews) };
/// The same, told by its name only: without a preview it is a TIFF.
pub const RAW_BY_NAME: Format = Format { name: NAME, open: open_by_name };
/// CR3.
pub const CR3: Format = Format { name: NAME, open: |bytes, bounds| open(bytes, bounds, canon::previews_of_boxes) };
/// CRW.
pub const CRW: Format = Format { name: NAME, open: |bytes, bounds| open(bytes, bounds, canon::previews_of_heap) };
/// RAF.
pub const RAF: Format = Format { name: NAME, open: |bytes, bounds| open(bytes, bounds, fuji::previews) };

const NAME: &str = "camera raw";
/// A smaller one is a thumbnail, too small to be searched for or shown.
const LEAST_SIDE_PX: u32 = 320;
/// The ends of the names of raw files that are TIFF files without anything that says what they are.
const NAMES: [&str; 16] =
    ["3fr", "arw", "cr2", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mos", "nef", "nrw", "pef", "rw2", "sr2", "srw"];

/// What a raw file says of its previews.
#[derive(Debug, Default)]
pub struct Previews<'a> {
    /// What begins where each JPEG is said to be. Some lie outside of the file, or are something else.
    places: Vec<Option<&'a [u8]>>,
    /// How the camera was held.
    orientation: Option<Orientation>,
}

/// Whether a file with TIFF's beginning is a raw file, as its directories say.
pub fn is_raw(bytes: &[u8]) -> bool {
    Directories::of(bytes).is_some_and(|directories| directories.are_of_a_raw_file())
}

/// Whether `extension` is one of raw files.
pub fn is_raw_name(extension: &str) -> bool {
    NAMES.iter().any(|name| extension.eq_ignore_ascii_case(name))
}

/// The parts of a raw file that say how it was taken, each made of TIFF's directories; none of a CRW, which has others.
pub fn exif(bytes: &[u8]) -> Vec<&[u8]> {
    if bytes.starts_with(b"FUJIFILMCCD-RAW ") {
        fuji::exif(bytes).into_iter().collect()
    } else if bytes.get(4..12) == Some(b"ftypcrx ") {
        canon::exif_of_boxes(bytes).into_iter().flatten().flatten().collect()
    } else {
        vec![bytes]
    }
}

fn open_by_name<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Opened<'a>, Unusable> {
    // Without a preview and without a picture, the reason is that it is a raw file without a preview.
    open(bytes, bounds, directories::previews).or_else(|reason| (tiff::TIFF.open)(bytes, bounds).map_err(|_| reason))
}

fn open<'a>(
    bytes: &'a [u8],
    bounds: &Bounds,
    previews: fn(&'a [u8]) -> Option<Previews<'a>>,
) -> Result<Opened<'a>, Unusable> {
    let Previews { places, orientation } = previews(bytes).ok_or(Unusable::CutOff)?;
    let is_incomplete = places.contains(&None);
    let mut found: Vec<(u64, &[u8])> = places
        .into_iter()
        .flatten()
        .filter_map(|place| Some((place, jpeg::frame(place)?)))
        .filter(|(_, frame)| frame.width.max(frame.height) >= LEAST_SIDE_PX)
        .map(|(place, frame)| (u64::from(frame.width) * u64::from(frame.height), place))
        .collect();
    found.sort_by_key(|(pixels, _)| std::cmp::Reverse(*pixels));
    let mut problem = None;
    for (_, place) in found {
        match jpeg::open(place, bounds) {
            Ok(opened) if !opened.header.is_cut_off => return Ok(oriented(opened, orientation)),
            Ok(_) => problem = problem.or(Some(Unusable::CutOff)),
            Err(other) => problem = problem.or(Some(other)),
        }
    }
    let none = if is_incomplete {
        Unusable::CutOff
    } else {
        Unusable::UnsupportedVariant("camera raw (it holds no preview)".into())
    };
    Err(problem.unwrap_or(none))
}

/// The camera says in one place how it was held, most often in the raw file's own.
fn oriented(mut opened: Opened<'_>, orientation: Option<Orientation>) -> Opened<'_> {
    opened.header.orientation = orientation.unwrap_or(opened.header.orientation);
    opened
}

/// The `length` bytes at `at`, if they are all there.
fn part(bytes: &[u8], at: u64, length: u64) -> Option<&[u8]> {
    let (at, length) = (usize::try_from(at).ok()?, usize::try_from(length).ok()?);
    bytes.get(at..at.checked_add(length)?)
}
