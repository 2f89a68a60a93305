//! What an AVIF's container says of its pictures: their sizes and colours, how they are turned, and where their bytes lie.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::boxes::{Numbers, boxes, find};
use super::super::heif::Container;
use super::{cut_off, nonsense};
use crate::picture::Unusable;

/// The properties that are known. Of layers (`a1op`, `lsel`) the best is shown.
const KNOWN: [&[u8; 4]; 10] =
    [b"av1C", b"ispe", b"pixi", b"colr", b"irot", b"imir", b"clap", b"auxC", b"a1op", b"lsel"];
/// Some for each of more items than there may be.
const MOST_ASSOCIATIONS: usize = 1 << 17;

/// Kinds of items that add the transparency.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", b"urn:mpeg:hevc:2015:auxid:1\0"];

/// The kind of a property and its content.
pub type Property<'a> = ([u8; 4], &'a [u8]);

/// The items of a file.
pub struct Items<'a> {
    file: &'a [u8],
    /// The bytes of small items.
    small: &'a [u8],
    /// Which item is which.
    pub container: Container,
    properties: PropertyLists<'a>,
}

impl<'a> Items<'a> {
    /// Reads those of `file`.
    pub fn read(file: &'a [u8], container: Container) -> Option<Self> {
        let meta = find(file, b"meta")?.get(4..)?;
        let properties = PropertyLists::read(find(meta, b"iprp")?)?;
        Some(Self { file, small: find(meta, b"idat").unwrap_or_default(), container, properties })
    }

    /// Whether the item has a property without which it cannot be shown as it is meant, and which is not known here.
    pub fn is_unreadable(&self, item: u64) -> bool {
        self.properties.unreadable.contains(&item)
    }

    /// The properties of an item, in the order in which they apply.
    pub fn properties(&self, item: u64) -> impl Iterator<Item = Property<'a>> {
        self.properties.of_items.get(&item).into_iter().flatten().copied()
    }

    /// The first of a kind.
    pub fn property(&self, item: u64, kind: &[u8; 4]) -> Option<&'a [u8]> {
        self.properties(item).find(|(found, _)| found == kind).map(|(_, content)| content)
    }

    /// Width and height of an item's picture, in pixels.
    pub fn size(&self, item: u64) -> Result<[u32; 2], Unusable> {
        let content = self.property(item, b"ispe").and_then(|content| content.get(4..)).ok_or_else(nonsense)?;
        let mut numbers = Numbers(content);
        let sides = numbers.next(4).zip(numbers.next(4)).ok_or_else(nonsense)?;
        Ok([sides.0 as u32, sides.1 as u32])
    }

    /// The item that holds the transparency of another.
    pub fn alpha_of(&self, item: u64) -> Option<u64> {
        let is_alpha = |auxiliary: u64| {
            let name = self.property(auxiliary, b"auxC").and_then(|content| content.get(4..)).unwrap_or_default();
            ALPHA.iter().any(|alpha| name.starts_with(alpha))
        };
        let of_item = self.container.auxiliaries.iter().filter(|(_, of)| *of == item);
        of_item.map(|(auxiliary, _)| *auxiliary).find(|auxiliary| is_alpha(*auxiliary))
    }

    /// The bytes of an item, of which there is at least one.
    pub fn bytes(&self, item: u64) -> Result<Cow<'a, [u8]>, Unusable> {
        let place = self.container.place(item).ok_or_else(nonsense)?;
        let source = match place.method {
            0 => self.file,
            1 => self.small,
            _ => return Err(Unusable::UnsupportedVariant("AVIF".into())),
        };
        let piece = |&(offset, length): &(u64, u64)| {
            let from = usize::try_from(offset).ok()?;
            // No length is all that there is.
            let length = if length == 0 { source.len().checked_sub(from)? } else { usize::try_from(length).ok()? };
            source.get(from..from.checked_add(length)?)
        };
        let bytes = match place.extents.as_slice() {
            [extent] => Cow::Borrowed(piece(extent).ok_or_else(cut_off)?),
            extents => {
                let pieces: Option<Vec<&[u8]>> = extents.iter().map(piece).collect();
                Cow::Owned(pieces.ok_or_else(cut_off)?.concat())
            }
        };
        if bytes.is_empty() { Err(nonsense()) } else { Ok(bytes) }
    }
}

/// The properties of each item, without those that are not known.
#[derive(Default)]
struct PropertyLists<'a> {
    of_items: BTreeMap<u64, Vec<Property<'a>>>,
    /// Items with a property that is not known and must be.
    unreadable: Vec<u64>,
}

impl<'a> PropertyLists<'a> {
    fn read(properties: &'a [u8]) -> Option<Self> {
        let all: Vec<Property<'a>> = boxes(find(properties, b"ipco")?).collect();
        let (mut lists, mut count) = (Self::default(), 0);
        for (_, body) in boxes(properties).filter(|(kind, _)| kind == b"ipma") {
            let (id_bytes, number_bytes) = (if *body.first()? == 0 { 2 } else { 4 }, 1 + usize::from(body.get(3)? & 1));
            let mut numbers = Numbers(body.get(4..)?);
            for _ in 0..numbers.next(4)? {
                let item = numbers.next(id_bytes)?;
                for _ in 0..numbers.next(1)? {
                    count += 1;
                    lists.add(item, numbers.next(number_bytes)?, 1 << (8 * number_bytes - 1), &all);
                }
                if count > MOST_ASSOCIATIONS {
                    return None;
                }
            }
        }
        Some(lists)
    }

    /// `number` is that of a property, and `needed` the bit in it that says that a reader must know it.
    fn add(&mut self, item: u64, number: u64, needed: u64, all: &[Property<'a>]) {
        let Some(property) = ((number & (needed - 1)) as usize).checked_sub(1).and_then(|at| all.get(at)) else {
            return;
        };
        if KNOWN.contains(&&property.0) {
            self.of_items.entry(item).or_default().push(*property);
        } else if number & needed != 0 {
            self.unreadable.push(item);
        }
    }
}
