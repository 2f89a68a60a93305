//! AVIF, the pictures of the web: AV1 in a HEIF container. `re_rav1d` reads it, which has `unsafe` in it: only the header is looked
//! at in the service's process, and that by this program.

mod items;
mod pixels;
mod turn;

use std::borrow::Cow;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, RgbaImage};
use re_rav1d::{Decoder, Error, Picture, Settings};

use super::heif::{Container, unmultiply};
use super::memory::{self, PixelLayout};
use super::{Bounds, Format, Header, Opened};
use crate::picture::Unusable;
use crate::picture::colour::{Colours, to_srgb};
use items::Items;
use pixels::ColourCodes;

/// AVIF: of a sequence the picture that stands for it.
pub const AVIF: Format = Format { name: "AVIF", open };

/// Bytes that are taken for each coded pixel at most beside the picture: planes of two bytes a sample, and what the decoder keeps to
/// filter them. See `docs/formats.md`.
const BYTES_A_CODED_PIXEL: u64 = 20;

/// A picture of one or more tiles of the same size, row by row.
struct Tiles {
    size: [u32; 2],
    tile: [u32; 2],
    columns: u32,
    items: Vec<u64>,
}

fn open<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Opened<'a>, Unusable> {
    let container = Container::read(bytes).ok_or_else(nonsense)?;
    container.check_work(bytes.len() as u64)?;
    let items = Items::read(bytes, container).ok_or_else(nonsense)?;
    let primary = items.container.primary;
    let colour = Tiles::of(&items, primary)?;
    let alpha = items.alpha_of(primary).map(|alpha| Tiles::of(&items, alpha)).transpose()?;
    // One of another size would have to be stretched.
    let alpha = alpha.filter(|alpha| alpha.size == colour.size);
    let coded = colour.coded_pixels() + alpha.as_ref().map_or(0, Tiles::coded_pixels);
    let [width, height] = colour.size;
    bounds.check_header(width, height, 0, bytes.len() as u64)?;
    if coded > 2 * bounds.pixels {
        return Err(Unusable::Damaged("its parts have more pixels than are allowed".into()));
    }
    let pixels = u64::from(width) * u64::from(height);
    let layout = PixelLayout { pixels, decoded: 4 * pixels, colour: ColorType::Rgba8 };
    // As it is decoded: upright.
    let [width, height] = turn::turned_size(colour.size, items.properties(primary)).ok_or_else(nonsense)?;
    let header = Header {
        width,
        height,
        orientation: Orientation::NoTransforms,
        decoded_bytes: layout.decoded,
        // The file is in both processes, and between them.
        memory_bytes: memory::needed(&layout, coded * BYTES_A_CODED_PIXEL, 2 * bytes.len() as u64),
        is_cut_off: false,
    };
    Ok(Opened { header, decode: Box::new(move |_| decode(&items, &colour, alpha.as_ref())) })
}

impl Tiles {
    fn of(items: &Items<'_>, item: u64) -> Result<Self, Unusable> {
        if items.is_unreadable(item) {
            return Err(unsupported());
        }
        let size = items.size(item)?;
        match items.container.kind(item) {
            Some(b"av01") => Ok(Self { size, tile: size, columns: 1, items: vec![item] }),
            Some(b"grid") => Self::of_grid(items, item, size),
            _ => Err(unsupported()),
        }
    }

    /// Its bytes are: a version, a flag for wide numbers, rows less one, columns less one, width, height.
    fn of_grid(items: &Items<'_>, item: u64, size: [u32; 2]) -> Result<Self, Unusable> {
        let grid = items.bytes(item)?;
        let parts = items.container.parts(item);
        let (Some(&[_, _, rows, columns]), Some(&first)) = (grid.first_chunk(), parts.first()) else {
            return Err(nonsense());
        };
        let (rows, columns) = (u32::from(rows) + 1, u32::from(columns) + 1);
        let tile = items.size(first)?;
        let covers = |side: u32, tile: u32, count: u32| {
            let covered = u64::from(tile) * u64::from(count);
            u64::from(side) <= covered && u64::from(side) > covered.saturating_sub(u64::from(tile))
        };
        let is_whole = parts.len() == (rows * columns) as usize
            && covers(size[0], tile[0], columns)
            && covers(size[1], tile[1], rows);
        let is_alike = |part: &u64| items.container.kind(*part) == Some(b"av01") && items.size(*part) == Ok(tile);
        if !is_whole || !parts.iter().all(is_alike) || parts.iter().any(|part| items.is_unreadable(*part)) {
            return Err(nonsense());
        }
        Ok(Self { size, tile, columns, items: parts.to_vec() })
    }

