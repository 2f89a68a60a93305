//! Which pictures the store holds, their names and seeds, and how they come into its folders.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Kind, draw};
use crate::error::Trouble;
use crate::files::{make_folder, move_into_place, write_whole};
use crate::progress::Progress;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::imageops::thumbnail;
use image::{ExtendedColorType, ImageEncoder};

/// Pictures of each kind in the inventory and in the training folder.
const INVENTORY_PICTURES: u64 = 9;
const TRAINING_PICTURES: u64 = 6;

/// First seeds; far enough apart that no picture is drawn twice.
const INVENTORY_SEED: u64 = 0;
const TRAINING_SEED: u64 = 1_000;
const QUERY_SEED: u64 = 2_000;

/// The folder name of the query that consists of several pictures.
const SET_NAME: &str = "doughnut_box";
const SET_PICTURES: u64 = 4;

/// 0..100.
const JPEG_QUALITY: u8 = 88;

/// A picture to be drawn, and where it belongs below the root.
struct Plan {
    kind: Kind,
    seed: u64,
    path: PathBuf,
}

/// Writes inventory and training pictures below `root`: `db/img_inventory_raw/<kind>/<name>` and
/// `db/img_train_raw/<name>`. The same program writes the same bytes every time; what is there already stays.
///
/// Every core draws its share. After a trouble no further picture is begun by that core; what is written stays.
pub fn draw_store(root: &Path, follower: &dyn Progress) -> Result<(), Trouble> {
    let plans: Vec<Plan> = inventory().into_iter().chain(training()).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = plans.len().div_ceil(cores);
    let (done, all) = (AtomicUsize::new(0), plans.len());
    let draw_one = |plan: &Plan| {
        put(&root.join(&plan.path), plan)?;
        follower.told((done.fetch_add(1, Ordering::Relaxed) + 1) as f32 / all as f32);
        Ok(())
    };
    let draw_share = |plans: &[Plan]| plans.iter().try_for_each(draw_one);
    std::thread::scope(|scope| {
        let workers: Vec<_> = plans.chunks(share).map(|plans| scope.spawn(move || draw_share(plans))).collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(Trouble::new("drawing a picture failed", root, "report this as a bug")))
        })
    })
}

/// Writes the queries into `query/` below `root` and returns them: two pictures and a folder of four.
///
/// Each is written under a hidden name and then renamed, so that a running daemon never sees half of one. One that is
/// already there is left as it is.
pub fn draw_queries(root: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let query = root.join("query");
    let mut written = Vec::new();
    for plan in single_queries() {
        let target = query.join(&plan.path);
        put(&target, &plan)?;
        written.push(target);
    }
    written.push(draw_set(&query)?);
    Ok(written)
}

fn draw_set(query: &Path) -> Result<PathBuf, Trouble> {
    let (target, hidden) = (query.join(SET_NAME), query.join(format!(".{SET_NAME}.part")));
    if target.symlink_metadata().is_ok() {
        return Ok(target);
    }
    for plan in set_query() {
        put(&hidden.join(&plan.path), &plan)?;
    }
    move_into_place(&hidden, &target)?;
    Ok(target)
}

fn inventory() -> Vec<Plan> {
    plans(INVENTORY_PICTURES, |kind, number| {
        // Every third picture is a PNG, at another place of the row for every kind.
        let ending = if (number + kind as u64) % 3 == 1 { "png" } else { "jpg" };
        let name = format!("{}_{:02}.{ending}", kind.label(), number + 1);
        let path = Path::new("db/img_inventory_raw").join(kind.label()).join(name);
        Plan { kind, seed: INVENTORY_SEED + number, path }
    })
}

fn training() -> Vec<Plan> {
    plans(TRAINING_PICTURES, |kind, number| {
        let name = format!("{}_{:02}.jpg", kind.label(), INVENTORY_PICTURES + number + 1);
        Plan { kind, seed: TRAINING_SEED + number, path: Path::new("db/img_train_raw").join(name) }
    })
}

fn plans(count: u64, plan: impl Fn(Kind, u64) -> Plan) -> Vec<Plan> {
    Kind::ALL
        .into_iter()
        .flat_map(|kind| (0..count).map(move |number| (kind, number)))
        .map(|(kind, number)| plan(kind, number))
        .collect()
}

fn single_queries() -> [Plan; 2] {
    [
        Plan { kind: Kind::Burger, seed: QUERY_SEED, path: "burger.jpg".into() },
        Plan { kind: Kind::Sushi, seed: QUERY_SEED + 7, path: "sushi.jpg".into() },
    ]
}

