//! The first stage of a query: reads its files, that is its pictures, its positive and negative examples, and its own settings.

use std::fmt;
use std::path::{Path, PathBuf};

use image::DynamicImage;

use super::{Query, WorkerContext};
use crate::answer::sheet::MAX_EXAMPLES;
use crate::config::{Config, ConfigError, SetSettings};
use crate::files::{FileAt, Stamp};
use crate::isolation::{Extracted, Outputs};
use crate::picture::{self, Bounds, Hash, Square, Unusable};

/// A file of the query.
pub struct FileRead {
    /// Relative to the query folder.
    pub path: PathBuf,
    /// As read; `None` when it is gone.
    pub stamp: Option<Stamp>,
    /// Its content, or why it is unusable.
    pub result: Result<Hash, Unusable>,
}

/// Longer side of a set's pictures in memory: enough for their tiles. A whole set is held at once, and fifty pictures from a
/// camera would take gigabytes at full size.
const TILE_PX: u32 = 1_200;
/// Longer side of those of its examples that are shown, which are small.
const EXAMPLE_PX: u32 = 256;

/// A file of the query with its pixels.
pub struct Member {
    pub file: FileRead,
    /// The input of the encoder.
    pub square: Option<Square>,
    /// For the sheet.
    pub decoded: Option<DynamicImage>,
}

/// The settings of a set, and the file they come from.
pub struct SetFile {
    pub file: FileRead,
    pub settings: Result<SetSettings, SetSettingsError>,
}

/// Why a set's own settings cannot be used.
pub enum SetSettingsError {
    /// The file cannot be read.
    Unreadable(PathBuf, Unusable),
    /// It is no text.
    NotText(PathBuf),
    /// There are mistakes in it.
    Mistakes(ConfigError),
}

impl fmt::Display for SetSettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, problem) => write!(out, "{}: {problem}", path.display()),
            Self::NotText(path) => write!(out, "{}: the file is not UTF-8 text", path.display()),
            Self::Mistakes(error) => error.fmt(out),
        }
    }
}

/// A query as it was read.
pub struct Input {
    pub members: Vec<Member>,
    /// Positive examples.
    pub positives: Vec<Member>,
    /// Negative examples.
    pub negatives: Vec<Member>,
    pub settings: Option<SetFile>,
}

impl Input {
    /// Reads the query's files in their order, and decodes the pictures that can be decoded.
    pub fn read(query: &Query, context: &WorkerContext) -> Self {
        let read = |path: &PathBuf, longest_px| Member::read(path, &query.config, context, longest_px);
        let longest_px = if query.is_set { Some(TILE_PX) } else { Outputs::FULL_SIZE };
        let examples = |paths: &[PathBuf]| {
            let shown_px = |at: usize| Some(EXAMPLE_PX).filter(|_| at < MAX_EXAMPLES);
            paths.iter().enumerate().map(|(at, path)| read(path, shown_px(at))).collect()
        };
        Self {
            members: query.files.pictures.iter().map(|path| read(path, longest_px)).collect(),
            positives: examples(&query.files.positives),
            negatives: examples(&query.files.negatives),
            settings: query.files.settings.as_ref().map(|path| SetFile::read(path, &query.config)),
        }
    }

    /// Its pictures, positive and negative examples as files.
    pub fn files_by_use(&self) -> [Vec<&FileRead>; 3] {
        self.by_use().map(|members| members.iter().map(|member| &member.file).collect())
    }

    fn by_use(&self) -> [&[Member]; 3] {
        [&self.members, &self.positives, &self.negatives]
    }

    /// Hash over everything that decides the answer; `None` without any picture.
    pub fn content(&self) -> Option<Hash> {
        content_of(self.by_use(), self.settings.as_ref())
    }

    /// `config` with the set's own settings in force.
    pub fn config(&self, config: &Config) -> Config {
        match self.settings.as_ref().map(|file| &file.settings) {
            Some(Ok(settings)) => settings.over(config),
            _ => config.clone(),
        }
    }

    /// The number of matches is not for the set's own settings to say.
    pub fn leave_results_to_caller(&mut self) {
        if let Some(SetFile { settings: Ok(settings), .. }) = &mut self.settings {
            settings.results = None;
        }
    }

    /// The mistake in the set's own settings, if any.
    pub fn mistake(&self) -> Option<String> {
        self.settings.as_ref()?.settings.as_ref().err().map(ToString::to_string)
    }

