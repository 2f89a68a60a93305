//! Raw files made of TIFF's directories (TIFF 6.0), with the tags of TIFF/EP, DNG and the makers (as ExifTool documents them).

use image::metadata::Orientation;

use super::{Previews, part};

/// More than any camera writes: a file in which directories name each other ends here.
const MOST_DIRECTORIES: usize = 64;
/// Entries of one directory.
const MOST_ENTRIES: u64 = 1_000;

const COMPRESSION: u64 = 0x103;
/// How the values of a pixel are colours.
pub const PHOTOMETRIC: u64 = 0x106;
const STRIP: (u64, u64) = (0x111, 0x117);
const ORIENTATION: u64 = 0x112;
const SUB_DIRECTORIES: u64 = 0x14A;
const JPEG: (u64, u64) = (0x201, 0x202);
/// Panasonic: the JPEG is the value.
const JPEG_FROM_RAW: u64 = 0x2E;
const EXIF: u64 = 0x8769;
const MAKER_NOTE: u64 = 0x927C;
const DNG_VERSION: u64 = 0xC612;
/// Of a sensor behind a colour filter, and of linear data.
const RAW_PHOTOMETRICS: [u64; 2] = [32_803, 34_892];
/// Makers' own: Sony, Nikon, Samsung (two), Pentax.
const RAW_COMPRESSIONS: [u64; 5] = [32_767, 34_713, 32_769, 32_770, 65_535];
const JPEG_COMPRESSIONS: [u64; 2] = [6, 7];

/// Makers' notes that hold a preview: how they begin, where their directory begins, what their places count from, and the tags.
const NOTES: [Note; 7] = [
    Note { beginning: b"OLYMPUS\0II", directory: 12, base: Base::Note(0), way: Way::Within(0x2020, (0x101, 0x102)) },
    Note { beginning: b"OM SYSTEM\0", directory: 16, base: Base::Note(0), way: Way::Within(0x2020, (0x101, 0x102)) },
    Note { beginning: b"OLYMP\0", directory: 8, base: Base::File, way: Way::Within(0x2020, (0x101, 0x102)) },
    Note { beginning: b"Nikon\0\x02", directory: 18, base: Base::Note(10), way: Way::Within(0x11, JPEG) },
    Note { beginning: b"AOC\0", directory: 6, base: Base::File, way: Way::Here((0x4, 0x3)) },
    Note { beginning: b"PENTAX \0", directory: 10, base: Base::Note(0), way: Way::Here((0x4, 0x3)) },
    Note { beginning: b"", directory: 0, base: Base::File, way: Way::Within(0x35, JPEG) },
];

struct Note {
    beginning: &'static [u8],
    directory: u64,
    base: Base,
    way: Way,
}

/// What the places in makers' notes count from.
enum Base {
    File,
    /// So many bytes behind the beginning of the note.
    Note(u64),
}

/// Where the tags of a preview's place and length stand.
enum Way {
    Here((u64, u64)),
    Within(u64, (u64, u64)),
}

/// An entry of a directory: its tag, how many values it has, and where they lie.
#[derive(Debug, Clone, Copy)]
struct TagEntry {
    tag: u64,
    value_bytes: u64,
    count: u64,
    at: u64,
}

/// A directory.
type Directory = Vec<TagEntry>;

/// All directories of a file, but those of makers' notes.
pub struct Directories<'a> {
    bytes: &'a [u8],
    is_big: bool,
    all: Vec<Directory>,
}

