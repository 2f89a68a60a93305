//! The state of trainings: the earlier ones, the one under way or requested, and whether the training pictures have changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::catalog::{Choice, TrainingSource};
use crate::picture::Hash;
use crate::service_status::{LastTrainingPart, NetworkPart, NextNetworkPart, TrainingPart};
use crate::training::debounce::RetrainDebounce;
use crate::training::handle::TrainingHandle;
use crate::training::history::TrainingHistory;

/// A request for a training, regardless of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainRequest {
    /// By a command; the path of its reply.
    Command(PathBuf),
    /// By the caller of this daemon (`artificio train`).
    Owner,
}

/// The purpose of a job that makes a model ready to serve.
#[derive(Debug)]
pub enum Purpose {
    /// To train a new model.
    Training {
        /// Pictures it learns from.
        pictures: usize,
        /// Where they are from.
        source: TrainingSource,
    },
    /// To go back to an earlier model; the path of the reply.
    Rollback(PathBuf),
    /// To take over the network that the settings name.
    Network,
    /// To answer with the model of the node that trains; what its embeddings are called.
    Adoption(String),
}

/// A job that makes a model ready to serve, on a thread of its own.
#[derive(Debug)]
pub struct UnderWay {
    /// Which run of a job.
    pub run: u64,
    /// The model's id.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// To the thread.
    pub handle: Arc<TrainingHandle>,
    /// When it began.
    pub started: Instant,
}

impl UnderWay {
    /// The purpose of a job that has ended.
    pub fn take_purpose(mut self) -> Purpose {
        std::mem::replace(&mut self.purpose, Purpose::Rollback(PathBuf::new()))
    }

    /// Whether it makes a model ready that was trained before.
    pub fn is_rollback(&self) -> bool {
        matches!(self.purpose, Purpose::Rollback(_) | Purpose::Adoption(_))
    }

    /// Whether it takes over another network.
    pub fn is_network_change(&self) -> bool {
        matches!(self.purpose, Purpose::Network)
    }

    /// Whether it trains a model.
    pub fn is_training(&self) -> bool {
        matches!(self.purpose, Purpose::Training { .. })
    }

    fn part(&self) -> Option<TrainingPart> {
        let (stage, share) = self.handle.progress();
        match self.purpose {
            Purpose::Rollback(_) | Purpose::Network | Purpose::Adoption(_) => None,
            Purpose::Training { pictures, source } => {
                Some(TrainingPart { id: self.id.clone(), pictures, source: source.name(), stage, share })
            }
        }
    }
}

impl Drop for UnderWay {
    /// Cancels the job: whatever the reason, its result is not needed.
    fn drop(&mut self) {
        self.handle.cancel();
    }
}

/// The state of all trainings.
pub struct TrainingState {
    history: TrainingHistory,
    last: Option<LastTrainingPart>,
    under_way: Option<UnderWay>,
    request: Option<TrainRequest>,
    /// Set while the pictures to train on have changed and the policy has not looked at them.
    debounce: Option<RetrainDebounce>,
    /// Jobs started so far.
    runs: u64,
    has_orphans: bool,
    /// The name of the network in force.
    network: String,
    /// When to look whether the network that the settings name is another one.
    network_due: Option<Duration>,
}

impl TrainingState {
    /// From the catalog; the policy looks at the pictures once they are all read.
    pub fn new(history: TrainingHistory, last: Option<LastTrainingPart>, network: String) -> Self {
        let debounce = Some(RetrainDebounce::after_change(None, Duration::ZERO));
        Self {
            history,
            last,
            under_way: None,
            request: None,
            debounce,
            runs: 0,
            has_orphans: true,
            network,
            network_due: Some(Duration::ZERO),
        }
    }

    /// The pictures to train on, or the settings for training, have changed.
    pub fn pictures_changed(&mut self, now: Duration) {
        self.debounce = Some(RetrainDebounce::after_change(self.debounce, now));
    }

    /// An inventory picture has this content now; `None`: it is gone or unusable. The catalog knows that already.
    pub fn inventory_changed(&self, path: &Path, content: Option<Hash>) {
        if let Some(job) = &self.under_way {
            job.handle.record_change(|| path.to_path_buf(), content);
        }
    }

    /// Starts no training until then.
    pub fn put_off(&mut self, until: Duration) {
        self.debounce = Some(RetrainDebounce::not_before(until));
    }

    /// When it may be time to look at the pictures.
    pub fn next_due(&self, now: Duration, quiet: Duration) -> Option<Duration> {
        self.debounce.filter(|_| self.under_way.is_none())?.next_look(now, quiet)
    }

    /// Whether it is time to look at the pictures: they have changed and settled, or a training was requested.
    pub fn is_due(&self, now: Duration, quiet: Duration, is_busy: bool) -> bool {
        let is_settled = self.debounce.is_some_and(|debounce| debounce.is_due(now, quiet, is_busy));
        let is_requested = self.request.is_some() && !is_busy;
        (is_settled || is_requested) && self.under_way.is_none()
    }

    /// Whether so many pictures have come that the policy looks at them, although others are still on their way.
    pub fn is_overdue(&self, now: Duration) -> bool {
        self.debounce.is_some_and(|debounce| debounce.is_overdue(now)) && self.under_way.is_none()
    }

    /// The policy looks at the pictures as they are.
    pub fn look(&mut self) {
        self.debounce = None;
    }

    /// Requests a training; `false` if one is requested already.
    pub fn ask_for(&mut self, request: TrainRequest) -> bool {
        let is_first = self.request.is_none();
        self.request.get_or_insert(request);
        is_first
    }

    /// The request, if there is one.
    pub fn take_request(&mut self) -> Option<TrainRequest> {
        self.request.take()
    }

