//! The first stage of a query: reads its files, that is its pictures, its positive and negative examples, and its own settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::encoded::EncodedPicture;
use super::member::{FileRead, Member, MemberReader};
use super::sample::{MOST_REMEMBERED, SetSample};
use super::set_file::SetFile;
use super::{Query, WorkerContext};
use crate::answer;
use crate::answer::sheet::{self, MAX_EXAMPLES, MAX_QUERIES};
use crate::config::{Config, Crop, SearchScope};
use crate::model::FeatureKind;
use crate::picture::{Hash, Unusable};
use crate::serving::View;

/// Longer side of the examples that a sheet shows, which are small.
const EXAMPLE_PX: u32 = 256;

/// A query as it was read.
pub struct Input {
    /// Its pictures.
    pub members: Members,
    /// Positive examples.
    pub positives: Members,
    /// Negative examples.
    pub negatives: Members,
    /// The set's own settings.
    pub settings: Option<SetFile>,
    /// The part of its pictures that is searched for.
    pub crop: Option<Crop>,
    /// Time spent on features.
    pub encoding: Duration,
    /// What the features of its pictures are.
    pub features: FeatureKind,
}

/// The pictures of one kind.
pub struct Members {
    /// Those that are used, in the order of their paths.
    pub used: Vec<Member>,
    /// How many others there are: see [`SetSample`].
    pub unused: usize,
    /// The files of those others, as far as they are remembered.
    unused_files: Vec<FileRead>,
}

impl Input {
    /// Reads them as [`Input::read`] does, with a view of the model that takes their features, and of the index as it is then. Where
    /// the network is exchanged meanwhile, they are read again.
    pub fn read_with_view(query: &Query, context: &WorkerContext) -> (Self, View) {
        loop {
            let (input, view) = (Self::read(query, context), context.serving.view());
            if *view.model.features() == input.features {
                return (input, view);
            }
        }
    }

    /// Reads the query's files in their order, and decodes the pictures that can be decoded, one after another.
    fn read(query: &Query, context: &WorkerContext) -> Self {
        let settings = query.files.settings.as_ref().map(|path| SetFile::read(path, &query.config));
        let crop = query.crop.or(settings.as_ref().and_then(|file| file.settings.as_ref().ok()?.crop));
        let mut reader = MemberReader::new(query, context);
        reader.crop = crop;
        let shown = query.files.pictures.len().min(MAX_QUERIES);
        let tile_px = sheet::query_side_px(shown, &answer::style(&query.config.answer));
        let members = Members::read(&query.files.pictures, (MAX_QUERIES, tile_px), &mut reader);
        // Examples are whole.
        reader.crop = None;
        let mut examples = |paths: &[PathBuf]| Members::read(paths, (MAX_EXAMPLES, EXAMPLE_PX), &mut reader);
        let (positives, negatives) = (examples(&query.files.positives), examples(&query.files.negatives));
        let (encoding, features) = (reader.encoding, reader.features());
        Self { members, positives, negatives, settings, crop, encoding, features }
    }

    /// The files of its pictures, positive and negative examples that are used.
    pub fn files_by_use(&self) -> [Vec<&FileRead>; 3] {
        self.by_use().map(|members| members.used.iter().map(|member| &member.file).collect())
    }

    fn by_use(&self) -> [&Members; 3] {
        [&self.members, &self.positives, &self.negatives]
    }

    /// Files that stand in no list: a sample of those of their kind is used.
    pub fn unused(&self) -> usize {
        self.by_use().iter().map(|members| members.unused).sum()
    }

    /// Hash over everything that decides the answer; `None` without any picture.
    pub fn content(&self) -> Option<Hash> {
        content_of(self.by_use(), self.settings.as_ref())
    }

    /// `config` with the set's own settings in force.
    pub fn config(&self, config: &Config) -> Config {
        match self.settings.as_ref().map(|file| &file.settings) {
            Some(Ok(settings)) => settings.over(config),
            _ => config.clone(),
        }
    }

