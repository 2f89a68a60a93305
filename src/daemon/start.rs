//! From a root folder to a running daemon: lock, folders, catalog, index, workers, watches.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::{info, warn};

use super::answering::gallery::Gallery;
use super::answering::refresh::Rechecks;
use super::event::Channels;
use super::guard::Quarantine;
use super::learning::pace::Pace;
use super::learning::training::{Attempt, Source, Stir, Tried};
use super::plan::Plan;
use super::reporting::manager::{Loading, Patience};
use super::reporting::metrics::Metrics;
use super::reporting::status::LastTrainingPart;
use super::requests;
use super::serving::{Serving, Shared};
use super::unwritten::Unkept;
use super::workers::{JOBS_A_WORKER, Tools, Workers};
use super::{Daemon, Setup};
use crate::base::rows::Rows;
use crate::catalog::{Catalog, Decision, FileRow, FileState, Root};
use crate::clock;
use crate::config::{self, Config, Encoder, ModelSettings};
use crate::error::{Fatal, Trouble};
use crate::files::{Lock, Stamp, make_folder, sweep_half_written};
use crate::index::Index;
use crate::model::{Extractor, FeatureKind, Model};
use crate::picture::{Bounds, Hash, View, silence_caught_panics};
use crate::watch::{Hints, Known, Pulse, Tree};

impl Daemon {
    pub(super) fn start(setup: Setup) -> Result<Self, Fatal> {
        let started = Instant::now();
        let loading = Loading::begin();
        silence_caught_panics();
        let config = config::load(&setup.source, &setup.root).map_err(Fatal::Usage)?;
        make_folders(&config)?;
        let lock = Lock::take(&config.folders.state)?;
        sweep_half_written(&config.folders.answer);
        sweep_half_written(&config.folders.state);
        requests::forget_all(&config.folders.state);
        let quarantine = open_quarantine(&config);
        let opened = Catalog::open(&config.folders.state)?;
        if let Some(trouble) = &opened.set_aside {
            warn!("{trouble}");
        }
        let catalog = opened.catalog;
        catalog.drop_orphans()?;
        catalog.drop_features_but_of(&kinds_of_features())?;
        let model = load_model(&catalog, &config.model)?;
        let tried = load_tried(&catalog, config.model.encoder)?;
        let last_training = catalog.models()?.first().map(|(row, _)| LastTrainingPart::of(row));
        info!("model {}: {} pictures trained on", model.id(), model.trained_on());
        let world = load_world(&catalog, &config, &quarantine)?;
        let index = load_index(&catalog, &config, &model, &world.contents)?;
        let serving = Shared::new(Serving::new(model, index));
        let channels = Channels::open()?;
        let hints = Hints::start(channels.hint_sender.clone(), channels.lost_sender.clone());
        let count = worker_count(&config);
        let extractor = Arc::new(Extractor::load(config.model.encoder)?);
        let tools = Tools {
            extractor: extractor.clone(),
            state: config.folders.state.clone(),
            serving: serving.clone(),
            quarantine: quarantine.clone(),
            outcomes: channels.outcome_sender.clone(),
        };
        let workers = Workers::start(count, tools)?;
        let gallery = Gallery::start(&config.folders.answer, &config.folders.inventory)?;
        let answers = catalog.answers()?.into_iter().map(|answer| (answer.query.clone(), answer)).collect();
        let mut daemon = Self {
            setup,
            config_stamp: None,
            config_seen: None,
            catalog,
            serving,
            channels,
            hints,
            quarantine,
            workers,
            gallery,
            extractor,
            plan: Plan::new(JOBS_A_WORKER * count),
            trees: world.trees,
            contents: world.contents,
            stirred: BTreeSet::new(),
            rechecks: Rechecks::default(),
            unkept: Unkept::default(),
            stall: None,
            answers,
            unfinished: HashMap::new(),
            tried,
            last_training,
            training: None,
            runs: 0,
            last_number: 0,
            wish: None,
            hopeless: None,
            next_request_look: Duration::ZERO,
            stir: Some(Stir::again(None, Duration::ZERO)),
            has_ownerless_codes: true,
            is_surveying: false,
            failed: world.failed,
            own_troubles: BTreeMap::new(),
            said_troubles: HashSet::new(),
            said_searchable: None,
            awaiting_restart: Vec::new(),
            written: None,
            pace: Pace::default(),
            started_s: clock::now_s(),
            metrics: Metrics::default(),
            is_ready: false,
            patience_of_manager: Patience::new(),
            reloads: 0,
            started,
            pulse: Pulse::new(config.folders.state.join("pulse")),
            watcher_tried: Duration::ZERO,
            is_report_due: true,
            next_report: Duration::ZERO,
            next_poll: Duration::from_secs(config.watch.poll_s.get()),
            next_rescan: Duration::from_secs(config.watch.rescan_s.get()),
            config: Arc::new(config),
            lock,
        };
        daemon.hold_suspects_back();
        daemon.config_stamp = daemon.stamp_of_config();
        daemon.watch_own_folders();
        drop(loading);
        Ok(daemon)
    }
}

