//! The engine inside this process: for tests of what nodes do with one another, and what any other engine is compared with.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Engine, EngineError, EngineGeneration, EngineRow, KeyPrefix, NearRequest, PictureKey};
use crate::config::Metric;
use crate::index::Index;
use crate::picture::Hash;

/// EngineGenerations in memory, over the index that a node searches its own pictures by.
#[derive(Debug, Default)]
pub struct EmbeddedEngine(Mutex<EngineGenerations>);

#[derive(Debug, Default)]
struct EngineGenerations {
    held: BTreeMap<String, Held>,
    serving: Option<String>,
}

#[derive(Debug)]
struct Held {
    width: usize,
    nodes: BTreeMap<String, NodeRows>,
    places: HashMap<PictureKey, (String, PathBuf)>,
}

/// The pictures of one node.
#[derive(Debug)]
struct NodeRows {
    index: Index,
    contents: HashMap<PathBuf, Hash>,
}

impl EmbeddedEngine {
    fn lock(&self) -> MutexGuard<'_, EngineGenerations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EngineGenerations {
    fn get(&self, name: &str) -> Result<&Held, EngineError> {
        self.held.get(name).ok_or_else(|| EngineError::NoGeneration(name.into()))
    }

    fn get_mut(&mut self, name: &str) -> Result<&mut Held, EngineError> {
        self.held.get_mut(name).ok_or_else(|| EngineError::NoGeneration(name.into()))
    }
}

impl Held {
    fn put(&mut self, row: &EngineRow) {
        let of_node = NodeRows { index: Index::empty(self.width), contents: HashMap::new() };
        let rows = self.nodes.entry(row.node.clone()).or_insert(of_node);
        rows.index.put(&row.path, &row.embedding);
        rows.index.set_date(&row.path, row.date);
        rows.contents.insert(row.path.clone(), row.content);
        self.places.insert(row.key(), (row.node.clone(), row.path.clone()));
    }

    fn remove(&mut self, key: PictureKey) {
        let Some((node, path)) = self.places.remove(&key) else { return };
        if let Some(rows) = self.nodes.get_mut(&node) {
            rows.index.remove([path.as_path()]);
            rows.contents.remove(&path);
        }
    }

    fn row(&self, node: &str, path: &Path) -> Option<EngineRow> {
        let rows = self.nodes.get(node)?;
        Some(EngineRow {
            node: node.into(),
            path: path.into(),
            content: *rows.contents.get(path)?,
            date: rows.index.date(path)?,
            embedding: rows.index.embedding(path)?,
        })
    }
}

impl Engine for EmbeddedEngine {
    fn version(&self) -> Result<String, EngineError> {
        Ok(format!("embedded {}", env!("CARGO_PKG_VERSION")))
    }

    fn serving(&self) -> Result<Option<String>, EngineError> {
        Ok(self.lock().serving.clone())
    }

    fn serve(&self, generation: &str) -> Result<(), EngineError> {
        let mut generations = self.lock();
        generations.get(generation)?;
        generations.serving = Some(generation.into());
        Ok(())
    }

    fn generations(&self) -> Result<Vec<String>, EngineError> {
        Ok(self.lock().held.keys().cloned().collect())
    }

    fn prepare(&self, generation: &EngineGeneration) -> Result<(), EngineError> {
        let EngineGeneration { name, width } = generation;
        let made = || Held { width: *width, nodes: BTreeMap::new(), places: HashMap::new() };
        let present = self.lock().held.entry(name.clone()).or_insert_with(made).width;
        match present == *width {
            true => Ok(()),
            false => Err(EngineError::OtherWidth { generation: name.clone(), present, expected: *width }),
        }
    }

    fn retire(&self, generation: &str) -> Result<(), EngineError> {
        let mut generations = self.lock();
        if generations.serving.as_deref() == Some(generation) {
            return Err(EngineError::Refused(format!("{generation} serves")));
        }
        generations.held.remove(generation);
        Ok(())
    }

    fn put(&self, generation: &str, rows: &[EngineRow]) -> Result<(), EngineError> {
        let mut generations = self.lock();
        let held = generations.get_mut(generation)?;
        if let Some(wrong) = rows.iter().find(|row| row.embedding.len() != held.width) {
            let (present, expected) = (held.width, wrong.embedding.len());
            return Err(EngineError::OtherWidth { generation: generation.into(), present, expected });
        }
        rows.iter().for_each(|row| held.put(row));
        Ok(())
    }

    fn remove(&self, generation: &str, keys: &[PictureKey]) -> Result<(), EngineError> {
        let mut generations = self.lock();
        let held = generations.get_mut(generation)?;
        keys.iter().for_each(|key| held.remove(*key));
        Ok(())
    }

    fn near(&self, generation: &str, request: &NearRequest<'_>) -> Result<Vec<EngineRow>, EngineError> {
        let generations = self.lock();
        let held = generations.get(generation)?;
        if request.members.width() != held.width {
            let (present, expected) = (held.width, request.members.width());
            return Err(EngineError::OtherWidth { generation: generation.into(), present, expected });
        }
        let others = held.nodes.iter().filter(|(node, _)| *node != request.asker);
        let mut near: Vec<(f32, &str, PathBuf)> = Vec::new();
        for (node, rows) in others {
            let found = rows.index.snapshot().nearest(request.members, Metric::Cosine, request.scope, request.count);
            near.extend(found.into_iter().map(|(path, similarity)| (similarity, node.as_str(), path)));
        }
        near.sort_by(|one, other| other.0.total_cmp(&one.0));
        near.truncate(request.count);
        Ok(near.into_iter().filter_map(|(_, node, path)| held.row(node, &path)).collect())
    }

    fn count(&self, generation: &str) -> Result<usize, EngineError> {
        Ok(self.lock().get(generation)?.places.len())
    }

    fn sample(&self, generation: &str, prefix: KeyPrefix) -> Result<Vec<EngineRow>, EngineError> {
        let generations = self.lock();
        let held = generations.get(generation)?;
        let places = held.places.iter().filter(|(key, _)| prefix.has(**key));
        Ok(places.filter_map(|(_, (node, path))| held.row(node, path)).collect())
    }

    fn keys(&self, generation: &str, node: &str, prefix: KeyPrefix) -> Result<Vec<(PictureKey, Hash)>, EngineError> {
        let generations = self.lock();
        let held = generations.get(generation)?;
        let contents = held.nodes.get(node).map(|rows| &rows.contents);
        let of_node = contents.into_iter().flatten().map(|(path, content)| (PictureKey::of(node, path), *content));
        let mut keys: Vec<(PictureKey, Hash)> = of_node.filter(|(key, _)| prefix.has(*key)).collect();
        keys.sort_unstable();
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::contract;

    #[test]
    fn it_keeps_the_contract() {
        contract::holds_for(&EmbeddedEngine::default());
    }
}
