//! Trainings as the service runs them, on features that are at hand.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use artificio::base::rows::Rows;
use artificio::catalog::{Catalog, ModelRow, TrainingSource};
use artificio::config::{Config, Encoder, SetMode};
use artificio::evaluate::gate::{Comparison, Evidence};
use artificio::evaluate::metrics::figures;
use artificio::index::{PlainComparison, SearchMode};
use artificio::model::{Extractor, FeatureKind, Model};
use artificio::picture::EditedView;
use artificio::quarantine::Guard;
use artificio::training::handle::TrainingHandle;
use artificio::training::job::{TrainingEnd, TrainingEvent, TrainingInput, TrainingJob};
use artificio::training::sketch::{ContentSample, ContentSketch};
use crossbeam_channel::unbounded;

use crate::pictures::Picture;

/// A catalog with what serves.
pub struct Service {
    _folder: tempfile::TempDir,
    catalog: Catalog,
    /// Its settings.
    pub config: Config,
    extractor: Arc<Extractor>,
    /// What serves.
    pub serving: Model,
}

/// How a training ended.
pub struct Trained {
    /// Whether it may serve.
    pub passes: bool,
    /// What the gate measured.
    pub evidence: Evidence,
    /// Passed or refused; `None` where nothing was fitted.
    pub model: Option<Model>,
    row: ModelRow,
}

impl Trained {
    /// The comparison that decided, or is the worst of those that did not.
    pub fn decisive(&self) -> Option<Comparison> {
        let Evidence { inventory, training, floor, .. } = &self.evidence;
        let all = [*inventory, *training, floor.inventory, floor.training];
        let gain = |comparison: &Comparison| comparison.gain.map_or(0.0, |gain| gain.mean);
        all.into_iter().flatten().min_by(|a, b| gain(a).total_cmp(&gain(b)))
    }
}

impl Service {
    /// Without a model.
    pub fn new(extractor: &Arc<Extractor>) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let catalog = Catalog::open(folder.path())?.catalog;
        let config = Config::default();
        let serving = Model::untrained(&config.model, extractor.kind());
        Ok(Self { _folder: folder, catalog, config, extractor: Arc::clone(extractor), serving })
    }

    /// Stores features.
    pub fn put(&mut self, pictures: &[Picture]) -> Result<(), Box<dyn Error>> {
        let kind = self.extractor.kind();
        let store = |catalog: &Catalog| {
            for Picture { content, features: [own, views @ ..], .. } in pictures {
                catalog.put_features(*content, &kind.version, own)?;
                for (view, row) in EditedView::ALL.into_iter().zip(views) {
                    catalog.put_features(*content, &kind.of_view(view), row)?;
                }
            }
            Ok(())
        };
        Ok(self.catalog.together_unflushed(store)?)
    }

    /// Trains; the gate examines the model where `is_examined`.
    pub fn train(
        &mut self,
        source: TrainingSource,
        [inventory, training]: [ContentSample; 2],
        is_examined: bool,
    ) -> Result<Trained, Box<dyn Error>> {
        let id = format!("m{}", self.catalog.reserve_model_number()?);
        let (sender, events) = unbounded();
        let input = TrainingInput {
            catalog: self.catalog.readers(),
            id: id.clone(),
            source,
            training,
            inventory,
            against: is_examined.then(|| self.serving.clone()),
            config: Arc::new(self.config.clone()),
            extractor: Arc::clone(&self.extractor),
            guard: Guard::none(),
            now_s: 0,
        };
        let (ends, ended) = unbounded();
        TrainingJob { run: 1, input, handle: Arc::new(TrainingHandle::default()), sender }.start(ends)?;
        let mut pictures = Vec::new();
        let ending = loop {
            match events.recv()?.event {
                TrainingEvent::TrainedOn(some) => pictures.extend(some),
                TrainingEvent::Ended { ending, .. } => break ending?,
                _ => {}
            }
        };
        ended.recv()?;
        let (row, model) = match ending {
            TrainingEnd::Ready(successor) => (successor.row.ok_or("a training has a row")?, Some(successor.model)),
            TrainingEnd::Refused(row) if row.weights.is_empty() => (*row, None),
            TrainingEnd::Refused(row) => {
                let model = Model::from_row(&row, &FeatureKind::of(Encoder::Pretrained))?;
                (*row, model)
            }
            TrainingEnd::Cancelled | TrainingEnd::SameNetwork | TrainingEnd::NoNetwork(_) => {
                return Err("nobody cancels it".into());
            }
        };
        let store = |catalog: &Catalog| pictures.iter().try_for_each(|one| catalog.put_trained_picture(&id, one));
        self.catalog.together_unflushed(store)?;
        let passes = row.decision == artificio::catalog::Decision::Passed;
        let evidence = serde_json::from_str(&row.figures)?;
        Ok(Trained { passes, evidence, model, row })
    }

    /// Lets it serve if it passed.
    pub fn exchange(&mut self, trained: &Trained) -> Result<(), Box<dyn Error>> {
        if let Some(model) = trained.model.as_ref().filter(|_| trained.passes) {
            self.catalog.put_model(&trained.row)?;
            self.serving = model.clone();
        }
        Ok(())
    }

    /// Mean average precision of a model's answers to labelled queries.
    pub fn precision(&self, model: &Model, inventory: &[Picture], queries: &[Picture]) -> f64 {
        let encoded = |pictures: &[Picture]| {
            let mut rows = Rows::empty(FeatureKind::of(Encoder::Pretrained).width);
            pictures.iter().for_each(|picture| _ = rows.push(&picture.features[0]));
            model.encode(&rows)
        };
        let mode = SearchMode { metric: self.config.similarity.metric, set_mode: SetMode::Mean };
        let asked = encoded(queries);
        let asked: Vec<Rows> = asked.iter().filter_map(|row| Rows::from_values(row.len(), row.to_vec())).collect();
        let found = PlainComparison::new(&encoded(inventory), mode).similarities(&asked);
        let labels = |pictures: &[Picture]| pictures.iter().map(|one| one.label.clone()).collect::<Vec<_>>();
        let found = Rows::from_values(inventory.len(), found.concat()).unwrap_or_default();
        figures(&found, &labels(inventory), &labels(queries)).map
    }
}

/// What a training is told of pictures, which lie in a folder each kind where `in_folders`.
pub fn sample(pictures: &[Picture], in_folders: bool) -> ContentSample {
    let mut sketch = ContentSketch::default();
    for (at, Picture { label, content, .. }) in pictures.iter().enumerate() {
        let name = format!("{at}.jpg");
        sketch.insert(*content, &if in_folders { PathBuf::from(label).join(name) } else { name.into() });
    }
    sketch.sample()
}
