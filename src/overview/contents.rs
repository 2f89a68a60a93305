//! The distinct contents of the inventory, each with its files; and what near-duplicates are found by, read as it is needed.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::collection::{catalog, nothing_read};
use super::thumbnails::on_white;
use crate::base::parallel::map;
use crate::base::rows::{Rows, to_unit_length};
use crate::catalog::{Catalog, FileState, Root};
use crate::config::Config;
use crate::dedup::{DETAIL_PX, GreyPicture, PictureSource};
use crate::error::{Fatal, Trouble};
use crate::files::FileAt;
use crate::isolation;
use crate::model::FeatureKind;
use crate::network::features_in_force;
use crate::picture::{self, Bounds, Hash, MINIATURE_SIDE, Miniature, Resolution};

/// What is taken for the miniature of a picture that is gone.
const GREY: u8 = 128;

/// The contents in the order of their first paths; position `i` of each list belongs to the same content. Files of one content are
/// never compared.
#[derive(Default)]
pub struct InventoryContents {
    /// Where each lies, relative to the inventory folder, in order.
    pub paths: Vec<Vec<PathBuf>>,
    /// Files that have not been read so far.
    pub waiting: usize,
    /// Of each.
    pub hashes: Vec<Hash>,
}

/// What is known of them: the features of the pretrained network, where it serves, and miniatures.
pub struct CataloguedPictures {
    catalog: Catalog,
    hashes: Vec<Hash>,
    features: FeatureKind,
    /// Where each lies, below the folder.
    paths: Vec<Vec<PathBuf>>,
    folder: PathBuf,
    bounds: Bounds,
}

impl InventoryContents {
    /// Reads them from the catalog in the configured state folder; also while a daemon uses it. Fails when there are none.
    pub fn read(config: &Config) -> Result<(Self, CataloguedPictures), Fatal> {
        let catalog = catalog(config)?;
        let features = features_in_force(config);
        let mut readable = catalog.contents_with_miniatures()?;
        if features.tells_likeness() {
            let with_features = catalog.contents_with_features(&features.version)?;
            readable.retain(|hash| with_features.contains(hash));
        }
        let contents = Self::of(
            catalog.files(Root::Inventory)?.into_iter().filter_map(|file| match file.state {
                FileState::Read(hash) => Some((file.path, hash)),
                FileState::Unread | FileState::Failed { .. } => None,
            }),
            &readable,
        );
        if contents.paths.is_empty() {
            return Err(nothing_read(&config.folders.inventory));
        }
        let pictures = CataloguedPictures {
            catalog,
            hashes: contents.hashes.clone(),
            features,
            paths: contents.paths.clone(),
            folder: config.folders.inventory.to_path_buf(),
            bounds: Bounds::from(&config.limits),
        };
        Ok((contents, pictures))
    }

    fn of(files: impl Iterator<Item = (PathBuf, Hash)>, readable: &HashSet<Hash>) -> Self {
        let mut contents = Self::default();
        let mut known: HashMap<Hash, usize> = HashMap::new();
        for (path, hash) in files {
            if let Some(&at) = known.get(&hash) {
                contents.paths[at].push(path);
            } else if readable.contains(&hash) {
                known.insert(hash, contents.paths.len());
                contents.paths.push(vec![path]);
                contents.hashes.push(hash);
            } else {
                contents.waiting += 1;
            }
        }
        contents
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.paths.iter().map(Vec::len).sum()
    }
}

impl PictureSource for CataloguedPictures {
    fn count(&self) -> usize {
        self.hashes.len()
    }

    fn have_features(&self) -> bool {
        self.features.tells_likeness()
    }

    fn features(&self, positions: &[u32]) -> Result<Rows, Trouble> {
        let width = self.features.whole_width();
        let mut rows = Rows::empty(width);
        for at in positions {
            let row = self.catalog.features(self.hashes[*at as usize], &self.features.version)?;
            let row = row.as_deref().and_then(|row| self.features.whole_of(row));
            let mut row = row.map_or_else(|| vec![0.0; width], <[f32]>::to_vec);
            to_unit_length(&mut row);
            rows.push(&row);
        }
        Ok(rows)
    }

    fn miniatures(&self, positions: &[u32]) -> Result<Vec<Miniature>, Trouble> {
        let grey = || Miniature([GREY; MINIATURE_SIDE * MINIATURE_SIDE]);
        let read = |at: &u32| Ok(self.catalog.miniature(self.hashes[*at as usize])?.unwrap_or_else(grey));
        positions.iter().map(read).collect()
    }

    fn greys(&self, positions: &[u32]) -> Vec<Option<GreyPicture>> {
        let Self { hashes, paths, folder, bounds, .. } = self;
        map(positions.len(), |number| {
            let at = positions[number] as usize;
            paths[at].iter().find_map(|path| grey(&FileAt::below(folder, path), hashes[at], bounds))
        })
    }
}

/// The picture in a file, as long as it is the content that was catalogued.
fn grey(place: &FileAt<'_>, content: Hash, bounds: &Bounds) -> Option<GreyPicture> {
    let contents = picture::read_still(place, bounds).ok().filter(|contents| contents.hash == content)?;
    let decoded =
        isolation::decode(&contents.bytes, &place.absolute(), bounds, Resolution::for_copy(DETAIL_PX)).ok()?;
    let small = on_white(&picture::shrink(&decoded, DETAIL_PX)?);
    // By the weights of BT.601, in 1024ths.
    let shade = |pixel: &image::Rgb<u8>| {
        let [red, green, blue] = pixel.0.map(u32::from);
        ((306 * red + 601 * green + 117 * blue + 512) >> 10) as u8
    };
    GreyPicture::new(small.width() as usize, small.height() as usize, small.pixels().map(shade).collect())
}
