//! Canon's own raw files: CR3, made of boxes, and the older CRW, made of heaps.
//! Sources: Laurent Clévy, "Describing the Canon Raw v3 (CR3) file format"; Phil Harvey, "The Canon RAW (CRW) File Format".

use image::metadata::Orientation;

use super::super::boxes::{boxes, find, number};
use super::{Previews, directories, part};

/// The box of Canon's own boxes, and that of the preview: `uuid` boxes begin with these.
const OWN: &[u8] = b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
const PREVIEW: &[u8] = b"\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16";
/// The file's heap of heaps is never deeper.
const DEEPEST_HEAP: u32 = 4;
/// Entries of one heap, more than any camera writes.
const MOST_ENTRIES: u64 = 1_000;
const JPEG_FROM_RAW: u64 = 0x2007;
const IMAGE_INFO: u64 = 0x1810;

/// What a CR3 file says of how it was taken: two of TIFF's directories, each a box.
pub fn exif_of_boxes(bytes: &[u8]) -> Option<[Option<&[u8]>; 2]> {
    let own = own_boxes(find(bytes, b"moov")?)?;
    Some([b"CMT1", b"CMT2"].map(|kind| find(own, kind)))
}

fn own_boxes(movie: &[u8]) -> Option<&[u8]> {
    boxes(movie).find_map(|(kind, body)| if &kind == b"uuid" { body.strip_prefix(OWN) } else { None })
}

/// The previews of a CR3 file.
pub fn previews_of_boxes(bytes: &[u8]) -> Option<Previews<'_>> {
    let movie = find(bytes, b"moov")?;
    let orientation = own_boxes(movie).and_then(|own| directories::orientation(find(own, b"CMT1")?));
    let preview =
        boxes(bytes).find_map(|(kind, body)| if &kind == b"uuid" { body.strip_prefix(PREVIEW) } else { None });
    // Two numbers stand before the preview's box; in it its size stands before the picture.
    let preview = preview.and_then(|own| find(own.get(8..)?, b"PRVW")?.get(16..));
    let tracks = boxes(movie).filter(|(kind, _)| kind == b"trak").take(8);
    let mut places: Vec<_> = tracks.filter_map(|(_, track)| of_track(bytes, track)).collect();
    places.extend(preview.map(Some));
    Some(Previews { places, orientation })
}

/// What lies where a track says that its one picture is.
fn of_track<'a>(bytes: &'a [u8], track: &[u8]) -> Option<Option<&'a [u8]>> {
    let table = find(find(find(track, b"mdia")?, b"minf")?, b"stbl")?;
    let (sizes, places) = (find(table, b"stsz")?, find(table, b"co64")?);
    let length = match number(sizes.get(4..)?, 4)? {
        0 => number(sizes.get(12..)?, 4)?,
        length => length,
    };
    Some(part(bytes, number(places.get(8..)?, 8)?, length))
}

/// The previews of a CRW file.
pub fn previews_of_heap(bytes: &[u8]) -> Option<Previews<'_>> {
    let mut previews = Previews::default();
    let heap = bytes.get(usize::try_from(little(bytes, 2, 4)?).ok()?..)?;
    look_through(heap, 0, &mut previews)?;
    Some(previews)
}

fn little(bytes: &[u8], at: u64, length: u64) -> Option<u64> {
    Some(part(bytes, at, length)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A heap ends with the place of its table.
fn look_through<'a>(heap: &'a [u8], depth: u32, previews: &mut Previews<'a>) -> Option<()> {
    let table = little(heap, (heap.len() as u64).checked_sub(4)?, 4)?;
    for entry in 0..little(heap, table, 2)?.min(MOST_ENTRIES) {
        let at = table + 2 + 10 * entry;
        let (tag, length, place) = (little(heap, at, 2)?, little(heap, at + 2, 4)?, little(heap, at + 6, 4)?);
        let is_in_the_heap = tag & 0xC000 == 0;
        let content = part(heap, place, length);
        match tag & 0x3FFF {
            JPEG_FROM_RAW if is_in_the_heap => previews.places.push(content),
            IMAGE_INFO if is_in_the_heap => previews.orientation = content.and_then(turned),
            tag if is_in_the_heap && matches!(tag & 0x3800, 0x2800 | 0x3000) && depth < DEEPEST_HEAP => {
                look_through(content?, depth + 1, previews);
            }
            _ => {}
        }
    }
    Some(())
}

/// How the camera was held: degrees stand behind the size and the shape of pixels.
fn turned(info: &[u8]) -> Option<Orientation> {
    match little(info, 12, 4)? {
        90 => Some(Orientation::Rotate90),
        180 => Some(Orientation::Rotate180),
        270 => Some(Orientation::Rotate270),
        _ => None,
    }
}
