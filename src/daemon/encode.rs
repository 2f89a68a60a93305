//! One inventory or training picture: read it, and make features of it unless the same content has them already.

use std::path::PathBuf;

use image::DynamicImage;

use super::bench::Bench;
use crate::catalog::Root;
use crate::files::Stamp;
use crate::picture::{self, Bounds, Contents, Hash, Square, Unusable};

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
    /// The content and, when it was new, its features.
    pub result: Result<(Hash, Option<Vec<f32>>), Unusable>,
}

impl EncodeJob {
    /// Carries it out.
    pub fn run(self, bench: &Bench) -> Encoded {
        let (stamp, result) = match picture::read_still(&self.absolute, &self.bounds) {
            Err(unusable) => (self.stamp, Err(unusable)),
            Ok(contents) => {
                let features = self.new_features(&contents, bench);
                (contents.stamp, features.map(|features| (contents.hash, features)))
            }
        };
        Encoded { root: self.root, path: self.path, stamp, result }
    }

    /// None where the content has its features already.
    fn new_features(&self, contents: &Contents, bench: &Bench) -> Result<Option<Vec<f32>>, Unusable> {
        // First of all: a content that is set aside could not be shown on a sheet either.
        if let Some(refusal) = bench.guard.refuses(contents.hash, &self.bounds) {
            return Err(refusal);
        }
        // A catalog that cannot be read just now costs the work, nothing else.
        if bench.catalog.has_features(contents.hash, bench.extractor.kind().version).unwrap_or(false) {
            return Ok(None);
        }
        let square = bench
            .guard
            .decode(contents, &self.absolute, &self.bounds, |decoded| square_of(&decoded, bench.extractor.side()))?;
        Ok(Some(bench.extractor.features(&[square]).into_values()))
    }
}

/// What an encoder that takes squares of `side` pixels sees of a picture.
pub(super) fn square_of(decoded: &DynamicImage, side: usize) -> Result<Square, Unusable> {
    picture::square(decoded, side).ok_or(Unusable::NotShrunk)
}
