//! Handles the results of the workers: stores them in the catalog and the index, and logs them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{Level, log, warn};

use super::Daemon;
use super::encode::Encoded;
use super::workers::Outcome;
use crate::answer::Status;
use crate::catalog::{AnswerRow, AnswerState, Catalog, FileRow, FileState, Root};
use crate::clock::{self, WallTime};
use crate::error::Trouble;
use crate::files::{FileAt, Stamp};
use crate::model::Model;
use crate::on_answer::AnswerNotice;
use crate::picture::{Hash, Unusable};
use crate::query::{Answered, Done, FileRead, Unwritten};
use crate::serving::load::embedding_of;
use crate::watch::Known;

/// A file that could not be read (a failing disk, too many open files) is tried again after this long.
const SYSTEM_RETRY_PAUSE: Duration = Duration::from_secs(30);
/// Files that were unusable and are looked at again in one turn of the loop.
const RECHECKS_A_TURN: usize = 500;

/// What a picture is searched by: its embedding, if there is one, and its date.
type IndexEntry = (Option<Vec<f32>>, WallTime);

impl Daemon {
    /// Handles the results of workers; encoded pictures are stored in one transaction.
    pub(super) fn take_outcomes(&mut self, outcomes: Vec<Outcome>) {
        let (mut encoded, mut answered) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Encoded(outcome) => encoded.push(outcome),
                Outcome::Answered(outcome) => answered.push(outcome),
                Outcome::AwaitsTrial(job) => {
                    self.plan.move_to_trial(job.task());
                    self.workers.start_trial(job);
                }
            }
        }
        let encoded = self.without_unfinished(encoded);
        self.keep_encoded(encoded);
        answered.into_iter().for_each(|outcome| self.take_answered(outcome));
    }

    /// Lets files that may be incomplete settle again, and drops those that are gone.
    fn without_unfinished(&mut self, encoded: Vec<Encoded>) -> Vec<Encoded> {
        let mut finished = Vec::new();
        for outcome in encoded {
            let Encoded { root, path, stamp, result } = &outcome;
            let may_be_unfinished = matches!(result, Err(problem) if problem.may_be_unfinished());
            if may_be_unfinished && !self.absolute(*root, path).exists() {
                self.plan.ended(*root, path);
                self.recheck_file(*root, path);
            } else if may_be_unfinished && self.waits_again(*root, path, path, *stamp) {
                self.plan.ended(*root, path);
            } else if let Err(Unusable::TrialInterrupted(_)) = result {
                self.plan.ended(*root, path);
                let now = self.now();
                self.folders.settle_again(*root, path, *stamp, now, SYSTEM_RETRY_PAUSE);
            } else if let Err(Unusable::System(reason)) = result {
                // The file itself is fine: it is read again later.
                let remedy = "check that the disk is healthy and reachable; the file is tried again automatically";
                let what = format!("the file cannot be read: {reason}");
                self.note("reading", Some(Trouble::new(what, self.absolute(*root, path), remedy)));
                self.plan.ended(*root, path);
                let now = self.now();
                self.folders.settle_again(*root, path, *stamp, now, SYSTEM_RETRY_PAUSE);
            } else {
                self.pictures.mark_finished(*root, path);
                finished.push(outcome);
            }
        }
        finished
    }

    /// Lets `file` of the job at `path` settle again; `false` after too many tries.
    fn waits_again(&mut self, root: Root, path: &Path, file: &Path, stamp: Stamp) -> bool {
        let Some(pause) = self.pictures.wait_again(root, path, stamp) else { return false };
        let now = self.now();
        self.folders.settle_again(root, file, stamp, now, pause);
        true
    }

    pub(super) fn keep_encoded(&mut self, encoded: Vec<Encoded>) {
        if encoded.is_empty() {
            return;
        }
        if self.store.must_wait(self.now()) {
            return self.hold_encoded(encoded, None);
        }
        let serving = self.serving.clone();
        // Read again if it is lost: so many transactions a second do not wait for the disk.
        let kept = self.store.catalog_mut().together_unflushed(|catalog| {
            let mut entries: Vec<Option<IndexEntry>> = Vec::new();
            for Encoded { root, path, stamp, result } in &encoded {
                match result {
                    // Not stored here: the quarantine list decides at each start.
                    Err(problem) if problem.is_set_aside() => catalog.remove_file(*root, path)?,
                    _ => catalog.put_file(
                        *root,
                        &FileRow {
                            path: path.clone(),
                            stamp: *stamp,
                            state: state_of(result.as_ref().map(|(hash, _)| Some(*hash))),
                        },
                    )?,
                }
                let Ok((hash, made)) = result else {
                    entries.push(None);
                    continue;
                };
                if let Some(features) = &made.features {
                    catalog.put_features(*hash, &made.features_version, features)?;
                }
                if let Some(miniature) = &made.miniature {
                    catalog.put_miniature(*hash, miniature)?;
                }
                if let Some(metadata) = &made.metadata {
                    catalog.put_metadata(*hash, metadata)?;
                }
                entries.push(match root {
                    Root::Inventory => {
                        let embedding = stored_embedding(catalog, &serving.read().model, *hash)?;
                        Some((embedding, catalog.date_of(*root, path)?))
                    }
                    Root::Query | Root::Training => None,
                });
            }
            Ok(entries)
        });
        let entries = match kept {
            Ok(entries) => entries,
            Err(trouble) => return self.hold_encoded(encoded, Some(trouble)),
        };
        self.catalog_works();
        for (outcome, entry) in encoded.into_iter().zip(entries) {
            self.plan.ended(outcome.root, &outcome.path);
            self.take_encoded(outcome, entry);
        }
    }

    /// A file disappeared while it was needed: scans its folder to see whether it was deleted, or its disk is away.
    pub(super) fn recheck_file(&mut self, root: Root, path: &Path) {
        let now = self.now();
        self.folders.recheck_file(root, path, now);
    }

    /// Once the limits for pictures have changed, files that were unusable may be fine: some of them are looked at again.
    pub(super) fn recheck_failed(&mut self) {
        for (root, path) in self.pictures.take_rechecks(RECHECKS_A_TURN) {
            self.recheck_file(root, &path);
        }
    }

    fn take_encoded(&mut self, outcome: Encoded, entry: Option<IndexEntry>) {
        let Encoded { root, path, stamp, result } = outcome;
        let absolute = self.absolute(root, &path);
        if !self.tree(root).is_some_and(|tree| tree.is_known_file(&path)) {
            // Removed while it was read: the removal was handled first and must not be undone.
            if let Err(refusal) = self.store.catalog().remove_file(root, &path) {
                self.hold_removed(vec![(root, path)], refusal);
            }
            return;
        }
        self.learn(root, &path, stamp, result.is_err());
        match result {
            Ok((hash, made)) => {
                self.reporting.metrics().count_picture(root, made.features.is_some());
                self.note("reading", None);
                let is_same = self.pictures.put(root, &path, hash) && made.features.is_none();
                if !is_same {
                    self.training_pictures_changed();
                }
                if root == Root::Inventory && !is_same {
                    self.training.inventory_changed(&path, Some(hash));
                }
                // An unchanged picture has its embedding already; another number of the index would have answers redone.
                let is_searched = is_same && self.serving.read().index.contains(&path);
                if let Some((embedding, date)) = entry {
                    let index = &mut self.serving.write().index;
                    if let Some(embedding) = embedding.filter(|_| !is_searched) {
                        index.put(&path, &embedding);
                    }
                    index.set_date(&path, date);
                }
                // The network was exchanged while it was read.
                if made.features_version != self.features().version {
                    self.recheck_file(root, &path);
                }
                log::debug!(file:% = absolute.display(); "{} read", absolute.display());
            }
            Err(problem) => {
                let trouble = Trouble::new(problem.to_string(), absolute, problem.remedy());
                warn!(file:% = trouble.path.display(); "{trouble}");
                self.reporting.metrics().count_unusable(root);
                self.training_pictures_changed();
                let now = self.now();
                self.pictures.fail(root, &path, trouble, now);
                if root == Root::Inventory {
                    self.training.inventory_changed(&path, None);
                    self.serving.write().index.remove([path.as_path()]);
                }
            }
        }
    }

    fn learn(&mut self, root: Root, path: &Path, stamp: Stamp, has_failed: bool) {
        self.folders.learn(root, path, Known { stamp, has_failed });
    }

    fn take_answered(&mut self, answered: Answered) {
        self.plan.ended(Root::Query, &answered.query);
        let done = match answered.result {
            Ok(Done::NotYet) => return self.wait_for_query(&answered.query, &answered.files),
            Ok(done) => done,
            Err(Unwritten::Folder { trouble, bytes }) => return self.hold_query(&answered.query, trouble, bytes),
            Err(Unwritten::Place(trouble)) => return self.postpone_query(&answered.query, trouble),
        };
        if let Done::Written { status, total_ms, .. } = &done {
            self.reporting.metrics().count_answer(*status, *total_ms);
            self.reporting.gallery().hint(format!("result_{}.json", answered.name).as_ref());
            let sheet = format!("result_{}.{}", answered.name, self.config().answer.format.extension());
            let notice = AnswerNotice { name: answered.name.clone(), sheet, status: *status };
            self.reporting.commands().enqueue(notice);
            self.resume_answers();
        }
        self.pictures.mark_finished(Root::Query, &answered.query);
        self.pictures.clear_problem(Root::Query, &answered.query);
        let row = match &done {
            Done::Written { status, is_provisional, .. } => AnswerRow {
                query: answered.query.clone(),
                name: answered.name.clone(),
                content: answered.content,
                state: state_of_answer(*status),
                is_provisional: *is_provisional,
                answered_s: clock::now_s(),
            },
            Done::Unchanged | Done::NotYet | Done::AwaitsTrial => match self.queries.answer(&answered.query) {
                Some(row) => row.clone(),
                None => return,
            },
        };
        for file in &answered.files {
            self.remember_query_file(file);
        }
        self.log_answer(&answered.query, &row, &done);
        self.queries.put_answer(row);
        self.keep_answered(answered.query, answered.files);
    }

    /// The worker that encoded a picture panicked, which is a bug: records the picture as unusable.
    pub(super) fn encoding_panicked(&mut self, root: Root, path: &Path, problem: Unusable) {
        let stamp = self.plan.stamp_under_way(root, path).unwrap_or(Stamp::NEVER);
        self.keep_encoded(vec![Encoded { root, path: path.to_path_buf(), stamp, result: Err(problem) }]);
    }

    /// The worker that answered a query panicked, which is a bug.
    pub(super) fn query_panicked(&mut self, query: &Path) {
        self.plan.ended(Root::Query, query);
        let path = self.absolute(Root::Query, query);
        let trouble = Trouble::new("artificio itself failed on this query", path, "please report this");
        warn!(file:% = trouble.path.display(); "{trouble}");
        let now = self.now();
        self.pictures.fail(Root::Query, query, trouble, now);
    }

    /// Stores that a query was answered, and from which files.
    pub(super) fn keep_answered(&mut self, query: PathBuf, files: Vec<FileRead>) {
        let Some(row) = self.queries.answer(&query).cloned() else { return };
        let kept = self.store.catalog_mut().together(|catalog| {
            for file in &files {
                if let Some(stamp) = file.stamp {
                    let state = state_of(file.result.as_ref().copied());
                    catalog.put_file(Root::Query, &FileRow { path: file.path.clone(), stamp, state })?;
                }
            }
            catalog.put_answer(&row)
        });
        match kept {
            Ok(()) => {
                self.store.mark_written(&query);
                self.catalog_works();
                // Removed while it was answered.
                if !self.tree(Root::Query).is_some_and(|tree| tree.has_files(&query)) {
                    self.queries.forget(&query);
                }
            }
            Err(trouble) => self.hold_answered(query, files, trouble),
        }
    }

    fn remember_query_file(&mut self, file: &FileRead) {
        match &file.result {
            Ok(_) => self.pictures.clear_problem(Root::Query, &file.path),
            Err(problem) => {
                let path = self.absolute(Root::Query, &file.path);
                self.reporting.metrics().count_unusable(Root::Query);
                let trouble = Trouble::new(problem.to_string(), path, problem.remedy());
                let now = self.now();
                self.pictures.fail(Root::Query, &file.path, trouble, now);
            }
        }
        if let Some(stamp) = file.stamp {
            self.learn(Root::Query, &file.path, stamp, file.result.is_err());
        }
    }

    fn log_answer(&self, query: &Path, row: &AnswerRow, done: &Done) {
        let Done::Written { status, sentence, model, total_ms, .. } = done else { return };
        let end = self.config().answer.format.extension();
        let sheet = self.config().folders.answer.join(format!("result_{}.{end}", row.name));
        let query = self.absolute(Root::Query, query);
        let (asked, file) = (query.display(), sheet.display());
        // Rounded once: formatting would round 52.5 down, and the field of the entry up.
        let ms = total_ms.round();
        let text = match status {
            Status::Error => refusal(&asked.to_string(), sentence, &file.to_string()),
            Status::Ok => format!("{asked} answered in {ms:.0} ms: {file}"),
            Status::Partial | Status::NothingSimilar => {
                format!("{asked} answered in {ms:.0} ms: {file} ({sentence})")
            }
        };
        let level = if *status == Status::Error { Level::Warn } else { Level::Info };
        let status = status.name();
        log!(level, query:% = asked, file:% = file, model:% = model, ms, status; "{text}");
    }

    /// One of the query's files may be incomplete: the query is answered after that file has settled again.
    fn wait_for_query(&mut self, query: &Path, files: &[FileRead]) {
        let is_unfinished = |file: &&FileRead| matches!(&file.result, Err(problem) if problem.may_be_unfinished());
        let Some(file) = files.iter().find(is_unfinished) else { return };
        // The current stamp: if the file changed since it was read, the count of tries starts again.
        let Ok(stamp) = FileAt::below(&self.config().folders.query, &file.path).stamp() else {
            return self.recheck_file(Root::Query, &file.path);
        };
        self.queries.mark_changed(query.to_path_buf());
        self.waits_again(Root::Query, query, &file.path, stamp);
    }
}

