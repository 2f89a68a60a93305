//! The running service: one event loop that turns what happens in the folders into jobs, and jobs into answers.
//!
//! [`Daemon::run`] is the whole program on one page. What to do is decided in `plan` and `learning::training`, which do no
//! input or output; the work is done in `workers`, which decide nothing.

mod changes;
mod commands;
mod encode;
mod event;
mod gallery;
mod outcomes;
mod plan;
mod refresh;
mod reload;
mod reporting;
mod requests;
mod retrain;
mod retry;
mod start;
mod survey;
mod takeover;
mod timers;
mod workers;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::info;

use crate::catalog::{AnswerRow, Catalog, Root};
use crate::config::{Config, Setup};
use crate::error::{Fatal, Trouble};
use crate::files::{Lock, Stamp};
use crate::model::Extractor;
use crate::picture::Hash;
use crate::quarantine::Quarantine;
use crate::service_status::{LastTrainingPart, ServiceStatus, State};
use crate::serving::Shared;
use crate::training::debounce::RetrainDebounce;
use crate::training::history::TrainingHistory;
use crate::watch::{Hint, Hints, Pulse, Tree};

use commands::TrainRequest;
use event::{Channels, Event, Signal};
use gallery::Gallery;
use plan::Plan;
use refresh::Rechecks;
use reporting::manager;
use reporting::metrics::Metrics;
use reporting::pace::Pace;
use retrain::Training;
use retry::{PersistRetry, Stall};
use workers::Workers;

pub use reporting::report::filter as log_filter;
pub use requests::{Request, ask as ask_service};
pub use timers::EMPTIED_ON_PURPOSE;

/// Roots and the configuration file are looked at at least this often.
const TICK: Duration = Duration::from_secs(1);
/// `status.json` is written at least this often.
const STATUS_INTERVAL: Duration = Duration::from_secs(10);
/// ... and at most this often.
const STATUS_PAUSE: Duration = Duration::from_millis(200);
/// A watcher that does not work is started anew this often.
const WATCHER_RETRY: Duration = Duration::from_secs(60);
/// Where the system keeps its limit of events waiting to be told.
const QUEUE_LIMIT: &str = "/proc/sys/fs/inotify/max_queued_events";
/// What could not be kept or written is tried again after this long ...
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// ... and, where that costs the work of doing it again, after ever longer, but no longer than this.
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(20);
/// A file that the system would not give out (a disk in trouble, too many open files) is tried again after this long.
const SYSTEM_RETRY_PAUSE: Duration = Duration::from_secs(30);
/// A file that may not be finished is looked at again after these pauses, then its problem stands. A file that
/// changed meanwhile starts anew.
const UNFINISHED_PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// Work under way when the daemon is told to stop may take this long to end.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// Follows the daemon from within the process: progress bars, and whoever wants it to end by itself.
pub trait Observer {
    /// Called after every turn of the loop in which something changed; `false` ends the daemon.
    fn goes_on(&mut self, _status: &ServiceStatus) -> bool {
        true
    }
}

/// Lets the daemon run until a signal ends it.
pub struct NoObserver;

impl Observer for NoObserver {}

/// The state of the service. All of it can be made again from the catalog and the folders.
pub struct Daemon {
    setup: Setup,
    config: Arc<Config>,
    config_stamp: Option<Stamp>,
    /// The file has changed, looks like this, and has since then.
    config_seen: Option<(Option<Stamp>, Duration)>,
    catalog: Catalog,
    serving: Shared,
    channels: Channels,
    hints: Hints,
    /// Shared with whoever decodes.
    quarantine: Arc<Quarantine>,
    workers: Workers,
    gallery: Gallery,
    /// Shared with the workers.
    extractor: Arc<Extractor>,
    plan: Plan,
    trees: BTreeMap<Root, Tree>,
    /// Contents of the usable inventory and training pictures.
    contents: HashMap<(Root, PathBuf), Hash>,
    /// Queries in which something changed and that are not quiet yet.
    stirred: BTreeSet<PathBuf>,
    answers: BTreeMap<PathBuf, AnswerRow>,
    rechecks: Rechecks,
    /// Done, and to be made durable when the catalog can be written again.
    retry: PersistRetry,
    /// While answers cannot be written.
    stall: Option<Stall>,
    /// How often a file, in this state, was found unfinished.
    unfinished: HashMap<(Root, PathBuf), (Option<Stamp>, usize)>,
    /// Trainings so far, as far as the policy cares.
    history: TrainingHistory,
    last_training: Option<LastTrainingPart>,
    training: Option<Training>,
    /// Threads started so far that make a model ready to serve.
    runs: u64,
    /// The number of the last model, those included whose training was broken off.
    last_number: u64,
    /// A training that somebody wants.
    train_request: Option<TrainRequest>,
    /// Why it cannot go on: the one training that this daemon is for cannot begin, or too many decoders never end.
    fatal_reason: Option<String>,
    next_request_look: Duration,
    /// Set while the pictures to train on have changed and the policy has not looked at them.
    debounce: Option<RetrainDebounce>,
    /// There may be codes of models that are not kept.
    has_ownerless_codes: bool,
    /// Whether the neighbours of a large inventory are being found.
    is_surveying: bool,
    failed: BTreeMap<(Root, PathBuf), Trouble>,
    /// Troubles of the daemon itself, by what they are about.
    own_troubles: BTreeMap<&'static str, Trouble>,
    said_troubles: HashSet<Trouble>,
    said_searchable: Option<usize>,
    /// Changed keys that only a restart brings into force.
    awaiting_restart: Vec<String>,
    written: Option<(Duration, ServiceStatus)>,
    pace: Pace,
    /// Seconds since 1970.
    started_s: i64,
    metrics: Metrics,
    is_ready: bool,
    /// Keeps the service manager patient until then.
    patience_of_manager: manager::Patience,
    /// How often a signal had the settings read again.
    reloads: u64,
    started: Instant,
    pulse: Pulse,
    /// When a watcher was last started, while none works.
    watcher_tried: Duration,
    /// Something changed since the last report.
    is_report_due: bool,
    next_report: Duration,
    next_poll: Duration,
    next_rescan: Duration,
    lock: Lock,
}

