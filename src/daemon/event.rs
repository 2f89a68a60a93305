//! Everything that can happen to the daemon, as one closed list.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, select};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::survey::SurveyEnd;
use super::workers::Outcome;
use crate::error::Trouble;
use crate::training::job::TrainingMessage;
use crate::watch::Hint;

/// Hints waiting; more are a loss, which costs one look at everything.
const HINT_CAPACITY: usize = 16_384;
/// Outcomes waiting; a worker waits when it is full.
const OUTCOME_CAPACITY: usize = 256;

/// Something happened.
pub enum Event {
    /// In a folder.
    Hint(Hint),
    /// Jobs ended.
    Done(Vec<Outcome>),
    /// A training thread has something to say.
    Training(Box<TrainingMessage>),
    /// The neighbours of all inventory pictures were found, or not.
    Surveyed(SurveyEnd),
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
    surveyed: Receiver<SurveyEnd>,
    signals: Receiver<Signal>,
    /// For the watcher.
    pub hint_sender: Sender<Hint>,
    /// For the watcher, when it has too much to say.
    pub lost_sender: Sender<Hint>,
    /// For the workers.
    pub outcome_sender: Sender<Outcome>,
    /// For the training thread, which waits until the loop has taken in what it said before.
    pub training_sender: Sender<TrainingMessage>,
    /// For the survey thread.
    pub survey_sender: Sender<SurveyEnd>,
}

impl Channels {
    /// Opens them all and starts listening for signals.
    pub fn open() -> Result<Self, Trouble> {
        let (hint_sender, hints) = bounded(HINT_CAPACITY);
        let (lost_sender, lost) = bounded(1);
        let (outcome_sender, outcomes) = bounded(OUTCOME_CAPACITY);
        let (training_sender, training) = bounded(1);
        let (survey_sender, surveyed) = bounded(1);
        let signals = listen_for_signals()?;
        Ok(Self {
            hints,
            lost,
            outcomes,
            training,
            surveyed,
            signals,
            hint_sender,
            lost_sender,
            outcome_sender,
            training_sender,
            survey_sender,
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
            recv(self.surveyed) -> end => end.map_or(Event::Tick, Event::Surveyed),
            default(patience) => Event::Tick,
        }
    }

    /// A further hint that is there already.
    pub fn another_hint(&self) -> Option<Hint> {
        self.hints.try_recv().ok()
    }
}

fn listen_for_signals() -> Result<Receiver<Signal>, Trouble> {
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
    thread::Builder::new().name("signals".into()).spawn(listen).map_err(failed)?;
    Ok(receiver)
}
