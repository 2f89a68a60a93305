//! A model on its way into force on all nodes: how far that is, in a file of the shared folder that all nodes and people can read.
//!
//! The node that trains writes the model beside it and prepares; each node puts its pictures under the new name while it still answers
//! with the model before, and says in its own file how far it is. When all have done so, the alias moves, and each node answers with the
//! new model. Whoever dies at any of these steps finds them in the files, and in the engine, when it is there again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::roster::NodeRecord;
use crate::clock;
use crate::error::Trouble;
use crate::files::{FileAt, write_whole};

/// Inside the shared folder.
const FILE: &str = "exchange.json";
/// A larger file is no exchange.
const LARGEST_BYTES: u64 = 1 << 20;

/// How far an exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExchangeStage {
    /// All nodes put their pictures under the new name.
    Preparing,
    /// A node did not go on: all keep the model before. When it has prepared after all, the new model serves.
    Refused,
    /// All have it: each answers with the new model as soon as it has taken it over.
    Serving,
    /// The node that trains answers with it.
    Done,
    /// Another model took its place.
    Withdrawn,
}

impl ExchangeStage {
    /// As in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Refused => "refused",
            Self::Serving => "serving",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The model's id.
    pub model: String,
    /// What its embeddings are called, and its files in `models/`.
    pub generation: String,
    /// How far it is.
    pub stage: ExchangeStage,
    /// Since when, in seconds since 1970.
    pub since_s: i64,
    /// The nodes that it waits for.
    pub missing: Vec<String>,
    /// Why it was refused; otherwise empty.
    pub reason: String,
}

/// What of a model that does not serve yet a node has put into the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparation {
    /// What its embeddings are called.
    pub generation: String,
    /// Pictures that are there.
    pub prepared: usize,
    /// Whether these are all of that node.
    pub is_complete: bool,
}

impl Exchange {
    /// A new one.
    pub fn preparing(model: &str, generation: &str) -> Self {
        let (model, generation) = (model.into(), generation.into());
        let stage = ExchangeStage::Preparing;
        Self { model, generation, stage, since_s: clock::now_s(), missing: Vec::new(), reason: String::new() }
    }

    /// Whether it waits for nodes. Those that it was refused because of may prepare it later.
    pub fn is_awaited(&self) -> bool {
        matches!(self.stage, ExchangeStage::Preparing | ExchangeStage::Refused)
    }

    /// Whether nodes that do not answer with it yet prepare it, or see that it is still prepared.
    pub fn is_prepared(&self) -> bool {
        self.stage != ExchangeStage::Withdrawn
    }

    /// Whether no other model is trained meanwhile.
    pub fn is_under_way(&self) -> bool {
        matches!(self.stage, ExchangeStage::Preparing | ExchangeStage::Serving)
    }

    /// The same at another stage.
    pub fn at(&self, stage: ExchangeStage, missing: Vec<String>, reason: String) -> Self {
        Self { stage, missing, reason, since_s: clock::now_s(), ..self.clone() }
    }

    /// Writes the file.
    pub fn write(&self, shared: &Path) -> Result<(), Trouble> {
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        write_whole(&path(shared), &text, "say how far the new model is")
    }
}

/// Where the file is.
pub fn path(shared: &Path) -> PathBuf {
    shared.join(FILE)
}

/// The last exchange; `None` where there was none, or the file is none.
///
/// # Errors
/// When the shared folder cannot be read.
pub fn read(shared: &Path) -> Result<Option<Exchange>, Trouble> {
    match FileAt::below(shared, Path::new(FILE)).read(LARGEST_BYTES) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(_) if shared.is_dir() && !path(shared).exists() => Ok(None),
        Err(problem) => {
            let remedy = "see that the folder `shared` in [node] is there, and can be read and written";
            Err(Trouble::new(format!("how far a new model is cannot be read: {problem}"), path(shared), remedy))
        }
    }
}

/// What becomes of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeVerdict {
    /// These nodes go on, and are not there yet.
    Waits(Vec<String>),
    /// All have it.
    Agreed,
    /// These nodes are not there yet, and one of them does not go on.
    Refused(Vec<String>, String),
}

/// Watches whether nodes go on.
#[derive(Debug, Default)]
pub struct ExchangeWatch(BTreeMap<String, (Option<Preparation>, Instant)>);

