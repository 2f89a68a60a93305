//! What a query's `not/` folder shows, that is the same picture or nearly, is taken out of the search results.

use std::sync::Arc;

use super::encoded::EncodedPicture;
use super::matches::known;
use crate::catalog::{Catalog, Root};
use crate::dedup::{Appearance, policy};
use crate::index::Found;
use crate::model::FeatureKind;
use crate::picture::Hash;

/// Negative examples that a search result is compared with by pixels.
const COMPARED: usize = policy::OF_ONE_BY_FEATURES.nearest;

/// The negative examples of a query, to be compared with what is found.
pub struct Rejected {
    examples: Vec<Appearance>,
    kind: Option<FeatureKind>,
}

impl Rejected {
    /// Those of a query.
    pub fn new(negatives: &[Arc<EncodedPicture>]) -> Self {
        let kind = negatives.first().map(|example| example.kind.clone());
        Self { examples: negatives.iter().map(|example| example.appearance()).collect(), kind }
    }

    /// The first `count` of `found` that are none of the examples and no near-duplicates of them, and how many were passed over.
    pub fn first_others(&self, found: Vec<Found>, count: usize, catalog: &Catalog) -> (Vec<Found>, usize) {
        let (mut others, mut passed_over) = (Vec::new(), 0);
        for candidate in found {
            if others.len() == count {
                break;
            }
            match self.contains(&candidate, catalog) {
                true => passed_over += 1,
                false => others.push(candidate),
            }
        }
        (others, passed_over)
    }

    /// If the catalog cannot be read, nothing is known to be rejected.
    fn contains(&self, found: &Found, catalog: &Catalog) -> bool {
        if self.examples.is_empty() {
            return false;
        }
        let content = match &found.remote {
            None => catalog.content_of(Root::Inventory, &found.path).ok().flatten(),
            // The same picture may lie here as well; otherwise only a copy byte for byte is known to be one.
            Some(remote) => Some(Hash(remote.content)),
        };
        known(content, self.kind.as_ref(), catalog).copy_of(self.examples.iter(), COMPARED).is_some()
    }
}
