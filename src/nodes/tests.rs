//! Two nodes and the engine between them, step by step: without threads, and without a network.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::catalog::{Decision, FileRow, FileState, Root, TrainingSource};
use crate::clock::WallTime;
use crate::config::{Bounded, Encoder, ModelSettings};
use crate::engine::{EmbeddedEngine, EngineGeneration, KeyPrefix, PictureKey};
use crate::files::Stamp;
use crate::index::Index;
use crate::model::{Extractor, Model};
use crate::picture::Hash;
use crate::serving::{Serving, Shared};

/// Loading it takes longer than any of these tests.
static EXTRACTOR: OnceLock<Arc<Extractor>> = OnceLock::new();

/// An engine that can be away.
#[derive(Default)]
pub(super) struct Unsteady {
    engine: EmbeddedEngine,
    pub is_away: AtomicBool,
}

impl Unsteady {
    fn reached(&self) -> Result<&EmbeddedEngine, EngineError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(EngineError::Outage("pulled out".into())),
            false => Ok(&self.engine),
        }
    }
}

impl Engine for Unsteady {
    fn version(&self) -> Result<String, EngineError> {
        self.reached()?.version()
    }
    fn serving(&self) -> Result<Option<String>, EngineError> {
        self.reached()?.serving()
    }
    fn serve(&self, generation: &str) -> Result<(), EngineError> {
        self.reached()?.serve(generation)
    }
    fn generations(&self) -> Result<Vec<String>, EngineError> {
        self.reached()?.generations()
    }
    fn prepare(&self, generation: &EngineGeneration) -> Result<(), EngineError> {
        self.reached()?.prepare(generation)
    }
    fn retire(&self, generation: &str) -> Result<(), EngineError> {
        self.reached()?.retire(generation)
    }
    fn put(&self, generation: &str, rows: &[EngineRow]) -> Result<(), EngineError> {
        self.reached()?.put(generation, rows)
    }
    fn remove(&self, generation: &str, keys: &[PictureKey]) -> Result<(), EngineError> {
        self.reached()?.remove(generation, keys)
    }
    fn near(&self, generation: &str, request: &NearRequest<'_>) -> Result<Vec<EngineRow>, EngineError> {
        self.reached()?.near(generation, request)
    }
    fn count(&self, generation: &str) -> Result<usize, EngineError> {
        self.reached()?.count(generation)
    }
    fn sample(&self, generation: &str, prefix: KeyPrefix) -> Result<Vec<EngineRow>, EngineError> {
        self.reached()?.sample(generation, prefix)
    }
    fn keys(&self, generation: &str, node: &str, prefix: KeyPrefix) -> Result<Vec<(PictureKey, Hash)>, EngineError> {
        self.reached()?.keys(generation, node, prefix)
    }
}

/// A node without its loop: a catalog, an index, and what keeps the engine's copy of them.
pub(super) struct TestNode {
    _state: tempfile::TempDir,
    config: Config,
    pub engine: Arc<Unsteady>,
    pub catalog: Catalog,
    pub serving: Shared,
    pub nodes: Arc<Nodes>,
    pub publisher: Publisher,
}

impl TestNode {
    pub fn new(name: &str, trains: bool, shared: &Path, engine: &Arc<Unsteady>) -> Self {
        let state = tempfile::tempdir().unwrap();
        let node = NodeSettings { name: name.into(), shared: shared.into(), trains, ..NodeSettings::default() };
        let mut config = Config { node, ..Config::default() };
        config.index.patience_s = Bounded::new(0);
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let extractor = Arc::clone(EXTRACTOR.get_or_init(|| Arc::new(Extractor::load(Encoder::Pretrained).unwrap())));
        let model = Model::untrained(&ModelSettings::default(), extractor.kind());
        let index = Index::empty(model.embedding_width());
        let serving = Shared::new(Serving::new(extractor, model, index));
        let (nodes, publisher) = Self::publish(&config, engine, &serving, &catalog);
        Self { _state: state, config, engine: Arc::clone(engine), catalog, serving, nodes, publisher }
    }

    fn publish(
        config: &Config,
        engine: &Arc<Unsteady>,
        serving: &Shared,
        catalog: &Catalog,
    ) -> (Arc<Nodes>, Publisher) {
        let nodes = Arc::new(Nodes::with(Arc::clone(engine) as Arc<dyn Engine>, "embedded", config));
        serving.write().index.follow(Arc::clone(nodes.journal()));
        let mut publisher = Publisher::new(&nodes, serving, catalog.reader().unwrap());
        publisher.look_interval = Duration::ZERO;
        (nodes, publisher)
    }

