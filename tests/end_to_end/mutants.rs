//! Pictures damaged at random: each is used or refused, and none crashes the daemon, hangs it or exhausts its memory.

use std::io::Cursor;
use std::path::Path;

use artificio_demo::Food;
use image::{DynamicImage, ImageFormat};

use super::pictures::jpeg;
use super::workplace::{Workplace, is_sentence, put};
use super::zoo::assert_decoded_in_time;

/// So many, or as many as the variable of this name says: 310,000 are 10,000 of each kind.
const MUTANTS: usize = 2_000;
const MUTANTS_VARIABLE: &str = "MUTANTS";
/// Only of files with these endings, where the variable of this name says some: `avif`, `cr3,crw`.
const ENDINGS_VARIABLE: &str = "MUTANTS_OF";
const FORMATS: [(ImageFormat, &str); 8] = [
    (ImageFormat::Jpeg, "jpg"),
    (ImageFormat::Png, "png"),
    (ImageFormat::Gif, "gif"),
    (ImageFormat::WebP, "webp"),
    (ImageFormat::Bmp, "bmp"),
    (ImageFormat::Tiff, "tiff"),
    (ImageFormat::Tga, "tga"),
    (ImageFormat::Qoi, "qoi"),
];

/// Files of the formats that are read and not written here, among the fuzzer's seeds.
const DRAWN: [&str; 23] = [
    "alpha.avif",
    "alpha.jp2",
    "lossless.jp2",
    "lossy.j2k",
    "turned.avif",
    "grid.avif",
    "grey.avif",
    "hevc.heic",
    "lossy.jxl",
    "modular.jxl",
    "sony.arw",
    "nikon.nef",
    "adobe.dng",
    "panasonic.rw2",
    "olympus.orf",
    "fuji.raf",
    "canon.cr3",
    "canon.crw",
    "palette.tiff",
    "ycbcr.tiff",
    "big.tiff",
    "colour.ppm",
    "png.ico",
];

/// Pseudo-random numbers, always the same ones (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// A place in a file: half of the time where it says what it is.
    fn place(&mut self, length: usize) -> usize {
        let end = if self.below(2) == 0 { length.min(200) } else { length };
        self.below(end)
    }
}

fn damage(bytes: &mut Vec<u8>, random: &mut Random) {
    const TELLING: [u8; 6] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF];
    for _ in 0..=random.below(4) {
        let (at, other) = (random.place(bytes.len()), random.place(bytes.len()));
        let run = 1 + random.below(32);
        let (from, to) = (at.min(bytes.len()), (at + run).min(bytes.len()));
        match random.below(8) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = TELLING[random.below(TELLING.len())],
            2 => bytes[from..to].fill(TELLING[random.below(TELLING.len())]),
            3 => drop(bytes.drain(from..to)),
            4 => {
                let copied = bytes[from..to].to_vec();
                drop(bytes.splice(other..other, copied));
            }
            5 | 6 => {
                // A number of a plausible size, as widths and lengths are: two or four bytes, either end first.
                let number = [9_000, 20_000, 32_767, 70_000][random.below(4)] as u32;
                let (little, big) = (number.to_le_bytes(), number.to_be_bytes());
                let forms: [&[u8]; 4] = [&little, &big, &little[..2], &big[2..]];
                let form = forms[random.below(4)];
                if let Some(place) = bytes.get_mut(at..at + form.len()) {
                    place.copy_from_slice(form);
                }
            }
            _ => bytes.truncate(bytes.len() - random.below(bytes.len() / 4)),
        }
    }
}

/// Pictures that the daemon gave up because they took too long, and the log without them. The daemon goes by the clock, and a
/// busy machine may have been the cause; so each of them is decoded here, in time.
fn without_overdue(place: &Workplace) -> (Vec<String>, String) {
    let log = place.log();
    let inventory = place.inventory("").display().to_string();
    let path_in = |line: &str| {
        let path = &line[line.find(&inventory)?..];
        Some(path[..path.find(": decoding it takes longer")?].to_string())
    };
    let overdue: Vec<String> = log.lines().filter_map(path_in).collect();
    overdue.iter().for_each(|path| assert_decoded_in_time(Path::new(path)));
    let is_other = |line: &&str| !overdue.iter().any(|path| line.contains(path.as_str()));
    let rest = log.lines().filter(is_other).collect::<Vec<_>>().join("\n");
    (overdue, rest)
}

#[test]
fn damaged_pictures_harm_nobody() {
    let mutants = std::env::var(MUTANTS_VARIABLE).map_or(MUTANTS, |count| count.parse().expect("a number"));
    let small = image::load_from_memory(&jpeg(Food::Pizza, 0)).unwrap().thumbnail(96, 96);
    let written = FORMATS.map(|(format, end)| {
        let picture = match format {
            ImageFormat::Qoi | ImageFormat::WebP => DynamicImage::ImageRgba8(small.to_rgba8()),
            _ => DynamicImage::ImageRgb8(small.to_rgb8()),
        };
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        (bytes.into_inner(), end)
    });
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/picture");
    let drawn = DRAWN.map(|name| (std::fs::read(seeds.join(name)).unwrap(), name.rsplit_once('.').unwrap().1));
    let mut whole = [written.as_slice(), &drawn].concat();
    if let Ok(endings) = std::env::var(ENDINGS_VARIABLE) {
        whole.retain(|(_, end)| endings.split(',').any(|chosen| chosen == *end));
        assert!(!whole.is_empty(), "{endings}: no such file");
    }
    // A decoder that takes longer than five seconds is given up, and that is logged.
    let mut place = Workplace::with_settings("min_train = 100000\n[limits]\nmax_decode_ms = 5000");
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for number in 0..mutants {
        let (mut bytes, end) = whole[number % whole.len()].clone();
        damage(&mut bytes, &mut random);
        put(place.inventory(format!("{number}.{end}")), &bytes);
    }
    place.start();
    let status = place.wait_progress("all of them looked at", |status| {
        let part = |name: &str| status["inventory"][name].as_u64().unwrap();
        (part("indexed") + part("failed"), part("pending") == 0 && part("indexed") + part("failed") == mutants as u64)
    });
    let (indexed, failed) = (&status["inventory"]["indexed"], &status["inventory"]["failed"]);
    let memory_mib = place.memory_kib("VmHWM") >> 10;
    let (overdue, log) = without_overdue(&place);
    let caught = log.matches("gave up on it").count();
    eprintln!("{mutants} mutants: {indexed} used, {failed} refused, {caught} panics caught, {memory_mib} MiB at most");
    assert!(indexed.as_u64() > Some(200) && failed.as_u64() > Some(200), "not what mutants are like: {status:#}");
    assert!(memory_mib < 1024, "{memory_mib} MiB");
    for problem in status["problems"].as_array().unwrap() {
        let what = problem["what"].as_str().unwrap();
        let is_overdue = overdue.iter().any(|path| problem["path"] == path.as_str());
        assert!(is_sentence(what) && (is_overdue || !what.contains("set aside")), "{problem:#}");
    }
    assert!(!log.contains("set aside") && !log.contains("panicked"), "{log}");
    place.assert_alive(0);
}
