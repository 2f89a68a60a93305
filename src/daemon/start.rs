//! Starts the daemon on a root folder: folders, state, index, workers, watches.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};

use super::catalog_file::{self, Condition};
use super::descriptors;
use super::event::Channels;
use super::gallery::Gallery;
use super::mounts;
use super::network::{NetworkReport, StartNetwork};
use super::plan::Plan;
use super::reporting::manager::Loading;
use super::state::{Folders, Lifecycle, Pictures, Queries, Reporting, Settings, Store, TrainingState};
use super::state_folder::{OpenState, open_or_wait};
use super::workers::{JOBS_A_WORKER, WorkerDeps, Workers};
use super::{Daemon, Observer};
use crate::answer::ThumbnailStore;
use crate::answer::strip::STRIPS_FOLDER;
use crate::catalog::{AnswerRow, Catalog, ContentFacts, FileRow, FileState, Root};
use crate::clock::{self, WallTime};
use crate::config::{self, Config, ModelSettings, PairMode, Setup};
use crate::error::{Fatal, Trouble};
use crate::files::{Stamp, make_folder, make_links, sweep_half_written};
use crate::index::Index;
use crate::isolation::Isolation;
use crate::model::{Extractor, FeatureKind, Model};
use crate::nodes::{Nodes, Publisher};
use crate::on_answer::{AnswerCommands, CommandHelper};
use crate::picture::{Bounds, silence_caught_panics};
use crate::quarantine::Quarantine;
use crate::sandbox::Confinement;
use crate::service_status::LastTrainingPart;
use crate::serving::load::{InventoryPicture, load_index};
use crate::serving::{Serving, Shared};
use crate::training::history::TrainingHistory;
use crate::training::rollback::may_serve;
use crate::watch::{Hints, Known, KnownFiles, Tree, WatcherSelfTest};

