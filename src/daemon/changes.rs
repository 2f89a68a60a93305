//! Turns changes in the watched folders into jobs.

use std::path::{Path, PathBuf};

use log::{debug, info};

use super::Daemon;
use super::encode::EncodeJob;
use super::mounts;
use super::plan::Task;
use super::start::folder_of;
use super::workers::Job;
use crate::catalog::Root;
use crate::files::Stamp;
use crate::picture::Bounds;
use crate::query::{Query, QueryFiles};
use crate::watch::{Change, Tree};

impl Daemon {
    /// Looks at a part of the folders that are due and handles what changed.
    pub(super) fn look_at_folders(&mut self) {
        let (now, quiet) = (self.now(), self.settings.quiet());
        let mut removed = Vec::new();
        for (root, change) in self.folders.look(now, quiet) {
            match change {
                Change::Ready(path, stamp) => self.file_ready(root, &path, stamp),
                Change::Removed(path) => removed.push((root, path)),
                Change::Skipped(path, reason) => {
                    info!("{}: passed over, it is {reason}", self.absolute(root, &path).display());
                }
                Change::Eventless(path, kind) => {
                    let seconds = self.config().watch.poll_s.get();
                    let folder = self.absolute(root, &path);
                    info!(
                        "{}: {kind} may change without events; it is also scanned every {seconds} s",
                        folder.display()
                    );
                }
            }
        }
        self.files_removed(removed);
        if let Some(mounts) = self.folders.new_mounts() {
            let saved = mounts::save(&self.settings.config().folders.state, mounts);
            self.note("mounts", saved.err());
        }
    }

    pub(super) fn absolute(&self, root: Root, path: &Path) -> PathBuf {
        folder_of(self.config(), root).join(path)
    }

    fn file_ready(&mut self, root: Root, path: &Path, stamp: Stamp) {
        debug!("{} settled", self.absolute(root, path).display());
        match root {
            Root::Query => self.queries.mark_changed(unit_of(path)),
            Root::Inventory | Root::Training if self.pictures.is_known(root, path) => {
                self.plan.enqueue_known(root, path, stamp, self.life.now());
            }
            Root::Inventory | Root::Training => self.plan.enqueue(root, path, Some(stamp), self.life.now()),
        }
    }

    fn files_removed(&mut self, removed: Vec<(Root, PathBuf)>) {
        if removed.is_empty() {
            return;
        }
        self.remove_from_catalog(removed.clone());
        let of_inventory = removed.iter().filter(|(root, _)| *root == Root::Inventory);
        self.serving.write().index.remove(of_inventory.map(|(_, path)| path.as_path()));
        for (root, path) in removed {
            if root == Root::Inventory {
                self.training.inventory_changed(&path, None);
            }
            // It may have been the file that could not be read.
            self.note("reading", None);
            let was_known = self.pictures.forget(root, &path);
            self.plan.dequeue(root, &path);
            match root {
                Root::Query => self.queries.mark_changed(unit_of(&path)),
                Root::Inventory | Root::Training => self.training_pictures_changed(),
            }
            if was_known && root != Root::Query {
                info!("{} is gone", self.absolute(root, &path).display());
            }
        }
    }

    /// Removes files that are gone from the catalog, or holds them until that is possible: a training takes its pictures from there.
    fn remove_from_catalog(&mut self, removed: Vec<(Root, PathBuf)>) {
        let kept = self
            .store
            .catalog_mut()
            .together(|catalog| removed.iter().try_for_each(|(root, path)| catalog.remove_file(*root, path)));
        if kept.is_err() {
            let now = self.now();
            self.store.mark_failed(now);
            self.store.hold_removed(removed);
        }
        self.note("catalog", kept.err());
    }