impl Daemon {
    /// Runs until a signal or the observer ends it.
    pub fn run(setup: Setup, observer: &mut dyn Observer) -> Result<(), Fatal> {
        Self::start(setup)?.turn(observer)
    }

    /// Reads what is to be read, trains once whatever the policy says, and answers no queries. The observer ends it when
    /// the training is over.
    pub fn train(setup: Setup, observer: &mut dyn Observer) -> Result<(), Fatal> {
        let mut daemon = Self::start(setup)?;
        daemon.trees.remove(&Root::Query);
        daemon.train_request = Some(TrainRequest::Own);
        daemon.turn(observer)
    }

    fn turn(self, observer: &mut dyn Observer) -> Result<(), Fatal> {
        let mut daemon = self;
        loop {
            match daemon.channels.next(daemon.patience()) {
                Event::Hint(Hint::Path(path)) => daemon.take_hint(&path),
                Event::Hint(Hint::Lost) => daemon.look_everywhere(),
                Event::Done(outcomes) => daemon.finish(outcomes),
                Event::Training(message) => daemon.take_news(*message),
                Event::Surveyed(end) => daemon.take_survey(end),
                Event::Signal(Signal::Reload) => daemon.reload_as_told(),
                Event::Signal(Signal::Stop) => break,
                Event::Tick => {}
            }
            daemon.look();
            daemon.hear_requests();
            daemon.consider_training();
            daemon.consider_survey();
            daemon.start_jobs();
            if !daemon.report(State::Ready, observer) {
                break;
            }
            if let Some(message) = daemon.fatal_reason.take() {
                daemon.stop(observer)?;
                return Err(Fatal::Failed(message));
            }
            if !daemon.lock.is_in_place() {
                return Err(daemon.state_is_gone());
            }
        }
        daemon.stop(observer)
    }

    /// Time since the start: the clock of everything that waits.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// How long the loop may sleep.
    fn patience(&self) -> Duration {
        let now = self.now();
        let trees = self.trees.values().filter_map(Tree::next_due);
        let report = self.is_report_due.then_some(self.next_report);
        let training = self.training_due();
        let quiet = Duration::from_millis(self.config.watch.settle_ms.get());
        let config = self.config_seen.map(|(_, since)| since + quiet);
        let due = trees.chain(self.plan.next_due(now)).chain(training).chain(report).chain(config).min();
        due.map_or(TICK, |due| due.saturating_sub(now).min(TICK))
    }

    fn tree(&self, root: Root) -> Option<&Tree> {
        self.trees.get(&root)
    }

    fn take_hint(&mut self, path: &Path) {
        if self.pulse.hears(path) {
            return;
        }
        if path.starts_with(requests::folder(&self.config.folders.state)) {
            self.next_request_look = Duration::ZERO;
            return;
        }
        let now = self.now();
        self.trees.values_mut().for_each(|tree| {
            tree.hint(path, now);
        });
        if self.setup.source.path.parent() == path.parent() {
            self.reload_if_changed();
        }
    }

    /// Hints were lost: every watch is armed anew, every folder looked at. A folder made meanwhile has no watch, and
    /// arming one that seems to be armed does nothing.
    fn look_everywhere(&mut self) {
        let remedy = "every folder is being looked through; if this happens often: sudo sysctl fs.inotify.max_queued_events=131072";
        let trouble = Trouble::new("more happened at once than the system could tell", QUEUE_LIMIT, remedy);
        self.note("overflow", Some(trouble));
        let now = self.now();
        for tree in self.trees.values_mut() {
            self.hints.disarm_below(tree.root());
            tree.mark_all(now);
        }
    }

    /// Without its state folder nothing the daemon does would last, and a second one could start beside it.
    fn state_is_gone(&self) -> Fatal {
        let folder = self.config.folders.state.display();
        Fatal::Failed(format!(
            "{folder}: the state folder was moved or removed under the running service; put it back, or start again to have it rebuilt"
        ))
    }

    /// Ends in order: what is under way is finished and kept, nothing new is started.
    fn stop(mut self, observer: &mut dyn Observer) -> Result<(), Fatal> {
        info!("stopping");
        self.training = None;
        self.quarantine.break_off();
        manager::stopping();
        self.next_report = Duration::ZERO;
        self.report(State::Stopping, observer);
        let deadline = Instant::now() + STOP_PATIENCE;
        while self.plan.busy() > 0 && Instant::now() < deadline {
            if let Event::Done(outcomes) = self.channels.next(Duration::from_millis(100)) {
                self.finish(outcomes);
            }
        }
        self.quarantine.close();
        self.gallery.finish();
        self.next_report = Duration::ZERO;
        self.report(State::Stopping, observer);
        info!("stopped");
        Ok(())
    }
}
