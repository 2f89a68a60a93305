//! Questions put to the daemon's own index: of single pictures and of sets, of others' pictures and of the inventory's own.

use std::path::{Path, PathBuf};

use super::metrics::{Figures, figures_without};
use crate::base::rows::Rows;
use crate::index::{Found, Index, SearchMode};

/// Most pictures of a set.
const SET_PICTURES: usize = 3;

/// A query whose answer is judged by its label.
pub(super) struct LabelledQuery {
    label: String,
    /// Of one picture or several, `[m, width]`.
    embeddings: Rows,
    /// Positions of inventory pictures that the index must never have heard of when this is asked.
    hidden: Vec<usize>,
}

/// Where the queries' pictures are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A folder of their own.
    Queries,
    /// The inventory: the pictures of a query are not in it meanwhile.
    Inventory,
}

/// Every picture with an embedding of `embeddings` `[n, width]` asks for itself.
pub(super) fn singles(embeddings: &Rows, labels: &[String], origin: Origin) -> Vec<LabelledQuery> {
    (0..labels.len()).map(|at| query(&[at], embeddings, labels, origin)).collect()
}

/// Pictures of one label ask together, up to three in the order of their paths. A label with a single picture makes no
/// set, and one of the inventory has to have a picture left to be found.
pub(super) fn sets(embeddings: &Rows, labels: &[String], origin: Origin) -> Vec<LabelledQuery> {
    let mut distinct: Vec<&String> = labels.iter().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut sets = Vec::new();
    for label in distinct {
        let all: Vec<usize> = (0..labels.len()).filter(|at| labels[*at] == *label).collect();
        let chunks = all.chunks(SET_PICTURES).filter(|chunk| chunk.len() > 1);
        let has_answer = |chunk: &&[usize]| origin == Origin::Queries || chunk.len() < all.len();
        sets.extend(chunks.filter(has_answer).map(|chunk| query(chunk, embeddings, labels, origin)));
    }
    sets
}

fn query(members: &[usize], embeddings: &Rows, labels: &[String], origin: Origin) -> LabelledQuery {
    let mut asked = Rows::empty(embeddings.width());
    for &at in members {
        asked.push(embeddings.row(at));
    }
    let hidden = if origin == Origin::Inventory { members.to_vec() } else { Vec::new() };
    LabelledQuery { label: labels[members[0]].clone(), embeddings: asked, hidden }
}

/// How good the index's answers to `queries` are, over inventory embeddings `[n, width]`.
pub(super) fn asked(queries: &[LabelledQuery], inventory: &Rows, labels: &[String], how: SearchMode) -> Figures {
    let pictures = inventory.iter().enumerate().map(|(at, embedding)| (name_of(at), embedding));
    let mut index = Index::filled(inventory.width(), pictures);
    let mut similarities = Rows::empty(inventory.len());
    for query in queries {
        let hidden: Vec<PathBuf> = query.hidden.iter().map(|&at| name_of(at)).collect();
        index.remove(hidden.iter().map(PathBuf::as_path));
        let found = index.snapshot().search(&query.embeddings, how, inventory.len());
        similarities.push(&places(&found, inventory.len()));
        for &at in &query.hidden {
            index.put(&name_of(at), inventory.row(at));
        }
    }
    let of_questions: Vec<String> = queries.iter().map(|query| query.label.clone()).collect();
    let hidden: Vec<&[usize]> = queries.iter().map(|query| query.hidden.as_slice()).collect();
    figures_without(&similarities, labels, &of_questions, &hidden)
}

/// Names in the order of their numbers.
fn name_of(at: usize) -> PathBuf {
    PathBuf::from(format!("{at:09}"))
}

fn number_of(path: &Path) -> Option<usize> {
    path.to_str()?.parse().ok()
}

/// By the inventory's order: the greater, the earlier it was found; one that is not in the index comes last.
fn places(found: &[Found], count: usize) -> Vec<f32> {
    let mut places = vec![f32::NEG_INFINITY; count];
    for (rank, found) in found.iter().enumerate() {
        if let Some(place) = number_of(&found.path).and_then(|at| places.get_mut(at)) {
            *place = -(rank as f32);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Metric, SetMode};

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

    #[test]
    fn sets_are_of_one_label_and_leave_something_to_find() {
        let (embeddings, labels) = labelled();
        let own = sets(&embeddings, &labels, Origin::Inventory);
        assert_eq!(own.iter().map(|set| set.hidden.clone()).collect::<Vec<_>>(), [[0, 3, 6], [1, 4, 7], [2, 5, 8]]);
        let others = sets(&embeddings, &labels, Origin::Queries);
        assert_eq!((others.len(), others[0].embeddings.len(), others[0].hidden.len()), (3, 3, 0));
        let three = (Rows::from_values(2, embeddings.values()[..18].to_vec()).unwrap(), &labels[..9]);
        assert!(sets(&three.0, three.1, Origin::Inventory).is_empty(), "nobody left to be found");
        assert_eq!(sets(&three.0, three.1, Origin::Queries).len(), 3);
    }

    #[test]
    fn whoever_asks_is_not_found() {
        let (embeddings, labels) = labelled();
        for queries in [singles(&embeddings, &labels, Origin::Inventory), sets(&embeddings, &labels, Origin::Inventory)]
        {
            for mode in [SetMode::Mean, SetMode::Nearest] {
                let figures =
                    asked(&queries, &embeddings, &labels, SearchMode { metric: Metric::Cosine, set_mode: mode });
                assert_eq!((figures.p_at_1, figures.map), (1.0, 1.0), "{mode:?}");
            }
        }
        // A picture that differs from all others of its label finds them last, not itself first.
        let mut odd = embeddings.clone();
        odd.row_mut(0).copy_from_slice(&[-1.0, 0.0]);
        let query = &singles(&odd, &labels, Origin::Inventory)[..1];
        let how = SearchMode { metric: Metric::Euclidean, set_mode: SetMode::Mean };
        assert!(asked(query, &odd, &labels, how).map < 0.5);
    }
}
