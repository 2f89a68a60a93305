//! The third stage of a query: turns search results into matches. It marks near-duplicates by their pixels (`dedup`), and
//! decides by the backbone's features, which no training changes, whether anything is similar at all.

use std::path::{Path, PathBuf};

use super::search::EncodedPicture;
use crate::answer::{DuplicatePart, MatchPart, Relation};
use crate::catalog::{Catalog, Root};
use crate::config::AnswerSettings;
use crate::dedup::{Appearance, policy};
use crate::index::Found;
use crate::model::Backbone;
use crate::picture::Hash;

/// Candidates that are compared by their pixels.
const COMPARED: usize = policy::OF_ONE_BY_FEATURES.nearest;

/// A match with its path, byte for byte.
pub struct Matched {
    /// For the record.
    pub part: MatchPart,
    /// Relative to the inventory folder.
    pub path: PathBuf,
    appearance: Appearance,
}

/// The matches of an answer.
pub struct Selected {
    /// The most similar first; empty if even the nearest picture has too little in common with the query.
    pub matches: Vec<Matched>,
    /// That nearest picture.
    pub nearest: Option<MatchPart>,
}

/// Selects matches among search results.
pub struct Selection<'a> {
    folder: &'a Path,
    results: usize,
    collapse: bool,
    min_likeness: f32,
}

impl<'a> Selection<'a> {
    /// As the settings say; `folder` is the inventory's.
    pub fn new(folder: &'a Path, settings: &AnswerSettings) -> Self {
        let (results, collapse) = (settings.results.count(), settings.collapse_duplicates);
        Self { folder, results, collapse, min_likeness: settings.min_likeness.get() }
    }

    /// How many pictures must be found to have `results` of them.
    pub fn candidates(&self) -> usize {
        // If more copies than this hide behind the matches, the sheet has fewer matches and says why.
        if self.collapse { self.results * 4 + 8 } else { self.results }
    }

    /// Matches with ranks from `found`, the most similar first.
    pub fn select(&self, found: Vec<(Found, f32)>, asked: &[EncodedPicture], catalog: &Catalog) -> Selected {
        let mut matches = self.matches(found, asked, catalog);
        let nearest = has_nothing_similar(&matches, self.min_likeness).then(|| matches.swap_remove(0).part);
        if nearest.is_some() {
            matches.clear();
        }
        Selected { matches, nearest }
    }

    fn matches(&self, found: Vec<(Found, f32)>, asked: &[EncodedPicture], catalog: &Catalog) -> Vec<Matched> {
        // The features of another encoder do not tell well enough whether a picture is unrelated.
        let with_features = asked.iter().any(|member| member.features.len() == Backbone::WIDTH);
        let members: Vec<Appearance> = asked.iter().map(EncodedPicture::appearance).collect();
        let mut matches: Vec<Matched> = Vec::new();
        for (found, closer_than) in found {
            // If the catalog cannot be read, the marks are missing; nothing else.
            let content = catalog.content_of(Root::Inventory, &found.path).ok().flatten();
            let appearance = known(content, with_features, catalog);
            let is_full = matches.len() == self.results;
            if self.collapse {
                let most = if is_full { policy::COMPARED_TO_COUNT } else { COMPARED };
                if let Some(at) = appearance.copy_of(matches.iter().map(|other| &other.appearance), most) {
                    matches[at].part.duplicates.push(self.duplicate(&found));
                    continue;
                }
            }
            if is_full {
                continue;
            }
            let likeness = members.iter().filter_map(|member| member.cosine(&appearance)).max_by(f32::total_cmp);
            let relation = match content {
                Some(content) if asked.iter().any(|member| member.content == content) => Some(Relation::Identical),
                _ => appearance.copy_of(members.iter(), COMPARED).map(|_| Relation::NearDuplicate),
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
            matches.push(Matched { part, path: found.path, appearance });
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

/// Whether not even the best of `matches` has as much in common with the query as `least`. Without any features the
/// matches stay.
fn has_nothing_similar(matches: &[Matched], least: f32) -> bool {
    let best = matches
        .iter()
        .filter_map(|found| found.part.likeness)
        .fold(None, |best: Option<f32>, likeness| Some(best.map_or(likeness, |best| best.max(likeness))));
    best.is_some_and(|best| best < least)
}

/// An inventory picture, as far as the catalog knows it; with the backbone's features where they are needed.
pub(super) fn known(content: Option<Hash>, with_features: bool, catalog: &Catalog) -> Appearance {
    // If the catalog cannot be read, the marks are missing; nothing else.
    let features = content.filter(|_| with_features);
    let features = features.and_then(|hash| catalog.features(hash, Backbone::VERSION).ok().flatten());
    let miniature = content.and_then(|hash| catalog.miniature(hash).ok().flatten());
    Appearance::new(content, features.as_deref(), miniature)
}
