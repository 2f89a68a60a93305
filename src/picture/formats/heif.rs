//! The container of HEIC and AVIF (ISO/IEC 23008-12): how its pictures are compressed, and whether reading them is bounded by the
//! size of the file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::boxes::{Numbers, boxes, find};
use crate::picture::Unusable;

/// A larger description is none of a picture: those of phones take some kilobytes.
const LARGEST_META_BYTES: usize = 16 << 20;
/// More than the tiles of any picture within the default limits.
const MOST_ITEMS: usize = 8_192;
/// Descriptions of one picture (EXIF, XMP): each is looked for among all references.
const MOST_DESCRIPTIONS: usize = 64;
/// Each item is counted once for itself and once for the picture that it is part of, so this is each of them once. A tile that is
/// shown several times is copied for each, and each brings the decoder's settings along.
const MOST_COPIES: u64 = 2;
/// Pieces that the bytes of all items lie in: mostly each lies in one.
const MOST_EXTENTS: usize = 4 * MOST_ITEMS;

/// What a container says of its items.
#[derive(Debug, Default)]
pub struct Container {
    /// The item that the file is about.
    pub primary: u64,
    /// The kind of each item: how it is compressed, or of which others it is made.
    kinds: BTreeMap<u64, [u8; 4]>,
    /// The items that each is made of.
    parts: BTreeMap<u64, Vec<u64>>,
    /// Items that add something to another one, such as its transparency, and that other.
    pub auxiliaries: Vec<(u64, u64)>,
    /// Pictures whose colours are multiplied by their transparency.
    pub premultiplied: Vec<u64>,
    /// Where the bytes of each item lie.
    places: BTreeMap<u64, ItemPlace>,
    extents: usize,
    properties_bytes: usize,
    has_sequence: bool,
}

/// Where the bytes of an item lie.
#[derive(Debug, Default)]
pub struct ItemPlace {
    /// 0: in the file; 1: in the box of small items; others are not read.
    pub method: u64,
    /// The offset and the length of each piece.
    pub extents: Vec<(u64, u64)>,
}

/// How a picture is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// HEVC: HEIC.
    Hevc,
    /// AV1: AVIF.
    Av1,
    /// Another one, as a person names the file.
    Other(&'static str),
}