    fn coded_pixels(&self) -> u64 {
        let [width, height] = self.tile.map(u64::from);
        (width * height).saturating_mul(self.items.len() as u64)
    }

    /// Decodes tile after tile; `draw` gets each, and the place of its upper left corner.
    fn each(&self, items: &Items<'_>, mut draw: impl FnMut(&Picture, [u32; 2])) -> Result<(), Unusable> {
        for (number, item) in (0..).zip(&self.items) {
            let operating_point = items.property(*item, b"a1op").and_then(|content| content.first()).copied();
            let picture = decode_tile(items.bytes(*item)?, self.tile, operating_point.unwrap_or(0))?;
            draw(&picture, [number % self.columns * self.tile[0], number / self.columns * self.tile[1]]);
        }
        Ok(())
    }
}

fn decode(items: &Items<'_>, colour: &Tiles, alpha: Option<&Tiles>) -> Result<DynamicImage, Unusable> {
    let primary = items.container.primary;
    let (profile, codes) = colours(items, primary);
    let mut codes_used = codes;
    let mut canvas = RgbaImage::new(colour.size[0], colour.size[1]);
    colour.each(items, |picture, at| {
        let codes = *codes_used.get_or_insert_with(|| ColourCodes::of(picture));
        pixels::draw(picture, codes, &mut canvas, at);
    })?;
    if let Some(alpha) = alpha {
        alpha.each(items, |picture, at| pixels::draw_alpha(picture, &mut canvas, at))?;
        if items.container.premultiplied.contains(&primary) {
            unmultiply(canvas.as_mut());
        }
    }
    let codes = codes_used.and_then(|codes| Colours::of_codes(codes.primaries, codes.transfer));
    let turned = DynamicImage::ImageRgba8(turn::turned(canvas, items.properties(primary)).ok_or_else(nonsense)?);
    Ok(match profile.or(codes) {
        Some(colours) => to_srgb(turned, &colours),
        None => turned,
    })
}

/// What the container says of an item's colours: the profile, and the code points, which count more than those in the picture.
fn colours(items: &Items<'_>, item: u64) -> (Option<Colours>, Option<ColourCodes>) {
    let mut found = (None, None);
    for (_, content) in items.properties(item).filter(|(kind, _)| kind == b"colr") {
        match content.split_first_chunk() {
            Some((b"prof" | b"rICC", profile)) => found.0 = Some(Colours::Profile(profile.to_vec())),
            Some((b"nclx", codes)) => found.1 = ColourCodes::read(codes),
            _ => {}
        }
    }
    found
}

/// The best layer of one tile, which must have the size that the container says.
fn decode_tile(bytes: Cow<'_, [u8]>, [width, height]: [u32; 2], operating_point: u8) -> Result<Picture, Unusable> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_operating_point(u32::from(operating_point.min(31)));
    // Larger ones are refused before they take memory.
    settings.set_frame_size_limit(width.checked_mul(height).ok_or_else(nonsense)?);
    let mut decoder = Decoder::with_settings(&settings).map_err(explain)?;
    let mut sent = decoder.send_data(bytes.into_owned(), None, None, None);
    let mut best = None;
    loop {
        let has_picture = match decoder.get_picture() {
            Ok(picture) => {
                best = Some(picture);
                true
            }
            Err(Error::Again) => false,
            Err(error) => return Err(explain(error)),
        };
        match sent {
            Ok(()) if !has_picture => break,
            Ok(()) => {}
            // It takes no more before a picture is taken, and has none.
            Err(Error::Again) if !has_picture => return Err(nonsense()),
            Err(Error::Again) => sent = decoder.send_pending_data(),
            Err(error) => return Err(explain(error)),
        }
    }
    let picture: Picture = best.ok_or_else(cut_off)?;
    if [picture.width(), picture.height()] == [width, height] { Ok(picture) } else { Err(nonsense()) }
}

fn nonsense() -> Unusable {
    Unusable::Damaged("its AVIF data makes no sense".into())
}

fn cut_off() -> Unusable {
    Unusable::CutOff
}

fn unsupported() -> Unusable {
    Unusable::UnsupportedVariant("AVIF".into())
}

fn explain(error: Error) -> Unusable {
    match error {
        Error::UnsupportedBitstream => unsupported(),
        Error::NotEnoughMemory => Unusable::Damaged("it needs more memory than a picture of its size should".into()),
        _ => nonsense(),
    }
}
