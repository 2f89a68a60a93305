//! Reading the configuration file; where there is none, the defaults.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::cause::Cause;
use super::error::ConfigError;
use super::{Config, folders, network, node, read};

/// Twenty times the shipped file; what is longer is not a settings file. Broken ones of this size take up to 100 MB to report.
const LONGEST_FILE_BYTES: u64 = 128 << 10;

/// Where the settings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Named by the user: then its absence is an error, else the defaults hold.
    pub required: bool,
}

/// The settings in `source` with all folders put under `root`, or what is wrong with them.
pub fn load(source: &Source, root: &Path) -> Result<Config, ConfigError> {
    let text = text_of(source)?;
    let mut config = parse(&source.path, &text)?;
    config.folders = config.folders.below(root);
    config.index = config.index.below(root);
    config.node = config.node.below(root);
    folders::must_be_separate(&source.path, &text, &config.folders)?;
    network::must_suit_the_encoder(&source.path, &text, &config.model)?;
    if config.model.has_own_network() {
        config.model.network = root.join(&config.model.network);
    }
    node::must_be_complete(&source.path, &text, &config)?;
    Ok(config)
}

/// The settings in `text`, paths as they stand there; `path` only serves the message.
pub fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    read::read(path, text)
}

/// The state folder of a daemon with the settings in `source`, even if there is a mistake in them: the daemon keeps its
/// earlier settings then, and that is when people ask how it is.
pub fn state_folder(source: &Source, root: &Path) -> PathBuf {
    let text = text_of(source).unwrap_or_default();
    let config = parse(&source.path, &text).unwrap_or_else(|_| only_state(&text));
    config.folders.below(root).state
}

/// The defaults with the state folder that `text` names, whatever is wrong with the rest of it.
fn only_state(text: &str) -> Config {
    let mut config = Config::default();
    let (table, _) = DeTable::parse_recoverable(text);
    let state = table.get_ref().get("folders").and_then(|folders| folders.get_ref().get("state")?.get_ref().as_str());
    if let Some(state) = state {
        config.folders.state = state.into();
    }
    config
}

fn text_of(source: &Source) -> Result<String, ConfigError> {
    let wrong = |cause| Err(ConfigError::of_file(&source.path, cause));
    let bytes = match bytes_of(&source.path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && source.path.is_symlink() => {
            return wrong(Cause::DanglingLink);
        }
        Err(error) if error.kind() == ErrorKind::NotFound && !source.required => Vec::new(),
        Err(error) => return wrong(Cause::Unreadable(error)),
    };
    if bytes.len() as u64 > LONGEST_FILE_BYTES {
        return wrong(Cause::TooLarge { limit_bytes: LONGEST_FILE_BYTES });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return wrong(Cause::Utf16);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        ConfigError::at(&source.path, &text, vec![(at..at + 1, Cause::NotUtf8)])
    })
}

/// Whoever opens a pipe waits until somebody writes into it, which may be never: the daemon must not.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
        return Err(io::Error::other("this is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
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
        assert!(load(&required, root.path()).unwrap_err().to_string().contains("cannot be read"));
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
    fn the_state_folder_is_known_despite_a_mistake() {
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
    fn a_file_that_is_not_text_is_named_for_what_it_is() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("artificio.toml");
        let long = vec![b'#'; LONGEST_FILE_BYTES as usize + 1];
        let message_for = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            load(&Source { path: path.clone(), required: true }, root.path()).unwrap_err().to_string()
        };
        assert!(message_for(b"\xff\xfe[\0").contains("UTF-16"));
        assert!(message_for(&long).contains("larger than"));
        let latin = message_for(b"[folders]\nquery = \"gr\xf6\xdfe\"\n");
        assert!(latin.contains(":2:12: this is not UTF-8"), "{latin}");
        assert!(latin.ends_with("  |            ^"), "{latin}");
        let folder = load(&Source { path: root.path().into(), required: false }, root.path()).unwrap_err().to_string();
        assert!(folder.ends_with("cannot be read: is a directory"), "{folder}");
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        let pipe = load(&Source { path: path.clone(), required: false }, root.path()).unwrap_err().to_string();
        assert!(pipe.ends_with("cannot be read: this is not a regular file"), "{pipe}");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(root.path().join("gone"), &path).unwrap();
        let link = load(&Source { path, required: false }, root.path()).unwrap_err().to_string();
        assert!(link.ends_with("this link leads nowhere"), "{link}");
    }

    #[test]
    fn a_symbolic_link_does_not_hide_the_overlap() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("query")).unwrap();
        std::os::unix::fs::symlink(root.path().join("query"), root.path().join("answer")).unwrap();
        let source = Source { path: root.path().join("none.toml"), required: false };
        assert!(
            load(&source, root.path())
                .unwrap_err()
                .to_string()
                .contains("the answer and the query folder are the same")
        );
    }
}
