//! A network's file and the description beside it, read within bounds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::config::{NetworkDescription, description_of};
use crate::error::Trouble;
use crate::model::{Extractor, NetworkProblem, OnnxNetwork};

/// The largest network that is read: the weights of 268 million numbers, three times ViT-B.
const LARGEST_BYTES: u64 = 1 << 30;
/// The largest description.
const LARGEST_DESCRIPTION_BYTES: u64 = 64 << 10;
/// Raised when the same file would give other features: another scale, another pooling.
const FEATURES_OF_PROGRAM: &str = "onnx-1";
/// So many letters of the hash stand in the version: 128 bits.
const HASH_LETTERS: usize = 32;

/// A network that was read, and not yet tried.
pub struct NetworkFile {
    path: PathBuf,
    bytes: Vec<u8>,
    text: String,
    description: NetworkDescription,
    version: String,
}

impl NetworkFile {
    /// Reads the network at `path` and the description beside it.
    ///
    /// # Errors
    /// When one of them is missing or too large, or there is a mistake in the description.
    pub fn read(path: &Path) -> Result<Self, Trouble> {
        let bytes = bytes_of(path, LARGEST_BYTES, "check `network` in [model]")?;
        let beside = description_of(path);
        let remedy =
            "put a TOML file of this name there, which says what the network takes; docs/networks.md shows one";
        let text = bytes_of(&beside, LARGEST_DESCRIPTION_BYTES, remedy)?;
        let text = String::from_utf8(text)
            .map_err(|_| Trouble::new("this is not UTF-8 text", &beside, "save it with the encoding UTF-8"))?;
        let description = NetworkDescription::parse(&beside, &text)
            .map_err(|error| Trouble::new(error.what(), &beside, "docs/networks.md explains every key"))?;
        let version = version_of(&bytes, &text);
        Ok(Self { path: path.into(), bytes, text, description, version })
    }

    /// What its features are kept under: a hash of both files.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The content of the network's file.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The content of its description.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Tries the network on two pictures.
    ///
    /// # Errors
    /// When it cannot be used.
    pub fn load(self) -> Result<Extractor, Trouble> {
        let Self { path, bytes, description, version, .. } = self;
        let network = OnnxNetwork::load(bytes, description, &version);
        let wrong = |problem: NetworkProblem| Trouble::new(problem.to_string(), path, problem.remedy());
        network.map(|network| Extractor::Onnx(Box::new(network))).map_err(wrong)
    }
}

/// Of the contents of both files.
fn version_of(bytes: &[u8], text: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes()).update(bytes);
    let hash = hasher.finalize().to_hex();
    format!("{FEATURES_OF_PROGRAM}-{}", &hash[..HASH_LETTERS])
}

/// The content of an ordinary file, unless it is larger.
fn bytes_of(path: &Path, largest: u64, remedy: &str) -> Result<Vec<u8>, Trouble> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Trouble::new("there is no such file", path, remedy),
        _ => Trouble::system("read the network", path, &error),
    };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    // A pipe would be waited for.
    if !metadata.is_file() {
        return Err(Trouble::new("this is not an ordinary file", path, remedy));
    }
    let too_large = || {
        let what = format!("the file has {} MB, more than the {} MB allowed", metadata.len() >> 20, largest >> 20);
        Trouble::new(what, path, "choose a smaller network, or export it with weights of 16 bits")
    };
    if metadata.len() > largest {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(largest + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > largest { Err(too_large()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = "version = 1\nside = 32\nmean = [0.5, 0.5, 0.5]\ndeviation = [0.5, 0.5, 0.5]\n";

    #[test]
    fn the_version_is_that_of_both_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.onnx");
        let version = |network: &str, description: &str| {
            std::fs::write(&path, network).unwrap();
            std::fs::write(folder.path().join("n.toml"), description).unwrap();
            NetworkFile::read(&path).unwrap().version().to_string()
        };
        let first = version("abc", DESCRIPTION);
        assert_eq!(first.len(), FEATURES_OF_PROGRAM.len() + 1 + HASH_LETTERS);
        assert_eq!(first, version("abc", DESCRIPTION));
        assert_ne!(first, version("abd", DESCRIPTION));
        assert_ne!(first, version("abc", &DESCRIPTION.replace("side = 32", "side = 64")));
    }

    #[test]
    fn what_is_missing_or_no_file_is_said_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.onnx");
        let said = |path: &Path| NetworkFile::read(path).err().unwrap().to_string();
        assert!(said(&path).contains("n.onnx: there is no such file"), "{}", said(&path));
        std::fs::write(&path, "abc").unwrap();
        assert!(said(&path).contains("n.toml: there is no such file (put a TOML file"), "{}", said(&path));
        std::fs::write(folder.path().join("n.toml"), "version = 1\nsides = 3\n").unwrap();
        assert!(said(&path).contains("n.toml: 2:1: unknown key `sides`"), "{}", said(&path));
        std::fs::write(folder.path().join("n.toml"), [0xff, 0xfe]).unwrap();
        assert!(said(&path).contains("not UTF-8"), "{}", said(&path));
        assert!(said(folder.path()).contains("not an ordinary file"), "{}", said(folder.path()));
        let large = File::create(&path).unwrap();
        large.set_len(LARGEST_BYTES + 1).unwrap();
        assert!(said(&path).contains("more than the 1024 MB allowed"), "{}", said(&path));
    }

    #[test]
    fn a_file_that_is_no_network_is_a_trouble_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.onnx");
        std::fs::write(&path, "not a network").unwrap();
        std::fs::write(folder.path().join("n.toml"), DESCRIPTION).unwrap();
        let trouble = NetworkFile::read(&path).unwrap().load().err().unwrap();
        assert!(trouble.path == path && !trouble.remedy.is_empty(), "{trouble}");
        let expected = if cfg!(feature = "onnx") { "cannot be used" } else { "built without" };
        assert!(trouble.what.contains(expected), "{trouble}");
    }
}
