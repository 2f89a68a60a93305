//! Which nodes there are: each keeps a file about itself in the shared folder, which all others, and people, can read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::exchange::Preparation;
use crate::clock;
use crate::error::Trouble;
use crate::files::{FileAt, make_folder, replace_quick};

/// Inside the shared folder.
const FOLDER: &str = "nodes";
/// A larger file is none of a node.
const LARGEST_BYTES: u64 = 64 << 10;
/// More files are not read.
const MOST_NODES: usize = 1_000;
/// A node says that it is there this often.
const WRITE_INTERVAL: Duration = Duration::from_secs(10);
/// A node that said nothing for so long is not running.
const SILENT_S: i64 = 60;

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name.
    pub name: String,
    /// Of this run of the program: another one is another daemon under this name.
    pub instance: String,
    /// The program's version.
    pub version: String,
    /// The version of the features that it computes.
    pub features: String,
    /// Whether it trains for all.
    pub trains: bool,
    /// The model that it answers with.
    pub model: String,
    /// What that model's embeddings are called in the engine.
    pub generation: String,
    /// Whether all of its pictures are in there.
    pub is_published: bool,
    /// Its pictures.
    pub pictures: usize,
    /// How far it is with a model that does not serve yet.
    #[serde(default)]
    pub preparation: Option<Preparation>,
    /// What the embeddings of its model before are called, as long as they are those of all its pictures.
    #[serde(default)]
    pub former: String,
    /// What it cannot do, if anything.
    pub problem: String,
    /// When it said so, in seconds since 1970.
    pub written_s: i64,
}

impl NodeRecord {
    /// Whether it is silent for longer than a running node is.
    pub fn is_silent(&self, now_s: i64) -> bool {
        now_s.saturating_sub(self.written_s) > SILENT_S
    }

    /// Whether all of its pictures are in that generation.
    pub fn has_all_in(&self, generation: &str) -> bool {
        let serves = self.generation == generation && self.is_published;
        let is_prepared =
            self.preparation.as_ref().is_some_and(|part| part.is_complete && part.generation == generation);
        serves || is_prepared || self.former == generation
    }

    /// Why this node and `own` cannot be of one set: neither finds the other's pictures, or both train.
    pub fn misfit(&self, own: &Self) -> Option<Trouble> {
        if self.name == own.name {
            return None;
        }
        let (what, remedy) = if self.features != own.features {
            let (its, here) = (&self.features, &own.features);
            let what = format!("its features are {its}, those of this node {here}: neither finds the other's pictures");
            (what, "use the same version of artificio, and the same `encoder` in [model], on all nodes")
        } else if self.trains && own.trains {
            (
                "it trains, and this node trains as well".to_string(),
                "set `trains = false` in [node] on all nodes but one",
            )
        } else {
            return None;
        };
        Some(Trouble::new(what, format!("node {}", self.name), remedy))
    }
}

/// The files of all nodes.
#[derive(Debug)]
pub struct Roster {
    folder: PathBuf,
    written: Option<(NodeRecord, Instant)>,
}

/// Where the nodes of a shared folder have their files.
pub fn folder(shared: &Path) -> PathBuf {
    shared.join(FOLDER)
}

impl Roster {
    /// Of a shared folder.
    pub fn new(shared: &Path) -> Self {
        Self { folder: folder(shared), written: None }
    }

    /// Writes `own`, where it changed or was written long ago.
    ///
    /// # Errors
    /// When it cannot be written, or another daemon writes under the same name.
    pub fn write(&mut self, own: &NodeRecord) -> Result<(), Trouble> {
        let without_time = |record: &NodeRecord| NodeRecord { written_s: 0, ..record.clone() };
        let is_said = self
            .written
            .as_ref()
            .is_some_and(|(record, at)| at.elapsed() < WRITE_INTERVAL && without_time(record) == without_time(own));
        if is_said {
            return Ok(());
        }
        let name = format!("{}.json", own.name);
        let path = self.folder.join(&name);
        let present = read_one(&self.folder, &name);
        let is_anothers = self.written.is_some() && present.is_some_and(|record| record.instance != own.instance);
        let own = NodeRecord { written_s: clock::now_s(), ..own.clone() };
        let text = serde_json::to_vec_pretty(&own).unwrap_or_default();
        make_folder(&self.folder)?;
        replace_quick(&path, &text, "say that this node is there")?;
        self.written = Some((own, Instant::now()));
        if is_anothers {
            let remedy = "give each daemon a `name` of its own in [node], and restart it";
            return Err(Trouble::new("another daemon has the name of this node", path, remedy));
        }
        Ok(())
    }
}

