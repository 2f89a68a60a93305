//! Which network is in force: at the start, and when the settings name another one.

use std::path::PathBuf;
use std::sync::Arc;

use log::{info, warn};

use super::Daemon;
use super::retrain::TRAINING_RETRY;
use super::state::{Purpose, UnderWay};
use crate::catalog::{Catalog, Root};
use crate::config::{Config, Encoder};
use crate::error::Trouble;
use crate::model::{Extractor, FeatureKind};
use crate::network::{NetworkStore, extractor_in_force};
use crate::quarantine::{Suspects, Unsupervised};
use crate::training::handle::InventoryChange;
use crate::training::network_change::{BUNDLED_NAME, NetworkChange, NetworkSuccessor, WantedNetwork, wanted_network};

/// The network with which the service starts.
pub(super) struct StartNetwork {
    pub extractor: Arc<Extractor>,
    pub report: NetworkReport,
}

/// For the status.
pub(super) struct NetworkReport {
    /// The name of its file.
    pub name: String,
    /// Why it is not the one that it should be.
    pub trouble: Option<Trouble>,
}

impl StartNetwork {
    /// The network in force. One that the settings name and that is not in force is taken over at once where no picture was encoded
    /// yet; else that is done beside the service.
    ///
    /// # Errors
    /// When which network is in force cannot be written.
    pub(super) fn load(config: &Config, catalog: &Catalog) -> Result<Self, Trouble> {
        let store = NetworkStore::in_state(&config.folders.state);
        let is_pretrained = config.model.encoder == Encoder::Pretrained;
        let mut trouble = None;
        let extractor = match extractor_in_force(config) {
            Ok(extractor) => Arc::new(extractor),
            Err(unusable) => {
                warn!("{unusable}; the network that comes with the program takes its place");
                trouble = Some(unusable);
                let bundled = Extractor::load(Encoder::Pretrained)?;
                store.put_in_force(&bundled.kind(), BUNDLED_NAME)?;
                Arc::new(bundled)
            }
        };
        let kind = extractor.kind();
        let is_empty = || Ok(catalog.next_features(None, &kind.version, kind.width, 1)?.contents.is_empty());
        if is_pretrained && config.model.has_own_network() && is_empty()? {
            match wanted_network(config, &kind) {
                Ok(None) => {}
                Ok(Some(WantedNetwork { extractor, name })) => {
                    store.put_in_force(&extractor.kind(), &name)?;
                    info!("the network {name} is in force");
                    return Ok(Self { extractor, report: NetworkReport { name, trouble: None } });
                }
                Err(unusable) => trouble = Some(unusable),
            }
        }
        let name = store.name().filter(|_| is_pretrained).unwrap_or_else(|| BUNDLED_NAME.into());
        Ok(Self { extractor, report: NetworkReport { name, trouble } })
    }
}

impl Daemon {
    /// Begins to take over the network that the settings name, where it may be another one than that in force.
    pub(super) fn consider_network(&mut self) {
        let settings = &self.config().model;
        let before = self.features();
        let is_none =
            settings.encoder != Encoder::Pretrained || (!settings.has_own_network() && before.is_bundled_network());
        let now = self.now();
        if !self.training.take_network_due(now) {
            return;
        }
        if is_none {
            return self.note("network", None);
        }
        let name = self.config().model.network.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let job = self.training.prepare(&name, Purpose::Network);
        let change = NetworkChange {
            run: job.run,
            catalog: self.store.catalog().readers(),
            config: Arc::clone(self.settings.config()),
            before,
            guard: self.workers.quarantine().guard("network", Suspects::Leave, Arc::new(Unsupervised)),
            handle: Arc::clone(&job.handle),
            sender: self.channels.training_sender.clone(),
        };
        match change.start(self.channels.end_sender.clone()) {
            Ok(()) => self.training.begin(job),
            Err(trouble) => {
                self.training.put_off_network(now + TRAINING_RETRY);
                self.delay_training(trouble, TRAINING_RETRY);
            }
        }
    }

    /// After `job`, if that was an exchange of the network, has failed: another begins later.
    pub(super) fn try_network_again(&mut self, job: &UnderWay) {
        if job.is_network_change() {
            let now = self.now();
            self.training.put_off_network(now + TRAINING_RETRY);
        }
    }

    /// Writes down that another network is in force, before the model that takes its features serves: a start in between finds all of
    /// its features in the catalog.
    pub(super) fn put_network_in_force(
        &mut self,
        network: &NetworkSuccessor,
        kind: &FeatureKind,
    ) -> Result<(), Trouble> {
        NetworkStore::in_state(&self.config().folders.state).put_in_force(kind, &network.name)?;
        self.training.set_network(network.name.clone());
        Ok(())
    }

    /// After an exchange of the network: lets files be read that have no features of it.
    pub(super) fn read_what_lacks_features(
        &mut self,
        network: NetworkSuccessor,
        changed: &[InventoryChange],
        kind: &FeatureKind,
    ) -> Result<(), Trouble> {
        let mut files: Vec<(Root, PathBuf)> = network.left;
        for (path, content) in changed {
            if let Some(content) = content
                && !self.store.catalog().has_features(*content, &kind.version)?
            {
                files.push((Root::Inventory, path.clone()));
            }
        }
        info!("the network {} is in force; {} pictures are still to be read with it", network.name, files.len());
        files.iter().for_each(|(root, path)| self.recheck_file(*root, path));
        self.note("network", None);
        Ok(())
    }
}
