//! EXIF data (CIPA DC-008) in the files of each format: where it stands, and what of it is kept. It is TIFF's directories, which
//! are read here within the bounds of those of raw files.

use super::boxes::{find, number};
use super::heif::Container;
use super::raw::directories::{self, Directories};
use super::{jpeg, png, raw};
use crate::clock::WallTime;

const MAKE: u64 = 0x10F;
const MODEL: u64 = 0x110;
/// When the picture was taken; when it was made digital, which differs where it was scanned; when the file was changed.
const DATES: [u64; 3] = [0x9003, 0x9004, 0x132];
const LENS: u64 = 0xA434;
/// Of a text. Longer ones are cut.
const MOST_BYTES: u64 = 128;
/// The year of the oldest photograph that is left. What is said to be older is a mistake.
const FIRST_YEAR: u16 = 1826;

/// What a file says of how it was taken.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ExifData {
    /// When, by the camera's clock.
    pub taken: Option<WallTime>,
    /// Maker and model.
    pub camera: Option<String>,
    /// Its model.
    pub lens: Option<String>,
}

impl ExifData {
    /// That of a file, or of its beginning as far as it has it.
    pub fn of(file: &[u8]) -> Self {
        let parts: Vec<Directories<'_>> = parts(file).into_iter().filter_map(Directories::of).collect();
        let text = |tag| parts.iter().find_map(|directories| directories.text(tag, MOST_BYTES));
        Self {
            taken: DATES.into_iter().find_map(|tag| date(text(tag)?)),
            camera: camera(text(MAKE).and_then(plain), text(MODEL).and_then(plain)),
            lens: text(LENS).and_then(plain),
        }
    }
}

/// Width and height of the picture once it is upright, where the beginning of the file says them: of JPEG and PNG.
pub fn size(file: &[u8]) -> Option<[u32; 2]> {
    let of_jpeg = jpeg::frame(file).map(|frame| (frame.width, frame.height));
    let (width, height) = of_jpeg.or_else(|| png::size(file))?;
    let orientation = parts(file).first().and_then(|part| directories::orientation(part));
    let is_turned = orientation.is_some_and(|orientation| orientation.to_exif() >= 5);
    Some(if is_turned { [height, width] } else { [width, height] })
}

/// The parts of a file that are made of TIFF's directories.
fn parts(file: &[u8]) -> Vec<&[u8]> {
    let one = |part: Option<_>| part.into_iter().collect();
    if file.starts_with(b"\xFF\xD8\xFF") {
        one(jpeg::exif(file))
    } else if file.starts_with(png::SIGNATURE) {
        one(png::exif(file))
    } else if file.starts_with(b"RIFF") {
        one(of_webp(file))
    } else if file.starts_with(b"\0\0\0\x0CJXL ") {
        one(find(file, b"Exif").and_then(behind_offset))
    } else if file.get(4..8) == Some(b"ftyp") && file.get(8..12) != Some(b"crx ") {
        one(Container::read(file).and_then(|container| behind_offset(container.exif(file)?)))
    } else {
        raw::exif(file)
    }
}

/// The first number says how many bytes follow before the directories.
fn behind_offset(content: &[u8]) -> Option<&[u8]> {
    content.get(4..)?.get(usize::try_from(number(content, 4)?).ok()?..)
}

/// The chunk with EXIF data, which some programs write as it stands in a JPEG.
fn of_webp(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    loop {
        let length = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?) as usize;
        let content = rest.get(8..)?.get(..length)?;
        if rest.starts_with(b"EXIF") {
            return Some(content.strip_prefix(b"Exif\0\0").unwrap_or(content));
        }
        // Chunks begin at even places.
        rest = rest.get(8 + length + length % 2..)?;
    }
}

/// "2024:06:01 08:30:00". Some programs write other signs between the numbers, or no time.
fn date(text: &[u8]) -> Option<WallTime> {
    let number = |from: usize, to: usize| std::str::from_utf8(text.get(from..to)?).ok()?.parse::<u16>().ok();
    let day = [number(0, 4)?, number(5, 7)?, number(8, 10)?];
    let time = match text.len() {
        ..=10 => [0; 3],
        _ => [number(11, 13)?, number(14, 16)?, number(17, 19).unwrap_or(0)],
    };
    let parts = [day[0], day[1], day[2], time[0], time[1], time[2]];
    if day[0] < FIRST_YEAR { None } else { WallTime::of_parts(parts) }
}

/// "Canon EOS R6": the maker, unless the model begins with it.
fn camera(make: Option<String>, model: Option<String>) -> Option<String> {
    let first = |name: &str| name.split(' ').next().unwrap_or_default().to_lowercase();
    match (make, model) {
        (Some(make), Some(model)) if first(&make) != first(&model) => Some(format!("{make} {model}")),
        (make, model) => model.or(make),
    }
}

/// A text in one line, without what no printer prints.
fn plain(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let plain = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_cameras_and_programs_write_them() {
        let text = |date_text: &str| date(date_text.as_bytes()).map(|date| date.to_string());
        for date_text in
            ["2024:06:01 08:30:05", "2024-06-01T08:30:05", "2024/06/01 08:30:05.123", "2024:06:01 08:30:05+02:00"]
        {
            assert_eq!(text(date_text).as_deref(), Some("2024-06-01T08:30:05"), "{date_text}");
        }
        assert_eq!(text("2024:06:01 08:30").as_deref(), Some("2024-06-01T08:30:00"));
        assert_eq!(text("2024:06:01").as_deref(), Some("2024-06-01T00:00:00"));
        for none in
            ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "2024", "2024:13:01 00:00:00", "1000:01:01 00:00:00"]
        {
            assert_eq!(text(none), None, "{none}");
        }
        assert_eq!(date(b"20\xFF4:06:01 08:30:05"), None);
    }

    #[test]
    fn a_maker_is_not_said_twice() {
        let name = |make: &str, model: &str| camera(plain(make.as_bytes()), plain(model.as_bytes()));
        assert_eq!(name("Canon", "Canon EOS R6").as_deref(), Some("Canon EOS R6"));
        assert_eq!(name("NIKON CORPORATION", "NIKON D70").as_deref(), Some("NIKON D70"));
        assert_eq!(name("Apple", "iPhone 15 Pro").as_deref(), Some("Apple iPhone 15 Pro"));
        assert_eq!(name("SONY", " ").as_deref(), Some("SONY"));
        assert_eq!(name("", " A\n\tone\u{1b}[2J  ").as_deref(), Some("A one [2J"));
        assert_eq!(name("", ""), None);
    }
}