    /// Of its process, only the catalog, and the index that is made of it, are there again.
    pub fn die(&mut self) {
        (self.nodes, self.publisher) = Self::publish(&self.config, &self.engine, &self.serving, &self.catalog);
    }

    pub fn put(&self, path: &str, number: usize) {
        let state = FileState::Read(Hash::of(&number.to_le_bytes()));
        let row = FileRow { path: path.into(), stamp: Stamp::NEVER, state };
        self.catalog.put_file(Root::Inventory, &row).unwrap();
        let kind = self.serving.extractor().kind();
        self.catalog
            .put_features(Hash::of(&number.to_le_bytes()), &kind.version, &embedding(number, kind.width))
            .unwrap();
        let mut serving = self.serving.write();
        let features = Rows::from_values(kind.width, embedding(number, kind.width)).unwrap();
        let embedding = match serving.model.is_trained() {
            true => serving.model.encode(&features).into_values(),
            false => embedding(number, serving.index.width()),
        };
        serving.index.put(Path::new(path), &embedding);
        serving.index.set_date(Path::new(path), WallTime::of_seconds(number as i64));
    }

    pub fn remove(&self, path: &str) {
        self.catalog.remove_file(Root::Inventory, Path::new(path)).unwrap();
        self.serving.write().index.remove([Path::new(path)]);
    }

    pub fn turn(&mut self) -> bool {
        self.publisher.turn()
    }

    pub fn ask(&self, number: usize) -> OthersFound {
        let (model, width) = {
            let serving = self.serving.read();
            (serving.model.id().to_string(), serving.index.width())
        };
        let members = Rows::from_values(width, embedding(number, width)).unwrap();
        self.nodes.near(&model, &members, &SearchScope::default(), 3)
    }

    pub fn found(&self, number: usize) -> Vec<String> {
        let mut paths: Vec<String> = self.ask(number).rows.iter().map(|row| row.path.display().to_string()).collect();
        paths.sort();
        paths
    }
}

fn embedding(number: usize, width: usize) -> Vec<f32> {
    (0..width).map(|at| ((at * (number + 1)) as f32 * 0.37).sin()).collect()
}

pub(super) fn trained(name: &str, weights: u8) -> ModelRow {
    ModelRow {
        id: name.into(),
        created_s: 1,
        encoder: Encoder::Pretrained.into(),
        features_version: "f".into(),
        trained_on: 30,
        source: TrainingSource::Inventory.into(),
        inventory_count: 0,
        reconstruction_error: 0.5,
        weights: vec![weights],
        decision: Decision::Passed,
        reason: String::new(),
        figures: "null".into(),
    }
}

#[test]
fn each_finds_what_the_other_has_and_no_more_of_what_is_gone() {
    let (shared, engine) = (tempfile::tempdir().unwrap(), Arc::new(Unsteady::default()));
    let mut a = TestNode::new("a", true, shared.path(), &engine);
    let mut b = TestNode::new("b", false, shared.path(), &engine);
    a.put("one.jpg", 1);
    b.put("one.jpg", 1);
    b.put("two.jpg", 2);
    assert!(!a.ask(1).engine.is_complete, "nothing is prepared yet");
    for _ in 0..2 {
        assert!(a.turn() && b.turn());
    }
    let of_b = a.ask(2);
    assert!(of_b.engine.is_complete && of_b.engine.pictures == 2, "{:?}", of_b.engine);
    assert!(of_b.rows.iter().all(|row| &*row.picture.node == "b"));
    assert_eq!((a.found(2), b.found(1)), (vec!["one.jpg".into(), "two.jpg".into()], vec!["one.jpg".to_string()]));
    b.remove("one.jpg");
    b.put("moved/three.jpg", 3);
    b.put("two.jpg", 4);
    assert!(b.turn());
    assert_eq!(a.found(3), ["moved/three.jpg", "two.jpg"]);
    let two = a.ask(4).rows.into_iter().find(|row| row.path == Path::new("two.jpg")).unwrap();
    assert_eq!(two.picture.content, Hash::of(&4_usize.to_le_bytes()).0, "the new content");
}

