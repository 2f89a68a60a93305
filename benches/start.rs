//! Measures the catalog, and the time from the start of the service to READY with a full one: `cargo bench --bench start -- 36 100000`.
//! The pictures are links to one file a folder, and in the catalog each has been read already: nothing is decoded.
//! `cargo bench --bench start -- fill ROOT 100000` only makes such a root, for `benches/growth.py`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use artificio::base::rows::Rows;
use artificio::catalog::{Catalog, Decision, FILE_NAME, FileRow, FileState, ModelRow, Root, TrainingSource};
use artificio::clock::WallTime;
use artificio::config::Setup;
use artificio::config::{Config, Encoder, Source};
use artificio::daemon::{Daemon, Observer};
use artificio::files::Stamp;
use artificio::model::{Autoencoder, Backbone, FeatureKind, LinearAutoencoder, Model};
use artificio::picture::{Hash, MINIATURE_SIDE, Miniature, PictureMetadata};
use artificio::service_status::{ServiceStatus, State};
use artificio_random::Random;

/// Files in a folder; a file system allows only so many links to one file.
const FILES_A_FOLDER: usize = 1_000;
/// Files whose rows are made at a time.
const FILES_A_BATCH: usize = 4_096;
/// Pictures in a transaction: as many as the service stores at a time while two workers import.
const PICTURES_AT_ONCE: usize = 32;
/// Rows the made-up model is fitted to.
const FIT_ON: usize = 2_000;

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [fill_only, root, count, ..] = arguments.as_slice()
        && fill_only == "fill"
    {
        return fill(Path::new(root), count.parse()?);
    }
    let counts: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
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
    let mut features = MadeUpFeatures::new();
    let sample = features.rows(FIT_ON).ok_or("no rows")?;
    let autoencoder = LinearAutoencoder::fit(&sample, 192).ok_or("nothing to fit")?;
    let row = model_row(&autoencoder, &sample);
    let model = Model::trained(
        row.id.clone(),
        FeatureKind::of(Encoder::Pretrained),
        sample.len(),
        Autoencoder::Linear(Box::new(autoencoder)),
    );
    let mut catalog = Catalog::open(&folders.state)?.catalog;
    let files = links(&folders.inventory, count)?;
    let miniature = Miniature::from_bytes(&[128; MINIATURE_SIDE * MINIATURE_SIDE]).ok_or("no miniature")?;
    let metadata = PictureMetadata {
        taken: WallTime::parse("2024-06-01T08:30:00"),
        camera: Some("Made-up 5".into()),
        lens: None,
        size: Some([4_000, 3_000]),
    };
    let (mut payload, mut spent_s) = (0, 0.0);
    for paths in files.chunks(FILES_A_BATCH) {
        let features = features.rows(paths.len()).ok_or("no rows")?;
        let embeddings = model.encode(&features);
        let stamps = paths.iter().map(|path| fs::metadata(folders.inventory.join(path)).map(|found| Stamp::of(&found)));
        let stamps = stamps.collect::<Result<Vec<_>, _>>()?;
        let pictures: Vec<_> = paths.iter().zip(stamps).zip(features.iter()).zip(embeddings.iter()).collect();
        let before = cpu_s();
        for pictures in pictures.chunks(PICTURES_AT_ONCE) {
            catalog.together_unflushed(|catalog| {
                for (((path, stamp), features), embedding) in pictures {
                    let hash = Hash::of(path.as_os_str().as_encoded_bytes());
                    let file = FileRow { path: path.to_path_buf(), stamp: *stamp, state: FileState::Read(hash) };
                    catalog.put_file(Root::Inventory, &file)?;
                    catalog.put_features(hash, Backbone::VERSION, features)?;
                    catalog.put_miniature(hash, &miniature)?;
                    catalog.put_embedding(hash, &row.id, embedding)?;
                    catalog.put_metadata(hash, &metadata)?;
                    payload += path.as_os_str().len() + size_of::<Stamp>() + size_of::<Hash>();
                    payload += features.len() + miniature.bytes().len() + size_of_val(*embedding);
                }
                Ok(())
            })?;
        }
        spent_s += cpu_s() - before;
    }
    catalog.checkpoint()?;
    let bytes = fs::metadata(folders.state.join(FILE_NAME))?.len() as f64;
    println!(
        "catalog of {count}: {:.0} bytes a picture, {:.3} times the payload; {:.0} pictures/CPU-s stored",
        bytes / count as f64,
        bytes / payload as f64,
        count as f64 / spent_s
    );
    measure_known(&mut catalog, &files, &row.id)?;
    catalog.together(|catalog| {
        catalog.put_model(&row)?;
        catalog.make_current(Some(&row.id))
    })?;
    Ok(())
}

