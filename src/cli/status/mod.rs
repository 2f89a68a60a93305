//! `artificio status`: what the running service is doing, from its `status.json`.

mod told;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::arguments::StatusOptions;
use super::output;
use crate::clock;
use crate::config::{self, Config};
use crate::daemon::{STATUS_FILE_NAME, Setup};
use crate::error::{Fatal, reason};
use crate::files::Lock;
use told::told;

/// With `--watch`, the file is looked at this often.
const PAUSE: Duration = Duration::from_millis(500);
/// Puts the cursor home and takes away what stood there.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

pub fn run(options: &StatusOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    // With a mistake in the settings a daemon goes on by the old ones, and that is when people ask how it is.
    let config = config::load(&setup.source, &setup.root)
        .unwrap_or_else(|_| Config { folders: Config::default().folders.below(&setup.root), ..Config::default() });
    let service = Service { root: setup.root.clone(), state: config.folders.state };
    if !options.watch {
        let text = service.text()?;
        match options.json {
            true => output::print(&text)?,
            false => output::print(&told(&service.parsed(&text)?, clock::now_s(), output::has_colours()))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    watch(options, &service)
}

/// Until the service ends, or Ctrl-C: the whole status again and again on a terminal, elsewhere whenever it is another.
fn watch(options: &StatusOptions, service: &Service) -> Result<ExitCode, Fatal> {
    let is_screen = std::io::stdout().is_terminal() && !options.json;
    let mut said = String::new();
    loop {
        let status = service.parsed(&service.text()?)?;
        let text = match options.json {
            true => format!("{status}\n"),
            false => told(&status, clock::now_s(), output::has_colours()),
        };
        if is_screen {
            output::print(&format!("{CLEAR}{text}"))?;
        } else if text != said {
            let gap = if options.json || said.is_empty() { "" } else { "\n" };
            // Whoever has read enough has closed the pipe.
            if !output::is_taken(&format!("{gap}{text}"))? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        said = text;
        sleep(PAUSE);
    }
}

/// The service on a root.
struct Service {
    root: PathBuf,
    state: PathBuf,
}

impl Service {
    /// The content of its `status.json`; a file left by one that has ended deceives nobody.
    fn text(&self) -> Result<String, Fatal> {
        if !Lock::is_held(&self.state) {
            let root = self.root.display();
            return Err(Fatal::Failed(format!("not running on {root}; start it with: artificio --root '{root}'")));
        }
        let path = self.path();
        std::fs::read_to_string(&path).map_err(|error| {
            let why = reason(&error);
            Fatal::Failed(format!("{}: the status cannot be read: {why} (just started? try again)", path.display()))
        })
    }

    fn parsed(&self, text: &str) -> Result<Value, Fatal> {
        serde_json::from_str(text)
            .map_err(|error| Fatal::Failed(format!("{}: the status makes no sense: {error}", self.path().display())))
    }

    fn path(&self) -> PathBuf {
        Path::new(&self.state).join(STATUS_FILE_NAME)
    }
}
