//! `artificio evaluate`: a labelled folder, measured by what the daemon would answer and by the measures to beat.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use super::baselines;
use super::labels::label;
use super::metrics::{Figures, figures, leave_one_out};
use crate::config::{Metric, ModelSettings, SetMode};
use crate::error::{Fatal, Trouble};
use crate::index::Index;
use crate::model::{Extractor, Lesson, Model, Unlearned};
use crate::picture::{self, Bounds};
use crate::progress::Unfollowed;
use crate::rows::{Rows, to_unit_length};
use crate::watch::is_ignored;

/// The figures of one method.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// "artificio", "features", "histogram" or "pixels".
    pub method: &'static str,
    /// How good it is.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// One row a method.
    pub rows: Vec<Row>,
    /// Pictures searched.
    pub inventory: usize,
    /// Pictures asked; with leave-one-out those of the inventory.
    pub queries: usize,
    /// Pictures the model was trained on.
    pub trained_on: usize,
    /// Values in a code.
    pub code_width: usize,
    /// ‖x − x′‖² / ‖x − mean‖² over the training pictures.
    pub reconstruction_error: f32,
    /// Files that could not be used.
    pub left_out: Vec<Trouble>,
}

/// What to measure.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Holds `inventory/`, and maybe `query/` and `train/`.
    pub folder: PathBuf,
    /// Let the inventory query itself.
    pub leave_one_out: bool,
    /// What kind of model, and how large.
    pub settings: ModelSettings,
    /// What one picture may cost.
    pub bounds: Bounds,
}

/// Pictures of one folder, by every measure; row `i` of each belongs to label `i`.
#[derive(Default)]
struct Views {
    labels: Vec<String>,
    features: Vec<Vec<f32>>,
    histograms: Vec<Vec<f32>>,
    pixels: Vec<Vec<f32>>,
}

/// Measures a folder. Reads it only; the model is trained in memory. `told` hears how many pictures are done, of how many.
pub fn measure(wanted: &Wanted, told: &(dyn Fn(usize, usize) + Sync)) -> Result<Report, Fatal> {
    let [inventory, queries, training] =
        ["inventory", "query", "train"].map(|name| pictures_in(&wanted.folder.join(name)));
    if inventory.is_empty() {
        return Err(Fatal::Usage(format!(
            "{}: no pictures; put them into inventory/ in there, named after what they show (burger_03.jpg)",
            wanted.folder.display()
        )));
    }
    let is_leave_one_out = wanted.leave_one_out || queries.is_empty();
    let queries = if is_leave_one_out { Vec::new() } else { queries };
    let extractor = Extractor::load(wanted.settings.encoder)?;
    let (done, all) = (AtomicUsize::new(0), inventory.len() + queries.len() + training.len());
    let step = || told(done.fetch_add(1, Ordering::Relaxed) + 1, all);
    let mut left_out = Vec::new();
    let mut view = |paths: &[PathBuf]| view(paths, &extractor, &wanted.bounds, &step, &mut left_out);
    let (inventory, queries, training) = (view(&inventory), view(&queries), view(&training));
    // As the daemon trains: the inventory is taken along.
    let lesson = match training.features.is_empty() {
        true => Lesson::of_inventory(rows(&inventory.features)),
        false => Lesson::of_training(rows(&training.features), rows(&inventory.features)),
    };
    let features = lesson.training();
    let coder = lesson.learn(&wanted.settings, &Unfollowed).map_err(|unlearned| match unlearned {
        Unlearned::Because(reason) => Fatal::Failed(format!("no model could be trained: {reason}")),
        Unlearned::Cancelled => Fatal::Failed("the training was cancelled".into()),
    })?;
    let reconstruction_error = coder.reconstruction_error(features);
    let model = Model::trained("evaluate".into(), features.len(), coder);
    let codes = |views: &Views| model.codes(&rows(&views.features));
    let (inventory_codes, query_codes) = (codes(&inventory), codes(&queries));
    let judge = |of_inventory: &Rows, of_queries: &Rows| match is_leave_one_out {
        true => leave_one_out(&cosines(of_inventory, of_inventory), &inventory.labels),
        false => figures(&cosines(of_queries, of_inventory), &inventory.labels, &queries.labels),
    };
    let answered = match is_leave_one_out {
        true => leave_one_out(&answers_without(&inventory_codes), &inventory.labels),
        false => figures(&answers(&inventory_codes, &query_codes), &inventory.labels, &queries.labels),
    };
    let plain = |pick: fn(&Views) -> &Vec<Vec<f32>>| judge(&rows(pick(&inventory)), &rows(pick(&queries)));
    Ok(Report {
        rows: vec![
            Row { method: "artificio", figures: answered },
            Row { method: "features", figures: plain(|views| &views.features) },
            Row { method: "histogram", figures: plain(|views| &views.histograms) },
            Row { method: "pixels", figures: plain(|views| &views.pixels) },
        ],
        inventory: inventory.labels.len(),
        queries: if is_leave_one_out { inventory.labels.len() } else { queries.labels.len() },
        trained_on: features.len(),
        code_width: model.code_width(),
        reconstruction_error,
        left_out,
    })
}

