//! The options of the commands that show the inventory as a whole: `map` and `duplicates`.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::dedup::policy::NEAR_DUPLICATE;

/// Of `artificio map`.
#[derive(Debug, Args)]
pub struct MapOptions {
    /// What to write: a .jpg, an .html, or both
    #[arg(value_name = "FILE", default_values = ["artificio-map.jpg", "artificio-map.html"])]
    pub files: Vec<PathBuf>,
    /// Show at most so many pictures
    #[arg(long, value_name = "COUNT", default_value = "5000", value_parser = map_limit())]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `artificio duplicates`.
#[derive(Debug, Args)]
pub struct DuplicatesOptions {
    /// How much the shapes of two pictures have to agree, 0.5 to 1
    #[arg(long = "alike", value_name = "SHARE", default_value_t = NEAR_DUPLICATE, value_parser = similarity)]
    pub least_similarity: f32,
    /// Mark this copy of each group as the one to keep: largest, oldest, or those in a folder of the inventory
    #[arg(long, value_name = "largest|oldest|DIR", default_value = "largest")]
    pub keep: PathBuf,
    /// Only copies of what lies in this folder of the inventory, which is kept
    #[arg(long, value_name = "DIR")]
    pub reference: Option<PathBuf>,
    /// Only copies that lie in different folders
    #[arg(long)]
    pub across_folders: bool,
    /// Write the groups as a page into this .html as well
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a shell script into this file as well that moves the copies away, to be read before it is run
    #[arg(long, value_name = "FILE")]
    pub script: Option<PathBuf>,
    /// Remember that these pictures are not the same, and compare nothing
    #[arg(long, value_name = "PICTURE", num_args = 2..)]
    pub not_same: Vec<PathBuf>,
    /// Draw the first groups into this .jpg as well
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A map of more pictures than this is of no use to anybody, and the time grows with the square of their number.
const MOST_ON_A_MAP: u64 = 20_000;

fn map_limit() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=MOST_ON_A_MAP)
}

/// A similarity, as it is given on the command line. clap has a parser for ranges of whole numbers only.
fn similarity(text: &str) -> Result<f32, NotASimilarity> {
    text.parse().ok().filter(|value| (0.5..=1.0).contains(value)).ok_or(NotASimilarity)
}

#[derive(Debug)]
struct NotASimilarity;

impl fmt::Display for NotASimilarity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number from 0.5 to 1 is expected")
    }
}

impl std::error::Error for NotASimilarity {}
