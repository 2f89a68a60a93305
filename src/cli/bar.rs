//! How far a long command is: a bar on a terminal, a plain line now and then elsewhere. Ctrl-C ends the work in order.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::terminal;
use crate::error::Fatal;
use crate::progress::Progress;

/// Where there is no terminal, a line this often is enough.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Steps of the bar.
const STEPS: u64 = 1000;
/// What a shell says of a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Shows one stage after the other on standard error.
pub struct Gauge {
    bar: ProgressBar,
    stage: Mutex<(String, Instant)>,
    said: AtomicU64,
    /// Letters that the line has for the name of a stage.
    room: usize,
}

impl Gauge {
    /// Nothing to show yet.
    pub fn new() -> Self {
        let columns = terminal::size(&std::io::stderr()).map_or(80, |size| size.columns);
        let (template, room) = line(columns);
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        // indicatif draws only where standard error is a terminal; one that cannot go back is none to it.
        let target = if terminal::is_dumb() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(STEPS), target).with_style(style);
        Self { bar, stage: Mutex::new((String::new(), Instant::now())), said: AtomicU64::new(0), room }
    }

    /// Goes on to a stage: "reading pictures". To be called as often as one likes.
    pub fn stage(&self, name: &str) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if stage.0 == name {
            return;
        }
        *stage = (name.to_string(), Instant::now());
        self.said.store(0, Ordering::Relaxed);
        self.bar.set_message(name.chars().take(self.room).collect::<String>());
        self.bar.set_position(0);
        if self.bar.is_hidden() {
            eprintln!("{name}");
        }
    }

    /// Prints something else meanwhile.
    pub fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the bar away; what is printed next stands on a clean line.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn say(&self, share: f32) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = stage.1.elapsed().as_secs() / LINE_INTERVAL.as_secs();
        if turn > self.said.fetch_max(turn, Ordering::Relaxed) {
            eprintln!("{}: {:.0} %", stage.0, 100.0 * share);
        }
    }
}

impl Progress for Gauge {
    fn told(&self, share: f32) {
        self.bar.set_position((share.clamp(0.0, 1.0) * STEPS as f32) as u64);
        if self.bar.is_hidden() {
            self.say(share);
        }
    }
}

/// The line that is drawn, and how many letters of a name it has room for. One that is broken by the edge of the terminal
/// cannot be taken away again, so a narrow one has a shorter bar or none.
fn line(columns: usize) -> (String, usize) {
    let (bar, width) = match columns.saturating_sub(48).min(30) {
        0..6 => (String::new(), 0),
        cells => (format!("[{{bar:{cells}}}] "), cells + 3),
    };
    (format!("{bar}{{percent:>3}} % {{msg}}"), columns.saturating_sub(width + 7))
}

/// A gauge that hears Ctrl-C.
pub struct Bar {
    gauge: Gauge,
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
        Ok(Self { gauge: Gauge::new(), stopped })
    }

    /// What shows how far the work is.
    pub fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// Begins a stage: "reading pictures".
    pub fn stage(&self, name: &str) {
        self.gauge.stage(name);
    }

    /// Takes the bar away; what is printed next stands on a clean line.
    pub fn clear(&self) {
        self.gauge.clear();
    }

    /// What a command says that was told to end.
    pub fn stopped(&self) -> Fatal {
        self.clear();
        Fatal::Failed("stopped; nothing was written".into())
    }
}

impl Progress for Bar {
    fn told(&self, share: f32) {
        self.gauge.told(share);
    }

    fn is_cancelled(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_has_a_shorter_bar_or_none() {
        assert_eq!(line(40), ("{percent:>3} % {msg}".into(), 33));
        assert_eq!(line(60), ("[{bar:12}] {percent:>3} % {msg}".into(), 38));
        assert_eq!(line(200), ("[{bar:30}] {percent:>3} % {msg}".into(), 160));
    }
}
