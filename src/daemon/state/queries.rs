//! The state of the queries: which have changed, their answers and names, which answers may be out of date, and whether answers
//! can be written at the moment.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::postponed::Postponed;
use super::{Answers, Expiry, Pacer};
use crate::answer::name;
use crate::catalog::AnswerRow;
use crate::daemon::retry::{LONGEST_RETRY_PAUSE, RETRY_PAUSE};

/// Answers that may be out of date are reviewed at most this often.
const REVIEW_PAUSE: Duration = Duration::from_millis(200);
/// ... and this many of them at most at a time.
const REVIEWED_AT_ONCE: usize = 100;

/// Changed queries that are looked at in one turn, to see whether they have settled.
const LOOKED_AT_ONCE: usize = 1_000;

/// The state of all queries.
pub struct Queries {
    /// Something in them changed, and they have not settled yet.
    changed: BTreeSet<PathBuf>,
    /// The last of them that was looked at, if not all were.
    looked_at: Option<PathBuf>,
    answers: Answers,
    rechecks: Rechecks,
    stall: Option<Stall>,
    postponed: Postponed,
    review: Pacer,
    expiry: Expiry,
}

/// Old answers to check again.
#[derive(Debug, Default)]
struct Rechecks {
    /// Model and state of the index for which answers are enqueued ...
    seen: Option<(String, u64)>,
    /// ... and the last of them that was, in the order of paths.
    last: Option<PathBuf>,
    under_way: BTreeSet<PathBuf>,
}

/// Answers cannot be written.
struct Stall {
    /// Whether queries wait; if not, the next one tests whether answers can be written.
    is_closed: bool,
    pause: Duration,
    next_try: Duration,
    /// Size of the largest answer that could not be written.
    bytes: usize,
}

impl Queries {
    /// With the answers that the catalog knows; those of removed queries (`is_live`) are counted only.
    pub fn new(answers: Vec<AnswerRow>, is_live: impl Fn(&Path) -> bool) -> Self {
        let mut known = Answers::default();
        for answer in answers {
            match is_live(&answer.query) {
                true => known.put(answer),
                false => known.count_only(&answer),
            }
        }
        Self {
            changed: BTreeSet::new(),
            looked_at: None,
            answers: known,
            rechecks: Rechecks::default(),
            stall: None,
            postponed: Postponed::default(),
            review: Pacer::new(REVIEW_PAUSE),
            expiry: Expiry::default(),
        }
    }

    /// Something in a query changed.
    pub fn mark_changed(&mut self, query: PathBuf) {
        self.changed.insert(query);
    }

    /// Number of queries that changed and have not settled yet.
    pub fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Changed queries that have settled; `is_unsettled` says in which a file is still settling. Looks at some of them at a time.
    pub fn take_settled(&mut self, is_unsettled: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let after = self.looked_at.take().map_or(Bound::Unbounded, Bound::Excluded);
        let some = self.changed.range((after, Bound::Unbounded)).take(LOOKED_AT_ONCE);
        let some: Vec<PathBuf> = some.cloned().collect();
        if some.len() == LOOKED_AT_ONCE {
            self.looked_at = some.last().cloned();
        }
        let settled: Vec<PathBuf> = some.into_iter().filter(|query| !is_unsettled(query)).collect();
        for query in &settled {
            self.changed.remove(query);
        }
        settled
    }

    /// How many answers there are that are no errors.
    pub fn answered(&self) -> usize {
        self.answers.answered()
    }

    /// How many error answers there are.
    pub fn failed(&self) -> usize {
        self.answers.failed()
    }

    /// The answer of a query.
    pub fn answer(&self, query: &Path) -> Option<&AnswerRow> {
        self.answers.get(query)
    }

    /// A query was answered.
    pub fn put_answer(&mut self, row: AnswerRow) {
        self.postponed.remove(&row.query);
        self.answers.put(row);
    }

