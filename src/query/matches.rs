//! The third stage of a query: turns search results into matches. It marks near-duplicates by their pixels (`dedup`), grades each
//! match by its likeness, and decides by the likeness of the nearest whether anything is similar at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::encoded::EncodedPicture;
use super::why::Explanation;
use crate::answer::{DuplicatePart, Grade, MatchPart, MetadataPart, Relation};
use crate::catalog::{Catalog, Root};
use crate::config::{AnswerSettings, Inventory, ShareOrAuto};
use crate::dedup::{Appearance, policy};
use crate::index::Found;
use crate::model::FeatureKind;
use crate::picture::Hash;
use crate::serving::{COMPARED as COMPARED_BY_LIKENESS, Scores};

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
    /// The likeness that the nearest had to have.
    pub min_likeness: f32,
}

/// Selects matches among search results.
pub struct Selection<'a> {
    inventory: &'a Inventory,
    away: &'a [PathBuf],
    results: usize,
    collapse: bool,
    min_score: f32,
    min_likeness: ShareOrAuto,
}

/// The pictures of a query, as they are compared with what was found.
struct Asked<'a> {
    pictures: &'a [Arc<EncodedPicture>],
    explanation: &'a Explanation<'a>,
    looks: Vec<Appearance>,
    /// Of their features.
    kind: Option<&'a FeatureKind>,
}

/// A search result, as far as the catalog knows it.
struct FoundPicture {
    found: Found,
    closer_than: f32,
    content: Option<Hash>,
    looks: Appearance,
    likeness: Option<f32>,
}

impl<'a> Selection<'a> {
    /// As the settings say; `away` is what of the `inventory` cannot be reached.
    pub fn new(inventory: &'a Inventory, away: &'a [PathBuf], settings: &AnswerSettings) -> Self {
        let (results, collapse) = (settings.results.count(), settings.collapse_duplicates);
        let (min_score, min_likeness) = (settings.min_score.get(), settings.min_likeness);
        Self { inventory, away, results, collapse, min_score, min_likeness }
    }

    /// How many pictures must be found to have `results` of them.
    pub fn candidates(&self) -> usize {
        // If more copies than this hide behind the matches, the sheet has fewer matches and says why.
        let shown = if self.collapse { self.results * 4 + 8 } else { self.results };
        shown.max(COMPARED_BY_LIKENESS)
    }

