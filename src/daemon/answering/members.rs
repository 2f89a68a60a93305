//! The files of a query: its pictures, those it is not to be like, and its own settings.

use std::path::{Path, PathBuf};

use image::DynamicImage;

use crate::config::{Config, SetSettings};
use crate::daemon::bench::Bench;
use crate::daemon::encode::square_of;
use crate::files::Stamp;
use crate::picture::{self, Bounds, Hash, Square, Unusable};

/// A file of the query.
pub struct FileRead {
    /// Relative to the query folder.
    pub path: PathBuf,
    /// As read; `None` when it is gone.
    pub stamp: Option<Stamp>,
    /// Its content, or why there is none.
    pub result: Result<Hash, Unusable>,
}

/// Longer side of what is kept of a set's pictures: enough for their tiles. All of a set is held at once, and fifty pictures
/// from a camera would take gigabytes.
const TILE_PX: u32 = 1_200;

/// A file of the query with its pixels.
pub(in crate::daemon) struct Member {
    pub file: FileRead,
    /// What the encoder sees of it.
    pub square: Option<Square>,
    /// For the sheet.
    pub decoded: Option<DynamicImage>,
}

/// The settings of a set, and the file they come from.
pub(in crate::daemon) struct SetFile {
    pub file: FileRead,
    /// What is wrong with it is a message for a person.
    pub settings: Result<SetSettings, String>,
}

/// A query as it was read.
pub(in crate::daemon) struct Material {
    pub members: Vec<Member>,
    /// What the answer is to be kept away from.
    pub unlike: Vec<Member>,
    pub settings: Option<SetFile>,
}

impl Material {
    /// Hash over everything that decides the answer; `None` without any picture.
    pub fn content(&self) -> Option<Hash> {
        content_of(&self.members, &self.unlike, self.settings.as_ref())
    }

    /// `config` with the set's own settings in force.
    pub fn config(&self, config: &Config) -> Config {
        match self.settings.as_ref().map(|file| &file.settings) {
            Some(Ok(settings)) => settings.over(config),
            _ => config.clone(),
        }
    }

    /// What is wrong with the set's own settings.
    pub fn mistake(&self) -> Option<String> {
        self.settings.as_ref()?.settings.as_ref().err().cloned()
    }

    /// Whether somebody may still be writing one of its files.
    pub fn may_be_unfinished(&self) -> bool {
        self.members.iter().chain(&self.unlike).any(Member::may_be_unfinished)
    }

    /// Every file with what was made of it.
    pub fn into_files(self) -> Vec<FileRead> {
        let members = self.members.into_iter().chain(self.unlike).map(|member| member.file);
        members.chain(self.settings.map(|settings| settings.file)).collect()
    }
}

impl Member {
    /// Reads the file at `path`, relative to the query folder.
    pub fn read(path: &Path, config: &Config, bench: &Bench) -> Self {
        let (absolute, bounds) = (config.folders.query.join(path), Bounds::from(&config.limits));
        // Before the reading: a file that changes later then differs from what is remembered of it.
        let before = std::fs::metadata(&absolute).ok().map(|metadata| Stamp::of(&metadata));
        let seen = |decoded: DynamicImage| Ok((square_of(&decoded, bench.extractor.side())?, decoded));
        let (stamp, result, pixels) = match picture::read_still(&absolute, &bounds) {
            Err(problem) => (before, Err(problem), None),
            Ok(contents) => match bench.guard.decode(&contents, &absolute, &bounds, seen) {
                Err(problem) => (Some(contents.stamp), Err(problem), None),
                Ok(pixels) => (Some(contents.stamp), Ok(contents.hash), Some(pixels)),
            },
        };
        let (square, decoded) = pixels.unzip();
        Self { file: FileRead { path: path.to_path_buf(), stamp, result }, square, decoded }
    }

    /// With no more pixels than its tile among others has.
    pub fn into_tile(mut self) -> Self {
        let is_large = |decoded: &DynamicImage| decoded.width().max(decoded.height()) > TILE_PX;
        if let Some(large) = self.decoded.take_if(|decoded| is_large(decoded)) {
            self.decoded = picture::shrink(&large, TILE_PX).map(DynamicImage::ImageRgba8);
        }
        self
    }

    /// For one that is on no sheet.
    pub fn without_picture(self) -> Self {
        Self { decoded: None, ..self }
    }

    /// Whether somebody may still be writing it.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(&self.file.result, Err(problem) if problem.may_be_unfinished())
    }
}

impl SetFile {
    /// Reads the settings at `path`, relative to the query folder.
    pub fn read(path: &Path, config: &Config) -> Self {
        let absolute = config.folders.query.join(path);
        let before = std::fs::metadata(&absolute).ok().map(|metadata| Stamp::of(&metadata));
        let (stamp, result, settings) = match picture::read_still(&absolute, &Bounds::from(&config.limits)) {
            Err(problem) => {
                let message = format!("{}: {problem}", absolute.display());
                (before, Err(problem), Err(message))
            }
            Ok(contents) => {
                let settings = match std::str::from_utf8(&contents.bytes) {
                    Ok(text) => SetSettings::parse(&absolute, text).map_err(|error| error.to_string()),
                    Err(_) => Err(format!("{}: the file is not UTF-8 text", absolute.display())),
                };
                (Some(contents.stamp), Ok(contents.hash), settings)
            }
        };
        Self { file: FileRead { path: path.to_path_buf(), stamp, result }, settings }
    }
}

/// One hash over the contents of all pictures, whatever their names and order; `None` without any.
/// Pictures to keep away from and settings of its own belong to it, where there are any.
fn content_of(members: &[Member], unlike: &[Member], settings: Option<&SetFile>) -> Option<Hash> {
    let hashes_of = |members: &[Member]| {
        let mut hashes: Vec<Hash> =
            members.iter().filter_map(|member| member.file.result.as_ref().ok().copied()).collect();
        hashes.sort_unstable();
        // How many files failed belongs to it: the answer says so.
        let mut all: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        all.extend((members.len() - hashes.len()).to_le_bytes());
        (all, !hashes.is_empty())
    };
    let (mut all, has_pictures) = hashes_of(members);
    if !unlike.is_empty() {
        all.extend_from_slice(b"not");
        all.extend(hashes_of(unlike).0);
    }
    if let Some(settings) = settings {
        all.extend_from_slice(b"settings");
        all.extend(settings.file.result.as_ref().map_or([0; 32], |hash| hash.0));
    }
    has_pictures.then(|| Hash::of(&all))
}
