//! Trained models. At most one is current; becoming current and the codes it needs are one transaction of the caller.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, Row, params};

use super::Catalog;
use crate::error::Trouble;
use crate::picture::Hash;

/// A trained model as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRow {
    /// Its name in records and messages.
    pub id: String,
    /// When it was trained, seconds since 1970.
    pub created_s: i64,
    /// Kind of encoder: "pretrained".
    pub encoder: String,
    /// Version of the trunk whose features it takes.
    pub trunk: String,
    /// Pictures it was trained on.
    pub trained_on: usize,
    /// Where they came from: "training" or "inventory".
    pub source: String,
    /// ‖x − x′‖² / ‖x − mean‖² over the training pictures.
    pub reconstruction_error: f32,
    /// The autoencoder, as safetensors.
    pub weights: Vec<u8>,
}

impl Catalog {
    /// The model that serves, if any has been trained.
    pub fn current_model(&self) -> Result<Option<ModelRow>, Trouble> {
        let find = || {
            self.connection
                .prepare_cached(
                    "SELECT id, created_s, encoder, trunk, trained_on, source, reconstruction_error, weights
                     FROM models WHERE is_current = 1 ORDER BY number DESC LIMIT 1",
                )?
                .query_row([], read_row)
                .optional()
        };
        find().map_err(|error| self.trouble("read", &error))
    }

    /// Adds a model as the current one and drops the oldest beyond `keep` former ones, with their codes.
    pub fn put_current_model(&self, model: &ModelRow, keep: usize) -> Result<(), Trouble> {
        self.write("UPDATE models SET is_current = 0", params![])?;
        self.write(
            "INSERT INTO models (id, created_s, encoder, trunk, trained_on, source, reconstruction_error, weights, is_current)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)",
            params![
                model.id,
                model.created_s,
                model.encoder,
                model.trunk,
                model.trained_on as i64,
                model.source,
                f64::from(model.reconstruction_error),
                model.weights
            ],
        )?;
        self.write(
            "DELETE FROM models WHERE is_current = 0 AND number NOT IN
             (SELECT number FROM models WHERE is_current = 0 ORDER BY number DESC LIMIT ?1)",
            params![keep as i64],
        )?;
        for table in ["codes", "trained_pictures"] {
            self.write(&format!("DELETE FROM {table} WHERE model NOT IN (SELECT id FROM models)"), params![])?;
        }
        Ok(())
    }

    /// Records that `model` was trained on the picture of this content.
    pub fn put_trained_picture(&self, model: &str, hash: Hash) -> Result<(), Trouble> {
        self.write("INSERT OR IGNORE INTO trained_pictures VALUES (?1, ?2)", params![model, hash.0])
    }

    /// The contents that `model` was trained on.
    pub fn trained_pictures(&self, model: &str) -> Result<HashSet<Hash>, Trouble> {
        let collect = || {
            let mut statement = self.connection.prepare_cached("SELECT hash FROM trained_pictures WHERE model = ?1")?;
            statement.query_map([model], |row| Ok(Hash(row.get(0)?)))?.collect::<rusqlite::Result<HashSet<_>>>()
        };
        collect().map_err(|error| self.trouble("read", &error))
    }

    /// How many models have ever been trained here; names the next one.
    pub fn models_trained(&self) -> Result<i64, Trouble> {
        let find = || {
            self.connection.query_row(
                "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'models'",
                [],
                |row| row.get(0),
            )
        };
        find().map_err(|error| self.trouble("read", &error))
    }
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<ModelRow> {
    Ok(ModelRow {
        id: row.get(0)?,
        created_s: row.get(1)?,
        encoder: row.get(2)?,
        trunk: row.get(3)?,
        trained_on: usize::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        source: row.get(5)?,
        reconstruction_error: row.get::<_, f64>(6)? as f32,
        weights: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str) -> ModelRow {
        ModelRow {
            id: id.into(),
            created_s: 1,
            encoder: "pretrained".into(),
            trunk: "t".into(),
            trained_on: 36,
            source: "inventory".into(),
            reconstruction_error: 0.25,
            weights: vec![1, 2, 3],
        }
    }

    #[test]
    fn the_newest_serves_and_the_oldest_go_with_their_codes() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        assert_eq!(catalog.current_model().unwrap(), None);
        for id in ["m1", "m2", "m3"] {
            catalog.put_current_model(&model(id), 1).unwrap();
            catalog.put_code(Hash::of(b"x"), id, &[1.0]).unwrap();
            catalog.put_trained_picture(id, Hash::of(b"x")).unwrap();
        }
        assert_eq!(catalog.current_model().unwrap(), Some(model("m3")));
        assert!(catalog.code(Hash::of(b"x"), "m1").unwrap().is_none());
        assert!(catalog.code(Hash::of(b"x"), "m2").unwrap().is_some());
        assert_eq!(catalog.models_trained().unwrap(), 3);
        assert!(catalog.trained_pictures("m1").unwrap().is_empty());
        assert_eq!(catalog.trained_pictures("m3").unwrap(), HashSet::from([Hash::of(b"x")]));
    }
}
