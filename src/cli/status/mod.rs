//! `artificio status`: what the running service is doing, from its `status.json`.

mod told;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::arguments::StatusOptions;
use super::{output, terminal};
use crate::clock;
use crate::config;
use crate::config::Setup;
use crate::error::{Fatal, reason};
use crate::files::Lock;
use crate::service_status;
use told::{HANG, told};

/// With `--watch`, the file is looked at this often.
const PAUSE: Duration = Duration::from_millis(500);
/// Empties the screen. What was printed before can still be scrolled back to.
const CLEAR: &str = "\x1b[2J";

pub fn run(options: &StatusOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    let service = Service { root: setup.root.clone(), state: config::state_folder(&setup.source, &setup.root) };
    if !options.watch {
        let text = service.text()?;
        match options.json {
            true => output::print(&text)?,
            false => output::print(&shown(&service.parsed(&text)?))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    watch(options, &service)
}

/// Until the service ends, or Ctrl-C: the whole status again and again on a terminal, elsewhere whenever it is another.
fn watch(options: &StatusOptions, service: &Service) -> Result<ExitCode, Fatal> {
    let is_screen = std::io::stdout().is_terminal() && !options.json && !terminal::is_dumb();
    if is_screen {
        output::print(CLEAR)?;
    }
    let mut said = String::new();
    loop {
        // Before its first status there is none to watch; later it is the service's end that is to be told.
        if !said.is_empty() && !Lock::is_held(&service.state) {
            return Err(Fatal::Failed(format!("the service on {} has ended", service.root.display())));
        }
        let status = service.parsed(&service.text()?)?;
        let text = match options.json {
            true => format!("{status}\n"),
            false => shown(&status),
        };
        if is_screen {
            output::print(&redrawn(&text))?;
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

/// The status for whatever standard output is.
fn shown(status: &Value) -> String {
    let text = told(status, clock::now_s(), output::has_colours());
    match terminal::size(&std::io::stdout()) {
        Some(size) => terminal::laid(&text, size.columns, HANG),
        None => text,
    }
}

/// `text` in place of what stands on the screen, line by line, so that nothing flickers.
fn redrawn(text: &str) -> String {
    let size = terminal::size(&std::io::stdout()).unwrap_or(terminal::Size { columns: 80, rows: 24 });
    format!("\x1b[H{}\x1b[J", terminal::fitting(text, size).replace('\n', "\x1b[K\n"))
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
        Path::new(&self.state).join(service_status::FILE_NAME)
    }
}
