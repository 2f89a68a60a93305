//! One inventory or training picture: read it, and make features of it unless the same content has them already.

use std::path::PathBuf;

use super::bench::Bench;
use crate::catalog::Root;
use crate::files::Stamp;
use crate::model::Extractor;
use crate::picture::{self, Bounds, Hash, Unusable};

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
                // A catalog that cannot be read just now costs the work, nothing else.
                let is_known =
                    bench.catalog.has_features(contents.hash, bench.extractor.kind().version).unwrap_or(false);
                let features = match is_known {
                    true => Ok(None),
                    false => picture::decode(&contents.bytes, &self.absolute, &self.bounds)
                        .and_then(|decoded| features_of(&decoded, &bench.extractor))
                        .map(Some),
                };
                (contents.stamp, features.map(|features| (contents.hash, features)))
            }
        };
        Encoded { root: self.root, path: self.path, stamp, result }
    }
}

/// The features of one picture.
pub(super) fn features_of(decoded: &image::DynamicImage, extractor: &Extractor) -> Result<Vec<f32>, Unusable> {
    let square = picture::square(decoded).ok_or_else(|| Unusable::Damaged("it has no pixels".into()))?;
    Ok(extractor.features(&[square]).into_values())
}