impl Container {
    /// Reads the description at the beginning of `bytes`; `None` if there is none that makes sense.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut container = Self { has_sequence: find(bytes, b"moov").is_some(), ..Self::default() };
        let Some(meta) = find(bytes, b"meta") else { return container.has_sequence.then_some(container) };
        if meta.len() > LARGEST_META_BYTES {
            return None;
        }
        for (kind, body) in boxes(meta.get(4..)?) {
            let version = *body.first()?;
            let content = body.get(4..).unwrap_or_default();
            match &kind {
                b"pitm" => container.primary = Numbers(content).next(if version == 0 { 2 } else { 4 })?,
                b"iinf" => container.read_kinds(content.get(if version == 0 { 2 } else { 4 }..)?)?,
                b"iloc" => container.read_places(content, version)?,
                b"iref" => container.read_references(content, if version == 0 { 2 } else { 4 })?,
                b"iprp" => container.properties_bytes = body.len(),
                _ => {}
            }
        }
        Some(container)
    }

    fn read_kinds(&mut self, entries: &[u8]) -> Option<()> {
        for (_, body) in boxes(entries).filter(|(kind, _)| kind == b"infe") {
            let mut numbers = Numbers(body.get(4..)?);
            let id = numbers.next(if *body.first()? == 2 { 2 } else { 4 })?;
            numbers.next(2)?;
            self.kinds.insert(id, *numbers.0.first_chunk()?);
        }
        Some(())
    }

    fn read_places(&mut self, content: &[u8], version: u8) -> Option<()> {
        let mut numbers = Numbers(content);
        let sizes = numbers.next(2)? as usize;
        let size = |at: usize| sizes >> at & 0xF;
        let has_method = version == 1 || version == 2;
        let wide = if version < 2 { 2 } else { 4 };
        if [size(12), size(8), size(4)].iter().any(|size| *size > 8) {
            return None;
        }
        for _ in 0..numbers.next(wide)? {
            let id = numbers.next(wide)?;
            let method = if has_method { numbers.next(2)? & 0xF } else { 0 };
            numbers.next(2)?;
            let base = numbers.next(size(4))?;
            let mut place = ItemPlace { method, extents: Vec::new() };
            for _ in 0..numbers.next(2)? {
                numbers.next(if has_method { size(0) } else { 0 })?;
                let offset = base.saturating_add(numbers.next(size(12))?);
                place.extents.push((offset, numbers.next(size(8))?));
                // They may take no byte of the description.
                self.extents += 1;
                if self.extents > MOST_EXTENTS {
                    return None;
                }
            }
            self.places.insert(id, place);
        }
        Some(())
    }

    fn read_references(&mut self, content: &[u8], wide: usize) -> Option<()> {
        for (kind, body) in boxes(content) {
            let mut numbers = Numbers(body);
            let id = numbers.next(wide)?;
            let count = numbers.next(2)?;
            let others: Option<Vec<u64>> = (0..count).map(|_| numbers.next(wide)).collect();
            match &kind {
                b"dimg" => drop(self.parts.insert(id, others?)),
                b"auxl" => self.auxiliaries.extend(others?.into_iter().map(|other| (id, other))),
                b"prem" => self.premultiplied.push(id),
                _ => {}
            }
        }
        Some(())
    }

    /// The kind of an item.
    pub fn kind(&self, item: u64) -> Option<&[u8; 4]> {
        self.kinds.get(&item)
    }

    /// The items that an item is made of.
    pub fn parts(&self, item: u64) -> &[u64] {
        self.parts.get(&item).map_or(&[], Vec::as_slice)
    }

    /// Where the bytes of an item lie.
    pub fn place(&self, item: u64) -> Option<&ItemPlace> {
        self.places.get(&item)
    }

    /// The content of the item with EXIF data, where that lies in one piece of the file.
    pub fn exif<'a>(&self, file: &'a [u8]) -> Option<&'a [u8]> {
        let (item, _) = self.kinds.iter().find(|(_, kind)| *kind == b"Exif")?;
        let place = self.places.get(item)?;
        let source = match place.method {
            0 => file,
            1 => find(find(file, b"meta")?.get(4..)?, b"idat")?,
            _ => return None,
        };
        let [(offset, length)] = *place.extents.as_slice() else { return None };
        let (from, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
        let rest = source.get(from..)?;
        // No length is all that there is.
        if length == 0 { Some(rest) } else { rest.get(..length) }
    }

    /// How the picture is compressed that the file is about. Brands at its beginning do not tell: `mif1` is any.
    pub fn codec(&self) -> Codec {
        let mut item = self.primary;
        // A picture is made of others, and those of others at most.
        for _ in 0..4 {
            match self.kinds.get(&item) {
                Some(b"grid" | b"iden") => {
                    item = self.parts.get(&item).and_then(|parts| parts.first()).map_or(0, |id| *id);
                }
                Some(b"hvc1" | b"hev1") => return Codec::Hevc,
                Some(b"av01") => return Codec::Av1,
                Some(b"iovl") => return Codec::Other("layered HEIC"),
                Some(b"avc1") => return Codec::Other("HEIF (with AVC)"),
                Some(b"vvc1") => return Codec::Other("HEIF (with VVC)"),
                Some(b"jpeg") => return Codec::Other("HEIF (with JPEG)"),
                _ => break,
            }
        }
        if self.has_sequence && self.kinds.is_empty() { Codec::Hevc } else { Codec::Other("this kind of HEIF") }
    }

    /// Whether what is read of the file of `file_bytes` is bounded by its size: items may lie in the same place, and be used often.
    pub fn check_work(&self, file_bytes: u64) -> Result<(), Unusable> {
        let descriptions = self.kinds.values().filter(|kind| *kind == b"Exif" || *kind == b"mime").count();
        let parts = self.parts.values().flatten();
        let sum = |lengths: &mut dyn Iterator<Item = u64>| lengths.fold(0, u64::saturating_add);
        let length =
            |id: &u64| self.places.get(id).map_or(0, |place| sum(&mut place.extents.iter().map(|(_, length)| *length)));
        let read = sum(&mut self.places.keys().map(length)).saturating_add(sum(&mut parts.clone().map(length)));
        let settings = self.properties_bytes as u64 * (1 + parts.count() as u64);
        let all = [self.kinds.len(), self.places.len(), self.parts.values().map(Vec::len).sum()];
        if all.into_iter().any(|count| count > MOST_ITEMS)
            || descriptions > MOST_DESCRIPTIONS
            || read > MOST_COPIES * file_bytes + (1 << 20)
            || settings > LARGEST_META_BYTES as u64 * MOST_COPIES
        {
            return Err(Unusable::Damaged("it asks for more work than a picture of its size should".into()));
        }
        Ok(())
    }
}

/// Divides the colours by the transparency.
pub fn unmultiply(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3].max(1));
        pixel[..3].iter_mut().for_each(|value| *value = (u32::from(*value) * 255 / alpha).min(255) as u8);
    }
}

/// `bytes` without associations of items with property 0, which is none: phones of two makers write them. Each becomes one with a
/// property that says the size, which the decoder takes from the pictures themselves.
pub fn without_property_0(bytes: &[u8]) -> Cow<'_, [u8]> {
    match associations_with_0(bytes) {
        Some((size, places)) if !places.is_empty() => {
            let mut changed = bytes.to_vec();
            places.into_iter().for_each(|place| changed[place] |= size);
            Cow::Owned(changed)
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// The number of the property that says a size, and the places of the associations with property 0.
fn associations_with_0(bytes: &[u8]) -> Option<(u8, Vec<usize>)> {
    let properties = find(find(bytes, b"meta")?.get(4..)?, b"iprp")?;
    let size = 1 + boxes(find(properties, b"ipco")?).position(|(kind, _)| &kind == b"ispe")?;
    let size = u8::try_from(size).ok().filter(|size| *size < 128)?;
    let mut places = Vec::new();
    for (_, body) in boxes(properties).filter(|(kind, _)| kind == b"ipma") {
        let (id_bytes, number_bytes) = (if *body.first()? == 0 { 2 } else { 4 }, 1 + usize::from(body.get(3)? & 1));
        let mut numbers = Numbers(body.get(4..)?);
        for _ in 0..numbers.next(4)? {
            numbers.next(id_bytes)?;
            for _ in 0..numbers.next(1)? {
                let number = numbers.next(number_bytes)?;
                if number.trailing_zeros() as usize >= 8 * number_bytes - 1 {
                    places.push(numbers.0.as_ptr() as usize - bytes.as_ptr() as usize - 1);
                }
            }
        }
    }
    Some((size, places))
}
