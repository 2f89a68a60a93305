//! The guard through which a thread decodes pictures: it marks them on the disk and handles suspects.

use std::path::Path;
use std::sync::Arc;

use image::DynamicImage;

use super::marks::{Mark, MarkFile};
use super::memory::Reservation;
use super::slot::{Decoding, Supervised};
use super::{Quarantine, Treatment};
use crate::isolation::{DecodeOrder, Extracted, FeatureMaker, Isolation, Outputs, extract, features_of};
use crate::model::Extractor;
use crate::picture::{self, Bounds, FileSnapshot, Hash, Resolution, Unusable};

/// What a thread does with a suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspects {
    /// It leaves them to another thread: [`Unusable::AwaitsTrial`].
    Leave,
    /// It holds their trial and waits for the result.
    Try,
}

/// Decodes pictures, as the quarantine allows.
pub struct Guard(Option<GuardDeps>);

pub(super) struct GuardDeps {
    pub quarantine: Arc<Quarantine>,
    pub suspects: Suspects,
    pub supervisor: Arc<dyn Supervised>,
    pub mark: MarkFile,
}

impl Guard {
    pub(super) fn new(deps: GuardDeps) -> Self {
        Self(Some(deps))
    }

    /// A guard without quarantine, for a command: if a picture kills it, the person at the terminal sees which.
    pub fn none() -> Self {
        Self(None)
    }

    /// Whether it is the service's, not a command's.
    pub fn is_of_service(&self) -> bool {
        self.0.is_some()
    }

    /// Why `content` must not be decoded, if so.
    pub fn refuses(&self, content: Hash, bounds: &Bounds) -> Option<Unusable> {
        self.0.as_ref().and_then(|deps| deps.quarantine.refuses(content, bounds))
    }

    /// Whether a trial is to be held before `content` is decoded.
    pub fn is_suspect(&self, content: Hash, bounds: &Bounds) -> bool {
        self.0.as_ref().is_some_and(|deps| deps.quarantine.is_suspect(content, bounds))
    }

    /// Decodes `contents`, read from the file at `path`, and computes the `outputs`: for a suspect in a trial, for all others
    /// here.
    pub fn extract(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        outputs: Outputs,
        extractor: &Extractor,
    ) -> Result<Extracted, Unusable> {
        if let Some(deps) = &self.0
            && deps.suspects == Suspects::Try
            && deps.quarantine.treatment(contents.hash, bounds) == Treatment::Suspect
        {
            // All of what is done with pictures belongs to the trial, the network included.
            let outputs = Outputs { square: true, ..outputs };
            let features_by = match extractor.is_part_of_program() {
                true => FeatureMaker::Child(extractor.encoder()),
                false => FeatureMaker::Service { side: extractor.side() },
            };
            let order = DecodeOrder { bounds: *bounds, outputs, features_by };
            if let Some(result) = deps.quarantine.hold_trial(contents, path, &order) {
                return result.and_then(|extracted| with_features(extracted, outputs, extractor));
            }
            let result = self.extract_here(contents, path, bounds, outputs, extractor);
            deps.quarantine.acquit(contents.hash);
            return result;
        }
        self.check(contents, bounds)?;
        self.extract_here(contents, path, bounds, outputs, extractor)
    }

    fn extract_here(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        outputs: Outputs,
        extractor: &Extractor,
    ) -> Result<Extracted, Unusable> {
        let resolution = outputs.resolution(extractor.side());
        let make = |decoded: DynamicImage, whole| extract(decoded, whole, outputs, extractor);
        self.decode_here(contents, path, bounds, resolution, make)
    }

    /// Decodes in this process and applies `make` to the picture, which may be smaller than its file says, but has the `resolution`.
    /// Suspects are not decoded.
    ///
    /// Does not return if the thread was abandoned in the meantime: another thread does its work by then, so this one ends
    /// here and frees its memory. No lock is held while a picture is decoded, so unwinding leaves nothing half done.
    pub fn decode<T>(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
        make: impl FnOnce(DynamicImage) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        self.check(contents, bounds)?;
        self.decode_here(contents, path, bounds, resolution, |decoded, _| make(decoded))
    }

