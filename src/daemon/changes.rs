//! From what is on the disk to the jobs that are wanted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{debug, info};

use super::encode::EncodeJob;
use super::plan::Task;
use super::workers::Job;
use super::{Daemon, UNFINISHED_PAUSES};
use crate::answer::name;
use crate::catalog::{AnswerRow, Root};
use crate::config::SET_FILE_NAME;
use crate::error::Trouble;
use crate::files::Stamp;
use crate::picture::Bounds;
use crate::query::Query;
use crate::watch::{Change, Hint, Tree};

/// Pictures in this folder of a query set are negative examples.
const NEGATIVES_FOLDER: &str = "not";

impl Daemon {
    /// Looks at every folder that is due and takes in what changed.
    pub(super) fn look(&mut self) {
        while let Some(hint) = self.channels.another_hint() {
            match hint {
                Hint::Path(path) => self.take_hint(&path),
                Hint::Lost => self.look_everywhere(),
            }
        }
        self.keep_time();
        let (now, quiet) = (self.now(), Duration::from_millis(self.config.watch.settle_ms.get()));
        let mut changes = Vec::new();
        for (&root, tree) in &mut self.trees {
            tree.check_root(now, &mut self.hints);
            changes.extend(tree.turn(now, quiet, &mut self.hints).into_iter().map(|change| (root, change)));
        }
        let mut removed = Vec::new();
        for (root, change) in changes {
            match change {
                Change::Ready(path, stamp) => self.file_ready(root, &path, stamp),
                Change::Removed(path) => removed.push((root, path)),
                Change::Skipped(path, reason) => {
                    info!("{}: passed over, it is {reason}", self.absolute(root, &path).display());
                }
                Change::Eventless(path, kind) => {
                    let seconds = self.config.watch.poll_s.get();
                    let folder = self.absolute(root, &path);
                    info!("{}: {kind} may change without events; looking every {seconds} s as well", folder.display());
                }
            }
        }
        self.files_removed(removed);
        self.want_quiet_queries();
    }

    pub(super) fn absolute(&self, root: Root, path: &Path) -> PathBuf {
        super::start::folder_of(&self.config, root).join(path)
    }

    fn file_ready(&mut self, root: Root, path: &Path, stamp: Stamp) {
        debug!("{} settled", self.absolute(root, path).display());
        match root {
            Root::Query => drop(self.stirred.insert(unit_of(path))),
            Root::Inventory | Root::Training => self.plan.want(root, path, Some(stamp), self.now()),
        }
    }

    fn files_removed(&mut self, removed: Vec<(Root, PathBuf)>) {
        if removed.is_empty() {
            return;
        }
        // A failed write leaves rows of files that are gone; the next start removes them.
        let kept = self
            .catalog
            .together(|catalog| removed.iter().try_for_each(|(root, path)| catalog.remove_file(*root, path)));
        self.note("catalog", kept.err());
        let of_inventory = removed.iter().filter(|(root, _)| *root == Root::Inventory);
        self.serving.write().index.remove(of_inventory.map(|(_, path)| path.as_path()));
        for (root, path) in removed {
            self.unfinished.remove(&(root, path.clone()));
            self.failed.remove(&(root, path.clone()));
            // It may have been the one that the system would not give out.
            self.note("reading", None);
            let was_known = self.contents.remove(&(root, path.clone())).is_some();
            self.plan.drop_wish(root, &path);
            match root {
                Root::Query => drop(self.stirred.insert(unit_of(&path))),
                Root::Inventory | Root::Training => self.training_pictures_changed(),
            }
            if was_known && root != Root::Query {
                info!("{} is gone", self.absolute(root, &path).display());
            }
        }
    }

    /// Queries in which something changed are wanted when the last of their files is quiet.
    fn want_quiet_queries(&mut self) {
        if self.stirred.is_empty() {
            return;
        }
        let (now, mut wanted, mut gone) = (self.now(), Vec::new(), Vec::new());
        if let Some(tree) = self.tree(Root::Query) {
            let restless = tree.restless_tops();
            let quiet = self.stirred.iter().filter(|unit| !restless.contains(unit.as_os_str())).cloned();
            for unit in quiet.collect::<Vec<_>>() {
                if tree.has_files(&unit) { wanted.push(unit) } else { gone.push(unit) }
            }
        }
        for unit in wanted {
            self.stirred.remove(&unit);
            self.plan.want(Root::Query, &unit, None, now);
        }
        for unit in gone {
            self.stirred.remove(&unit);
            self.plan.drop_wish(Root::Query, &unit);
        }
    }

