//! EXIF data made byte by byte, as files of each kind hold it, and as no camera writes it.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};

use super::*;

/// A directory's entry: its tag, its kind, and its values.
type Entry<'a> = (u16, u16, &'a [u8]);

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// TIFF's directories, the lowest byte first: one with `first`, and below it that of EXIF with `exif`.
fn directories(first: &[Entry<'_>], exif: &[Entry<'_>]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    let place = (8 + size_of_directory(first.len() + 1) + outside(first)) as u32;
    let pointer = place.to_le_bytes();
    let all: Vec<Entry<'_>> = first.iter().copied().chain([(0x8769, LONG, &pointer[..])]).collect();
    add_directory(&mut bytes, &all);
    assert_eq!(bytes.len(), place as usize);
    add_directory(&mut bytes, exif);
    bytes
}

fn size_of_directory(entries: usize) -> usize {
    2 + 12 * entries + 4
}

/// Bytes of values that do not fit into their entries.
fn outside(entries: &[Entry<'_>]) -> usize {
    entries.iter().map(|(_, _, value)| value.len()).filter(|length| *length > 4).sum()
}

fn add_directory(bytes: &mut Vec<u8>, entries: &[Entry<'_>]) {
    let mut place = bytes.len() + size_of_directory(entries.len());
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        let width = match *kind {
            SHORT => 2,
            LONG => 4,
            _ => 1,
        };
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend((value.len() as u32 / width).to_le_bytes());
        if value.len() <= 4 {
            bytes.extend([*value, &[0; 4][value.len()..]].concat());
        } else {
            bytes.extend((place as u32).to_le_bytes());
            place += value.len();
        }
    }
    bytes.extend([0; 4]);
    entries.iter().filter(|(_, _, value)| value.len() > 4).for_each(|(_, _, value)| bytes.extend(*value));
}

/// What a phone writes, held upright: the picture is turned by a quarter.
fn of_a_phone() -> Vec<u8> {
    directories(
        &[
            (0x10F, ASCII, b"Maker\0"),
            (0x110, ASCII, b"Phone 7\0"),
            (0x112, SHORT, &[6, 0]),
            (0x132, ASCII, b"2025:01:01 00:00:00\0"),
        ],
        &[(0x9003, ASCII, b"2024:06:01 08:30:00\0"), (0xA434, ASCII, b"Phone 7 back camera 4.2mm\0")],
    )
}

fn said_by_a_phone() -> PictureMetadata {
    PictureMetadata {
        taken: WallTime::parse("2024-06-01T08:30:00"),
        camera: Some("Maker Phone 7".into()),
        lens: Some("Phone 7 back camera 4.2mm".into()),
        size: None,
    }
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(64, 48).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(exif: &[u8]) -> Vec<u8> {
    let picture = encoded(ImageFormat::Jpeg);
    let length = (exif.len() as u16 + 8).to_be_bytes();
    [&picture[..2], b"\xFF\xE1", &length, b"Exif\0\0", exif, &picture[2..]].concat()
}

fn png(exif: &[u8]) -> Vec<u8> {
    let picture = encoded(ImageFormat::Png);
    // After the signature and the header.
    let (before, after) = picture.split_at(8 + 25);
    [before, &(exif.len() as u32).to_be_bytes(), b"eXIf", exif, &[0; 4], after].concat()
}

fn webp(exif: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        [&kind[..], &(content.len() as u32).to_le_bytes(), content, &[0][..content.len() % 2]].concat()
    };
    let chunks = [&b"WEBP"[..], &chunk(b"VP8X", &[8; 10]), &chunk(b"VP8 ", &[0; 7]), &chunk(b"EXIF", exif)].concat();
    chunk(b"RIFF", &chunks)
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
}

/// HEIC and AVIF differ in the kind of their picture only. The data lies behind all boxes, as phones have it.
fn heif(exif: &[u8]) -> Vec<u8> {
    let entry = |id: u8, kind: &[u8; 4]| boxed(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], &kind[..], b"\0"].concat());
    let items = [&[0, 0, 0, 0, 0, 2][..], &entry(1, b"hvc1"), &entry(2, b"Exif")].concat();
    let head = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
    let meta = |place: usize| {
        let numbers = [place as u32, exif.len() as u32 + 10].map(u32::to_be_bytes).concat();
        let places = [&[0, 0, 0, 0, 0x44, 0, 0, 1, 0, 2, 0, 0, 0, 1][..], &numbers].concat();
        let primary = [0, 0, 0, 0, 0, 1];
        let content = [boxed(b"pitm", &primary), boxed(b"iinf", &items), boxed(b"iloc", &places)].concat();
        boxed(b"meta", &[&[0; 4][..], &content].concat())
    };
    let place = head.len() + meta(0).len() + 8;
    let data = [&[0, 0, 0, 6][..], b"Exif\0\0", exif].concat();
    [head, meta(place), boxed(b"mdat", &data)].concat()
}

fn jxl(exif: &[u8]) -> Vec<u8> {
    let exif = boxed(b"Exif", &[&[0; 4][..], exif].concat());
    [&b"\0\0\0\x0CJXL \r\n\x87\n"[..], &boxed(b"jxlc", &[0; 40]), &exif].concat()
}

