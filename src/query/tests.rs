//! Query sets of any size: what is read, what is kept, and what the record says of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use image::{Rgb, RgbImage};

use super::encoded::{EncodedPicture, KeptPicture};
use super::sample::MOST_USED;
use super::*;
use crate::catalog::Catalog;
use crate::config::Encoder;
use crate::index::Index;
use crate::model::{Extractor, Model};
use crate::picture::{MINIATURE_SIDE, Miniature};
use crate::quarantine::Guard;
use crate::serving::{Serving, Shared};

/// A root with an inventory of one picture.
struct Root {
    folder: tempfile::TempDir,
    config: Arc<Config>,
}

impl Root {
    fn new() -> (Self, WorkerContext) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.model.encoder = Encoder::Convolutional;
        config.folders = config.folders.below(folder.path());
        for made in [&config.folders.query, &config.folders.state] {
            std::fs::create_dir_all(made).unwrap();
        }
        let extractor = Arc::new(Extractor::load(config.model.encoder).unwrap());
        let model = Model::untrained(&config.model, extractor.kind());
        let mut index = Index::empty(model.embedding_width());
        index.put(Path::new("one.png"), &vec![0.5; model.embedding_width()]);
        let context = WorkerContext {
            catalog: Catalog::open(&config.folders.state).unwrap().catalog,
            serving: Shared::new(Serving::new(extractor, model, index)),
            guard: Guard::none(),
            nodes: None,
            set_pictures: Arc::default(),
        };
        (Self { folder, config: Arc::new(config) }, context)
    }

    /// Writes a picture of its own for every number.
    fn put(&self, path: &str, number: usize) {
        let path = self.folder.path().join("query").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let colour = Rgb([number as u8, (number >> 8) as u8, 90]);
        RgbImage::from_pixel(3, 2, colour).save(path).unwrap();
    }

    fn set(&self, files: &[String]) -> Query {
        let files = files.iter().map(|file| Path::new(file).to_path_buf()).collect();
        Query {
            path: "set".into(),
            files: QueryFiles::of_set(Path::new("set"), files),
            is_set: true,
            name: "set".into(),
            answered: None,
            is_recheck: false,
            can_wait: false,
            inventory_pending: 0,
            inventory_missing: 0,
            inventory_away: Vec::new(),
            scope: Default::default(),
            crop: None,
            config: Arc::clone(&self.config),
        }
    }
}

#[test]
fn of_a_very_large_set_a_sample_is_used_and_the_record_says_so() {
    let (root, context) = Root::new();
    let files: Vec<String> = (0..MOST_USED + 3).map(|number| format!("set/{number:04}.png")).collect();
    files.iter().enumerate().for_each(|(number, file)| root.put(file, number));
    root.put("set/not/other.png", 0);
    let query = root.set(&[files.as_slice(), &["set/not/other.png".into()]].concat());
    let (input, view) = Input::read_with_view(&query, &context);
    let record = query.compose(&input, (&view, &context), Instant::now()).record;
    assert_eq!((record.query.files.len(), record.query.not.len(), record.query.unused), (MOST_USED, 1, 3));
    assert_eq!(record.status, Status::Partial);
    assert_eq!(record.message, "Of so many a random sample was used: 1,000 of the 1,003 pictures.");
    let content = input.content();
    let tiles = input.members.used.iter().filter(|member| member.kept.as_ref().unwrap().tile.is_some());
    assert_eq!(tiles.count(), crate::answer::sheet::MAX_QUERIES, "no more pixels are kept than are drawn");

    // All of its files are known from then on, so that none is reported as new after a restart.
    let read = input.into_files();
    assert_eq!(read.len(), files.len() + 1);
    assert!(read.iter().all(|file| file.stamp.is_some() && file.result.is_ok()));
    assert_eq!(read.iter().filter(|file| file.content().is_none()).count(), 3);

    let larger = root.set(&[files.as_slice(), &["set/zzz.png".into()]].concat());
    root.put("set/zzz.png", 9);
    assert_ne!(Input::read_with_view(&larger, &context).0.content(), content, "the answer says how many there are");
}

#[test]
fn a_set_that_grows_is_not_decoded_again() {
    let (root, context) = Root::new();
    let kept = |content: Hash| KeptPicture {
        encoded: Arc::new(EncodedPicture {
            content,
            features: vec![0.0; context.serving.extractor().kind().width],
            kind: context.serving.extractor().kind(),
            miniature: Miniature::from_bytes(&[0; MINIATURE_SIDE * MINIATURE_SIDE]).unwrap(),
        }),
        tile: None,
    };
    root.put("set/yes/0.png", 0);
    let undecodable = root.folder.path().join("query/set/yes/1.png");
    std::fs::write(&undecodable, b"no picture").unwrap();
    root.put("set/asks.png", 3);
    let query = root.set(&["set/asks.png".into(), "set/yes/0.png".into(), "set/yes/1.png".into()]);
    let usable = |query: &Query| Input::read_with_view(query, &context).0.positives.encoded().len();
    assert_eq!(usable(&query), 1);
    let (seen, mut reader) = (context.set_pictures.clone(), member::MemberReader::new(&query, &context));
    seen.put(kept(Hash::of(b"no picture")));
    assert!(reader.read(Path::new("set/yes/1.png"), None).kept.is_some(), "what is known of a content is not decoded");
    assert!(reader.read(Path::new("set/yes/1.png"), Some(9)).kept.is_none(), "its tile is not known");

    // A tile that was made larger serves a larger set, whose tiles are smaller.
    let [large, small] =
        [90, 30].map(|px| reader.read(Path::new("set/yes/0.png"), Some(px)).kept.unwrap().tile.unwrap());
    assert!(Arc::ptr_eq(&large.pixels, &small.pixels));
}
