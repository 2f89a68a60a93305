//! The answers of the queries that are there, by query and by name; how many there are is counted as they come and go. The
//! answers of removed queries are in the catalog only.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use crate::catalog::AnswerRow;

/// No question walks through all answers.
#[derive(Debug, Default)]
pub struct Answers {
    rows: BTreeMap<PathBuf, AnswerRow>,
    /// The query of each name.
    owners: HashMap<String, PathBuf>,
    /// Queries answered before the inventory was complete.
    provisional: BTreeSet<PathBuf>,
    answered: usize,
    failed: usize,
}

impl Answers {
    /// The answer of a query.
    pub fn get(&self, query: &Path) -> Option<&AnswerRow> {
        self.rows.get(query)
    }

    /// The query that has this name.
    pub fn owner(&self, name: &str) -> Option<&Path> {
        self.owners.get(name).map(PathBuf::as_path)
    }

    /// A query has this answer from now on. A name has one owner, as in the catalog.
    pub fn put(&mut self, row: AnswerRow) {
        if let Some(former) = self.remove(&row.query) {
            self.count(&former, -1);
        }
        if let Some(owner) = self.owners.remove(&row.name)
            && let Some(other) = self.remove(&owner)
        {
            self.count(&other, -1);
        }
        self.count(&row, 1);
        self.keep(row);
    }

    /// A query is there again, with the answer that the catalog has and that is counted already.
    pub fn restore(&mut self, row: AnswerRow) {
        if !self.rows.contains_key(&row.query) && !self.owners.contains_key(&row.name) {
            self.keep(row);
        }
    }

    /// A query is gone. Its answer still counts.
    pub fn forget(&mut self, query: &Path) {
        self.remove(query);
    }

    /// An answer of the catalog is counted, without being kept.
    pub fn count_only(&mut self, row: &AnswerRow) {
        self.count(row, 1);
    }

    /// An answer that is not kept any more counts no longer.
    pub fn discount(&mut self, row: &AnswerRow) {
        self.count(row, -1);
    }

    /// Up to `most` provisional answers, which are not provisional from then on.
    pub fn take_provisional(&mut self, most: usize) -> Vec<PathBuf> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(query) = self.provisional.pop_first()
        {
            if let Some(row) = self.rows.get_mut(&query) {
                row.is_provisional = false;
                row.content = None;
            }
            taken.push(query);
        }
        taken
    }

    /// The first answer after that of `query`, in the order of paths; without one, the first of all.
    pub fn next_after(&self, query: Option<&Path>) -> Option<&AnswerRow> {
        let from = query.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range::<Path, _>((from, Bound::Unbounded)).next().map(|(_, row)| row)
    }

    /// How many answers there are that are no errors.
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// How many error answers there are.
    pub fn failed(&self) -> usize {
        self.failed
    }

    fn keep(&mut self, row: AnswerRow) {
        if row.is_provisional && row.is_answered() {
            self.provisional.insert(row.query.clone());
        }
        self.owners.insert(row.name.clone(), row.query.clone());
        self.rows.insert(row.query.clone(), row);
    }

    fn remove(&mut self, query: &Path) -> Option<AnswerRow> {
        let row = self.rows.remove(query)?;
        self.provisional.remove(query);
        if self.owners.get(&row.name).is_some_and(|owner| owner == query) {
            self.owners.remove(&row.name);
        }
        Some(row)
    }

    fn count(&mut self, row: &AnswerRow, change: isize) {
        if row.is_answered() {
            let counter = if row.is_error() { &mut self.failed } else { &mut self.answered };
            *counter = counter.saturating_add_signed(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::AnswerState;

    fn answered(query: &str, name: &str, state: AnswerState) -> AnswerRow {
        let row = AnswerRow::reserved(Path::new(query), name);
        AnswerRow { state, is_provisional: false, answered_s: 1, ..row }
    }

    #[test]
    fn what_is_counted_is_what_was_answered_whether_its_query_is_there_or_not() {
        let mut answers = Answers::default();
        answers.put(answered("a", "a", AnswerState::Ok));
        answers.put(answered("a", "a", AnswerState::Error));
        answers.put(AnswerRow::reserved(Path::new("b"), "b"));
        assert_eq!((answers.answered(), answers.failed()), (0, 1));
        answers.forget(Path::new("a"));
        assert!(answers.get(Path::new("a")).is_none() && answers.owner("a").is_none());
        assert_eq!(answers.failed(), 1, "it was answered");
        answers.restore(answered("a", "a", AnswerState::Error));
        assert_eq!((answers.failed(), answers.owner("a")), (1, Some(Path::new("a"))));
        answers.put(answered("a", "a", AnswerState::Ok));
        assert_eq!((answers.answered(), answers.failed()), (1, 0));
        answers.put(answered("c", "a", AnswerState::Ok));
        assert_eq!((answers.get(Path::new("a")), answers.answered()), (None, 1), "a name has one owner");
        answers.restore(answered("a", "a", AnswerState::Ok));
        assert_eq!(answers.owner("a"), Some(Path::new("c")), "it has gone to another");
    }

    #[test]
    fn provisional_answers_come_a_few_at_a_time() {
        let mut answers = Answers::default();
        for query in ["a", "b", "c"] {
            answers.put(AnswerRow { is_provisional: true, ..answered(query, query, AnswerState::Ok) });
        }
        answers.forget(Path::new("b"));
        assert_eq!(answers.take_provisional(1), [PathBuf::from("a")]);
        assert_eq!(answers.take_provisional(9), [PathBuf::from("c")]);
        assert!(answers.take_provisional(9).is_empty() && !answers.get(Path::new("c")).unwrap().is_provisional);
        let names = |from: Option<&str>| answers.next_after(from.map(Path::new)).map(|row| row.name.as_str());
        assert_eq!([names(None), names(Some("a")), names(Some("c"))], [Some("a"), Some("c"), None]);
    }
}
