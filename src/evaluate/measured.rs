//! The rows by which every method compares pictures: each picture is read once, on all cores.

use std::path::{Path, PathBuf};

use super::baselines;
use super::look::MeasuredNetwork;
use crate::base::parallel::map_followed;
use crate::base::rows::Rows;
use crate::error::{Fatal, Trouble};
use crate::files::FileAt;
use crate::isolation;
use crate::model::{Backbone, Extractor, FeatureKind};
use crate::picture::{self, Bounds, Hash, Resolution};
use crate::progress::{Part, Progress};
use crate::watch::is_ignored;

/// Pictures whose rows are not yet together with the others: bounds what is in memory twice.
const AT_A_TIME: usize = 1_024;

/// Reads pictures and makes the rows that methods compare.
pub(super) struct Measurer<'a> {
    /// For the raw features, always measured.
    backbone: Backbone,
    /// For the models to be measured, one each.
    extractors: Vec<Extractor>,
    bounds: &'a Bounds,
}

/// Pictures of one folder by every measure; row `i` of each belongs to path `i`.
#[derive(Default)]
pub(super) struct MeasuredPictures {
    /// Relative to the measured folder.
    pub(super) paths: Vec<PathBuf>,
    /// The hashes of their contents.
    pub(super) contents: Vec<Hash>,
    /// What each encoder to be measured makes embeddings of, `[n, width]` each.
    pub(super) inputs: Vec<Rows>,
    /// What is compared without a model; empty of pictures that are only trained on.
    pub(super) baselines: Baselines,
}

/// What is compared without a model.
#[derive(Default)]
pub(super) struct Baselines {
    /// The network's as published, `[n, 1280]`.
    pub(super) features: Rows,
    /// `[n, bins]`.
    pub(super) histograms: Rows,
    /// `[n, values]`.
    pub(super) pixels: Rows,
}

/// What pictures are looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureUse {
    /// To be searched or to ask, by every measure.
    Comparison,
    /// To be trained on.
    Training,
}

/// What is seen of one picture.
struct MeasuredPicture {
    content: Hash,
    inputs: Vec<Rows>,
    /// Features, histogram, pixels.
    baselines: Option<[Vec<f32>; 3]>,
}

impl<'a> Measurer<'a> {
    /// One that sees what `networks` see.
    ///
    /// # Errors
    /// When a network cannot be used, or the program's own copy of the weights is damaged.
    pub(super) fn new(networks: &[MeasuredNetwork], bounds: &'a Bounds) -> Result<Self, Fatal> {
        let extractors = networks.iter().map(MeasuredNetwork::load).collect::<Result<_, _>>()?;
        Ok(Self { backbone: Backbone::load()?, extractors, bounds })
    }

    /// What each network makes.
    pub(super) fn kinds(&self) -> Vec<FeatureKind> {
        self.extractors.iter().map(Extractor::kind).collect()
    }

    /// All of `paths` below `folder` that can be used, in their order; the others are added to `left_out`. `None` when it was
    /// cancelled.
    pub(super) fn look(
        &self,
        folder: &Path,
        paths: &[PathBuf],
        purpose: PictureUse,
        left_out: &mut Vec<Trouble>,
        progress: &dyn Progress,
    ) -> Option<MeasuredPictures> {
        let (mut pictures, all) = (MeasuredPictures::default(), paths.len() as f32);
        for (number, paths) in paths.chunks(AT_A_TIME).enumerate() {
            let start = (number * AT_A_TIME) as f32 / all;
            let part = Part { progress, start, share: paths.len() as f32 / all };
            let seen = map_followed(paths.len(), &part, |at| self.look_at(&folder.join(&paths[at]), purpose))?;
            for (path, result) in paths.iter().zip(seen) {
                match result {
                    Ok(picture) => pictures.add(path.clone(), picture),
                    Err(trouble) => left_out.push(trouble),
                }
            }
        }
        Some(pictures)
    }

    fn look_at(&self, path: &Path, purpose: PictureUse) -> Result<MeasuredPicture, Trouble> {
        let unusable = |problem: picture::Unusable| Trouble::new(problem.to_string(), path, problem.remedy());
        let file = picture::read_still(&FileAt::named(path), self.bounds).map_err(unusable)?;
        // As the service decodes it.
        let sides = self.extractors.iter().map(Extractor::side);
        let resolution = Resolution::for_square(sides.max().unwrap_or_default() as u32);
        let decoded = isolation::decode(&file.bytes, path, self.bounds, resolution).map_err(unusable)?;
        let square = |side: usize| {
            picture::square(&decoded, side)
                .ok_or_else(|| Trouble::new("the picture has no pixels", path, "take it away"))
        };
        let baselines = || {
            let plain = square(baselines::SQUARE_SIDE)?;
            let features = self.backbone.published_features(&[square(Backbone::PUBLISHED_SIDE)?]);
            Ok([features.into_values(), baselines::histogram(&plain), baselines::pixels(&plain)])
        };
        let baselines = (purpose == PictureUse::Comparison).then(baselines).transpose()?;
        let input = |extractor: &Extractor| {
            let features = extractor.features(&[square(extractor.side())?]);
            features.map_err(|problem| Trouble::new(problem.to_string(), path, problem.remedy()))
        };
        let inputs = self.extractors.iter().map(input).collect::<Result<_, Trouble>>()?;
        Ok(MeasuredPicture { content: file.hash, inputs, baselines })
    }
}

impl MeasuredPictures {
    fn add(&mut self, path: PathBuf, picture: MeasuredPicture) {
        self.paths.push(path);
        self.contents.push(picture.content);
        self.inputs.resize_with(picture.inputs.len(), Rows::default);
        self.inputs.iter_mut().zip(&picture.inputs).for_each(|(rows, row)| add(rows, row.values()));
        if let Some([features, histogram, pixels]) = &picture.baselines {
            add(&mut self.baselines.features, features);
            add(&mut self.baselines.histograms, histogram);
            add(&mut self.baselines.pixels, pixels);
        }
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
