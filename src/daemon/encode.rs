//! The job that reads one inventory or training picture and computes its features and miniature, unless its content has them
//! already.

use std::path::PathBuf;
use std::sync::Arc;

use crate::answer::{THUMBNAIL_PX, ThumbnailStore};
use crate::catalog::Root;
use crate::files::{FileAt, Stamp};
use crate::isolation::Outputs;
use crate::picture::{self, Bounds, FileSnapshot, Hash, Miniature, PictureMetadata, Unusable};
use crate::query::WorkerContext;

/// The job.
pub struct EncodeJob {
    /// Which folder.
    pub root: Root,
    /// Relative to it.
    pub path: PathBuf,
    /// The root's folder.
    pub folder: PathBuf,
    /// The state of the file when it had settled.
    pub stamp: Stamp,
    /// The limits of memory and time for decoding.
    pub bounds: Bounds,
    /// For sheets to come.
    pub thumbnails: ThumbnailStore,
}

/// The result of the job.
pub struct Encoded {
    /// As in the job.
    pub root: Root,
    /// As in the job.
    pub path: PathBuf,
    /// As read; as in the job when it could not be read.
    pub stamp: Stamp,
    /// The content, and what was computed from it.
    pub result: Result<(Hash, Made), Unusable>,
}

/// What was missing for a content.
pub struct Made {
    /// Its features.
    pub features: Option<Vec<f32>>,
    /// The version of its features, made now or before.
    pub features_version: Arc<str>,
    /// Its miniature, a kilobyte; of the inventory's pictures only.
    pub miniature: Option<Box<Miniature>>,
    /// What its file says of it; of the inventory's pictures only.
    pub metadata: Option<Box<PictureMetadata>>,
}

impl EncodeJob {
    /// Does the job.
    pub fn run(&self, context: &WorkerContext) -> Encoded {
        let (stamp, result) = match picture::read_still(&self.place().as_listed(self.stamp), &self.bounds) {
            Err(unusable) => (self.stamp, Err(unusable)),
            Ok(contents) => {
                let made = self.make(&contents, context);
                (contents.stamp, made.map(|made| (contents.hash, made)))
            }
        };
        Encoded { root: self.root, path: self.path.clone(), stamp, result }
    }

    fn place(&self) -> FileAt<'_> {
        FileAt::below(&self.folder, &self.path)
    }

    /// Computes what the content lacks.
    fn make(&self, contents: &FileSnapshot, context: &WorkerContext) -> Result<Made, Unusable> {
        // Checked first: a content that is set aside could not be shown on a sheet either.
        if let Some(refusal) = context.guard.refuses(contents.hash, &self.bounds) {
            return Err(refusal);
        }
        // If the catalog cannot be read, the work is done once more than needed; nothing else.
        let (catalog, hash, extractor) = (&context.catalog, contents.hash, context.serving.extractor());
        let features_version = extractor.kind().version;
        let lacks_features = !catalog.has_features(hash, &features_version).unwrap_or(false);
        let lacks_miniature =
            self.root == Root::Inventory && !catalog.miniature(hash).is_ok_and(|miniature| miniature.is_some());
        let lacks_metadata = self.root == Root::Inventory && !catalog.has_metadata(hash).unwrap_or(false);
        let mut metadata = lacks_metadata.then(|| Box::new(PictureMetadata::of(&contents.bytes)));
        if !lacks_features && !lacks_miniature && !context.guard.is_suspect(hash, &self.bounds) {
            return Ok(Made { features: None, features_version, miniature: None, metadata });
        }
        // Pictures read by a version without miniatures have features: they do not go through the network again.
        let path = self.place().absolute();
        let is_shown = self.root == Root::Inventory && !self.thumbnails.has(hash);
        let longest_px = (is_shown && self.thumbnails.wants(&contents.bytes, &path)).then_some(THUMBNAIL_PX);
        let outputs = Outputs { square: lacks_miniature, features: lacks_features, longest_px, crop: None };
        let seen = context.guard.extract(contents, &path, &self.bounds, outputs, &extractor)?;
        if let Some(picture) = seen.picture.filter(|_| ThumbnailStore::is_large(seen.size)) {
            self.thumbnails.keep(hash, &picture.into_rgba8());
        }
        let miniature = seen.square.filter(|_| lacks_miniature).map(|square| Box::new(Miniature::of(&square)));
        if let Some(metadata) = &mut metadata {
            metadata.size = Some(seen.size);
        }
        Ok(Made { features: seen.features, features_version, miniature, metadata })
    }
}
