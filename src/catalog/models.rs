//! The catalog's table of trained models, refused ones included. At most one is current: the caller makes a model current and
//! stores the embeddings it needs in one transaction.

use std::collections::HashSet;

use rusqlite::{OptionalExtension, Row, params};

use super::stored_name::{Choice, StoredName, TrainingSource};
use super::{Catalog, Root};
use crate::config::Encoder;
use crate::error::Trouble;
use crate::picture::Hash;

/// A trained model as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRow {
    /// Its name in records and messages.
    pub id: String,
    /// When it was trained, seconds since 1970.
    pub created_s: i64,
    /// Kind of encoder.
    pub encoder: StoredName<Encoder>,
    /// Version of the features it takes; the column is called `trunk`.
    pub features_version: String,
    /// Pictures it was trained on.
    pub trained_on: usize,
    /// Where they came from.
    pub source: StoredName<TrainingSource>,
    /// Inventory pictures it was trained on as well; the column is called `beside`.
    pub inventory_count: usize,
    /// ‖x − x′‖² / ‖x − mean‖² over the training pictures.
    pub reconstruction_error: f32,
    /// The autoencoder, as safetensors. A refused model has it too, so that one can see why it was refused. Empty where
    /// nothing was learned.
    pub weights: Vec<u8>,
    /// Whether it may serve.
    pub decision: Decision,
    /// The same as a sentence, for a person.
    pub reason: String,
    /// What the decision rests on, as JSON.
    pub figures: String,
}

/// A picture that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainedPicture {
    /// Where it lay.
    pub root: Root,
    /// What it was.
    pub content: Hash,
    /// Which folders it lay in, as `training::regrouping` writes them; `None` where the training did not ask for folders.
    pub folders: Option<Vec<u8>>,
}

/// Models that were damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DroppedModels {
    /// How many.
    pub count: u32,
    /// Whether the one that served may be among them.
    pub may_have_served: bool,
}

/// What was decided about a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It was made by a version of the program without the check.
    Unchecked,
    /// It is good enough to serve.
    Passed,
    /// It is not, and never served.
    Refused,
}

impl Decision {
    /// As kept in the catalog and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Passed => "passed",
            Self::Refused => "refused",
        }
    }

    fn of(name: &str) -> Self {
        [Self::Passed, Self::Refused].into_iter().find(|one| one.name() == name).unwrap_or(Self::Unchecked)
    }
}

const COLUMNS: &str = "id, created_s, encoder, trunk, trained_on, source, beside, reconstruction_error, weights, decision, reason, figures";

impl Catalog {
    /// The model that serves, if any has been trained.
    pub fn current_model(&self) -> Result<Option<ModelRow>, Trouble> {
        self.first_model("is_current = 1", params![])
    }

    /// The model of that id.
    pub fn model(&self, id: &str) -> Result<Option<ModelRow>, Trouble> {
        self.first_model("id = ?1", params![id])
    }

    /// The last model of an encoder that was trained on pictures from `source`, whether it passed or not.
    pub fn last_model(&self, encoder: Encoder, source: TrainingSource) -> Result<Option<ModelRow>, Trouble> {
        self.first_model("encoder = ?1 AND source = ?2", params![encoder.name(), source.name()])
    }

    fn first_model(&self, which: &str, values: impl rusqlite::Params) -> Result<Option<ModelRow>, Trouble> {
        let statement = format!(
            "SELECT {COLUMNS} FROM models WHERE {which} AND checksum IS {} ORDER BY number DESC LIMIT 1",
            checksum("is_current")
        );
        let find = || self.connection.prepare_cached(&statement)?.query_row(values, read_row).optional();
        find().map_err(|error| self.trouble("read", &error))
    }

