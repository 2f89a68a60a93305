//! Writes the demo's picture store into its folders: the inventory, the training pictures and, later, the queries.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use artificio_demo::{SET_NAME, StorePicture, inventory, set_query, single_queries, training};

use crate::error::Trouble;
use crate::files::{make_folder, move_into_place, write_whole};
use crate::progress::Progress;

/// Writes inventory and training pictures below `root`: `db/img_inventory_raw/<kind>/<name>` and
/// `db/img_train_raw/<name>`. The same program writes the same bytes every time; what is there already stays.
///
/// Every core draws its share. A core that fails begins no further picture; what is written stays.
pub fn draw_store(root: &Path, follower: &dyn Progress) -> Result<(), Trouble> {
    let pictures: Vec<StorePicture> = inventory().into_iter().chain(training()).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = pictures.len().div_ceil(cores);
    let (done, all) = (AtomicUsize::new(0), pictures.len());
    let draw_one = |picture: &StorePicture| {
        put(&root.join(&picture.path), picture)?;
        follower.told((done.fetch_add(1, Ordering::Relaxed) + 1) as f32 / all as f32);
        Ok(())
    };
    let draw_share = |pictures: &[StorePicture]| pictures.iter().try_for_each(draw_one);
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            pictures.chunks(share).map(|pictures| scope.spawn(move || draw_share(pictures))).collect();
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
    let mut written = Vec::new();
    for picture in single_queries() {
        let target = root.join(&picture.path);
        put(&target, &picture)?;
        written.push(target);
    }
    written.push(draw_set(root)?);
    Ok(written)
}

fn draw_set(root: &Path) -> Result<PathBuf, Trouble> {
    let query = root.join("query");
    let (target, hidden) = (query.join(SET_NAME), query.join(format!(".{SET_NAME}.part")));
    if target.symlink_metadata().is_ok() {
        return Ok(target);
    }
    for picture in set_query() {
        put(&hidden.join(&picture.path), &picture)?;
    }
    move_into_place(&hidden, &target)?;
    Ok(target)
}

/// Draws a picture and puts it into its place, making the folders it needs, unless something is there already.
fn put(target: &Path, picture: &StorePicture) -> Result<(), Trouble> {
    if target.symlink_metadata().is_ok() {
        return Ok(());
    }
    make_folder(target.parent().unwrap_or(target))?;
    let bytes = picture.encode().map_err(|error| {
        Trouble::new(format!("could not encode the picture: {error}"), target, "report this as a bug")
    })?;
    write_whole(target, &bytes, "write the picture")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};
    use std::fs;

    use artificio_demo::Food;

    use super::*;
    use crate::progress::Unfollowed;

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

        for food in Food::ALL {
            let folder = Path::new("db/img_inventory_raw").join(food.label());
            assert!(store.keys().filter(|path| path.starts_with(&folder)).count() >= 8, "{food:?}");
            let trained = |path: &&PathBuf| {
                path.starts_with("db/img_train_raw")
                    && path.file_name().unwrap().to_string_lossy().starts_with(food.label())
            };
            assert!(store.keys().filter(trained).count() >= 6, "{food:?}");
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
}
