//! What a query's answer says of itself: its status, its sentence, and the parts of its record.

use std::path::Path;

use super::respond::{FileRead, Question};
use crate::answer::{MatchPart, QueryFile, Status};
use crate::index::Found;
use crate::picture::Unusable;

impl Question {
    /// How it went, and the sentence that says so, for a person.
    pub(super) fn judge(&self, files: &[&FileRead], inventory: usize, matches: &[MatchPart]) -> (Status, String) {
        let problems: Vec<(&Path, &Unusable)> =
            files.iter().filter_map(|file| Some((file.path.as_path(), file.result.as_ref().err()?))).collect();
        if problems.len() == files.len() {
            return (Status::Error, self.why_unanswerable(&problems));
        }
        if inventory == 0 && self.inventory_pending == 0 {
            let folder = self.config.folders.inventory.display();
            let message = format!(
                "There is nothing to compare with yet. Put pictures into {folder}; then this is answered again."
            );
            return (Status::NothingSimilar, message);
        }
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
        match (remarks.is_empty(), matches.is_empty()) {
            (false, _) => (Status::Partial, remarks.join(" ")),
            (true, true) => (Status::NothingSimilar, format!("None of the {inventory} pictures is similar enough.")),
            (true, false) => (Status::Ok, format!("The {} most similar of {inventory} pictures.", matches.len())),
        }
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

/// The matches that are similar enough, with their ranks.
pub(super) fn ranked(found: Vec<(Found, f32)>, min_score: f32) -> Vec<MatchPart> {
    let similar = found.into_iter().filter(|(_, closer_than)| *closer_than >= min_score);
    let part = |(at, (found, closer_than)): (usize, (Found, f32))| MatchPart {
        rank: at + 1,
        path: found.path.to_string_lossy().into_owned(),
        similarity: found.similarity,
        closer_than,
    };
    similar.enumerate().map(part).collect()
}

/// A file of the query, for the record.
pub(super) fn record_of(file: &FileRead) -> QueryFile {
    QueryFile {
        path: file.path.to_string_lossy().into_owned(),
        blake3: file.result.as_ref().ok().map(|hash| hash.to_hex()),
        problem: file.result.as_ref().err().map(ToString::to_string),
    }
}
