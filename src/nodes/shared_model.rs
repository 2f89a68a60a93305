//! Models on their way from the node that trains to the others: two files in the shared folder, under the name of their generation.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::generation::generation_name;
use crate::catalog::{Decision, ModelRow, StoredName};
use crate::error::Trouble;
use crate::files::{FileAt, make_folder, write_whole};

/// Inside the shared folder.
const FOLDER: &str = "models";
/// No model is larger: the linear one of 512 values has 10 MB.
const LARGEST_BYTES: u64 = 256 << 20;

/// All of a model but its weights, which are in a safetensors file beside it.
#[derive(Debug, Serialize, Deserialize)]
struct SharedModel {
    id: String,
    created_s: i64,
    encoder: String,
    features_version: String,
    trained_on: usize,
    source: String,
    inventory_count: usize,
    reconstruction_error: f32,
    reason: String,
    figures: String,
}

fn files(shared: &Path, generation: &str) -> [PathBuf; 2] {
    ["safetensors", "json"].map(|end| shared.join(FOLDER).join(format!("{generation}.{end}")))
}

/// Writes a model for the other nodes, the weights first: whoever sees the second file finds both.
pub fn write(shared: &Path, row: &ModelRow) -> Result<(), Trouble> {
    let generation = generation_name(&row.id, &row.features_version, &row.weights);
    let [weights, rest] = files(shared, &generation);
    if rest.exists() && weights.exists() {
        return Ok(());
    }
    let model = SharedModel {
        id: row.id.clone(),
        created_s: row.created_s,
        encoder: row.encoder.name().into(),
        features_version: row.features_version.clone(),
        trained_on: row.trained_on,
        source: row.source.name().into(),
        inventory_count: row.inventory_count,
        reconstruction_error: row.reconstruction_error,
        reason: row.reason.clone(),
        figures: row.figures.clone(),
    };
    make_folder(&shared.join(FOLDER))?;
    write_whole(&weights, &row.weights, "give the model to the other nodes")?;
    let text = serde_json::to_vec_pretty(&model).unwrap_or_default();
    write_whole(&rest, &text, "give the model to the other nodes")
}

/// The model of a generation.
///
/// # Errors
/// When it is not there, or is not what the generation is called by.
pub fn read(shared: &Path, generation: &str) -> Result<ModelRow, Trouble> {
    let [weights, rest] = files(shared, generation);
    let bytes = |path: &Path| {
        let (folder, name) = path.parent().zip(path.file_name()).unwrap_or((shared, path.as_os_str()));
        FileAt::below(folder, Path::new(name)).read(LARGEST_BYTES).map_err(|problem| {
            let remedy =
                "see that all nodes have the same `shared` folder, and that the node which trains has written there";
            Trouble::new(format!("the model of the other nodes cannot be read: {problem}"), path, remedy)
        })
    };
    let unlike = || {
        let remedy = "remove it; the node which trains writes it again when it starts";
        Trouble::new("this is not the model that it is called", &rest, remedy)
    };
    let model: SharedModel = serde_json::from_slice(&bytes(&rest)?).map_err(|_| unlike())?;
    let weights = bytes(&weights)?;
    if generation_name(&model.id, &model.features_version, &weights) != generation {
        return Err(unlike());
    }
    Ok(ModelRow {
        id: model.id,
        created_s: model.created_s,
        encoder: StoredName::parse(model.encoder),
        features_version: model.features_version,
        trained_on: model.trained_on,
        source: StoredName::parse(model.source),
        inventory_count: model.inventory_count,
        reconstruction_error: model.reconstruction_error,
        weights,
        decision: Decision::Passed,
        reason: model.reason,
        figures: model.figures,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TrainingSource;
    use crate::config::Encoder;

    #[test]
    fn a_model_arrives_as_it_was_sent_or_not_at_all() {
        let shared = tempfile::tempdir().unwrap();
        let row = ModelRow {
            id: "m3-20261127-a".into(),
            created_s: 5,
            encoder: Encoder::Pretrained.into(),
            features_version: "f1".into(),
            trained_on: 40,
            source: TrainingSource::Inventory.into(),
            inventory_count: 0,
            reconstruction_error: 0.25,
            weights: vec![1, 2, 3],
            decision: Decision::Passed,
            reason: "it is better".into(),
            figures: "null".into(),
        };
        let generation = generation_name(&row.id, &row.features_version, &row.weights);
        assert!(read(shared.path(), &generation).unwrap_err().what.contains("cannot be read"));
        write(shared.path(), &row).unwrap();
        write(shared.path(), &row).unwrap();
        assert_eq!(read(shared.path(), &generation).unwrap(), row);
        std::fs::write(&files(shared.path(), &generation)[0], [1, 2]).unwrap();
        assert!(read(shared.path(), &generation).unwrap_err().what.contains("not the model"));
    }
}
