//! `artificio check`: finds present and likely problems, and says how to fix each.
//!
//! Read-only. What keeps the service from doing its work is a problem, and the exit code says so; what is only good to know
//! is a note, which does not change the exit code.

mod folders;
mod inotify;
mod kept;
mod names;
mod network;
mod nodes;
mod space;
mod survey;

use std::process::ExitCode;

use super::arguments::JsonOption;
use super::output;
use super::terminal::{FIX, wrap_for_stdout};
use crate::config;
use crate::config::Setup;
use crate::error::{Fatal, Trouble};
use crate::files::Lock;
use survey::FolderSurvey;

/// Columns that the remedy of a finding is indented by.
const INDENT: usize = 4;

/// What was found.
#[derive(Debug, Default, PartialEq)]
struct Findings {
    /// To be fixed: the service cannot start, or cannot do all of its work.
    problems: Vec<Trouble>,
    /// Good to know: the service works anyway.
    notes: Vec<Trouble>,
}

pub fn run(options: &JsonOption, setup: &Setup) -> Result<ExitCode, Fatal> {
    let found = look(setup);
    let is_well = found.problems.is_empty();
    if options.json {
        let report = serde_json::json!({ "ok": is_well, "problems": found.problems, "notes": found.notes });
        output::print_json(&report)?;
    } else {
        output::print(&wrap_for_stdout(&render(&found, &setup.root.display().to_string()), INDENT))?;
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(setup: &Setup) -> Findings {
    let mut found = Findings::default();
    if !setup.root.is_dir() {
        let remedy = format!("mkdir -p '{}' (or name another folder with --root)", setup.root.display());
        found.problems.push(Trouble::new("there is no such folder", &setup.root, remedy));
        return found;
    }
    let config = match config::load(&setup.source, &setup.root) {
        Ok(config) => config,
        Err(error) => {
            let mistakes = error.mistakes().iter();
            found.problems.extend(mistakes.map(|one| Trouble::new(one.to_string(), error.path(), one.remedy())));
            return found;
        }
    };
    let is_running = Lock::is_held(&config.folders.state);
    let survey = FolderSurvey::of(&config.folders);
    folders::look(&setup.root, &config.folders, &survey, &mut found);
    inotify::look(&survey, is_running, &mut found);
    space::look(&config.folders, &survey, &mut found);
    kept::look(&config, is_running, &mut found);
    network::look(&config.model, &mut found);
    names::look(&survey, &mut found);
    folders::look_for_pictures(&config.folders, &survey, &setup.source.path, &mut found);
    nodes::look(&config, &mut found);
    found
}

/// The findings as a person reads them, problems first.
fn render(found: &Findings, root: &str) -> String {
    let mut text = String::new();
    for (kind, findings) in [("problem", &found.problems), ("note", &found.notes)] {
        for finding in findings {
            let path = output::one_line(&finding.path.display().to_string());
            let [what, remedy] = [&finding.what, &finding.remedy].map(|text| output::harmless(text));
            text += &format!("{kind}: {path}: {what}\n    {FIX}{remedy}\n");
        }
    }
    text + &match (found.problems.len(), found.notes.len()) {
        (0, 0) => format!("all is well with {root}\n"),
        (0, 1) => format!("all is well with {root}, with a note\n"),
        (0, notes) => format!("all is well with {root}, with {notes} notes\n"),
        (1, _) => format!("1 problem to fix in {root}\n"),
        (problems, _) => format!("{problems} problems to fix in {root}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_read_like_this() {
        let problem = Trouble::new("there is no such folder", "/p/query", "mkdir -p '/p/query'");
        let note = Trouble::new("it will be tight", "/p/db/state", "df -h '/p/db/state'");
        let all = Findings { problems: vec![problem], notes: vec![note.clone()] };
        let expected = "\
problem: /p/query: there is no such folder
    fix: mkdir -p '/p/query'
note: /p/db/state: it will be tight
    fix: df -h '/p/db/state'
1 problem to fix in /p
";
        assert_eq!(render(&all, "/p"), expected);
        let noted = Findings { notes: vec![note], ..Findings::default() };
        assert!(render(&noted, "/p").ends_with("\nall is well with /p, with a note\n"));
        assert_eq!(render(&Findings::default(), "/p"), "all is well with /p\n");
    }
}
