//! The stage that says how a query went: its status, and a sentence for a person.

use std::path::Path;

use super::Query;
use super::input::{FileRead, Input};
use super::matches::Selected;
use crate::answer::Status;
use crate::picture::Unusable;

/// How a query went.
pub struct Judgement {
    /// For scripts.
    pub status: Status,
    /// The one file that the sentence is about, if it is about one.
    pub subject: Option<String>,
    /// A sentence for a person.
    pub sentence: String,
}

impl Judgement {
    fn new(status: Status, sentence: impl Into<String>) -> Self {
        Self { status, subject: None, sentence: sentence.into() }
    }

    /// The sentence, with what it is about.
    pub fn message(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{subject}: {}", self.sentence),
            None => self.sentence.clone(),
        }
    }
}

/// How it went, and the sentence that says so, for a person. `inventory`: pictures searched.
pub fn judge(query: &Query, input: &Input, inventory: usize, selected: &Selected) -> Judgement {
    if let Some(message) = input.mistake() {
        return Judgement::new(Status::Error, message);
    }
    let (files, negatives) = (input.files(), input.negative_files());
    let mut problems = problems_of(&files);
    if problems.len() == files.len() {
        return unanswerable(query, &problems);
    }
    if inventory == 0 && query.inventory_pending == 0 {
        let folder = query.config.folders.inventory.display();
        let message =
            format!("There is nothing to compare with yet. Put pictures into {folder}; then this is answered again.");
        return Judgement::new(Status::NothingSimilar, message);
    }
    problems.extend(problems_of(&negatives));
    let mut remarks = remarks_on(query, inventory, &problems);
    let matches = selected.matches.len();
    if remarks.is_empty() {
        return match matches {
            0 => Judgement::new(Status::NothingSimilar, nothing_similar(inventory, selected)),
            _ => {
                let unlike = unlike(negatives.len());
                Judgement::new(Status::Ok, format!("The {matches} most similar of {inventory} pictures{unlike}."))
            }
        };
    }
    if matches == 0 && inventory > 0 {
        remarks.push(nothing_similar(inventory, selected));
    }
    Judgement::new(Status::Partial, remarks.join(" "))
}

/// Why the answer is not complete.
fn remarks_on(query: &Query, inventory: usize, problems: &[(&Path, &Unusable)]) -> Vec<String> {
    let mut remarks = Vec::new();
    if query.inventory_pending > 0 {
        let all = inventory + query.inventory_pending;
        remarks.push(format!(
            "Answered from {inventory} of {all} pictures: the others are still being read, then this is answered again."
        ));
    }
    if let [(path, problem), rest @ ..] = problems {
        let others = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
        remarks.push(format!("Left out: {} ({problem}){others}.", path.display()));
    }
    if query.inventory_offline {
        remarks.push(
            "The inventory folder is out of reach: answered from what was known of it, and again when it is back."
                .into(),
        );
    }
    remarks
}

fn nothing_similar(inventory: usize, selected: &Selected) -> String {
    match &selected.nearest {
        None => format!("None of the {inventory} pictures is similar enough."),
        Some(nearest) => format!(
            "None of the {inventory} pictures shows anything like it. The nearest, {}, has little in common with it.",
            nearest.path
        ),
    }
}

fn unanswerable(query: &Query, problems: &[(&Path, &Unusable)]) -> Judgement {
    let sentence = match problems {
        [] => format!("The folder {} holds no pictures.", query.path.display()),
        [(path, problem)] => {
            let sentence = format!("{problem}. What to do: {}.", problem.remedy());
            let subject = Some(path.display().to_string());
            return Judgement { status: Status::Error, subject, sentence };
        }
        [(path, problem), ..] => format!(
            "None of the {} files could be used. The first, {}: {problem}. What to do: {}.",
            problems.len(),
            path.display(),
            problem.remedy()
        ),
    };
    Judgement::new(Status::Error, sentence)
}

fn problems_of<'a>(files: &[&'a FileRead]) -> Vec<(&'a Path, &'a Unusable)> {
    files.iter().filter_map(|file| Some((file.path.as_path(), file.result.as_ref().err()?))).collect()
}

fn unlike(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", kept away from 1 picture in not/".into(),
        _ => format!(", kept away from {count} pictures in not/"),
    }
}
