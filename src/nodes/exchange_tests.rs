//! A new model on its way to two nodes: whoever dies meanwhile, it serves on both, and no answer lacks pictures.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use artificio_random::Random;
use tempfile::TempDir;

use super::exchange::{self, ExchangeStage};
use super::tests::{TestNode, Unsteady, trained};
use super::{AnnouncedModel, generation_name};
use crate::base::rows::Rows;
use crate::catalog::{FileRow, FileState, ModelRow, Root};
use crate::config::Encoder;
use crate::engine::{Engine, KeyPrefix};
use crate::index::Index;
use crate::model::{Autoencoder, FeatureKind, LinearAutoencoder, Model};
use crate::serving::Serving;

/// A model of eight values.
fn model(id: &str) -> ModelRow {
    let kind = FeatureKind::of(Encoder::Pretrained);
    let mut random = Random::new(5);
    let values = (0..30 * kind.width).map(|_| random.between(0.0, 1.0)).collect();
    let fitted = LinearAutoencoder::fit(&Rows::from_values(kind.width, values).unwrap(), 8).unwrap();
    let weights = Autoencoder::Linear(Box::new(fitted)).to_safetensors();
    ModelRow { features_version: kind.version.to_string(), weights, ..trained(id, 0) }
}

fn generation(row: &ModelRow) -> String {
    generation_name(&row.id, &row.features_version, &row.weights)
}

impl TestNode {
    /// What the loop does with an announced model.
    fn adopt(&mut self) {
        let Some(AnnouncedModel { row: Some(row), .. }) = self.nodes.state().take_announced() else { return };
        if self.catalog.model(&row.id).unwrap().is_none() {
            self.catalog.reserve_model_number().unwrap();
            self.catalog.put_model(&row).unwrap();
        }
        self.catalog.make_current(Some(&row.id)).unwrap();
        let extractor = self.serving.extractor();
        let kind = extractor.kind();
        let model = Model::from_row(&row, &kind).unwrap().unwrap();
        let mut index = Index::empty(model.embedding_width());
        self.catalog
            .each_file(Root::Inventory, |FileRow { path, state, .. }| {
                let FileState::Read(content) = state else { panic!("all are read") };
                let features = self.catalog.features(content, &kind.version).unwrap().unwrap();
                let embedding = model.encode(&Rows::from_values(kind.width, features).unwrap());
                index.put(&path, embedding.values());
                index.set_date(&path, self.serving.read().index.date(&path).unwrap());
            })
            .unwrap();
        let mut serving = self.serving.write();
        index.take_over(&serving.index);
        *serving = Serving::new(extractor, model, index);
    }

    fn model(&self) -> String {
        self.serving.read().model.id().to_string()
    }
}

/// Two nodes that answer from one another's pictures.
fn pair() -> (TempDir, [TestNode; 2]) {
    let (shared, engine) = (tempfile::tempdir().unwrap(), Arc::new(Unsteady::default()));
    let mut nodes =
        [("a", true), ("b", false)].map(|(name, trains)| TestNode::new(name, trains, shared.path(), &engine));
    for (at, node) in nodes.iter().enumerate() {
        (0..3).for_each(|number| node.put(&format!("{number}.jpg"), 10 * at + number));
    }
    for _ in 0..2 {
        assert!(nodes.iter_mut().all(|node| node.turn()));
    }
    (shared, nodes)
}

fn stage(shared: &Path) -> Option<ExchangeStage> {
    exchange::read(shared).unwrap().map(|exchange| exchange.stage)
}

/// Turns of both; one of them dies after some turns. No answer lacks pictures meanwhile.
fn turns(nodes: &mut [TestNode; 2], killed: usize, after: usize) {
    for turn in 0..10 {
        for (at, node) in nodes.iter_mut().enumerate() {
            if (at, turn) == (killed, after) {
                node.die();
            }
            node.adopt();
            assert!(node.turn());
            let found = node.ask(1);
            assert!(found.engine.is_complete, "{} after {turn} turns: {:?}", node.nodes.name(), found.engine);
            assert_eq!(found.rows.len(), 3, "{}", node.nodes.name());
            let width = node.serving.read().index.width();
            assert!(found.rows.iter().all(|row| row.embedding.len() == width), "models are mixed");
        }
    }
}

