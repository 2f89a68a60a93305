//! Of the commands that look at the inventory as a whole.

use std::path::PathBuf;

use clap::Args;

use crate::dedup::policy::NEAR_DUPLICATE;

/// Of `artificio map`.
#[derive(Debug, Args)]
#[command(after_help = "\
Pictures that are alike lie together. The catalog is read as it stands; a running service is not disturbed.

Examples:
  artificio map                       artificio-map.jpg and .html, here
  artificio map map.html              only the page, to be opened in a browser
  artificio map --limit 1000 map.jpg  a thousand of the pictures, evenly chosen

Exit codes: 0 done, 1 failed or stopped, 2 wrong usage or settings.")]
pub struct MapOptions {
    /// What to write: a .jpg, an .html, or both
    #[arg(value_name = "FILE", default_values = ["artificio-map.jpg", "artificio-map.html"])]
    pub files: Vec<PathBuf>,
    /// Most pictures shown
    #[arg(long, value_name = "COUNT", default_value = "5000", value_parser = count_of_pictures)]
    pub limit: usize,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Of `artificio duplicates`.
#[derive(Debug, Args)]
#[command(after_help = "\
Pairs that look alike to the network, or in outline, are compared pixel by pixel: one picture is sought in the other, as \
it is, mirrored or turned. At the default, copies saved anew, resized, recoloured, mirrored, turned by quarters, framed, \
with a caption or trimmed to 60 % of their sides are nearly all found. Besides, packages of one design, drawings of one \
symbol and photographs taken one after the other may be: 0.96 leaves out a third of them, and some of the trimmed and \
recoloured. In each group there is a picture that all others are copies of. A picture with next to no shape in it, such \
as an empty page, is found only where it is there byte for byte. Under the convolutional encoder four in ten of those \
trimmed to three quarters are missed, and most that are turned. Nothing is changed or removed. 10,000 pictures take \
three quarters of a minute of one core; the number counts squared as well, so 100,000 should take some 20 minutes.

Examples:
  artificio duplicates                     groups, on the terminal
  artificio duplicates --sheet groups.jpg  ... and as a picture
  artificio duplicates --alike 0.98        only what is all but the same

Exit codes: 0 done, found or not, 1 failed or stopped, 2 wrong usage or settings.")]
pub struct DuplicatesOptions {
    /// How far the shapes of two pictures have to agree, 0.5 to 1
    #[arg(long, value_name = "SHARE", default_value_t = NEAR_DUPLICATE, value_parser = likeness)]
    pub alike: f32,
    /// Draw the groups into this .jpg as well
    #[arg(long, value_name = "FILE")]
    pub sheet: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn likeness(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.5..=1.0).contains(&value) => Ok(value),
        _ => Err("a number from 0.5 to 1 is expected".into()),
    }
}

/// More pictures than this on one map are nobody's wish, and their number counts squared.
const MOST_ON_A_MAP: usize = 20_000;

fn count_of_pictures(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=MOST_ON_A_MAP).contains(&count) => Ok(count),
        _ => Err(format!("a number from 1 to {MOST_ON_A_MAP} is expected")),
    }
}