    /// Which pictures may be found: those that whoever asks says, or else the set's own settings.
    pub fn scope(&self, asked: &SearchScope) -> SearchScope {
        match self.settings.as_ref().map(|file| &file.settings) {
            Some(Ok(settings)) if asked.is_everything() => settings.scope(),
            _ => asked.clone(),
        }
    }

    /// The number of matches is not for the set's own settings to say.
    pub fn leave_results_to_caller(&mut self) {
        if let Some(SetFile { settings: Ok(settings), .. }) = &mut self.settings {
            settings.results = None;
        }
    }

    /// The mistake in the set's own settings, if any.
    pub fn mistake(&self) -> Option<String> {
        self.settings.as_ref()?.settings.as_ref().err().map(ToString::to_string)
    }

    /// Whether one of its files may still be being written.
    pub fn may_be_unfinished(&self) -> bool {
        self.by_use().into_iter().flat_map(|members| &members.used).any(Member::may_be_unfinished)
    }

    /// Whether one of its pictures needs a trial that this thread does not hold.
    pub fn awaits_trial(&self) -> bool {
        let awaits = |member: &Member| member.file.result == Err(Unusable::AwaitsTrial);
        self.by_use().into_iter().flat_map(|members| &members.used).any(awaits)
    }

    /// Every file with its result.
    pub fn into_files(self) -> Vec<FileRead> {
        let members = [self.members, self.positives, self.negatives].into_iter().flat_map(Members::into_files);
        members.chain(self.settings.map(|settings| settings.file)).collect()
    }
}

impl Members {
    /// Reads the files of one kind; the sheet shows the first so many of them, each so many pixels large.
    fn read(paths: &[PathBuf], (shown, tile_px): (usize, u32), reader: &mut MemberReader<'_>) -> Self {
        let SetSample { used, unused } = SetSample::of(paths);
        let tile_of = |at: usize| Some(tile_px).filter(|_| at < shown);
        let used = used.into_iter().enumerate().map(|(at, path)| reader.read(path, tile_of(at))).collect();
        let remembered = unused.iter().take(MOST_REMEMBERED);
        let unused_files = remembered.map(|path| FileRead::unused(path, reader.config())).collect();
        Self { used, unused: unused.len(), unused_files }
    }

    /// How many there are, used or not.
    pub fn count(&self) -> usize {
        self.used.len() + self.unused
    }

    /// The usable ones.
    pub fn encoded(&self) -> Vec<Arc<EncodedPicture>> {
        self.used.iter().filter_map(|member| Some(Arc::clone(&member.kept.as_ref()?.encoded))).collect()
    }

    fn into_files(self) -> impl Iterator<Item = FileRead> {
        self.used.into_iter().map(|member| member.file).chain(self.unused_files)
    }
}

/// One hash over the contents of all pictures that are used, whatever their names and order; `None` without any.
/// Examples and the set's own settings are part of it.
fn content_of([members, positives, negatives]: [&Members; 3], settings: Option<&SetFile>) -> Option<Hash> {
    let hashes_of = |members: &Members| {
        let mut hashes: Vec<Hash> = members.used.iter().filter_map(|member| member.file.content()).collect();
        hashes.sort_unstable();
        // The numbers of unusable and of unused files are part of it, because the answer reports them.
        let mut all: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        all.extend((members.used.len() - hashes.len()).to_le_bytes());
        if members.unused > 0 {
            all.extend(members.unused.to_le_bytes());
        }
        (all, !hashes.is_empty())
    };
    let (mut all, has_pictures) = hashes_of(members);
    for (examples, name) in [(positives, "yes"), (negatives, "not")] {
        if examples.count() > 0 {
            all.extend_from_slice(name.as_bytes());
            all.extend(hashes_of(examples).0);
        }
    }
    if let Some(settings) = settings {
        all.extend_from_slice(b"settings");
        all.extend(settings.file.content().map_or([0; 32], |hash| hash.0));
    }
    has_pictures.then(|| Hash::of(&all))
}
