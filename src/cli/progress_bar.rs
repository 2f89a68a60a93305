//! The progress of a long command: a bar on a terminal, a plain line now and then elsewhere. Ctrl-C cancels the work.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};

use super::terminal;
use crate::error::Fatal;
use crate::progress::Progress;

/// Without a terminal, a line this often is enough.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Steps of the bar.
const STEPS: u64 = 1000;
/// The exit code that shells use for a program ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Shows one stage after the other on standard error.
pub struct StageProgress {
    bar: ProgressBar,
    stage: Mutex<CurrentStage>,
    /// The last interval since the stage began that has a line.
    intervals_printed: AtomicU64,
}

struct CurrentStage {
    name: String,
    started: Instant,
}

impl StageProgress {
    /// Nothing to show yet.
    pub fn new() -> Self {
        let columns = Term::stderr().size().1.into();
        let style = ProgressStyle::with_template(&template(columns)).unwrap_or_else(|_| ProgressStyle::default_bar());
        // indicatif draws only on a terminal; one whose cursor cannot go back is no better than a file.
        let target = if terminal::is_dumb() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(STEPS), target).with_style(style);
        let stage = CurrentStage { name: String::new(), started: Instant::now() };
        Self { bar, stage: Mutex::new(stage), intervals_printed: AtomicU64::new(0) }
    }

    /// Goes on to a stage ("reading pictures"), unless it is the present one.
    pub fn stage(&self, name: &str) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if stage.name == name {
            return;
        }
        *stage = CurrentStage { name: name.to_string(), started: Instant::now() };
        self.intervals_printed.store(0, Ordering::Relaxed);
        self.bar.set_message(name.to_string());
        self.bar.set_position(0);
        if self.bar.is_hidden() {
            eprintln!("{name}");
        }
    }

    /// Prints something else meanwhile.
    pub fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the bar, so that what is printed next starts on a clean line.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// A line in place of the bar, at most one an interval.
    fn print_line(&self, share: f32) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let interval = stage.started.elapsed().as_secs() / LINE_INTERVAL.as_secs();
        if interval > self.intervals_printed.fetch_max(interval, Ordering::Relaxed) {
            eprintln!("{}: {:.0} %", stage.name, 100.0 * share);
        }
    }
}

impl Progress for StageProgress {
    fn set_share(&self, share: f32) {
        self.bar.set_position((share.clamp(0.0, 1.0) * STEPS as f32) as u64);
        if self.bar.is_hidden() {
            self.print_line(share);
        }
    }
}

/// The line that is drawn. indicatif cuts the stage's name where the terminal ends; a narrow terminal has a shorter bar or
/// none, so that the name is still readable.
fn template(columns: usize) -> String {
    let bar = match columns.saturating_sub(48).min(30) {
        0..6 => String::new(),
        cells => format!("[{{bar:{cells}}}] "),
    };
    format!("{bar}{{percent:>3}} % {{wide_msg}}")
}

/// The same for work that Ctrl-C cancels.
pub struct CancellableProgress {
    stages: StageProgress,
    is_cancelled: Arc<AtomicBool>,
}

impl CancellableProgress {
    /// Nothing to show yet. From now on the first Ctrl-C cancels the work, the second one ends the process.
    pub fn new() -> Result<Self, Fatal> {
        let is_cancelled = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&is_cancelled))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&is_cancelled)))
                .map_err(|error| Fatal::Failed(format!("Ctrl-C cannot be listened for: {error}")))?;
        }
        Ok(Self { stages: StageProgress::new(), is_cancelled })
    }

    /// What shows the progress.
    pub fn stages(&self) -> &StageProgress {
        &self.stages
    }

    /// Begins a stage: "reading pictures".
    pub fn stage(&self, name: &str) {
        self.stages.stage(name);
    }

    /// Removes the bar, so that what is printed next starts on a clean line.
    pub fn clear(&self) {
        self.stages.clear();
    }

    /// The error that a command ends with when its work was cancelled.
    pub fn stopped(&self) -> Fatal {
        self.clear();
        Fatal::Failed("stopped; nothing was written".into())
    }
}

impl Progress for CancellableProgress {
    fn set_share(&self, share: f32) {
        self.stages.set_share(share);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_has_a_shorter_bar_or_none() {
        assert_eq!(template(40), "{percent:>3} % {wide_msg}");
        assert_eq!(template(60), "[{bar:12}] {percent:>3} % {wide_msg}");
        assert_eq!(template(200), "[{bar:30}] {percent:>3} % {wide_msg}");
    }
}
