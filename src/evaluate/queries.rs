//! Questions put to the daemon's own index: of single pictures and of sets, of others' pictures and of the inventory's own.

use std::path::{Path, PathBuf};

use super::labels::NumberedLabels;
use super::metrics::{QueryOutcome, ranks_of};
use crate::base::parallel::map_followed;
use crate::base::rows::Rows;
use crate::config::{Metric, SetMode};
use crate::index::{Index, PlainComparison, SHORTLIST, SearchMode};
use crate::progress::Progress;

/// Most pictures of a set.
const SET_PICTURES: usize = 3;

/// Questions that share an index: they are asked one after the other, and each block has its own.
const BLOCK: usize = 64;
/// Questions compared with all pictures at a time: their embeddings stay in a core's cache.
const COMPARED: usize = 16;

/// Matches of a question that are remembered.
const REMEMBERED: usize = 6;

/// A query whose answer is judged by its label.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The number of its label.
    pub(super) label: usize,
    /// Positions of its pictures, one or several, among those that ask.
    pub(super) members: Vec<usize>,
    /// Positions of inventory pictures that the index must never have heard of when this is asked.
    pub(super) hidden: Vec<usize>,
}

/// How a question was answered.
#[derive(Debug, Clone, Default)]
pub(super) struct JudgedAnswer {
    /// How well.
    pub(super) outcome: QueryOutcome,
    /// Positions of the first matches, at most [`REMEMBERED`].
    pub(super) first: Vec<usize>,
}

/// Where the queries' pictures are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A folder of their own.
    Queries,
    /// The inventory: the pictures of a query are not in it meanwhile.
    Inventory,
}

/// Every picture asks for itself.
pub(super) fn singles(labels: &NumberedLabels, origin: Origin) -> Vec<Question> {
    (0..labels.asking.len()).map(|at| question(&[at], labels, origin)).collect()
}

/// Pictures of one label ask together, up to three in the order of their paths. A label with a single picture makes no
/// set, and one of the inventory has to have a picture left to be found.
pub(super) fn sets(labels: &NumberedLabels, origin: Origin) -> Vec<Question> {
    let mut pictures_of = vec![Vec::new(); labels.names.len()];
    labels.asking.iter().enumerate().for_each(|(at, &label)| pictures_of[label].push(at));
    let mut sets = Vec::new();
    for all in pictures_of {
        let chunks = all.chunks(SET_PICTURES).filter(|chunk| chunk.len() > 1);
        let has_answer = |chunk: &&[usize]| origin == Origin::Queries || chunk.len() < all.len();
        sets.extend(chunks.filter(has_answer).map(|chunk| question(chunk, labels, origin)));
    }
    sets
}

fn question(members: &[usize], labels: &NumberedLabels, origin: Origin) -> Question {
    let hidden = if origin == Origin::Inventory { members.to_vec() } else { Vec::new() };
    Question { label: labels.asking[members[0]], members: members.to_vec(), hidden }
}

/// The inventory as a model sees it.
pub(super) struct SearchedInventory<'a> {
    /// `[n, width]`
    embeddings: &'a Rows,
    /// Positions of the pictures of each label.
    pictures_of: &'a [Vec<usize>],
    how: SearchMode,
    plain: PlainComparison,
}

impl<'a> SearchedInventory<'a> {
    /// Of inventory `embeddings` `[n, width]`.
    pub(super) fn new(embeddings: &'a Rows, labels: &'a NumberedLabels, how: SearchMode) -> Self {
        let plain = PlainComparison::new(embeddings, how);
        Self { embeddings, pictures_of: &labels.pictures_of, how, plain }
    }

    /// What the daemon would answer to questions of pictures with the embeddings `asking` `[m, width]`; `None` when it was
    /// cancelled.
    ///
    /// The index gives the order of its shortlist. Pictures beyond it follow by their embeddings alone, and of those only the ranks
    /// of right answers are counted.
    pub(super) fn answers(
        &self,
        questions: &[&Question],
        asking: &Rows,
        progress: &dyn Progress,
    ) -> Option<Vec<JudgedAnswer>> {
        let blocks: Vec<&[&Question]> = questions.chunks(BLOCK).collect();
        let answered = map_followed(blocks.len(), progress, |at| self.of_block(blocks[at], asking))?;
        Some(answered.into_iter().flatten().collect())
    }

    /// The same for rows that are compared as they are, without an index.
    pub(super) fn plain_outcomes(
        &self,
        questions: &[&Question],
        asking: &Rows,
        progress: &dyn Progress,
    ) -> Option<Vec<QueryOutcome>> {
        let blocks: Vec<&[&Question]> = questions.chunks(COMPARED).collect();
        let outcomes = map_followed(blocks.len(), progress, |at| {
            let asked: Vec<Rows> = blocks[at].iter().map(|question| rows_of(question, asking)).collect();
            let compared = blocks[at].iter().zip(self.plain.similarities(&asked));
            compared.map(|(question, similarities)| self.outcome(question, &[], Some(&similarities))).collect()
        })?;
        Some(outcomes.into_iter().flat_map(|outcomes: Vec<QueryOutcome>| outcomes).collect())
    }

