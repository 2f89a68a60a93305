//! The record of an answer, `result_<name>.json`: what was asked, what was found, how long it took.
//!
//! Scripts read it, so its keys never change their meaning.

use serde::{Deserialize, Serialize};

use super::{Grade, MetadataPart, WhyPart};
use crate::model::FolderReport;

/// Raised when a key changes its meaning or is removed; new keys do not raise it.
pub const SCHEMA: u32 = 1;

/// A larger file in the answer folder is no record: one on a set of 10,000 pictures has 3 MB.
pub const LARGEST_RECORD_BYTES: u64 = 16 << 20;

/// The content of `answer/result_<name>.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The outcome.
    pub status: Status,
    /// One sentence for a person.
    pub message: String,
    /// What was asked.
    pub query: QueryPart,
    /// The model that ranked the pictures.
    pub model: SearchModelPart,
    /// "cosine" or "euclidean".
    pub metric: &'static str,
    /// Pictures searched.
    pub inventory: usize,
    /// Pictures that were still to be read, because they are new or have changed.
    #[serde(skip_serializing_if = "is_zero")]
    pub inventory_pending: usize,
    /// Pictures that are known and were not searched, because the catalog lacked their embeddings.
    #[serde(skip_serializing_if = "is_zero")]
    pub inventory_missing: usize,
    /// Raised by every change of the index, and by every start and new model. Answers with the same number come from the same
    /// pictures.
    pub index_generation: u64,
    /// The settings that it was answered with.
    pub settings: SearchSettingsPart,
    /// The engine that was asked for the pictures of other nodes; absent where this daemon is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<EnginePart>,
    /// What was found, the most similar first.
    pub matches: Vec<MatchPart>,
    /// The nearest picture, when even that one is not similar enough to be a match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<MatchPart>,
    /// Files that were left out, with the reason.
    pub skipped: Vec<SkippedPart>,
    /// What differs from the earlier answer; only when the daemon redid the answer without being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// The sheet's file name, in the same folder; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// When, in seconds since 1970.
    pub answered_s: i64,
    /// The same by ISO 8601, in UTC.
    pub answered_at: String,
    /// How long each stage took.
    pub timings_ms: Timings,
}

/// The outcome of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Answered.
    Ok,
    /// Nothing in the inventory is similar enough.
    NothingSimilar,
    /// Answered, but not from all of the query or not from all of the inventory.
    Partial,
    /// Not answered; the message says why.
    Error,
}

impl Status {
    /// Its name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NothingSimilar => "nothing_similar",
            Self::Partial => "partial",
            Self::Error => "error",
        }
    }
}

/// What was asked.
#[derive(Debug, Clone, Serialize)]
pub struct QueryPart {
    /// The file's or the folder's name.
    pub name: String,
    /// blake3 over the contents of all its pictures, independent of their names and order; absent when none could be
    /// read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its files: all of them or, of a very large set, a random sample.
    pub files: Vec<QueryFile>,
    /// How many more files the query has that stand in none of these lists, because a sample was used; absent when there are none.
    #[serde(skip_serializing_if = "is_zero")]
    pub unused: usize,
    /// The part of its pictures that was searched for, `[x, y, width, height]`: shares of their sides if none is larger than 1, otherwise
    /// pixels. Absent where they were searched for whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crop: Option<crate::config::Crop>,
    /// How the embeddings of a set were combined; absent for a single picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_mode: Option<crate::config::SetMode>,
    /// Pictures in the set's folder `yes/`: positive feedback (Rocchio). Absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub yes: Vec<QueryFile>,
    /// Pictures in the set's folder `not/`: negative feedback (Rocchio). Absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<QueryFile>,
    /// The set's own settings, relative to the query folder; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// Pictures of the inventory that the query's own were averaged with, being most similar to them (query expansion); at most
    /// twelve. Absent where nothing was averaged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expanded_with: Vec<String>,
}

/// Likenesses of the same two pictures differ by less: they are computed alone or together with others, in another order.
const SAME_LIKENESS: f64 = 1e-4;

/// What differs from the earlier answer to the same query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// When the earlier answer was made, in seconds since 1970.
    pub former_answered_s: i64,
    /// The model of the earlier answer.
    pub former_model: String,
    /// Paths found now and not then.
    pub added: Vec<String>,
    /// Paths found then and not now.
    pub removed: Vec<String>,
}

