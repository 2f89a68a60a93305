//! The queries with the worst answers as a sheet: a line for each, the query first, then what was found.

use std::path::PathBuf;

use crate::answer::sheet::{encode, thousands};
use crate::config::{SheetFormat, Theme};
use crate::error::Fatal;
use crate::evaluate::{AnsweredQuery, EvaluationOptions};
use crate::overview::{SheetGroup, group_sheet, thumbnails};
use crate::progress::Progress;

/// Most queries on the sheet.
const SHOWN: usize = 30;
/// Side of a picture on it.
const SIDE_PX: u32 = 180;
/// First matches shown of each.
const MATCHES: usize = 6;

/// The sheet as a file; `None` when it was cancelled.
///
/// # Errors
/// When it cannot be encoded.
pub fn sheet(
    answers: &[AnsweredQuery],
    options: &EvaluationOptions,
    (theme, format): (Theme, SheetFormat),
    progress: &dyn Progress,
) -> Result<Option<Vec<u8>>, Fatal> {
    let (mut groups, mut paths, mut captions) = (Vec::new(), Vec::<PathBuf>::new(), Vec::new());
    for answer in worst(answers) {
        let start = paths.len();
        paths.push(answer.path.clone());
        captions.push(format!("asked: {}", kind(&answer.label)));
        for (path, label) in answer.first.iter().take(MATCHES) {
            paths.push(path.clone());
            captions.push(format!("{} {}", if *label == answer.label { "✓" } else { "✗" }, kind(label)));
        }
        groups.push(SheetGroup { heading: heading(answer), members: (start..paths.len()).collect() });
    }
    let Some(made) = thumbnails(&options.folder, &paths, SIDE_PX, &options.bounds, progress) else { return Ok(None) };
    let picture = group_sheet(&groups, &|at| (captions[at].as_str(), made.get(at)), theme);
    Ok(Some(encode(&picture, format).map_err(|error| Fatal::Failed(error.to_string()))?))
}

/// The worst first: by average precision, then by how late the first right answer comes. A query without a right answer to be found
/// says nothing about the search.
fn worst(answers: &[AnsweredQuery]) -> Vec<&AnsweredQuery> {
    let mut worst: Vec<&AnsweredQuery> =
        answers.iter().filter(|answer| answer.outcome.right > 0 && answer.outcome.average_precision < 1.0).collect();
    worst.sort_by(|one, other| one.outcome.average_precision.total_cmp(&other.outcome.average_precision));
    worst.truncate(SHOWN);
    worst
}

fn heading(answer: &AnsweredQuery) -> String {
    let outcome = &answer.outcome;
    let rank = outcome.first_right.map_or_else(|| "nowhere".into(), |rank| format!("at rank {}", thousands(rank)));
    format!(
        "{}: first right answer {rank} of {}, average precision {:.3}",
        answer.path.display(),
        thousands(outcome.searched),
        outcome.average_precision
    )
}

fn kind(label: &str) -> &str {
    if label.is_empty() { "(no label)" } else { label }
}
