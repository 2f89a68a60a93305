//! The command line: commands, options and what they mean.

mod evaluate;
mod export;
mod overview;
mod serve;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};

use crate::config::{Crop, DateBound, Encoder, Setup, Source};
use crate::error::Fatal;

use super::help::with_notes;

pub use evaluate::EvaluateOptions;
pub use export::{ExportKind, ExportOptions};
pub use overview::{DuplicatesOptions, MapOptions};
pub use serve::ServeOptions;

/// The options that every command has are listed below its own.
const GLOBAL_ORDER: usize = 900;

/// Drop a picture into query/ and answer/ shows the most similar pictures of db/img_inventory_raw/.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Arguments {
    /// The folder that holds query/, db/ and answer/ (default: the current one)
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath, display_order = GLOBAL_ORDER)]
    root: Option<PathBuf>,
    /// The settings (default: config/artificio.toml below the root; without that file, the built-in defaults)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, display_order = GLOBAL_ORDER + 1)]
    config: Option<PathBuf>,
    /// What to do; without a command: run
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service until it is stopped (the default)
    Run,
    /// Draw a small picture store, run the service on it, answer three queries and print where the sheets are
    Demo(DemoOptions),
    /// Open a page for the browser on the folders: drop pictures, look at answers, ask again
    Serve(ServeOptions),
    /// Answer a query at once, on the terminal, without touching query/ or answer/
    Query(QueryOptions),
    /// Measure how good the answers are on a folder of labelled pictures
    Evaluate(EvaluateOptions),
    /// Train now, whether or not a training is due, and print whether the new model is good enough to serve
    Train(TrainOptions),
    /// List the models with their figures, or go back to one
    Models(ModelsOptions),
    /// Find present and likely problems with settings, folders and limits, and how to fix them
    Check(JsonOption),
    /// Show what the running service is doing
    Status(StatusOptions),
    /// Draw a map of the inventory by similarity: a picture, and a page to zoom and search in
    Map(MapOptions),
    /// Have the running service read its settings again, and wait until it has
    Reload,
    /// Find near-duplicates in the inventory: copies, re-saved, mirrored, rotated, recoloured, cropped
    Duplicates(DuplicatesOptions),
    /// Write the embeddings or features of the inventory's pictures into a file, for numpy and others
    Export(ExportOptions),
    /// Print a shell's completions
    Completions(CompletionsOptions),
    /// Print the manual page of the program, or write those of all commands
    Man(ManOptions),
    /// Decode one picture in a process of its own; started by the service, not by people
    #[command(hide = true)]
    DecodeIsolated {
        /// What is wanted, as JSON
        request: String,
    },
    /// Run the command of `on_answer` in a process of its own; started by the service, not by people
    #[command(hide = true)]
    RunOnAnswer {
        /// The answer folder
        answer: PathBuf,
        /// Program and arguments
        #[arg(last = true)]
        command: Vec<String>,
    },
}

/// Of `artificio train`.
#[derive(Debug, Args)]
pub struct TrainOptions {
    /// Write report.html into DIR (default: artificio-report), a page of charts, also of a model that is refused
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "artificio-report")]
    pub report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `artificio man`.
#[derive(Debug, Args)]
pub struct ManOptions {
    /// Write a page for every command into DIR, which is made where it is missing, and print nothing
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Of `artificio completions`.
#[derive(Debug, Args)]
pub struct CompletionsOptions {
    /// The shell
    pub shell: Shell,
}

/// The shells there are completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// Of `artificio demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Where the store is made; a store made before is used again
    #[arg(default_value = "artificio-demo")]
    pub dir: PathBuf,
    /// Keep running after the queries are answered
    #[arg(long)]
    pub watch: bool,
}