impl Daemon {
    /// `None` if a signal ended it while it waited for its state folder.
    pub(super) fn start(
        setup: Setup,
        (confinement, helper): (Arc<Confinement>, Option<Arc<CommandHelper>>),
        condition: Condition,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, Fatal> {
        let started = Instant::now();
        silence_caught_panics();
        let config = config::load(&setup.source, &setup.root)?;
        descriptors::ensure(worker_count(&config))?;
        let channels = Channels::open()?;
        let Some(open) = open_or_wait(&config, &confinement, condition, &channels, observer)? else { return Ok(None) };
        let OpenState { lock, quarantine, catalog, content } = open;
        let loading = Loading::begin();
        for trouble in make_watched_folders(&config) {
            warn!("{trouble}");
        }
        let answer_folder = make_folder(&config.folders.answer);
        if let Err(trouble) = ThumbnailStore::of(&config).prepare() {
            warn!("{trouble}");
        }
        sweep_half_written(&config.folders.answer);
        sweep_half_written(&config.folders.answer.join(STRIPS_FOLDER));
        let CatalogContent { extractor, network, model, history, last_training, files, index, answers } = content;
        let serving = Shared::new(Serving::new(extractor, model, index));
        let hints = Hints::start(channels.hint_sender.clone(), channels.lost_sender.clone());
        let count = worker_count(&config);
        let nodes = Nodes::of(&config)?;
        if let Some(nodes) = &nodes {
            Publisher::start(nodes, &serving, &catalog.readers(), &channels.end_sender)?;
        }
        let deps = WorkerDeps {
            catalog: catalog.readers(),
            serving: serving.clone(),
            quarantine,
            nodes,
            set_pictures: Arc::default(),
            outcomes: channels.outcome_sender.clone(),
            ends: channels.end_sender.clone(),
        };
        let workers = Workers::start(count, deps);
        let gallery = Gallery::start(&config.folders.answer, &config.folders.inventory, &channels.end_sender)?;
        let commands = AnswerCommands::start(helper, channels.end_sender.clone())?;
        if let Err(trouble) = catalog_file::start_check(&catalog, channels.end_sender.clone()) {
            warn!("{trouble}");
        }
        let self_test = WatcherSelfTest::new(config.folders.state.join("pulse"));
        let mut daemon = Self {
            queries: Queries::new(answers, |query| files.has_query(query)),
            store: Store::new(catalog),
            serving,
            channels,
            folders: Folders::new(files.trees, hints, self_test, &config.watch),
            pictures: files.pictures,
            plan: Plan::new(JOBS_A_WORKER * count),
            workers,
            training: TrainingState::new(history, last_training, network.name),
            reporting: Reporting::new(gallery, commands),
            life: Lifecycle::new(started, confinement, lock),
            settings: Settings::new(setup, config),
        };
        daemon.note("network", network.trouble);
        daemon.watch_own_folders();
        if let Err(trouble) = answer_folder {
            daemon.hold_answers(trouble, 0);
        }
        drop(loading);
        Ok(Some(daemon))
    }
}

/// A missing folder that cannot be created is waited for: its disk may not be mounted yet.
pub(super) fn make_watched_folders(config: &Config) -> Vec<Trouble> {
    // Those of an inventory of several are there already, or their disk is away.
    let is_made = |name: &str| name != "inventory" || config.folders.inventory.named().is_empty();
    let made = config.folders.read().into_iter().filter(|(name, _)| is_made(name));
    made.filter_map(|(_, folder)| make_folder(folder).err()).collect()
}

/// Makes what an inventory of several folders is listed through.
pub(super) fn make_inventory_links(config: &Config) -> Result<(), Trouble> {
    let inventory = &config.folders.inventory;
    if inventory.named().is_empty() { Ok(()) } else { make_links(inventory, inventory.named()) }
}

/// Opens the quarantine and logs which pictures the last process left half decoded.
pub(super) fn open_quarantine(config: &Config) -> Arc<Quarantine> {
    let (quarantine, troubles) = Quarantine::open(&config.folders.state, Box::new(Isolation::default()));
    for trouble in troubles {
        warn!(file:% = trouble.path.display(); "{trouble}");
    }
    Arc::new(quarantine)
}

/// One worker a core: each computes on its own core only.
fn worker_count(config: &Config) -> usize {
    match config.limits.workers.count() {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

fn load_model(catalog: &mut Catalog, settings: &ModelSettings, kind: &FeatureKind) -> Result<Model, Trouble> {
    replace_damaged_model(catalog, kind)?;
    let untrained = || Model::untrained(settings, kind.clone());
    let Some(row) = catalog.current_model()? else { return Ok(untrained()) };
    match Model::from_row(&row, kind) {
        Ok(Some(model)) => Ok(model),
        Ok(None) => {
            // A model of another encoder is kept for when that one is configured again. Features of an older version are never
            // computed again, so their model cannot serve any more.
            if row.encoder.is(settings.encoder) {
                warn!(
                    "model {} takes other features than this program makes; pictures are read and a model is trained again",
                    row.id
                );
                catalog.make_current(None)?;
            }
            Ok(untrained())
        }
        Err(trouble) => {
            warn!("{trouble}");
            // Without its row, the policy trains on the pictures again.
            catalog.forget_model(&row.id)?;
            Ok(untrained())
        }
    }
}

/// Where the model that served is not as it was stored, the last of those that are kept serves again. If there is none, the policy
/// trains on the pictures again.
fn replace_damaged_model(catalog: &mut Catalog, kind: &FeatureKind) -> Result<(), Trouble> {
    let dropped = catalog.together(|catalog| catalog.drop_damaged_models())?;
    if dropped.count > 0 {
        warn!("a model in the catalog is not what was written and cannot be used; see whether the disk is healthy");
    }
    if dropped.may_have_served && catalog.current_model()?.is_none() {
        let models = catalog.models()?;
        if let Some((kept, _)) = models.iter().find(|(row, _)| may_serve(row, kind)) {
            info!("back to model {}, which was kept", kept.id);
            catalog.together(|catalog| catalog.make_current(Some(&kept.id)))?;
        }
    }
    Ok(())
}

/// What the service needs of the catalog.
pub(super) struct CatalogContent {
    extractor: Arc<Extractor>,
    network: NetworkReport,
    model: Model,
    history: TrainingHistory,
    last_training: Option<LastTrainingPart>,
    files: CatalogFiles,
    index: Index,
    answers: Vec<AnswerRow>,
}

/// Opens the catalog and reads what the service needs. Where that turns out to be damaged, the file is replaced.
pub(super) fn load_catalog(
    config: &Config,
    quarantine: &Quarantine,
    condition: Condition,
) -> Result<(Catalog, CatalogContent), Trouble> {
    let mut catalog = catalog_file::open(&config.folders.state, condition)?;
    match CatalogContent::read(&mut catalog, config, quarantine) {
        Err(_) if catalog.is_damaged() && condition == Condition::Unknown => {
            drop(catalog);
            load_catalog(config, quarantine, Condition::Damaged)
        }
        content => Ok((catalog, content?)),
    }
}

impl CatalogContent {
    fn read(catalog: &mut Catalog, config: &Config, quarantine: &Quarantine) -> Result<Self, Trouble> {
        let StartNetwork { extractor, report: network } = StartNetwork::load(config, catalog)?;
        let kind = extractor.kind();
        let model = load_model(catalog, &config.model, &kind)?;
        let history = TrainingHistory::load(catalog, &kind)?;
        let last_training = catalog.models()?.first().map(|(row, _)| LastTrainingPart::of(row));
        info!("model {}: {} pictures trained on", model.id(), model.trained_on());
        let mut files = load_files(catalog, config, &kind, quarantine)?;
        let mut index = load_index(catalog, &model, files.take_inventory())?;
        // Where nothing can be written the clock has to do.
        let now_us = clock::now_us();
        index.continue_from(catalog.reserve_generations(now_us).unwrap_or(now_us));
        Ok(Self { extractor, network, model, history, last_training, files, index, answers: catalog.answers()? })
    }
}

/// The files of the watched folders as the catalog knows them.
struct CatalogFiles {
    trees: BTreeMap<Root, Tree>,
    pictures: Pictures,
    /// Of each picture of the inventory, in the order of their paths, the number of its content and its date.
    dates: Vec<(i64, WallTime)>,
}

impl CatalogFiles {
    /// Whoever takes them compares numbers and contents: in a damaged catalog paths may come in another order.
    fn take_inventory(&mut self) -> impl Iterator<Item = InventoryPicture<'_>> {
        let dates = std::mem::take(&mut self.dates);
        let pictures = self.pictures.usable(Root::Inventory).zip(dates);
        pictures.map(|((path, content), (number, date))| InventoryPicture { path, content, number, date })
    }

    fn has_query(&self, query: &Path) -> bool {
        self.trees.get(&Root::Query).is_some_and(|tree| tree.has_files(query))
    }
}

fn load_files(
    catalog: &Catalog,
    config: &Config,
    kind: &FeatureKind,
    quarantine: &Quarantine,
) -> Result<CatalogFiles, Trouble> {
    let bounds = Bounds::from(&config.limits);
    let mut known = CatalogFiles { trees: BTreeMap::new(), pictures: Pictures::default(), dates: Vec::new() };
    let mut mounts = mounts::load(&config.folders.state);
    // Without features (another encoder's are there), or set aside, which must be reported.
    let is_unusable = |hash, facts: ContentFacts| !facts.has_features || quarantine.refuses(hash, &bounds).is_some();
    for root in Root::ALL {
        let folder = folder_of(config, root);
        let mut files = KnownFiles::default();
        let (pictures, dates) = (&mut known.pictures, &mut known.dates);
        catalog.each_known_file(root, &kind.version, |FileRow { path, mut stamp, state }, facts| {
            let has_failed = matches!(state, FileState::Failed { .. });
            match state {
                // Read again. Its disk may be away until then, or it may be gone: that is noticed of known files only.
                FileState::Read(hash) if root != Root::Query && is_unusable(hash, facts) => stamp = Stamp::NEVER,
                FileState::Read(hash) if root != Root::Query => {
                    // Read by a version without miniatures: it is read again, and stays searchable until then.
                    let lacks_miniature = root == Root::Inventory && !facts.has_miniature;
                    // A suspect gets its trial now, so that trainings and sheets need not do without it.
                    if lacks_miniature || quarantine.is_suspect(hash, &bounds) {
                        stamp = Stamp::NEVER;
                    }
                    pictures.put(root, &path, hash);
                    if root == Root::Inventory {
                        dates.push((facts.number, facts.date));
                    }
                }
                // Set aside by a version that only counted crashes: it gets a trial.
                FileState::Failed { .. } if quarantine.is_suspect_at(&folder.join(&path)) => stamp = Stamp::NEVER,
                FileState::Read(_) | FileState::Unread => {}
                FileState::Failed { problem, remedy } => {
                    let trouble = Trouble::new(problem, folder.join(&path), remedy);
                    pictures.fail(root, &path, trouble, Duration::ZERO);
                }
            }
            files.add(&path, Known { stamp, has_failed });
        })?;
        let mounts = mounts.remove(&root).unwrap_or_default();
        let tree = Tree::new(folder, root == Root::Inventory, mounts, files);
        // Whatever is asked for is answered.
        let tree = match root {
            Root::Query => tree,
            Root::Inventory | Root::Training => {
                let tree = tree.without(config.folders.exclude.clone());
                if config.folders.pairs == PairMode::One { tree.with_pairs_as_one() } else { tree }
            }
        };
        known.trees.insert(root, tree);
    }
    Ok(known)
}

/// The configured folder of a root.
pub(super) fn folder_of(config: &Config, root: Root) -> &Path {
    match root {
        Root::Query => &config.folders.query,
        Root::Inventory => &config.folders.inventory,
        Root::Training => &config.folders.training,
    }
}
