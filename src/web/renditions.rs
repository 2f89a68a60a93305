//! Smaller versions of pictures as browsers show them: JPEG, upright, of a few kilobytes.
//!
//! Each is decoded in a child process with limits of memory and time (`isolation`), so that no picture harms the page. So many are
//! made at a time, and those made last are kept in memory.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::pictures::NamedPicture;
use super::response::HttpRefusal;
use crate::answer::ThumbnailStore;
use crate::base::parallel::cores;
use crate::config::Config;
use crate::files::Stamp;
use crate::isolation::Isolation;
use crate::overview::{on_white, to_jpeg};
use crate::picture::{Bounds, Unusable, read_still};

/// Pixels along the longer side: of a small version in a list, and of a large one to look at. No other is made, so that nobody
/// fills the memory with others.
const SIDES: [u32; 2] = [360, 1_600];
/// Memory for those that were made last, in bytes: about 2,000 small ones.
const KEPT_BYTES: usize = 48 << 20;
/// Made at a time at most, on however many cores.
const MOST_AT_A_TIME: usize = 4;
/// Whoever waits longer for a free place asks again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a version is made from.
type RenditionSource = (PathBuf, Stamp, u32);

/// Makes versions, and keeps those made last.
pub struct RenditionMaker {
    isolation: Isolation,
    free: Mutex<usize>,
    freed: Condvar,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    versions: HashMap<RenditionSource, (Arc<[u8]>, u64)>,
    bytes: usize,
    uses: u64,
}

impl Default for RenditionMaker {
    fn default() -> Self {
        Self {
            isolation: Isolation::default(),
            free: Mutex::new(cores().clamp(1, MOST_AT_A_TIME)),
            freed: Condvar::new(),
            kept: Mutex::default(),
        }
    }
}

impl RenditionMaker {
    /// A version of the picture whose longer side has about so many pixels, as JPEG.
    ///
    /// # Errors
    /// The picture cannot be read or decoded, others wait as well, or no such size is made.
    pub fn version(&self, picture: &NamedPicture, side: u32, config: &Config) -> Result<Arc<[u8]>, HttpRefusal> {
        if !SIDES.contains(&side) {
            return Err(HttpRefusal::not_found());
        }
        let gone =
            |problem: &dyn std::fmt::Display| HttpRefusal::new(404, format!("{}: {problem}", picture.path.display()));
        let stamp = picture.place().stamp().map_err(|problem| gone(&problem))?;
        let source = (picture.root.join(&picture.path), stamp, side);
        if let Some(version) = self.kept(&source) {
            return Ok(version);
        }
        let _place = self.place()?;
        if let Some(version) = self.kept(&source) {
            return Ok(version);
        }
        let bounds = Bounds::from(&config.limits);
        let contents = read_still(&picture.place(), &bounds).map_err(|problem| gone(&problem))?;
        // What takes long to decode is there already, but for a large version.
        let copy = ThumbnailStore::of(config).jpeg(contents.hash, side);
        let bytes = copy.as_deref().unwrap_or(&contents.bytes);
        let decoded = self.isolation.shrink(bytes, &picture.path, &bounds, side);
        let decoded = decoded.map_err(|problem| match problem {
            Unusable::TrialInterrupted(why) => HttpRefusal::busy(&why),
            problem => gone(&problem),
        })?;
        let version = to_jpeg(&on_white(&decoded.into_rgba8())).map_err(|problem| gone(&problem))?;
        Ok(self.keep(source, version.into()))
    }

    fn kept(&self, source: &RenditionSource) -> Option<Arc<[u8]>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let now = kept.uses;
        kept.versions.get_mut(source).map(|(version, used)| {
            *used = now;
            Arc::clone(version)
        })
    }

    fn keep(&self, source: RenditionSource, version: Arc<[u8]>) -> Arc<[u8]> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).add(source, Arc::clone(&version), KEPT_BYTES);
        version
    }

    /// Waits until fewer than so many are being made.
    fn place(&self) -> Result<WorkPlace<'_>, HttpRefusal> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_timeout_while(free, PATIENCE, |free| *free == 0);
        let (mut free, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(HttpRefusal::busy("many pictures are being made smaller; try again"));
        }
        *free -= 1;
        Ok(WorkPlace(self))
    }
}

impl Kept {
    /// Adds a version; those not used for longest go.
    fn add(&mut self, source: RenditionSource, version: Arc<[u8]>, most_bytes: usize) {
        self.uses += 1;
        self.bytes += version.len();
        if let Some((former, _)) = self.versions.insert(source, (version, self.uses)) {
            self.bytes -= former.len();
        }
        while self.bytes > most_bytes {
            let oldest = self.versions.iter().min_by_key(|(_, (_, used))| *used).map(|(source, _)| source.clone());
            let Some((former, _)) = oldest.and_then(|oldest| self.versions.remove(&oldest)) else { break };
            self.bytes -= former.len();
        }
    }
}

/// One of the places to work in, free again when this is dropped.
struct WorkPlace<'a>(&'a RenditionMaker);

impl Drop for WorkPlace<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_not_used_for_longest_go_first() {
        let mut kept = Kept::default();
        let source = |name: &str| (PathBuf::from(name), Stamp::NEVER, 360);
        for name in ["a", "b", "c", "a", "d"] {
            kept.add(source(name), vec![0; 10].into(), 30);
        }
        let mut names: Vec<_> = kept.versions.keys().map(|(path, _, _)| path.display().to_string()).collect();
        names.sort_unstable();
        assert_eq!((names.join(""), kept.bytes), ("acd".into(), 30));
        kept.add(source("large"), vec![0; 31].into(), 30);
        assert_eq!((kept.versions.len(), kept.bytes), (0, 0));
    }

    #[test]
    fn a_place_is_free_again_when_its_work_is_done() {
        let maker = RenditionMaker { free: Mutex::new(1), ..RenditionMaker::default() };
        drop(maker.place().unwrap());
        let place = maker.place().unwrap();
        assert_eq!(*maker.free.lock().unwrap(), 0);
        drop(place);
        assert_eq!(*maker.free.lock().unwrap(), 1);
    }
}
