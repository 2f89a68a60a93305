//! `artificio status`: what the running service is doing, from its `status.json`.

use std::process::ExitCode;

use serde_json::Value;

use super::arguments::JsonOption;
use crate::config::{self, Config};
use crate::daemon::{STATUS_FILE_NAME, Setup};
use crate::error::Fatal;
use crate::files::Lock;

/// More problems than a person reads at once.
const SHOWN_PROBLEMS: usize = 10;

pub fn run(options: &JsonOption, setup: &Setup) -> Result<ExitCode, Fatal> {
    // With a mistake in the settings a daemon goes on by the old ones, and that is when people ask how it is.
    let config = config::load(&setup.source, &setup.root)
        .unwrap_or_else(|_| Config { folders: Config::default().folders.below(&setup.root), ..Config::default() });
    if !Lock::is_held(&config.folders.state) {
        return Err(Fatal::Failed(format!(
            "not running on {}; start it with: artificio --root {}",
            setup.root.display(),
            setup.root.display()
        )));
    }
    let path = config.folders.state.join(STATUS_FILE_NAME);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Fatal::Failed(format!("{}: the status cannot be read: {error}", path.display())))?;
    if options.json {
        print!("{text}");
        return Ok(ExitCode::SUCCESS);
    }
    let status: Value = serde_json::from_str(&text)
        .map_err(|error| Fatal::Failed(format!("{}: the status makes no sense: {error}", path.display())))?;
    print!("{}", told(&status));
    Ok(ExitCode::SUCCESS)
}

/// The status as a person reads it.
fn told(status: &Value) -> String {
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let text = |pointer: &str| status.pointer(pointer).and_then(Value::as_str).unwrap_or("?").to_string();
    let training = match status.pointer("/model/training/pictures").and_then(Value::as_u64) {
        Some(pictures) => format!(", a new one is training on {pictures} pictures"),
        None => String::new(),
    };
    let mut told = format!(
        "state      {}\ninventory  {} searchable, {} waiting, {} unusable\nqueries    {} answered, {} could not be, {} waiting\nmodel      {}, trained on {} pictures{training}\n",
        text("/state"),
        number("/inventory/indexed"),
        number("/inventory/pending"),
        number("/inventory/failed"),
        number("/queries/answered"),
        number("/queries/failed"),
        number("/queries/pending"),
        text("/model/id"),
        number("/model/trained_on"),
    );
    let problems = status.pointer("/problems").and_then(Value::as_array);
    for problem in problems.into_iter().flatten().take(SHOWN_PROBLEMS) {
        let part = |key: &str| problem.get(key).and_then(Value::as_str).unwrap_or("");
        told += &format!("problem    {}: {} ({})\n", part("path"), part("what"), part("remedy"));
    }
    let hidden = number("/problem_count").saturating_sub(SHOWN_PROBLEMS as u64);
    if hidden > 0 {
        told += &format!("           and {hidden} more problems: see `artificio status --json`\n");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_like_this() {
        let status = serde_json::json!({
            "state": "degraded",
            "inventory": {"files": 40, "indexed": 36, "pending": 3, "failed": 1},
            "queries": {"answered": 3, "failed": 0, "pending": 1},
            "model": {"id": "m1-20261123", "encoder": "pretrained", "trained_on": 36, "training": {"id": "m2", "pictures": 50}},
            "problems": [{"what": "the file is empty", "path": "/p/a.jpg", "remedy": "copy it again"}],
        });
        let expected = "\
state      degraded
inventory  36 searchable, 3 waiting, 1 unusable
queries    3 answered, 0 could not be, 1 waiting
model      m1-20261123, trained on 36 pictures, a new one is training on 50 pictures
problem    /p/a.jpg: the file is empty (copy it again)
";
        assert_eq!(told(&status), expected);
    }
}
