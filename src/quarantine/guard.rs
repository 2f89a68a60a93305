//! What a thread decodes through.

use std::path::Path;
use std::sync::Arc;

use image::DynamicImage;

use super::marks::{Mark, MarkFile};
use super::slot::{Decoding, Supervised};
use super::{Quarantine, Treatment};
use crate::isolation::{DecodeOrder, Extracted, Outputs, extract};
use crate::model::Extractor;
use crate::picture::{self, Bounds, FileSnapshot, Hash, Unusable};

/// What a thread does with a suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspects {
    /// It leaves them to another thread: [`Unusable::AwaitsTrial`].
    Leave,
    /// It holds their trial, and waits for its end.
    Try,
}

/// Decodes pictures, those of a quarantine as it says.
pub struct Guard(Option<Post>);

pub(super) struct Post {
    pub quarantine: Arc<Quarantine>,
    pub suspects: Suspects,
    pub supervisor: Arc<dyn Supervised>,
    pub mark: MarkFile,
}

impl Guard {
    pub(super) fn new(post: Post) -> Self {
        Self(Some(post))
    }

    /// For a command, which does one thing for one person: if that ends it, they see what did.
    pub fn none() -> Self {
        Self(None)
    }

    /// Why `content` is not to be decoded, if so.
    pub fn refuses(&self, content: Hash, bounds: &Bounds) -> Option<Unusable> {
        self.0.as_ref().and_then(|post| post.quarantine.refuses(content, bounds))
    }

    /// Decodes the file at `path`, whose `contents` were read, and makes of it what is wanted: a suspect in its trial, all
    /// others here.
    pub fn extract(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        outputs: Outputs,
        extractor: &Extractor,
    ) -> Result<Extracted, Unusable> {
        if let Some(post) = &self.0
            && post.suspects == Suspects::Try
            && post.quarantine.treatment(contents.hash, bounds) == Treatment::Suspect
        {
            let order = DecodeOrder { bounds: *bounds, outputs, encoder: extractor.encoder() };
            if let Some(result) = post.quarantine.hold_trial(contents, path, &order) {
                return result;
            }
            return self.decode_here(contents, path, bounds, |decoded| extract(decoded, outputs, extractor));
        }
        self.decode(contents, path, bounds, |decoded| extract(decoded, outputs, extractor))
    }

    /// Decodes in this process, and makes of the picture what `make` does. Suspects are left alone.
    ///
    /// Does not return when the thread was given up meanwhile: another one does its work by then, so it ends right here,
    /// and what it held is let go. Nothing is locked while a picture is decoded, so unwinding leaves nothing half done.
    pub fn decode<T>(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        make: impl FnOnce(DynamicImage) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        if let Some(post) = &self.0 {
            match post.quarantine.treatment(contents.hash, bounds) {
                Treatment::Refused(problem) => return Err(problem),
                Treatment::Suspect => return Err(Unusable::AwaitsTrial),
                Treatment::Unknown => {}
            }
        }
        self.decode_here(contents, path, bounds, make)
    }

    fn decode_here<T>(
        &self,
        contents: &FileSnapshot,
        path: &Path,
        bounds: &Bounds,
        make: impl FnOnce(DynamicImage) -> Result<T, Unusable>,
    ) -> Result<T, Unusable> {
        let work = || picture::decode(&contents.bytes, path, bounds).and_then(make);
        let Some(post) = &self.0 else { return work() };
        post.begin(contents.hash, path);
        let made = work();
        if !post.end() {
            drop(made);
            std::panic::resume_unwind(Box::new("given up"));
        }
        made
    }

    #[cfg(test)]
    pub(super) fn post(&self) -> &Post {
        self.0.as_ref().unwrap()
    }
}

impl Post {
    pub(super) fn begin(&self, content: Hash, path: &Path) {
        self.mark.put(&Mark::new(content, path));
        self.supervisor.begin(Decoding::new(content, path, self.mark.path()));
    }

    /// `false` when this thread was given up.
    pub(super) fn end(&self) -> bool {
        if !self.supervisor.end() {
            return false;
        }
        self.mark.wipe();
        true
    }
}