    /// Gives idle workers what is most urgent.
    pub(super) fn start_jobs(&mut self) {
        let settling = self.tree(Root::Inventory).map_or(0, Tree::settling);
        for (Task { root, path }, stamp) in self.plan.start(self.now(), settling) {
            let job = match (root, stamp) {
                (Root::Query, _) => Some(Job::Answer(Box::new(self.query_of(&path)))),
                (_, Some(stamp)) => Some(Job::Encode(EncodeJob {
                    root,
                    absolute: self.absolute(root, &path),
                    path: path.clone(),
                    stamp,
                    bounds: Bounds::from(&self.config.limits),
                })),
                (_, None) => None,
            };
            match job {
                Some(job) => self.workers.start_job(job),
                None => self.plan.ended(root, &path),
            }
        }
        let dead = || Trouble::new("a worker thread has ended", "artificio", "restart artificio and report this");
        let trouble = self.workers.fill_up().err().or_else(|| (!self.workers.are_alive()).then(dead));
        self.note("workers", trouble);
    }

    fn query_of(&mut self, query: &Path) -> Query {
        let (mut files, is_set, settling, is_offline) = {
            let tree = self.tree(Root::Query);
            let is_set = tree.is_some_and(|tree| tree.is_folder(query));
            let files = match (tree, is_set) {
                (Some(tree), true) => tree.known_below(query),
                _ => vec![query.to_path_buf()],
            };
            let inventory = self.tree(Root::Inventory);
            let settling = inventory.map_or(0, Tree::settling);
            (files, is_set, settling, inventory.is_some_and(Tree::is_offline))
        };
        files.sort_unstable();
        let settings = files.iter().position(|file| is_set && *file == query.join(SET_FILE_NAME));
        let settings = settings.map(|at| files.remove(at));
        let (negatives, files) =
            files.into_iter().partition(|file| is_set && file.starts_with(query.join(NEGATIVES_FOLDER)));
        let is_recheck = self.rechecks.take(query);
        let name = self.answer_name(query, is_set);
        let former = self.answers.get(query).filter(|answer| !answer.is_provisional && answer.name == name);
        let tries = self.unfinished.get(&(Root::Query, query.to_path_buf())).map_or(0, |(_, tries)| *tries);
        Query {
            path: query.to_path_buf(),
            files,
            negatives,
            settings,
            is_set,
            answered: former.and_then(|answer| answer.content).filter(|_| !is_recheck),
            is_recheck,
            name,
            can_wait: tries < UNFINISHED_PAUSES.len(),
            inventory_pending: self.plan.pending(Root::Inventory) + settling,
            inventory_offline: is_offline,
            config: self.config.clone(),
        }
    }

    /// The name this query's answer has, or the first that no other live query has; its own from now on.
    fn answer_name(&mut self, query: &Path, is_set: bool) -> String {
        let tree = self.tree(Root::Query);
        // A query that settles once more is not known meanwhile, but it is there.
        let restless = tree.map(Tree::restless_tops).unwrap_or_default();
        let is_live = |other: &Path| {
            tree.is_some_and(|tree| tree.is_known_file(other) || tree.is_folder(other))
                || restless.contains(other.as_os_str())
        };
        let is_taken = |name: &str| {
            self.answers.values().any(|answer| answer.name == name && answer.query != query && is_live(&answer.query))
        };
        // A query that was gone for a while may find its name with another one.
        if let Some(answer) = self.answers.get(query).filter(|answer| !is_taken(&answer.name)) {
            return answer.name.clone();
        }
        let [preferred, full, own] = name::candidates(query, is_set);
        let name = [preferred, full].into_iter().find(|name| !is_taken(name)).unwrap_or(own);
        self.answers.insert(query.to_path_buf(), AnswerRow::reserved(query, &name));
        name
    }
}

/// The query a file in the query folder belongs to: itself, or the folder at the top.
fn unit_of(path: &Path) -> PathBuf {
    path.iter().take(1).collect()
}