    /// A query is there again; the catalog has its answer.
    pub fn restore_answer(&mut self, row: AnswerRow) {
        self.answers.restore(row);
    }

    /// A query was removed. Its answer stays in the catalog.
    pub fn forget(&mut self, query: &Path) {
        self.postponed.remove(query);
        self.answers.forget(query);
    }

    /// The answer of the catalog's `row` was removed because of its age. Returns what the catalog is to hold of it: of a query that is
    /// there, that it is not to be answered again.
    pub fn expire(&mut self, row: &AnswerRow, is_live: bool) -> Option<AnswerRow> {
        if !is_live {
            self.answers.forget(&row.query);
        }
        if self.answers.get(&row.query).is_none() {
            self.answers.discount(row);
        }
        let expired = is_live.then(|| row.expired());
        expired.iter().for_each(|expired| self.answers.put(expired.clone()));
        expired
    }

    /// Whether a query's answer was removed because of its age.
    pub fn is_expired(&self, query: &Path) -> bool {
        self.answers.get(query).is_some_and(AnswerRow::is_expired)
    }

    /// A query has changed: if its answer was removed because of its age, it is to have one again.
    pub fn renew(&mut self, query: &Path) {
        if let Some(expired) = self.answers.get(query).filter(|row| row.is_expired()) {
            let reserved = AnswerRow::reserved(query, &expired.name);
            self.answers.put(reserved);
        }
    }

    /// How far the removal of old answers is.
    pub fn expiry(&mut self) -> &mut Expiry {
        &mut self.expiry
    }

    /// The name of a query's answer: the one it has, or the first that no other query has, which it keeps. Another query has it
    /// while it is there (`is_live`), and as long as its answer is (`is_left`, which is asked for names).
    pub fn name_for(
        &mut self,
        query: &Path,
        is_set: bool,
        is_live: impl Fn(&Path) -> bool,
        is_left: impl Fn(&str) -> bool,
    ) -> String {
        let is_live = |name: &str| self.answers.owner(name).is_some_and(|owner| owner != query && is_live(owner));
        let is_taken = |name: &str| is_live(name) || is_left(name);
        // While a query was gone, another one may have taken its name.
        if let Some(answer) = self.answers.get(query).filter(|answer| !is_taken(&answer.name)) {
            return answer.name.clone();
        }
        let [preferred, full, own] = name::candidates(query, is_set);
        let name = [preferred, full].into_iter().find(|name| !is_taken(name)).unwrap_or(own);
        self.answers.put(AnswerRow::reserved(query, &name));
        name
    }

    /// Whether answers that may be out of date are to be reviewed now.
    pub fn is_review_due(&mut self, now: Duration) -> bool {
        self.review.is_due(now)
    }

    /// When a review that was put off, or a query that was postponed, is due.
    pub fn next_due(&self) -> Option<Duration> {
        let unseen = self.looked_at.as_ref().map(|_| Duration::ZERO);
        [self.review.next_due(), self.postponed.next_due(), unseen].into_iter().flatten().min()
    }

    /// The queries whose answers cannot be written because of what lies in their own place.
    pub fn postponed(&mut self) -> &mut Postponed {
        &mut self.postponed
    }

    /// Some of the queries answered before the inventory was complete. Each is returned once: its new answer decides whether it
    /// is provisional again. After a crash the catalog still has the mark.
    pub fn take_provisional(&mut self) -> Vec<PathBuf> {
        self.answers.take_provisional(REVIEWED_AT_ONCE)
    }

    /// The next query whose answer may have changed; `state` is that of model and index. Each query is returned once for each
    /// state.
    pub fn next_recheck(&mut self, state: (String, u64), exists: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        if self.rechecks.seen.as_ref() != Some(&state) {
            (self.rechecks.seen, self.rechecks.last) = (Some(state), None);
        }
        for _ in 0..REVIEWED_AT_ONCE {
            let answer = self.answers.next_after(self.rechecks.last.as_deref())?;
            let query = answer.query.clone();
            self.rechecks.last = Some(query.clone());
            if answer.is_answered() && !answer.is_error() && exists(&query) {
                self.rechecks.under_way.insert(query.clone());
                return Some(query);
            }
        }
        None
    }

