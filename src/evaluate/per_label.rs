//! Figures of each label: which kinds are found, and what they are taken for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::labels::NumberedLabels;
use super::metrics::Figures;
use super::queries::{Answered, Question};

/// The figures of queries with one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelFigures {
    /// What the queries show.
    pub label: String,
    /// How many they are.
    pub queries: usize,
    /// Share of them whose first match has the label.
    pub p_at_1: f64,
    /// Mean average precision.
    pub map: f64,
    /// The label that their first match had most often instead; `None` where all are right.
    pub most_frequent_wrong_label: Option<String>,
    /// How often it was that one.
    pub times: usize,
}

/// One for each label that was asked for, in their order.
pub(super) fn per_label(questions: &[Question], answered: &[Answered], labels: &NumberedLabels) -> Vec<LabelFigures> {
    let mut of_label: BTreeMap<usize, Vec<&Answered>> = BTreeMap::new();
    for (question, answered) in questions.iter().zip(answered) {
        of_label.entry(question.label).or_default().push(answered);
    }
    let figures = |(label, answered): (usize, Vec<&Answered>)| {
        let Figures { p_at_1, map, .. } = Figures::mean(answered.iter().map(|answered| &answered.outcome));
        let first = answered.iter().filter_map(|answered| answered.first.first());
        let mut wrong: BTreeMap<usize, usize> = BTreeMap::new();
        for found in first.map(|&at| labels.inventory[at]).filter(|found| *found != label) {
            *wrong.entry(found).or_default() += 1;
        }
        // Of equally frequent ones the first by name.
        let most = wrong.into_iter().max_by_key(|(found, times)| (*times, std::cmp::Reverse(*found)));
        LabelFigures {
            label: labels.names[label].clone(),
            queries: answered.len(),
            p_at_1,
            map,
            most_frequent_wrong_label: most.map(|(found, _)| labels.names[found].clone()),
            times: most.map_or(0, |(_, times)| times),
        }
    };
    of_label.into_iter().map(figures).collect()
}

#[cfg(test)]
mod tests {
    use super::super::metrics::Outcome;
    use super::super::queries::{Origin, singles};
    use super::*;

    #[test]
    fn a_label_is_told_with_what_it_is_taken_for() {
        let texts = |letters: &str| letters.chars().map(String::from).collect::<Vec<_>>();
        let labels = NumberedLabels::new(&texts("abc"), &texts("aaaab"));
        let questions = singles(&labels, Origin::Queries);
        // The first match of each, and the rank of its one right answer.
        let answered: Vec<Answered> = [(0, 0), (1, 1), (2, 1), (2, 2), (1, 0)]
            .map(|(first, rank)| Answered { outcome: Outcome::of(&[rank], 3), first: vec![first] })
            .to_vec();
        let told = per_label(&questions, &answered, &labels);
        let a = LabelFigures {
            label: "a".into(),
            queries: 4,
            p_at_1: 0.25,
            map: (1.0 + 0.5 + 0.5 + 1.0 / 3.0) / 4.0,
            most_frequent_wrong_label: Some("c".into()),
            times: 2,
        };
        let b = LabelFigures {
            label: "b".into(),
            queries: 1,
            p_at_1: 1.0,
            map: 1.0,
            most_frequent_wrong_label: None,
            times: 0,
        };
        assert_eq!(told, [a, b]);
    }
}
