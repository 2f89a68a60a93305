//! What is known at the moment of the engine and of the other nodes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::AnnouncedModel;
use super::exchange::{Exchange, Preparation};
use super::roster::NodeRecord;
use crate::catalog::ModelRow;
use crate::clock;
use crate::error::Trouble;

/// What is known at the moment. Shared by all threads.
#[derive(Debug, Default)]
pub struct NodesState(Mutex<KnownNodes>);

#[derive(Debug, Default)]
struct KnownNodes {
    /// Since when the engine cannot be reached, and why.
    away: Option<(Instant, String)>,
    version: String,
    /// The model whose generation is prepared, and what it is called.
    generation: Option<(String, String)>,
    is_published: bool,
    comparing: bool,
    sending: usize,
    others: BTreeMap<String, NodeRecord>,
    announced: Option<AnnouncedModel>,
    /// A model of this node's that all are to answer with, and is not in the shared folder yet.
    proposal: Option<ModelRow>,
    /// The last one that is there, until the loop has taken note.
    proposed: Option<ModelRow>,
    /// Whether the exchange under way is not to go on.
    is_withdrawn: bool,
    exchange: Option<Exchange>,
    preparation: Option<Preparation>,
    former: String,
    troubles: BTreeMap<&'static str, Trouble>,
    is_stopping: bool,
}

/// The engine, for `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineStatusPart {
    /// "milvus"
    pub kind: &'static str,
    /// Its address.
    pub url: String,
    /// With its kind, as it says; empty before it was reached.
    pub version: String,
    /// "ready", "comparing" or "away".
    pub state: &'static str,
    /// For how long it has been away.
    pub away_s: Option<u64>,
    /// What the model's embeddings are called in it; null before they are prepared.
    pub generation: Option<String>,
    /// Whether it has all pictures of this node.
    pub is_published: bool,
    /// Changed pictures of this node that it does not have yet, as far as they are known by name.
    pub pending: usize,
    /// All nodes that have said something, this one included.
    pub nodes: Vec<NodeStatusPart>,
    /// The last new model on its way to all nodes, as `exchange.json` in the shared folder has it; null before the first.
    pub exchange: Option<Exchange>,
}

/// A node, for `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeStatusPart {
    /// Its name.
    pub name: String,
    /// The model that it answers with.
    pub model: String,
    /// Its pictures.
    pub pictures: usize,
    /// Whether its pictures can all be found with the model that this node answers with.
    pub is_complete: bool,
    /// Whether it has said nothing lately.
    pub is_silent: bool,
}

impl NodesState {
    fn lock(&self) -> MutexGuard<'_, KnownNodes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine cannot be reached; returns for how long.
    pub fn is_away(&self, reason: &str) -> Duration {
        let mut known = self.lock();
        let (since, _) = *known.away.get_or_insert_with(|| (Instant::now(), reason.into()));
        since.elapsed()
    }

    /// The engine was reached.
    pub fn is_reached(&self) {
        self.lock().away = None;
    }

    /// For how long the engine cannot be reached, and why, if that is so.
    pub fn outage(&self) -> Option<(Duration, String)> {
        self.lock().away.as_ref().map(|(since, reason)| (since.elapsed(), reason.clone()))
    }

    /// So many changes are on their way.
    pub(super) fn set_sending(&self, count: usize) {
        self.lock().sending = count;
    }

    pub(super) fn sending(&self) -> usize {
        self.lock().sending
    }

    pub(super) fn set_version(&self, version: String) {
        self.lock().version = version;
    }

    pub(super) fn lacks_version(&self) -> bool {
        self.lock().version.is_empty()
    }

    pub(super) fn set_generation(&self, model: &str, generation: &str) {
        self.lock().generation = Some((model.into(), generation.into()));
    }

    /// What the embeddings of the model of that id are called, once that is prepared.
    pub fn generation_of(&self, model: &str) -> Option<String> {
        let known = self.lock();
        known.generation.as_ref().filter(|(of, _)| of == model).map(|(_, generation)| generation.clone())
    }

    pub(super) fn set_published(&self, is_published: bool) {
        self.lock().is_published = is_published;
    }

    pub(super) fn is_published(&self) -> bool {
        self.lock().is_published
    }

    pub(super) fn set_comparing(&self, comparing: bool) {
        self.lock().comparing = comparing;
    }

    pub(super) fn set_others(&self, others: BTreeMap<String, NodeRecord>) {
        self.lock().others = others;
    }

    pub(super) fn others(&self) -> BTreeMap<String, NodeRecord> {
        self.lock().others.clone()
    }