/// A folder that is read and cannot be made is waited for (its disk may not be mounted yet); without those that are
/// written nothing works.
fn make_folders(config: &Config) -> Result<(), Trouble> {
    for (_, folder) in config.folders.read() {
        if let Err(trouble) = make_folder(folder) {
            warn!("{trouble}");
        }
    }
    config.folders.written().into_iter().try_for_each(|(_, folder)| make_folder(folder))
}

/// What the last process left under way, said once.
fn open_quarantine(config: &Config) -> Arc<Quarantine> {
    let (quarantine, said) = Quarantine::open(&config.folders.state);
    for trouble in said {
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

fn load_model(catalog: &Catalog, settings: &ModelSettings) -> Result<Model, Trouble> {
    let Some(row) = catalog.current_model()? else { return Ok(Model::untrained(settings)) };
    match Model::from_row(&row, settings.encoder) {
        Ok(Some(model)) => Ok(model),
        Ok(None) => {
            // Of another encoder it serves again when that one does; of features that nobody makes any more it never will.
            if row.encoder == settings.encoder.name() {
                warn!(
                    "model {} takes other features than this program makes; pictures are read, and a model is trained, anew",
                    row.id
                );
                catalog.make_current(None)?;
            }
            Ok(Model::untrained(settings))
        }
        Err(trouble) => {
            warn!("{trouble}");
            // The pictures are to be trained on anew, as if never before.
            catalog.forget_model(&row.id)?;
            Ok(Model::untrained(settings))
        }
    }
}

/// The model that serves, for whoever only reads the catalog; one that cannot be used is left to the daemon.
pub(super) fn load_model_to_read(catalog: &Catalog, settings: &ModelSettings) -> Result<Model, Trouble> {
    let Some(row) = catalog.current_model()? else { return Ok(Model::untrained(settings)) };
    Ok(Model::from_row(&row, settings.encoder)?.unwrap_or_else(|| Model::untrained(settings)))
}

/// What was tried before, for the policy.
pub(super) fn load_tried(catalog: &Catalog, encoder: Encoder) -> Result<Tried, Trouble> {
    let current = catalog.current_model()?;
    let serves = |id: &str| current.as_ref().is_some_and(|current| current.id == id);
    let last = |source: Source| {
        let Some(row) = catalog.last_model(encoder.name(), source.name())? else { return Ok(None) };
        // Other features are another thing: nothing was tried with these.
        if row.trunk != FeatureKind::of(encoder).version {
            return Ok(None);
        }
        Ok::<_, Trouble>(Some(Attempt {
            pictures: catalog.trained_pictures(&row.id)?,
            beside: row.beside,
            serves: serves(&row.id),
            refused: (row.decision == Decision::Refused).then_some(row.reason),
        }))
    };
    let of_training = current
        .as_ref()
        .filter(|row| row.source == Source::Training.name() && row.encoder == encoder.name())
        .filter(|row| row.trunk == FeatureKind::of(encoder).version);
    Ok(Tried {
        training: last(Source::Training)?,
        inventory: last(Source::Inventory)?,
        serves_training: of_training.is_some(),
        serves_training_alone: of_training.is_some_and(|current| current.beside == 0),
    })
}

/// What features this program makes are kept under, of either encoder and of changed views.
fn kinds_of_features() -> Vec<String> {
    let of = |encoder| {
        let kind = FeatureKind::of(encoder);
        std::iter::once(kind.version.to_string()).chain(View::ALL.map(|view| kind.of_view(view)))
    };
    [Encoder::Pretrained, Encoder::Convolutional].into_iter().flat_map(of).collect()
}

/// What the catalog knows of the folders.
struct World {
    trees: BTreeMap<Root, Tree>,
    contents: HashMap<(Root, PathBuf), Hash>,
    failed: BTreeMap<(Root, PathBuf), Trouble>,
}

fn load_world(catalog: &Catalog, config: &Config, quarantine: &Quarantine) -> Result<World, Trouble> {
    let bounds = Bounds::from(&config.limits);
    let kind = FeatureKind::of(config.model.encoder);
    let mut world = World { trees: BTreeMap::new(), contents: HashMap::new(), failed: BTreeMap::new() };
    let with_features = catalog.contents_with_features(kind.version)?;
    let with_miniatures = catalog.contents_with_miniatures()?;
    for root in Root::ALL {
        let folder = folder_of(config, root);
        let mut known = Vec::new();
        for FileRow { path, mut stamp, state } in catalog.files(root)? {
            let has_failed = matches!(state, FileState::Failed { .. });
            match state {
                // Without features (another encoder's are there) the picture has to be read again.
                FileState::Read(hash) if root != Root::Query && !with_features.contains(&hash) => continue,
                // Of a content that is set aside, its readers have to hear.
                FileState::Read(hash) if root != Root::Query && quarantine.refuses(hash, &bounds).is_some() => continue,
                FileState::Read(hash) if root != Root::Query => {
                    // Read by a program that knew no miniatures: it is read again, and found meanwhile as before.
                    if root == Root::Inventory && !with_miniatures.contains(&hash) {
                        stamp = Stamp::NEVER;
                    }
                    world.contents.insert((root, path.clone()), hash);
                }
                FileState::Read(_) => {}
                FileState::Failed { problem, remedy } => {
                    let trouble = Trouble::new(problem, folder.join(&path), remedy);
                    world.failed.insert((root, path.clone()), trouble);
                }
            }
            known.push((path, Known { stamp, has_failed }));
        }
        world.trees.insert(root, Tree::new(folder, root == Root::Inventory, known));
    }
    Ok(world)
}

/// The contents of the inventory as the catalog knows it.
pub(super) fn inventory_of(catalog: &Catalog) -> Result<HashMap<(Root, PathBuf), Hash>, Trouble> {
    let content = |row: FileRow| match row.state {
        FileState::Read(hash) => Some(((Root::Inventory, row.path), hash)),
        FileState::Failed { .. } => None,
    };
    Ok(catalog.files(Root::Inventory)?.into_iter().filter_map(content).collect())
}

/// The configured folder of a root.
pub(super) fn folder_of(config: &Config, root: Root) -> &Path {
    match root {
        Root::Query => &config.folders.query,
        Root::Inventory => &config.folders.inventory,
        Root::Training => &config.folders.training,
    }
}

/// The inventory's codes under `model`: from the catalog, or made from the features.
pub(super) fn load_index(
    catalog: &Catalog,
    config: &Config,
    model: &Model,
    contents: &HashMap<(Root, PathBuf), Hash>,
) -> Result<Index, Trouble> {
    let codes = catalog.codes(model.id())?;
    let mut pictures = Vec::new();
    for ((_, path), &hash) in contents.iter().filter(|((root, _), _)| *root == Root::Inventory) {
        let code = match codes.get(&hash) {
            Some(code) => Some(code.clone()),
            None => code_of(catalog, model, hash)?,
        };
        if let Some(code) = code {
            pictures.push((path.clone(), code));
        }
    }
    Ok(Index::filled(model.embedding_width(), config.similarity.metric, pictures))
}

/// The code of a content whose features are in the catalog.
pub(super) fn code_of(catalog: &Catalog, model: &Model, hash: Hash) -> Result<Option<Vec<f32>>, Trouble> {
    let features = catalog.features(hash, model.features().version)?;
    let rows = features.and_then(|features| Rows::from_values(model.features().width, features));
    Ok(rows.map(|rows| model.encode(&rows).into_values()))
}
