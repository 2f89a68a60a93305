//! Embeddings in memory and the one search among them. Knows paths and numbers; nothing of pictures, models or the disk.

mod averaging;
mod calibration;
mod columns;
mod journal;
mod neighbours;
mod plain;
mod quantised;
mod ranking;
mod sample;
mod scan;
mod segment;
mod snapshot;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::WallTime;
use crate::config::{Metric, SetMode};

use sample::{SampleKey, key_of};
use segment::Segment;

pub use calibration::Calibration;
pub use columns::NearestOther;
pub use journal::ChangeJournal;
pub use neighbours::SampleNeighbours;
pub use plain::PlainComparison;
pub use ranking::{SHORTLIST, members};
pub use sample::{RowId, SampledPicture};
pub use segment::Name;
pub use snapshot::Snapshot;

/// The embeddings of the inventory, each with its path.
///
/// Pictures come and go in constant time. Searches go through a [`Snapshot`], which shares all embeddings with the index until they
/// change: neither waits for the other.
#[derive(Debug)]
pub struct Index {
    width: usize,
    /// All full, except the last.
    segments: Vec<Arc<Segment>>,
    position_of: HashMap<Name, u32>,
    generation: u64,
    /// Where somebody follows it.
    journal: Option<Arc<ChangeJournal>>,
}

/// One inventory picture found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Relative to the inventory folder.
    pub path: PathBuf,
    /// By the metric of the search, with neighbours taken into account: the greater, the more similar.
    pub similarity: f32,
    /// Of its embedding and the nearest of the query's, as they are: what [`Calibration`] compares.
    pub plain: PlainSimilarity,
    /// Where it is a picture of another node.
    pub remote: Option<RemotePicture>,
    /// Why it stands where it does.
    pub reason: Reason,
}

/// What a search found, and what it asked with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ranked {
    /// The most similar first.
    pub found: Vec<Found>,
    /// The pictures that the query's own were averaged with, without the query's copies: query expansion.
    pub expanded_with: Vec<PathBuf>,
}

/// Why a picture stands where it does among those found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// Its place, from 1.
    pub place: usize,
    /// Its place by its own embedding alone.
    pub alone: usize,
    /// Which of the query's pictures it is most similar to, from 0; always 0 where they were combined.
    pub member: usize,
    /// The pictures it was averaged with, the nearest first.
    pub neighbours: Vec<PathBuf>,
}

/// A picture that lies in the inventory of another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePicture {
    /// Its node.
    pub node: Arc<str>,
    /// The blake3 hash of its content.
    pub content: [u8; 32],
}

/// A picture of another node with its embedding, to be ranked among those of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteRow {
    /// Whose it is.
    pub picture: RemotePicture,
    /// Relative to that node's inventory.
    pub path: PathBuf,
    /// As the same model gave it.
    pub embedding: Vec<f32>,
}

/// How similar two embeddings are as they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlainSimilarity {
    /// By the metric of the search.
    pub by_metric: f32,
    /// The cosine.
    pub cosine: f32,
}

/// How a search compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchMode {
    /// What makes two embeddings similar.
    pub metric: Metric,
    /// How several pictures of a query are combined.
    pub set_mode: SetMode,
}

impl Index {
    /// An index without pictures, for embeddings of `width` values.
    pub fn empty(width: usize) -> Self {
        Self { width, segments: Vec::new(), position_of: HashMap::new(), generation: 0, journal: None }
    }

    /// An index of many pictures at once. Embeddings of another width are left out.
    pub fn filled(width: usize, pictures: impl IntoIterator<Item = (impl AsRef<Path>, impl AsRef<[f32]>)>) -> Self {
        let mut index = Self::empty(width);
        for (path, embedding) in pictures {
            index.put(path.as_ref(), embedding.as_ref());
        }
        index.generation = 0;
        index
    }

    /// Pictures in it.
    pub fn len(&self) -> usize {
        self.position_of.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.position_of.is_empty()
    }

    /// Values in an embedding.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Raised by every change: shows whether something derived from the embeddings is still true.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What is derived from the embeddings is no longer true, though they have not changed.
    pub fn mark_changed(&mut self) {
        self.generation += 1;
    }

    /// Counts on from `generation`: that of an index which this one replaces, or of an earlier process.
    pub fn continue_from(&mut self, generation: u64) {
        self.generation = self.generation.max(generation) + 1;
    }

    /// Takes the place of `former`: counts on from it, and is followed by whoever followed it.
    pub fn take_over(&mut self, former: &Self) {
        self.continue_from(former.generation);
        self.journal = former.journal.clone();
    }