    /// How many pictures the nodes but for `own` have in a generation, and the names of those whose pictures are not all in it.
    pub fn others_in(&self, generation: &str, own: &str) -> (usize, Vec<String>) {
        let known = self.lock();
        let (complete, missing): (Vec<&NodeRecord>, Vec<&NodeRecord>) =
            known.others.values().filter(|node| node.name != own).partition(|node| node.has_all_in(generation));
        let pictures = complete.iter().map(|node| node.pictures).sum();
        (pictures, missing.into_iter().map(|node| node.name.clone()).collect())
    }

    pub(super) fn announce(&self, model: Option<AnnouncedModel>) {
        self.lock().announced = model;
    }

    /// The model that this node is to answer with instead of its own; it is told once.
    pub fn take_announced(&self) -> Option<AnnouncedModel> {
        self.lock().announced.take()
    }

    /// All nodes are to answer with this model of this node's.
    pub fn propose(&self, row: ModelRow) {
        let mut known = self.lock();
        (known.proposal, known.proposed, known.is_withdrawn) = (Some(row), None, false);
    }

    pub(super) fn proposal(&self) -> Option<ModelRow> {
        self.lock().proposal.clone()
    }

    /// What was proposed is in the shared folder.
    pub(super) fn proposal_is_there(&self, exchange: Exchange) {
        let mut known = self.lock();
        known.proposed = known.proposal.take();
        known.exchange = Some(exchange);
    }

    /// A proposed model that is in the shared folder; it is handed out once.
    pub fn take_proposed(&self) -> Option<ModelRow> {
        self.lock().proposed.take()
    }

    /// A model that is not in the shared folder yet is not to serve.
    pub fn drop_proposal(&self) {
        self.lock().proposal = None;
    }

    /// Another model serves: the exchange under way ends.
    pub fn withdraw(&self) {
        let mut known = self.lock();
        (known.proposal, known.is_withdrawn) = (None, true);
    }

    pub(super) fn take_withdrawn(&self) -> bool {
        std::mem::take(&mut self.lock().is_withdrawn)
    }

    pub(super) fn set_exchange(&self, exchange: Option<Exchange>) {
        self.lock().exchange = exchange;
    }

    /// The last exchange.
    pub fn exchange(&self) -> Option<Exchange> {
        self.lock().exchange.clone()
    }

    pub(super) fn set_preparation(&self, preparation: Option<Preparation>) {
        self.lock().preparation = preparation;
    }

    pub(super) fn preparation(&self) -> Option<Preparation> {
        self.lock().preparation.clone()
    }

    /// The generation before still has all pictures of this node; empty: none has.
    pub(super) fn set_former(&self, generation: &str) {
        self.lock().former = generation.into();
    }

    pub(super) fn former(&self) -> String {
        self.lock().former.clone()
    }

    pub(super) fn note(&self, about: &'static str, trouble: Option<Trouble>) {
        let mut known = self.lock();
        match trouble {
            Some(trouble) => _ = known.troubles.insert(about, trouble),
            None => _ = known.troubles.remove(about),
        }
    }

    /// What keeps this node from being one of many, by subject.
    pub fn trouble(&self, about: &str) -> Option<Trouble> {
        self.lock().troubles.get(about).cloned()
    }

    /// Ends the thread that keeps the engine's copy.
    pub fn stop(&self) {
        self.lock().is_stopping = true;
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Whether answers that lacked something of the engine may be whole by now.
    pub fn may_be_complete(&self, model: &str, own: &str) -> bool {
        let generation = self.generation_of(model);
        self.outage().is_none() && generation.is_some_and(|generation| self.others_in(&generation, own).1.is_empty())
    }

    /// For `status.json`; `pending` changes are not in the engine yet.
    pub fn part(&self, kind: &'static str, url: &str, pending: usize) -> EngineStatusPart {
        let known = self.lock();
        let now_s = clock::now_s();
        let generation = known.generation.as_ref().map(|(_, generation)| generation.clone());
        let node = |node: &NodeRecord| NodeStatusPart {
            name: node.name.clone(),
            model: node.model.clone(),
            pictures: node.pictures,
            is_complete: generation.as_ref().is_some_and(|generation| node.has_all_in(generation)),
            is_silent: node.is_silent(now_s),
        };
        EngineStatusPart {
            kind,
            url: url.into(),
            version: known.version.clone(),
            state: match (&known.away, known.comparing) {
                (Some(_), _) => "away",
                (None, true) => "comparing",
                (None, false) => "ready",
            },
            away_s: known.away.as_ref().map(|(since, _)| since.elapsed().as_secs()),
            nodes: known.others.values().map(node).collect(),
            is_published: known.is_published,
            exchange: known.exchange.clone(),
            pending,
            generation,
        }
    }
}
