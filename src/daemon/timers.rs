//! Work done at fixed intervals: the watcher's self-test, overdue decodings, polling, full scans.

use std::time::Duration;

use log::{info, warn};

use super::{Daemon, TICK, requests};
use crate::catalog::Root;
use crate::config::WatchMode;
use crate::files::{make_private_folder, remove_own, write_quick};
use crate::picture::{CrashCause, Unusable};
use crate::watch::Tree;

/// Most abandoned threads that still decode. Each may take a core and the memory of the largest picture, and only the end of
/// the process ends them: with more of them it is better to restart.
const MOST_ABANDONED: usize = 3;
/// A file of this name in the state folder states that the inventory was emptied on purpose.
pub const EMPTIED_ON_PURPOSE: &str = "inventory-emptied-on-purpose";

impl Daemon {
    /// Watches the folder of the configuration, so that renames by editors and replaced links are noticed, that of the
    /// answers, whose page follows when they are removed, and that of the self-test. They come before all others, because the system may limit the number of watches.
    pub(super) fn watch_own_folders(&mut self) {
        let requests = requests::folder(&self.config().folders.state);
        // Not while the state folder is away: it is to find its place free when it comes back.
        if self.reporting.trouble("state").is_none() {
            let made = make_private_folder(self.folders.self_test_folder());
            self.note("pulse", made.err());
            let made = make_private_folder(&requests);
            self.note("requests", made.err());
        }
        // If it cannot be watched, the regular check of its stamp is enough.
        let of_config = self.settings.path().parent().filter(|folder| folder.is_dir());
        let answers = Some(self.settings.config().folders.answer.as_path());
        let own: Vec<_> = [Some(requests.as_path()), of_config, answers].into_iter().flatten().collect();
        self.folders.watch_own(&own);
    }

    /// Tests that hints arrive; while they do not, all folders are scanned regularly.
    pub(super) fn test_watcher(&mut self) {
        let now = self.now();
        if let Some(file) = self.folders.file_to_touch(now) {
            let written = write_quick(&file, b"artificio notices this write when events arrive\n");
            if written.is_err() {
                self.folders.not_touched(now);
                // Its folder may be missing, and another one have taken the place of the one that is watched.
                self.watch_own_folders();
            }
            self.note("pulse", written.err());
        }
        self.note("watcher", self.folders.watcher_trouble(now));
        if self.folders.restart_watcher(now) {
            self.watch_own_folders();
        }
    }

    /// Abandons workers that have been decoding one picture for too long. Their jobs are enqueued again; the picture is a suspect
    /// by then, and its trial decides whether it is set aside.
    pub(super) fn abandon_overdue_decodings(&mut self) {
        let limit = Duration::from_millis(self.config().limits.max_decode_ms.get());
        for (task, decoding) in self.workers.abandon_after(limit) {
            let path = decoding.path.display();
            let limit_ms = limit.as_millis();
            warn!(
                file:% = path;
                "{path}: decoding it takes longer than {limit_ms} ms; work goes on without it, and it is tried in a process of its own"
            );
            let cause = CrashCause::Time { limit_ms: u64::try_from(limit_ms).unwrap_or(u64::MAX) };
            self.retry_or_fail(&task, Some(decoding), Unusable::SetAside(cause));
        }
        let abandoned = self.workers.abandoned();
        if abandoned > MOST_ABANDONED {
            self.life.fail(format!(
                "{abandoned} pictures are still being decoded long after their time, and slow everything else down: restart artificio"
            ));
        }
    }

    /// Scans the folders that may change without events.
    pub(super) fn poll_folders(&mut self) {
        let (now, watch) = (self.now(), &self.settings.config().watch);
        if self.folders.poll(now, watch, watch.mode == WatchMode::Poll) {
            self.reload_if_settled();
            self.forget_emptied_inventory();
        }
    }

    /// Scans all folders, in case events were missed.
    pub(super) fn rescan_folders(&mut self) {
        let now = self.now();
        if self.folders.rescan(now, &self.settings.config().watch) {
            self.reporting.gallery().hint_all();
        }
    }

    /// Forgets the pictures of an empty inventory, or of disks that are away, when the user states that this is on purpose.
    fn forget_emptied_inventory(&mut self) {
        let marker = self.config().folders.state.join(EMPTIED_ON_PURPOSE);
        if !marker.exists() {
            return self.note("emptied", None);
        }
        let is_away = |root: &Root| self.tree(*root).is_some_and(Tree::is_offline);
        let away: Vec<Root> = [Root::Inventory, Root::Training].into_iter().filter(is_away).collect();
        // If all is back, the statement must not apply the next time something is away.
        let now = self.now();
        for root in away {
            info!("the {} was emptied on purpose: its pictures are forgotten", root.name());
            self.folders.accept_empty(root, now, TICK);
        }
        self.note("emptied", remove_own(&marker).err());
    }
}
