//! What an engine has of this node, compared with what it should have: slice by slice, by keys and contents.

use std::collections::HashSet;

use crate::engine::{Engine, EngineError, KeyPrefix, PictureKey};
use crate::picture::Hash;

/// Keys in a slice, about.
const KEYS_AT_ONCE: usize = 5_000;

/// What an engine lacks of a node.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lacking {
    /// To be put: missing, or of another content.
    pub missing: HashSet<PictureKey>,
    /// How many rows were removed, because the node has no such picture.
    pub strays: usize,
}

/// Removes from the engine what is not among `own`, and tells what it lacks of them. `goes_on` is asked between slices.
pub fn compare(
    engine: &dyn Engine,
    generation: &str,
    node: &str,
    mut own: Vec<(PictureKey, Hash)>,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<Lacking>, EngineError> {
    own.sort_unstable();
    let mut lacking = Lacking::default();
    let rows = own.len().max(engine.count(generation)?);
    for slice in KeyPrefix::slices(rows, KEYS_AT_ONCE) {
        if !goes_on() {
            return Ok(None);
        }
        let present: HashSet<(PictureKey, Hash)> = engine.keys(generation, node, slice)?.into_iter().collect();
        // Sorted, so those of a slice are together.
        let start = own.partition_point(|(key, _)| key.to_string() < slice.text());
        let of_slice: Vec<&(PictureKey, Hash)> = own[start..].iter().take_while(|(key, _)| slice.has(*key)).collect();
        lacking.missing.extend(of_slice.iter().filter(|row| !present.contains(row)).map(|(key, _)| *key));
        let keys: HashSet<PictureKey> = of_slice.iter().map(|(key, _)| *key).collect();
        let strays: Vec<PictureKey> =
            present.into_iter().map(|(key, _)| key).filter(|key| !keys.contains(key)).collect();
        engine.remove(generation, &strays)?;
        lacking.strays += strays.len();
    }
    Ok(Some(lacking))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::WallTime;
    use crate::engine::{EmbeddedEngine, EngineGeneration, EngineRow};

    fn row(node: &str, number: usize) -> EngineRow {
        EngineRow {
            node: node.into(),
            path: format!("{number}.jpg").into(),
            content: Hash::of(&number.to_le_bytes()),
            date: WallTime::UNKNOWN,
            embedding: vec![number as f32, 1.0],
        }
    }

    #[test]
    fn what_is_missing_is_told_and_strays_are_removed() {
        let engine = EmbeddedEngine::default();
        engine.prepare(&EngineGeneration { name: "m1".into(), width: 2 }).unwrap();
        let all =
            |node: &str, numbers: std::ops::Range<usize>| numbers.map(|number| row(node, number)).collect::<Vec<_>>();
        engine.put("m1", &all("a", 0..12_000)).unwrap();
        engine.put("m1", &all("b", 0..50)).unwrap();
        let mut own: Vec<_> = all("a", 100..12_100).iter().map(|row| (row.key(), row.content)).collect();
        own[7].1 = Hash::of(b"changed");
        let changed = own[7].0;
        let lacking = compare(&engine, "m1", "a", own.clone(), &|| true).unwrap().unwrap();
        assert_eq!((lacking.strays, lacking.missing.len()), (100, 101));
        assert!(
            lacking.missing.contains(&changed)
                && lacking.missing.contains(&PictureKey::of("a", Path::new("12050.jpg")))
        );
        assert_eq!(engine.count("m1").unwrap(), 11_900 + 50, "nothing of another node is touched");
        assert_eq!(compare(&engine, "m1", "a", own, &|| false).unwrap(), None);
        assert!(compare(&engine, "m2", "a", Vec::new(), &|| true).is_err());
    }
}
