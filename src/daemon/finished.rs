//! From what the workers bring to the catalog, the index, and the log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log::{Level, log, warn};

use super::answering::members::FileRead;
use super::answering::respond::{Answered, Done};
use super::encode::Encoded;
use super::start::code_of;
use super::workers::Outcome;
use super::{Daemon, SYSTEM_RETRY_PAUSE, UNFINISHED_PAUSES};
use crate::answer::Status;
use crate::catalog::{AnswerRow, FileRow, FileState, Root};
use crate::clock;
use crate::error::Trouble;
use crate::files::Stamp;
use crate::model::FeatureKind;
use crate::picture::{Hash, Unusable};
use crate::watch::Known;

impl Daemon {
    /// Takes in what the workers have done, as one transaction.
    pub(super) fn finish(&mut self, outcomes: Vec<Outcome>) {
        let (mut encoded, mut answered) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Outcome::Encoded(outcome) => encoded.push(outcome),
                Outcome::Answered(outcome) => answered.push(outcome),
            }
        }
        let encoded = self.without_unfinished(encoded);
        self.keep_encoded(encoded);
        answered.into_iter().for_each(|outcome| self.take_answered(outcome));
    }

    /// Sends files that may not be finished back to settle, and drops those that are gone.
    fn without_unfinished(&mut self, encoded: Vec<Encoded>) -> Vec<Encoded> {
        let mut finished = Vec::new();
        for outcome in encoded {
            let Encoded { root, path, stamp, result } = &outcome;
            let may_be_unfinished = matches!(result, Err(problem) if problem.may_be_unfinished());
            if may_be_unfinished && !self.absolute(*root, path).exists() {
                self.plan.ended(*root, path);
                self.doubt(*root, path);
            } else if may_be_unfinished && self.waits_again(*root, path, path, *stamp) {
                self.plan.ended(*root, path);
            } else if let Err(Unusable::System(reason)) = result {
                // Nothing is wrong with the file: it is read again when the system is well.
                let remedy = "see whether the disk is healthy and reachable; it is tried again by itself";
                let what = format!("the file cannot be read: {reason}");
                self.note("reading", Some(Trouble::new(what, self.absolute(*root, path), remedy)));
                self.plan.ended(*root, path);
                self.try_later(*root, path, *stamp, SYSTEM_RETRY_PAUSE);
            } else {
                self.unfinished.remove(&(*root, path.clone()));
                finished.push(outcome);
            }
        }
        finished
    }

    /// Lets `file` of the job at `path` settle again; `false` when it has been waited for long enough.
    fn waits_again(&mut self, root: Root, path: &Path, file: &Path, stamp: Stamp) -> bool {
        let now = self.now();
        let tried = self.unfinished.entry((root, path.to_path_buf())).or_insert((Some(stamp), 0));
        if tried.0 != Some(stamp) {
            *tried = (Some(stamp), 0);
        }
        let Some(&pause) = UNFINISHED_PAUSES.get(tried.1) else { return false };
        tried.1 += 1;
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.settle_again(file, stamp, now, pause);
        }
        true
    }

    pub(super) fn keep_encoded(&mut self, encoded: Vec<Encoded>) {
        if encoded.is_empty() {
            return;
        }
        if self.unkept.is_to_wait(self.now()) {
            return self.hold_encoded(encoded, None);
        }
        let (model_id, is_trained) = {
            let model = &self.serving.read().model;
            (model.id().to_string(), model.is_trained())
        };
        let serving = self.serving.clone();
        let kind = FeatureKind::of(self.config.model.encoder);
        let kept = self.catalog.together(|catalog| {
            let mut codes: Vec<Option<Vec<f32>>> = Vec::new();
            for Encoded { root, path, stamp, result } in &encoded {
                match result {
                    // The list says so for as long as it holds: each start asks it anew.
                    Err(problem) if problem.is_set_aside() => catalog.remove_file(*root, path)?,
                    _ => catalog.put_file(
                        *root,
                        &FileRow {
                            path: path.clone(),
                            stamp: *stamp,
                            state: state_of(result.as_ref().map(|(hash, _)| *hash)),
                        },
                    )?,
                }
                let Ok((hash, made)) = result else {
                    codes.push(None);
                    continue;
                };
                if let Some(features) = &made.features {
                    catalog.put_features(*hash, kind.version, features)?;
                }
                if let Some(miniature) = &made.miniature {
                    catalog.put_miniature(*hash, miniature)?;
                }
                let code = match root {
                    Root::Inventory => code_of(catalog, &serving.read().model, *hash)?,
                    Root::Query | Root::Training => None,
                };
                // Features that are codes need not be kept twice.
                if let Some(code) = code.as_ref().filter(|_| is_trained) {
                    catalog.put_code(*hash, &model_id, code)?;
                }
                codes.push(code);
            }
            Ok(codes)
        });
        let codes = match kept {
            Ok(codes) => codes,
            Err(trouble) => return self.hold_encoded(encoded, Some(trouble)),
        };
        self.note("catalog", None);
        for (outcome, code) in encoded.into_iter().zip(codes) {
            self.plan.ended(outcome.root, &outcome.path);
            self.take_encoded(outcome, code);
        }
    }

    fn try_later(&mut self, root: Root, path: &Path, stamp: Stamp, pause: Duration) {
        let now = self.now();
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.settle_again(path, stamp, now, pause);
        }
    }

    /// A file went while it was wanted: its folder says whether for good, or with the disk it is on.
    fn doubt(&mut self, root: Root, path: &Path) {
        let (now, absolute) = (self.now(), self.absolute(root, path));
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.doubt(path);
            tree.hint(&absolute, now);
        }
    }

    /// What a picture may cost is another than before: what was refused may pass now.
    pub(super) fn doubt_failed(&mut self) {
        for (root, path) in self.failed.keys().cloned().collect::<Vec<_>>() {
            self.doubt(root, &path);
        }
    }

    fn take_encoded(&mut self, outcome: Encoded, code: Option<Vec<f32>>) {
        let Encoded { root, path, stamp, result } = outcome;
        let absolute = self.absolute(root, &path);
        if !self.trees.get(&root).is_some_and(|tree| tree.is_known_file(&path)) {
            // Removed while it was read: the removal came first and must have the last word.
            let removed = self.catalog.remove_file(root, &path);
            self.note("catalog", removed.err());
            return;
        }
        self.learn(root, &path, stamp, result.is_err());
        let key = (root, path.clone());
        self.stir();
        match result {
            Ok((hash, made)) => {
                self.metrics.count_picture(root, made.features.is_some());
                self.note("reading", None);
                self.failed.remove(&key);
                let is_same = self.contents.insert(key, hash) == Some(hash);
                // The same picture again has its code already; putting it anew would have its neighbours sought anew.
                let is_searched = is_same && self.serving.read().index.embedding(&path).is_some();
                if let Some(code) = code.filter(|_| !is_searched) {
                    self.serving.write().index.put(&path, &code);
                }
                log::debug!(file:% = absolute.display(); "{} read", absolute.display());
            }
            Err(problem) => {
                let trouble = Trouble::new(problem.to_string(), absolute, problem.remedy());
                warn!(file:% = trouble.path.display(); "{trouble}");
                self.metrics.count_unusable(root);
                self.contents.remove(&key);
                self.failed.insert(key, trouble);
                if root == Root::Inventory {
                    self.serving.write().index.remove([path.as_path()]);
                }
            }
        }
    }

    fn learn(&mut self, root: Root, path: &Path, stamp: Stamp, has_failed: bool) {
        if let Some(tree) = self.trees.get_mut(&root) {
            tree.learn(path, Known { stamp, has_failed });
        }
    }

    fn take_answered(&mut self, answered: Answered) {
        self.plan.ended(Root::Query, &answered.query);
        let done = match answered.result {
            Ok(Done::NotYet) => return self.wait_for_query(&answered.query, &answered.files),
            Ok(done) => done,
            Err(unwritten) => return self.hold_query(&answered.query, unwritten),
        };
        if let Done::Written { status, total_ms, .. } = &done {
            self.metrics.count_answer(*status, *total_ms);
            self.gallery.hint();
            self.answers_go_on();
        }
        self.unfinished.remove(&(Root::Query, answered.query.clone()));
        let row = match &done {
            Done::Written { status, is_provisional, .. } => AnswerRow {
                query: answered.query.clone(),
                name: answered.name.clone(),
                content: answered.content,
                status: status.name().into(),
                is_provisional: *is_provisional,
                answered_s: clock::now_s(),
            },
            Done::Unchanged | Done::NotYet => match self.answers.get(&answered.query) {
                Some(row) => row.clone(),
                None => return,
            },
        };
        for file in &answered.files {
            self.remember_query_file(file);
        }
        self.say(&answered.query, &row, &done);
        // The catalog has one owner a name; so have the answers here.
        self.answers.retain(|query, answer| *query == answered.query || answer.name != row.name);
        self.answers.insert(answered.query.clone(), row);
        self.keep_answered(answered.query, answered.files);
    }

    /// Makes durable that a query was answered, and from which files.
    pub(super) fn keep_answered(&mut self, query: PathBuf, files: Vec<FileRead>) {
        let Some(row) = self.answers.get(&query) else { return };
        let kept = self.catalog.together(|catalog| {
            for file in &files {
                if let Some(stamp) = file.stamp {
                    let state = state_of(file.result.as_ref().copied());
                    catalog.put_file(Root::Query, &FileRow { path: file.path.clone(), stamp, state })?;
                }
            }
            catalog.put_answer(row)
        });
        match kept {
            Ok(()) => {
                self.answer_is_kept(&query);
                self.note("catalog", None);
            }
            Err(trouble) => self.hold_answered(query, files, trouble),
        }
    }

    fn remember_query_file(&mut self, file: &FileRead) {
        let key = (Root::Query, file.path.clone());
        match &file.result {
            Ok(_) => drop(self.failed.remove(&key)),
            Err(problem) => {
                let path = self.absolute(Root::Query, &file.path);
                self.metrics.count_unusable(Root::Query);
                self.failed.insert(key, Trouble::new(problem.to_string(), path, problem.remedy()));
            }
        }
        if let Some(stamp) = file.stamp {
            self.learn(Root::Query, &file.path, stamp, file.result.is_err());
        }
    }

    fn say(&self, query: &Path, row: &AnswerRow, done: &Done) {
        let Done::Written { status, message, model, total_ms, .. } = done else { return };
        let end = self.config.answer.format.extension();
        let sheet = self.config.folders.answer.join(format!("result_{}.{end}", row.name));
        let query = self.absolute(Root::Query, query);
        let (asked, file) = (query.display(), sheet.display());
        let text = match status {
            Status::Error => refusal(&asked.to_string(), message, &file.to_string()),
            Status::Ok => format!("{asked} answered in {total_ms:.0} ms: {file}"),
            Status::Partial | Status::NothingSimilar => {
                format!("{asked} answered in {total_ms:.0} ms: {file} ({message})")
            }
        };
        let level = if *status == Status::Error { Level::Warn } else { Level::Info };
        let status = status.name();
        log!(level, query:% = asked, file:% = file, model:% = model, ms = total_ms.round(), status; "{text}");
    }

    /// One of the query's files may not be finished: all of it is asked again when that one has settled once more.
    fn wait_for_query(&mut self, query: &Path, files: &[FileRead]) {
        let is_unfinished = |file: &&FileRead| matches!(&file.result, Err(problem) if problem.may_be_unfinished());
        let Some(file) = files.iter().find(is_unfinished) else { return };
        // The stamp on the disk now: one that moved on since the reading starts the count anew.
        let Ok(metadata) = std::fs::metadata(self.absolute(Root::Query, &file.path)) else {
            return self.doubt(Root::Query, &file.path);
        };
        self.stirred.insert(query.to_path_buf());
        self.waits_again(Root::Query, query, &file.path, Stamp::of(&metadata));
    }

    /// Answers given before the inventory was complete are given again once it is.
    pub(super) fn heal_provisional(&mut self) {
        let inventory_moves = self.plan.pending(Root::Inventory) > 0
            || self
                .tree(Root::Inventory)
                .is_none_or(|tree| tree.settling() > 0 || !tree.is_seen() || tree.is_offline());
        if inventory_moves || self.serving.read().index.is_empty() {
            return;
        }
        let provisional = self.answers.values().filter(|answer| answer.is_provisional && answer.is_answered());
        let queries: Vec<PathBuf> = provisional.map(|answer| answer.query.clone()).collect();
        let now = self.now();
        for query in queries {
            if self.tree(Root::Query).is_some_and(|tree| tree.has_files(&query)) {
                self.plan.want(Root::Query, &query, None, now);
            }
            if let Some(answer) = self.answers.get_mut(&query) {
                // Asked once; the answer that comes decides anew. The catalog still says so after a crash.
                answer.is_provisional = false;
                answer.content = None;
            }
        }
    }
}

