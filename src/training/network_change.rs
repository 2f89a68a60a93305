//! Exchanges the network: encodes all pictures with the new one, on a thread of its own, while the service answers by the one before.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Sender;
use log::info;

use super::handle::{Stage, TrainingHandle};
use super::job::{Halt, Successor, TrainingEnd, TrainingEvent, TrainingMessage, end_with, run_when_idle, thread_name};
use super::reencoding::Reencoding;
use super::rollback::may_serve;
use crate::base::parallel;
use crate::catalog::{Catalog, CatalogReaders, FileState, Root};
use crate::config::{Config, Encoder};
use crate::error::Trouble;
use crate::files::FileAt;
use crate::isolation::{Outputs, features_of};
use crate::model::{Extractor, FeatureKind, Model};
use crate::network::{NetworkFile, NetworkStore};
use crate::picture::{self, Bounds, Hash, Square};
use crate::progress::Progress;
use crate::quarantine::Guard;
use crate::threads::{self, ThreadEnd};

/// Name of the thread.
pub const THREAD: &str = "network";
/// Pictures that are encoded together, on all cores that are idle.
const TOGETHER: usize = 16;
/// After so many looks through the catalog, pictures that came meanwhile are left to the service.
const MOST_LOOKS: usize = 5;

/// Time between two looks whether the loop has stored what was sent.
const STORING_PAUSE: Duration = Duration::from_millis(20);

/// What is shown of the network that comes with the program.
pub const BUNDLED_NAME: &str = "bundled";

/// An exchange of the network.
pub struct NetworkChange {
    /// Which run of a job.
    pub run: u64,
    /// The catalog.
    pub catalog: CatalogReaders,
    /// The settings in force, which name the network.
    pub config: Arc<Config>,
    /// The features of the network in force.
    pub before: FeatureKind,
    /// Pictures are decoded through it.
    pub guard: Guard,
    /// To the loop.
    pub handle: Arc<TrainingHandle>,
    /// To the loop.
    pub sender: Sender<TrainingMessage>,
}

/// What belongs to a [`Successor`] that takes other features than the model before.
pub struct NetworkSuccessor {
    /// The name of the network's file.
    pub name: String,
    /// Files that have no such features: those that could not be read, or have come just now.
    pub left: Vec<(Root, PathBuf)>,
}

/// The network that the settings name.
pub struct WantedNetwork {
    /// Makes its features.
    pub extractor: Arc<Extractor>,
    /// The name of its file.
    pub name: String,
}

/// Loads the network that the settings name, unless its features are those of `before`, and keeps a copy of it.
///
/// # Errors
/// When it cannot be used.
pub fn wanted_network(config: &Config, before: &FeatureKind) -> Result<Option<WantedNetwork>, Trouble> {
    let path = &config.model.network;
    if !config.model.has_own_network() {
        return match before.is_bundled_network() {
            true => Ok(None),
            false => {
                let extractor = Arc::new(Extractor::load(Encoder::Pretrained)?);
                Ok(Some(WantedNetwork { extractor, name: BUNDLED_NAME.into() }))
            }
        };
    }
    let file = NetworkFile::read(path)?;
    let store = NetworkStore::in_state(&config.folders.state);
    if *file.version() == *before.version {
        store.sweep();
        return Ok(None);
    }
    store.keep(&file)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match file.load() {
        Ok(extractor) => Ok(Some(WantedNetwork { extractor: Arc::new(extractor), name })),
        Err(trouble) => {
            store.sweep();
            Err(trouble)
        }
    }
}

impl NetworkChange {
    /// Starts the thread. It ends when the loop has ended.
    pub fn start(self, ends: Sender<ThreadEnd>) -> Result<(), Trouble> {
        let run = self.run;
        let work = move || {
            run_when_idle();
            let ending = match self.change() {
                Ok(ending) => Ok(ending),
                Err(Halt::Cancelled) => Ok(TrainingEnd::Cancelled),
                Err(Halt::Trouble(trouble)) => Err(trouble),
            };
            end_with(ending, |event| self.send(event));
        };
        threads::spawn(&thread_name(THREAD, run), ends, work).map(drop)
    }

    fn change(&self) -> Result<TrainingEnd, Halt> {
        let wanted = match wanted_network(&self.config, &self.before) {
            Ok(None) => return Ok(TrainingEnd::SameNetwork),
            Ok(Some(wanted)) => wanted,
            Err(trouble) => return Ok(TrainingEnd::NoNetwork(trouble)),
        };
        let WantedNetwork { extractor, name } = wanted;
        info!("encoding all pictures with the network {name}; until that is done the one before answers");
        let (catalog, kind) = (self.catalog.open()?, extractor.kind());
        self.handle.enter(Stage::Reading);
        self.encode_all(&catalog, &extractor)?;
        self.handle.enter(Stage::Encoding);
        let model = self.model(&catalog, &kind)?;
        let (handle, send) = (&*self.handle, &|event| self.send(event));
        let index =
            Reencoding { catalog: &catalog, model: &model, has_served: true, expected: 0, handle, send }.run()?;
        self.check()?;
        let left = self.lacking(&catalog, &kind)?.into_iter().map(|(root, path, _)| (root, path)).collect();
        let network = Some(NetworkSuccessor { name, left });
        Ok(TrainingEnd::Ready(Box::new(Successor { extractor, model, row: None, index, network })))
    }