#[test]
fn an_outage_is_said_and_made_up_for() {
    let (shared, engine) = (tempfile::tempdir().unwrap(), Arc::new(Unsteady::default()));
    let mut a = TestNode::new("a", true, shared.path(), &engine);
    let mut b = TestNode::new("b", false, shared.path(), &engine);
    (0..20).for_each(|number| b.put(&format!("{number}.jpg"), number));
    for _ in 0..2 {
        assert!(a.turn() && b.turn());
    }
    engine.is_away.store(true, Ordering::Relaxed);
    (5..25).for_each(|number| b.put(&format!("{number}.jpg"), number + 1));
    (0..5).for_each(|number| b.remove(&format!("{number}.jpg")));
    assert!(!b.turn() && !b.turn());
    assert!(b.nodes.state().trouble("engine").unwrap().what.contains("pulled out"));
    assert_eq!(b.nodes.status().pending, 25, "20 that came or changed and 5 that went");
    let lacking = a.ask(7);
    assert!(!lacking.engine.is_complete && lacking.rows.is_empty());
    assert!(lacking.engine.problem.unwrap().contains("cannot be reached") && !a.nodes.may_be_complete("features"));
    // What is lost on the way is found by the comparison.
    let generation = engine.engine.generations().unwrap().remove(0);
    let stray = EngineRow {
        path: "never there.jpg".into(),
        ..engine.engine.sample(&generation, KeyPrefix::ALL).unwrap().remove(0)
    };
    engine.engine.put(&generation, &[stray]).unwrap();
    engine.is_away.store(false, Ordering::Relaxed);
    assert!(b.turn() && a.turn() && a.turn());
    assert_eq!(b.nodes.status().pending, 0);
    let mut keys = engine.keys(&generation, "b", KeyPrefix::ALL).unwrap();
    let mut own: Vec<_> = (5..25)
        .map(|number: usize| {
            let path = format!("{number}.jpg");
            (PictureKey::of("b", Path::new(&path)), Hash::of(&(number + 1).to_le_bytes()))
        })
        .collect();
    [&mut keys, &mut own].into_iter().for_each(|keys| keys.sort_unstable());
    assert_eq!(keys, own);
    assert!(b.nodes.state().trouble("engine").is_none() && a.nodes.may_be_complete("features"));
    assert!(a.ask(7).engine.is_complete);
}

#[test]
fn a_model_of_the_node_that_trains_is_announced_with_its_weights() {
    let (shared, engine) = (tempfile::tempdir().unwrap(), Arc::new(Unsteady::default()));
    let mut a = TestNode::new("a", true, shared.path(), &engine);
    let mut b = TestNode::new("b", false, shared.path(), &engine);
    a.put("one.jpg", 1);
    b.put("two.jpg", 2);
    for _ in 0..2 {
        assert!(a.turn() && b.turn());
    }
    assert_eq!(b.nodes.state().take_announced(), None, "both answer with the untrained model");
    let row = trained("m1-a", 7);
    shared_model::write(shared.path(), &row).unwrap();
    let name = generation_name(&row.id, &row.features_version, &row.weights);
    engine.prepare(&EngineGeneration { name: name.clone(), width: 8 }).unwrap();
    engine.serve(&name).unwrap();
    assert!(b.turn());
    assert_eq!(b.nodes.state().take_announced(), Some(AnnouncedModel { generation: name, row: Some(row) }));
    assert_eq!(b.nodes.state().take_announced(), None, "told once");
}

#[test]
fn a_node_that_is_not_there_yet_is_named() {
    let (shared, engine) = (tempfile::tempdir().unwrap(), Arc::new(Unsteady::default()));
    let mut a = TestNode::new("a", true, shared.path(), &engine);
    let mut b = TestNode::new("b", false, shared.path(), &engine);
    b.put("one.jpg", 1);
    assert!(b.turn() && a.turn() && b.turn() && a.turn());
    assert!(a.ask(1).engine.is_complete);
    let late =
        roster::NodeRecord { generation: "m9".into(), ..roster::read(shared.path()).unwrap().remove("b").unwrap() };
    std::fs::write(roster::folder(shared.path()).join("b.json"), serde_json::to_vec(&late).unwrap()).unwrap();
    assert!(a.turn());
    let lacking = a.ask(1).engine;
    assert_eq!((lacking.is_complete, lacking.missing.as_slice()), (false, &["b".to_string()][..]));
    let status = a.nodes.status();
    assert_eq!((status.state, status.nodes.len(), status.is_published), ("ready", 2, true));
    assert!(!status.nodes.iter().find(|node| node.name == "b").unwrap().is_complete);
}
