//! What is kept of a query's picture once its pixels are gone, and of the pictures of query sets that were read lately.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbaImage;

use crate::dedup::Appearance;
use crate::model::FeatureKind;
use crate::picture::{Hash, MINIATURE_SIDE, Miniature};

/// Bytes of a generation of the cache, of which there are two: more than a thousand pictures, the most that a set uses.
const GENERATION_BYTES: usize = 32 << 20;

/// A usable picture of the query.
pub struct EncodedPicture {
    /// Its content.
    pub content: Hash,
    /// Its features, `[kind.width]`.
    pub features: Vec<f32>,
    /// What these are.
    pub kind: FeatureKind,
    /// The same picture to compare by pixels.
    pub miniature: Miniature,
}

impl EncodedPicture {
    /// What near-duplicates are found by.
    pub fn appearance(&self) -> Appearance {
        Appearance::new(Some(self.content), self.kind.whole_of(&self.features), Some(self.miniature.clone()))
    }
}

/// A picture, small, for the sheet.
#[derive(Clone)]
pub struct Tile {
    /// Its longer side was to be at most so long, in pixels.
    pub longest_px: u32,
    /// Its pixels; fewer where the picture itself has fewer.
    pub pixels: Arc<RgbaImage>,
}

/// All that is kept of a picture.
#[derive(Clone)]
pub struct KeptPicture {
    /// To be searched by.
    pub encoded: Arc<EncodedPicture>,
    /// Only of the few that a sheet shows.
    pub tile: Option<Tile>,
}

impl KeptPicture {
    /// Its tile, if that has the pixels for a side of `longest_px`.
    pub fn tile_of(&self, longest_px: u32) -> Option<&Tile> {
        self.tile.as_ref().filter(|tile| tile.longest_px >= longest_px)
    }

    fn bytes(&self) -> usize {
        let tile = self.tile.as_ref().map_or(0, |tile| tile.pixels.as_raw().len());
        size_of_val(self.encoded.features.as_slice()) + MINIATURE_SIDE * MINIATURE_SIDE + tile
    }
}

/// Pictures of query sets that were read lately, by their contents, so that a set that grows is not decoded from its first picture
/// on each time. Shared by all workers.
#[derive(Default)]
pub struct SetPictures(Mutex<Generations>);

/// What was asked for lately is in the current generation. When that is full, it becomes the former one, and what the former one
/// still held is dropped.
#[derive(Default)]
struct Generations {
    current: HashMap<Hash, KeptPicture>,
    current_bytes: usize,
    former: HashMap<Hash, KeptPicture>,
}

impl SetPictures {
    /// What is kept of a content.
    pub fn get(&self, content: Hash) -> Option<KeptPicture> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = generations.current.get(&content) {
            return Some(kept.clone());
        }
        let kept = generations.former.remove(&content)?;
        generations.put(kept.clone());
        Some(kept)
    }

    /// Keeps a picture.
    pub fn put(&self, kept: KeptPicture) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(kept);
    }
}

impl Generations {
    fn put(&mut self, kept: KeptPicture) {
        let bytes = kept.bytes();
        if self.current_bytes + bytes > GENERATION_BYTES {
            self.former = std::mem::take(&mut self.current);
            self.current_bytes = 0;
        }
        self.current_bytes += bytes;
        if let Some(replaced) = self.current.insert(kept.encoded.content, kept) {
            self.current_bytes -= replaced.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(number: usize, tile_px: u32) -> KeptPicture {
        let miniature = Miniature::from_bytes(&[0; MINIATURE_SIDE * MINIATURE_SIDE]).unwrap();
        let (content, kind) = (Hash::of(&number.to_le_bytes()), FeatureKind::of_network("test", 1_280));
        let encoded = EncodedPicture { content, features: vec![0.0; 1_280], kind, miniature };
        let pixels = Arc::new(RgbaImage::new(tile_px, tile_px));
        KeptPicture { encoded: Arc::new(encoded), tile: Some(Tile { longest_px: tile_px, pixels }) }
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes_before_it_takes_too_much() {
        let pictures = SetPictures::default();
        let often = kept(0, 8);
        pictures.put(often.clone());
        for number in 1..400 {
            pictures.put(kept(number, 256));
            assert!(pictures.get(often.encoded.content).is_some(), "asked for before picture {number}");
        }
        let generations = pictures.0.lock().unwrap();
        let of = |generation: &HashMap<Hash, KeptPicture>| generation.values().map(KeptPicture::bytes).sum::<usize>();
        assert_eq!(of(&generations.current), generations.current_bytes);
        assert!(of(&generations.current) <= GENERATION_BYTES && of(&generations.former) <= GENERATION_BYTES);
        assert!(!generations.former.is_empty() && generations.current.len() + generations.former.len() < 400);
    }

    #[test]
    fn a_tile_serves_where_it_has_the_pixels() {
        let kept = kept(1, 200);
        assert!(kept.tile_of(200).is_some() && kept.tile_of(120).is_some() && kept.tile_of(201).is_none());
    }
}
