//! The options of `artificio export`.

use std::path::PathBuf;

use clap::Args;

/// Of `artificio export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// Which numbers
    pub rows: ExportKind,
    /// The file: .npy (numpy; the paths are written to FILE.paths) or .csv
    pub file: PathBuf,
    /// End each path in FILE.paths with NUL instead of a line break
    #[arg(short = '0', long)]
    pub null: bool,
}

/// What can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportKind {
    /// What the model that serves makes of each picture; what answers are found by
    Embeddings,
    /// What the network beneath it makes of each picture, before any training
    Features,
}
