//! Everything that can happen to the daemon, as one closed list.

use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::graph_build::GraphBuilt;
use super::workers::Outcome;
use crate::error::Trouble;
use crate::threads::{self, ThreadEnd};
use crate::training::job::TrainingMessage;
use crate::watch::Hint;

/// Hints waiting; more are a loss, which costs one look at everything.
const HINT_CAPACITY: usize = 16_384;
/// Outcomes waiting; a worker waits when it is full.
const OUTCOME_CAPACITY: usize = 256;

/// Where no event tells of a request, it is found after this long.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);
/// Name of the thread that waits for signals.
pub const SIGNALS: &str = "signals";

/// Something happened.
pub enum Event {
    /// In a folder.
    Hint(Hint),
    /// Jobs ended.
    Done(Vec<Outcome>),
    /// A training thread has something to say.
    Training(Box<TrainingMessage>),
    /// The neighbours of all inventory pictures were found, or not.
    GraphBuilt(GraphBuilt),
    /// A thread has ended, by a panic or by itself.
    ThreadEnded(ThreadEnd),
    /// From outside.
    Signal(Signal),
    /// Nothing, for a while.
    Tick,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The ends of all channels that lead to the event loop.
pub struct Channels {
    hints: Receiver<Hint>,
    lost: Receiver<Hint>,
    outcomes: Receiver<Outcome>,
    training: Receiver<TrainingMessage>,
    graphs: Receiver<GraphBuilt>,
    ends: Receiver<ThreadEnd>,
    signals: Receiver<Signal>,
    /// When the folder of requests is looked at next.
    next_requests: Duration,
    /// For the watcher.
    pub hint_sender: Sender<Hint>,
    /// For the watcher, when it has too much to say.
    pub lost_sender: Sender<Hint>,
    /// For the workers.
    pub outcome_sender: Sender<Outcome>,
    /// For the training thread, which waits until the loop has taken in what it said before.
    pub training_sender: Sender<TrainingMessage>,
    /// For the thread that finds neighbours.
    pub graph_sender: Sender<GraphBuilt>,
    /// For whoever starts threads.
    pub end_sender: Sender<ThreadEnd>,
}

impl Channels {
    /// Opens them all and starts listening for signals.
    pub fn open() -> Result<Self, Trouble> {
        let (hint_sender, hints) = bounded(HINT_CAPACITY);
        let (lost_sender, lost) = bounded(1);
        let (outcome_sender, outcomes) = bounded(OUTCOME_CAPACITY);
        let (training_sender, training) = bounded(1);
        let (graph_sender, graphs) = bounded(1);
        // As many as there are threads: no end waits until the loop has time.
        let (end_sender, ends) = unbounded();
        let signals = listen_for_signals(end_sender.clone())?;
        Ok(Self {
            hints,
            lost,
            outcomes,
            training,
            graphs,
            ends,
            signals,
            next_requests: Duration::ZERO,
            hint_sender,
            lost_sender,
            outcome_sender,
            training_sender,
            graph_sender,
            end_sender,
        })
    }

    /// The next event, or a tick after `patience`.
    pub fn next(&self, patience: Duration) -> Event {
        select! {
            recv(self.signals) -> signal => signal.map_or(Event::Tick, Event::Signal),
            recv(self.outcomes) -> first => Event::Done(first.into_iter().chain(self.outcomes.try_iter()).collect()),
            recv(self.lost) -> _ => Event::Hint(Hint::Lost),
            recv(self.hints) -> hint => hint.map_or(Event::Tick, Event::Hint),
            recv(self.training) -> message => message.map_or(Event::Tick, |message| Event::Training(Box::new(message))),
            recv(self.graphs) -> built => built.map_or(Event::Tick, Event::GraphBuilt),
            recv(self.ends) -> end => end.map_or(Event::Tick, Event::ThreadEnded),
            default(patience) => Event::Tick,
        }
    }

    /// Whether it is time to look for requests of commands, which are files.
    pub fn are_requests_due(&mut self, now: Duration) -> bool {
        let are_due = now >= self.next_requests;
        if are_due {
            self.next_requests = now + REQUEST_INTERVAL;
        }
        are_due
    }

    /// A request has come.
    pub fn hurry_requests(&mut self) {
        self.next_requests = Duration::ZERO;
    }

    /// A further hint that is there already.
    pub fn another_hint(&self) -> Option<Hint> {
        self.hints.try_recv().ok()
    }
}

fn listen_for_signals(ends: Sender<ThreadEnd>) -> Result<Receiver<Signal>, Trouble> {
    let failed = |error: std::io::Error| Trouble::system("listen for signals", Path::new("artificio"), &error);
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(failed)?;
    let (sender, receiver) = bounded(16);
    let listen = move || {
        for signal in signals.forever() {
            let meaning = if signal == SIGHUP { Signal::Reload } else { Signal::Stop };
            if sender.send(meaning).is_err() {
                return;
            }
        }
    };
    threads::spawn(SIGNALS, ends, listen)?;
    Ok(receiver)
}
