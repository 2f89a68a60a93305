//! Measures the time from the start of the service to READY with a full catalog: `cargo bench --bench start -- 36 100000`.
//! The pictures are links to one file, and in the catalog each has been read already: nothing is decoded.

mod filled_root;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use artificio::config::{Setup, Source};
use artificio::daemon::{Daemon, Observer};
use artificio::service_status::{ServiceStatus, State};
use filled_root::fill;

/// Ends the service as soon as it is ready.
struct UntilReady {
    started: Instant,
    ready_s: Option<(f64, usize)>,
}

impl Observer for UntilReady {
    fn goes_on(&mut self, status: &ServiceStatus) -> bool {
        if status.state == State::Starting {
            return true;
        }
        self.ready_s.get_or_insert((self.started.elapsed().as_secs_f64(), status.inventory.indexed));
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for count in if counts.is_empty() { vec![36, 100_000] } else { counts } {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("start-{}-{count}", std::process::id()));
        let result = measure(&place, count);
        fs::remove_dir_all(&place)?;
        result?;
    }
    Ok(())
}

fn measure(root: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    fill(root, count)?;
    for run in 1..=3 {
        let source = Source { path: root.join("config/artificio.toml"), required: false };
        let mut observer = UntilReady { started: Instant::now(), ready_s: None };
        Daemon::run(Setup { root: root.to_path_buf(), source }, &mut observer)?;
        let (seconds, indexed) = observer.ready_s.ok_or("it never became ready")?;
        assert_eq!(indexed, count, "all pictures are searchable when it is ready");
        println!("start {run} with {count} catalogued pictures: READY after {seconds:.2} s");
    }
    Ok(())
}