impl ExchangeWatch {
    /// Judges by what the nodes say at `now`. Those that compute other `features` are left out: neither finds the other's pictures. A
    /// node that did not move for `patience` does not go on.
    pub fn judge(
        &mut self,
        exchange: &Exchange,
        features: &str,
        nodes: &BTreeMap<String, NodeRecord>,
        (now, patience): (Instant, Duration),
    ) -> ExchangeVerdict {
        let mut missing = Vec::new();
        let mut reason = None;
        for node in nodes.values().filter(|node| node.features == features) {
            if node.has_all_in(&exchange.generation) {
                continue;
            }
            let reported = node.preparation.clone().filter(|part| part.generation == exchange.generation);
            let seen = self.0.entry(node.name.clone()).or_insert_with(|| (reported.clone(), now));
            if seen.0 != reported {
                *seen = (reported.clone(), now);
            }
            if now.duration_since(seen.1) >= patience && reason.is_none() {
                reason = Some(why_not(node, reported.as_ref()));
            }
            missing.push(node.name.clone());
        }
        match reason {
            _ if missing.is_empty() => ExchangeVerdict::Agreed,
            None => ExchangeVerdict::Waits(missing),
            Some(reason) => ExchangeVerdict::Refused(missing, reason),
        }
    }
}

/// Why a node does not go on, as far as it says.
fn why_not(node: &NodeRecord, reported: Option<&Preparation>) -> String {
    let NodeRecord { name, problem, pictures, .. } = node;
    match reported {
        _ if node.is_silent(clock::now_s()) => {
            format!("node {name} has said nothing since {}", clock::local_text(node.written_s))
        }
        _ if !problem.is_empty() => format!("node {name} says: {problem}"),
        None => format!("node {name} has not begun to prepare it"),
        Some(part) => format!("node {name} has prepared {} of {pictures} pictures and does not go on", part.prepared),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::roster::tests::record;

    const GENERATION: &str = "m2_x";

    fn part(prepared: usize, is_complete: bool) -> Option<Preparation> {
        Some(Preparation { generation: GENERATION.into(), prepared, is_complete })
    }

    #[test]
    fn it_waits_for_whoever_goes_on_and_for_nobody_else() {
        let mut watch = ExchangeWatch::default();
        let exchange = Exchange::preparing("m2", GENERATION);
        let (start, patience) = (Instant::now(), Duration::from_secs(60));
        let mut judge = |seconds: u64, preparations: [Option<Preparation>; 2]| {
            let [of_a, of_b] = preparations;
            let now_s = clock::now_s();
            let a = NodeRecord { preparation: of_a, written_s: now_s, ..record("a", "1") };
            let b = NodeRecord { preparation: of_b, written_s: now_s, ..record("b", "2") };
            let foreign = NodeRecord { features: "f2".into(), ..record("c", "3") };
            let nodes = [a, b, foreign].map(|node| (node.name.clone(), node)).into();
            watch.judge(&exchange, "f", &nodes, (start + Duration::from_secs(seconds), patience))
        };
        let waits = |names: &[&str]| ExchangeVerdict::Waits(names.iter().map(ToString::to_string).collect());
        assert_eq!(judge(0, [None, None]), waits(&["a", "b"]));
        assert_eq!(judge(50, [part(5, true), part(1, false)]), waits(&["b"]));
        assert_eq!(judge(100, [part(5, true), part(2, false)]), waits(&["b"]), "it goes on");
        let stuck = "node b has prepared 2 of 5 pictures and does not go on".to_string();
        assert_eq!(judge(160, [part(5, true), part(2, false)]), ExchangeVerdict::Refused(vec!["b".into()], stuck));
        assert_eq!(judge(170, [part(5, true), part(5, true)]), ExchangeVerdict::Agreed);
    }

    #[test]
    fn the_reason_is_what_a_person_needs() {
        let now_s = clock::now_s();
        let node = NodeRecord { written_s: now_s, ..record("b", "2") };
        assert_eq!(why_not(&node, None), "node b has not begun to prepare it");
        let silent = NodeRecord { written_s: now_s - 100, ..node.clone() };
        assert!(why_not(&silent, None).starts_with("node b has said nothing since "));
        let away = NodeRecord { problem: "the engine is away".into(), ..node };
        assert_eq!(why_not(&away, None), "node b says: the engine is away");
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let shared = tempfile::tempdir().unwrap();
        assert_eq!(read(shared.path()).unwrap(), None);
        let exchange = Exchange::preparing("m2", GENERATION).at(ExchangeStage::Refused, vec!["b".into()], "x".into());
        exchange.write(shared.path()).unwrap();
        assert_eq!(read(shared.path()).unwrap(), Some(exchange));
        assert!(read(&shared.path().join("missing")).is_err());
        std::fs::write(path(shared.path()), "{}").unwrap();
        assert_eq!(read(shared.path()).unwrap(), None);
    }
}
