//! The settings: one TOML file, typed, with a default for every key.

mod bounded;
mod cause;
mod changes;
mod choices;
mod command;
mod crop;
mod date_range;
mod error;
mod excerpt;
mod exclude;
mod folders;
mod inventory;
mod load;
mod network;
mod node;
mod read;
mod schema;
mod scope;
mod sections;
mod set;
mod setup;
mod suggest;
mod syntax;
mod value;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bounded::{Bounded, Share, ShareOrAuto};
pub use cause::{Cause, NameKind, ValueKind};
pub use changes::{KeyChange, changes};
pub use choices::{
    Encoder, IndexEngine, LearnFromFolders, Level, Metric, PairMode, Refresh, SetMode, SheetFormat, Theme, WatchMode,
};
pub use command::{AnswerCommand, AnswerFacts};
pub use crop::Crop;
pub use date_range::{DateBound, DateRange};
pub use error::{ConfigError, Mistake, Position};
pub use exclude::ExcludePatterns;
pub use inventory::Inventory;
pub use load::{Source, load, parse, state_folder};
pub use network::{ChannelOrder, InputLayout, NetworkDescription, OutputPooling, description_of};
pub use node::{IndexSettings, NodeSettings};
pub use schema::schema;
pub use scope::{InventoryFolders, SearchScope};
pub use sections::{
    AnswerSettings, FolderSettings, LimitSettings, LogSettings, ModelSettings, SimilaritySettings, WatchSettings,
};
pub use set::{LONGEST_SET_FILE_BYTES, SET_FILE_NAME, SetSettings};
pub use setup::Setup;
pub use suggest::Suggestion;

/// All settings.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where pictures lie and answers go. Relative paths start at the root. Changes need a restart, but for `exclude`.
    pub folders: FolderSettings,
    /// How many matches an answer holds, and how it looks.
    pub answer: AnswerSettings,
    /// How similarity is measured.
    pub similarity: SimilaritySettings,
    /// The model, and when it is trained.
    pub model: ModelSettings,
    /// How changes in the folders are noticed.
    pub watch: WatchSettings,
    /// How many threads work, and what a single picture may cost.
    pub limits: LimitSettings,
    /// Where several daemons find one another's pictures. Changes need a restart.
    pub index: IndexSettings,
    /// What this daemon is to the others, where `engine` in `[index]` is not "embedded". Changes need a restart.
    pub node: NodeSettings,
    /// What is logged.
    pub log: LogSettings,
}
