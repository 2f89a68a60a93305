//! Turns changes in the watched folders into jobs.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use log::{debug, info};

use super::Daemon;
use super::encode::EncodeJob;
use super::mounts;
use super::plan::{JobKind, QueryOrigin, Task};
use super::start::folder_of;
use super::workers::Job;
use crate::answer::ThumbnailStore;
use crate::catalog::Root;
use crate::config::SearchScope;
use crate::files::Stamp;
use crate::picture::Bounds;
use crate::query::{Query, QueryFiles};
use crate::watch::{Change, Tree};

/// A set of more pictures is a large one, which takes seconds: single pictures and small sets do not wait for it.
const LARGE_SET: usize = 30;

impl Daemon {
    /// Looks at a part of the folders that are due and handles what changed.
    pub(super) fn look_at_folders(&mut self) {
        let (now, quiet) = (self.now(), self.settings.quiet());
        let mut removed = Vec::new();
        for (root, change) in self.folders.look(now, quiet) {
            match change {
                Change::Ready(path, stamp) => self.file_ready(root, &path, stamp, JobKind::Known),
                Change::Touched(path, stamp) => self.file_ready(root, &path, stamp, JobKind::Touched),
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
        if let Some(mounts) = self.folders.unsaved_mounts(now) {
            let saved = mounts::save(&self.settings.config().folders.state, &mounts);
            if saved.is_ok() {
                self.folders.mounts_are_saved(mounts);
            }
            self.note("mounts", saved.err());
        }
    }

    pub(super) fn absolute(&self, root: Root, path: &Path) -> PathBuf {
        folder_of(self.config(), root).join(path)
    }

    /// `if_known`: what a picture that was read before is read again for.
    fn file_ready(&mut self, root: Root, path: &Path, stamp: Stamp, if_known: JobKind) {
        debug!("{} settled", self.absolute(root, path).display());
        match root {
            // Its content is the same, and its answer was removed because of its age.
            Root::Query if if_known == JobKind::Touched && self.queries.is_expired(&unit_of(path)) => {}
            Root::Query => {
                self.queries.renew(&unit_of(path));
                self.queries.mark_changed(unit_of(path));
            }
            Root::Inventory | Root::Training => {
                let kind = if self.pictures.is_known(root, path) { if_known } else { JobKind::New };
                self.plan.enqueue_picture(root, path, stamp, kind, self.life.now());
            }
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
        match kept {
            Ok(()) => self.catalog_works(),
            Err(refusal) => self.hold_removed(removed, refusal),
        }
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

    /// Enqueues the changed queries whose files have all settled, and those whose answers are to be written again.
    pub(super) fn enqueue_settled_queries(&mut self) {
        let Some(tree) = self.folders.tree(Root::Query) else { return };
        let now = self.life.now();
        let again = self.queries.postponed().take_due(now);
        let settled = self.queries.take_settled(|query| tree.is_unsettled(query));
        for query in again.into_iter().chain(settled) {
            if self.tree(Root::Query).is_some_and(|tree| tree.has_files(&query)) {
                self.enqueue_query(&query);
            } else {
                self.plan.dequeue(Root::Query, &query);
                self.queries.forget(&query);
            }
        }
    }

    /// Enqueues a query, in turn with those of others.
    pub(super) fn enqueue_query(&mut self, query: &Path) {
        // Not known where it has just been removed: then there is nothing to answer.
        let owner = std::fs::symlink_metadata(self.absolute(Root::Query, query)).map_or(0, |metadata| metadata.uid());
        let files = self.tree(Root::Query).map_or(0, |tree| tree.known_below_at_most(query, LARGE_SET + 1));
        let origin = QueryOrigin { owner, is_large: files > LARGE_SET };
        self.plan.enqueue_query(query, origin, self.life.now());
    }

    /// Hands the most urgent jobs to idle workers.
    pub(super) fn start_jobs(&mut self) {
        let settling = self.folders.settling_or_unseen(Root::Inventory);
        if let Some(Task { path, .. }) = self.plan.start_large_query(self.now(), settling) {
            let query = self.query_of(&path);
            self.workers.start_large(Job::Answer(Box::new(query)));
        }
        for (Task { root, path }, stamp) in self.plan.start(self.now(), settling) {
            let job = match (root, stamp) {
                (Root::Query, _) => Some(Job::Answer(Box::new(self.query_of(&path)))),
                (_, Some(stamp)) => Some(Job::Encode(EncodeJob {
                    root,
                    folder: folder_of(self.config(), root).to_path_buf(),
                    path: path.clone(),
                    stamp,
                    bounds: Bounds::from(&self.config().limits),
                    thumbnails: ThumbnailStore::of(self.config()),
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
            inventory_missing: self.missing_embeddings(),
            inventory_away,
            scope: SearchScope::default(),
            crop: None,
            config: self.settings.config().clone(),
        }
    }

    /// How many pictures of the inventory are known and have no embedding in the index.
    pub(super) fn missing_embeddings(&self) -> usize {
        self.pictures.usable_count(Root::Inventory).saturating_sub(self.serving.read().index.len())
    }

    /// The answer of a query that was away, or is new, is in the catalog if anywhere. One that cannot be read is made again.
    fn recall_answer(&mut self, query: &Path) {
        if self.queries.answer(query).is_none()
            && let Ok(Some(row)) = self.store.catalog().answer(query)
            && !row.is_expired()
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
        // The answer of a query that was removed stays, and nobody else's takes its place.
        let (catalog, answers) = (self.store.catalog(), self.settings.config().folders.answer.clone());
        let is_left = |name: &str| {
            let owner = catalog.query_named(name).ok().flatten();
            owner.is_some_and(|owner| owner != query) && answers.join(format!("result_{name}.json")).exists()
        };
        self.queries.name_for(query, is_set, is_live, is_left)
    }
}

/// The query a file in the query folder belongs to: itself, or the folder at the top.
fn unit_of(path: &Path) -> PathBuf {
    path.iter().take(1).collect()
}
