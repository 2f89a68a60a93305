//! A retraining with so many pictures in the catalog, all of different contents: `cargo bench --bench retraining -- 10000 100000`.
//! Prints seconds and CPU seconds from the order to the new model serving, and memory before and at the peak.
//!
//! Features are made up, files are links; nothing is decoded.

mod filled_root;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use artificio::config::{Setup, Source};
use artificio::daemon::{Daemon, Observer};
use artificio::service_status::{ServiceStatus, State};
use filled_root::fill;

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
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for count in if counts.is_empty() { vec![10_000, 100_000] } else { counts } {
        let place =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("retraining-{}-{count}", std::process::id()));
        let result = measure(&place, count);
        fs::remove_dir_all(&place)?;
        result?;
    }
    Ok(())
}

fn measure(root: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    fill(root, count)?;
    let source = Source { path: root.join("config/artificio.toml"), required: false };
    let mut observer = UntilTrained { ready: None, done: None };
    Daemon::train(Setup { root: root.to_path_buf(), source }, &mut observer)?;
    let (_, _, _, before_mb) = observer.ready.ok_or("it never became ready")?;
    let (seconds, cpu_s) = observer.done.ok_or("no model was trained")?;
    let peak_mb = memory_mb("VmHWM:");
    println!(
        "{count} pictures: new model after {seconds:.1} s, {cpu_s:.1} CPU s; {before_mb} MB before, {peak_mb} MB at the peak"
    );
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
