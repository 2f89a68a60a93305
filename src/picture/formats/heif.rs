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

/// What a container says of its items.
#[derive(Debug, Default)]
pub struct Container {
    primary: u64,
    /// The kind of each item: how it is compressed, or of which others it is made.
    kinds: BTreeMap<u64, [u8; 4]>,
    /// The items that each is made of.
    parts: BTreeMap<u64, Vec<u64>>,
    /// The bytes of each item.
    lengths: BTreeMap<u64, u64>,
    properties_bytes: usize,
    has_sequence: bool,
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
                b"iloc" => container.read_lengths(content, version)?,
                b"iref" => container.read_parts(content, if version == 0 { 2 } else { 4 })?,
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

    fn read_lengths(&mut self, content: &[u8], version: u8) -> Option<()> {
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
            numbers.next(if has_method { 4 } else { 2 })?;
            numbers.next(size(4))?;
            let mut length = 0_u64;
            for _ in 0..numbers.next(2)? {
                numbers.next(if has_method { size(0) } else { 0 })?;
                numbers.next(size(12))?;
                length = length.saturating_add(numbers.next(size(8))?);
            }
            self.lengths.insert(id, length);
        }
        Some(())
    }

    fn read_parts(&mut self, content: &[u8], wide: usize) -> Option<()> {
        for (_, body) in boxes(content).filter(|(kind, _)| kind == b"dimg") {
            let mut numbers = Numbers(body);
            let id = numbers.next(wide)?;
            let count = numbers.next(2)?;
            let parts: Option<Vec<u64>> = (0..count).map(|_| numbers.next(wide)).collect();
            self.parts.insert(id, parts?);
        }
        Some(())
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
        let length = |id: &u64| self.lengths.get(id).copied().unwrap_or(0);
        let sum = |ids: &mut dyn Iterator<Item = &u64>| ids.map(length).fold(0, u64::saturating_add);
        let read = sum(&mut self.lengths.keys()).saturating_add(sum(&mut parts.clone()));
        let settings = self.properties_bytes as u64 * (1 + parts.count() as u64);
        let all = [self.kinds.len(), self.lengths.len(), self.parts.values().map(Vec::len).sum()];
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
