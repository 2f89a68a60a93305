//! What can be said on the command line.

mod overview;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::config::Setup;
use crate::config::{Encoder, Source};
use crate::error::Fatal;
use crate::model::SEED;

pub use overview::{DuplicatesOptions, MapOptions};

/// Options that go with every command stand below its own.
const EVERYWHERE: usize = 900;

/// Drop a picture into query/ and answer/ shows the most similar pictures of db/img_inventory_raw/.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  artificio demo                  see it work on pictures of its own drawing
  artificio                       run the service on the folders below this one
  artificio --root /srv/pictures  ... below another one
  cp burger.jpg query/            ask; the answer is answer/result_burger.png

Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 another instance works on the same root."
)]
pub struct Arguments {
    /// The folder that holds query/, db/ and answer/ (default: the current one)
    #[arg(long, global = true, value_name = "DIR", display_order = EVERYWHERE)]
    root: Option<PathBuf>,
    /// The settings (default: config/artificio.toml below the root; without that file, the built-in defaults)
    #[arg(long, global = true, value_name = "FILE", display_order = EVERYWHERE + 1)]
    config: Option<PathBuf>,
    /// What to do; without a command: run
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service until it is told to stop (the default)
    #[command(after_help = RUN_EXAMPLES)]
    Run,
    /// Draw a small picture store, run the service on it, answer three queries and say where the sheets are
    Demo(DemoOptions),
    /// Answer a picture at once, on the terminal, without touching query/ or answer/
    Query(QueryOptions),
    /// Measure how good the answers are on a folder of labelled pictures
    Evaluate(EvaluateOptions),
    /// Train now, whether or not it is time to, and say whether the new model is good enough to serve
    Train(TrainOptions),
    /// List the models with their figures, or go back to one
    Models(ModelsOptions),
    /// Find what is or will go wrong with settings, folders and limits, and say what mends it
    #[command(after_help = CHECK_EXAMPLES)]
    Check(JsonOption),
    /// Say what the running service is doing
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusOptions),
    /// Draw the inventory laid out by similarity: a picture, and a page to move about in
    Map(MapOptions),
    /// Have the running service read its settings again, and wait until it has
    #[command(after_help = RELOAD_EXAMPLES)]
    Reload,
    /// Find inventory pictures that are the same: copies, mirrored, turned, recoloured, trimmed
    Duplicates(DuplicatesOptions),
    /// Print a shell's completions
    Completions(CompletionsOptions),
    /// Print the manual page
    #[command(after_help = MAN_EXAMPLES)]
    Man,
    /// Decode one picture in a process of its own; started by the service, not by people
    #[command(hide = true)]
    DecodeIsolated {
        /// What is wanted, as JSON
        request: String,
    },
}

const RUN_EXAMPLES: &str = "\
Examples:
  artificio run                               on the folders below this one
  artificio --root /srv/pictures run          on those below another one
  artificio --config /etc/artificio.toml run  with settings from elsewhere
  artificio reload                            have them read again

Exit codes: 0 told to stop, 1 failed, 2 wrong usage or settings, 3 another instance works on the same root.";

const RELOAD_EXAMPLES: &str = "\
Examples:
  artificio reload                 the service on the folders below this one
  sudo systemctl reload artificio  the system's service: does the same

Exit codes: 0 the settings are in force, 1 they are not (a mistake in them, or nothing runs), 2 wrong usage.";

const CHECK_EXAMPLES: &str = "\
Examples:
  artificio check                              on the folders below this one
  artificio --root /srv/pictures check --json   for scripts

It only looks and changes nothing. As ExecStartPre=-/usr/bin/artificio check of a unit it puts its findings into the journal.

Exit codes: 0 all is well but for notes, 1 there is something to mend, 2 wrong usage.";

const STATUS_EXAMPLES: &str = "\
Examples:
  artificio status                 of the service on the current folder
  artificio status --watch         until Ctrl-C, or until the service ends
  artificio status --json          for scripts: db/state/status.json
  artificio status --watch --json  one line for every change

Exit codes: 0 it runs, 1 it does not, 2 wrong usage.";

const MAN_EXAMPLES: &str = "\
Examples:
  artificio man | man -l -                      read it
  artificio man > /usr/share/man/man1/artificio.1";

/// Of `artificio train`.
#[derive(Debug, Args)]
#[command(after_help = "\
Where the service runs it trains, beside its work, and this follows it. Where none runs, pictures are read as far as \
needed; queries are left alone.

Examples:
  artificio train           on the folders below the current one
  artificio train --report  ... and write artificio-report/report.html on it
  artificio train --json    for scripts

