//! Answers a query from the command line: reads the catalog, with or without a running daemon, and writes nothing into its
//! folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::render::{self, Undrawn};
use super::{Composition, Input, Query, milliseconds};
use crate::answer::Record;
use crate::catalog::{Catalog, FILE_NAME};
use crate::config::{self, Config, Setup};
use crate::service_status;
use crate::serving::load::{inventory_of, load_index, load_model_read_only};
use crate::serving::{Serving, Shared};

use crate::error::{Fatal, Trouble};
use crate::files::Lock;
use crate::model::Extractor;
use crate::picture::silence_caught_panics;
use crate::quarantine::Guard;

/// The pictures of the query, and the form of its answer.
pub struct Ask {
    /// Pictures, or folders of pictures; more than one are one query set.
    pub pictures: Vec<PathBuf>,
    /// The settings, those of the command line included.
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
        Ok(Self { pictures, config, with_sheet: false })
    }

    /// Answers it.
    pub fn reply(self) -> Result<DirectAnswer, Fatal> {
        let started = Instant::now();
        silence_caught_panics();
        let context = open_context(&self.config)?;
        let query = query(&self.pictures, self.config)?;
        let mut input = Input::read(&query, &context);
        let Composition { mut record, matches, .. } = query.compose(&input, &context, started);
        let mut sheet = None;
        if self.with_sheet {
            let sheet_started = Instant::now();
            let drawn = render::sheet(&query, &mut input, &record, &matches, &context);
            sheet = Some(drawn.map_err(unable_to_draw)?);
            record.timings_ms.sheet = milliseconds(sheet_started);
            record.timings_ms.total = milliseconds(started);
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

fn query(pictures: &[PathBuf], config: Config) -> Result<Query, Fatal> {
    let mut files = Vec::new();
    for picture in pictures {
        match picture.is_dir() {
            true => files.extend(files_of_set(picture)?),
            false => files.push(picture.clone()),
        }
    }
    let path = match pictures {
        [one] => PathBuf::from(one.file_name().unwrap_or(one.as_os_str())),
        several => PathBuf::from(format!("{} pictures", several.len())),
    };
    let inventory_offline = !config.folders.inventory.is_dir();
    Ok(Query {
        path,
        is_set: pictures.len() > 1 || pictures.iter().any(|picture| picture.is_dir()),
        files,
        negatives: Vec::new(),
        settings: None,
        name: String::new(),
        is_recheck: false,
        answered: None,
        can_wait: false,
        inventory_pending: pending(&config.folders.state),
        inventory_offline,
        config: Arc::new(config),
    })
}

/// The files of a folder that is one query set, in the order of their names; hidden ones are left out.
fn files_of_set(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let failed = |error: std::io::Error| Trouble::system("look into the folder", folder, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && !is_hidden {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// Pictures that a running daemon has still to read.
fn pending(state: &Path) -> usize {
    if !Lock::is_held(state) {
        return 0;
    }
    let status = std::fs::read(state.join(service_status::FILE_NAME)).unwrap_or_default();
    let status: serde_json::Value = serde_json::from_slice(&status).unwrap_or_default();
    status["inventory"]["pending"].as_u64().unwrap_or(0) as usize
}

/// The same context that a worker of the daemon has, from a snapshot of the catalog.
fn open_context(config: &Config) -> Result<super::WorkerContext, Fatal> {
    let state = &config.folders.state;
    let nothing = |what: &str| Fatal::Failed(format!("{}: {what}", config.folders.inventory.display()));
    let never = "no pictures have been read yet; put some there and start `artificio run`";
    if !state.join(FILE_NAME).is_file() {
        return Err(nothing(never));
    }
    let catalog = Catalog::open_reader(state)?;
    let serving = catalog.at_one_moment(|catalog| {
        let model = load_model_read_only(catalog, &config.model)?;
        let contents = inventory_of(catalog)?;
        let index = load_index(catalog, &model, contents.iter().map(|(path, hash)| (path.as_path(), *hash)))?;
        Ok(Serving::new(model, index))
    })?;
    if serving.index.is_empty() {
        // After an upgrade, or with another encoder.
        let is_known = !inventory_of(&catalog)?.is_empty();
        let again = "its pictures have to be read again by `artificio run`; `artificio status` says how far it is";
        return Err(nothing(if is_known { again } else { never }));
    }
    let extractor = Arc::new(Extractor::load(config.model.encoder)?);
    Ok(super::WorkerContext { extractor, catalog, serving: Shared::new(serving), guard: Guard::none() })
}