#[test]
fn whoever_dies_at_whichever_step_both_answer_with_the_new_model() {
    let row = model("m1-a");
    for (killed, after) in (0..2).flat_map(|killed| (1..4).map(move |after| (killed, after))) {
        let (shared, mut nodes) = pair();
        assert!(nodes[0].nodes.has_others());
        nodes[0].nodes.state().propose(row.clone());
        turns(&mut nodes, killed, after);
        assert_eq!(nodes.each_ref().map(TestNode::model), ["m1-a", "m1-a"], "{killed} killed after {after}");
        assert_eq!(stage(shared.path()), Some(ExchangeStage::Done));
        let engine = &nodes[0].engine;
        assert_eq!(engine.serving().unwrap(), Some(generation(&row)));
        assert_eq!(engine.count(&generation(&row)).unwrap(), 6);
        assert!(nodes.iter().all(|node| node.nodes.state().preparation().is_none()));
    }
}

#[test]
fn it_is_refused_while_a_node_is_away_and_serves_when_that_is_back() {
    let (shared, [mut a, mut b]) = pair();
    a.publisher.exchange_patience = Duration::ZERO;
    let (row, former) = (model("m1-a"), a.engine.serving().unwrap());
    a.nodes.state().propose(row.clone());
    assert!(a.turn());
    assert_eq!(stage(shared.path()), Some(ExchangeStage::Preparing));
    assert_eq!(a.nodes.exchanged().map(|exchange| exchange.model), Some(row.id.clone()));
    assert_eq!(a.nodes.state().take_proposed(), Some(row.clone()));
    assert!(a.turn() && a.turn());
    let refused = exchange::read(shared.path()).unwrap().unwrap();
    assert_eq!((refused.stage, refused.missing.as_slice()), (ExchangeStage::Refused, &["b".to_string()][..]));
    assert_eq!(a.nodes.status().exchange, Some(refused));
    let trouble = a.nodes.state().trouble("exchange").unwrap();
    assert!(trouble.what.contains("model m1-a does not serve: node b"), "{trouble}");
    assert_eq!(a.nodes.exchanged(), None, "others may be trained");
    assert!(a.engine.serving().unwrap() == former && a.nodes.state().take_announced().is_none());
    a.die();
    assert!(a.turn() && b.turn() && a.turn());
    assert_eq!(stage(shared.path()), Some(ExchangeStage::Serving));
    assert!(a.nodes.state().trouble("exchange").is_none());
    let mut nodes = [a, b];
    turns(&mut nodes, 9, 0);
    assert_eq!(nodes.each_ref().map(TestNode::model), ["m1-a", "m1-a"]);
}

#[test]
fn what_comes_and_goes_meanwhile_does_so_under_both_names() {
    let (shared, [mut a, mut b]) = pair();
    let (row, former) = (model("m1-a"), a.engine.serving().unwrap().unwrap());
    a.nodes.state().propose(row.clone());
    assert!(a.turn() && b.turn());
    b.put("new.jpg", 50);
    b.remove("1.jpg");
    b.engine.is_away.store(true, Ordering::Relaxed);
    assert!(!b.turn());
    b.put("newer.jpg", 51);
    b.engine.is_away.store(false, Ordering::Relaxed);
    assert!(b.turn());
    b.put("newest.jpg", 52);
    assert!(b.turn());
    for name in [&former, &generation(&row)] {
        let there = b.engine.keys(name, "b", KeyPrefix::ALL).unwrap();
        assert_eq!(there.len(), 5, "{name}");
    }
    a.nodes.state().withdraw();
    assert!(a.turn() && b.turn());
    assert_eq!(stage(shared.path()), Some(ExchangeStage::Withdrawn));
    assert!(b.nodes.state().preparation().is_none());
    b.put("last.jpg", 53);
    assert!(b.turn());
    assert_eq!(b.engine.keys(&former, "b", KeyPrefix::ALL).unwrap().len(), 6);
    assert_eq!(b.engine.keys(&generation(&row), "b", KeyPrefix::ALL).unwrap().len(), 5);
}
