//! The third stage of a query: turns search results into matches. It marks near-duplicates by their pixels (`dedup`), grades each
//! match by its likeness, and decides by the likeness of the nearest whether anything is similar at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::encoded::EncodedPicture;
use super::remote;
use super::why::Explanation;
use super::{Query, WorkerContext};
use crate::answer::{DuplicatePart, Grade, MatchPart, MetadataPart, Relation};
use crate::catalog::{Catalog, Root};
use crate::config::{AnswerSettings, ShareOrAuto};
use crate::dedup::{Appearance, policy};
use crate::index::{Found, RemotePicture};
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
    /// Where that is another node's.
    pub remote: Option<RemotePicture>,
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
    query: &'a Query,
    context: &'a WorkerContext,
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
    /// It lies in the inventory of another node, and cannot be opened there.
    is_out_of_reach: bool,
}

impl<'a> Selection<'a> {
    /// As the settings say.
    pub fn new(query: &'a Query, context: &'a WorkerContext, settings: &AnswerSettings) -> Self {
        let (results, collapse) = (settings.results.count(), settings.collapse_duplicates);
        let (min_score, min_likeness) = (settings.min_score.get(), settings.min_likeness);
        Self { query, context, results, collapse, min_score, min_likeness }
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
        found: &[Found],
        scores: &Scores,
        (asked, explanation): (&[Arc<EncodedPicture>], &Explanation<'_>),
    ) -> Selected {
        let (asked, catalog) = (Asked::new(asked, explanation), &self.context.catalog);
        let (mut matches, mut likeness): (Vec<Matched>, Vec<f32>) = (Vec::new(), Vec::new());
        // How like one of the nearest is cannot be told: it may be more than the others.
        let mut is_one_unknown = false;
        for (at, found) in found.iter().enumerate() {
            let closer_than = scores.pairs.closer_than(found.plain.by_metric);
            let is_full = matches.len() == self.results;
            let counts = at < COMPARED_BY_LIKENESS;
            if closer_than < self.min_score || (is_full && !self.collapse && !counts) {
                continue;
            }
            let candidate = self.candidate(found.clone(), closer_than, &asked, !is_full || counts);
            likeness.extend(candidate.likeness.filter(|_| counts));
            is_one_unknown |= counts && candidate.found.remote.is_some() && candidate.likeness.is_none();
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
        let is_none_similar = !is_one_unknown && has_nothing_similar(&matches, best, min_likeness);
        let nearest = is_none_similar.then(|| matches.swap_remove(0).part);
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
        let FoundPicture { found, closer_than, content, looks, likeness, is_out_of_reach } = candidate;
        let is_away = |path: &Path| self.query.inventory_away.iter().any(|folder| path.starts_with(folder));
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
            absolute_path: self.absolute(&found),
            node: self.node_of(&found),
            is_remote: found.remote.is_some(),
            similarity: found.similarity,
            closer_than,
            likeness,
            grade,
            relation,
            away: is_out_of_reach || (found.remote.is_none() && is_away(&found.path)),
            why: Some(asked.explanation.of(&found)),
            metadata,
            duplicates: Vec::new(),
        };
        Matched { part, path: found.path, remote: found.remote, appearance: looks }
    }

    fn duplicate(&self, found: &Found) -> DuplicatePart {
        DuplicatePart {
            path: found.path.to_string_lossy().into_owned(),
            absolute_path: self.absolute(found),
            node: self.node_of(found),
            similarity: found.similarity,
        }
    }

    /// Where its file is; of another node whose inventory is not mounted here, as that node has it.
    fn absolute(&self, found: &Found) -> String {
        let Some(remote) = &found.remote else {
            return self.query.config.folders.inventory.absolute(&found.path).to_string_lossy().into_owned();
        };
        match self.query.config.node.inventory_of(&remote.node) {
            Some(root) => root.join(&found.path).to_string_lossy().into_owned(),
            None => format!("{}:{}", remote.node, found.path.display()),
        }
    }

    /// The node it lies on, where there are several.
    fn node_of(&self, found: &Found) -> Option<String> {
        let own = || self.context.nodes.as_ref().map(|nodes| nodes.name().to_string());
        found.remote.as_ref().map(|remote| remote.node.to_string()).or_else(own)
    }

    /// What is known of a picture: of one on another node, its content, and the rest from its file if `is_needed`. If the catalog cannot
    /// be read, marks and grades are missing; nothing else.
    fn candidate(&self, found: Found, closer_than: f32, asked: &Asked<'_>, is_needed: bool) -> FoundPicture {
        let catalog = &self.context.catalog;
        let (content, looks, is_out_of_reach) = match &found.remote {
            None => {
                let content = catalog.content_of(Root::Inventory, &found.path).ok().flatten();
                (content, known(content, asked.kind, catalog), false)
            }
            Some(remote) => {
                let content = Hash(remote.content);
                let opened = is_needed.then(|| remote::open(remote, &found.path, self.query, self.context)).flatten();
                let unknown = || Appearance::new(Some(content), None, None);
                let looks = opened.as_ref().map_or_else(unknown, |picture| picture.appearance());
                (Some(content), looks, is_needed && opened.is_none())
            }
        };
        let likeness = asked.looks.iter().filter_map(|picture| picture.cosine(&looks)).max_by(f32::total_cmp);
        FoundPicture { found, closer_than, content, looks, likeness, is_out_of_reach }
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

/// Whether not even the `best` likeness of those found reaches `least`, and none of them is the query itself. Without any features
/// the matches stay.
fn has_nothing_similar(matches: &[Matched], best: Option<f32>, least: f32) -> bool {
    let is_there = matches.iter().any(|found| found.part.relation.is_some());
    !matches.is_empty() && !is_there && best.is_some_and(|best| best < least)
}