impl<'a> Directories<'a> {
    /// Reads them; `None` for a file without TIFF's beginning, or without a directory.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let is_big = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        // BigTIFF, whose directories are others.
        if bytes.get(2..4)?.contains(&b'+') {
            return None;
        }
        let mut found = Self { bytes, is_big, all: Vec::new() };
        let mut ahead = vec![found.number(4, 4)?];
        let mut known = ahead.clone();
        while let Some(at) = ahead.pop() {
            let Some((directory, next)) = found.directory(at, 0) else { continue };
            let below = [SUB_DIRECTORIES, EXIF].map(|tag| found.values(&directory, tag, 16));
            found.all.push(directory);
            for place in below.into_iter().flatten().chain([next]) {
                if place != 0 && known.len() < MOST_DIRECTORIES && !known.contains(&place) {
                    known.push(place);
                    ahead.push(place);
                }
            }
        }
        (!found.all.is_empty()).then_some(found)
    }

    /// Whether they say that the file holds a sensor's data.
    pub fn are_of_a_raw_file(&self) -> bool {
        let is_one_of = |directory, tag, known: &[u64]| {
            self.values(directory, tag, 1).first().is_some_and(|value| known.contains(value))
        };
        self.bytes.get(8..10) == Some(b"CR")
            || self.has(DNG_VERSION)
            || self.all.iter().any(|directory| {
                is_one_of(directory, PHOTOMETRIC, &RAW_PHOTOMETRICS)
                    || is_one_of(directory, COMPRESSION, &RAW_COMPRESSIONS)
            })
    }

    /// The value of `tag` in the first directory, two bytes in the file's order, and the place of the lower one.
    pub fn place_of_first(&self, tag: u64) -> Option<(u64, usize)> {
        let entry = self.all.first()?.iter().find(|entry| entry.tag == tag && entry.value_bytes == 2)?;
        let lower = if self.is_big { entry.at + 1 } else { entry.at };
        Some((self.number(entry.at, 2)?, usize::try_from(lower).ok()?))
    }

    /// Whether a directory has an entry of this tag.
    fn has(&self, tag: u64) -> bool {
        self.all.iter().any(|directory| directory.iter().any(|entry| entry.tag == tag))
    }

    /// The text of the first directory that has one of this `tag`: at most `most` bytes, up to a zero.
    pub fn text(&self, tag: u64, most: u64) -> Option<&'a [u8]> {
        let mut entries = self.all.iter().filter_map(|directory| directory.iter().find(|entry| entry.tag == tag));
        entries.find_map(|entry| {
            let text = part(self.bytes, entry.at, entry.count.min(most)).filter(|_| entry.value_bytes == 1)?;
            text.split(|byte| *byte == 0).next().filter(|text| !text.is_empty())
        })
    }

    fn number(&self, at: u64, length: u64) -> Option<u64> {
        let bytes = part(self.bytes, at, length)?;
        let add = |number, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }

    /// The directory at `at`, whose places count from `base`, and the place of the one that follows.
    fn directory(&self, at: u64, base: u64) -> Option<(Directory, u64)> {
        let count = self.number(at, 2)?.min(MOST_ENTRIES);
        let entry = |place: u64| {
            let (tag, kind, count) = (self.number(place, 2)?, self.number(place + 2, 2)?, self.number(place + 4, 4)?);
            let value_bytes = match kind {
                3 | 8 => 2,
                4 | 9 | 11 | 13 => 4,
                5 | 10 | 12 => 8,
                _ => 1,
            };
            let is_here = value_bytes * count <= 4;
            let at = if is_here { place + 8 } else { base.checked_add(self.number(place + 8, 4)?)? };
            Some(TagEntry { tag, value_bytes, count, at })
        };
        let entries: Option<Directory> = (0..count).map(|number| entry(at + 2 + 12 * number)).collect();
        Some((entries?, self.number(at + 2 + 12 * count, 4).unwrap_or(0)))
    }

    /// The first values of the entry with this tag, `most` at most.
    fn values(&self, directory: &Directory, tag: u64, most: u64) -> Vec<u64> {
        let Some(entry) = directory.iter().find(|entry| entry.tag == tag) else { return Vec::new() };
        let value = |number| self.number(entry.at + number * entry.value_bytes, entry.value_bytes);
        (0..entry.count.min(most)).map_while(value).collect()
    }

    /// What lies where `tags` say that something begins and how long it is, counted from `base`.
    fn place(&self, directory: &Directory, tags: (u64, u64), base: u64) -> Option<Option<&'a [u8]>> {
        let (at, length) = (self.values(directory, tags.0, 2), self.values(directory, tags.1, 2));
        match (at.as_slice(), length.as_slice()) {
            ([at], [length]) if *length > 0 => Some(at.checked_add(base).and_then(|at| part(self.bytes, at, *length))),
            _ => None,
        }
    }

    /// What lies where a directory says that there is a JPEG.
    fn places(&self, directory: &Directory) -> Vec<Option<&'a [u8]>> {
        let compression = self.values(directory, COMPRESSION, 1);
        let is_jpeg = compression.first().is_some_and(|value| JPEG_COMPRESSIONS.contains(value));
        let strip = if is_jpeg { self.place(directory, STRIP, 0) } else { None };
        let value = directory.iter().find(|entry| entry.tag == JPEG_FROM_RAW && entry.count > 4);
        let value = value.map(|entry| part(self.bytes, entry.at, entry.count));
        [self.place(directory, JPEG, 0), strip, value, self.of_note(directory)].into_iter().flatten().collect()
    }

    /// What lies where the maker's note in a directory says that there is a preview.
    fn of_note(&self, directory: &Directory) -> Option<Option<&'a [u8]>> {
        let note = directory.iter().find(|entry| entry.tag == MAKER_NOTE)?;
        let content = part(self.bytes, note.at, note.count)?;
        let known = NOTES.iter().find(|known| content.starts_with(known.beginning))?;
        let base = match known.base {
            Base::File => 0,
            Base::Note(behind) => note.at + behind,
        };
        let (directory, _) = self.directory(note.at + known.directory, base)?;
        match known.way {
            Way::Here(tags) => self.place(&directory, tags, base),
            Way::Within(tag, tags) => {
                let entry = directory.iter().find(|entry| entry.tag == tag)?;
                // A directory lies at the place that is its value, or is the value itself.
                let at = if entry.count == 1 {
                    base.checked_add(*self.values(&directory, tag, 1).first()?)?
                } else {
                    entry.at
                };
                self.place(&self.directory(at, base)?.0, tags, base)
            }
        }
    }
}

/// The orientation of the first directory that says one.
pub fn orientation(bytes: &[u8]) -> Option<Orientation> {
    let directories = Directories::of(bytes)?;
    let values =
        directories.all.iter().find_map(|directory| directories.values(directory, ORIENTATION, 1).first().copied());
    Orientation::from_exif(u8::try_from(values?).ok()?)
}

/// The previews of a raw file.
pub fn previews(bytes: &[u8]) -> Option<Previews<'_>> {
    let directories = Directories::of(bytes)?;
    let places = directories.all.iter().flat_map(|directory| directories.places(directory)).collect();
    Some(Previews { places, orientation: orientation(bytes) })
}
