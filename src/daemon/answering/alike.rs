//! What the pictures found are to the query and to each other: the same, nearly the same, or strangers. Whether they are the
//! same is seen in their pixels (`dedup`), whether they are strangers in the backbone's features, which no training
//! changes.

use std::path::{Path, PathBuf};

use crate::answer::{DuplicatePart, MatchPart, Relation};
use crate::catalog::{Catalog, Root};
use crate::dedup::{Appearance, policy};
use crate::index::Found;
use crate::model::Backbone;
use crate::picture::{Hash, Miniature};

/// Candidates that are compared by their pixels.
const COMPARED: usize = policy::OF_ONE_BY_FEATURES.nearest;

/// A picture of the query that could be used.
pub struct Asked {
    /// Its content.
    pub content: Hash,
    /// What the serving encoder sees of it: `[1280]` of the backbone, or another encoder's own number.
    pub features: Vec<f32>,
    /// The same picture to compare by pixels.
    pub miniature: Miniature,
}

/// A match, and its path as the disk spells it.
pub struct Matched {
    /// For the record.
    pub part: MatchPart,
    /// Relative to the inventory folder.
    pub path: PathBuf,
    look: Appearance,
}

/// How matches are made of what was found.
pub struct Selection<'a> {
    /// The inventory folder.
    pub folder: &'a Path,
    /// Most matches.
    pub results: usize,
    /// Whether near-identical ones are shown as one.
    pub collapse: bool,
}

impl Selection<'_> {
    /// How many pictures must be found to have `results` of them.
    pub fn candidates(&self) -> usize {
        // With more copies than this behind its matches a sheet has fewer matches, and says why.
        if self.collapse { self.results * 4 + 8 } else { self.results }
    }

    /// Matches with ranks from `found`, the most similar first.
    pub fn matches(&self, found: Vec<(Found, f32)>, asked: &[Asked], catalog: &Catalog) -> Vec<Matched> {
        // What another encoder makes of pictures says too little of who is a stranger.
        let with_features = asked.iter().any(|member| member.features.len() == Backbone::WIDTH);
        let members: Vec<Appearance> = asked.iter().map(Asked::look).collect();
        let mut matches: Vec<Matched> = Vec::new();
        for (found, closer_than) in found {
            // A catalog that cannot be read just now costs the marks, nothing else.
            let content = catalog.content_of(Root::Inventory, &found.path).ok().flatten();
            let look = known(content, with_features, catalog);
            let is_full = matches.len() == self.results;
            if self.collapse {
                let most = if is_full { policy::COMPARED_TO_COUNT } else { COMPARED };
                if let Some(at) = look.copy_of(matches.iter().map(|other| &other.look), most) {
                    matches[at].part.duplicates.push(self.duplicate(&found));
                    continue;
                }
            }
            if is_full {
                continue;
            }
            let likeness = members.iter().filter_map(|member| member.cosine(&look)).max_by(f32::total_cmp);
            let relation = match content {
                Some(content) if asked.iter().any(|member| member.content == content) => Some(Relation::Identical),
                _ => look.copy_of(members.iter(), COMPARED).map(|_| Relation::NearDuplicate),
            };
            let part = MatchPart {
                rank: matches.len() + 1,
                path: found.path.to_string_lossy().into_owned(),
                absolute_path: self.absolute(&found.path),
                similarity: found.similarity,
                closer_than,
                likeness,
                relation,
                duplicates: Vec::new(),
            };
            matches.push(Matched { part, path: found.path, look });
        }
        matches
    }

    fn duplicate(&self, found: &Found) -> DuplicatePart {
        DuplicatePart {
            path: found.path.to_string_lossy().into_owned(),
            absolute_path: self.absolute(&found.path),
            similarity: found.similarity,
        }
    }

    fn absolute(&self, path: &Path) -> String {
        self.folder.join(path).to_string_lossy().into_owned()
    }
}

impl Asked {
    fn look(&self) -> Appearance {
        Appearance::new(Some(self.content), Some(&self.features), Some(self.miniature.clone()))
    }
}

/// An inventory picture, as far as the catalog knows it; with the backbone's features where they are needed.
fn known(content: Option<Hash>, with_features: bool, catalog: &Catalog) -> Appearance {
    // A catalog that cannot be read just now costs the marks, nothing else.
    let features = content.filter(|_| with_features);
    let features = features.and_then(|hash| catalog.features(hash, Backbone::VERSION).ok().flatten());
    let miniature = content.and_then(|hash| catalog.miniature(hash).ok().flatten());
    Appearance::new(content, features.as_deref(), miniature)
}

/// Whether not even the best of `matches` has as much in common with the query as `least`. Where the features of none are
/// known, nothing is said against them.
pub fn are_strangers(matches: &[Matched], least: f32) -> bool {
    let best = matches
        .iter()
        .filter_map(|found| found.part.likeness)
        .fold(None, |best: Option<f32>, likeness| Some(best.map_or(likeness, |best| best.max(likeness))));
    best.is_some_and(|best| best < least)
}
