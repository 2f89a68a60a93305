//! A line for every query (RFC 4180).

use std::path::Path;

use crate::base::csv::quoted;
use crate::evaluate::AnsweredQuery;

const COLUMNS: &str = "query,label,first_match,first_match_label,is_right,rank_of_first_right_answer,right_answers,\
                       pictures_searched,p_at_5,p_at_10,average_precision";

/// The heading and the lines, in the order of the queries' paths.
pub fn answers(answers: &[AnsweredQuery]) -> String {
    let mut text = format!("{COLUMNS}\n");
    for AnsweredQuery { path, label, outcome, first } in answers {
        let figures = outcome.figures();
        let (found, found_label) =
            first.first().map_or(Default::default(), |(path, label)| (named(path), quoted(label).into_owned()));
        text += &format!(
            "{},{},{found},{found_label},{},{},{},{},{},{},{:.6}\n",
            named(path),
            quoted(label),
            figures.p_at_1,
            outcome.first_right.map_or_else(String::new, |rank| rank.to_string()),
            outcome.right,
            outcome.searched,
            figures.p_at_5,
            figures.p_at_10,
            outcome.average_precision,
        );
    }
    text
}

fn named(path: &Path) -> String {
    quoted(&path.to_string_lossy()).into_owned()
}