    /// Whether one of its files may still be being written.
    pub fn may_be_unfinished(&self) -> bool {
        self.by_use().into_iter().flatten().any(Member::may_be_unfinished)
    }

    /// Whether one of its pictures needs a trial that this thread does not hold.
    pub fn awaits_trial(&self) -> bool {
        let awaits = |member: &Member| member.file.result == Err(Unusable::AwaitsTrial);
        self.by_use().into_iter().flatten().any(awaits)
    }

    /// Every file with its result.
    pub fn into_files(self) -> Vec<FileRead> {
        let members = self.members.into_iter().chain(self.positives).chain(self.negatives).map(|member| member.file);
        members.chain(self.settings.map(|settings| settings.file)).collect()
    }
}

impl Member {
    /// Reads the file at `path`, relative to the query folder; its picture is kept at most at `longest_px`.
    pub fn read(path: &Path, config: &Config, context: &WorkerContext, longest_px: Option<u32>) -> Self {
        let (absolute, bounds) = (config.folders.query.join(path), Bounds::from(&config.limits));
        let outputs = Outputs { square: true, features: false, longest_px };
        // Taken before reading: if the file changes later, its stamp differs from this one.
        let place = place(config, path);
        let before = place.stamp().ok();
        let (stamp, result, seen) = match picture::read_still(&place, &bounds) {
            Err(problem) => (before, Err(problem), None),
            Ok(contents) => match context.guard.extract(&contents, &absolute, &bounds, outputs, &context.extractor) {
                Err(problem) => (Some(contents.stamp), Err(problem), None),
                Ok(seen) => (Some(contents.stamp), Ok(contents.hash), Some(seen)),
            },
        };
        let (square, decoded) = seen.map_or((None, None), |Extracted { square, picture, .. }| (square, picture));
        Self { file: FileRead { path: path.to_path_buf(), stamp, result }, square, decoded }
    }

    /// Whether it may still be being written.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(&self.file.result, Err(problem) if problem.may_be_unfinished())
    }
}

impl SetFile {
    /// Reads the settings at `path`, relative to the query folder.
    pub fn read(path: &Path, config: &Config) -> Self {
        let absolute = config.folders.query.join(path);
        let place = place(config, path);
        let before = place.stamp().ok();
        let (stamp, result, settings) = match picture::read_still(&place, &Bounds::from(&config.limits)) {
            Err(problem) => (before, Err(problem.clone()), Err(SetSettingsError::Unreadable(absolute, problem))),
            Ok(contents) => {
                let settings = match std::str::from_utf8(&contents.bytes) {
                    Ok(text) => SetSettings::parse(&absolute, text).map_err(SetSettingsError::Mistakes),
                    Err(_) => Err(SetSettingsError::NotText(absolute)),
                };
                (Some(contents.stamp), Ok(contents.hash), settings)
            }
        };
        Self { file: FileRead { path: path.to_path_buf(), stamp, result }, settings }
    }
}

/// The service's paths are relative to the query folder. A command's are whole, and name what the person who runs it has chosen.
fn place<'a>(config: &'a Config, path: &'a Path) -> FileAt<'a> {
    if path.is_absolute() { FileAt::named(path) } else { FileAt::below(&config.folders.query, path) }
}

/// One hash over the contents of all pictures, whatever their names and order; `None` without any.
/// Examples and the set's own settings are part of it.
fn content_of([members, positives, negatives]: [&[Member]; 3], settings: Option<&SetFile>) -> Option<Hash> {
    let hashes_of = |members: &[Member]| {
        let mut hashes: Vec<Hash> =
            members.iter().filter_map(|member| member.file.result.as_ref().ok().copied()).collect();
        hashes.sort_unstable();
        // The number of unusable files is part of it, because the answer reports it.
        let mut all: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        all.extend((members.len() - hashes.len()).to_le_bytes());
        (all, !hashes.is_empty())
    };
    let (mut all, has_pictures) = hashes_of(members);
    for (examples, name) in [(positives, "yes"), (negatives, "not")] {
        if !examples.is_empty() {
            all.extend_from_slice(name.as_bytes());
            all.extend(hashes_of(examples).0);
        }
    }
    if let Some(settings) = settings {
        all.extend_from_slice(b"settings");
        all.extend(settings.file.result.as_ref().map_or([0; 32], |hash| hash.0));
    }
    has_pictures.then(|| Hash::of(&all))
}