    /// Matches with ranks from `found`, the most similar first; `scores` say what their similarities mean.
    pub fn select(
        &self,
        found: Vec<Found>,
        scores: &Scores,
        (asked, explanation): (&[Arc<EncodedPicture>], &Explanation<'_>),
        catalog: &Catalog,
    ) -> Selected {
        let asked = Asked::new(asked, explanation);
        let (mut matches, mut likeness): (Vec<Matched>, Vec<f32>) = (Vec::new(), Vec::new());
        for (at, found) in found.into_iter().enumerate() {
            let closer_than = scores.pairs.closer_than(found.plain.by_metric);
            let is_full = matches.len() == self.results;
            let counts = at < COMPARED_BY_LIKENESS;
            if closer_than < self.min_score || (is_full && !self.collapse && !counts) {
                continue;
            }
            let candidate = FoundPicture::new(found, closer_than, &asked, catalog);
            likeness.extend(candidate.likeness.filter(|_| counts));
            if self.collapse && self.is_listed_as_copy(&candidate, &mut matches) {
                continue;
            }
            if !is_full {
                // If the catalog cannot be read, they are not known; nothing else.
                let metadata = candidate.content.and_then(|content| catalog.metadata(content).ok().flatten());
                let metadata = metadata.map(MetadataPart::from).unwrap_or_default();
                matches.push(self.matched(candidate, metadata, matches.len() + 1, (&asked, scores)));
            }
        }
        let min_likeness = match self.min_likeness {
            ShareOrAuto::Auto => scores.likeness.least,
            ShareOrAuto::Set(least) => least.get(),
        };
        let best = likeness.into_iter().max_by(f32::total_cmp);
        let nearest = has_nothing_similar(&matches, best, min_likeness).then(|| matches.swap_remove(0).part);
        if nearest.is_some() {
            matches.clear();
        }
        Selected { matches, nearest, min_likeness }
    }

    /// Whether it is a copy of a match, and counted there.
    fn is_listed_as_copy(&self, candidate: &FoundPicture, matches: &mut [Matched]) -> bool {
        let most = if matches.len() == self.results { policy::COMPARED_TO_COUNT } else { COMPARED };
        let of = candidate.looks.copy_of(matches.iter().map(|other| &other.appearance), most);
        if let Some(at) = of {
            matches[at].part.duplicates.push(self.duplicate(&candidate.found));
        }
        of.is_some()
    }

    fn matched(
        &self,
        candidate: FoundPicture,
        metadata: MetadataPart,
        rank: usize,
        (asked, scores): (&Asked<'_>, &Scores),
    ) -> Matched {
        let FoundPicture { found, closer_than, content, looks, likeness } = candidate;
        let relation = asked.relation(content, &looks);
        // The features of another encoder do not tell well enough how similar pictures are; its embeddings do.
        let compared =
            if asked.kind.is_some_and(FeatureKind::tells_likeness) { likeness } else { Some(found.plain.cosine) };
        let grade = match relation {
            Some(_) => Some(Grade::Same),
            None => compared.map(|likeness| scores.likeness.grade(likeness)),
        };
        let part = MatchPart {
            rank,
            path: found.path.to_string_lossy().into_owned(),
            absolute_path: self.absolute(&found.path),
            similarity: found.similarity,
            closer_than,
            likeness,
            grade,
            relation,
            away: self.away.iter().any(|folder| found.path.starts_with(folder)),
            why: Some(asked.explanation.of(&found)),
            metadata,
            duplicates: Vec::new(),
        };
        Matched { part, path: found.path, appearance: looks }
    }

    fn duplicate(&self, found: &Found) -> DuplicatePart {
        DuplicatePart {
            path: found.path.to_string_lossy().into_owned(),
            absolute_path: self.absolute(&found.path),
            similarity: found.similarity,
        }
    }

    fn absolute(&self, path: &Path) -> String {
        self.inventory.absolute(path).to_string_lossy().into_owned()
    }
}

impl<'a> Asked<'a> {
    fn new(pictures: &'a [Arc<EncodedPicture>], explanation: &'a Explanation<'_>) -> Self {
        let kind = pictures.first().map(|picture| &picture.kind);
        let looks = pictures.iter().map(|picture| picture.appearance()).collect();
        Self { pictures, explanation, looks, kind }
    }

    /// How one of the pictures is the same as that with `content` and `looks`, if it is.
    fn relation(&self, content: Option<Hash>, looks: &Appearance) -> Option<Relation> {
        match content {
            Some(content) if self.pictures.iter().any(|picture| picture.content == content) => {
                Some(Relation::Identical)
            }
            _ => looks.copy_of(self.looks.iter(), COMPARED).map(|_| Relation::NearDuplicate),
        }
    }
}

/// An inventory picture, as far as the catalog knows it; with features of this kind where they tell how like pictures are.
pub(super) fn known(content: Option<Hash>, kind: Option<&FeatureKind>, catalog: &Catalog) -> Appearance {
    // If the catalog cannot be read, the marks are missing; nothing else.
    let kind = kind.filter(|kind| kind.tells_likeness());
    let features = content.zip(kind).and_then(|(hash, kind)| catalog.features(hash, &kind.version).ok().flatten());
    let whole = features.as_deref().and_then(|row| kind?.whole_of(row));
    let miniature = content.and_then(|hash| catalog.miniature(hash).ok().flatten());
    Appearance::new(content, whole, miniature)
}

impl FoundPicture {
    /// If the catalog cannot be read, marks and grades are missing; nothing else.
    fn new(found: Found, closer_than: f32, asked: &Asked<'_>, catalog: &Catalog) -> Self {
        let content = catalog.content_of(Root::Inventory, &found.path).ok().flatten();
        let looks = known(content, asked.kind, catalog);
        let likeness = asked.looks.iter().filter_map(|picture| picture.cosine(&looks)).max_by(f32::total_cmp);
        Self { found, closer_than, content, looks, likeness }
    }
}

/// Whether not even the `best` likeness of those found reaches `least`, and none of them is the query itself. Without any features
/// the matches stay.
fn has_nothing_similar(matches: &[Matched], best: Option<f32>, least: f32) -> bool {
    let is_there = matches.iter().any(|found| found.part.relation.is_some());
    !matches.is_empty() && !is_there && best.is_some_and(|best| best < least)
}
