//! Handles threads that end unexpectedly: a worker is replaced, its job counts as failed, and a thread that cannot be replaced
//! is reported. No job stays under way after its thread has died.

use log::{debug, error};

use super::plan::Task;
use super::state::UnderWay;
use super::workers::LostWork;
use super::{Daemon, catalog_file, event, gallery};
use crate::catalog::Root;
use crate::error::Trouble;
use crate::nodes;
use crate::on_answer;
use crate::picture::Unusable;
use crate::quarantine::Decoding;
use crate::threads::{self, ThreadEnd};
use crate::training::{job, network_change, rollback};

/// Name of the thread that measures the inventory.
const MEASURING: &str = "measuring";

impl Daemon {
    /// A thread has ended. If it ended normally, it has sent its result; if it panicked, it has not.
    pub(super) fn take_thread_end(&mut self, end: &ThreadEnd) {
        let lost = self.workers.take_ended(&end.name);
        let Some(panic) = &end.panic else { return };
        // An abandoned thread ends by a panic as well, and leaves nothing to do.
        if lost.is_none() && !is_singular(&end.name) {
            return;
        }
        error!("the {} thread ended unexpectedly: {panic}; please report this", end.name);
        let trouble = || {
            let what = format!("the {} thread ended unexpectedly: {panic}", end.name);
            Trouble::new(what, "artificio", "please report this; restart artificio if it does not go away")
        };
        if self.training.under_way().is_some_and(|job| end.name == thread_name(job)) {
            return self.training_panicked(trouble());
        }
        match end.name.as_str() {
            gallery::THREAD => {
                let folders = &self.settings.config().folders;
                let restarted =
                    self.reporting.gallery().restart(&folders.answer, &folders.inventory, &self.channels.end_sender);
                self.note("gallery-thread", restarted.err());
            }
            nodes::THREAD => self.restart_publisher(),
            event::SIGNALS => self.note("signals", Some(trouble())),
            _ => {}
        }
        if let Some(LostWork { task: Some(task), decoding }) = lost {
            let problem = Unusable::Damaged("artificio itself failed on it; please report this".into());
            self.retry_or_fail(&task, decoding, problem);
        }
    }

    /// A picture that made a worker panic, or wait too long, is a suspect: its trial finds out what is wrong with it. If no trial
    /// can be held, or no picture was being decoded, the job has failed with `problem`, for as long as this process runs.
    pub(super) fn retry_or_fail(&mut self, task: &Task, decoding: Option<Decoding>, problem: Unusable) {
        let quarantine = self.workers.quarantine();
        if let Some(decoding) = decoding.filter(|_| quarantine.trouble().is_none()) {
            quarantine.abandon(&decoding);
            let now = self.now();
            return self.plan.requeue(task, now);
        }
        match task.root {
            Root::Query => self.query_panicked(&task.path),
            root => self.encoding_panicked(root, &task.path, problem),
        }
    }

    /// What a query's scores are compared with is computed in the background when a model begins to serve, and when many pictures
    /// have come. With a million pictures that takes seconds, for which otherwise the first query would wait.
    pub(super) fn measure_inventory(&mut self) {
        if !self.reporting.is_ready() || !self.serving.read().is_to_be_measured() {
            return;
        }
        let (view, metric, ends) =
            (self.serving.view(), self.config().similarity.metric, self.channels.end_sender.clone());
        let started = self
            .store
            .catalog()
            .reader()
            .and_then(|catalog| threads::spawn(MEASURING, ends, move || drop(view.scores(metric, &catalog))));
        if let Err(trouble) = started {
            debug!("{trouble}; the first query measures the inventory");
        }
    }

    /// Replaces workers that are gone, and reports what keeps workers from working.
    pub(super) fn supervise_workers(&mut self) {
        let trouble = self.workers.replace_missing().err();
        self.note("workers", trouble);
        self.note("trials", self.workers.quarantine().trouble());
        let of_gallery = self.reporting.gallery().trouble();
        self.note("gallery", of_gallery);
        let of_command = self.reporting.commands().trouble();
        self.note("on_answer", of_command);
        self.note_nodes();
    }
}

/// Whether the thread of that name is no worker.
fn is_singular(name: &str) -> bool {
    let of_training = [job::THREAD, rollback::THREAD, network_change::THREAD].iter().any(|kind| name.starts_with(kind));
    of_training
        || [gallery::THREAD, catalog_file::THREAD, event::SIGNALS, MEASURING, nodes::THREAD, on_answer::THREAD]
            .contains(&name)
}

/// The thread of a job under way. A job that was cancelled may still panic: that is not the end of the one after it.
fn thread_name(job: &UnderWay) -> String {
    let kind = match () {
        () if job.is_rollback() => rollback::THREAD,
        () if job.is_network_change() => network_change::THREAD,
        () => job::THREAD,
    };
    job::thread_name(kind, job.run)
}
