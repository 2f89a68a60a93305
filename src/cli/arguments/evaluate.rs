//! The options of `artificio evaluate`.

use std::path::PathBuf;

use clap::Args;

use super::EncoderKind;
use crate::evaluate::labels::LabelSource;
use crate::model::SEED;

/// Of `artificio evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateOptions {
    /// The labelled pictures
    pub dir: PathBuf,
    /// What says what a picture shows: auto (its folder where every picture lies in one, else its file name), name, folder,
    /// or a CSV file with a path and a label a line
    #[arg(long, value_name = "SOURCE", default_value = "auto", value_parser = LabelSource::parse)]
    pub label_by: LabelSource,
    /// Let every inventory picture query the others; also done when there are no queries
    #[arg(long)]
    pub leave_one_out: bool,
    /// Which encoder to measure (default: as in the settings)
    #[arg(long, value_enum)]
    pub encoder: Option<EncoderKind>,
    /// Measure the network that comes with the program, and those in these ONNX files, each with its TOML file beside it
    #[arg(long, value_name = "FILE,...", value_delimiter = ',', conflicts_with = "encoder")]
    pub network: Vec<PathBuf>,
    /// Ask the engine of [index] the same, under a name of its own, and compare: needs `engine = "milvus"` in the settings
    #[arg(long)]
    pub engine: bool,
    /// Seed of the random numbers in the training of the convolutional encoder, and in the confidence intervals
    #[arg(long, value_name = "NUMBER", default_value_t = SEED)]
    pub seed: u64,
    /// Add a table of labels: how well each is found, and what it is taken for
    #[arg(long)]
    pub per_label: bool,
    /// Write a CSV table into FILE, with a line for every query
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Draw the queries with the worst answers into FILE (.png, .jpg or .webp), each with its first matches
    #[arg(long, value_name = "FILE")]
    pub worst: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