    /// Whether the job about to start for `query` only checks if its answer would change.
    pub fn take_recheck(&mut self, query: &Path) -> bool {
        self.rechecks.under_way.remove(query)
    }

    /// An answer of this size could not be written.
    pub fn stall(&mut self, bytes: usize, now: Duration) {
        let stall =
            self.stall.get_or_insert(Stall { is_closed: false, pause: RETRY_PAUSE / 2, next_try: now, bytes: 0 });
        stall.bytes = stall.bytes.max(bytes);
        // Several queries may have been under way when the first one failed: that counts as one failure.
        if !stall.is_closed {
            stall.is_closed = true;
            stall.pause = (stall.pause * 2).min(LONGEST_RETRY_PAUSE);
            stall.next_try = now + stall.pause;
        }
    }

    /// While queries wait because answers cannot be written: how many bytes of room are needed, once it is time to check
    /// again.
    pub fn room_needed(&self, now: Duration) -> Option<usize> {
        self.stall.as_ref().filter(|stall| stall.is_closed && now >= stall.next_try).map(|stall| stall.bytes)
    }

    /// With room, the next query tests whether answers can be written; without, all wait longer.
    pub fn retry(&mut self, has_room: bool, now: Duration) {
        if let Some(stall) = &mut self.stall {
            stall.is_closed = !has_room;
            if !has_room {
                stall.next_try = now + RETRY_PAUSE;
            }
        }
    }

