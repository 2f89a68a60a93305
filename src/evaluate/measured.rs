//! The rows by which every method compares pictures: each picture is read once, on all cores.

use std::path::{Path, PathBuf};

use super::baselines;
use super::labels::label;
use crate::base::parallel::map_followed;
use crate::base::rows::Rows;
use crate::config::Encoder;
use crate::error::{Fatal, Trouble};
use crate::model::{Backbone, Extractor};
use crate::picture::{self, Bounds};
use crate::progress::Progress;
use crate::watch::is_ignored;

/// Reads pictures and makes the rows that methods compare.
pub(super) struct Measurer<'a> {
    /// For the raw features, always measured.
    backbone: Backbone,
    /// For the models to be measured, one each.
    extractors: Vec<Extractor>,
    bounds: &'a Bounds,
}

/// Pictures of one folder by every measure; row `i` of each belongs to label `i`.
#[derive(Default)]
pub(super) struct MeasuredPictures {
    pub(super) labels: Vec<String>,
    /// What each encoder to be measured makes embeddings of, `[n, width]` each.
    pub(super) inputs: Vec<Rows>,
    /// The network's as published, `[n, 1280]`.
    pub(super) features: Rows,
    /// `[n, bins]`.
    pub(super) histograms: Rows,
    /// `[n, values]`.
    pub(super) pixels: Rows,
}

/// What is seen of one picture.
struct MeasuredPicture {
    label: String,
    inputs: Vec<Rows>,
    features: Rows,
    histogram: Vec<f32>,
    pixels: Vec<f32>,
}

impl<'a> Measurer<'a> {
    /// One that sees what `encoders` see.
    ///
    /// # Errors
    /// When the program's own copy of the weights is damaged.
    pub(super) fn new(encoders: &[Encoder], bounds: &'a Bounds) -> Result<Self, Fatal> {
        let extractors = encoders.iter().map(|encoder| Extractor::load(*encoder)).collect::<Result<_, _>>()?;
        Ok(Self { backbone: Backbone::load()?, extractors, bounds })
    }

    /// All that can be used, in their order; the others are added to `left_out`. `None` when it was cancelled.
    pub(super) fn look(
        &self,
        paths: &[PathBuf],
        left_out: &mut Vec<Trouble>,
        progress: &dyn Progress,
    ) -> Option<MeasuredPictures> {
        let seen = map_followed(paths.len(), progress, |at| self.look_at(&paths[at]))?;
        let mut pictures = MeasuredPictures::default();
        for result in seen {
            match result {
                Ok(picture) => pictures.add(picture),
                Err(trouble) => left_out.push(trouble),
            }
        }
        Some(pictures)
    }

    fn look_at(&self, path: &Path) -> Result<MeasuredPicture, Trouble> {
        let decoded = picture::read_still(path, self.bounds)
            .and_then(|contents| picture::decode(&contents.bytes, path, self.bounds))
            .map_err(|problem| Trouble::new(problem.to_string(), path, problem.remedy()))?;
        let square = |side: usize| {
            picture::square(&decoded, side)
                .ok_or_else(|| Trouble::new("the picture has no pixels", path, "take it away"))
        };
        let plain = [square(baselines::SQUARE_SIDE)?];
        let (histogram, pixels) = (baselines::histogram(&plain[0]), baselines::pixels(&plain[0]));
        let features = self.backbone.published_features(&[square(Backbone::PUBLISHED_SIDE)?]);
        let input = |extractor: &Extractor| Ok(extractor.features(&[square(extractor.side())?]));
        let inputs = self.extractors.iter().map(input).collect::<Result<_, Trouble>>()?;
        let label = label(&path.file_name().unwrap_or_default().to_string_lossy());
        Ok(MeasuredPicture { label, inputs, features, histogram, pixels })
    }
}

impl MeasuredPictures {
    fn add(&mut self, picture: MeasuredPicture) {
        self.labels.push(picture.label);
        self.inputs.resize_with(picture.inputs.len(), Rows::default);
        self.inputs.iter_mut().zip(&picture.inputs).for_each(|(rows, row)| add(rows, row.values()));
        add(&mut self.features, picture.features.values());
        add(&mut self.histograms, &picture.histogram);
        add(&mut self.pixels, &picture.pixels);
    }
}

fn add(rows: &mut Rows, row: &[f32]) {
    if rows.is_empty() {
        *rows = Rows::empty(row.len());
    }
    rows.push(row);
}

/// Files below `folder`, sub-folders included, in the order of their paths.
pub(super) fn pictures_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten().filter(|entry| !is_ignored(&entry.file_name())) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(pictures_in(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort_unstable();
    found
}
