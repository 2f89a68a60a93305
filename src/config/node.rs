//! The settings of several daemons that find one another's pictures, and what they need together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::choices::IndexEngine;
use super::error::ConfigError;
use super::folders::resolved;
use super::{Bounded, Config};

/// What stands for a node's name in `pictures`.
const NODE: &str = "{node}";
const LONGEST_NAME: usize = 40;

/// `[index]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSettings {
    /// "embedded" = this daemon finds its own pictures; "milvus" = also those of the other nodes of a Milvus.
    pub engine: IndexEngine,
    /// The engine's address; `https://` is encrypted.
    #[serde(deserialize_with = "address")]
    pub url: String,
    /// The file in PEM that holds the authorities whose certificates are believed, for `https://`.
    pub ca_file: PathBuf,
    /// A file with `user:password` or a token for the engine; none = it asks for none.
    pub token_file: PathBuf,
    /// A query waits so long for an engine that is away; then it is answered without it, and again when it is back.
    pub patience_s: Bounded<0, 3_600>,
}

/// `[node]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSettings {
    /// Its name: letters, digits and hyphens. No other has it.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// A folder that all nodes read and write: models travel through it.
    pub shared: PathBuf,
    /// Whether it trains the models of all nodes; one of them does.
    pub trains: bool,
    /// Where the inventories of other nodes are mounted, such as "/mnt/pictures/{node}"; none = their matches have no picture.
    #[serde(deserialize_with = "pictures")]
    pub pictures: String,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self {
            engine: IndexEngine::Embedded,
            url: "http://127.0.0.1:19530".into(),
            ca_file: "/etc/ssl/certs/ca-certificates.crt".into(),
            token_file: PathBuf::new(),
            patience_s: Bounded::new(10),
        }
    }
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self { name: String::new(), shared: PathBuf::new(), trains: true, pictures: String::new() }
    }
}

impl IndexSettings {
    /// Whether there are other nodes.
    pub fn is_shared(&self) -> bool {
        self.engine != IndexEngine::Embedded
    }

    /// The same with relative paths put under `root`.
    pub fn below(&self, root: &Path) -> Self {
        Self { ca_file: below(root, &self.ca_file), token_file: below(root, &self.token_file), ..self.clone() }
    }
}

impl NodeSettings {
    /// The same with relative paths put under `root`.
    pub fn below(&self, root: &Path) -> Self {
        Self { shared: below(root, &self.shared), ..self.clone() }
    }

    /// Where the inventory of another node is mounted; `None` where that is not set.
    pub fn inventory_of(&self, node: &str) -> Option<PathBuf> {
        (!self.pictures.is_empty()).then(|| self.pictures.replace(NODE, node).into())
    }

    /// The folder in which all of them are mounted: what may be read.
    pub fn mounts(&self) -> Option<PathBuf> {
        let before = self.pictures.split(NODE).next().filter(|before| !before.is_empty())?;
        // `/mnt/of-{node}/pictures`
        let folder = if before.ends_with('/') { Some(Path::new(before)) } else { Path::new(before).parent() };
        folder.map(Path::to_path_buf)
    }
}

/// None stays none.
fn below(root: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::new() } else { root.join(path) }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let url = String::deserialize(deserializer)?;
    let host = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    match host.is_some_and(|host| !host.is_empty()) {
        true => Ok(url),
        false => {
            Err(D::Error::custom("this is no address of an engine; write one such as \"http://milvus.example:19530\""))
        }
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_plain = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-');
    match is_plain && name.len() <= LONGEST_NAME {
        true => Ok(name),
        false => Err(D::Error::custom("the name of a node has letters, digits and hyphens, at most 40")),
    }
}

fn pictures<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let pictures = String::deserialize(deserializer)?;
    match pictures.is_empty() || (pictures.starts_with('/') && pictures.contains(NODE)) {
        true => Ok(pictures),
        false => Err(D::Error::custom("write a whole path with {node} in it, such as \"/mnt/pictures/{node}\"")),
    }
}

