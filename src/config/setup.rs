//! Where the program works, and where its settings come from.

use std::path::PathBuf;

use super::Source;

/// Where and how to run.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Holds `query/`, `db/` and `answer/`.
    pub root: PathBuf,
    /// Where the settings come from.
    pub source: Source,
}