impl Changes {
    /// Compares the `former` record, as stored in the answer folder, with what is found now. `None` when the same
    /// pictures are found in the same order. A path whose file is another picture by now was found then, and is found now, as
    /// another one: it is among both.
    pub fn since(former: &serde_json::Value, matches: &[MatchPart]) -> Option<Self> {
        let before: Vec<&serde_json::Value> =
            former.get("matches").and_then(|found| found.as_array()).into_iter().flatten().collect();
        let is_unchanged = before.len() == matches.len()
            && before
                .iter()
                .zip(matches)
                .all(|(before, now)| now.is_at_the_place_of(before) && now.is_same_picture(before));
        if is_unchanged {
            return None;
        }
        let is_in =
            |before: &serde_json::Value, now: &MatchPart| now.is_at_the_place_of(before) && now.is_same_picture(before);
        let added = matches.iter().filter(|now| !before.iter().any(|before| is_in(before, now)));
        let removed = before.iter().filter(|before| !matches.iter().any(|now| is_in(before, now)));
        let model = former.pointer("/model/id").and_then(|id| id.as_str()).unwrap_or_default();
        Some(Self {
            former_answered_s: former.get("answered_s").and_then(serde_json::Value::as_i64).unwrap_or(0),
            former_model: model.to_string(),
            added: added.map(|now| now.path.clone()).collect(),
            removed: removed.filter_map(|before| Some(before["path"].as_str()?.to_string())).collect(),
        })
    }
}

/// One file of the query.
#[derive(Debug, Clone, Serialize)]
pub struct QueryFile {
    /// Relative to the query folder.
    pub path: String,
    /// blake3 of its content; absent when it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
    /// Why it was left out; absent when it was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The model that ranked the pictures.
#[derive(Debug, Clone, Serialize)]
pub struct SearchModelPart {
    /// Its name; "features" before the first training.
    pub id: String,
    /// Kind of encoder.
    pub encoder: &'static str,
    /// Pictures it was trained on.
    pub trained_on: usize,
    /// What the folders of these pictures gave it, or why nothing.
    pub folders: FolderReport,
}

/// The engine that was asked for the pictures of other nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnginePart {
    /// "milvus"
    pub kind: &'static str,
    /// The node that asked.
    pub node: String,
    /// Pictures of other nodes that were searched.
    pub pictures: usize,
    /// What the model's embeddings are called in it; absent where it could not be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<String>,
    /// Whether all pictures of all nodes were searched. Otherwise the query is answered again when they can be.
    pub is_complete: bool,
    /// Nodes whose pictures are not all in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What is missing, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One picture found.
#[derive(Debug, Clone, Serialize)]
pub struct MatchPart {
    /// From 1.
    pub rank: usize,
    /// Relative to the inventory folder.
    pub path: String,
    /// The same from the root of the file system. Of another node whose inventory is not mounted here, "node:path".
    pub absolute_path: String,
    /// The node whose inventory it lies in; absent where this daemon is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether that is another node.
    #[serde(skip)]
    pub is_remote: bool,
    /// By the metric.
    pub similarity: f32,
    /// Share of random inventory pairs that are less similar, 0 to 1.
    pub closer_than: f32,
    /// Cosine similarity between the backbone's features of this picture and of the nearest query picture, -1 to 1. It
    /// does not depend on the trained model or on the inventory. Absent when these features are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likeness: Option<f32>,
    /// How similar it is, in a word: likeness compared with that of the inventory's pictures to their nearest others. Absent
    /// when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Set when this is the query picture itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// Its disk is away: it cannot be opened now, and is shown by what is known of it.
    #[serde(skip_serializing_if = "is_false")]
    pub away: bool,
    /// Why it stands where it does; absent in records of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<WhyPart>,
    /// What its file says of it.
    #[serde(flatten)]
    pub metadata: MetadataPart,
    /// Near-duplicates of this picture, listed here instead of as matches (`collapse_duplicates`).
    pub duplicates: Vec<DuplicatePart>,
}

impl MatchPart {
    /// Whether a match of an earlier record has the same path on the same node.
    fn is_at_the_place_of(&self, before: &serde_json::Value) -> bool {
        let is_elsewhere = |node: &str| self.node.as_deref().is_some_and(|own| own != node);
        before["path"] == *self.path && !before["node"].as_str().is_some_and(is_elsewhere)
    }

