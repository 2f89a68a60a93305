//! A root whose catalog is full: pictures that are links to one file, and rows as if each had been read already.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use artificio::base::rows::Rows;
use artificio::catalog::{Catalog, Decision, FileRow, FileState, ModelRow, Root, TrainingSource};
use artificio::config::{Config, Encoder};
use artificio::files::Stamp;
use artificio::model::{Autoencoder, Backbone, LinearAutoencoder, Model};
use artificio::picture::{Hash, MINIATURE_SIDE, Miniature};

/// Files in a folder; a file system allows only so many links to one file.
const FILES_A_FOLDER: usize = 1_000;

/// Links and the rows they would have left behind: features, miniatures, embeddings of one trained model.
pub fn fill(root: &Path, count: usize) -> Result<(), Box<dyn Error>> {
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