    /// Notes every later change of a picture in `journal`.
    pub fn follow(&mut self, journal: Arc<ChangeJournal>) {
        self.journal = Some(journal);
    }

    fn note(&self, name: &Name) {
        self.journal.iter().for_each(|journal| journal.note(name));
    }

    /// Whether a picture is in it.
    pub fn contains(&self, path: &Path) -> bool {
        self.position_of.contains_key(path.as_os_str())
    }

    /// The embedding of a picture as the model gave it, to 16 bits of its greatest value.
    pub fn embedding(&self, path: &Path) -> Option<Vec<f32>> {
        let (segment, row) = segment::place(*self.position_of.get(path.as_os_str())?);
        Some(self.segments[segment].embedding(row))
    }

    /// Puts a picture in, or gives it another embedding; `false` when the embedding has another width.
    pub fn put(&mut self, path: &Path, embedding: &[f32]) -> bool {
        if embedding.len() != self.width {
            return false;
        }
        match self.position_of.get(path.as_os_str()) {
            Some(position) => {
                let (segment, row) = segment::place(*position);
                let segment = Arc::make_mut(&mut self.segments[segment]);
                segment.replace(row, embedding);
                self.journal.iter().for_each(|journal| journal.note(segment.name(row)));
            }
            None => self.append(path, key_of(path), embedding, WallTime::UNKNOWN),
        }
        self.generation += 1;
        true
    }

    /// The same with a date: a new picture is looked up once.
    pub fn put_dated(&mut self, path: &Path, embedding: &[f32], date: WallTime) -> bool {
        if embedding.len() != self.width || self.contains(path) {
            let is_put = self.put(path, embedding);
            self.set_date(path, date);
            return is_put;
        }
        self.append(path, key_of(path), embedding, date);
        self.generation += 1;
        true
    }

    fn append(&mut self, path: &Path, key: SampleKey, embedding: &[f32], date: WallTime) {
        let (name, position): (Name, _) = (path.as_os_str().into(), self.len() as u32);
        let (segment, _) = segment::place(position);
        if segment == self.segments.len() {
            self.segments.push(Arc::new(Segment::empty(self.width)));
        }
        let segment = Arc::make_mut(&mut self.segments[segment]);
        segment.push(Arc::clone(&name), key, embedding);
        segment.set_date(segment.len() - 1, date);
        self.note(&name);
        self.position_of.insert(name, position);
    }

    /// The date of a picture.
    pub fn date(&self, path: &Path) -> Option<WallTime> {
        let (segment, row) = segment::place(*self.position_of.get(path.as_os_str())?);
        Some(self.segments[segment].date(row))
    }

    /// Gives a picture a date, for queries that ask for one. Until then it has none, and those do not find it.
    pub fn set_date(&mut self, path: &Path, date: WallTime) {
        let Some(position) = self.position_of.get(path.as_os_str()) else { return };
        let (segment, row) = segment::place(*position);
        // Most often it is the same, and nothing is copied that a search still uses.
        if self.segments[segment].date(row) != date {
            let segment = Arc::make_mut(&mut self.segments[segment]);
            segment.set_date(row, date);
            self.journal.iter().for_each(|journal| journal.note(segment.name(row)));
        }
    }

    /// Takes pictures out; each costs the same, whatever the size of the index.
    pub fn remove<'a>(&mut self, paths: impl IntoIterator<Item = &'a Path>) {
        for path in paths {
            let Some((name, position)) = self.position_of.remove_entry(path.as_os_str()) else { continue };
            self.fill_gap(position);
            self.note(&name);
            self.generation += 1;
        }
    }

    /// Takes all pictures out that are not to be kept.
    pub fn keep(&mut self, is_kept: impl Fn(&Path) -> bool) {
        let gone: Vec<Name> = self.position_of.keys().filter(|name| !is_kept(Path::new(name))).cloned().collect();
        self.remove(gone.iter().map(Path::new));
    }

    /// Moves the last picture to `position`, whose picture is gone from the map already.
    fn fill_gap(&mut self, position: u32) {
        let Some(last) = self.segments.last_mut() else { return };
        let moved = Arc::make_mut(last).pop();
        if last.is_empty() {
            self.segments.pop();
        }
        let is_another = self.len() as u32 != position;
        if let Some(moved) = moved.filter(|_| is_another) {
            let (segment, row) = segment::place(position);
            self.position_of.insert(Arc::clone(moved.name()), position);
            Arc::make_mut(&mut self.segments[segment]).put_row(row, moved);
        }
    }

    /// All pictures as they are now, for searches. Costs a few bytes for every thousand pictures.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.width, self.segments.clone(), self.generation)
    }
}

#[cfg(test)]
mod tests;
