//! A sample of the pictures that is always the same for the same inventory: those whose paths have the smallest hashes
//! (bottom-k sampling; Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).

use std::path::Path;
use std::sync::Arc;

use super::segment::{CAPACITY, Name, RowHead, Segment};
use crate::base::nearest::keep_first;

/// Pictures in a sample.
pub const SAMPLED: usize = 512;

/// Decides about a picture's place in the order of samples: evenly distributed over paths.
pub type SampleKey = u32;

/// The key of a path.
pub fn key_of(path: &Path) -> SampleKey {
    let [a, b, c, d, ..] = *blake3::hash(path.as_os_str().as_encoded_bytes()).as_bytes();
    SampleKey::from_le_bytes([a, b, c, d])
}

/// Tells a picture with its embedding from others and from itself with another embedding, wherever its row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId(u64);

impl RowId {
    /// Of a row. Embeddings of one scale and one length by chance are as rare as equal hashes.
    pub fn of(head: &RowHead) -> Self {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let values = u64::from(head.scale.to_bits()) << 32 | u64::from(head.length.to_bits());
        let mixed = values.wrapping_mul(ODD);
        Self((mixed ^ mixed >> 29 ^ u64::from(head.key)).wrapping_mul(ODD))
    }
}

/// A picture of the sample.
#[derive(Debug, Clone)]
pub struct SampledPicture {
    /// Its row, as it is.
    pub id: RowId,
    /// Its path.
    pub name: Name,
    /// Where its row is.
    pub position: u32,
}

/// The sample of all pictures in `segments`, in the order of their keys, and of equal ones of their paths.
pub fn sample_of(segments: &[Arc<Segment>]) -> Vec<SampledPicture> {
    let mut sampled: Vec<(SampleKey, u32)> = Vec::new();
    let mut last = SampleKey::MAX;
    let order = |(key, position): &(SampleKey, u32), (other_key, other): &(SampleKey, u32)| {
        key.cmp(other_key).then_with(|| name_at(segments, *position).cmp(name_at(segments, *other)))
    };
    for (number, segment) in segments.iter().enumerate() {
        for (row, head) in segment.heads().iter().enumerate().filter(|(_, head)| head.key <= last) {
            sampled.push((head.key, (number * CAPACITY + row) as u32));
        }
        keep_first(&mut sampled, SAMPLED, order);
        if sampled.len() == SAMPLED {
            last = sampled.iter().map(|(key, _)| *key).max().unwrap_or(SampleKey::MAX);
        }
    }
    sampled.sort_unstable_by(order);
    let member = |(_, position): (SampleKey, u32)| {
        let (segment, row) = super::segment::place(position);
        let id = RowId::of(&segments[segment].heads()[row]);
        SampledPicture { id, name: Arc::clone(segments[segment].name(row)), position }
    };
    sampled.into_iter().map(member).collect()
}

fn name_at(segments: &[Arc<Segment>], position: u32) -> &Name {
    let (segment, row) = super::segment::place(position);
    segments[segment].name(row)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::index::Index;

    fn name(number: usize) -> PathBuf {
        PathBuf::from(format!("{number}.jpg"))
    }

    fn sampled(index: &Index) -> Vec<(RowId, Name)> {
        sample_of(&index.segments).into_iter().map(|member| (member.id, member.name)).collect()
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
        assert_eq!((index.len(), sampled(&index).len()), (again.len(), SAMPLED));
        assert_eq!(sampled(&index), sampled(&again));
    }

    #[test]
    fn a_small_inventory_is_its_own_sample() {
        let mut index = Index::empty(1);
        (0..300).for_each(|number| assert!(index.put(&name(number), &[number as f32])));
        assert_eq!(sampled(&index).len(), 300);
        index.remove((0..299).map(name).collect::<Vec<_>>().iter().map(PathBuf::as_path));
        assert_eq!(sampled(&index)[0].1, name(299).as_os_str().into());
    }

    #[test]
    fn another_embedding_or_another_path_is_another_row() {
        let ids = |path: &str, embedding: &[f32]| {
            let mut index = Index::empty(2);
            index.put(Path::new(path), embedding);
            sampled(&index)[0].0
        };
        assert_eq!(ids("a", &[1.0, 2.0]), ids("a", &[1.0, 2.0]));
        assert_ne!(ids("a", &[1.0, 2.0]), ids("b", &[1.0, 2.0]));
        assert_ne!(ids("a", &[1.0, 2.0]), ids("a", &[1.0, 2.1]));
    }
}