    /// Whether a match of an earlier record, at the same path, is the same picture: it has the same likeness, which depends on this
    /// picture and the query alone, and the same relation. Of older records, which have none, that cannot be told.
    fn is_same_picture(&self, before: &serde_json::Value) -> bool {
        let (Some(then), Some(now)) = (before["likeness"].as_f64(), self.likeness) else { return true };
        let relation = before["relation"].as_str();
        (then - f64::from(now)).abs() <= SAME_LIKENESS && relation == self.relation.map(Relation::name)
    }
}

/// How a match that is the query picture itself relates to the query's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same content, byte for byte.
    Identical,
    /// The same picture, re-saved, resized or cropped.
    NearDuplicate,
}

impl Relation {
    /// As records have it.
    fn name(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::NearDuplicate => "near_duplicate",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A near-duplicate of a match.
#[derive(Debug, Clone, Serialize)]
pub struct DuplicatePart {
    /// Relative to the inventory folder.
    pub path: String,
    /// The same from the root of the file system. Of another node whose inventory is not mounted here, "node:path".
    pub absolute_path: String,
    /// The node whose inventory it lies in; absent where this daemon is alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// By the metric, to the query.
    pub similarity: f32,
}

/// A file that was left out.
#[derive(Debug, Clone, Serialize)]
pub struct SkippedPart {
    /// Relative to the query folder.
    pub path: String,
    /// Why, for a person.
    pub reason: String,
}

/// The settings that decide what is found.
#[derive(Debug, Clone, Serialize)]
pub struct SearchSettingsPart {
    /// Most matches.
    pub results: usize,
    /// See `config/artificio.toml`.
    pub min_score: f32,
    /// See `config/artificio.toml`; what "auto" came to.
    pub min_likeness: f32,
    /// See `config/artificio.toml`.
    pub collapse_duplicates: bool,
    /// Folders of the inventory outside of which nothing was searched for; none: everywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<String>,
    /// Folders of the inventory in which nothing was searched for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_within: Vec<String>,
    /// Only pictures taken then or later were searched for; absent: whenever they were taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Only pictures taken earlier were searched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// All four in words, for the sheet; empty without them.
    #[serde(skip)]
    pub scope: String,
}

/// Elapsed milliseconds of each stage.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timings {
    /// Reading and decoding the query.
    pub decode: f64,
    /// Computing its features and embeddings.
    pub encode: f64,
    /// Searching the index.
    pub search: f64,
    /// Decoding the matches and drawing the sheet.
    pub sheet: f64,
    /// From the moment a worker took the query until the record was made.
    pub total: f64,
}

impl Record {
    /// The file's content.
    pub fn to_json(&self) -> Vec<u8> {
        // Numbers, texts and lists always have a JSON form, so this cannot fail.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, likeness: f32, relation: Option<Relation>) -> MatchPart {
        MatchPart {
            rank: 1,
            path: path.into(),
            absolute_path: format!("/inventory/{path}"),
            node: None,
            is_remote: false,
            similarity: 0.9,
            closer_than: 0.99,
            likeness: Some(likeness),
            grade: None,
            relation,
            away: false,
            why: None,
            metadata: MetadataPart::default(),
            duplicates: Vec::new(),
        }
    }

    /// Found by killing the service while pictures exchanged their names: the record went on to tell of the one that was there before.
    #[test]
    fn another_picture_at_the_same_path_changes_an_answer() {
        let record = |matches: &[MatchPart]| json!({"answered_s": 7, "model": {"id": "m1"}, "matches": matches});
        let former = [found("a.jpg", 0.8, None), found("b.jpg", 0.7, None)];
        let since =
            |now: &[MatchPart]| Changes::since(&record(&former), now).map(|changes| (changes.added, changes.removed));
        let paths = |paths: &[&str]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(since(&[found("a.jpg", 0.800_01, None), found("b.jpg", 0.7, None)]), None);
        let identical = found("a.jpg", 1.0, Some(Relation::Identical));
        assert_eq!(since(&[identical, found("b.jpg", 0.7, None)]), Some((paths(&["a.jpg"]), paths(&["a.jpg"]))));
        assert_eq!(
            since(&[found("b.jpg", 0.7, None), found("a.jpg", 0.8, None)]),
            Some((paths(&[]), paths(&[]))),
            "an order"
        );
        assert_eq!(since(&former[..1]), Some((paths(&[]), paths(&["b.jpg"]))));
        let old = json!({"matches": [{"path": "a.jpg"}, {"path": "b.jpg"}]});
        assert_eq!(Changes::since(&old, &former), None, "of an older version");
    }
}
