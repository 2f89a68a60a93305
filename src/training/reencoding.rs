//! Encodes the whole inventory with one model and builds the index of its embeddings, while the service runs.

use std::collections::HashMap;

use super::handle::{InventoryChange, Stage, TrainingHandle};
use super::job::{Halt, TrainingEvent, TrainingJob};
use crate::base::parallel;
use crate::base::rows::Rows;
use crate::catalog::{Catalog, Root};
use crate::error::Trouble;
use crate::index::Index;
use crate::model::Model;
use crate::picture::Hash;
use crate::progress::Progress;

/// Contents a page: their features are in memory together, and the loop writes their embeddings in one transaction of a few
/// milliseconds.
const PAGE: usize = 1_000;
/// With no more changes than this to catch up with, the loop does the rest when it exchanges the models.
const FEW_CHANGES: usize = 100;

/// Contents with their embeddings.
pub type EmbeddedContents = Vec<(Hash, Vec<f32>)>;

/// The model, and where the embeddings go.
pub struct Reencoding<'a> {
    /// For reading.
    pub catalog: &'a Catalog,
    /// Encodes all pictures.
    pub model: &'a Model,
    /// Whether the catalog may have embeddings of this model, which served before.
    pub has_served: bool,
    /// About how many contents there are; 0 where nobody asks for the progress.
    pub expected: usize,
    /// To the loop.
    pub handle: &'a TrainingHandle,
    /// To the loop.
    pub(super) send: &'a dyn Fn(TrainingEvent) -> Result<(), Halt>,
}

impl Reencoding<'_> {
    /// Computes all embeddings in one pass over the features, and sends those to be stored that are not.
    ///
    /// The catalog is read page by page, as it is at the moment, and what changed meanwhile is caught up with after each: a long
    /// transaction would keep SQLite from reusing its journal.
    pub(super) fn run(&self) -> Result<Index, Halt> {
        let kind = self.model.features();
        let mut index = Index::empty(self.model.embedding_width());
        self.handle.follow_changes();
        let (mut end, mut done) = (None, 0);
        loop {
            self.check()?;
            let page = self.catalog.next_features(end, &kind.version, kind.width, PAGE)?;
            end = page.end;
            if end.is_none() {
                break;
            }
            done += page.contents.len();
            self.take_page(&page.contents, &page.features, &mut index)?;
            self.catch_up(&mut index)?;
            self.handle.set_share(done as f32 / self.expected.max(1) as f32);
        }
        while self.catch_up(&mut index)? > FEW_CHANGES {
            self.check()?;
        }
        Ok(index)
    }

    /// Encodes the contents of a page that inventory pictures have; others are of training pictures.
    fn take_page(&self, contents: &[Hash], features: &Rows, index: &mut Index) -> Result<(), Halt> {
        let (mut pictures, mut searched) = (Vec::new(), Rows::empty(features.width()));
        for (hash, row) in contents.iter().zip(features.iter()) {
            let paths = self.catalog.files_with(Root::Inventory, *hash)?;
            if !paths.is_empty() {
                pictures.push((*hash, paths));
                searched.push(row);
            }
        }
        let embeddings = encode_on_all_cores(self.model, &searched);
        let mut new = Vec::new();
        for ((hash, paths), embedding) in pictures.iter().zip(embeddings.iter()) {
            for path in paths {
                index.put(path, embedding);
                index.set_date(path, self.catalog.date_of(Root::Inventory, path)?);
            }
            if !self.has_served || self.catalog.embedding(*hash, self.model.id())?.is_none() {
                new.push((*hash, embedding.to_vec()));
            }
        }
        self.store(new)
    }

    /// Takes over what changed since the last time; returns how much that was.
    fn catch_up(&self, index: &mut Index) -> Result<usize, Halt> {
        let changes = self.handle.take_changes();
        for some in changes.chunks(PAGE) {
            self.store(apply_changes(self.catalog, self.model, index, some)?)?;
        }
        Ok(changes.len())
    }

    fn store(&self, embeddings: EmbeddedContents) -> Result<(), Halt> {
        // Without a trained model the embeddings are the features, which are stored already.
        if self.model.is_trained() && !embeddings.is_empty() {
            (self.send)(TrainingEvent::Embeddings(embeddings))?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Halt> {
        if self.handle.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }
}

impl TrainingJob {
    /// Encodes the whole inventory: the embeddings go to the loop, which stores them, and into an index.
    pub(super) fn encode_inventory(&self, catalog: &Catalog, model: &Model) -> Result<Index, Halt> {
        self.enter(Stage::Encoding)?;
        let expected = self.input.inventory.count();
        let (handle, send) = (&*self.handle, &|event| self.send(event));
        Reencoding { catalog, model, has_served: false, expected, handle, send }.run()
    }
}

/// Makes an index what it is after `changes`, in their order; returns the embeddings that this took, to be stored.
pub fn apply_changes(
    catalog: &Catalog,
    model: &Model,
    index: &mut Index,
    changes: &[InventoryChange],
) -> Result<EmbeddedContents, Trouble> {
    let contents: Vec<Hash> = changes.iter().filter_map(|(_, content)| *content).collect();
    let kind = model.features();
    let (found, features) = catalog.many_features(&contents, &kind.version, kind.width)?;
    let embeddings = model.encode(&features);
    let embeddings: HashMap<Hash, &[f32]> = found.into_iter().zip(embeddings.iter()).collect();
    for (path, content) in changes {
        match content.and_then(|content| embeddings.get(&content)) {
            Some(embedding) => {
                index.put(path, embedding);
                index.set_date(path, catalog.date_of(Root::Inventory, path)?);
            }
            None => index.remove([path.as_path()]),
        }
    }
    Ok(embeddings.into_iter().map(|(hash, embedding)| (hash, embedding.to_vec())).collect())
}

/// As [`Model::encode`]: each core takes some of the rows. The threads have the low priority of the one that starts them.
fn encode_on_all_cores(model: &Model, features: &Rows) -> Rows {
    let (cores, width) = (parallel::cores(), features.width());
    let share = features.len().div_ceil(cores).max(1) * width;
    let shares: Vec<&[f32]> = features.values().chunks(share).collect();
    let encoded = parallel::map(shares.len(), |at| {
        Rows::from_values(width, shares[at].to_vec()).map(|rows| model.encode(&rows).into_values()).unwrap_or_default()
    });
    Rows::from_values(model.embedding_width(), encoded.concat()).unwrap_or_else(|| Rows::empty(model.embedding_width()))
}

#[cfg(test)]
#[path = "reencoding_tests.rs"]
mod tests;
