//! Reads the metadata of pictures that an older version has read, which did not keep them: when they were taken, and with what.
//!
//! A thread of the lowest priority reads the beginning of each file, no more of most, and decodes nothing. It rests most of the time;
//! what it has not come to when the service ends it finds at the next start. See `docs/decisions/dates-of-pictures.md`.

use std::io::Read;
use std::iter::repeat;
use std::path::Path;
use std::thread;
use std::time::Instant;

use crossbeam_channel::Sender;
use log::{debug, info, warn};

use super::Daemon;
use super::workers::Outcome;
use crate::catalog::{Catalog, Root, Undescribed};
use crate::clock::WallTime;
use crate::error::Trouble;
use crate::files::FileAt;
use crate::picture::{self, Bounds, Hash, PictureMetadata};
use crate::threads::{self, ThreadEnd};
use crate::training::job::run_when_idle;

/// Name of the thread.
pub const THREAD: &str = "backfill";
/// Files whose metadata are stored together.
const FILES_AT_ONCE: usize = 64;
/// It rests so many times as long as it worked.
const REST: u32 = 3;
/// The beginning of a file: EXIF data of a JPEG are 64 kB at most, and its size follows them and other such data.
const BEGINNING_BYTES: u64 = 128 << 10;

/// Contents with what their files say of them.
pub type DescribedContents = Vec<(Hash, PictureMetadata)>;

/// Starts the thread; what it reads goes to the loop.
pub fn start(
    catalog: &Catalog,
    (inventory, bounds): (&Path, Bounds),
    outcomes: Sender<Outcome>,
    ends: Sender<ThreadEnd>,
) -> Result<(), Trouble> {
    let (catalog, inventory) = (catalog.reader()?, inventory.to_path_buf());
    let fill = move || {
        run_when_idle();
        if let Err(trouble) = fill(&catalog, &inventory, &bounds, &outcomes) {
            warn!("{trouble}");
        }
    };
    threads::spawn(THREAD, ends, fill).map(drop)
}

impl Daemon {
    /// Stores what the thread has read. While nothing can be written it is left for the next start.
    pub(super) fn keep_described(&mut self, contents: &DescribedContents) {
        if self.store.is_failing() {
            return;
        }
        let keep = |catalog: &Catalog| {
            let mut dated = Vec::new();
            for (content, metadata) in contents {
                catalog.put_metadata(*content, metadata)?;
                let paths =
                    if metadata.taken.is_some() { catalog.files_with(Root::Inventory, *content)? } else { Vec::new() };
                dated.extend(paths.into_iter().zip(repeat((*content, metadata.taken))));
            }
            Ok(dated)
        };
        // What a power failure takes is read again.
        let dated = match self.store.catalog_mut().together_unflushed(keep) {
            Ok(dated) => dated,
            Err(trouble) => return self.catalog_failed(trouble),
        };
        for (path, (content, taken)) in dated {
            self.serving.write().index.set_date(&path, taken.unwrap_or(WallTime::UNKNOWN));
            // The index that a training makes gets the date as well.
            self.training.inventory_changed(&path, Some(content));
        }
    }
}

fn fill(catalog: &Catalog, inventory: &Path, bounds: &Bounds, outcomes: &Sender<Outcome>) -> Result<(), Trouble> {
    let (mut last, mut count) = (0, 0);
    loop {
        let started = Instant::now();
        let files = catalog.next_undescribed(Root::Inventory, last, FILES_AT_ONCE)?;
        let Some(end) = files.last() else { break };
        last = end.number;
        let read: DescribedContents =
            files.iter().filter_map(|file| Some((file.content, metadata_of(inventory, file, bounds)?))).collect();
        if count == 0 && !read.is_empty() {
            info!(
                "reading when the pictures were taken that an older version has read; this goes on beside everything else"
            );
        }
        count += read.len();
        if !read.is_empty() && outcomes.send(Outcome::Described(read)).is_err() {
            return Ok(());
        }
        thread::sleep(started.elapsed() * REST);
    }
    if count > 0 {
        info!("read when {count} pictures were taken that an older version has read");
    }
    Ok(())
}