/// Files below `folder`, sub-folders included, in the order of their paths.
fn pictures_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten().filter(|entry| !is_ignored(&entry.file_name())) {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(pictures_in(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort_unstable();
    found
}

/// Looks at pictures on all cores.
fn view(
    paths: &[PathBuf],
    extractor: &Extractor,
    bounds: &Bounds,
    step: &(dyn Fn() + Sync),
    left_out: &mut Vec<Trouble>,
) -> Views {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = paths.len().div_ceil(cores).max(1);
    let look = |path: &PathBuf| {
        let seen = look_at(path, extractor, bounds);
        step();
        seen
    };
    let seen: Vec<_> = std::thread::scope(|scope| {
        let spawn = |paths: &'_ [PathBuf]| paths.iter().map(look).collect::<Vec<_>>();
        let threads: Vec<_> = paths.chunks(share).map(|paths| scope.spawn(move || spawn(paths))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let mut views = Views::default();
    for result in seen {
        match result {
            Err(trouble) => left_out.push(trouble),
            Ok((label, [features, histogram, pixels])) => {
                views.labels.push(label);
                views.features.push(features);
                views.histograms.push(histogram);
                views.pixels.push(pixels);
            }
        }
    }
    views
}

fn look_at(path: &Path, extractor: &Extractor, bounds: &Bounds) -> Result<(String, [Vec<f32>; 3]), Trouble> {
    let square = picture::read_still(path, bounds)
        .and_then(|contents| picture::decode(&contents.bytes, path, bounds))
        .map(|decoded| picture::square(&decoded))
        .map_err(|problem| Trouble::new(problem.to_string(), path, problem.remedy()))?
        .ok_or_else(|| Trouble::new("the picture has no pixels", path, "take it away"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let views = [baselines::histogram(&square), baselines::pixels(&square)];
    let [histogram, pixels] = views;
    Ok((label(&name), [extractor.features(&[square]).into_values(), histogram, pixels]))
}

fn rows(values: &[Vec<f32>]) -> Rows {
    let width = values.first().map_or(1, Vec::len);
    Rows::from_values(width, values.concat()).unwrap_or_default()
}

/// What the daemon's own index answers to codes `[m, d]` over an inventory `[n, d]`: similarities `[m, n]`.
fn answers(inventory: &Rows, queries: &Rows) -> Rows {
    let index = index_of(inventory);
    let values = queries.iter().flat_map(|query| similarities(&index, query, inventory.len())).collect();
    Rows::from_values(inventory.len(), values).unwrap_or_default()
}

/// Likewise for every inventory picture over the others `[n, n]`: the index has never heard of the one that asks.
fn answers_without(inventory: &Rows) -> Rows {
    let mut index = index_of(inventory);
    let mut values = Vec::with_capacity(inventory.len() * inventory.len());
    for (at, code) in inventory.iter().enumerate() {
        index.remove([name_of(at).as_path()]);
        index.settle();
        values.extend(similarities(&index, code, inventory.len()));
        index.put(&name_of(at), code);
        index.settle();
    }
    Rows::from_values(inventory.len(), values).unwrap_or_default()
}

fn index_of(inventory: &Rows) -> Index {
    let pictures = inventory.iter().enumerate().map(|(at, code)| (name_of(at), code.to_vec()));
    Index::filled(inventory.width(), Metric::Cosine, pictures)
}

/// Names in the order of their numbers.
fn name_of(at: usize) -> PathBuf {
    PathBuf::from(format!("{at:09}"))
}

/// By the inventory's order; one that is not in the index is least similar of all.
fn similarities(index: &Index, code: &[f32], count: usize) -> Vec<f32> {
    let query = Rows::from_values(code.len(), code.to_vec()).unwrap_or_default();
    let mut similarities = vec![f32::NEG_INFINITY; count];
    for found in index.search(&query, SetMode::Mean, count) {
        let number = found.path.to_str().and_then(|name| name.parse::<usize>().ok());
        if let Some(place) = number.and_then(|at| similarities.get_mut(at)) {
            *place = found.similarity;
        }
    }
    similarities
}

/// Cosines between queries `[m, d]` and inventory `[n, d]`: `[m, n]`.
fn cosines(queries: &Rows, inventory: &Rows) -> Rows {
    let unit = |rows: &Rows| -> Vec<Vec<f32>> {
        let scaled = |row: &[f32]| {
            let mut row = row.to_vec();
            to_unit_length(&mut row);
            row
        };
        rows.iter().map(scaled).collect()
    };
    let (queries, inventory) = (unit(queries), unit(inventory));
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let values = queries.iter().flat_map(|query| inventory.iter().map(|other| product(query, other))).collect();
    Rows::from_values(inventory.len(), values).unwrap_or_default()
}
