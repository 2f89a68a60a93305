//! One inventory or training picture: read it, and make features and a miniature of it unless the same content has
//! them already.

use std::path::PathBuf;

use crate::catalog::Root;
use crate::files::Stamp;
use crate::isolation::Outputs;
use crate::picture::{self, Bounds, FileSnapshot, Hash, Miniature, Unusable};
use crate::query::WorkerContext;

/// The order.
pub struct EncodeJob {
    /// Which folder.
    pub root: Root,
    /// Relative to it.
    pub path: PathBuf,
    /// As the system knows it.
    pub absolute: PathBuf,
    /// As it was when it had settled.
    pub stamp: Stamp,
    /// What it may cost.
    pub bounds: Bounds,
}

/// What came of it.
pub struct Encoded {
    /// As ordered.
    pub root: Root,
    /// As ordered.
    pub path: PathBuf,
    /// As read; as ordered when it could not be read.
    pub stamp: Stamp,
    /// The content, and what was made of it.
    pub result: Result<(Hash, Made), Unusable>,
}

/// What a content has not had before.
#[derive(Default)]
pub struct Made {
    /// Its features.
    pub features: Option<Vec<f32>>,
    /// Its miniature, a kilobyte; of the inventory's pictures only.
    pub miniature: Option<Box<Miniature>>,
}

impl EncodeJob {
    /// Carries it out.
    pub fn run(&self, context: &WorkerContext) -> Encoded {
        let (stamp, result) = match picture::read_still(&self.absolute, &self.bounds) {
            Err(unusable) => (self.stamp, Err(unusable)),
            Ok(contents) => {
                let made = self.make(&contents, context);
                (contents.stamp, made.map(|made| (contents.hash, made)))
            }
        };
        Encoded { root: self.root, path: self.path.clone(), stamp, result }
    }

    /// Nothing where the content has everything already.
    fn make(&self, contents: &FileSnapshot, context: &WorkerContext) -> Result<Made, Unusable> {
        // First of all: a content that is set aside could not be shown on a sheet either.
        if let Some(refusal) = context.guard.refuses(contents.hash, &self.bounds) {
            return Err(refusal);
        }
        // A catalog that cannot be read just now costs the work, nothing else.
        let (catalog, hash) = (&context.catalog, contents.hash);
        let lacks_features = !catalog.has_features(hash, context.extractor.kind().version).unwrap_or(false);
        let lacks_miniature =
            self.root == Root::Inventory && !catalog.miniature(hash).is_ok_and(|miniature| miniature.is_some());
        if !lacks_features && !lacks_miniature {
            return Ok(Made::default());
        }
        // Pictures read by a program that knew no miniatures have features: their pass through the network is not repeated.
        let outputs = Outputs { square: lacks_miniature, features: lacks_features, longest_px: None };
        let seen = context.guard.extract(contents, &self.absolute, &self.bounds, outputs, &context.extractor)?;
        let miniature = seen.square.filter(|_| lacks_miniature).map(|square| Box::new(Miniature::of(&square)));
        Ok(Made { features: seen.features, miniature })
    }
}
