//! How far a long command is: a bar on a terminal, a plain line now and then elsewhere. Ctrl-C ends the work in order.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::Fatal;
use crate::progress::Progress;

/// Where there is no terminal, a line this often is enough.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Steps of the bar.
const STEPS: u64 = 1000;
/// What a shell says of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Shows one stage after the other on standard error, and hears Ctrl-C.
pub struct Bar {
    bar: ProgressBar,
    stage: Mutex<(String, Instant)>,
    said: AtomicU64,
    stopped: Arc<AtomicBool>,
}

impl Bar {
    /// Nothing to show yet. From now on the first Ctrl-C asks the work to end, a second one ends the process.
    pub fn new() -> Result<Self, Fatal> {
        let stopped = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stopped))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stopped)))
                .map_err(|error| Fatal::Failed(format!("Ctrl-C cannot be listened for: {error}")))?;
        }
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {percent} %");
        // indicatif draws on standard error, and only where that is a terminal.
        let bar = ProgressBar::new(STEPS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let stage = Mutex::new((String::new(), Instant::now()));
        Ok(Self { bar, stage, said: AtomicU64::new(0), stopped })
    }

    /// Begins a stage: "reading pictures".
    pub fn stage(&self, name: &str) {
        self.bar.set_message(name.to_string());
        self.bar.set_position(0);
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = (name.to_string(), Instant::now());
        self.said.store(0, Ordering::Relaxed);
        if self.bar.is_hidden() {
            eprintln!("{name}");
        }
    }

    /// Takes the bar away; what is printed next stands on a clean line.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// What a command says that was told to end.
    pub fn stopped(&self) -> Fatal {
        self.clear();
        Fatal::Failed("stopped; nothing was written".into())
    }

    fn say(&self, share: f32) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = stage.1.elapsed().as_secs() / LINE_INTERVAL.as_secs();
        if turn > self.said.fetch_max(turn, Ordering::Relaxed) {
            eprintln!("{}: {:.0} %", stage.0, 100.0 * share);
        }
    }
}

impl Progress for Bar {
    fn told(&self, share: f32) {
        self.bar.set_position((share.clamp(0.0, 1.0) * STEPS as f32) as u64);
        if self.bar.is_hidden() {
            self.say(share);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
