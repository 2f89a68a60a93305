//! Labelled pictures, with the features of themselves and of their changed views.

use std::path::{Path, PathBuf};

use artificio::base::parallel;
use artificio::config::LimitSettings;
use artificio::evaluate::labels::label;
use artificio::files::FileAt;
use artificio::model::Extractor;
use artificio::picture::{Bounds, Hash, decode, edited_views, read_still, square};
use artificio_random::Random;
use image::DynamicImage;

/// The longest side of a picture that noise is mixed into.
const NOISY_SIDE: u32 = 576;

/// A picture.
#[derive(Clone)]
pub struct Picture {
    /// What it shows.
    pub label: String,
    /// Its content.
    pub content: Hash,
    /// Features of itself, then of its views.
    pub features: [Vec<f32>; 3],
}

/// The labelled pictures of a set, of `inventory/` and `query/` together.
pub fn look(set: &Path, extractor: &Extractor) -> Vec<Picture> {
    let files: Vec<PathBuf> = ["inventory", "query"].iter().flat_map(|part| files(&set.join(part))).collect();
    parallel::map(files.len(), |at| picture(&files[at], 0.0, extractor)).into_iter().flatten().collect()
}

/// The first `count` pictures of a set, of whose pixels a `share` is noise.
pub fn look_noisy(set: &Path, count: usize, share: f32, extractor: &Extractor) -> Vec<Picture> {
    let files = files(&set.join("inventory"));
    let count = count.min(files.len());
    parallel::map(count, |at| picture(&files[at * files.len() / count], share, extractor))
        .into_iter()
        .flatten()
        .collect()
}

fn picture(path: &Path, noise: f32, extractor: &Extractor) -> Option<Picture> {
    let bounds = Bounds::from(&LimitSettings::default());
    let contents = read_still(&FileAt::named(path), &bounds).ok()?;
    let mut decoded = decode(&contents.bytes, path, &bounds).ok()?;
    let mut content = contents.hash;
    if noise > 0.0 {
        decoded = with_noise(&decoded, noise, u64::from(content.0[0]));
        content = Hash::of(&[&content.0[..], &noise.to_le_bytes()].concat());
    }
    let side = extractor.side();
    let [cropped, altered] = edited_views(&decoded, content, side)?;
    let rows = extractor.features(&[square(&decoded, side)?, cropped, altered]).ok()?;
    let label = label(&path.file_name()?.to_string_lossy());
    Some(Picture { label, content, features: [0, 1, 2].map(|row| rows.row(row).to_vec()) })
}

fn with_noise(picture: &DynamicImage, share: f32, seed: u64) -> DynamicImage {
    let mut small = picture.thumbnail(NOISY_SIDE, NOISY_SIDE).to_rgb8();
    let mut random = Random::new(seed);
    for value in small.iter_mut() {
        *value = ((1.0 - share) * f32::from(*value) + share * random.between(0.0, 255.0)) as u8;
    }
    small.into()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
