//! `artificio models`: which there are, how good they are, which one serves; and back to one of them.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::arguments::{ModelsCommand, ModelsOptions};
use super::{output, terminal};
use crate::catalog::{Catalog, Decision, ModelRow};
use crate::clock;
use crate::config;
use crate::daemon::{Request, Setup, ask_service, roll_back_alone};
use crate::error::Fatal;
use crate::files::Lock;

/// What is said of a model is set in by so much.
const HANG: usize = 4;

/// A model as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    /// "serves", "kept" or "refused".
    state: &'static str,
    created_s: i64,
    encoder: String,
    trained_on: usize,
    source: String,
    beside: usize,
    reconstruction_error: f32,
    decision: &'static str,
    reason: String,
    figures: Value,
}

impl Listed {
    fn of((row, serves): (ModelRow, bool)) -> Self {
        let state = match (serves, row.decision) {
            (true, _) => "serves",
            (false, Decision::Refused) => "refused",
            (false, _) => "kept",
        };
        Self {
            id: row.id,
            state,
            created_s: row.created_s,
            encoder: row.encoder,
            trained_on: row.trained_on,
            source: row.source,
            beside: row.beside,
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
            false => roll_back_alone(state, id.as_deref(), config.model.encoder)?,
        };
        output::print(&format!("model {id} serves; it is not trained anew until pictures have changed\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let models: Vec<Listed> = Catalog::open_reader(state)?.models()?.into_iter().map(Listed::of).collect();
    match options.json {
        true => output::print_json(&serde_json::json!({ "serving": serving(&models), "models": models }))?,
        false => {
            let table = table(&models, &clock::local_text);
            let size = terminal::size(&std::io::stdout());
            output::print(&size.map_or(table.clone(), |size| terminal::laid(&table, size.columns, HANG)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of the model that answers.
fn serving(models: &[Listed]) -> &str {
    models.iter().find(|model| model.state == "serves").map_or(crate::model::UNTRAINED_ID, |model| &model.id)
}

fn table(models: &[Listed], moment: &dyn Fn(i64) -> String) -> String {
    let mut text = format!("{:<15}{:<9}{:<25}{:>6}\n", "model", "state", "trained", "kept");
    for model in models {
        let (moment, kept) = (moment(model.created_s), 100.0 * (1.0 - model.reconstruction_error));
        text += &format!("{:<14} {:<9}{moment:<25}{kept:>5.1}%\n", model.id, model.state);
        let beside =
            if model.beside > 0 { format!(" beside {} of the inventory", model.beside) } else { String::new() };
        text += &format!("    {} encoder, on {} {} pictures{beside}\n", model.encoder, model.trained_on, model.source);
        text += &format!("    {}\n", model.reason);
    }
    let serves = if serving(models) == crate::model::UNTRAINED_ID { "serves" } else { "kept" };
    text += &format!("{:<15}{serves}\n    the network as it is, before any training\n", crate::model::UNTRAINED_ID);
    text + "\nkept, in %: what the code keeps of what tells the pictures apart\nback to a model: artificio models rollback MODEL\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, state: &'static str) -> Listed {
        Listed {
            id: id.into(),
            state,
            created_s: 0,
            encoder: "pretrained".into(),
            trained_on: 324,
            source: "training".into(),
            beside: 486,
            reconstruction_error: 0.265,
            decision: "passed",
            reason: "of 128 pictures changed views stand 4.91 deviations apart from others, 4.84 with m1".into(),
            figures: Value::Null,
        }
    }

    #[test]
    fn models_are_listed_like_this() {
        let second = Listed { beside: 0, source: "inventory".into(), trained_on: 36, ..listed("m1-20261124", "kept") };
        let expected = "\
model          state    trained                    kept
m2-20261124    serves   24 November 2026, 01:20   73.5%
    pretrained encoder, on 324 training pictures beside 486 of the inventory
    of 128 pictures changed views stand 4.91 deviations apart from others, 4.84 with m1
m1-20261124    kept     24 November 2026, 01:20   73.5%
    pretrained encoder, on 36 inventory pictures
    of 128 pictures changed views stand 4.91 deviations apart from others, 4.84 with m1
features       kept
    the network as it is, before any training

kept, in %: what the code keeps of what tells the pictures apart
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
