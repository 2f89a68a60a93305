//! What a model's embeddings are called in an engine: the same name only for the same model, whatever its id.

use crate::catalog::ModelRow;
use crate::engine::EngineGeneration;
use crate::model::Model;
use crate::picture::Hash;

/// The generation of the embeddings that `model` gives; `row` is where it is kept, `None` for the untrained one.
pub fn generation_of(model: &Model, row: Option<&ModelRow>) -> EngineGeneration {
    let weights = row.map_or(&[][..], |row| &row.weights);
    EngineGeneration {
        name: generation_name(model.id(), &model.features().version, weights),
        width: model.embedding_width(),
    }
}

/// The id in letters that any engine takes, and a hash of what decides the embeddings.
pub fn generation_name(id: &str, features_version: &str, weights: &[u8]) -> String {
    let plain: String = id.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    let hash = Hash::of(&[features_version.as_bytes(), &[0], weights].concat()).to_hex();
    format!("{plain}_{}", &hash[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_model_is_another_generation_even_under_the_same_id() {
        let name = generation_name("m1-20261127-a", "f1", b"weights");
        assert!(name.starts_with("m1_20261127_a_") && name.len() == 26, "{name}");
        assert_eq!(name, generation_name("m1-20261127-a", "f1", b"weights"));
        assert_ne!(name, generation_name("m1-20261127-a", "f1", b"others"));
        assert_ne!(name, generation_name("m1-20261127-a", "f2", b"weights"));
    }
}