    /// Every stored model, the newest first, and whether it serves.
    pub fn models(&self) -> Result<Vec<(ModelRow, bool)>, Trouble> {
        let statement = format!(
            "SELECT {COLUMNS}, is_current FROM models WHERE checksum IS {} ORDER BY number DESC",
            checksum("is_current")
        );
        let collect = || {
            let mut statement = self.connection.prepare_cached(&statement)?;
            let rows = statement.query_map([], |row| Ok((read_row(row)?, row.get("is_current")?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        collect().map_err(|error| self.trouble("read", &error))
    }

    /// The versions of the features of every model that serves, or could serve again: of the `keep` last ones that passed.
    pub fn feature_versions(&self, keep: usize) -> Result<HashSet<String>, Trouble> {
        let collect = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT trunk FROM models WHERE is_current = 1 OR number IN (SELECT number FROM models
                 WHERE is_current = 0 AND decision <> 'refused' ORDER BY number DESC LIMIT ?1)",
            )?;
            let (mut rows, mut versions) = (statement.query([keep as i64])?, HashSet::new());
            while let Some(row) = rows.next()? {
                versions.extend(row.get::<_, String>(0));
            }
            Ok(versions)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Adds a model, under the number reserved last; it does not serve yet.
    pub fn put_model(&self, model: &ModelRow) -> Result<(), Trouble> {
        self.write(
            &format!(
                "INSERT INTO models (number, {COLUMNS}, is_current, checksum) VALUES
                 ((SELECT seq FROM sqlite_sequence WHERE name = 'models' AND seq NOT IN (SELECT number FROM models)),
                  ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 0)"
            ),
            params![
                model.id,
                model.created_s,
                model.encoder.name(),
                model.features_version,
                model.trained_on as i64,
                model.source.name(),
                model.inventory_count as i64,
                f64::from(model.reconstruction_error),
                model.weights,
                model.decision.name(),
                model.reason,
                model.figures
            ],
        )?;
        // Its number is known only now.
        self.write(&format!("UPDATE models SET checksum = {} WHERE id = ?1", checksum("is_current")), [&model.id])
    }

    /// Lets the model of that id serve, and no other; with `None` none does.
    pub fn make_current(&self, id: Option<&str>) -> Result<(), Trouble> {
        let (serves, is_intact) = ("(id IS ?1)", checksum("is_current"));
        self.write(
            &format!(
                "UPDATE models SET is_current = {serves}, checksum = {} WHERE is_current IS NOT {serves} AND checksum IS {is_intact}",
                checksum(serves)
            ),
            params![id],
        )
    }

    /// Deletes the models that are not as they were written, or cannot be told from such.
    pub fn drop_damaged_models(&self) -> Result<DroppedModels, Trouble> {
        let is_damaged = format!("checksum IS NOT {}", checksum("is_current"));
        let count = || {
            let statement =
                format!("SELECT count(*), coalesce(max(is_current IS NOT 0), 0) FROM models WHERE {is_damaged}");
            self.connection.query_row(&statement, [], |row| {
                Ok(DroppedModels { count: row.get::<_, u32>(0)?, may_have_served: row.get(1)? })
            })
        };
        let dropped = count().map_err(|error| self.trouble("read", &error))?;
        if dropped.count > 0 {
            self.write(&format!("DELETE FROM models WHERE {is_damaged}"), [])?;
        }
        Ok(dropped)
    }

    /// Deletes a model; its embeddings are deleted later, a few at a time.
    pub fn forget_model(&self, id: &str) -> Result<(), Trouble> {
        self.write("DELETE FROM models WHERE id = ?1", params![id])
    }

    /// Deletes the oldest models beyond `keep` of those that served and `keep` of those that were refused. The one that
    /// serves stays, and so does the last of every source: its training pictures decide when to train again.
    pub fn drop_old_models(&self, keep: usize) -> Result<(), Trouble> {
        self.write(
            "DELETE FROM models WHERE is_current = 0
             AND number NOT IN (SELECT max(number) FROM models GROUP BY encoder, source)
             AND number NOT IN (SELECT number FROM models
                                WHERE is_current = 0 AND decision <> 'refused' ORDER BY number DESC LIMIT ?1)
             AND number NOT IN (SELECT number FROM models WHERE decision = 'refused' ORDER BY number DESC LIMIT ?1)",
            params![keep as i64],
        )
    }

    /// Deletes up to `limit` embeddings, or trained pictures, of a model that is neither stored nor `in_training`; `false` when there
    /// were none.
    pub fn drop_orphaned_embeddings(&self, in_training: Option<&str>, limit: usize) -> Result<bool, Trouble> {
        for (table, delete) in [
            ("codes", "DELETE FROM codes WHERE rowid IN (SELECT rowid FROM codes WHERE model = ?1 LIMIT ?2)"),
            (
                "trained_pictures",
                "DELETE FROM trained_pictures WHERE model = ?1
                 AND (root, hash) IN (SELECT root, hash FROM trained_pictures WHERE model = ?1 LIMIT ?2)",
            ),
        ] {
            let mut owner = String::new();
            while let Some(next) = self.next_owner(table, "model", &owner)? {
                owner = next;
                if in_training != Some(&owner) && self.model(&owner)?.is_none() {
                    self.write(delete, params![owner, limit as i64])?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Records that `model` was trained on a picture.
    pub fn put_trained_picture(&self, model: &str, picture: &TrainedPicture) -> Result<(), Trouble> {
        self.write(
            "INSERT OR IGNORE INTO trained_pictures VALUES (?1, ?2, ?3, ?4)",
            params![model, picture.root.number(), picture.content.0, picture.folders],
        )
    }

    /// The pictures of a root that `model` was trained on, those with the smallest hashes first, at most `count`.
    pub fn trained_pictures(&self, model: &str, root: Root, count: usize) -> Result<Vec<TrainedPicture>, Trouble> {
        let collect = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT hash, folders FROM trained_pictures WHERE model = ?1 AND root = ?2 ORDER BY hash LIMIT ?3",
            )?;
            let mut rows = statement.query(params![model, root.number(), count as i64])?;
            let mut pictures = Vec::new();
            while let Some(row) = rows.next()? {
                // They decide when to train again: one that is damaged is as good as a picture that came since.
                if let (Ok(hash), Ok(folders)) = (row.get(0), row.get(1)) {
                    pictures.push(TrainedPicture { root, content: Hash(hash), folders });
                }
            }
            Ok(pictures)
        };
        collect().map_err(|error: rusqlite::Error| self.trouble("read", &error))
    }

    /// Reserves the number of the next model, which is named after it, for good: the number of a training that is cut off is never
    /// given again, so no other model can take the embeddings that it left for its own.
    pub fn reserve_model_number(&mut self) -> Result<i64, Trouble> {
        self.together(|catalog| {
            let counted = "FROM sqlite_sequence WHERE name = 'models'";
            catalog.write(
                &format!("INSERT INTO sqlite_sequence SELECT 'models', 0 WHERE NOT EXISTS (SELECT 1 {counted})"),
                params![],
            )?;
            catalog.write("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'models'", params![])?;
            let find = || catalog.connection.query_row(&format!("SELECT seq {counted}"), [], |row| row.get(0));
            find().map_err(|error| catalog.trouble("read", &error))
        })
    }
}

/// The checksum of a row, with this expression for whether it serves.
fn checksum(is_current: &str) -> String {
    format!(
        "row_checksum('models', number, id, created_s, encoder, trunk, trained_on, source, reconstruction_error, weights,
         {is_current}, beside, decision, reason, figures)"
    )
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<ModelRow> {
    Ok(ModelRow {
        id: row.get(0)?,
        created_s: row.get(1)?,
        encoder: StoredName::parse(row.get(2)?),
        features_version: row.get(3)?,
        trained_on: usize::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        source: StoredName::parse(row.get(5)?),
        inventory_count: usize::try_from(row.get::<_, i64>(6)?).unwrap_or(0),
        reconstruction_error: row.get::<_, f64>(7)? as f32,
        weights: row.get(8)?,
        decision: Decision::of(&row.get::<_, String>(9)?),
        reason: row.get(10)?,
        figures: row.get(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, decision: Decision) -> ModelRow {
        ModelRow {
            id: id.into(),
            created_s: 1,
            encoder: Encoder::Pretrained.into(),
            features_version: "t".into(),
            trained_on: 36,
            source: TrainingSource::Inventory.into(),
            inventory_count: 0,
            reconstruction_error: 0.25,
            weights: vec![1, 2, 3],
            decision,
            reason: "as good as the model before".into(),
            figures: "{}".into(),
        }
    }

    fn trained(content: &[u8]) -> TrainedPicture {
        TrainedPicture { root: Root::Training, content: Hash::of(content), folders: Some(vec![1, 2]) }
    }

    fn ids(catalog: &Catalog) -> Vec<String> {
        catalog.models().unwrap().into_iter().map(|(row, _)| row.id).collect()
    }

    #[test]
    fn the_oldest_go_with_their_embeddings_a_few_at_a_time() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        assert_eq!(catalog.current_model().unwrap(), None);
        for id in ["m1", "m2", "m3"] {
            catalog.put_model(&model(id, Decision::Passed)).unwrap();
            catalog.make_current(Some(id)).unwrap();
            catalog.drop_old_models(1).unwrap();
            for content in 0..5_u8 {
                catalog.put_embedding(Hash::of(&[content]), id, &[1.0]).unwrap();
            }
            catalog.put_trained_picture(id, &trained(b"x")).unwrap();
        }
        assert_eq!(catalog.current_model().unwrap(), Some(model("m3", Decision::Passed)));
        assert_eq!(ids(&catalog), ["m3", "m2"]);
        catalog.put_embedding(Hash::of(&[0]), "m4", &[1.0]).unwrap();
        let mut rounds = 0;
        while catalog.drop_orphaned_embeddings(Some("m4"), 2).unwrap() {
            rounds += 1;
        }
        assert_eq!(rounds, 4, "five embeddings, two at a time, and a trained picture");
        assert_eq!(["m1", "m2"].map(|id| catalog.trained_pictures(id, Root::Training, 9).unwrap().len()), [0, 1]);
        let has_embedding = |id| catalog.embedding(Hash::of(&[0]), id).unwrap().is_some();
        assert_eq!(["m1", "m2", "m3", "m4"].map(has_embedding), [false, true, true, true]);
        assert!(catalog.drop_orphaned_embeddings(None, 2).unwrap() && !has_embedding("m4"));
    }

    #[test]
    fn a_model_goes_back_to_serving_and_the_backbone_alone_too() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        for id in ["m1", "m2"] {
            catalog.put_model(&model(id, Decision::Passed)).unwrap();
        }
        assert_eq!(catalog.current_model().unwrap(), None, "kept is not yet serving");
        let serving = |id: Option<&str>| {
            catalog.make_current(id).unwrap();
            catalog.current_model().unwrap().map(|row| row.id)
        };
        assert_eq!(serving(Some("m2")).as_deref(), Some("m2"));
        assert_eq!(serving(Some("m1")).as_deref(), Some("m1"));
        assert_eq!(serving(None), None);
    }

    #[test]
    fn the_last_of_every_source_stays_however_many_come_after_it() {
        let state = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        let refused = ModelRow { source: TrainingSource::Training.into(), ..model("m1", Decision::Refused) };
        catalog.put_model(&refused).unwrap();
        catalog.put_trained_picture("m1", &trained(b"x")).unwrap();
        for id in ["m2", "m3", "m4", "m5"] {
            catalog.put_model(&model(id, Decision::Refused)).unwrap();
        }
        catalog.drop_old_models(2).unwrap();
        assert_eq!(ids(&catalog), ["m5", "m4", "m1"]);
        assert_eq!(catalog.last_model(Encoder::Pretrained, TrainingSource::Training).unwrap(), Some(refused));
        assert_eq!(catalog.trained_pictures("m1", Root::Training, 9).unwrap(), [trained(b"x")]);
        assert_eq!(catalog.trained_pictures("m1", Root::Inventory, 9).unwrap(), []);
    }

    #[test]
    fn the_number_of_a_training_that_was_cut_off_is_never_given_again() {
        let state = tempfile::tempdir().unwrap();
        let reserve = || Catalog::open(state.path()).unwrap().catalog.reserve_model_number().unwrap();
        assert_eq!([reserve(), reserve()], [1, 2]);
        let catalog = Catalog::open(state.path()).unwrap().catalog;
        catalog.put_model(&model("m2", Decision::Passed)).unwrap();
        assert_eq!([reserve(), reserve()], [3, 4]);
        // A catalog of an earlier program, in which nothing was reserved: its models were counted as they were stored.
        for id in ["m4", "m5", "m6"] {
            catalog.put_model(&model(id, Decision::Passed)).unwrap();
        }
        assert_eq!((reserve(), ids(&catalog)), (7, ["m6", "m5", "m4", "m2"].map(String::from).to_vec()));
        catalog.forget_model("m6").unwrap();
        assert_eq!(reserve(), 8);
    }
}
