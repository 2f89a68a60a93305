//! `artificio status`: what the running service is doing, from its `status.json`.

mod render;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use console::Term;
use serde_json::Value;

use super::arguments::StatusOptions;
use super::output;
use super::terminal::{self, Size, fit_height, wrap_for_stdout};
use crate::clock;
use crate::config;
use crate::config::Setup;
use crate::error::{Fatal, reason};
use crate::files::Lock;
use crate::service_status;
use render::{INDENT, render};

/// With `--watch`, the file is read this often.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);
/// Empties the screen. What was printed before can still be scrolled back to.
const CLEAR: &str = "\x1b[2J";

pub fn run(options: &StatusOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    let service = Service { root: setup.root.clone(), state: config::state_folder(&setup.source, &setup.root) };
    if !options.watch {
        let text = service.text()?;
        match options.json {
            true => output::print(&text)?,
            false => output::print(&text_for_stdout(&service.parse(&text)?))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    watch(options, &service)
}

/// Until the service ends, or Ctrl-C: the whole status again and again on a terminal, elsewhere whenever it has changed.
fn watch(options: &StatusOptions, service: &Service) -> Result<ExitCode, Fatal> {
    let is_screen = Term::stdout().is_term() && !options.json && !terminal::is_dumb();
    if is_screen {
        output::print(CLEAR)?;
    }
    let mut shown = String::new();
    loop {
        // Before the first status there is nothing to watch; later the end of the service is the news.
        if !shown.is_empty() && !Lock::is_held(&service.state) {
            return Err(Fatal::Failed(format!("the service on {} has ended", service.root.display())));
        }
        let status = service.parse(&service.text()?)?;
        let text = match options.json {
            true => format!("{status}\n"),
            false => text_for_stdout(&status),
        };
        if is_screen {
            output::print(&redraw(&text))?;
        } else if text != shown {
            let gap = if options.json || shown.is_empty() { "" } else { "\n" };
            // A reader that has seen enough has closed the pipe.
            if !output::print_while_read(&format!("{gap}{text}"))? {
                return Ok(ExitCode::SUCCESS);
            }
        }
        shown = text;
        sleep(WATCH_INTERVAL);
    }
}

/// The status for whatever standard output is.
fn text_for_stdout(status: &Value) -> String {
    wrap_for_stdout(&render(status, clock::now_s(), terminal::has_colours()), INDENT)
}

/// `text` in place of what is on the screen, line by line, so that nothing flickers.
fn redraw(text: &str) -> String {
    let size = terminal::size(&Term::stdout()).unwrap_or(Size { columns: 80, rows: 24 });
    format!("\x1b[H{}\x1b[J", fit_height(text, size).replace('\n', "\x1b[K\n"))
}

/// The service on a root.
struct Service {
    root: PathBuf,
    state: PathBuf,
}

impl Service {
    /// The content of its `status.json`, unless that was left by a service that has ended.
    fn text(&self) -> Result<String, Fatal> {
        let text = service_status::read(&self.state);
        // Who may not look into the folder cannot know whether it runs either.
        let is_closed = text.as_ref().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
        if !is_closed && !Lock::is_held(&self.state) {
            let root = self.root.display();
            return Err(Fatal::Failed(format!("not running on {root}; start it with: artificio --root '{root}'")));
        }
        let path = self.path();
        text.map_err(|error| {
            let remedy = if is_closed { "its user, its group and root may" } else { "just started? try again" };
            let why = reason(&error);
            Fatal::Failed(format!("{}: the status cannot be read: {why} ({remedy})", path.display()))
        })
    }

    fn parse(&self, text: &str) -> Result<Value, Fatal> {
        serde_json::from_str(text)
            .map_err(|error| Fatal::Failed(format!("{}: the status is not valid JSON: {error}", self.path().display())))
    }

    fn path(&self) -> PathBuf {
        Path::new(&self.state).join(service_status::FILE_NAME)
    }
}
