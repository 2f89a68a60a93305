//! Redoes answers that may be out of date: those from before the inventory was complete and, if the settings say so, those
//! whose results would change.

use crate::catalog::Root;
use crate::config::Refresh;
use crate::daemon::Daemon;
use crate::watch::Tree;

impl Daemon {
    /// Enqueues the queries of answers that may be out of date, at intervals.
    pub(super) fn review_answers(&mut self) {
        let now = self.now();
        if self.queries.is_review_due(now) {
            self.complete_provisional_answers();
            self.refresh_answers();
        }
    }

    /// Redoes answers from before the inventory was complete, once it is.
    fn complete_provisional_answers(&mut self) {
        let inventory_is_changing = self.plan.awaited(Root::Inventory) > 0
            || self.missing_embeddings() > 0
            || self
                .tree(Root::Inventory)
                .is_none_or(|tree| tree.settling() > 0 || !tree.is_scanned() || tree.is_offline());
        let (model, is_empty) = {
            let serving = self.serving.read();
            (serving.model.id().to_string(), serving.index.is_empty())
        };
        let may_be_complete = self.workers.nodes().map_or(!is_empty, |nodes| nodes.may_be_complete(&model));
        if inventory_is_changing || !may_be_complete {
            return;
        }
        for query in self.queries.take_provisional() {
            if self.tree(Root::Query).is_some_and(|tree| tree.has_files(&query)) {
                self.enqueue_query(&query);
            }
        }
    }

    /// Enqueues the next query whose answer may have changed, if the settings say so and there is no other work.
    fn refresh_answers(&mut self) {
        let refresh = self.config().answer.refresh;
        if refresh == Refresh::Never || !self.is_idle() {
            return;
        }
        let state = {
            let serving = self.serving.read();
            // With `model` only another model counts.
            let generation = if refresh == Refresh::Inventory { serving.index.generation() } else { 0 };
            (serving.model.id().to_string(), generation)
        };
        let tree = self.folders.tree(Root::Query);
        let next = self.queries.next_recheck(state, |query| tree.is_some_and(|tree| tree.has_files(query)));
        if let Some(query) = next {
            self.enqueue_query(&query);
        }
    }

    /// Whether every folder was scanned and there is no work left.
    fn is_idle(&self) -> bool {
        let is_quiet = |tree: &Tree| tree.is_scanned() && tree.settling() == 0 && !tree.is_offline();
        self.queries.changed() == 0
            && Root::ALL.iter().all(|root| self.plan.pending(*root) == 0 && self.tree(*root).is_some_and(is_quiet))
    }
}
