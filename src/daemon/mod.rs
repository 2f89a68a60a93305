//! The running service: one event loop that turns what happens in the folders into jobs, and jobs into answers.
//!
//! `Daemon::turn` is the whole program on one page: it handles an event, then takes each step that may be due. `plan` and
//! `training::policy` decide what to do and do no input or output; `workers` do the work and decide nothing. The state is
//! kept in the parts of `state`.

mod by_root;
mod catalog_file;
mod changes;
mod commands;
mod confinement;
mod descriptors;
mod encode;
mod event;
mod expiry;
mod following;
mod gallery;
mod model_switch;
pub mod mounts;
mod network;
mod outcomes;
mod plan;
mod reload;
mod repair;
mod reporting;
mod requests;
mod retrain;
mod retry;
mod review;
mod start;
mod state;
mod state_folder;
mod supervision;
mod sweep;
mod timers;
mod turn_clock;
mod workers;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::info;

use crate::catalog::Root;
use crate::config::{Config, Setup};
use crate::error::{Fatal, Trouble};
use crate::model::FeatureKind;
use crate::service_status::{ServiceStatus, State};
use crate::serving::Shared;
use crate::watch::{Hint, Tree};

use catalog_file::Condition;
use event::{Channels, Event, Signal};
use plan::{Plan, Task};
use reporting::manager;
use state::{Folders, Lifecycle, Pictures, Queries, Reporting, Settings, Store, TrainRequest, TrainingState};
use turn_clock::TurnClock;
use workers::Workers;

pub use reporting::publish::filter as log_filter;
pub use requests::{Request, ask as ask_service};
pub use timers::EMPTIED_ON_PURPOSE;

/// The root folders and the configuration file are checked at least this often.
const TICK: Duration = Duration::from_secs(1);
/// Hints handled in one turn; those left bring the next turn at once.
const HINTS_A_TURN: usize = 4_096;
/// The system's limit of queued events.
const QUEUE_LIMIT: &str = "/proc/sys/fs/inotify/max_queued_events";
/// When the daemon is asked to stop, work under way gets this long to end.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// Follows the daemon from within the process: for progress bars, and to end it.
pub trait Observer {
    /// Called after every turn of the loop in which something changed; `false` ends the daemon.
    fn goes_on(&mut self, _status: &ServiceStatus) -> bool {
        true
    }

    /// Whether to wait for a state folder that cannot be used at the start, rather than to end with the reason.
    fn waits(&self) -> bool {
        false
    }
}

/// Lets the daemon run until a signal ends it.
pub struct NoObserver;

impl Observer for NoObserver {
    fn waits(&self) -> bool {
        true
    }
}

/// How a run ended.
enum Ending {
    /// Somebody asked for it.
    Stopped,
    /// The catalog is damaged and must be replaced.
    CatalogDamaged,
    /// The state folder is another one, or is gone.
    StateLost,
}

/// The service. All of its state can be rebuilt from the catalog and the folders.
pub struct Daemon {
    settings: Settings,
    store: Store,
    serving: Shared,
    channels: Channels,
    folders: Folders,
    pictures: Pictures,
    plan: Plan,
    workers: Workers,
    queries: Queries,
    training: TrainingState,
    reporting: Reporting,
    life: Lifecycle,
}

