//! Measures the catalog, and the time from the start of the service to READY with a full one: `cargo bench --bench start -- 36 100000`.
//! The pictures are links to one file, and in the catalog each has been read already: nothing is decoded.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use artificio::base::rows::Rows;
use artificio::catalog::{Catalog, Decision, FILE_NAME, FileRow, FileState, ModelRow, Root, TrainingSource};
use artificio::config::Setup;
use artificio::config::{Config, Encoder, Source};
use artificio::daemon::{Daemon, Observer};
use artificio::files::Stamp;
use artificio::model::{Autoencoder, Backbone, LinearAutoencoder, Model};
use artificio::picture::{Hash, MINIATURE_SIDE, Miniature};
use artificio::service_status::{ServiceStatus, State};

/// Pictures in a transaction: as many as the service stores at a time while two workers import.
const PICTURES_AT_ONCE: usize = 32;
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
    let (mut payload, mut spent_s) = (0, 0.0);
    for paths in files.chunks(PICTURES_AT_ONCE) {
        let mut pictures = Vec::new();
        for path in paths {
            let features = numbers.values(Backbone::WIDTH);
            let rows = Rows::from_values(Backbone::WIDTH, features.clone()).ok_or("no rows")?;
            let stamp = Stamp::of(&fs::metadata(folders.inventory.join(path))?);
            let hash = Hash::of(path.as_os_str().as_encoded_bytes());
            let embedding = model.encode(&rows).into_values();
            payload += path.as_os_str().len() + size_of::<Stamp>() + size_of::<Hash>();
            payload += 2 * features.len() + miniature.bytes().len() + size_of_val(&embedding[..]);
            pictures.push((
                FileRow { path: path.clone(), stamp, state: FileState::Read(hash) },
                hash,
                features,
                embedding,
            ));
        }
        let before = cpu_s();
        catalog.together_unflushed(|catalog| {
            for (file, hash, features, embedding) in &pictures {
                catalog.put_file(Root::Inventory, file)?;
                catalog.put_features(*hash, Backbone::VERSION, features)?;
                catalog.put_miniature(*hash, &miniature)?;
                catalog.put_embedding(*hash, &row.id, embedding)?;
            }
            Ok(())
        })?;
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
