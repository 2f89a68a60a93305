//! The picture store that `artificio demo` starts with: which pictures it holds, where, and the bytes of their files.
//!
//! Nothing is written here; that is for whoever owns the folders.

use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::thumbnail;
use image::{ExtendedColorType, ImageEncoder, ImageResult};

use crate::{Food, draw};

/// Pictures of each kind in the inventory and in the training folder.
const INVENTORY_PICTURES: u64 = 9;
const TRAINING_PICTURES: u64 = 6;

/// First seeds; far enough apart that no picture is drawn twice.
const INVENTORY_SEED: u64 = 0;
const TRAINING_SEED: u64 = 1_000;
const QUERY_SEED: u64 = 2_000;

/// The folder, in `query/`, that is a query of several pictures.
pub const SET_NAME: &str = "doughnut_box";
const SET_PICTURES: u64 = 4;

/// 0..100.
const JPEG_QUALITY: u8 = 88;

/// A picture of the store, yet to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePicture {
    /// What it shows.
    pub food: Food,
    /// What it is drawn from.
    pub seed: u64,
    /// Where its file belongs: below the store's root, and if it is part of a set, below the set's folder.
    pub path: PathBuf,
}

impl StorePicture {
    /// Draws the picture and returns the bytes of its file, in the format that the path ends with.
    ///
    /// # Errors
    ///
    /// Never in practice: the encoders refuse no picture that [`draw`] returns.
    pub fn encode(&self) -> ImageResult<Vec<u8>> {
        let drawn = draw(self.food, self.seed);
        let png = self.path.extension().is_some_and(|ending| ending == "png");
        // PNG keeps the noise, bit for bit; a smaller picture keeps the file about as small as the JPEGs.
        let picture = if png { thumbnail(&drawn, drawn.width() * 2 / 3, drawn.height() * 2 / 3) } else { drawn };
        let mut bytes = Vec::new();
        let (pixels, width, height) = (picture.as_raw(), picture.width(), picture.height());
        if png {
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive).write_image(
                pixels,
                width,
                height,
                ExtendedColorType::Rgb8,
            )?;
        } else {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
                pixels,
                width,
                height,
                ExtendedColorType::Rgb8,
            )?;
        }
        Ok(bytes)
    }
}

/// The inventory: `db/img_inventory_raw/<kind>/<kind>_<number>.jpg` or `.png`.
pub fn inventory() -> Vec<StorePicture> {
    of_every_kind(INVENTORY_PICTURES, |food, number| {
        // Every third picture is a PNG, at another place of the row for every kind.
        let ending = if (number + food as u64) % 3 == 1 { "png" } else { "jpg" };
        let name = format!("{}_{:02}.{ending}", food.label(), number + 1);
        let path = Path::new("db/img_inventory_raw").join(food.label()).join(name);
        StorePicture { food, seed: INVENTORY_SEED + number, path }
    })
}

/// The training pictures: `db/img_train_raw/<kind>_<number>.jpg`.
pub fn training() -> Vec<StorePicture> {
    of_every_kind(TRAINING_PICTURES, |food, number| {
        let name = format!("{}_{:02}.jpg", food.label(), INVENTORY_PICTURES + number + 1);
        StorePicture { food, seed: TRAINING_SEED + number, path: Path::new("db/img_train_raw").join(name) }
    })
}

/// The queries that are one picture each: `query/<kind>.jpg`.
pub fn single_queries() -> [StorePicture; 2] {
    [
        StorePicture { food: Food::Burger, seed: QUERY_SEED, path: "query/burger.jpg".into() },
        StorePicture { food: Food::Sushi, seed: QUERY_SEED + 7, path: "query/sushi.jpg".into() },
    ]
}

/// The pictures of the query that is a set; their paths are below `query/` [`SET_NAME`].
pub fn set_query() -> Vec<StorePicture> {
    let name = |number: u64| format!("doughnut_{number}.jpg").into();
    (1..=SET_PICTURES)
        .map(|number| StorePicture { food: Food::Doughnut, seed: QUERY_SEED + number, path: name(number) })
        .collect()
}

fn of_every_kind(count: u64, picture: impl Fn(Food, u64) -> StorePicture) -> Vec<StorePicture> {
    Food::ALL
        .into_iter()
        .flat_map(|food| (0..count).map(move |number| (food, number)))
        .map(|(food, number)| picture(food, number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_opens_at_a_sensible_size() {
        let pictures = inventory();
        assert!(pictures.len() >= 8 * Food::ALL.len());
        for picture in pictures {
            let opened = image::load_from_memory(&picture.encode().unwrap()).unwrap();
            assert!(opened.width() >= 200 && opened.height() >= 180, "{}", picture.path.display());
        }
    }
}