/// What the catalog's part costs when files arrive whose contents are known: what workers ask, and what the loop reads and writes.
fn measure_known(catalog: &mut Catalog, files: &[PathBuf], model: &str) -> Result<(), Box<dyn Error>> {
    let (before, started) = (cpu_s(), Instant::now());
    for paths in files.chunks(PICTURES_AT_ONCE) {
        catalog.together_unflushed(|catalog| {
            for path in paths {
                let hash = Hash::of(path.as_os_str().as_encoded_bytes());
                let is_known = catalog.has_features(hash, Backbone::VERSION)? && catalog.miniature(hash)?.is_some();
                assert!(is_known && catalog.embedding(hash, model)?.is_some());
                let file = FileRow { path: path.clone(), stamp: Stamp::NEVER, state: FileState::Read(hash) };
                catalog.put_file(Root::Training, &file)?;
            }
            Ok(())
        })?;
    }
    let (cpu, wall) = (files.len() as f64 / (cpu_s() - before), files.len() as f64 / started.elapsed().as_secs_f64());
    println!("catalog of {}: {cpu:.0} known files/CPU-s stored, {wall:.0}/s with the disk", files.len());
    for paths in files.chunks(1_000) {
        catalog.together(|catalog| paths.iter().try_for_each(|path| catalog.remove_file(Root::Training, path)))?;
    }
    Ok(())
}

/// Processor time of this process so far.
fn cpu_s() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    // Fields 14 and 15, user and system time; the clock has ticked 100 times a second on every Linux since 2.6.
    (ticks(12) + ticks(13)) / 100.0
}

/// `count` files below `folder`, each a link to the first of its folder; paths relative to it.
fn links(folder: &Path, count: usize) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let picture = artificio_demo::inventory().into_iter().next().ok_or("the demo has no pictures")?.encode()?;
    let mut paths = Vec::new();
    for number in 0..count {
        let inner = PathBuf::from(format!("{:03}", number / FILES_A_FOLDER));
        let first = folder.join(&inner).join("0.jpg");
        let path = inner.join(format!("{}.jpg", number % FILES_A_FOLDER));
        if number % FILES_A_FOLDER == 0 {
            fs::create_dir_all(folder.join(&inner))?;
            fs::write(&first, &picture)?;
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

/// Features with something to learn, as real ones have: groups of pictures that differ in few directions, and some noise.
struct MadeUpFeatures {
    random: Random,
    groups: Vec<Vec<f32>>,
    directions: Vec<Vec<f32>>,
}

impl MadeUpFeatures {
    fn new() -> Self {
        let mut random = Random::new(1);
        let mut vectors = |count: usize, low: f32, high: f32| -> Vec<Vec<f32>> {
            let mut values = || (0..Backbone::WIDTH).map(|_| random.between(low, high)).collect();
            std::iter::repeat_with(&mut values).take(count).collect()
        };
        let (groups, directions) = (vectors(200, 0.0, 1.0), vectors(30, -0.5, 0.5));
        Self { random, groups, directions }
    }

    fn rows(&mut self, count: usize) -> Option<Rows> {
        let mut rows = Rows::empty(Backbone::WIDTH);
        for _ in 0..count {
            let mut row = self.groups.get(self.random.count(0, self.groups.len() - 1))?.clone();
            for (rank, direction) in self.directions.iter().enumerate() {
                let weight = self.random.normal() / (1.0 + rank as f32).sqrt();
                row.iter_mut().zip(direction).for_each(|(value, step)| *value += weight * step);
            }
            row.iter_mut().for_each(|value| *value = (*value + self.random.around(0.0, 0.05)).max(0.0));
            rows.push(&row);
        }
        Some(rows)
    }
}