/// What the log says of a query that could not be answered: `message` names its files by themselves, and may end in a
/// drawing that points at a mistake.
fn refusal(query: &str, message: &str, sheet: &str) -> String {
    let name = query.rsplit('/').next().unwrap_or(query);
    let message = message.strip_prefix(&format!("{name}: ")).unwrap_or(message);
    let pause = if message.contains('\n') { '\n' } else { ' ' };
    format!("{query}: {message}{pause}Said in {sheet}")
}

fn state_of(result: Result<Hash, &Unusable>) -> FileState {
    match result {
        Ok(hash) => FileState::Read(hash),
        Err(problem) => FileState::Failed { problem: problem.to_string(), remedy: problem.remedy() },
    }
}

/// Pauses are only worth it when they outlast a writer that stops for four seconds.
const _: () = {
    let total = UNFINISHED_PAUSES[0].as_millis() + UNFINISHED_PAUSES[1].as_millis() + UNFINISHED_PAUSES[2].as_millis();
    assert!(total > Duration::from_secs(4).as_millis());
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_names_a_query_once_and_leaves_drawings_whole() {
        assert_eq!(
            refusal("/q/broken.jpg", "broken.jpg: this is no picture. What to do: take it away.", "/a/s.png"),
            "/q/broken.jpg: this is no picture. What to do: take it away. Said in /a/s.png"
        );
        assert_eq!(
            refusal("/q/set", "a mistake\n1 | k\n  | ^", "/a/s.png"),
            "/q/set: a mistake\n1 | k\n  | ^\nSaid in /a/s.png"
        );
    }
}