/// A name for the log, and what it does.
type TurnStep = (&'static str, fn(&mut Daemon));

/// What may be due after an event, in this order. Each does a bounded amount of work, so that no turn takes long: what is left is
/// done in the next one.
const STEPS: [TurnStep; 25] = [
    ("check the confinement", Daemon::check_confinement),
    ("check the state folder", Daemon::check_state_folder),
    ("take hints", Daemon::take_waiting_hints),
    ("test the watcher", Daemon::test_watcher),
    ("abandon decodings", Daemon::abandon_overdue_decodings),
    ("write again", Daemon::retry_writing),
    ("repair rows", Daemon::repair_rows),
    ("drop embeddings", Daemon::drop_orphaned_embeddings),
    ("drop contents", Daemon::drop_orphaned_contents),
    ("expire answers", Daemon::expire_answers),
    ("poll folders", Daemon::poll_folders),
    ("rescan folders", Daemon::rescan_folders),
    ("reload", Daemon::reload_if_changed),
    ("recheck failed", Daemon::recheck_failed),
    ("look at folders", Daemon::look_at_folders),
    ("enqueue queries", Daemon::enqueue_settled_queries),
    ("take requests", Daemon::take_requests),
    ("review answers", Daemon::review_answers),
    ("consider the network", Daemon::consider_network),
    ("follow the trainer", Daemon::follow_trainer),
    ("consider training", Daemon::consider_training),
    ("hold back untrained", Daemon::hold_back_untrained),
    ("measure inventory", Daemon::measure_inventory),
    ("start jobs", Daemon::start_jobs),
    ("supervise workers", Daemon::supervise_workers),
];

impl Daemon {
    /// Runs until a signal or the observer ends it.
    pub fn run(setup: Setup, observer: &mut dyn Observer) -> Result<(), Fatal> {
        Self::run_prepared(setup, observer, |_| ())
    }

    /// Reads new pictures, trains once regardless of the policy, and answers no queries. The observer ends it after the
    /// training.
    pub fn train(setup: Setup, observer: &mut dyn Observer) -> Result<(), Fatal> {
        Self::run_prepared(setup, observer, |daemon| {
            daemon.folders.ignore(Root::Query);
            daemon.training.ask_for(TrainRequest::Owner);
        })
    }

    /// Begins again with an empty catalog when the catalog turns out to be damaged, once, and with another state folder when that
    /// takes the place of the first.
    fn run_prepared(setup: Setup, observer: &mut dyn Observer, prepare: impl Fn(&mut Self)) -> Result<(), Fatal> {
        let mut condition = Condition::Unknown;
        let helper = confinement::start_helper(&setup, observer)?;
        let confinement = confinement::begin(&setup, observer)?;
        loop {
            let prepared = (Arc::clone(&confinement), helper.clone());
            let started = Self::start(setup.clone(), prepared, condition, observer)?;
            let Some(mut daemon) = started else { return Ok(()) };
            prepare(&mut daemon);
            match daemon.turn(observer)? {
                Ending::Stopped => return Ok(()),
                Ending::StateLost => condition = Condition::Unknown,
                Ending::CatalogDamaged if condition == Condition::Unknown => condition = Condition::Damaged,
                Ending::CatalogDamaged => {
                    let reason =
                        "the catalog was damaged again after it had been made again; see whether the disk is healthy";
                    return Err(Fatal::Failed(reason.into()));
                }
            }
        }
    }

    fn turn(self, observer: &mut dyn Observer) -> Result<Ending, Fatal> {
        let mut daemon = self;
        loop {
            let event = daemon.channels.next(daemon.patience());
            let mut clock = TurnClock::start();
            match event {
                Event::Hint(hint) => daemon.take_hint(hint),
                Event::Done(outcomes) => daemon.take_outcomes(outcomes),
                Event::Training(message) => daemon.take_training_event(*message),
                Event::ThreadEnded(end) => daemon.take_thread_end(&end),
                Event::Signal(Signal::Reload) => daemon.reload_by_signal(),
                Event::Signal(Signal::Stop) => break,
                Event::Tick => {}
            }
            clock.step("take the event");
            for (name, step) in STEPS {
                step(&mut daemon);
                clock.step(name);
            }
            let goes_on = daemon.report(State::Ready, observer);
            clock.step("report");
            daemon.reporting.metrics().count_turn(clock.end());
            if !goes_on {
                break;
            }
            if let Some(reason) = daemon.life.take_fatal_reason() {
                daemon.stop(observer)?;
                return Err(Fatal::Failed(reason));
            }
            if daemon.life.has_lost_state() {
                daemon.finish_work();
                return Ok(Ending::StateLost);
            }
            if daemon.store.catalog().is_damaged() {
                daemon.finish_work();
                return Ok(Ending::CatalogDamaged);
            }
        }
        daemon.stop(observer).map(|()| Ending::Stopped)
    }

    /// Time since the start: the clock for everything that waits.
    fn now(&self) -> Duration {
        self.life.now()
    }

    fn config(&self) -> &Config {
        self.settings.config()
    }

    /// The features that the model in use takes.
    fn features(&self) -> FeatureKind {
        self.serving.read().model.features().clone()
    }

    /// How long the loop may sleep.
    fn patience(&self) -> Duration {
        let now = self.now();
        let due = [
            self.folders.next_due(),
            self.plan.next_due(now),
            self.training.next_due(now, self.training_quiet()),
            self.reporting.next_due(),
            self.queries.next_due(),
            self.settings.next_due(),
        ];
        due.into_iter().flatten().min().map_or(TICK, |due| due.saturating_sub(now).min(TICK))
    }

    fn tree(&self, root: Root) -> Option<&Tree> {
        self.folders.tree(root)
    }

    fn note(&mut self, about: &'static str, trouble: Option<Trouble>) {
        self.reporting.note(about, trouble);
    }

    fn take_hint(&mut self, hint: Hint) {
        match hint {
            Hint::Path(path) => self.take_path_hint(&path),
            Hint::Renamed(path) => {
                self.take_path_hint(&path);
                self.folders.renamed_hint(&path, self.now());
            }
            Hint::Lost => {
                let remedy = "every folder is being scanned; if this happens often: sudo sysctl fs.inotify.max_queued_events=131072";
                let trouble = Trouble::new("more happened at once than the system could report", QUEUE_LIMIT, remedy);
                self.note("overflow", Some(trouble));
                self.folders.look_everywhere();
                self.reporting.gallery().hint_all();
            }
        }
    }

    fn take_path_hint(&mut self, path: &Path) {
        if self.folders.is_self_test(path) {
            return;
        }
        if path.starts_with(requests::folder(&self.config().folders.state)) {
            self.channels.hurry_requests();
            return;
        }
        if path.parent() == Some(&self.config().folders.answer) {
            let name = path.file_name().unwrap_or_default();
            // The page itself only matters when it was removed.
            if name != gallery::PAGE || !path.exists() {
                self.reporting.gallery().hint(name);
            }
            self.queries.postponed().hurry(name);
            return;
        }
        let now = self.now();
        self.folders.hint(path, now);
        if self.settings.path().parent() == path.parent() {
            self.reload_if_settled();
        }
    }

    /// Hints come in bursts: many are handled in one turn.
    fn take_waiting_hints(&mut self) {
        for _ in 0..HINTS_A_TURN {
            let Some(hint) = self.channels.another_hint() else { break };
            self.take_hint(hint);
        }
    }

    /// Shuts down cleanly: work under way is finished and stored, nothing new is started.
    fn stop(mut self, observer: &mut dyn Observer) -> Result<(), Fatal> {
        info!("stopping");
        manager::stopping();
        self.reporting.hurry();
        self.report(State::Stopping, observer);
        self.finish_work();
        let moved = self.store.catalog().checkpoint();
        self.note("catalog", moved.err());
        self.reporting.hurry();
        self.report(State::Stopping, observer);
        info!("stopped");
        Ok(())
    }

    fn finish_work(&mut self) {
        self.workers.nodes().iter().for_each(|nodes| nodes.state().stop());
        drop(self.training.end());
        self.workers.quarantine().cancel_trials();
        for Task { root, path } in self.workers.take_unstarted() {
            self.plan.ended(root, &path);
        }
        let deadline = Instant::now() + STOP_PATIENCE;
        while self.plan.busy() > 0 && Instant::now() < deadline {
            if let Event::Done(outcomes) = self.channels.next(Duration::from_millis(100)) {
                self.take_outcomes(outcomes);
            }
        }
        self.workers.quarantine().close();
        self.reporting.gallery().finish();
    }
}
