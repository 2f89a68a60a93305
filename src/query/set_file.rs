//! The settings of a query set, read from its `query.toml`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::FileRead;
use super::member::place;
use crate::config::{Config, ConfigError, LONGEST_SET_FILE_BYTES, SetSettings};
use crate::files::FileAt;
use crate::picture::{self, Bounds, FileSnapshot, Unusable};

/// The settings of a set, and the file they come from.
pub struct SetFile {
    /// The file.
    pub file: FileRead,
    /// The settings, or why there are none.
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

impl SetFile {
    /// Reads the settings at `path`, relative to the query folder.
    pub fn read(path: &Path, config: &Config) -> Self {
        let absolute = config.folders.query.join(path);
        let place = place(config, path);
        let before = place.stamp().ok();
        let (stamp, result, settings) = match read_small(&place, &Bounds::from(&config.limits)) {
            Err(problem) => (before, Err(problem.clone()), Err(SetSettingsError::Unreadable(absolute, problem))),
            Ok(contents) => {
                let settings = match std::str::from_utf8(&contents.bytes) {
                    Ok(text) => SetSettings::parse(&absolute, text).map_err(SetSettingsError::Mistakes),
                    Err(_) => Err(SetSettingsError::NotText(absolute)),
                };
                (Some(contents.stamp), Ok(Some(contents.hash)), settings)
            }
        };
        Self { file: FileRead { path: path.to_path_buf(), stamp, result }, settings }
    }
}

/// Reads a file that is small enough for settings.
fn read_small(place: &FileAt<'_>, bounds: &Bounds) -> Result<FileSnapshot, Unusable> {
    let bounds = Bounds { file_bytes: LONGEST_SET_FILE_BYTES, ..*bounds };
    picture::read_still(place, &bounds).map_err(|problem| match problem {
        Unusable::FileTooLarge { .. } => Unusable::SettingsTooLarge { limit_kilobytes: LONGEST_SET_FILE_BYTES >> 10 },
        problem => problem,
    })
}
