//! Reading the configuration file; where there is none, the defaults.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Config, FolderSettings, report};
use crate::error::reason;

/// A hundred times the shipped file; what is longer is not a settings file, and would only fill the memory.
const LONGEST_FILE_BYTES: u64 = 1 << 20;

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
    let text = text_of(source)?;
    let mut config = parse(&source.path, &text)?;
    config.folders = config.folders.below(root);
    no_folder_in_another(&source.path, &text, &config.folders)?;
    Ok(config)
}

/// The settings in `text`, paths as they stand there; `path` only serves the message.
pub fn parse(path: &Path, text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|error| report::describe(path, text, &error))
}

/// The state folder of a daemon with the settings in `source`, also where there is a mistake in them: it goes on by the
/// ones from before, and that is when people ask how it is.
pub fn state_folder(source: &Source, root: &Path) -> PathBuf {
    let text = text_of(source).unwrap_or_default();
    let config = parse(&source.path, &text).unwrap_or_else(|_| only_state(&text));
    config.folders.below(root).state
}

/// The line of `[folders]` that names the state folder, read by itself.
fn only_state(text: &str) -> Config {
    let mut is_in_folders = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            is_in_folders = line.split('#').next().unwrap_or_default().trim() == "[folders]";
        } else if is_in_folders
            && line.split('=').next().is_some_and(|key| key.trim() == "state")
            && let Ok(config) = toml::from_str(&format!("[folders]\n{line}"))
        {
            return config;
        }
    }
    Config::default()
}

fn text_of(source: &Source) -> Result<String, String> {
    let path = source.path.display();
    let bytes = match bytes_of(&source.path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && source.path.is_symlink() => {
            return Err(format!("{path}: the settings cannot be read: this link leads nowhere"));
        }
        Err(error) if error.kind() == ErrorKind::NotFound && !source.required => Vec::new(),
        Err(error) => return Err(format!("{path}: the settings cannot be read: {}", reason(&error))),
    };
    if bytes.len() as u64 > LONGEST_FILE_BYTES {
        return Err(format!("{path}: this is no settings file: it is larger than {LONGEST_FILE_BYTES} bytes"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(format!("{path}: this is UTF-16 text; save the file with the encoding UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let (at, text) = (error.utf8_error().valid_up_to(), String::from_utf8_lossy(error.as_bytes()).into_owned());
        report::point(
            &source.path,
            &text,
            &(at..at + 1),
            "this is not UTF-8 text; save the file with the encoding UTF-8",
        )
    })
}

/// Of a pipe nobody may ever write into, and whoever opens it waits: the daemon, with everything it does.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
        return Err(io::Error::other("this is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the daemon writes must not lie in what it watches: it would answer its own answers.
/// What it watches must not overlap either: one file would be two things. Nor may sheets lie among its own files.
fn no_folder_in_another(path: &Path, text: &str, folders: &FolderSettings) -> Result<(), String> {
    let read = folders.read().map(|(name, folder)| (name, resolved(folder)));
    let written = folders.written().map(|(name, folder)| (name, resolved(folder)));
    let writes_into_watched = written.iter().flat_map(|inner| read.iter().map(move |outer| (inner, outer)));
    let watched_twice = read
        .iter()
        .flat_map(|inner| read.iter().map(move |outer| (inner, outer)))
        .filter(|(inner, outer)| inner.0 != outer.0);
    let [answer, state] = &written;
    let overlap = writes_into_watched.chain(watched_twice).find(|(inner, outer)| inner.1.starts_with(&outer.1));
    let Some((inner, outer)) = overlap.or_else(|| (answer.1 == state.1).then_some((answer, state))) else {
        return Ok(());
    };
    let what = match inner.1 == outer.1 {
        true => format!("the {} and the {} folder are the same: {}", inner.0, outer.0, inner.1.display()),
        false => format!(
            "the {} folder {} lies inside the {} folder {}",
            inner.0,
            inner.1.display(),
            outer.0,
            outer.1.display()
        ),
    };
    let what = format!("{what}; choose another in [folders]");
    // Whoever has stated but one of the two is shown that one.
    let stated: Stated = toml::from_str(text).unwrap_or_default();
    match stated.folders.get(inner.0).or_else(|| stated.folders.get(outer.0)) {
        Some(value) => Err(report::point(path, text, &value.span(), &what)),
        None => Err(format!("{}: {what}", path.display())),
    }
}

/// Where in the file the folders are named.
#[derive(Default, Deserialize)]
struct Stated {
    #[serde(default)]
    folders: BTreeMap<String, toml::Spanned<String>>,
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
            assert!(message.contains(":2:") && message.ends_with('^'), "{message}");
        }
    }

    #[test]
    fn one_folder_for_two_things_is_refused_and_pointed_at() {
        for (folders, named) in [
            ("query = \"db/img_inventory_raw\"", "the query and the inventory folder are the same"),
            ("query = \"db/../db/img_train_raw/\"", "the query and the training folder are the same"),
            ("answer = \"db/state\"", "the answer and the state folder are the same"),
        ] {
            let root = tempfile::tempdir().unwrap();
            for folder in ["db/img_train_raw", "db/img_inventory_raw"] {
                std::fs::create_dir_all(root.path().join(folder)).unwrap();
            }
            let path = root.path().join("artificio.toml");
            std::fs::write(&path, format!("[folders]\n{folders}\n")).unwrap();
            let message = load(&Source { path, required: true }, root.path()).unwrap_err();
            assert!(message.contains(named) && message.ends_with('^'), "{message}");
        }
    }

    #[test]
    fn the_state_folder_is_known_in_spite_of_a_mistake() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("artificio.toml");
        let source = Source { path: path.clone(), required: false };
        let elsewhere = "[answer]\nresults = \n[folders] # mine\nquery = 5\n  state = \"elsewhere\" # big disk\n";
        for (text, folder) in [("", "db/state"), (elsewhere, "elsewhere"), ("[answer]\nstate = \"no\"", "db/state")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(state_folder(&source, root.path()), root.path().join(folder), "{text}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_by_name() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("artificio.toml");
        let long = vec![b'#'; LONGEST_FILE_BYTES as usize + 1];
        let told = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load(&Source { path: path.clone(), required: true }, root.path()).unwrap_err()
        };
        assert!(told(b"\xff\xfe[\0").contains("UTF-16"));
        assert!(told(&long).contains("larger than"));
        let latin = told(b"[folders]\nquery = \"gr\xf6\xdfe\"\n");
        assert!(latin.contains(":2:12: this is not UTF-8"), "{latin}");
        assert!(latin.ends_with("  |            ^"), "{latin}");
        let folder = load(&Source { path: root.path().into(), required: false }, root.path()).unwrap_err();
        assert!(folder.ends_with("cannot be read: is a directory"), "{folder}");
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        let pipe = load(&Source { path: path.clone(), required: false }, root.path()).unwrap_err();
        assert!(pipe.ends_with("cannot be read: this is no file"), "{pipe}");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(root.path().join("gone"), &path).unwrap();
        let link = load(&Source { path, required: false }, root.path()).unwrap_err();
        assert!(link.ends_with("this link leads nowhere"), "{link}");
    }

    #[test]
    fn a_symbolic_link_does_not_hide_the_overlap() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("query")).unwrap();
        std::os::unix::fs::symlink(root.path().join("query"), root.path().join("answer")).unwrap();
        let source = Source { path: root.path().join("none.toml"), required: false };
        assert!(load(&source, root.path()).unwrap_err().contains("the answer and the query folder are the same"));
    }
}