/// The log line for a query that could not be answered; `sentence` may end in a drawing that points at a mistake.
fn refusal(query: &str, sentence: &str, sheet: &str) -> String {
    let pause = if sentence.contains('\n') { '\n' } else { ' ' };
    format!("{query}: {sentence}{pause}The answer is {sheet}")
}

/// The embedding of a content whose features are in the catalog: the stored one, which a moved or copied picture has already, or a new
/// one, which is stored. Without a trained model it is the features.
pub(super) fn stored_embedding(catalog: &Catalog, model: &Model, hash: Hash) -> Result<Option<Vec<f32>>, Trouble> {
    if !model.is_trained() {
        return embedding_of(catalog, model, hash);
    }
    if let Some(embedding) = catalog.embedding(hash, model.id())? {
        return Ok(Some(embedding));
    }
    let embedding = embedding_of(catalog, model, hash)?;
    if let Some(embedding) = &embedding {
        catalog.put_embedding(hash, model.id(), embedding)?;
    }
    Ok(embedding)
}

fn state_of_answer(status: Status) -> AnswerState {
    match status {
        Status::Ok => AnswerState::Ok,
        Status::Partial => AnswerState::Partial,
        Status::NothingSimilar => AnswerState::NothingSimilar,
        Status::Error => AnswerState::Error,
    }
}

fn state_of(result: Result<Option<Hash>, &Unusable>) -> FileState {
    match result {
        Ok(Some(hash)) => FileState::Read(hash),
        Ok(None) => FileState::Unread,
        Err(problem) => FileState::Failed { problem: problem.to_string(), remedy: problem.remedy() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_a_query_once_and_leaves_drawings_whole() {
        assert_eq!(
            refusal("/q/broken.jpg", "this is no picture. What to do: take it away.", "/a/s.png"),
            "/q/broken.jpg: this is no picture. What to do: take it away. The answer is /a/s.png"
        );
        assert_eq!(
            refusal("/q/set", "a mistake\n1 | k\n  | ^", "/a/s.png"),
            "/q/set: a mistake\n1 | k\n  | ^\nThe answer is /a/s.png"
        );
    }
}