/// Of `artificio query`.
#[derive(Debug, Args)]
pub struct QueryOptions {
    /// A picture, or a folder of pictures with its query.toml, yes/ and not/; several are one query set, searched together
    #[arg(required = true, value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,
    /// Print the record
    #[arg(long)]
    pub json: bool,
    /// Print a line of comma-separated values for each match
    #[arg(long, conflicts_with_all = ["json", "null"])]
    pub csv: bool,
    /// Print nothing but the paths of the matches, each ended by NUL, for xargs -0
    #[arg(short = '0', long, conflicts_with = "json")]
    pub null: bool,
    /// Draw the sheet into FILE (.png, .jpg or .webp)
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// Show the sheet with the program the desktop opens pictures with
    #[arg(long)]
    pub open: bool,
    /// Say below each match why it stands where it does: which pictures moved it up, which folder taught
    #[arg(long, conflicts_with_all = ["csv", "null"])]
    pub why: bool,
    /// At most N matches, 1 to 50 (default: as in the settings)
    #[arg(short = 'k', long = "results", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50))]
    pub results: Option<u64>,
    /// Search for this part of the picture alone: from its upper left corner, in pixels, or in shares of its sides if none of the numbers
    /// is larger than 1
    #[arg(long, value_name = "X,Y,WIDTH,HEIGHT")]
    pub crop: Option<Crop>,
    /// Find only pictures in DIR, a folder inside the inventory; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub within: Vec<PathBuf>,
    /// Find no pictures in DIR, a folder inside the inventory; may be given more than once
    #[arg(long, value_name = "DIR")]
    pub not_within: Vec<PathBuf>,
    /// Find only pictures taken on DATE (2024-06-01) or later, or at that time (2024-06-01T08:30) or later; where a file does not say
    /// when it was taken, the time of its last change counts
    #[arg(long, value_name = "DATE")]
    pub after: Option<DateBound>,
    /// Find only pictures taken before DATE begins, or before that time
    #[arg(long, value_name = "DATE")]
    pub before: Option<DateBound>,
}

/// The encoders there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EncoderKind {
    /// A frozen pretrained backbone with a trained autoencoder on top
    Pretrained,
    /// A convolutional autoencoder trained from scratch on the pictures' pixels; takes minutes
    Convolutional,
    /// Both: the first as "artificio", the second as "convolutional"
    All,
}

impl EncoderKind {
    /// What to measure.
    pub fn encoders(self) -> Vec<Encoder> {
        match self {
            Self::Pretrained => vec![Encoder::Pretrained],
            Self::Convolutional => vec![Encoder::Convolutional],
            Self::All => vec![Encoder::Pretrained, Encoder::Convolutional],
        }
    }
}

/// Of `artificio status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Keep showing it until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `artificio models`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ModelsOptions {
    /// What to do; without a command: list them
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The commands of `artificio models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Go back to a model, also while the service runs; it is not retrained until pictures have changed
    Rollback {
        /// Its id, as `artificio models` lists it (default: the one before the one in use)
        id: Option<String>,
    },
}

/// Of commands whose output a program may read.
#[derive(Debug, Args)]
pub struct JsonOption {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The definition of the command line, with the notes of every command.
pub fn command() -> clap::Command {
    with_notes(Arguments::command(), "")
}

impl Arguments {
    /// Those of this process. Ends it where they are wrong (with 2) and after `--help` and `--version` (with 0).
    pub fn of_process() -> Self {
        Self::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit())
    }

    /// Refuses options that the command would silently ignore.
    ///
    /// # Errors
    /// With what to write in their place.
    pub fn refuse_ignored(&self) -> Result<(), Fatal> {
        let is_demo = matches!(self.command, Some(Command::Demo(_)));
        match (&self.root, &self.config) {
            (Some(root), _) if is_demo => {
                let instead = format!("artificio demo '{}'", root.display());
                Err(Fatal::Usage(format!("the demo makes a folder of its own; to have it elsewhere: {instead}")))
            }
            (_, Some(_)) if is_demo => Err(Fatal::Usage(
                "the demo has settings of its own, in config/ of its folder; change them there and run it again".into(),
            )),
            _ => Ok(()),
        }
    }

    /// Where and how to work.
    pub fn setup(&self) -> Result<Setup, Fatal> {
        let root = absolute(self.root.as_deref().unwrap_or(Path::new(".")))?;
        let source = match &self.config {
            Some(path) => Source { path: absolute(path)?, required: true },
            None => Source { path: root.join("config/artificio.toml"), required: false },
        };
        Ok(Setup { root, source })
    }
}

/// Watches and records need paths that stay true whatever the current folder is.
pub fn absolute(path: &Path) -> Result<PathBuf, Fatal> {
    // "." would stay in the path as its last part and in every message.
    let joined = std::path::absolute(path).map_err(|error| Fatal::Usage(format!("{}: {error}", path.display())))?;
    Ok(joined.components().collect())
}