/// `None` if it is another file by now, or cannot be read.
fn metadata_of(inventory: &Path, file: &Undescribed, bounds: &Bounds) -> Option<PictureMetadata> {
    let place = FileAt::below(inventory, &file.path).as_listed(file.stamp);
    let beginning = || {
        let (opened, _) = place.open().ok()?;
        let mut bytes = Vec::new();
        opened.take(BEGINNING_BYTES).read_to_end(&mut bytes).ok()?;
        // Changed while it was read: what was read may be of another picture.
        let is_same = place.stamp().is_ok_and(|stamp| stamp == file.stamp);
        is_same.then_some(bytes)
    };
    let beginning = beginning()?;
    let found = if beginning.len() as u64 == file.stamp.size {
        Some(PictureMetadata::of(&beginning))
    } else {
        PictureMetadata::of_beginning(&beginning)
    };
    found.or_else(|| {
        debug!(file:% = file.path.display(); "read whole to see when it was taken");
        let whole = picture::read_still(&place, bounds).ok().filter(|whole| whole.hash == file.content)?;
        Some(PictureMetadata::of(&whole.bytes))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use crossbeam_channel::unbounded;

    use super::*;
    use crate::catalog::{FileRow, FileState};
    use crate::files::Stamp;

    /// A TIFF that says nothing but a date, behind so many bytes of pixels.
    fn tiff(date: &str, pixels: usize) -> Vec<u8> {
        let directory = [&1_u16.to_le_bytes()[..], &[0x32, 1, 2, 0, 20, 0, 0, 0]].concat();
        let place = 8 + pixels as u32;
        let text = [date.as_bytes(), b"\0"].concat();
        let end = [&(place + 18).to_le_bytes()[..], &[0; 4], &text].concat();
        [b"II*\0", &place.to_le_bytes()[..], &vec![7; pixels], &directory, &end].concat()
    }

    #[test]
    fn files_of_known_contents_are_read_again_and_others_are_left_alone() {
        let (state, inventory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let put = |name: &str, bytes: &[u8]| {
            fs::write(inventory.path().join(name), bytes).unwrap();
            let stamp = Stamp::of(&fs::metadata(inventory.path().join(name)).unwrap());
            let state = FileState::Read(Hash::of(bytes));
            catalog.put_file(Root::Inventory, &FileRow { path: name.into(), stamp, state }).unwrap();
        };
        put("small.tif", &tiff("2001:01:01 00:00:00", 100));
        put("large.tif", &tiff("2002:02:02 00:00:00", 300_000));
        put("changed.tif", &tiff("2003:03:03 00:00:00", 100));
        put("gone.tif", &tiff("2004:04:04 00:00:00", 100));
        put("silent.gif", b"GIF89a");
        put("known.tif", &tiff("2005:05:05 00:00:00", 100));
        catalog.put_metadata(Hash::of(&tiff("2005:05:05 00:00:00", 100)), &PictureMetadata::default()).unwrap();
        fs::write(inventory.path().join("changed.tif"), tiff("1999:09:09 00:00:00", 90)).unwrap();
        fs::remove_file(inventory.path().join("gone.tif")).unwrap();
        let (sender, outcomes) = unbounded();
        let bounds = Bounds { file_bytes: 1 << 20, pixels: 1, decode_ms: 1, memory_bytes: 0 };
        fill(&catalog, inventory.path(), &bounds, &sender).unwrap();
        let Ok(Outcome::Described(read)) = outcomes.recv_timeout(Duration::from_secs(9)) else { panic!("nothing") };
        let dates: Vec<Option<String>> = read.iter().map(|(_, found)| Some(found.taken?.to_string())).collect();
        let date = |text: &str| Some(format!("{text}T00:00:00"));
        assert_eq!(dates, [date("2001-01-01"), date("2002-02-02"), None]);
        assert_eq!(read[1].0, Hash::of(&tiff("2002:02:02 00:00:00", 300_000)));
    }
}