    /// Removes the files that could not be removed from the catalog before, unless they are back.
    pub(super) fn remove_held(&mut self) {
        let mut removed = self.store.take_removed();
        removed.retain(|(root, path)| !self.tree(*root).is_some_and(|tree| tree.is_known_file(path)));
        if removed.is_empty() {
            return;
        }
        self.remove_from_catalog(removed.clone());
        for (_, path) in removed.iter().filter(|(root, _)| *root == Root::Inventory) {
            self.training.inventory_changed(path, None);
        }
    }

    /// Enqueues the changed queries whose files have all settled.
    pub(super) fn enqueue_settled_queries(&mut self) {
        let Some(tree) = self.folders.tree(Root::Query) else { return };
        if self.queries.changed() == 0 {
            return;
        }
        let (now, settled) = (self.life.now(), self.queries.take_settled(|query| tree.is_unsettled(query)));
        for query in settled {
            match tree.has_files(&query) {
                true => self.plan.enqueue(Root::Query, &query, None, now),
                false => {
                    self.plan.dequeue(Root::Query, &query);
                    self.queries.forget(&query);
                }
            }
        }
    }

    /// Hands the most urgent jobs to idle workers.
    pub(super) fn start_jobs(&mut self) {
        let settling = self.folders.settling_or_unseen(Root::Inventory);
        for (Task { root, path }, stamp) in self.plan.start(self.now(), settling) {
            let job = match (root, stamp) {
                (Root::Query, _) => Some(Job::Answer(Box::new(self.query_of(&path)))),
                (_, Some(stamp)) => Some(Job::Encode(EncodeJob {
                    root,
                    absolute: self.absolute(root, &path),
                    path: path.clone(),
                    stamp,
                    bounds: Bounds::from(&self.config().limits),
                })),
                (_, None) => None,
            };
            match job {
                Some(job) => self.workers.start_job(job),
                None => self.plan.ended(root, &path),
            }
        }
    }

    fn query_of(&mut self, query: &Path) -> Query {
        let (files, is_set, settling, inventory_away) = {
            let tree = self.tree(Root::Query);
            let is_set = tree.is_some_and(|tree| tree.is_folder(query));
            let files = match (tree, is_set) {
                (Some(tree), true) => QueryFiles::of_set(query, tree.known_below(query)),
                _ => QueryFiles::of_picture(query.to_path_buf()),
            };
            let inventory = self.tree(Root::Inventory);
            let settling = self.folders.settling_or_unseen(Root::Inventory);
            let away = inventory.into_iter().flat_map(Tree::away).map(Path::to_path_buf).collect();
            (files, is_set, settling, away)
        };
        let is_recheck = self.queries.take_recheck(query);
        self.recall_answer(query);
        let name = self.answer_name(query, is_set);
        let former = self.queries.answer(query).filter(|answer| !answer.is_provisional && answer.name == name);
        Query {
            path: query.to_path_buf(),
            files,
            is_set,
            answered: former.and_then(|answer| answer.content).filter(|_| !is_recheck),
            is_recheck,
            name,
            can_wait: self.pictures.can_wait(Root::Query, query),
            inventory_pending: self.plan.awaited(Root::Inventory) + settling,
            inventory_away,
            config: self.settings.config().clone(),
        }
    }

    /// The answer of a query that was away, or is new, is in the catalog if anywhere. One that cannot be read is made again.
    fn recall_answer(&mut self, query: &Path) {
        if self.queries.answer(query).is_none()
            && let Ok(Some(row)) = self.store.catalog().answer(query)
        {
            self.queries.restore_answer(row);
        }
    }

    /// The name of this query's answer.
    fn answer_name(&mut self, query: &Path, is_set: bool) -> String {
        let tree = self.folders.tree(Root::Query);
        // A query that is settling again is not a known file at the moment, but it exists.
        let is_live = |other: &Path| {
            tree.is_some_and(|tree| tree.is_known_file(other) || tree.is_folder(other) || tree.is_unsettled(other))
        };
        self.queries.name_for(query, is_set, is_live)
    }
}

/// The query a file in the query folder belongs to: itself, or the folder at the top.
fn unit_of(path: &Path) -> PathBuf {
    path.iter().take(1).collect()
}
