//! Removes answers that are older than the settings keep them (`keep_days`), a few at a time, while no query waits.
//!
//! The query is its owner's and stays. That its answer is not wanted any more stands in the catalog, so that no start makes it again;
//! a change of the query does. Of a query that is gone nothing is kept.

use std::path::PathBuf;

use log::info;

use super::Daemon;
use crate::catalog::{AnswerRow, Root};
use crate::clock;
use crate::error::Trouble;
use crate::query::expired::remove_before;

/// Answers looked at in one turn of the loop.
const ANSWERS_A_TURN: usize = 100;
const SECONDS_A_DAY: i64 = 86_400;

/// What a turn has found.
#[derive(Default)]
struct ExpiredAnswers {
    last: Option<PathBuf>,
    /// Their files are gone.
    removed: Vec<AnswerRow>,
    /// They were removed earlier, and their queries are gone as well.
    forgotten: Vec<AnswerRow>,
}

impl Daemon {
    /// Goes on with the removal of old answers, if it is due.
    pub(super) fn expire_answers(&mut self) {
        let (now, days) = (self.now(), self.config().answer.keep_days.get());
        // A query that waits may be about to write its answer, and the catalog to be told of it.
        let is_quiet = self.plan.pending(Root::Query) == 0 && self.queries.changed() == 0 && !self.store.is_failing();
        if days == 0 || !is_quiet || !self.reporting.is_ready() || !self.queries.expiry().is_due(now) {
            return;
        }
        let done = self.expire_some(clock::now_s() - days as i64 * SECONDS_A_DAY);
        let (last, removed) = match done {
            Ok(expired) => (expired.last, expired.removed.len()),
            Err(trouble) => {
                // The next pass tries it again.
                self.note("expiry", Some(trouble));
                (None, 0)
            }
        };
        if let Some(removed) = self.queries.expiry().advance(last, removed, now).filter(|removed| *removed > 0) {
            info!("{removed} answers older than {days} days were removed");
        }
    }

    fn expire_some(&mut self, cutoff_s: i64) -> Result<ExpiredAnswers, Trouble> {
        let after = self.queries.expiry().after().map(PathBuf::from);
        let rows = self.store.catalog().answers_after(after.as_deref(), ANSWERS_A_TURN)?;
        let mut expired =
            ExpiredAnswers { last: rows.last().map(|row| row.query.clone()), ..ExpiredAnswers::default() };
        let answers = self.config().folders.answer.clone();
        for row in rows {
            let is_old = row.is_answered() && row.answered_s < cutoff_s;
            if row.is_expired() && !self.is_query(&row) {
                expired.forgotten.push(row);
            } else if is_old && remove_before(&answers, &row.name, cutoff_s)? {
                expired.removed.push(row);
            }
        }
        self.keep_expired(&expired)?;
        self.note("expiry", None);
        Ok(expired)
    }

    fn is_query(&self, row: &AnswerRow) -> bool {
        self.tree(Root::Query).is_some_and(|tree| tree.has_files(&row.query))
    }

    /// If that fails, the next pass finds the rows again, and no files.
    fn keep_expired(&mut self, expired: &ExpiredAnswers) -> Result<(), Trouble> {
        if expired.removed.is_empty() && expired.forgotten.is_empty() {
            return Ok(());
        }
        let live: Vec<bool> = expired.removed.iter().map(|row| self.is_query(row)).collect();
        // What a power failure brings back is removed again.
        self.store.catalog_mut().together_unflushed(|catalog| {
            for (row, is_live) in expired.removed.iter().zip(&live) {
                if *is_live { catalog.put_answer(&row.expired())? } else { catalog.remove_answer(&row.query)? }
            }
            expired.forgotten.iter().try_for_each(|row| catalog.remove_answer(&row.query))
        })?;
        for (row, is_live) in expired.removed.iter().zip(live) {
            self.queries.expire(row, is_live);
            self.reporting.gallery().hint(format!("result_{}.json", row.name).as_ref());
        }
        Ok(())
    }
}
