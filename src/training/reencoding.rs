//! Encodes the whole inventory with one model and builds the index of its embeddings, while the service runs.

use std::collections::HashMap;
use std::path::PathBuf;

use super::job::{Halt, TrainingEvent, TrainingJob};
use crate::catalog::Catalog;
use crate::index::Index;
use crate::model::Model;
use crate::picture::Hash;
use crate::progress::Progress;

use super::handle::{Stage, TrainingHandle};

/// Pictures a batch: their features are in memory together, and the loop writes their embeddings in one transaction of a
/// few milliseconds.
const BATCH: usize = 1_000;

/// The pictures to encode, the model, and where the embeddings go.
pub struct Reencoding<'a> {
    /// For reading.
    pub catalog: &'a Catalog,
    /// Encodes them.
    pub model: &'a Model,
    /// Paths below the inventory folder, and contents.
    pub paths: &'a HashMap<PathBuf, Hash>,
    /// To the loop.
    pub handle: &'a TrainingHandle,
    /// To the loop.
    pub(super) send: &'a dyn Fn(TrainingEvent) -> Result<(), Halt>,
}

impl Reencoding<'_> {
    /// Computes the embeddings that are not stored yet and sends them to be stored.
    pub(super) fn run(&self) -> Result<Index, Halt> {
        let mut paths_of: HashMap<Hash, Vec<&PathBuf>> = HashMap::new();
        for (path, hash) in self.paths {
            paths_of.entry(*hash).or_default().push(path);
        }
        let mut contents: Vec<Hash> = paths_of.keys().copied().collect();
        contents.sort_unstable();
        let mut index = Index::empty(self.model.embedding_width());
        for (at, batch) in contents.chunks(BATCH).enumerate() {
            if self.handle.is_cancelled() {
                return Err(Halt::Cancelled);
            }
            for (hash, embedding) in self.embeddings_of(batch)? {
                for path in paths_of.get(&hash).into_iter().flatten() {
                    index.put(path, &embedding);
                }
            }
            self.handle.set_share((at * BATCH) as f32 / contents.len() as f32);
        }
        Ok(index)
    }

    fn embeddings_of(&self, contents: &[Hash]) -> Result<Vec<(Hash, Vec<f32>)>, Halt> {
        let (mut embeddings, mut without) = (Vec::new(), Vec::new());
        for &hash in contents {
            match self
                .catalog
                .embedding(hash, self.model.id())?
                .filter(|embedding| embedding.len() == self.model.embedding_width())
            {
                Some(embedding) => embeddings.push((hash, embedding)),
                None => without.push(hash),
            }
        }
        let kind = self.model.features();
        let (found, features) = self.catalog.many_features(&without, kind.version, kind.width)?;
        let made = self.model.encode(&features);
        let made: Vec<(Hash, Vec<f32>)> = found.into_iter().zip(made.iter().map(<[f32]>::to_vec)).collect();
        // Without a trained model the embeddings are the features, which are stored already.
        if self.model.is_trained() && !made.is_empty() {
            (self.send)(TrainingEvent::Embeddings(made.clone()))?;
        }
        embeddings.extend(made);
        Ok(embeddings)
    }
}

impl TrainingJob {
    /// Encodes the whole inventory: the embeddings go to the loop, which stores them, and into an index.
    pub(super) fn encode_inventory(&self, catalog: &Catalog, model: &Model) -> Result<Index, Halt> {
        self.enter(Stage::Encoding)?;
        let paths = &self.input.paths;
        Reencoding { catalog, model, paths, handle: &self.handle, send: &|event| self.send(event) }.run()
    }
}