/// With an engine a node needs its name and the shared folder, which is no folder of its own.
pub fn must_be_complete(path: &Path, text: &str, config: &Config) -> Result<(), ConfigError> {
    let (index, node) = (&config.index, &config.node);
    if !index.is_shared() {
        return Ok(());
    }
    let folders = config.folders.read().into_iter().chain(config.folders.written());
    let around = folders.map(|(name, folder)| (name, resolved(folder)));
    let shared = resolved(&node.shared);
    let wrong = if !cfg!(feature = "milvus") {
        let what = "this program was built without the feature `milvus`; build it with `--features milvus`, or write \"embedded\"";
        Some(("engine", Cause::Refused(what.into())))
    } else if node.name.is_empty() {
        Some(("engine", Cause::Refused("with an engine, `name` in [node] is needed: this daemon's own".into())))
    } else if node.shared.as_os_str().is_empty() {
        Some(("engine", Cause::Refused("with an engine, `shared` in [node] is needed: a folder of all nodes".into())))
    } else {
        around
            .into_iter()
            .find(|(_, folder)| shared.starts_with(folder))
            .map(|outer| ("shared", Cause::FoldersOverlap { inner: ("shared", shared.clone()), outer }))
    };
    let Some((key, cause)) = wrong else { return Ok(()) };
    Err(match place_of(text, key) {
        Some(span) => ConfigError::at(path, text, vec![(span, cause)]),
        None => ConfigError::of_file(path, cause),
    })
}

/// Where the file sets `key`.
fn place_of(text: &str, key: &str) -> Option<Range<usize>> {
    let sections: BTreeMap<String, BTreeMap<String, toml::Spanned<toml::Value>>> = toml::from_str(text).ok()?;
    ["index", "node"].iter().find_map(|section| Some(sections.get(*section)?.get(key)?.span()))
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Source, load};

    fn loaded(text: &str) -> Result<Config, String> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("artificio.toml");
        std::fs::write(&path, text).unwrap();
        load(&Source { path, required: true }, root.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_an_engine_needs_is_asked_for_where_it_is_set() {
        let node = "[node]\nname = \"a\"\nshared = \"/srv/shared\"\n";
        let cases = [
            (
                "[index]\nengine = \"milvus\"\n",
                if cfg!(feature = "milvus") { "`name` in [node]" } else { "--features milvus" },
            ),
            ("[index]\nurl = \"milvus:19530\"\n", "no address of an engine"),
            ("[node]\nname = \"cellar 2\"\n", "letters, digits and hyphens"),
            ("[node]\npictures = \"/mnt/pictures\"\n", "{node}"),
        ];
        for (text, said) in cases {
            let error = loaded(text).unwrap_err();
            assert!(error.contains(said) && error.contains(":2:"), "{text}: {error}");
        }
        let whole = loaded(&format!("[index]\nengine = \"milvus\"\n{node}"));
        assert_eq!(whole.is_ok(), cfg!(feature = "milvus"), "{whole:?}");
        assert!(loaded(node).is_ok(), "without an engine the rest is not used");
    }

    #[cfg(feature = "milvus")]
    #[test]
    fn the_three_nodes_of_the_example_fit() {
        let example = include_str!("../../docs/scale-out.compose.yaml");
        let blocks = example.split("    content: |\n").skip(1);
        let settings =
            blocks.map(|block| block.lines().map_while(|line| line.strip_prefix("      ")).collect::<Vec<_>>());
        let settings = settings.map(|lines| lines.join("\n")).filter(|text| text.starts_with("[index]"));
        let nodes: Vec<_> = settings.map(|text| loaded(&text).unwrap().node).collect();
        let names: Vec<&str> = nodes.iter().map(|node| &*node.name).collect();
        assert_eq!(names, ["cellar", "attic", "office"]);
        assert_eq!(nodes.iter().filter(|node| node.trains).count(), 1);
        for name in names {
            let own = nodes.iter().filter(|node| node.name != name);
            assert!(own.map(|node| node.inventory_of(name).unwrap()).all(|place| place.ends_with(name)));
        }
    }

    #[cfg(feature = "milvus")]
    #[test]
    fn the_shared_folder_is_none_of_this_daemon() {
        for shared in ["db/img_inventory_raw/shared", "answer", "db/state/x"] {
            let text = format!("[index]\nengine = \"milvus\"\n[node]\nname = \"a\"\nshared = \"{shared}\"\n");
            let error = loaded(&text).unwrap_err();
            assert!(error.contains("the shared") && error.contains(":5:"), "{error}");
        }
    }

    #[test]
    fn inventories_of_others_are_where_the_setting_says() {
        let text = "[node]\npictures = \"/mnt/of-{node}/pictures\"\n";
        let node = loaded(text).unwrap().node;
        assert_eq!(node.inventory_of("b"), Some("/mnt/of-b/pictures".into()));
        assert_eq!(node.mounts(), Some("/mnt".into()));
        assert_eq!(Config::default().node.inventory_of("b"), None);
    }
}