    /// The newest stored model that takes these features, of a time when this network was in force before; else none is trained yet.
    fn model(&self, catalog: &Catalog, kind: &FeatureKind) -> Result<Model, Trouble> {
        let models = catalog.models()?;
        let row = models.iter().map(|(row, _)| row).find(|row| may_serve(row, kind));
        let stored = row.map_or(Ok(None), |row| Model::from_row(row, kind))?;
        Ok(stored.unwrap_or_else(|| Model::untrained(&self.config.model, kind.clone())))
    }

    /// Encodes all pictures that lack features of this network. What cannot be read stays without them.
    fn encode_all(&self, catalog: &Catalog, extractor: &Extractor) -> Result<(), Halt> {
        let mut tried = HashSet::new();
        for _ in 0..MOST_LOOKS {
            let mut lacking = self.lacking(catalog, &extractor.kind())?;
            // A content that lies in several files is read from one.
            lacking.retain(|(_, _, content)| tried.insert(*content));
            if lacking.is_empty() {
                break;
            }
            let mut last = None;
            for (number, some) in lacking.chunks(TOGETHER).enumerate() {
                self.check()?;
                last = self.encode(some, extractor)?.or(last);
                self.handle.set_share((number * TOGETHER) as f32 / lacking.len() as f32);
            }
            self.await_stored(catalog, last, &extractor.kind())?;
        }
        Ok(())
    }

    /// The files of inventory and training pictures whose contents lack features of this kind.
    fn lacking(&self, catalog: &Catalog, kind: &FeatureKind) -> Result<Vec<(Root, PathBuf, Hash)>, Trouble> {
        let with_features = catalog.contents_with_features(&kind.version)?;
        let mut lacking = Vec::new();
        for root in [Root::Inventory, Root::Training] {
            catalog.each_file(root, |file| match file.state {
                FileState::Read(content) if !with_features.contains(&content) => {
                    lacking.push((root, file.path, content));
                }
                _ => {}
            })?;
        }
        Ok(lacking)
    }

    /// Waits until the loop, which stores features in the order in which they are sent, has stored those of `last`.
    fn await_stored(&self, catalog: &Catalog, last: Option<Hash>, kind: &FeatureKind) -> Result<(), Halt> {
        while let Some(content) = last
            && !catalog.has_features(content, &kind.version)?
        {
            self.check()?;
            thread::sleep(STORING_PAUSE);
        }
        Ok(())
    }

    /// Returns the last content that it could encode.
    fn encode(&self, files: &[(Root, PathBuf, Hash)], extractor: &Extractor) -> Result<Option<Hash>, Halt> {
        let squares: Vec<(Hash, Square)> = files
            .iter()
            .filter_map(|(root, path, content)| Some((*content, self.square(*root, path, *content, extractor)?)))
            .collect();
        let rows = parallel::map(squares.len(), |at| features_of(&squares[at].1, extractor).ok());
        let version = extractor.kind().version.to_string();
        let made = squares.iter().zip(rows).filter_map(|((content, _), row)| Some((*content, version.clone(), row?)));
        let made: Vec<_> = made.collect();
        let last = made.last().map(|(content, ..)| *content);
        self.send(TrainingEvent::Features(made))?;
        Ok(last)
    }

    /// The picture in a file as the network takes it, as long as it is the content that was catalogued.
    fn square(&self, root: Root, path: &Path, content: Hash, extractor: &Extractor) -> Option<Square> {
        let (folders, bounds) = (&self.config.folders, Bounds::from(&self.config.limits));
        let folder: &Path = if root == Root::Training { &folders.training } else { &folders.inventory };
        let place = FileAt::below(folder, path);
        let contents = picture::read_still(&place, &bounds).ok().filter(|contents| contents.hash == content)?;
        let outputs = Outputs { square: true, features: false, longest_px: None, crop: None };
        self.guard.extract(&contents, &place.absolute(), &bounds, outputs, extractor).ok()?.square
    }

    fn check(&self) -> Result<(), Halt> {
        if self.handle.is_cancelled() { Err(Halt::Cancelled) } else { Ok(()) }
    }

    fn send(&self, event: TrainingEvent) -> Result<(), Halt> {
        self.sender.send(TrainingMessage { run: self.run, event }).map_err(|_| Halt::Cancelled)
    }
}
