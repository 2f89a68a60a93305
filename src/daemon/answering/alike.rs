//! What the pictures found are to the query and to each other: the same, nearly the same, or strangers. Whether they are the
//! same is seen in their pixels (`picture::Scene`), whether they are strangers in the trunk's features, which no training
//! changes.

use std::path::{Path, PathBuf};

use crate::answer::{DuplicatePart, MatchPart, Relation};
use crate::catalog::{Catalog, Root};
use crate::index::Found;
use crate::model::Trunk;
use crate::overview::LEAST_COSINE;
use crate::picture::{Hash, Miniature, SAME, Scene};
use crate::rows::{Rows, to_unit_length};

/// The pictures of a query as far as they could be used.
pub struct Asked<'a> {
    /// Their contents.
    pub contents: &'a [Hash],
    /// Their features `[m, 1280]`, in no particular order.
    pub features: &'a Rows,
    /// Their miniatures, in the order of their features.
    pub miniatures: &'a [Miniature],
}

/// A match, and its path as the disk spells it.
pub struct Matched {
    /// For the record.
    pub part: MatchPart,
    /// Relative to the inventory folder.
    pub path: PathBuf,
    look: Look,
}

/// What is known of how a picture looks.
struct Look {
    /// The trunk's, at unit length.
    features: Option<Vec<f32>>,
    scene: Option<Scene>,
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
        let members: Vec<Look> = asked.looks();
        let mut matches: Vec<Matched> = Vec::new();
        for (found, closer_than) in found {
            // A catalog that cannot be read just now costs the marks, nothing else.
            let content = catalog.content_of(Root::Inventory, &found.path).ok().flatten();
            let look = Look::of(content, asked, catalog);
            if self.collapse
                && let Some(first) = matches.iter_mut().find(|other| other.look.is_nearly(&look))
            {
                first.part.duplicates.push(self.duplicate(&found));
                continue;
            }
            if matches.len() == self.results {
                continue;
            }
            let likeness = members.iter().filter_map(|member| member.cosine(&look)).max_by(f32::total_cmp);
            let relation = match content {
                Some(content) if asked.contents.contains(&content) => Some(Relation::Identical),
                _ => members.iter().any(|member| member.is_nearly(&look)).then_some(Relation::NearDuplicate),
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

impl Asked<'_> {
    fn looks(&self) -> Vec<Look> {
        let look = |(row, miniature): (&[f32], &Miniature)| Look {
            features: (row.len() == Trunk::WIDTH).then(|| unit(row)),
            scene: Some(Scene::of(miniature)),
        };
        self.features.iter().zip(self.miniatures).map(look).collect()
    }
}

impl Look {
    /// Of an inventory picture, as far as the catalog knows it.
    fn of(content: Option<Hash>, asked: &Asked<'_>, catalog: &Catalog) -> Self {
        // What another encoder makes of pictures says too little of who is a stranger.
        let with_features = content.filter(|_| asked.features.width() == Trunk::WIDTH);
        let features = with_features.and_then(|hash| catalog.features(hash, Trunk::VERSION).ok().flatten());
        let miniature = content.and_then(|hash| catalog.miniature(hash).ok().flatten());
        Self { features: features.map(|row| unit(&row)), scene: miniature.map(|miniature| Scene::of(&miniature)) }
    }

    fn cosine(&self, other: &Self) -> Option<f32> {
        Some(cosine(self.features.as_ref()?, other.features.as_ref()?))
    }

    /// Whether both are one picture. Pixels are looked at only where features do not rule it out.
    fn is_nearly(&self, other: &Self) -> bool {
        let (Some(one), Some(another)) = (&self.scene, &other.scene) else { return false };
        let may_be = self.cosine(other).is_none_or(|cosine| cosine >= LEAST_COSINE);
        may_be && one.sameness(another).is_some_and(|(sighting, _)| sighting.alike >= SAME)
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

fn unit(row: &[f32]) -> Vec<f32> {
    let mut row = row.to_vec();
    to_unit_length(&mut row);
    row
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum::<f32>().clamp(-1.0, 1.0)
}
