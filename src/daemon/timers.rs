//! What is done by the clock, whatever the hints say.

use std::time::Duration;

use log::{info, warn};

use super::{Daemon, TICK, requests};
use crate::catalog::Root;
use crate::config::WatchMode;
use crate::files::{make_folder, remove_own, write_quick};
use crate::watch::Tree;

/// Threads that were given up and still decode. Each may take a core and the memory of the largest picture, and nothing but
/// the end of the process ends them: with more of them it is better to restart.
const MOST_GIVEN_UP: usize = 3;
/// A file of this name in the state folder says that the inventory was emptied on purpose.
pub const EMPTIED_ON_PURPOSE: &str = "inventory-emptied-on-purpose";

impl Daemon {
    /// The folder of the configuration is watched, so that editors' renames and exchanged links are seen, and that of
    /// the self-test. Before all others: there may be a limit.
    pub(super) fn watch_own_folders(&mut self) {
        let made = make_folder(self.folders.self_test_folder());
        self.note("pulse", made.err());
        let requests = requests::folder(&self.config().folders.state);
        let made = make_folder(&requests);
        self.note("requests", made.err());
        // Where it cannot be watched, the look at its stamp on the timer is enough.
        let of_config = self.settings.path().parent().filter(|folder| folder.is_dir());
        let own: Vec<_> = [Some(requests.as_path()), of_config].into_iter().flatten().collect();
        self.folders.watch_own(&own);
    }

    /// Makes sure that hints come through; while they do not, everything is looked through regularly.
    pub(super) fn test_watcher(&mut self) {
        let now = self.now();
        if let Some(file) = self.folders.file_to_touch(now) {
            let written = write_quick(&file, b"artificio hears this when events come through\n");
            self.note("pulse", written.err());
        }
        self.note("watcher", self.folders.watcher_trouble(now));
        if self.folders.restart_watcher(now) {
            self.watch_own_folders();
        }
    }

    /// Workers that have been decoding one picture for too long are replaced. Their jobs begin again and meet a suspect, so
    /// that its trial says whether it is set aside.
    pub(super) fn give_up_overdue_decodings(&mut self) {
        let limit = Duration::from_millis(self.config().limits.max_decode_ms.get());
        let now = self.now();
        for (task, decoding) in self.workers.give_up_after(limit) {
            let path = decoding.path.display();
            let limit_ms = limit.as_millis();
            warn!(
                file:% = path;
                "{path}: decoding it takes longer than {limit_ms} ms; work goes on without it, and it is tried in a process of its own"
            );
            self.workers.quarantine().give_up(&decoding);
            self.plan.start_over(&task, now);
        }
        let given_up = self.workers.given_up();
        if given_up > MOST_GIVEN_UP {
            self.life.fail(format!(
                "{given_up} pictures are still being decoded long after their time, and take the processor from everything else: start again"
            ));
        }
    }

    /// Has those folders looked through that may change without events.
    pub(super) fn poll_folders(&mut self) {
        let (now, watch) = (self.now(), &self.settings.config().watch);
        if self.folders.poll(now, watch, watch.mode == WatchMode::Poll) {
            self.reload_if_settled();
            self.believe_empty();
        }
    }

    /// Has all folders looked through, whatever the events say.
    pub(super) fn rescan_folders(&mut self) {
        let now = self.now();
        let is_due = self.folders.rescan(now, &self.settings.config().watch);
        if is_due && self.plan.under_way() == 0 && self.training.under_way().is_none() {
            let dropped = self.store.catalog().drop_orphans();
            self.note("catalog", dropped.err());
        }
    }

    /// The user may say that the inventory was emptied on purpose.
    fn believe_empty(&mut self) {
        let said = self.config().folders.state.join(EMPTIED_ON_PURPOSE);
        if !said.exists() {
            return;
        }
        if !self.tree(Root::Inventory).is_some_and(Tree::is_offline) {
            // It is back: what was said must not hold for the next time it is away.
            return self.note("emptied", remove_own(&said).err());
        }
        info!("the inventory was emptied on purpose: its pictures are forgotten");
        let now = self.now();
        self.folders.accept_empty(Root::Inventory, now, TICK);
        self.note("emptied", remove_own(&said).err());
    }
}
