//! What the pictures found are to the query and to each other: the same, nearly the same, or strangers. Judged by the
//! trunk's features, which no training changes.

use std::path::{Path, PathBuf};

use crate::answer::{DuplicatePart, MatchPart, Relation};
use crate::catalog::{Catalog, Root};
use crate::index::Found;
use crate::model::Trunk;
use crate::picture::Hash;
use crate::rows::{Rows, to_unit_length};

/// Cosine of the features from which two pictures are nearly the same.
///
/// Measured on 108 pictures of three sets, each altered and compared with itself. Of those saved anew as JPEG of quality 85
/// all reach it, of quality 60 95 %, of quality 30 60 %; of those trimmed by 2 % all round 96 %, by 5 % 79 %, by 10 % 29 %, by
/// 20 % none; of brightened ones 88 %, of mirrored ones 72 %, of those with a caption over a tenth 59 %, of small pictures
/// halved once more 40 %. Of the 562,330 pairs of different files of these sets one reaches it: a drawing that is in
/// caltech90 twice. 0.95 would take in two pairs of different photographs.
pub const NEAR_DUPLICATE: f32 = 0.96;

/// The pictures of a query as far as they could be used.
pub struct Asked<'a> {
    /// Their contents.
    pub contents: &'a [Hash],
    /// Their features `[m, 1280]`, in no particular order.
    pub features: &'a Rows,
}

/// A match, and its path as the disk spells it.
pub struct Matched {
    /// For the record.
    pub part: MatchPart,
    /// Relative to the inventory folder.
    pub path: PathBuf,
    features: Option<Vec<f32>>,
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
    pub fn matches(&self, found: Vec<(Found, f32)>, asked: &Asked<'_>, catalog: &Catalog) -> Vec<Matched> {
        let members: Vec<Vec<f32>> = asked.features.iter().map(unit).collect();
        let mut matches: Vec<Matched> = Vec::new();
        for (found, closer_than) in found {
            // A catalog that cannot be read just now costs the marks, nothing else.
            let content = catalog.content_of(Root::Inventory, &found.path).ok().flatten();
            // Pixels say too little of likeness: under the convolutional encoder only identical pictures are marked.
            let content_to_compare = content.filter(|_| asked.features.width() == Trunk::WIDTH);
            let features = content_to_compare.and_then(|hash| catalog.features(hash, Trunk::VERSION).ok().flatten());
            let features = features.map(|features| unit(&features));
            if self.collapse
                && let Some(first) = matches.iter_mut().find(|other| other.is_nearly(features.as_deref()))
            {
                first.part.duplicates.push(self.duplicate(&found));
                continue;
            }
            if matches.len() == self.results {
                continue;
            }
            let likeness = features.as_ref().and_then(|row| nearest(row, &members));
            let relation = match content {
                Some(content) if asked.contents.contains(&content) => Some(Relation::Identical),
                _ => likeness.filter(|&likeness| likeness >= NEAR_DUPLICATE).map(|_| Relation::NearDuplicate),
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
            matches.push(Matched { part, path: found.path, features });
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

impl Matched {
    fn is_nearly(&self, features: Option<&[f32]>) -> bool {
        match (&self.features, features) {
            (Some(one), Some(other)) => cosine(one, other) >= NEAR_DUPLICATE,
            _ => false,
        }
    }
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

fn nearest(row: &[f32], members: &[Vec<f32>]) -> Option<f32> {
    members.iter().map(|member| cosine(row, member)).max_by(f32::total_cmp)
}

fn unit(row: &[f32]) -> Vec<f32> {
    let mut row = row.to_vec();
    to_unit_length(&mut row);
    row
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>().clamp(-1.0, 1.0)
}
