//! Loads the distinct contents of the inventory, each with its files and with what near-duplicates are found by.

use std::collections::HashMap;
use std::path::PathBuf;

use super::collection::{catalog, nothing_read};
use crate::base::rows::{Rows, to_unit_length};
use crate::catalog::{FileState, Root};
use crate::config::{Config, Encoder};
use crate::error::Fatal;
use crate::model::{Backbone, FeatureKind};
use crate::picture::{Hash, Miniature};

/// The contents in the order of their first paths; position `i` of each list belongs to the same content.
#[derive(Default)]
pub struct InventoryContents {
    /// Where each lies, relative to the inventory folder, in order.
    pub paths: Vec<Vec<PathBuf>>,
    /// What they look like.
    pub miniatures: Vec<Miniature>,
    /// The backbone's features at unit length, `[n, 1280]`; no rows where another encoder serves.
    pub features: Rows,
    /// Files that have not been read so far.
    pub waiting: usize,
}

impl InventoryContents {
    /// Reads them from the catalog in the configured state folder; also while a daemon uses it. Fails when there are none.
    pub fn read(config: &Config) -> Result<Self, Fatal> {
        let catalog = catalog(config)?;
        let kind = FeatureKind::of(config.model.encoder);
        let is_pretrained = config.model.encoder == Encoder::Pretrained;
        let mut miniatures = catalog.miniatures()?;
        let mut contents = Self { features: Rows::empty(Backbone::WIDTH), ..Self::default() };
        let mut known: HashMap<Hash, usize> = HashMap::new();
        for file in catalog.files(Root::Inventory)? {
            let FileState::Read(hash) = file.state else { continue };
            if let Some(&at) = known.get(&hash) {
                contents.paths[at].push(file.path);
                continue;
            }
            let features = if is_pretrained { catalog.features(hash, kind.version)? } else { None };
            let is_read = !is_pretrained || features.as_ref().is_some_and(|row| row.len() == Backbone::WIDTH);
            let Some(miniature) = miniatures.remove(&hash).filter(|_| is_read) else {
                contents.waiting += 1;
                continue;
            };
            if let Some(mut row) = features {
                to_unit_length(&mut row);
                contents.features.push(&row);
            }
            known.insert(hash, contents.paths.len());
            contents.paths.push(vec![file.path]);
            contents.miniatures.push(miniature);
        }
        if contents.paths.is_empty() { Err(nothing_read(&config.folders.inventory)) } else { Ok(contents) }
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.paths.iter().map(Vec::len).sum()
    }
}
