//! What is done by the clock, whatever the hints say.

use std::time::Duration;

use log::{info, warn};

use super::{Daemon, TICK, WATCHER_RETRY, requests};
use crate::catalog::Root;
use crate::config::WatchMode;
use crate::error::Trouble;
use crate::files::{make_folder, remove_own, write_quick};
use crate::watch::Tree;

/// Folders are looked through for changes without events at most one part in so many of the time.
const POLL_COST_FACTOR: u32 = 200;
/// Threads that were given up and still decode. Each may take a core and the memory of the largest picture, and nothing but
/// the end of the process ends them: with more of them it is better to start anew.
const MOST_GIVEN_UP: usize = 3;
/// A file of this name in the state folder says that the inventory was emptied on purpose.
pub const EMPTIED_ON_PURPOSE: &str = "inventory-emptied-on-purpose";

impl Daemon {
    pub(super) fn keep_time(&mut self) {
        let now = self.now();
        self.keep_pulse();
        self.give_up_overdue();
        self.retry_writing();
        self.note("gallery", self.gallery.trouble());
        self.note("trials", self.quarantine.trouble());
        self.drop_ownerless_codes();
        if self.config_seen.is_some() {
            self.reload_if_changed();
        }
        if now >= self.next_poll {
            let everything = self.config.watch.mode == WatchMode::Poll || self.pulse.is_lost(now);
            let cost: Duration = self.trees.values_mut().map(|tree| tree.mark_polled(now, everything)).sum();
            self.next_poll = now + Duration::from_secs(self.config.watch.poll_s.get()).max(cost * POLL_COST_FACTOR);
            self.reload_if_changed();
            self.believe_empty();
        }
        if now >= self.next_rescan {
            self.next_rescan = now + Duration::from_secs(self.config.watch.rescan_s.get());
            self.trees.values_mut().for_each(|tree| tree.mark_all(now));
            if self.plan.under_way() == 0 && self.training.is_none() {
                let dropped = self.catalog.drop_orphans();
                self.note("catalog", dropped.err());
            }
        }
    }

    /// The folder of the configuration is watched, so that editors' renames and exchanged links are seen, and that of
    /// the pulse. Before all others: there may be a limit.
    pub(super) fn watch_own_folders(&mut self) {
        let made = make_folder(self.pulse.folder());
        self.note("pulse", made.err());
        self.hints.arm(self.pulse.folder());
        let requests = requests::folder(&self.config.folders.state);
        let made = make_folder(&requests);
        self.note("requests", made.err());
        self.hints.arm(&requests);
        if let Some(folder) = self.setup.source.path.parent().filter(|folder| folder.is_dir()) {
            // Where it cannot be watched, the look at its stamp on the timer is enough.
            self.hints.arm(folder);
        }
    }

    /// Makes sure that hints come through; while they do not, everything is looked through regularly.
    fn keep_pulse(&mut self) {
        let now = self.now();
        if let Some(beat) = self.pulse.beat_due(now) {
            let written = write_quick(&beat, b"artificio hears this when events come through\n");
            self.note("pulse", written.err());
        }
        if !self.pulse.is_lost(now) {
            self.note("watcher", None);
            return;
        }
        let trouble = self.hints.trouble().cloned().unwrap_or_else(|| {
            let remedy = "nothing need be done: every folder is looked through regularly";
            Trouble::new(
                "the system tells nothing of changes in this folder's file system",
                self.pulse.folder(),
                remedy,
            )
        });
        self.note("watcher", Some(trouble));
        if now.saturating_sub(self.watcher_tried) >= WATCHER_RETRY {
            self.watcher_tried = now;
            self.hints.restart();
            self.watch_own_folders();
            self.trees.values_mut().for_each(|tree| tree.mark_all(now));
        }
    }

    /// Workers that have been decoding one picture for too long are replaced. Their jobs begin again and meet a suspect, so
    /// that its trial says whether it is set aside.
    fn give_up_overdue(&mut self) {
        let limit = Duration::from_millis(self.config.limits.max_decode_ms.get());
        let now = self.now();
        for (task, decoding) in self.workers.give_up_after(limit) {
            let path = decoding.path.display();
            let limit_ms = limit.as_millis();
            warn!(
                file:% = path;
                "{path}: decoding it takes longer than {limit_ms} ms; work goes on without it, and it is tried in a process of its own"
            );
            self.quarantine.give_up(&decoding);
            self.plan.start_over(&task, now);
        }
        let given_up = self.workers.given_up();
        if given_up > MOST_GIVEN_UP {
            self.fatal_reason = Some(format!(
                "{given_up} pictures are still being decoded long after their time, and take the processor from everything else: start again"
            ));
        }
    }

    /// The user may say that the inventory was emptied on purpose.
    fn believe_empty(&mut self) {
        let said = self.config.folders.state.join(EMPTIED_ON_PURPOSE);
        if !said.exists() {
            return;
        }
        if !self.tree(Root::Inventory).is_some_and(Tree::is_offline) {
            // It is back: what was said must not hold for the next time it is away.
            return self.note("emptied", remove_own(&said).err());
        }
        info!("the inventory was emptied on purpose: its pictures are forgotten");
        let now = self.now();
        if let Some(tree) = self.trees.get_mut(&Root::Inventory) {
            tree.accept_empty(now);
        }
        self.note("emptied", remove_own(&said).err());
        self.next_poll = now + TICK;
    }
}
