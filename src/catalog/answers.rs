//! The catalog's table of answers: which query was answered, under which name, from which content.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rusqlite::{Row, params};

use super::Catalog;
use super::checksum::is_intact;
use super::files::path_at;
use super::health::DamagedRow;
use crate::error::Trouble;
use crate::picture::Hash;

/// How a query went, as in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerState {
    /// It has a name and no answer yet.
    Pending,
    /// It was answered.
    Ok,
    /// It was answered, but not all of it or of the inventory could be used.
    Partial,
    /// Nothing is similar to it.
    NothingSimilar,
    /// It could not be answered; the answer says why.
    Error,
    /// Its answer was removed because of its age. There is none until the query changes.
    Expired,
}

impl AnswerState {
    const ALL: [Self; 6] = [Self::Pending, Self::Ok, Self::Partial, Self::NothingSimilar, Self::Error, Self::Expired];

    /// As kept in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::NothingSimilar => "nothing_similar",
            Self::Error => "error",
            Self::Expired => "expired",
        }
    }

    /// An unknown name reads as pending: the query is answered again.
    fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Pending)
    }
}

/// A query that has its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// Relative to the query folder: a picture, or the folder of a set.
    pub query: PathBuf,
    /// The answer is `result_<name>.png` and `result_<name>.json`.
    pub name: String,
    /// Over all pictures of the query; `None` when none could be read.
    pub content: Option<Hash>,
    /// How it went.
    pub state: AnswerState,
    /// To be answered again when the inventory is complete.
    pub is_provisional: bool,
    /// Seconds since 1970.
    pub answered_s: i64,
}

impl AnswerRow {
    /// The row of a query that has a name and no answer yet.
    pub fn reserved(query: &Path, name: &str) -> Self {
        Self {
            query: query.to_path_buf(),
            name: name.into(),
            content: None,
            state: AnswerState::Pending,
            is_provisional: true,
            answered_s: 0,
        }
    }

    /// The row of the same query once its answer was removed because of its age. Its name stays its own.
    pub fn expired(&self) -> Self {
        let reserved = Self::reserved(&self.query, &self.name);
        Self { state: AnswerState::Expired, is_provisional: false, ..reserved }
    }

    /// Whether the answer was removed because of its age.
    pub fn is_expired(&self) -> bool {
        self.state == AnswerState::Expired
    }

    /// Whether the answer is an error message.
    pub fn is_error(&self) -> bool {
        self.state == AnswerState::Error
    }

    /// Whether there is an answer.
    pub fn is_answered(&self) -> bool {
        self.answered_s > 0
    }
}

impl Catalog {
    /// Every answered query, ordered by path. Deleted queries are among them: their answers stay.
    pub fn answers(&self) -> Result<Vec<AnswerRow>, Trouble> {
        self.read_answers("true", [], None)
    }

    /// The next answers after that of the query `after`, ordered by path; without one, the first. Damaged rows may make them fewer than
    /// `most`.
    pub fn answers_after(&self, after: Option<&Path>, most: usize) -> Result<Vec<AnswerRow>, Trouble> {
        let after = after.map_or(&[][..], |query| query.as_os_str().as_bytes());
        self.read_answers("query > ?1", [after], Some(most))
    }

    /// The answer of one query.
    pub fn answer(&self, query: &Path) -> Result<Option<AnswerRow>, Trouble> {
        Ok(self.read_answers("query = ?1", [query.as_os_str().as_bytes()], None)?.pop())
    }

    fn read_answers(
        &self,
        which: &str,
        values: impl rusqlite::Params,
        most: Option<usize>,
    ) -> Result<Vec<AnswerRow>, Trouble> {
        let limit = most.map(|most| format!("LIMIT {most}")).unwrap_or_default();
        let statement = format!(
            "SELECT checksum IS row_checksum('answers', query, name, content, status, is_provisional, answered_s),
             query, name, content, status, is_provisional, answered_s FROM answers WHERE {which} ORDER BY query {limit}"
        );
        let collect = || {
            let mut statement = self.connection.prepare_cached(&statement)?;
            let (mut rows, mut answers) = (statement.query(values)?, Vec::new());
            while let Some(row) = rows.next()? {
                if is_intact(row) {
                    answers.push(read_row(row)?);
                } else if let Ok(query) = path_at(row, 1) {
                    self.health.add(DamagedRow::Answer { query });
                }
            }
            Ok(answers)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Records an answer; it replaces the query's earlier one.
    pub fn put_answer(&self, answer: &AnswerRow) -> Result<(), Trouble> {
        self.write(
            "INSERT OR REPLACE INTO answers VALUES (?1, ?2, ?3, ?4, ?5, ?6, row_checksum('answers', ?1, ?2, ?3, ?4, ?5, ?6))",
            params![
                answer.query.as_os_str().as_bytes(),
                answer.name,
                answer.content.map(|hash| hash.0),
                answer.state.name(),
                answer.is_provisional,
                answer.answered_s
            ],
        )
    }

    /// Nothing is known any more of this query's answer.
    pub fn remove_answer(&self, query: &Path) -> Result<(), Trouble> {
        self.write("DELETE FROM answers WHERE query = ?1", params![query.as_os_str().as_bytes()])
    }

    /// The query whose answer has this name.
    pub fn query_named(&self, name: &str) -> Result<Option<PathBuf>, Trouble> {
        Ok(self.read_answers("name = ?1", [name], None)?.pop().map(|answer| answer.query))
    }
}

/// A row behind the column that says that it is intact.
fn read_row(row: &Row<'_>) -> rusqlite::Result<AnswerRow> {
    Ok(AnswerRow {
        query: path_at(row, 1)?,
        name: row.get(2)?,
        content: row.get::<_, Option<[u8; 32]>>(3)?.map(Hash),
        state: AnswerState::of_name(&row.get::<_, String>(4)?),
        is_provisional: row.get(5)?,
        answered_s: row.get(6)?,
    })
}
