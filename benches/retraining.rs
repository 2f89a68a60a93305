//! A retraining of a root that `cargo bench --bench start -- fill ROOT 100000` has filled: `cargo bench --bench retraining -- ROOT`.
//! Prints seconds and CPU seconds from the order to the new model serving, and memory before and at the peak.
//!
//! Contents and features are made up; nothing is decoded.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use artificio::config::{Setup, Source};
use artificio::daemon::{Daemon, Observer};
use artificio::service_status::{ServiceStatus, State};

/// Ends the service when the model that was trained serves.
struct UntilTrained {
    /// Id of the model before, when the service was ready, CPU seconds and memory at that time.
    ready: Option<(String, Instant, f64, u64)>,
    done: Option<(f64, f64)>,
}

impl Observer for UntilTrained {
    fn goes_on(&mut self, status: &ServiceStatus) -> bool {
        if status.state == State::Starting {
            return true;
        }
        match &self.ready {
            None => {
                // Peaks of the past are forgotten, such as that of filling the catalog.
                let _ = fs::write("/proc/self/clear_refs", "5");
                self.ready = Some((status.model.id.clone(), Instant::now(), cpu_s(), memory_mb("VmRSS:")));
                true
            }
            Some((before, since, cpu_before, _)) if status.model.id != *before => {
                self.done = Some((since.elapsed().as_secs_f64(), cpu_s() - cpu_before));
                false
            }
            Some(_) => true,
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().skip(1).find(|argument| argument != "--bench").ok_or("ROOT is missing")?;
    let root = PathBuf::from(root);
    let source = Source { path: root.join("config/artificio.toml"), required: false };
    let mut observer = UntilTrained { ready: None, done: None };
    Daemon::train(Setup { root, source }, &mut observer)?;
    let (_, _, _, before_mb) = observer.ready.ok_or("it never became ready")?;
    let (seconds, cpu_s) = observer.done.ok_or("no model was trained")?;
    let peak_mb = memory_mb("VmHWM:");
    println!("new model after {seconds:.1} s, {cpu_s:.1} CPU s; {before_mb} MB before, {peak_mb} MB at the peak");
    Ok(())
}

/// User and system time of all threads.
fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn memory_mb(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) / 1024
}