/// Its directories are boxes of Canon's own.
fn cr3() -> Vec<u8> {
    let first = directories(&[(0x10F, ASCII, b"Maker\0"), (0x110, ASCII, b"Phone 7\0")], &[]);
    let second =
        directories(&[(0x9003, ASCII, b"2024:06:01 08:30:00\0"), (0xA434, ASCII, b"Phone 7 back camera 4.2mm\0")], &[]);
    let own = b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
    let boxes = [&own[..], &boxed(b"CMT1", &first), &boxed(b"CMT2", &second)].concat();
    [boxed(b"ftyp", b"crx \0\0\0\x01crx isom"), boxed(b"moov", &boxed(b"uuid", &boxes))].concat()
}

fn raf(exif: &[u8]) -> Vec<u8> {
    let mut head = b"FUJIFILMCCD-RAW ".to_vec();
    head.resize(84, b' ');
    [&head[..], &92_u32.to_be_bytes(), &9_u32.to_be_bytes(), &jpeg(exif)].concat()
}

#[test]
fn files_of_every_kind_say_when_and_with_what_they_were_taken() {
    let exif = of_a_phone();
    let files = [
        ("a TIFF or a raw file", exif.clone()),
        ("WebP", webp(&exif)),
        ("WebP, as in a JPEG", webp(&[b"Exif\0\0", &exif[..]].concat())),
        ("HEIF", heif(&exif)),
        ("JPEG XL", jxl(&exif)),
        ("CR3", cr3()),
        ("RAF", raf(&exif)),
    ];
    for (kind, file) in files {
        assert_eq!(PictureMetadata::of(&file), said_by_a_phone(), "{kind}");
    }
    // Upright.
    let sized = PictureMetadata { size: Some([48, 64]), ..said_by_a_phone() };
    assert_eq!(PictureMetadata::of(&jpeg(&exif)), sized);
    assert_eq!(PictureMetadata::of(&png(&exif)), sized);
    let bare = PictureMetadata { size: Some([64, 48]), ..PictureMetadata::default() };
    assert_eq!(PictureMetadata::of(&encoded(ImageFormat::Jpeg)), bare);
    assert_eq!(PictureMetadata::of(&encoded(ImageFormat::Gif)), PictureMetadata::default());
}

#[test]
fn the_date_of_the_photograph_counts_before_that_of_the_scan_and_of_the_file() {
    let of = |dates: &[Entry<'_>]| {
        PictureMetadata::of(&jpeg(&directories(&[(0x132, ASCII, b"2003:01:01 00:00:00\0")], dates)))
    };
    let year = |dates: &[Entry<'_>]| of(dates).taken.unwrap().to_string()[..4].to_string();
    let scan: Entry<'_> = (0x9004, ASCII, b"2002:01:01 00:00:00\0");
    assert_eq!(year(&[scan, (0x9003, ASCII, b"2001:01:01 00:00:00\0")]), "2001");
    assert_eq!(year(&[scan, (0x9003, ASCII, b"0000:00:00 00:00:00\0")]), "2002");
    assert_eq!(year(&[]), "2003");
}

/// Every byte of a small file is changed, and the file is cut at every place: nothing is worse than to know nothing.
#[test]
fn hostile_data_ends_early_and_says_nothing() {
    let exif = of_a_phone();
    for file in [jpeg(&exif), png(&exif), webp(&exif), heif(&exif), jxl(&exif), cr3(), exif.clone()] {
        for at in 0..file.len().min(600) {
            PictureMetadata::of(&file[..at]);
            for value in [0, 0x7F, 0xFF] {
                let mut changed = file.clone();
                changed[at] = value;
                PictureMetadata::of(&changed);
            }
        }
    }
    // A directory that names itself, as the next and as the one below.
    let mut looped = directories(&[(0x10F, ASCII, b"Maker\0")], &[]);
    let next = 8 + 2 + 2 * 12;
    looped[next..next + 4].copy_from_slice(&8_u32.to_le_bytes());
    looped[8 + 2 + 12 + 8..][..4].copy_from_slice(&8_u32.to_le_bytes());
    assert_eq!(PictureMetadata::of(&jpeg(&looped)).camera.as_deref(), Some("Maker"));
    // A text of four gigabytes, and one without an end.
    let mut huge = directories(&[(0x110, ASCII, &[b'A'; 200])], &[]);
    huge[8 + 2 + 4..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(PictureMetadata::of(&jpeg(&huge)).camera, Some("A".repeat(128)));
    // Numbers in the place of a text.
    let numbers = directories(&[(0x110, LONG, &[65; 8])], &[(0x9003, SHORT, &[50; 20])]);
    assert_eq!(PictureMetadata::of(&jpeg(&numbers)).camera, None);
    assert_eq!(PictureMetadata::of(&jpeg(&numbers)).taken, None);
}

/// 64 directories of 1,000 entries each, the most that are read, in a file of the size of a segment and in a large one.
#[test]
fn what_is_read_of_a_file_is_bounded() {
    let mut all = b"II*\0\x08\0\0\0".to_vec();
    for number in 0..200_u32 {
        let entries: Vec<Entry<'_>> = vec![(0x10F, ASCII, b"M\0"); 1_000];
        let start = all.len();
        add_directory(&mut all, &entries);
        let end = all.len();
        all[end - 4..].copy_from_slice(&(end as u32).to_le_bytes());
        assert!(end - start == size_of_directory(1_000) && number < 200);
    }
    let last: Entry<'_> = (0x9003, ASCII, b"2024:06:01 08:30:00\0");
    add_directory(&mut all, &[last]);
    let found = PictureMetadata::of(&all);
    assert_eq!((found.camera.as_deref(), found.taken), (Some("M"), None), "the last directory is not reached");
}
