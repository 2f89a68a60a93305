//! What a query's answer says of itself: its status, its sentence, and the parts of its record.

use std::path::Path;

use super::members::FileRead;
use super::respond::Question;
use crate::answer::{MatchPart, QueryFile, SkippedPart, Status};
use crate::picture::Unusable;

/// How a query went.
pub(in crate::daemon) struct Verdict {
    /// For scripts.
    pub status: Status,
    /// For a person.
    pub message: String,
}

impl Question {
    /// How it went, and the sentence that says so, for a person. `files`: the query's, and those it is kept away from.
    pub(in crate::daemon) fn judge(
        &self,
        (files, unlike): (&[&FileRead], &[&FileRead]),
        inventory: usize,
        matches: usize,
        nearest: Option<&MatchPart>,
    ) -> Verdict {
        let mut problems = problems_of(files);
        if problems.len() == files.len() {
            return Verdict { status: Status::Error, message: self.why_unanswerable(&problems) };
        }
        if inventory == 0 && self.inventory_pending == 0 {
            let folder = self.config.folders.inventory.display();
            let message = format!(
                "There is nothing to compare with yet. Put pictures into {folder}; then this is answered again."
            );
            return Verdict { status: Status::NothingSimilar, message };
        }
        problems.extend(problems_of(unlike));
        let mut remarks = Vec::new();
        if self.inventory_pending > 0 {
            let all = inventory + self.inventory_pending;
            remarks.push(format!("Answered from {inventory} of {all} pictures: the others are still being read, then this is answered again."));
        }
        if let [(path, problem), rest @ ..] = &problems[..] {
            let others = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
            remarks.push(format!("Left out: {} ({problem}){others}.", path.display()));
        }
        if self.inventory_offline {
            remarks.push(
                "The inventory folder is out of reach: answered from what was known of it, and again when it is back."
                    .into(),
            );
        }
        let nothing = || match nearest {
            None => format!("None of the {inventory} pictures is similar enough."),
            Some(nearest) => format!(
                "None of the {inventory} pictures shows anything like it. The nearest, {}, has little in common with it.",
                nearest.path
            ),
        };
        if remarks.is_empty() {
            return match matches {
                0 => Verdict { status: Status::NothingSimilar, message: nothing() },
                _ => Verdict {
                    status: Status::Ok,
                    message: format!("The {matches} most similar of {inventory} pictures{}.", kept_away(unlike.len())),
                },
            };
        }
        if matches == 0 && inventory > 0 {
            remarks.push(nothing());
        }
        Verdict { status: Status::Partial, message: remarks.join(" ") }
    }

    fn why_unanswerable(&self, problems: &[(&Path, &Unusable)]) -> String {
        match problems {
            [] => format!("The folder {} holds no pictures.", self.query.display()),
            [(path, problem)] => format!("{}: {problem}. What to do: {}.", path.display(), problem.remedy()),
            [(path, problem), ..] => format!(
                "None of the {} files could be used. The first, {}: {problem}. What to do: {}.",
                problems.len(),
                path.display(),
                problem.remedy()
            ),
        }
    }
}

fn problems_of<'a>(files: &[&'a FileRead]) -> Vec<(&'a Path, &'a Unusable)> {
    files.iter().filter_map(|file| Some((file.path.as_path(), file.result.as_ref().err()?))).collect()
}

fn kept_away(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", kept away from 1 picture in not/".into(),
        _ => format!(", kept away from {count} pictures in not/"),
    }
}

/// A file of the query, for the record.
pub(in crate::daemon) fn record_of(file: &FileRead) -> QueryFile {
    QueryFile {
        path: file.path.to_string_lossy().into_owned(),
        blake3: file.result.as_ref().ok().map(|hash| hash.to_hex()),
        problem: file.result.as_ref().err().map(ToString::to_string),
    }
}

/// Why a file was left out, if it was.
pub(in crate::daemon) fn skipped(file: &FileRead) -> Option<SkippedPart> {
    let problem = file.result.as_ref().err()?;
    let reason = format!("{problem}; {}", problem.remedy());
    Some(SkippedPart { path: file.path.to_string_lossy().into_owned(), reason })
}