/// All nodes that have said something, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn read(shared: &Path) -> Result<BTreeMap<String, NodeRecord>, Trouble> {
    let folder = folder(shared);
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && shared.is_dir() => return Ok(BTreeMap::new()),
        entries => entries.map_err(|error| Trouble::system("see which nodes there are", &folder, &error))?,
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).take(MOST_NODES);
    let named = names.filter_map(|name| {
        let record = read_one(&folder, &name)?;
        (name.strip_suffix(".json")? == record.name).then(|| (record.name.clone(), record))
    });
    Ok(named.collect())
}

fn read_one(folder: &Path, name: &str) -> Option<NodeRecord> {
    let bytes = FileAt::below(folder, Path::new(name)).read(LARGEST_BYTES).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn nodes_that_do_not_fit_are_said() {
        let own = NodeRecord { trains: true, ..record("a", "1") };
        assert_eq!((own.misfit(&own), record("b", "2").misfit(&own)), (None, None));
        let said = |other: NodeRecord| other.misfit(&own).unwrap().to_string();
        assert!(said(NodeRecord { features: "f2".into(), ..record("b", "2") }).contains("its features are f2"));
        assert!(said(NodeRecord { trains: true, ..record("b", "2") }).contains("trains as well"));
    }

    #[test]
    fn while_models_are_exchanged_its_pictures_are_in_two_generations() {
        let node = record("a", "1");
        let prepares = |is_complete| NodeRecord {
            preparation: Some(Preparation { generation: "m2_x".into(), prepared: 5, is_complete }),
            ..node.clone()
        };
        assert!(node.has_all_in("m1_x") && !node.has_all_in("m2_x"));
        assert!(prepares(true).has_all_in("m1_x") && prepares(true).has_all_in("m2_x"));
        assert!(!prepares(false).has_all_in("m2_x"));
        let after = NodeRecord { generation: "m2_x".into(), former: "m1_x".into(), ..node.clone() };
        assert!(after.has_all_in("m1_x") && after.has_all_in("m2_x"));
        assert!(!NodeRecord { is_published: false, ..node }.has_all_in("m1_x"));
    }

    pub fn record(name: &str, instance: &str) -> NodeRecord {
        NodeRecord {
            name: name.into(),
            instance: instance.into(),
            version: "1".into(),
            features: "f".into(),
            trains: false,
            model: "m1".into(),
            generation: "m1_x".into(),
            is_published: true,
            pictures: 5,
            preparation: None,
            former: String::new(),
            problem: String::new(),
            written_s: 0,
        }
    }

    #[test]
    fn nodes_find_one_another_and_a_name_that_is_taken() {
        let shared = tempfile::tempdir().unwrap();
        assert!(read(shared.path()).unwrap().is_empty());
        let mut rosters = [Roster::new(shared.path()), Roster::new(shared.path())];
        rosters[0].write(&record("a", "1")).unwrap();
        rosters[1].write(&record("b", "2")).unwrap();
        std::fs::write(folder(shared.path()).join("c.json"), b"{}").unwrap();
        std::fs::write(folder(shared.path()).join("d.json"), serde_json::to_vec(&record("a", "9")).unwrap()).unwrap();
        let all = read(shared.path()).unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a", "b"]);
        let now_s = clock::now_s();
        assert!(all.values().all(|node| !node.is_silent(now_s) && node.is_silent(now_s + 61)));
        // A second daemon calls itself "a": whoever was there first says so when it writes next.
        Roster::new(shared.path()).write(&record("a", "2")).unwrap();
        let trouble = rosters[0].write(&NodeRecord { model: "m3".into(), ..record("a", "1") }).unwrap_err();
        assert!(trouble.what.contains("another daemon"), "{trouble}");
        assert!(read(&shared.path().join("missing")).is_err());
    }
}