Exit codes: 0 the new model serves, 1 it was refused or nothing could be trained, 2 wrong usage or settings, \
3 another instance works on the same root and does not answer.")]
pub struct TrainOptions {
    /// Write report.html into DIR (default: artificio-report), a page of charts, also of a model that is refused
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "artificio-report")]
    pub report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `artificio completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  artificio completions bash > /usr/share/bash-completion/completions/artificio
  artificio completions zsh > /usr/share/zsh/vendor-completions/_artificio
  artificio completions fish > ~/.config/fish/completions/artificio.fish
  source <(artificio completions bash)  only in this terminal")]
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
#[command(after_help = "\
Examples:
  artificio demo           pictures and answers go to ./artificio-demo
  artificio demo /tmp/try  ... to another folder
  artificio demo --watch   keep running, for pictures dropped into its query/

Exit codes: 0 done, 1 failed, 2 the folder holds other things, 3 another instance works in it.")]
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
#[command(after_help = "\
Answers from the pictures the service has read, beside it or while it is stopped. Writes nothing but FILE.

Examples:
  artificio query burger.jpg                  a table, the most similar first
  artificio query burger.jpg --json           the record, as in answer/
  artificio query burger.jpg --open           draw the sheet and show it
  artificio query a.jpg b.jpg --sheet ab.png  both together as one query set

Exit codes: 0 answered, 1 not (the reason is said), 2 wrong usage or settings.")]
pub struct QueryOptions {
    /// A picture, or a folder of pictures; several are one query set, searched together
    #[arg(required = true, value_name = "PICTURE")]
    pub pictures: Vec<PathBuf>,
    /// Print the record
    #[arg(long)]
    pub json: bool,
    /// Draw the sheet into FILE (.png, .jpg or .webp)
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// Show the sheet with the program the desktop opens pictures with
    #[arg(long)]
    pub open: bool,
    /// Most matches, 1 to 50 (default: as in the settings)
    #[arg(short = 'k', long = "results", value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50))]
    pub results: Option<u64>,
}

/// Of `artificio evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "\
DIR holds inventory/ and query/ (and train/, if the model is to learn from other pictures than the inventory).
A picture's label is its file name up to \"__\", else its leading letters: burger_03.jpg is a burger.

Examples:
  artificio evaluate pictures                  each query against the inventory
  artificio evaluate pictures --leave-one-out  each picture against the others
  artificio evaluate pictures --encoder all    both encoders; trains for minutes
  artificio evaluate pictures --json           for scripts

Rows: artificio is what the service would answer; features (the network as published), histogram and pixels are measures \
to beat; euclidean is artificio by the other metric; set_mean and set_nearest let up to three pictures of a label \
ask together.
P@1, P@5: share of the first result, of the first five, with the query's label. mAP: mean average precision.

Exit codes: 0 done, 1 failed or stopped, 2 wrong usage or settings.")]
pub struct EvaluateOptions {
    /// The labelled pictures
    pub dir: PathBuf,
    /// Let every inventory picture query the others; also done when there are no queries
    #[arg(long)]
    pub leave_one_out: bool,
    /// Which encoder to measure (default: as in the settings)
    #[arg(long, value_enum)]
    pub encoder: Option<EncoderKind>,
    /// Of what is random in the training of the convolutional encoder
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    pub seed: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The encoders there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EncoderKind {
    /// A frozen pretrained trunk with a trained autoencoder on top
    Pretrained,
    /// A convolutional autoencoder trained from nothing on the pictures' pixels; takes minutes
    Convolutional,
    /// The first as "artificio", the second beside it
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
    /// Go on saying it until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `artificio models`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  artificio models                    which there are, and which one serves
  artificio models --json             for scripts
  artificio models rollback           the one before takes over, at once
  artificio models rollback features  the network as it is, before any training

Exit codes: 0 done, 1 failed, 2 wrong usage or settings."
)]
pub struct ModelsOptions {
    /// What to do; without a command: list them
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

const ROLLBACK_EXAMPLES: &str = "\
Examples:
  artificio models rollback           the one before takes over, at once
  artificio models rollback features  the network as it is, before any training

Exit codes: 0 that model serves, 1 there is none such, 2 wrong usage or settings.";

/// The commands of `artificio models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Go back to a model, also under the running service; it is not trained anew until pictures have changed
    #[command(after_help = ROLLBACK_EXAMPLES)]
    Rollback {
        /// Its id, as `artificio models` lists it (default: the one before the one that serves)
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

impl Arguments {
    /// Options that the command would silently leave aside.
    ///
    /// # Errors
    /// With what to write in their place.
    pub fn refuse_idle(&self) -> Result<(), Fatal> {
        let is_demo = matches!(self.command, Some(Command::Demo(_)));
        match (&self.root, &self.config) {
            (Some(root), _) if is_demo => {
                let instead = format!("artificio demo '{}'", root.display());
                Err(Fatal::Usage(format!("the demo makes a place of its own; to have it elsewhere: {instead}")))
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
