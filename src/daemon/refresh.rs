//! Answers that heal: what would be answered otherwise today is given anew, one at a time, when nothing else is to do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::catalog::Root;
use crate::config::Refresh;
use crate::daemon::Daemon;
use crate::watch::Tree;

/// Which past answers are to be looked at once more.
#[derive(Debug, Default)]
pub struct Rechecks {
    /// Model and state of the index for which all answers have been ordered.
    seen: Option<(String, u64)>,
    waiting: BTreeSet<PathBuf>,
    under_way: BTreeSet<PathBuf>,
}

impl Rechecks {
    /// Whether the job about to start for `query` is only to see if its answer would change.
    pub fn take(&mut self, query: &Path) -> bool {
        self.under_way.remove(query)
    }
}

impl Daemon {
    /// Orders the next answer that may have changed, if the settings say so and nothing else is to do.
    pub(in crate::daemon) fn refresh_answers(&mut self) {
        let refresh = self.config.answer.refresh;
        if refresh == Refresh::Never || !self.is_idle() {
            return;
        }
        let state = {
            let serving = self.serving.read();
            // With `model` only another model counts.
            let generation = if refresh == Refresh::Inventory { serving.index.generation() } else { 0 };
            (serving.model.id().to_string(), generation)
        };
        if self.rechecks.seen.as_ref() != Some(&state) {
            self.rechecks.seen = Some(state);
            let answered = self.answers.values().filter(|answer| answer.is_answered() && answer.status != "error");
            self.rechecks.waiting = answered.map(|answer| answer.query.clone()).collect();
        }
        while let Some(query) = self.rechecks.waiting.pop_first() {
            if self.tree(Root::Query).is_some_and(|tree| tree.has_files(&query)) {
                let now = self.now();
                self.plan.want(Root::Query, &query, None, now);
                self.rechecks.under_way.insert(query);
                return;
            }
        }
    }

    /// Whether every folder was looked at and everything in them is done.
    fn is_idle(&self) -> bool {
        let is_quiet = |tree: &Tree| tree.is_seen() && tree.settling() == 0 && !tree.is_offline();
        self.stirred.is_empty()
            && Root::ALL.iter().all(|root| self.plan.pending(*root) == 0 && self.tree(*root).is_some_and(is_quiet))
    }
}
