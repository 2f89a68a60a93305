//! Measures the time from the start of the service to READY with a full catalog: `cargo bench --bench start -- 36 100000`.
//! The pictures are links to one file, and in the catalog each has been read already: nothing is decoded.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use artificio::base::rows::Rows;
use artificio::catalog::{Catalog, Decision, FileRow, FileState, ModelRow, Root, TrainingSource};
use artificio::config::Setup;
use artificio::config::{Config, Encoder, Source};
use artificio::daemon::{Daemon, Observer};
use artificio::files::Stamp;
use artificio::model::{Autoencoder, Backbone, LinearAutoencoder, Model};
use artificio::picture::{Hash, MINIATURE_SIDE, Miniature};
use artificio::service_status::{ServiceStatus, State};

/// Files in a folder; a file system allows only so many links to one file.
const FILES_A_FOLDER: usize = 1_000;

/// Ends the service as soon as it is ready.
struct UntilReady {
    started: Instant,
    ready_s: Option<(f64, usize)>,
}

impl Observer for UntilReady {
    fn goes_on(&mut self, status: &ServiceStatus) -> bool {
        if status.state == State::Starting {
            return true;
        }
        self.ready_s.get_or_insert((self.started.elapsed().as_secs_f64(), status.inventory.indexed));
        false
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    for count in if counts.is_empty() { vec![36, 100_000] } else { counts } {
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("start-{}-{count}", std::process::id()));
        let result = measure(&place, count);
        fs::remove_dir_all(&place)?;
        result?;
    }
    Ok(())
}

fn measure(root: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    fill(root, count)?;
    for run in 1..=3 {
        let source = Source { path: root.join("config/artificio.toml"), required: false };
        let mut observer = UntilReady { started: Instant::now(), ready_s: None };
        Daemon::run(Setup { root: root.to_path_buf(), source }, &mut observer)?;
        let (seconds, indexed) = observer.ready_s.ok_or("it never became ready")?;
        assert_eq!(indexed, count, "all pictures are searchable when it is ready");
        println!("start {run} with {count} catalogued pictures: READY after {seconds:.2} s");
    }
    Ok(())
}

/// Links and the rows they would have left behind: features, miniatures, embeddings of one trained model.
fn fill(root: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let folders = Config::default().folders.below(root);
    fs::create_dir_all(&folders.state)?;
    let mut numbers = Numbers(1);
    let sample = Rows::from_values(Backbone::WIDTH, numbers.values(300 * Backbone::WIDTH)).ok_or("no rows")?;
    let autoencoder = LinearAutoencoder::fit(&sample, 192).ok_or("nothing to fit")?;
    let row = model_row(&autoencoder, &sample);
    let model = Model::trained(row.id.clone(), sample.len(), Autoencoder::Linear(Box::new(autoencoder)));
    let mut catalog = Catalog::open(&folders.state)?.catalog;
    let files = links(&folders.inventory, count)?;
    let miniature = Miniature::from_bytes(&[128; MINIATURE_SIDE * MINIATURE_SIDE]).ok_or("no miniature")?;
    catalog.together(|catalog| {
        for path in files {
            let hash = Hash::of(path.as_os_str().as_encoded_bytes());
            let features = numbers.values(Backbone::WIDTH);
            if let (Some(features), Ok(metadata)) =
                (Rows::from_values(Backbone::WIDTH, features.clone()), fs::metadata(folders.inventory.join(&path)))
            {
                catalog.put_embedding(hash, &row.id, &model.encode(&features).into_values())?;
                let row = FileRow { path, stamp: Stamp::of(&metadata), state: FileState::Read(hash) };
                catalog.put_file(Root::Inventory, &row)?;
            }
            catalog.put_features(hash, Backbone::VERSION, &features)?;
            catalog.put_miniature(hash, &miniature)?;
            catalog.put_trained_picture(&row.id, hash)?;
        }
        catalog.put_model(&row)?;
        catalog.make_current(Some(&row.id))
    })?;
    Ok(())
}

/// `count` files below `folder`, all of one content; paths relative to it.
fn links(folder: &Path, count: usize) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for number in 0..count {
        let inner = PathBuf::from(format!("{:03}", number / FILES_A_FOLDER));
        let first = folder.join(&inner).join("0.png");
        let path = inner.join(format!("{}.png", number % FILES_A_FOLDER));
        if number % FILES_A_FOLDER == 0 {
            fs::create_dir_all(folder.join(&inner))?;
            fs::write(&first, b"never looked into")?;
        } else {
            fs::hard_link(&first, folder.join(&path))?;
        }
        paths.push(path);
    }
    Ok(paths)
}

fn model_row(autoencoder: &LinearAutoencoder, sample: &Rows) -> ModelRow {
    ModelRow {
        id: "m1-made-up".into(),
        created_s: 1,
        encoder: Encoder::Pretrained.into(),
        features_version: Backbone::VERSION.into(),
        trained_on: sample.len(),
        source: TrainingSource::Inventory.into(),
        inventory_count: 0,
        reconstruction_error: autoencoder.reconstruction_error(sample),
        weights: autoencoder.to_safetensors(),
        decision: Decision::Passed,
        reason: "it was made up".into(),
        figures: "null".into(),
    }
}

/// Made-up numbers from 0 to 1, the same every time.
struct Numbers(u64);

impl Numbers {
    fn values(&mut self, count: usize) -> Vec<f32> {
        let next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1_u64 << 24) as f32
        };
        std::iter::repeat_with(next).take(count).collect()
    }
}
