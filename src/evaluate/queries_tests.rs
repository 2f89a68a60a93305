//! What is asked of the index, and that ranks are counted as its whole order gives them.

use artificio_random::Random;

use super::super::metrics::{Figures, figures};
use super::*;
use crate::progress::Unfollowed;

/// Four pictures of each of three labels, at angles that distinguish them.
fn labelled() -> (Rows, Vec<String>) {
    let (mut embeddings, mut labels) = (Rows::empty(2), Vec::new());
    for at in 0..12 {
        let angle = (at % 3) as f32 * 2.0 + (at / 3) as f32 * 0.1;
        embeddings.push(&[angle.cos(), angle.sin()]);
        labels.push(["a", "b", "c"][at % 3].to_string());
    }
    (embeddings, labels)
}

fn asked(questions: &[Question], embeddings: &Rows, labels: &NumberedLabels, how: SearchMode) -> Figures {
    let questions: Vec<&Question> = questions.iter().collect();
    let answers = Searched::new(embeddings, labels, how).answers(&questions, embeddings, &Unfollowed).unwrap();
    Figures::mean(answers.iter().map(|answered| &answered.outcome))
}

#[test]
fn sets_are_of_one_label_and_leave_something_to_find() {
    let (_, names) = labelled();
    let labels = NumberedLabels::new(&names, &names);
    let own = sets(&labels, Origin::Inventory);
    assert_eq!(own.iter().map(|set| set.hidden.clone()).collect::<Vec<_>>(), [[0, 3, 6], [1, 4, 7], [2, 5, 8]]);
    let others = sets(&labels, Origin::Queries);
    assert_eq!((others.len(), others[0].members.len(), others[0].hidden.len()), (3, 3, 0));
    let three = NumberedLabels::new(&names[..9], &names[..9]);
    assert!(sets(&three, Origin::Inventory).is_empty(), "nobody left to be found");
    assert_eq!(sets(&three, Origin::Queries).len(), 3);
}

#[test]
fn whoever_asks_is_not_found() {
    let (embeddings, names) = labelled();
    let labels = NumberedLabels::new(&names, &names);
    for questions in [singles(&labels, Origin::Inventory), sets(&labels, Origin::Inventory)] {
        for set_mode in [SetMode::Mean, SetMode::Nearest] {
            let how = SearchMode { metric: Metric::Cosine, set_mode };
            let figures = asked(&questions, &embeddings, &labels, how);
            assert_eq!((figures.p_at_1, figures.map), (1.0, 1.0), "{set_mode:?}");
        }
    }
    // A picture that differs from all others of its label finds them last, not itself first.
    let mut odd = embeddings.clone();
    odd.row_mut(0).copy_from_slice(&[-1.0, 0.0]);
    let question = &singles(&labels, Origin::Inventory)[..1];
    let how = SearchMode { metric: Metric::Euclidean, set_mode: SetMode::Mean };
    assert!(asked(question, &odd, &labels, how).map < 0.5);
}

/// More pictures than a shortlist holds, at random, of four labels that are hardly told apart.
fn many() -> (Rows, Vec<String>) {
    let mut random = Random::new(5);
    let (mut embeddings, mut labels) = (Rows::empty(8), Vec::new());
    for at in 0..2 * SHORTLIST + 77 {
        let row: Vec<f32> =
            (0..8).map(|axis| random.around(0.0, 1.0) + if axis == at % 4 { 0.5 } else { 0.0 }).collect();
        embeddings.push(&row);
        labels.push(["a", "b", "c", "d"][at % 4].to_string());
    }
    (embeddings, labels)
}

#[test]
fn ranks_beyond_the_shortlist_are_those_of_a_search_for_everything() {
    let (embeddings, names) = many();
    let labels = NumberedLabels::new(&names, &names);
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let how = SearchMode { metric, set_mode: SetMode::Nearest };
        let questions: Vec<Question> = [singles(&labels, Origin::Inventory), sets(&labels, Origin::Inventory)].concat();
        for question in questions.iter().step_by(61) {
            let counted = asked(std::slice::from_ref(question), &embeddings, &labels, how);
            let mut index = Index::filled(8, embeddings.iter().enumerate().map(|(at, row)| (name_of(at), row)));
            let hidden: Vec<PathBuf> = question.hidden.iter().map(|&at| name_of(at)).collect();
            index.remove(hidden.iter().map(PathBuf::as_path));
            let found = index.snapshot().search(&rows_of(question, &embeddings), how, embeddings.len());
            let order: Vec<String> = found.iter().map(|found| names[number_of(&found.path).unwrap()].clone()).collect();
            assert_eq!(order.len(), embeddings.len() - question.hidden.len());
            let places = Rows::from_values(order.len(), (0..order.len()).map(|at| -(at as f32)).collect()).unwrap();
            let expected = figures(&places, &order, &[labels.names[question.label].clone()]);
            // The index compares by 16 bits of a value: two of a thousand may change places.
            assert!((counted.map - expected.map).abs() < 1e-4, "{counted:?} instead of {expected:?}");
            assert_eq!((counted.p_at_1, counted.p_at_10), (expected.p_at_1, expected.p_at_10));
        }
    }
}

#[test]
fn plain_rows_are_compared_by_cosine_and_not_with_themselves() {
    let (embeddings, names) = labelled();
    let labels = NumberedLabels::new(&names, &names);
    let questions = singles(&labels, Origin::Inventory);
    let questions: Vec<&Question> = questions.iter().collect();
    let searched = Searched::new(&embeddings, &labels, PLAIN);
    let outcomes = searched.plain_outcomes(&questions, &embeddings, &Unfollowed).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.right == 3 && outcome.searched == 11));
    assert_eq!(Figures::mean(&outcomes).map, 1.0);
}