    /// The earlier trainings.
    pub fn history(&self) -> &TrainingHistory {
        &self.history
    }

    /// Replaces the history by the catalog's.
    pub fn set_history(&mut self, history: TrainingHistory) {
        self.history = history;
    }

    /// The last training has ended, with this result.
    pub fn set_last(&mut self, last: LastTrainingPart) {
        self.last = Some(last);
    }

    /// The result of the last training.
    pub fn last(&self) -> Option<&LastTrainingPart> {
        self.last.as_ref()
    }

    /// A job to be begun.
    pub fn prepare(&mut self, id: &str, purpose: Purpose) -> UnderWay {
        self.runs += 1;
        UnderWay { run: self.runs, id: id.into(), purpose, handle: Arc::default(), started: Instant::now() }
    }

    /// It has begun.
    pub fn begin(&mut self, job: UnderWay) {
        self.under_way = Some(job);
    }

    /// The job under way.
    pub fn under_way(&self) -> Option<&UnderWay> {
        self.under_way.as_ref()
    }

    /// The job under way, if it is that run: a cancelled one may still send messages.
    pub fn run(&self, run: u64) -> Option<&UnderWay> {
        self.under_way.as_ref().filter(|job| job.run == run)
    }

    /// The job has ended, or its result is not needed any more.
    pub fn end(&mut self) -> Option<UnderWay> {
        self.under_way.take()
    }

    /// For `status.json`.
    pub fn part(&self) -> Option<TrainingPart> {
        self.under_way.as_ref().and_then(UnderWay::part)
    }

    /// The network that the settings name may be another one than that in force.
    pub fn network_may_differ(&mut self) {
        self.network_due = Some(Duration::ZERO);
    }

    /// Looks at it no sooner than then.
    pub fn put_off_network(&mut self, until: Duration) {
        self.network_due = Some(until);
    }

    /// Whether to look at the network that the settings name now; `true` is the answer once.
    pub fn take_network_due(&mut self, now: Duration) -> bool {
        self.under_way.is_none() && self.network_due.take_if(|due| *due <= now).is_some()
    }

    /// The network of this name is in force.
    pub fn set_network(&mut self, name: String) {
        self.network = name;
    }

    /// For `status.json`.
    pub fn network_part(&self) -> NetworkPart {
        let next = self.under_way.as_ref().filter(|job| job.is_network_change()).map(|job| {
            let (stage, share) = job.handle.progress();
            NextNetworkPart { stage, share }
        });
        NetworkPart { name: self.network.clone(), next }
    }

    /// There may be embeddings of deleted or aborted models.
    pub fn mark_orphans(&mut self) {
        self.has_orphans = true;
    }

    /// Whether to look for embeddings of deleted or aborted models now.
    pub fn may_have_orphans(&self) -> bool {
        self.has_orphans && self.under_way.is_none()
    }

    /// None are left.
    pub fn orphans_are_gone(&mut self) {
        self.has_orphans = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn state() -> TrainingState {
        TrainingState::new(TrainingHistory::default(), None, "bundled".into())
    }

    #[test]
    fn a_request_does_not_wait_for_quiet_but_for_pictures_being_read() {
        let mut training = state();
        training.look();
        assert!(!training.is_due(second(100), second(3), false));
        assert!(training.ask_for(TrainRequest::Owner) && !training.ask_for(TrainRequest::Owner));
        assert!(training.is_due(second(100), second(3), false) && !training.is_due(second(100), second(3), true));
        assert_eq!(training.take_request(), Some(TrainRequest::Owner));
        training.pictures_changed(second(100));
        assert!(!training.is_due(second(102), second(3), false) && training.is_due(second(103), second(3), false));
        assert_eq!(training.next_due(second(101), second(3)), Some(second(103)));
    }

    #[test]
    fn one_job_at_a_time_and_none_reports_after_it_was_dropped() {
        let mut training = state();
        let job = training.prepare("m1", Purpose::Training { pictures: 9, source: TrainingSource::Inventory });
        let handle = Arc::clone(&job.handle);
        training.begin(job);
        assert!(!training.is_due(second(100), second(3), false) && !training.may_have_orphans());
        assert!(training.run(1).is_some() && training.run(2).is_none());
        assert_eq!(training.part().map(|part| (part.id, part.pictures)), Some(("m1".into(), 9)));
        drop(training.end());
        assert!(crate::progress::Progress::is_cancelled(&*handle));
        assert!(training.part().is_none() && training.may_have_orphans());
    }

    #[test]
    fn a_network_is_looked_at_once_and_not_during_another_job() {
        let mut training = state();
        let job = training.prepare("n.onnx", Purpose::Network);
        training.begin(job);
        assert!(
            !training.take_network_due(second(1))
                && training.network_part().next.is_some()
                && training.part().is_none()
        );
        training.end();
        assert!(training.take_network_due(second(1)) && !training.take_network_due(second(1)));
        training.put_off_network(second(9));
        assert!(!training.take_network_due(second(8)));
        training.set_network("n.onnx".into());
        assert!(training.take_network_due(second(9)) && training.network_part().name == "n.onnx");
    }

    #[test]
    fn the_job_under_way_hears_of_changes_of_the_inventory() {
        let (mut training, content) = (state(), Hash::of(b"a"));
        training.inventory_changed(Path::new("before.jpg"), None);
        let job = training.prepare("m1", Purpose::Rollback("reply".into()));
        let handle = Arc::clone(&job.handle);
        training.begin(job);
        handle.follow_changes();
        training.inventory_changed(Path::new("a.jpg"), Some(content));
        assert_eq!(handle.take_changes(), [("a.jpg".into(), Some(content))]);
    }
}
