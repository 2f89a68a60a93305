//! The record: what was asked, what was found, how long it took; read by scripts, so its keys never change their meaning.

use serde::Serialize;

/// Raised when a key changes its meaning or goes; new keys do not raise it.
pub const SCHEMA: u32 = 1;

/// The content of `answer/result_<name>.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// [`SCHEMA`]
    pub schema: u32,
    /// How it went.
    pub status: Status,
    /// One sentence for a person.
    pub message: String,
    /// What was asked.
    pub query: QueryPart,
    /// What measured the likeness.
    pub model: SearchModelPart,
    /// "cosine" or "euclidean".
    pub metric: &'static str,
    /// Pictures searched.
    pub inventory: usize,
    /// Raised by every change of what is searched, from 0 at the daemon's start: answers of one daemon with the same
    /// number were found among the same pictures.
    pub index_generation: u64,
    /// By which settings it was answered.
    pub settings: SearchSettingsPart,
    /// What was found, the most similar first.
    pub matches: Vec<MatchPart>,
    /// The nearest picture, where even that is not similar enough to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<MatchPart>,
    /// Files that were left out, with the reason.
    pub skipped: Vec<SkippedPart>,
    /// What differs from the answer before; only where this one was given anew by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// The sheet's file name, in the same folder; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// When, in seconds since 1970.
    pub answered_s: i64,
    /// What it took.
    pub timings_ms: Timings,
}

/// How a query went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
    /// As in the record.
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
    /// As the user knows it: a file's or a folder's name.
    pub name: String,
    /// blake3 over the contents of all its pictures, whatever their names and order; absent when none could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Every file of the query.
    pub files: Vec<QueryFile>,
    /// How the codes of a set were brought together; absent for a single picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_mode: Option<crate::config::SetMode>,
    /// Pictures in the set's folder `not/`, from which the answer was kept away; absent without any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<QueryFile>,
    /// The set's own settings, relative to the query folder; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
}

/// What differs from the answer before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// When that was given, in seconds since 1970.
    pub former_answered_s: i64,
    /// Its model.
    pub former_model: String,
    /// Paths found now and not then.
    pub added: Vec<String>,
    /// Paths found then and not now.
    pub removed: Vec<String>,
}

impl Changes {
    /// Between the `former` record, as it lies in the answer folder, and what is found now; `None` where the same is
    /// found in the same order.
    pub fn since(former: &serde_json::Value, matches: &[MatchPart]) -> Option<Self> {
        let path = |found: &serde_json::Value| Some(found.get("path")?.as_str()?.to_string());
        let before: Vec<String> =
            former.get("matches").and_then(|found| found.as_array()).into_iter().flatten().filter_map(path).collect();
        let now: Vec<String> = matches.iter().map(|found| found.path.clone()).collect();
        let missing_in = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|path| !those.contains(path)).cloned().collect()
        };
        let model = former.pointer("/model/id").and_then(|id| id.as_str()).unwrap_or_default();
        (before != now).then(|| Self {
            former_answered_s: former.get("answered_s").and_then(serde_json::Value::as_i64).unwrap_or(0),
            former_model: model.to_string(),
            added: missing_in(&now, &before),
            removed: missing_in(&before, &now),
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
    /// Why it was left out; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What measured the likeness.
#[derive(Debug, Clone, Serialize)]
pub struct SearchModelPart {
    /// Its name; "features" before the first training.
    pub id: String,
    /// Kind of encoder.
    pub encoder: &'static str,
    /// Pictures it was trained on.
    pub trained_on: usize,
}

/// One picture found.
#[derive(Debug, Clone, Serialize)]
pub struct MatchPart {
    /// From 1.
    pub rank: usize,
    /// Relative to the inventory folder.
    pub path: String,
    /// The same from the root of the file system.
    pub absolute_path: String,
    /// By the metric.
    pub similarity: f32,
    /// Share of random inventory pairs that are less similar, 0 to 1.
    pub closer_than: f32,
    /// Cosine between the trunk's features of this picture and of the query picture nearest to it, -1 to 1: does not
    /// change with the model or the inventory. Absent where they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likeness: Option<f32>,
    /// Set when this is the query itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// Pictures that are nearly the same as this one and stand behind it (`collapse_duplicates`).
    pub duplicates: Vec<DuplicatePart>,
}

/// What a picture found is to the query, where it is the query itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// The same content, byte for byte.
    Identical,
    /// The same picture saved, resized or trimmed anew.
    NearDuplicate,
}

/// A picture that stands behind another.
#[derive(Debug, Clone, Serialize)]
pub struct DuplicatePart {
    /// Relative to the inventory folder.
    pub path: String,
    /// The same from the root of the file system.
    pub absolute_path: String,
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
    /// See `config/artificio.toml`.
    pub min_likeness: f32,
    /// See `config/artificio.toml`.
    pub collapse_duplicates: bool,
}

/// Milliseconds spent on each stage, by the clock.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timings {
    /// Reading and decoding the query.
    pub decode: f64,
    /// Its features and codes.
    pub encode: f64,
    /// Looking through the index.
    pub search: f64,
    /// Decoding the pictures found and drawing the sheet.
    pub sheet: f64,
    /// Everything from when a worker took the query up to the record.
    pub total: f64,
}

impl Record {
    /// The file's content.
    pub fn to_json(&self) -> Vec<u8> {
        // Numbers, texts and lists always have a JSON form, so this cannot fail; an empty record would still be whole.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}
