//! A settings file that cannot be used: which one, and every mistake in it with its cause and place.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::cause::Cause;
use super::excerpt;
use super::read::Located;
use crate::error::{Fatal, one_line};

/// As many mistakes are shown; a file of the wrong kind has one in every line.
const MOST_SHOWN: usize = 10;

/// A settings file that cannot be used.
#[derive(Debug)]
pub struct ConfigError {
    path: PathBuf,
    mistakes: Vec<Mistake>,
    more: usize,
}

/// One mistake. Its text does not name the file.
#[derive(Debug)]
pub struct Mistake {
    /// What is wrong.
    pub cause: Cause,
    /// Where; `None` where it is wrong with the file as a whole.
    pub position: Option<Position>,
}

/// A place in a settings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The line, with carets below the place.
    pub excerpt: String,
}

impl ConfigError {
    /// Something is wrong with the whole of the file.
    pub(super) fn of_file(path: &Path, cause: Cause) -> Self {
        Self { path: path.into(), mistakes: vec![Mistake { cause, position: None }], more: 0 }
    }

    /// `found` is wrong in `text`, the content of the file.
    pub(super) fn at(path: &Path, text: &str, found: Vec<Located>) -> Self {
        let more = found.len().saturating_sub(MOST_SHOWN);
        let placed = |(span, cause): (Range<usize>, Cause)| Mistake { cause, position: Some(excerpt::at(text, &span)) };
        Self { path: path.into(), mistakes: found.into_iter().take(MOST_SHOWN).map(placed).collect(), more }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it, in the file's order: at least one mistake, and not more than are worth showing.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// All mistakes as one text that does not name the file.
    pub fn what(&self) -> String {
        let more = (self.more > 0).then(|| format!("and {} more mistakes", self.more));
        self.mistakes.iter().map(ToString::to_string).chain(more).collect::<Vec<_>>().join("\n")
    }
}

impl Mistake {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self.position {
            Some(_) => "correct the line pointed at; docs/settings.md explains every setting",
            None => "correct the settings, or name another file with --config",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        for (number, mistake) in self.mistakes.iter().enumerate() {
            // As compilers write it, `path:line:column: ...`, so that editors find the place.
            let gap = if mistake.position.is_some() { "" } else { " " };
            let end = if number + 1 < self.mistakes.len() { "\n" } else { "" };
            write!(out, "{path}:{gap}{mistake}{end}")?;
        }
        if self.more > 0 {
            write!(out, "\n{path}: and {} more mistakes", self.more)?;
        }
        Ok(())
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = one_line(&self.cause.to_string());
        match &self.position {
            None => out.write_str(&cause),
            Some(Position { line, column, excerpt }) => write!(out, "{line}:{column}: {cause}\n{excerpt}"),
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.mistakes.first().map(|mistake| &mistake.cause as _)
    }
}

impl From<ConfigError> for Fatal {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}
