//! Files that hints have named in folders whose scan has to wait: looked at alone, so that a picture dropped among a hundred
//! thousand is found as soon as one in an empty folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{COST_OF_A_FOLDER, Look, Tree};
use crate::files::FileAt;
use crate::watch::Observation;
use crate::watch::reconcile::FileComparison;

/// Of more at once the scan finds the rest.
const MOST: usize = 1_000;

/// Paths to look at, each once.
#[derive(Debug, Default)]
pub struct NamedFiles(BTreeSet<PathBuf>);

impl NamedFiles {
    /// A hint has named it.
    pub fn insert(&mut self, path: PathBuf) {
        if self.0.len() < MOST {
            self.0.insert(path);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Tree {
    /// Lets those that are new or changed settle. What is gone, or no file, is left to the scan.
    pub(super) fn look_at_named(&mut self, look: &mut Look<'_>) {
        while look.budget.is_left()
            && let Some(path) = self.named.0.pop_first()
        {
            look.budget.spend(COST_OF_A_FOLDER);
            if !self.mounts.is_above_away(&path) {
                self.look_at_file(&path, look);
            }
        }
    }

    fn look_at_file(&mut self, path: &Path, look: &mut Look<'_>) {
        let Ok(stamp) = FileAt::below(&self.root, path).stamp() else { return };
        if self.is_passed_over(path) {
            return;
        }
        let comparison = self.compare(path, &stamp);
        if comparison != FileComparison::Same {
            let seen = Observation { stamp, was_touched: true, is_news: comparison == FileComparison::Changed };
            let quiet = if self.whole.remove(path) { Duration::ZERO } else { look.quiet };
            self.settle.observe(path, seen, look.now, quiet);
        }
    }
}
