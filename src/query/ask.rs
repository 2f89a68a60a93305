//! Answers a query from the command line: reads the catalog, with or without a running daemon, and writes nothing into its
//! folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::render::{self, Undrawn};
use super::{Composition, Input, Query, QueryFiles, milliseconds};
use crate::answer::Record;
use crate::catalog::{Catalog, FILE_NAME};
use crate::config::{self, Bounded, Config, Crop, SearchScope, Setup};
use crate::service_status;
use crate::serving::load::{inventory_of, load_index, load_model_read_only, picture_of};
use crate::serving::{Serving, Shared};

use crate::error::{Fatal, Trouble};
use crate::files::Lock;
use crate::network::extractor_in_force;
use crate::nodes::Nodes;
use crate::picture::silence_caught_panics;
use crate::quarantine::Guard;
use crate::watch::is_ignored;

/// The pictures of the query, and the form of its answer.
pub struct Ask {
    /// Pictures, or folders that are query sets; more than one are one query set.
    pub pictures: Vec<PathBuf>,
    /// Most matches, whatever the settings say.
    pub results: Option<Bounded<1, 50>>,
    /// Which pictures may be found, whatever the set's own settings say.
    pub scope: SearchScope,
    /// The part of its pictures that is searched for, whatever the set's own settings say.
    pub crop: Option<Crop>,
    /// The settings.
    pub config: Config,
    /// Whether to draw the sheet.
    pub with_sheet: bool,
}

/// The answer.
pub struct DirectAnswer {
    /// As the daemon would write it.
    pub record: Record,
    /// The sheet's bytes, if it was requested.
    pub sheet: Option<Vec<u8>>,
}

impl Ask {
    /// With the settings of `setup`.
    pub fn new(setup: &Setup, pictures: Vec<PathBuf>) -> Result<Self, Fatal> {
        let config = config::load(&setup.source, &setup.root)?;
        Ok(Self { pictures, results: None, scope: SearchScope::default(), crop: None, config, with_sheet: false })
    }

    /// Answers it.
    pub fn reply(self) -> Result<DirectAnswer, Fatal> {
        let started = Instant::now();
        silence_caught_panics();
        let context = open_context(&self.config)?;
        let mut config = self.config;
        config.answer.results = self.results.unwrap_or(config.answer.results);
        let query = query(&self.pictures, (self.scope, self.crop), config)?;
        let (mut input, view) = Input::read_with_view(&query, &context);
        if self.results.is_some() {
            input.leave_results_to_caller();
        }
        let Composition { mut record, matches, .. } = query.compose(&input, (&view, &context), started);
        let mut sheet = None;
        if self.with_sheet {
            let sheet_started = Instant::now();
            let drawn = render::sheet(&query, &mut input, &record, &matches, &context);
            sheet = Some(drawn.map_err(unable_to_draw)?.sheet);
            record.timings_ms.sheet = milliseconds(sheet_started.elapsed());
            record.timings_ms.total = milliseconds(started.elapsed());
        }
        Ok(DirectAnswer { record, sheet })
    }
}

fn unable_to_draw(undrawn: Undrawn) -> Fatal {
    match undrawn {
        Undrawn::Failed(trouble) => trouble.into(),
        Undrawn::AwaitsTrial => {
            Fatal::Failed("a picture on the sheet may end this program; see `artificio status`".into())
        }
    }
}

fn query(pictures: &[PathBuf], (scope, crop): (SearchScope, Option<Crop>), config: Config) -> Result<Query, Fatal> {
    let path = match pictures {
        [one] => PathBuf::from(one.file_name().unwrap_or(one.as_os_str())),
        several => PathBuf::from(format!("{} pictures", several.len())),
    };
    let inventory_away = if config.folders.inventory.is_dir() { Vec::new() } else { vec![PathBuf::new()] };
    Ok(Query {
        path,
        is_set: pictures.len() > 1 || pictures.iter().any(|picture| picture.is_dir()),
        files: files(pictures)?,
        name: String::new(),
        is_recheck: false,
        answered: None,
        can_wait: false,
        inventory_pending: pending(&config.folders.state),
        inventory_missing: 0,
        inventory_away,
        scope,
        crop,
        config: Arc::new(config),
    })
}

/// The files of all `pictures` and folders together.
fn files(pictures: &[PathBuf]) -> Result<QueryFiles, Fatal> {
    let mut all = QueryFiles::default();
    for picture in pictures {
        let files = match picture.is_dir() {
            true => QueryFiles::of_set(picture, files_below(picture)?),
            false => QueryFiles::of_picture(picture.clone()),
        };
        all.pictures.extend(files.pictures);
        all.positives.extend(files.positives);
        all.negatives.extend(files.negatives);
        if let (Some(one), Some(other)) = (&all.settings, &files.settings) {
            let (one, other) = (one.display(), other.display());
            return Err(Fatal::Usage(format!(
                "{one}, {other}: one query has one file of settings; ask for each folder"
            )));
        }
        all.settings = all.settings.or(files.settings);
    }
    Ok(all)
}

/// The files in a folder and its sub-folders that the daemon would see in a query set.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let failed = |error: std::io::Error| Trouble::system("look into the folder", folder, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if is_ignored(&entry.file_name()) {
            continue;
        }
        // Links to folders are not followed: they may lead in a circle.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files.extend(files_below(&path)?);
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

/// Pictures that a running daemon has still to read.
fn pending(state: &Path) -> usize {
    if !Lock::is_held(state) {
        return 0;
    }
    let status = service_status::read(state).unwrap_or_default();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
    status["inventory"]["pending"].as_u64().unwrap_or(0) as usize
}

/// The same context that a worker of the daemon has, from a snapshot of the catalog.
fn open_context(config: &Config) -> Result<super::WorkerContext, Fatal> {
    let state = &config.folders.state;
    let nothing = |what: &str| Fatal::Failed(format!("{}: {what}", config.folders.inventory.shown()));
    let never = "no pictures have been read yet; put some there and start `artificio run`, or name the folder that holds db/ with --root";
    if !state.join(FILE_NAME).is_file() {
        return Err(nothing(never));
    }
    let catalog = Catalog::open_reader(state)?;
    let extractor = Arc::new(extractor_in_force(config)?);
    let serving = catalog.at_one_moment(|catalog| {
        let model = load_model_read_only(catalog, &config.model, extractor.kind())?;
        let contents = inventory_of(catalog)?;
        let index = load_index(catalog, &model, contents.iter().map(picture_of))?;
        Ok(Serving::new(Arc::clone(&extractor), model, index))
    })?;
    if serving.index.is_empty() {
        // After an upgrade, or with another encoder.
        let is_known = !inventory_of(&catalog)?.is_empty();
        let again = "its pictures have to be read again by `artificio run`; `artificio status` says how far it is";
        return Err(nothing(if is_known { again } else { never }));
    }
    let nodes = Nodes::of(config)?;
    if let Some(nodes) = &nodes {
        nodes.look_up(&serving.model, &catalog)?;
    }
    Ok(super::WorkerContext {
        catalog,
        serving: Shared::new(serving),
        guard: Guard::none(),
        nodes,
        set_pictures: Arc::default(),
    })
}
