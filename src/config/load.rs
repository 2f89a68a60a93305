//! Reading the configuration file; where there is none, the defaults.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{Config, FolderSettings, report};

/// Where the settings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Named by the user: then its absence is an error, else the defaults hold.
    pub required: bool,
}

/// The settings in `source` with all folders put under `root`, or what is wrong with them.
pub fn load(source: &Source, root: &Path) -> Result<Config, String> {
    let text = match std::fs::read_to_string(&source.path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !source.required => String::new(),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            return Err(format!("{}: the file is not UTF-8 text", source.path.display()));
        }
        Err(error) => return Err(format!("{}: the configuration cannot be read: {error}", source.path.display())),
    };
    let mut config = parse(&source.path, &text)?;
    config.folders = config.folders.below(root);
    no_folder_in_another(&source.path, &config.folders)?;
    Ok(config)
}

/// The settings in `text`, paths as they stand there; `path` only serves the message.
pub fn parse(path: &Path, text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|error| report::describe(path, text, &error))
}

/// What the daemon writes must not lie in what it watches: it would answer its own answers.
/// What it watches must not overlap either: one file would be two things.
fn no_folder_in_another(path: &Path, folders: &FolderSettings) -> Result<(), String> {
    let read = folders.read().map(|(name, folder)| (name, resolved(folder)));
    let written = folders.written().map(|(name, folder)| (name, resolved(folder)));
    let inside = |inner: &(&str, PathBuf), outer: &(&str, PathBuf)| inner.1.starts_with(&outer.1);
    let writes_into_watched = written.iter().flat_map(|inner| read.iter().map(move |outer| (inner, outer)));
    let watched_twice = read
        .iter()
        .flat_map(|inner| read.iter().map(move |outer| (inner, outer)))
        .filter(|(inner, outer)| inner.0 != outer.0);
    match writes_into_watched.chain(watched_twice).find(|(inner, outer)| inside(inner, outer)) {
        None => Ok(()),
        Some((inner, outer)) => Err(format!(
            "{}: the {} folder {} lies inside the {} folder {}; choose another in [folders]",
            path.display(),
            inner.0,
            inner.1.display(),
            outer.0,
            outer.1.display()
        )),
    }
}

/// The path with symbolic links followed as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut existing = path;
    loop {
        if let Ok(real) = existing.canonicalize() {
            return rest.iter().rev().fold(real, |path, part| path.join(part));
        }
        let (Some(parent), Some(name)) = (existing.parent(), existing.file_name()) else {
            return path.to_path_buf();
        };
        rest.push(name);
        existing = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_means_the_defaults() {
        let root = tempfile::tempdir().unwrap();
        let source = Source { path: root.path().join("artificio.toml"), required: false };
        let config = load(&source, root.path()).unwrap();
        assert_eq!(config.folders.query, root.path().join("query"));
        assert_eq!(config.answer, Config::default().answer);
        let required = Source { required: true, ..source };
        assert!(load(&required, root.path()).unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn the_shipped_file_states_every_default() {
        let text = include_str!("../../config/artificio.toml");
        assert_eq!(parse(Path::new("artificio.toml"), text).unwrap(), Config::default());
        let shipped: toml::Table = text.parse().unwrap();
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        assert_eq!(shipped, defaults, "a key is missing in, or left over in, the shipped file");
    }

    #[test]
    fn answers_inside_a_watched_folder_are_refused() {
        for (folders, named) in [
            ("answer = \"query/answers\"", "answer folder"),
            ("state = \"db/img_inventory_raw/.state\"", "state folder"),
            ("training = \"db/img_inventory_raw/train\"", "training folder"),
        ] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("artificio.toml");
            std::fs::write(&path, format!("[folders]\n{folders}\n")).unwrap();
            let message = load(&Source { path, required: true }, root.path()).unwrap_err();
            assert!(message.contains(named) && message.contains("lies inside"), "{message}");
        }
    }

    #[test]
    fn a_symbolic_link_does_not_hide_the_overlap() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("query")).unwrap();
        std::os::unix::fs::symlink(root.path().join("query"), root.path().join("answer")).unwrap();
        let source = Source { path: root.path().join("none.toml"), required: false };
        assert!(load(&source, root.path()).unwrap_err().contains("lies inside"));
    }
}
