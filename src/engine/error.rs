//! What an engine could not do, and why: whether it may be tried again is in the type.

use std::fmt;

use crate::error::Trouble;

/// Why an engine did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineError {
    /// It cannot be reached, or cannot work at the moment: it is tried again.
    Outage(String),
    /// There is no such generation (any more): whoever asked looks again which one serves.
    NoGeneration(String),
    /// The generation is there and of another width.
    OtherWidth {
        /// Its name.
        generation: String,
        /// Its width.
        present: usize,
        /// What was asked for.
        expected: usize,
    },
    /// It refuses, and would do so again.
    Refused(String),
}

impl EngineError {
    /// Whether it is over by itself when the engine is back.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Outage(_))
    }

    /// For a person; `engine` is its address.
    pub fn trouble(&self, engine: &str) -> Trouble {
        let remedy = match self {
            Self::Outage(_) => {
                "start it, or see `url` in [index]; pictures are read meanwhile, and what it lacks is added when it is back"
            }
            Self::NoGeneration(_) => "there is nothing to do: it is made again",
            Self::OtherWidth { .. } => "drop that collection in the engine; it is filled again",
            Self::Refused(_) => "see the engine's log, its version, and `token_file` in [index]",
        };
        Trouble::new(self.to_string(), engine, remedy)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outage(reason) => write!(out, "the engine cannot be reached: {reason}"),
            Self::NoGeneration(name) => write!(out, "the engine has no embeddings called {name}"),
            Self::OtherWidth { generation, present, expected } => {
                write!(out, "the engine's embeddings {generation} have {present} values, not {expected}")
            }
            Self::Refused(reason) => write!(out, "the engine refused: {reason}"),
        }
    }
}

impl std::error::Error for EngineError {}