fn set_query() -> Vec<Plan> {
    let name = |number: u64| format!("doughnut_{number}.jpg").into();
    (1..=SET_PICTURES)
        .map(|number| Plan { kind: Kind::Doughnut, seed: QUERY_SEED + number, path: name(number) })
        .collect()
}

fn encoded(plan: &Plan) -> Result<Vec<u8>, Trouble> {
    let drawn = draw(plan.kind, plan.seed);
    let png = plan.path.extension().is_some_and(|ending| ending == "png");
    // PNG keeps the noise, bit for bit; a smaller picture keeps the file about as small as the JPEGs.
    let picture = if png { thumbnail(&drawn, drawn.width() * 2 / 3, drawn.height() * 2 / 3) } else { drawn };
    let mut bytes = Vec::new();
    let (pixels, width, height) = (picture.as_raw(), picture.width(), picture.height());
    let done = if png {
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive).write_image(
            pixels,
            width,
            height,
            ExtendedColorType::Rgb8,
        )
    } else {
        JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).write_image(
            pixels,
            width,
            height,
            ExtendedColorType::Rgb8,
        )
    };
    done.map_err(|error| {
        Trouble::new(format!("could not encode the picture: {error}"), &plan.path, "report this as a bug")
    })?;
    Ok(bytes)
}

/// Draws a picture and puts it into its place, making the folders it needs, unless something is there already.
fn put(target: &Path, plan: &Plan) -> Result<(), Trouble> {
    if target.symlink_metadata().is_ok() {
        return Ok(());
    }
    make_folder(target.parent().unwrap_or(target))?;
    write_whole(target, &encoded(plan)?, "write the picture")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Unfollowed;
    use std::collections::{BTreeMap, HashSet};
    use std::fs;

    fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                found.insert(path.clone(), fs::read(&path).unwrap());
            }
        }
        found
    }

    fn below(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        files(root).into_iter().map(|(path, bytes)| (path.strip_prefix(root).unwrap().into(), bytes)).collect()
    }

    #[test]
    fn the_store_is_complete_and_the_same_every_time() {
        let world = tempfile::tempdir().unwrap();
        let root = world.path().join("root");
        draw_store(&root, &Unfollowed).unwrap();
        let queries = draw_queries(&root).unwrap();
        let store = below(&root);

        for kind in Kind::ALL {
            let folder = Path::new("db/img_inventory_raw").join(kind.label());
            assert!(store.keys().filter(|path| path.starts_with(&folder)).count() >= 8, "{kind:?}");
            let trained = |path: &&PathBuf| {
                path.starts_with("db/img_train_raw")
                    && path.file_name().unwrap().to_string_lossy().starts_with(kind.label())
            };
            assert!(store.keys().filter(trained).count() >= 6, "{kind:?}");
        }
        assert_eq!(queries.len(), 3);
        assert_eq!(queries.iter().filter(|query| query.is_dir()).map(|set| files(set).len()).collect::<Vec<_>>(), [4]);
        assert_eq!(store.values().collect::<HashSet<_>>().len(), store.len(), "two files hold the same bytes");
        assert!(store.keys().all(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')));
        assert_eq!(fs::read_dir(world.path()).unwrap().count(), 1, "something was written outside the root");

        let again = world.path().join("again");
        draw_store(&again, &Unfollowed).unwrap();
        draw_queries(&again).unwrap();
        assert!(below(&again) == store);
    }

    #[test]
    fn what_is_there_already_stays() {
        let root = tempfile::tempdir().unwrap();
        for mine in ["query/burger.jpg", "query/doughnut_box/mine.jpg", "db/img_train_raw/pizza_10.jpg"] {
            let path = root.path().join(mine);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "mine").unwrap();
        }
        draw_store(root.path(), &Unfollowed).unwrap();
        draw_queries(root.path()).unwrap();
        let mine = below(root.path()).into_values().filter(|bytes| bytes == b"mine").count();
        assert_eq!(mine, 3);
        assert_eq!(files(&root.path().join("query/doughnut_box")).len(), 1);
    }

    #[test]
    fn every_picture_opens_at_a_sensible_size() {
        for plan in inventory() {
            let picture = image::load_from_memory(&encoded(&plan).unwrap()).unwrap();
            assert!(picture.width() >= 200 && picture.height() >= 180, "{}", plan.path.display());
        }
    }
}
