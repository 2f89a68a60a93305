//! A sample of the pictures that is always the same for the same inventory, and follows it: those whose paths have the
//! smallest hashes (bottom-k sampling; Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::segment::{Name, Segment};
use crate::base::nearest::keep_first;

/// Pictures used of the sample.
pub const USED: usize = 512;
/// Pictures held: as many may go before others must be looked for.
const HELD: usize = 2 * USED;

/// Decides about a picture's place in the order of samples: evenly distributed over paths.
pub type SampleKey = u32;

/// The key of a path.
pub fn key_of(path: &Path) -> SampleKey {
    let [a, b, c, d, ..] = *blake3::hash(path.as_os_str().as_encoded_bytes()).as_bytes();
    SampleKey::from_le_bytes([a, b, c, d])
}

/// Embeddings by key and path. Holds all pictures, or at least [`USED`] of them and none that comes after one left out.
#[derive(Debug, Clone, Default)]
pub struct PictureSample {
    held: BTreeMap<(SampleKey, Name), Arc<[f32]>>,
    version: u64,
}

impl PictureSample {
    /// Of all pictures in `segments`, after one of `version`.
    pub fn of(segments: &[Arc<Segment>], version: u64) -> Self {
        let places = segments.iter().flat_map(|segment| (0..segment.len()).map(move |row| (segment, row)));
        let mut places: Vec<_> = places.map(|(segment, row)| (segment.heads()[row].key, segment, row)).collect();
        keep_first(&mut places, HELD, |(key, segment, row), (other_key, other, other_row)| {
            key.cmp(other_key).then_with(|| segment.name(*row).cmp(other.name(*other_row)))
        });
        let entry = |(key, segment, row): (SampleKey, &Arc<Segment>, usize)| {
            ((key, Arc::clone(segment.name(row))), segment.embedding(row).into())
        };
        Self { held: places.into_iter().map(entry).collect(), version: version + 1 }
    }

    /// Takes a picture in, or its other embedding, if it belongs to the sample of it and `others` more pictures.
    pub fn offer(this: &mut Arc<Self>, key: SampleKey, path: &Path, others: usize, embedding: &[f32]) {
        let holds_all = this.held.len() >= others;
        if !holds_all && this.held.last_key_value().is_none_or(|((last, _), _)| key > *last) {
            return;
        }
        let entry = (key, path.as_os_str().into());
        if holds_all || this.held.last_key_value().is_some_and(|(last, _)| entry <= *last) {
            let sample = Arc::make_mut(this);
            sample.held.insert(entry, embedding.into());
            if sample.held.len() > HELD {
                sample.held.pop_last();
            }
            sample.version += 1;
        }
    }

    /// A picture is gone.
    pub fn forget(this: &mut Arc<Self>, path: &Path) {
        let entry = (key_of(path), path.as_os_str().into());
        if this.held.contains_key(&entry) {
            let sample = Arc::make_mut(this);
            sample.held.remove(&entry);
            sample.version += 1;
        }
    }

    /// Whether it has become too small for `count` pictures and must be made again. Seldom: half of a sample must have gone.
    pub fn is_depleted(&self, count: usize) -> bool {
        self.held.len() < USED.min(count)
    }

    /// Rises whenever another picture or embedding is in it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The embeddings of the sample.
    pub fn embeddings(&self) -> impl Iterator<Item = &[f32]> {
        self.held.values().take(USED).map(|embedding| &**embedding)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::index::Index;

    fn name(number: usize) -> PathBuf {
        PathBuf::from(format!("{number}.jpg"))
    }

    fn used(index: &Index) -> Vec<Vec<f32>> {
        index.sample.embeddings().map(<[f32]>::to_vec).collect()
    }

    /// Whatever came and went, and in which order: the sample is that of an index filled at once.
    #[test]
    fn it_follows_all_changes() {
        let embedding = |number: usize| [1.0, (number as f32 * 0.37).sin()];
        let mut index = Index::empty(2);
        for number in 0..6_000 {
            index.put(&name(number), &embedding(number));
        }
        for number in (0..6_000).filter(|number| number % 7 != 0) {
            index.remove([name(number).as_path()]);
        }
        for number in 5_000..9_000 {
            index.put(&name(number), &embedding(number + 1));
        }
        let mut again = Index::empty(2);
        for number in (0..9_000).rev().filter(|number| *number >= 5_000 || number % 7 == 0) {
            again.put(&name(number), &embedding(if number >= 5_000 { number + 1 } else { number }));
        }
        assert_eq!((index.len(), used(&index).len()), (again.len(), super::USED));
        // What was held before is kept as it was given; what had to be looked for, to 16 bits.
        for (one, other) in used(&index).into_iter().flatten().zip(used(&again).into_iter().flatten()) {
            assert!((one - other).abs() < 1e-4);
        }
    }

    #[test]
    fn a_small_inventory_is_its_own_sample() {
        let mut index = Index::empty(1);
        (0..300).for_each(|number| assert!(index.put(&name(number), &[number as f32])));
        assert_eq!(used(&index).len(), 300);
        index.remove((0..299).map(name).collect::<Vec<_>>().iter().map(PathBuf::as_path));
        assert_eq!(used(&index), [[299.0]]);
    }
}
