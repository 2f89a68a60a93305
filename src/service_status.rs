//! The content of `status.json`: what the daemon is doing, for scripts, for `artificio status` and for people.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::catalog::ModelRow;
use crate::config::ModelSettings;
use crate::error::Trouble;
use crate::files::{read_own, replace_quick};
use crate::model::{FeatureKind, FolderReport, Model};
use crate::nodes::EngineStatusPart;
use crate::sandbox::ConfinementReport;
use crate::training::handle::Stage;
use crate::training::network_change::BUNDLED_NAME;

/// The file's name inside the state folder.
pub const FILE_NAME: &str = "status.json";
/// It is smaller by far; no command reads a larger one.
const LARGEST_BYTES: u64 = 16 << 20;
/// Most problems listed; `problem_count` counts all.
pub const PROBLEM_LIMIT: usize = 100;

/// The content of `status.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceStatus {
    /// The state of the daemon as a whole.
    pub state: State,
    /// The process.
    pub pid: u32,
    /// The program's version.
    pub version: &'static str,
    /// When it was started, in seconds since 1970.
    pub started_s: i64,
    /// The inventory.
    pub inventory: InventoryPart,
    /// The queries.
    pub queries: QueriesPart,
    /// The model that serves.
    pub model: ServedModelPart,
    /// The engine that several nodes share, and those nodes; null where this daemon is alone.
    pub engine: Option<EngineStatusPart>,
    /// Folders for which the system sends events.
    pub watched_folders: usize,
    /// Keys of changed settings that take effect only after a restart, such as "folders.query".
    pub awaiting_restart: Vec<String>,
    /// Problems of the service as a whole, not of single files; they come first in `problems`.
    pub degraded_by: Vec<Trouble>,
    /// The settings.
    pub settings: ServiceSettingsPart,
    /// What the process is confined to.
    pub confined: ConfinementReport,
    /// How many problems there are.
    pub problem_count: usize,
    /// The first of them.
    pub problems: Vec<Trouble>,
}

/// The state of the daemon as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Folders are being scanned for the first time.
    Starting,
    /// All is well.
    Ready,
    /// It works, but something needs a person.
    Degraded,
    /// It is stopping.
    Stopping,
}

impl State {
    /// As in `status.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Stopping => "stopping",
        }
    }
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceSettingsPart {
    /// Number of reloads by a signal.
    pub reloads: u64,
    /// The mistake in the file, while the earlier settings stay in force.
    pub problem: Option<String>,
}

/// The inventory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InventoryPart {
    /// Files seen.
    pub files: usize,
    /// Of these, searchable.
    pub indexed: usize,
    /// Of these, still to be read.
    pub pending: usize,
    /// Of these, unusable.
    pub failed: usize,
    /// Files that are passed over, because a photograph of the same stem stands for them.
    pub paired: usize,
    /// Files and folders that are passed over because a pattern of `exclude` names them; what lies in such a folder is not counted.
    pub excluded: usize,
    /// Pictures a second, while any are read; otherwise null.
    pub per_second: Option<f32>,
    /// Seconds until all are read, at this pace.
    pub remaining_s: Option<u64>,
}

/// The queries; answers since the first start are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueriesPart {
    /// With an answer that is not an error.
    pub answered: usize,
    /// With an error answer.
    pub failed: usize,
    /// Waiting.
    pub pending: usize,
}

/// The model that serves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServedModelPart {
    /// Its name in records.
    pub id: String,
    /// Kind of encoder.
    pub encoder: &'static str,
    /// Pictures it was trained on; 0 before the first training.
    pub trained_on: usize,
    /// What the folders of these pictures gave it, or why nothing.
    pub folders: FolderReport,
    /// The network beneath it.
    pub network: NetworkPart,
    /// The training under way.
    pub training: Option<TrainingPart>,
    /// The result of the last training.
    pub last_training: Option<LastTrainingPart>,
}

/// The network that makes the features.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkPart {
    /// "bundled", or the name that the file of the user's own had when it was taken over.
    pub name: String,
    /// While pictures are encoded with another one: how far that is.
    pub next: Option<NextNetworkPart>,
}

/// An exchange of the network under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextNetworkPart {
    /// "reading" while pictures are read and encoded, then "encoding" of the embeddings.
    pub stage: Stage,
    /// Progress of this stage, 0 to 1.
    pub share: f32,
}

/// The result of a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LastTrainingPart {
    /// The model's id.
    pub id: String,
    /// "passed", "refused" or "unchecked".
    pub decision: &'static str,
    /// Why, as the rest of a sentence that begins with the model.
    pub reason: String,
    /// What the decision is based on.
    pub figures: serde_json::Value,
}

impl LastTrainingPart {
    /// From a stored model.
    pub fn of(row: &ModelRow) -> Self {
        Self {
            id: row.id.clone(),
            decision: row.decision.name(),
            reason: row.reason.clone(),
            figures: serde_json::from_str(&row.figures).unwrap_or_default(),
        }
    }
}

/// The training under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingPart {
    /// The id the new model will have.
    pub id: String,
    /// Pictures it is trained on.
    pub pictures: usize,
    /// Where they come from: "training" or "inventory".
    pub source: &'static str,
    /// Its stage.
    pub stage: Stage,
    /// Progress of this stage, 0 to 1.
    pub share: f32,
}

/// The file in a state folder, as a command of any user reads it: it may be that of an earlier run.
pub fn read(state_folder: &Path) -> io::Result<String> {
    let bytes = read_own(&state_folder.join(FILE_NAME), LARGEST_BYTES)?;
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

impl ServiceStatus {
    /// Of a service that waits for its state folder because of `trouble`, and knows nothing yet.
    pub fn waiting(settings: &ModelSettings, confined: ConfinementReport, trouble: Trouble, started_s: i64) -> Self {
        let model = Model::untrained(settings, FeatureKind::of(settings.encoder));
        Self {
            state: State::Degraded,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
            started_s,
            inventory: InventoryPart {
                files: 0,
                indexed: 0,
                pending: 0,
                failed: 0,
                paired: 0,
                excluded: 0,
                per_second: None,
                remaining_s: None,
            },
            queries: QueriesPart { answered: 0, failed: 0, pending: 0 },
            model: ServedModelPart {
                id: model.id().into(),
                encoder: model.encoder().name(),
                trained_on: 0,
                folders: model.folder_report(),
                network: NetworkPart { name: BUNDLED_NAME.into(), next: None },
                training: None,
                last_training: None,
            },
            engine: None,
            watched_folders: 0,
            awaiting_restart: Vec::new(),
            degraded_by: vec![trouble.clone()],
            settings: ServiceSettingsPart { reloads: 0, problem: None },
            confined,
            problem_count: 1,
            problems: vec![trouble],
        }
    }

    /// Writes the file into the state folder.
    pub fn write(&self, state_folder: &Path) -> Result<(), Trouble> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        replace_quick(&state_folder.join(FILE_NAME), &text, "write the status")
    }
}