    fn of_block(&self, block: &[&Question], asking: &Rows) -> Vec<JudgedAnswer> {
        let asked: Vec<Rows> = block.iter().map(|question| rows_of(question, asking)).collect();
        let pictures = self.embeddings.iter().enumerate().map(|(at, embedding)| (name_of(at), embedding));
        let mut index = Index::filled(self.embeddings.width(), pictures);
        let shortlists: Vec<Vec<usize>> =
            block.iter().zip(&asked).map(|(question, query)| self.shortlist(&mut index, question, query)).collect();
        let is_beyond = |at: usize| {
            let right = self.right(block[at]).count();
            shortlists[at].len() >= SHORTLIST && self.right_in(block[at], &shortlists[at]).count() < right
        };
        let beyond: Vec<usize> = (0..block.len()).filter(|&at| is_beyond(at)).collect();
        let mut answered: Vec<JudgedAnswer> = Vec::with_capacity(block.len());
        for (question, shortlist) in block.iter().zip(&shortlists) {
            let outcome = self.outcome(question, shortlist, None);
            answered.push(JudgedAnswer { outcome, first: shortlist.iter().copied().take(REMEMBERED).collect() });
        }
        for some in beyond.chunks(COMPARED) {
            let queries: Vec<Rows> = some.iter().map(|&at| asked[at].clone()).collect();
            for (&at, similarities) in some.iter().zip(self.plain.similarities(&queries)) {
                answered[at].outcome = self.outcome(block[at], &shortlists[at], Some(&similarities));
            }
        }
        answered
    }

    /// Positions of the first matches in their order.
    fn shortlist(&self, index: &mut Index, question: &Question, query: &Rows) -> Vec<usize> {
        let hidden: Vec<PathBuf> = question.hidden.iter().map(|&at| name_of(at)).collect();
        index.remove(hidden.iter().map(PathBuf::as_path));
        let found = index.snapshot().search(query, self.how, SHORTLIST);
        for (name, &at) in hidden.iter().zip(&question.hidden) {
            index.put(name, self.embeddings.row(at));
        }
        found.iter().filter_map(|found| number_of(&found.path)).collect()
    }

    /// The ranks of right answers: first those of the shortlist, then by `similarities` `[n]` those of all others; without them
    /// there are no right answers beyond the shortlist.
    fn outcome(&self, question: &Question, shortlist: &[usize], similarities: Option<&[f32]>) -> QueryOutcome {
        let mut ranks: Vec<usize> = self.right_in(question, shortlist).collect();
        if let Some(similarities) = similarities {
            let mut is_candidate = vec![true; similarities.len()];
            question.hidden.iter().chain(shortlist).for_each(|&at| is_candidate[at] = false);
            let wanted: Vec<usize> = self.right(question).filter(|&at| is_candidate[at]).collect();
            let beyond = ranks_of(&wanted, similarities, &mut is_candidate);
            ranks.extend(beyond.into_iter().map(|rank| shortlist.len() + rank));
        }
        QueryOutcome::of(&ranks, self.embeddings.len() - question.hidden.len())
    }

    /// Positions of the right answers.
    fn right(&self, question: &Question) -> impl Iterator<Item = usize> {
        self.pictures_of[question.label].iter().copied().filter(|at| !question.hidden.contains(at))
    }

    /// The ranks, from 0, of right answers in `shortlist`.
    fn right_in(&self, question: &Question, shortlist: &[usize]) -> impl Iterator<Item = usize> {
        let right = &self.pictures_of[question.label];
        shortlist.iter().enumerate().filter(|(_, at)| right.binary_search(at).is_ok()).map(|(rank, _)| rank)
    }
}

/// The pictures that ask together: `[m, width]`.
fn rows_of(question: &Question, asking: &Rows) -> Rows {
    let mut rows = Rows::empty(asking.width());
    question.members.iter().for_each(|&at| _ = rows.push(asking.row(at)));
    rows
}

/// How measures without a model compare.
pub(super) const PLAIN: SearchMode = SearchMode { metric: Metric::Cosine, set_mode: SetMode::Mean };

/// Names in the order of their numbers.
pub(super) fn name_of(at: usize) -> PathBuf {
    PathBuf::from(format!("{at:09}"))
}

pub(super) fn number_of(path: &Path) -> Option<usize> {
    path.to_str()?.parse().ok()
}

#[cfg(test)]
#[path = "queries_tests.rs"]
mod tests;
