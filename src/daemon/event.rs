//! The events that the daemon reacts to, as one closed enum, and the channels on which they arrive.

use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::workers::Outcome;
use crate::error::Trouble;
use crate::threads::{self, ThreadEnd};
use crate::training::job::TrainingMessage;
use crate::watch::Hint;

/// Hints waiting at most; when more arrive, all folders are scanned once.
const HINT_CAPACITY: usize = 16_384;
/// Outcomes waiting at most; a worker waits when the channel is full.
const OUTCOME_CAPACITY: usize = 256;

/// A request that caused no event is found after this long.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);
/// Name of the thread that waits for signals.
pub const SIGNALS: &str = "signals";

/// An event.
pub enum Event {
    /// Something changed in a folder.
    Hint(Hint),
    /// Jobs ended.
    Done(Vec<Outcome>),
    /// A message of a training thread.
    Training(Box<TrainingMessage>),
    /// A thread has ended, normally or by a panic.
    ThreadEnded(ThreadEnd),
    /// A signal of the operating system.
    Signal(Signal),
    /// Nothing happened for a while.
    Tick,
}

/// The meaning of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The ends of all channels that lead to the event loop. The thread that waits for signals ends when this is dropped.
pub struct Channels {
    hints: Receiver<Hint>,
    lost: Receiver<Hint>,
    outcomes: Receiver<Outcome>,
    training: Receiver<TrainingMessage>,
    ends: Receiver<ThreadEnd>,
    signals: Receiver<Signal>,
    signals_end: Handle,
    /// When the folder of requests is checked next.
    next_requests: Duration,
    /// For the watcher.
    pub hint_sender: Sender<Hint>,
    /// For the watcher, when it lost hints.
    pub lost_sender: Sender<Hint>,
    /// For the workers.
    pub outcome_sender: Sender<Outcome>,
    /// For the training thread, which waits until the loop has taken its last message.
    pub training_sender: Sender<TrainingMessage>,
    /// For every thread started.
    pub end_sender: Sender<ThreadEnd>,
}

impl Channels {
    /// Opens all channels and starts listening for signals.
    pub fn open() -> Result<Self, Trouble> {
        let (hint_sender, hints) = bounded(HINT_CAPACITY);
        let (lost_sender, lost) = bounded(1);
        let (outcome_sender, outcomes) = bounded(OUTCOME_CAPACITY);
        let (training_sender, training) = bounded(1);
        // Unbounded, but there are only as many ends as threads: a thread never waits for the loop to end.
        let (end_sender, ends) = unbounded();
        let (signals, signals_end) = listen_for_signals(end_sender.clone())?;
        Ok(Self {
            hints,
            lost,
            outcomes,
            training,
            ends,
            signals,
            signals_end,
            next_requests: Duration::ZERO,
            hint_sender,
            lost_sender,
            outcome_sender,
            training_sender,
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
            recv(self.ends) -> end => end.map_or(Event::Tick, Event::ThreadEnded),
            default(patience) => Event::Tick,
        }
    }

    /// Whether it is time to check for requests of commands, which are files.
    pub fn are_requests_due(&mut self, now: Duration) -> bool {
        let are_due = now >= self.next_requests;
        if are_due {
            self.next_requests = now + REQUEST_INTERVAL;
        }
        are_due
    }

    /// Checks for requests at the next turn.
    pub fn hurry_requests(&mut self) {
        self.next_requests = Duration::ZERO;
    }

    /// The next hint, if one is waiting.
    pub fn another_hint(&self) -> Option<Hint> {
        self.hints.try_recv().ok()
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        self.signals_end.close();
    }
}

fn listen_for_signals(ends: Sender<ThreadEnd>) -> Result<(Receiver<Signal>, Handle), Trouble> {
    let failed = |error: std::io::Error| Trouble::system("listen for signals", Path::new("artificio"), &error);
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(failed)?;
    let (handle, (sender, receiver)) = (signals.handle(), bounded(16));
    let listen = move || {
        for signal in signals.forever() {
            let meaning = if signal == SIGHUP { Signal::Reload } else { Signal::Stop };
            if sender.send(meaning).is_err() {
                return;
            }
        }
    };
    threads::spawn(SIGNALS, ends, listen)?;
    Ok((receiver, handle))
}