    fn check(&self, contents: &FileSnapshot, bounds: &Bounds) -> Result<(), Unusable> {
        if let Some(deps) = &self.0 {
            match deps.quarantine.treatment(contents.hash, bounds) {
                Treatment::Refused(problem) => return Err(problem),
                Treatment::Suspect => return Err(Unusable::AwaitsTrial),
                Treatment::Unknown => {}
            }
        }
        Ok(())
    }

    fn decode_here<T>(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
        make: impl FnOnce(DynamicImage, (u32, u32)) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        let mut whole = (0, 0);
        let Some(deps) = &self.0 else {
            let decoded = Isolation::default().decode_where_it_belongs(&contents.bytes, path, bounds, resolution);
            return decoded.and_then(|(decoded, whole)| make(decoded, whole));
        };
        deps.begin(contents.hash, path);
        // Held until all is made of the picture.
        let mut memory = None;
        let mut decode = || {
            let picture = picture::open(&contents.bytes, path, bounds)?;
            let bytes = picture.memory_bytes();
            whole = picture.size();
            let reserved = memory.insert(deps.reserve(bytes, contents, path, bounds)?);
            if picture.needs_process() {
                drop(picture);
                deps.decode_apart(reserved, contents, path, bounds, resolution, bytes)
            } else {
                picture.decode(resolution)
            }
        };
        let decoded = decode();
        let made = decoded.and_then(|decoded| make(decoded, whole));
        drop(memory);
        if !deps.end() {
            drop(made);
            std::panic::resume_unwind(Box::new("abandoned"));
        }
        made
    }

    #[cfg(test)]
    pub(super) fn deps(&self) -> &GuardDeps {
        self.0.as_ref().unwrap()
    }
}

/// What a trial gave, with the features that its child could not make.
fn with_features(extracted: Extracted, outputs: Outputs, extractor: &Extractor) -> Result<Extracted, Unusable> {
    match &extracted.square {
        Some(square) if outputs.features && extracted.features.is_none() => {
            let features = Some(features_of(square, extractor)?);
            Ok(Extracted { features, ..extracted })
        }
        _ => Ok(extracted),
    }
}

impl GuardDeps {
    pub(super) fn begin(&self, content: Hash, path: &Path) {
        self.mark.put(&Mark::new(content, path));
        self.supervisor.begin(Decoding::new(content, path, self.mark.path()));
    }

    /// Reserves memory for the picture whose decoding has begun. The time that it waits for others is no time of its own.
    fn reserve(
        &self,
        bytes: u64,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
    ) -> Result<Arc<Reservation>, Unusable> {
        self.pause()?;
        let memory = self.quarantine.memory.reserve(bytes, bounds);
        self.resume(contents, path, memory.as_ref().ok());
        memory
    }

    /// Waits for a child process, which has limits of its own.
    fn decode_apart(
        &self,
        memory: &Arc<Reservation>,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
        bytes: u64,
    ) -> Result<DynamicImage, Unusable> {
        self.pause()?;
        let decoded = self.quarantine.trial.decode(&contents.bytes, path, bounds, resolution, bytes);
        self.resume(contents, path, Some(memory));
        decoded
    }

    /// What follows is no time of the decoding.
    fn pause(&self) -> Result<(), Unusable> {
        if self.supervisor.end() { Ok(()) } else { Err(Unusable::AwaitsTrial) }
    }

    fn resume(&self, contents: &FileSnapshot, path: &Path, memory: Option<&Arc<Reservation>>) {
        let mut decoding = Decoding::new(contents.hash, path, self.mark.path());
        decoding.memory = memory.map(Arc::clone);
        self.supervisor.begin(decoding);
    }

    /// `false` if this thread was abandoned.
    pub(super) fn end(&self) -> bool {
        if !self.supervisor.end() {
            return false;
        }
        self.mark.wipe();
        true
    }
}
