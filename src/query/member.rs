//! Reads the pictures of a query one after another. Of each only what the answer needs is kept, never its pixels at full size.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use image::DynamicImage;

use super::encoded::{EncodedPicture, KeptPicture, Tile};
use super::{Query, WorkerContext};
use crate::config::{Config, Crop};
use crate::files::{FileAt, Stamp};
use crate::isolation::{Extracted, Outputs, features_of};
use crate::model::{Extractor, FeatureKind};
use crate::picture::{self, Bounds, FileSnapshot, Hash, Miniature, Square, Unusable};

/// A file of the query.
pub struct FileRead {
    /// Relative to the query folder.
    pub path: PathBuf,
    /// As read; `None` when it is gone.
    pub stamp: Option<Stamp>,
    /// Its content, or why it is unusable; without a content where a sample of its set is used, and it is not in it.
    pub result: Result<Option<Hash>, Unusable>,
}

impl FileRead {
    /// A file that is not in the sample: it is not read.
    pub fn unused(path: &Path, config: &Config) -> Self {
        Self { path: path.to_path_buf(), stamp: place(config, path).stamp().ok(), result: Ok(None) }
    }

    /// Its content, if it was used.
    pub fn content(&self) -> Option<Hash> {
        self.result.as_ref().ok().copied().flatten()
    }
}

/// A picture of the query.
pub struct Member {
    /// Its file.
    pub file: FileRead,
    /// What is kept of it, if it is usable.
    pub kept: Option<KeptPicture>,
}

impl Member {
    /// Whether it may still be being written.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(&self.file.result, Err(problem) if problem.may_be_unfinished())
    }
}

/// Reads the pictures of one query.
pub struct MemberReader<'a> {
    query: &'a Query,
    context: &'a WorkerContext,
    extractor: Arc<Extractor>,
    bounds: Bounds,
    /// The part of the pictures that is used.
    pub crop: Option<Crop>,
    /// Time spent so far on features.
    pub encoding: Duration,
}

impl<'a> MemberReader<'a> {
    /// For the pictures of `query`.
    pub fn new(query: &'a Query, context: &'a WorkerContext) -> Self {
        Self {
            query,
            context,
            extractor: context.serving.extractor(),
            bounds: query.bounds(),
            crop: None,
            encoding: Duration::ZERO,
        }
    }

    /// What the features of its pictures are.
    pub fn features(&self) -> FeatureKind {
        self.extractor.kind()
    }

    /// The settings of the query.
    pub fn config(&self) -> &Config {
        &self.query.config
    }

    /// Reads the file at `path`, relative to the query folder; the sheet shows it `tile_px` pixels large, or not at all.
    pub fn read(&mut self, path: &Path, tile_px: Option<u32>) -> Member {
        let place = place(self.config(), path);
        // Taken before reading: if the file changes later, its stamp differs from this one.
        let before = place.stamp().ok();
        let (stamp, read) = match picture::read_still(&place, &self.bounds) {
            Err(problem) => (before, Err(problem)),
            Ok(contents) => {
                let kept = self.keep(&contents, &place.absolute(), tile_px);
                (Some(contents.stamp), kept.map(|kept| (contents.hash, kept)))
            }
        };
        let (result, kept) = match read {
            Ok((content, kept)) => (Ok(Some(content)), Some(kept)),
            Err(problem) => (Err(problem), None),
        };
        Member { file: FileRead { path: path.to_path_buf(), stamp, result }, kept }
    }

    /// What is to be kept of a picture; it is decoded only if some of that is not known yet.
    fn keep(&mut self, contents: &FileSnapshot, path: &Path, tile_px: Option<u32>) -> Result<KeptPicture, Unusable> {
        let guard = &self.context.guard;
        if let Some(refusal) = guard.refuses(contents.hash, &self.bounds) {
            return Err(refusal);
        }
        // A part of a picture is a content of its own.
        let part = |crop: Crop| Hash::of(&[&contents.hash.0[..], &crop.to_bytes()].concat());
        let content = self.crop.map_or(contents.hash, part);
        let earlier = Some(&self.context.set_pictures).filter(|_| self.query.is_set).and_then(|kept| kept.get(content));
        let tile = tile_px.and_then(|px| earlier.as_ref()?.tile_of(px).cloned());
        let lacks_px = tile_px.filter(|_| tile.is_none());
        let same_kind = |encoded: &Arc<EncodedPicture>| encoded.kind == self.extractor.kind();
        let known = self.in_catalog(content).or_else(|| earlier.map(|kept| kept.encoded).filter(same_kind));
        let kept = match known {
            Some(encoded) if lacks_px.is_none() && !guard.is_suspect(contents.hash, &self.bounds) => {
                return Ok(KeptPicture { encoded, tile });
            }
            known => {
                let outputs =
                    Outputs { square: known.is_none(), features: false, longest_px: lacks_px, crop: self.crop };
                let Extracted { square, picture, .. } =
                    guard.extract(contents, path, &self.bounds, outputs, &self.extractor)?;
                let encoded = match known {
                    Some(encoded) => encoded,
                    None => Arc::new(self.encode(content, &square.ok_or(Unusable::NotShrunk)?)?),
                };
                KeptPicture { encoded, tile: tile.or_else(|| Tile::of(picture?, lacks_px?)) }
            }
        };
        if self.query.is_set {
            self.context.set_pictures.put(kept.clone());
        }
        Ok(kept)
    }

    /// A picture of the inventory has been encoded before. If the catalog cannot be read, that is done once more.
    fn in_catalog(&self, content: Hash) -> Option<Arc<EncodedPicture>> {
        let features = self.features_in_catalog(content)?;
        let miniature = self.context.catalog.miniature(content).ok()??;
        Some(Arc::new(EncodedPicture { content, features, kind: self.extractor.kind(), miniature }))
    }

    fn features_in_catalog(&self, content: Hash) -> Option<Vec<f32>> {
        let kind = self.extractor.kind();
        self.context.catalog.features(content, &kind.version).ok()?.filter(|row| row.len() == kind.width)
    }

    fn encode(&mut self, content: Hash, square: &Square) -> Result<EncodedPicture, Unusable> {
        let started = Instant::now();
        let made = || features_of(square, &self.extractor);
        let features = self.features_in_catalog(content).map_or_else(made, Ok)?;
        self.encoding += started.elapsed();
        Ok(EncodedPicture { content, features, kind: self.extractor.kind(), miniature: Miniature::of(square) })
    }
}

impl Tile {
    fn of(picture: DynamicImage, longest_px: u32) -> Option<Self> {
        Some(Self { longest_px, pixels: Arc::new(picture.into_rgba8()) })
    }
}

/// The service's paths are relative to the query folder. A command's are whole, and name what the person who runs it has chosen.
pub fn place<'a>(config: &'a Config, path: &'a Path) -> FileAt<'a> {
    if path.is_absolute() { FileAt::named(path) } else { FileAt::below(&config.folders.query, path) }
}
