//! Makes again what the catalog holds and is not as it was written, a few rows at a time.

use std::path::PathBuf;

use log::warn;

use super::Daemon;
use super::outcomes::stored_embedding;
use crate::catalog::{Catalog, ContentTable, DamagedRow, FILE_NAME, Root};
use crate::error::Trouble;
use crate::model::Model;

/// Rows repaired in one turn of the loop: a few milliseconds.
const ROWS_A_TURN: usize = 100;

impl Daemon {
    /// Deletes damaged rows that were found since the last turn. An embedding is computed from its features at once; for
    /// anything else its files are read again.
    pub(super) fn repair_rows(&mut self) {
        let now = self.now();
        if !self.store.may_try(now) {
            return;
        }
        let rows = self.store.catalog().take_damaged_rows(ROWS_A_TURN);
        if rows.is_empty() {
            return;
        }
        let serving = self.serving.clone();
        let repair = |catalog: &Catalog| {
            let mut files = Vec::new();
            for row in &rows {
                if catalog.delete_if_damaged(row)? {
                    files.extend(files_to_read(catalog, &serving.read().model, row)?);
                }
            }
            Ok(files)
        };
        match self.store.catalog_mut().together(repair) {
            Ok(files) => {
                files.iter().for_each(|(root, path)| self.recheck_file(*root, path));
                if self.store.mark_repaired() {
                    let remedy = "what is wrong is left out and made again; see whether the disk is healthy";
                    let path = self.config().folders.state.join(FILE_NAME);
                    warn!("{}", Trouble::new("some of what the catalog holds is not what was written", path, remedy));
                }
            }
            Err(trouble) => {
                self.store.catalog().put_damaged_rows(rows);
                self.store.mark_failed(now);
                self.note("catalog", Some(trouble));
            }
        }
    }
}

/// The files from which a deleted row is made again.
fn files_to_read(catalog: &Catalog, model: &Model, row: &DamagedRow) -> Result<Vec<(Root, PathBuf)>, Trouble> {
    let (table, content) = match row {
        DamagedRow::OfContent { table, content, .. } => (*table, *content),
        DamagedRow::File { root, path } => return Ok(vec![(*root, path.clone())]),
        // Its query is new to the service, which answers it.
        DamagedRow::Answer { .. } => return Ok(Vec::new()),
    };
    let mut files = Vec::new();
    for root in [Root::Inventory, Root::Training] {
        files.extend(catalog.files_with(root, content)?.into_iter().map(|path| (root, path)));
    }
    let is_searched = files.iter().any(|(root, _)| *root == Root::Inventory);
    let is_made =
        table == ContentTable::Embeddings && (!is_searched || stored_embedding(catalog, model, content)?.is_some());
    Ok(if is_made { Vec::new() } else { files })
}
