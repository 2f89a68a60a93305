//! `artificio models`: a list of the models with their figures, and the way back to one of them.

mod nodes;

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::arguments::{ModelsCommand, ModelsOptions};
use super::output;
use super::terminal::wrap_for_stdout;
use crate::catalog::{Catalog, Decision, ModelRow};
use crate::clock;
use crate::config;
use crate::config::Setup;
use crate::daemon::{Request, ask_service};
use crate::error::Fatal;
use crate::files::Lock;
use crate::model::{Autoencoder, FeatureKind, FolderReport};
use crate::network::features_in_force;
use crate::training::rollback::roll_back_alone;
use nodes::SharedModels;

/// Columns that the lines about a model are indented by.
const INDENT: usize = 4;

/// A model as it is listed.
#[derive(Debug, Serialize)]
struct ListedModel {
    id: String,
    /// "serves", "kept" or "refused".
    state: &'static str,
    created_s: i64,
    encoder: String,
    trained_on: usize,
    source: String,
    /// How many inventory pictures were trained on in addition.
    #[serde(rename = "beside")]
    inventory_count: usize,
    reconstruction_error: f32,
    decision: &'static str,
    reason: String,
    /// What folders gave it, or why nothing; null where nothing was learned at all.
    folders: Option<FolderReport>,
    figures: Value,
}

impl ListedModel {
    fn from_row((row, serves): (ModelRow, bool), in_force: &FeatureKind) -> Self {
        let state = match (serves, row.decision) {
            (true, _) => "serves",
            (false, Decision::Refused) => "refused",
            (false, _) => "kept",
        };
        // One of an encoder, or a version, of which this program knows nothing is listed all the same.
        let bundled = row.encoder.known().map(FeatureKind::of);
        let kinds = [Some(in_force.clone()), bundled].into_iter().flatten();
        let autoencoder = kinds
            .filter(|kind| kind.are_taken_by(&row))
            .find_map(|kind| Autoencoder::from_safetensors(&kind, &row.weights).ok());
        Self {
            folders: autoencoder.as_ref().map(Autoencoder::folder_report),
            id: row.id,
            state,
            created_s: row.created_s,
            encoder: row.encoder.name().into(),
            trained_on: row.trained_on,
            source: row.source.name().into(),
            inventory_count: row.inventory_count,
            reconstruction_error: row.reconstruction_error,
            decision: row.decision.name(),
            reason: row.reason,
            figures: serde_json::from_str(&row.figures).unwrap_or_default(),
        }
    }
}

pub fn run(options: &ModelsOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    let config = config::load(&setup.source, &setup.root)?;
    let state = &config.folders.state;
    if !state.join(crate::catalog::FILE_NAME).exists() {
        return Err(Fatal::Failed(format!(
            "{}: no model has been trained here; that happens by itself when the service runs: artificio --root '{}'",
            state.display(),
            setup.root.display()
        )));
    }
    if let Some(ModelsCommand::Rollback { id }) = &options.command {
        let id = match Lock::is_held(state) {
            true => {
                let reply = ask_service(state, &Request::Rollback { model: id.clone() }, &mut || true)?;
                reply.model.ok_or(Fatal::Failed(reply.message))?
            }
            false => roll_back_alone(state, id.as_deref(), &features_in_force(&config))?,
        };
        output::print(&format!("model {id} serves; it is not retrained until pictures have changed\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let in_force = features_in_force(&config);
    let rows = Catalog::open_reader(state)?.models()?;
    let models: Vec<ListedModel> = rows.into_iter().map(|row| ListedModel::from_row(row, &in_force)).collect();
    let shared = SharedModels::read(&config)?;
    if options.json {
        output::print_json(&serde_json::json!({ "serving": serving(&models), "models": models, "shared": shared }))?;
    } else {
        let of_nodes = shared.map(|shared| shared.text(clock::now_s(), &clock::local_text)).unwrap_or_default();
        output::print(&wrap_for_stdout(&(table(&models, &clock::local_text) + &of_nodes), INDENT))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of the model in use.
fn serving(models: &[ListedModel]) -> &str {
    models.iter().find(|model| model.state == "serves").map_or(crate::model::UNTRAINED_ID, |model| &model.id)
}

/// `moment` writes a time in seconds since 1970 as text.
fn table(models: &[ListedModel], moment: &dyn Fn(i64) -> String) -> String {
    let mut text = format!("{:<15}{:<9}{:<25}{:>6}\n", "model", "state", "trained", "kept");
    for model in models {
        let (moment, kept) = (moment(model.created_s), 100.0 * (1.0 - model.reconstruction_error));
        text += &format!("{:<14} {:<9}{moment:<25}{kept:>5.1}%\n", model.id, model.state);
        let more = if model.inventory_count > 0 {
            format!(" and {} of the inventory", model.inventory_count)
        } else {
            String::new()
        };
        text += &format!("    {} encoder, on {} {} pictures{more}\n", model.encoder, model.trained_on, model.source);
        text += &format!("    {}\n", model.reason);
        if let Some(folders) = &model.folders {
            text += &format!("    {}\n", folders.message);
        }
    }
    let serves = if serving(models) == crate::model::UNTRAINED_ID { "serves" } else { "kept" };
    text += &format!("{:<15}{serves}\n    the network as it is, before any training\n", crate::model::UNTRAINED_ID);
    text + "\nkept: share of the variance between the pictures that the codes keep\nback to a model: artificio models rollback MODEL\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, state: &'static str) -> ListedModel {
        ListedModel {
            id: id.into(),
            state,
            created_s: 0,
            encoder: "pretrained".into(),
            trained_on: 324,
            source: "training".into(),
            inventory_count: 486,
            reconstruction_error: 0.265,
            decision: "passed",
            reason: "separation score 4.91 (before: 4.84) on 128 test pictures".into(),
            folders: Some(FolderReport::none("no folders taught: there were none")),
            figures: Value::Null,
        }
    }

    #[test]
    fn models_are_listed_like_this() {
        let second = ListedModel {
            inventory_count: 0,
            source: "inventory".into(),
            trained_on: 36,
            ..listed("m1-20261124", "kept")
        };
        let expected = "\
model          state    trained                    kept
m2-20261124    serves   24 November 2026, 01:20   73.5%
    pretrained encoder, on 324 training pictures and 486 of the inventory
    separation score 4.91 (before: 4.84) on 128 test pictures
    no folders taught: there were none
m1-20261124    kept     24 November 2026, 01:20   73.5%
    pretrained encoder, on 36 inventory pictures
    separation score 4.91 (before: 4.84) on 128 test pictures
    no folders taught: there were none
features       kept
    the network as it is, before any training

kept: share of the variance between the pictures that the codes keep
back to a model: artificio models rollback MODEL
";
        let moment = |_| "24 November 2026, 01:20".to_string();
        assert_eq!(table(&[listed("m2-20261124", "serves"), second], &moment), expected);
    }

    #[test]
    fn without_a_model_the_network_as_it_is_serves() {
        assert_eq!(serving(&[listed("m1", "refused")]), "features");
        assert!(table(&[], &|_| String::new()).contains("features       serves"));
    }
}
