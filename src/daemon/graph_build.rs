//! Builds the k-NN graph of a large inventory on a thread of its own; until it is ready the service answers without it.

use std::sync::Weak;
use std::time::Instant;

use log::{debug, info};

use super::Daemon;
use crate::catalog::Root;
use crate::index::BuiltGraph;
use crate::progress::CancelledWhen;
use crate::threads;
use crate::training::job::run_when_idle;

/// Name of the thread.
pub const THREAD: &str = "graph";

/// A k-NN graph build has ended.
pub struct GraphBuilt {
    /// The serving state that it was built for.
    serving: Weak<()>,
    /// `None` when that state was replaced during the build.
    found: Option<BuiltGraph>,
}

impl Daemon {
    /// When all new pictures are read: finds their neighbours at once, or on a thread where that takes long.
    pub(super) fn consider_graph_build(&mut self) {
        if self.plan.awaited(Root::Inventory) > 0 {
            return;
        }
        if !self.serving.read().index.is_settled() {
            self.serving.write().index.settle();
        }
        let now = self.now();
        if !self.serving.may_build(now) || !self.serving.read().index.needs_graph_build() {
            return;
        }
        let mut serving = self.serving.write();
        let Some(build) = serving.index.graph_build() else { return };
        let (identity, sender) = (serving.identity(), self.channels.graph_sender.clone());
        drop(serving);
        debug!("finding the neighbours of all inventory pictures");
        let started = Instant::now();
        let work = move || {
            run_when_idle();
            let found = build.run(&CancelledWhen(|| identity.strong_count() == 0));
            debug!("neighbours found after {:.1} s", started.elapsed().as_secs_f64());
            // There is no receiver when the daemon is stopping; the next one builds the graph again.
            let _ = sender.send(GraphBuilt { serving: identity, found });
        };
        match threads::spawn(THREAD, self.channels.end_sender.clone(), work) {
            Ok(_) => self.serving.begin_build(),
            Err(trouble) => {
                self.serving.fail_build(now);
                self.note("graph", Some(trouble));
            }
        }
    }

    /// Takes in the graph, unless another model serves by now.
    pub(super) fn take_graph(&mut self, built: GraphBuilt) {
        self.serving.end_build();
        let mut serving = self.serving.write();
        if let Some(found) = built.found
            && built.serving.ptr_eq(&serving.identity())
        {
            serving.index.take_built_graph(found);
            let count = serving.index.len();
            drop(serving);
            self.note("graph", None);
            info!("the neighbours of {count} inventory pictures are known: answers take them into account");
        }
    }
}