    /// Answers can be written again.
    pub fn resume(&mut self) {
        self.stall = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::AnswerState;

    fn answered(query: &str, state: AnswerState, is_provisional: bool) -> AnswerRow {
        AnswerRow { state, is_provisional, answered_s: 1, ..AnswerRow::reserved(Path::new(query), query) }
    }

    #[test]
    fn a_name_has_one_owner_among_live_queries() {
        let mut queries = Queries::new(Vec::new(), |_| true);
        let (everybody, none_left) = (|_: &Path| true, |_: &str| false);
        assert_eq!(queries.name_for(Path::new("a.jpg"), false, everybody, none_left), "a");
        assert_eq!(queries.name_for(Path::new("a.png"), false, everybody, none_left), "a.png");
        assert_eq!(queries.name_for(Path::new("a.jpg"), false, everybody, none_left), "a");
        assert_eq!(queries.name_for(Path::new("a.gif"), false, |_| false, none_left), "a", "its owner is gone");
        queries.put_answer(AnswerRow { name: "a".into(), ..answered("a.gif", AnswerState::Ok, false) });
        assert!(queries.answer(Path::new("a.jpg")).is_none());
    }

    #[test]
    fn an_answer_that_is_left_keeps_its_name_when_its_query_is_gone() {
        let mut queries = Queries::new(Vec::new(), |_| true);
        let (nobody, is_left) = (|_: &Path| false, |name: &str| name == "a");
        assert_eq!(queries.name_for(Path::new("a.gif"), false, nobody, is_left), "a.gif");
        let both_left = |name: &str| name.len() < 6;
        let name = queries.name_for(Path::new("a.bmp"), false, nobody, both_left);
        assert!(name.starts_with("a.bmp-"), "{name}");
        assert_eq!(queries.name_for(Path::new("a.bmp"), false, nobody, |_| false), name, "it has one");
    }

    #[test]
    fn a_query_is_enqueued_when_all_its_files_have_settled() {
        let mut queries = Queries::new(Vec::new(), |_| true);
        queries.mark_changed("set".into());
        queries.mark_changed("one.jpg".into());
        assert_eq!(queries.take_settled(|query| query == Path::new("set")), [PathBuf::from("one.jpg")]);
        assert_eq!(queries.changed(), 1);
        assert_eq!(queries.take_settled(|_| false), [PathBuf::from("set")]);
    }

    #[test]
    fn of_many_changed_queries_some_are_looked_at_in_each_turn_and_none_is_forgotten() {
        let mut queries = Queries::new(Vec::new(), |_| true);
        (0..2_500).for_each(|number| queries.mark_changed(format!("{number:04}").into()));
        let unsettled = Path::new("0500");
        let mut counts = Vec::new();
        for _ in 0..4 {
            counts.push(queries.take_settled(|query| query == unsettled).len());
        }
        assert_eq!((counts, queries.changed()), (vec![999, 1_000, 500, 0], 1));
        assert_eq!(queries.take_settled(|_| false), [unsettled.to_path_buf()]);
    }

    #[test]
    fn provisional_answers_and_rechecks_are_returned_once() {
        let rows = [
            answered("a", AnswerState::Ok, true),
            answered("b", AnswerState::Ok, false),
            answered("c", AnswerState::Error, false),
        ];
        let mut queries = Queries::new(rows.to_vec(), |_| true);
        assert_eq!(queries.take_provisional(), [PathBuf::from("a")]);
        assert!(queries.take_provisional().is_empty());
        let mut next = |state: u64| queries.next_recheck(("m1".into(), state), |query| query != Path::new("b"));
        assert_eq!([next(1), next(1), next(2)], [Some("a".into()), None, Some("a".into())]);
        assert!(queries.take_recheck(Path::new("a")) && !queries.take_recheck(Path::new("a")));
    }

    #[test]
    fn an_answer_that_was_too_old_comes_again_with_a_change_of_its_query_and_not_before() {
        let rows = [answered("a", AnswerState::Ok, true), answered("b", AnswerState::Error, false)];
        let mut queries = Queries::new(rows.to_vec(), |query| query == Path::new("a"));
        assert_eq!((queries.answered(), queries.failed()), (1, 1));
        let of_a = queries.expire(&rows[0], true).unwrap();
        assert_eq!(queries.expire(&rows[1], false), None, "nobody asks any more");
        assert_eq!((queries.answered(), queries.failed()), (0, 0));
        assert!(queries.take_provisional().is_empty() && queries.next_recheck(("m".into(), 1), |_| true).is_none());
        // After a restart as well.
        let mut queries = Queries::new(vec![of_a], |_| true);
        assert!(queries.is_expired(Path::new("a")) && queries.answered() == 0);
        assert_eq!(queries.name_for(Path::new("a"), false, |_| true, |_| false), "a", "its name is its own");
        queries.renew(Path::new("a"));
        let row = queries.answer(Path::new("a")).unwrap();
        assert!(!row.is_expired() && row.is_provisional && row.content.is_none());
        queries.put_answer(answered("a", AnswerState::Ok, false));
        queries.renew(Path::new("a"));
        assert!(queries.answer(Path::new("a")).unwrap().is_answered());
    }

    #[test]
    fn while_answers_cannot_be_written_the_pauses_grow_and_one_query_tests_it() {
        let mut queries = Queries::new(Vec::new(), |_| true);
        let second = Duration::from_secs;
        queries.stall(100, second(0));
        queries.stall(300, second(1));
        assert_eq!((queries.room_needed(second(4)), queries.room_needed(second(5))), (None, Some(300)));
        queries.retry(false, second(5));
        assert_eq!((queries.room_needed(second(9)), queries.room_needed(second(10))), (None, Some(300)));
        queries.retry(true, second(10));
        assert_eq!(queries.room_needed(second(60)), None, "somebody is finding out");
        queries.stall(300, second(60));
        assert_eq!((queries.room_needed(second(67)), queries.room_needed(second(68))), (None, Some(300)));
        queries.resume();
        assert_eq!(queries.room_needed(second(99)), None);
    }
}
