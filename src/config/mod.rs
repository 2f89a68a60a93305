//! The settings: one TOML file, typed, with a default for every key.

mod changes;
mod folder;
mod load;
mod mistake;
mod report;
mod set;
mod setup;
mod within;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use changes::{KeyChange, changes};
pub use load::{Source, load, parse, state_folder};
pub use set::{SET_FILE_NAME, SetSettings};
pub use setup::Setup;
pub use within::{Share, Within};

/// Below this the best match shows something else. Measured on the trunk's features by `benches/strangers.py`, each set as
/// the inventory, the others' queries as strangers. No right answer is lost: of 378 queries with a label of their own none
/// is below 0.40. Of the strangers it tells, asked of food (36 pictures) 46 %, of grocery (486) 26 %, of caltech90 (720 of 90
/// kinds, where much has something in common) 17 %; 0.4 would tell 79 %, 52 % and 38 %, 0.5 97 %, 95 % and 88 %, but lose
/// 3 % of the right answers on caltech90. `closer_than` tells them apart far less: the best of many pictures is closer than
/// nearly all pairs, whatever it shows.
const MIN_LIKENESS: f32 = 0.35;

/// All settings. Each field's meaning stands beside its default in `config/artificio.toml`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the pictures lie and where answers go.
    pub folders: FolderSettings,
    /// How answers look and how many matches they hold.
    pub answer: AnswerSettings,
    /// How likeness is measured.
    pub similarity: SimilaritySettings,
    /// The model and when it trains.
    pub model: ModelSettings,
    /// How the folders are watched.
    pub watch: WatchSettings,
    /// What a single picture may cost.
    pub limits: LimitSettings,
    /// What is written to the log.
    pub log: LogSettings,
}

/// `[folders]`: relative paths start at the root.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FolderSettings {
    /// Queries.
    #[serde(deserialize_with = "folder::named")]
    pub query: PathBuf,
    /// The pictures to find.
    #[serde(deserialize_with = "folder::named")]
    pub inventory: PathBuf,
    /// The pictures to train on.
    #[serde(deserialize_with = "folder::named")]
    pub training: PathBuf,
    /// Sheets and records.
    #[serde(deserialize_with = "folder::named")]
    pub answer: PathBuf,
    /// The daemon's own files.
    #[serde(deserialize_with = "folder::named")]
    pub state: PathBuf,
}

/// `[answer]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerSettings {
    /// Matches on a sheet (k).
    pub results: Within<1, 50>,
    /// Colours of the sheet.
    pub theme: Theme,
    /// Width of the sheet in pixels.
    pub width_px: Within<640, 4096>,
    /// Columns of the grid of matches; 0 = as many as suit their number.
    pub columns: Within<0, 12>,
    /// Kind of file the sheet is.
    pub format: SheetFormat,
    /// Matches closer than fewer than this share of inventory pairs are left out.
    pub min_score: Share,
    /// When an answer given before is given anew.
    pub refresh: Refresh,
    /// When even the nearest picture's features are less alike than this (cosine), nothing is similar.
    pub min_likeness: Share,
    /// Whether near-identical matches are shown as one.
    pub collapse_duplicates: bool,
}

/// `[similarity]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimilaritySettings {
    /// How two codes are compared.
    pub metric: Metric,
    /// How a query set is ranked.
    pub set_mode: SetMode,
}

/// `[model]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// What turns pictures into codes.
    pub encoder: Encoder,
    /// Steps of a training of the convolutional encoder.
    pub train_steps: Within<1, 1_000_000>,
    /// Values in a code.
    pub code_width: Within<2, 512>,
    /// Training pictures needed before a first training.
    pub min_train: Within<4, 1_000_000>,
    /// Whether the inventory serves while there are fewer training pictures than `min_train`.
    pub train_on_inventory: bool,
    /// New training pictures that start a retraining.
    pub retrain_after: Within<1, 1_000_000>,
    /// ... but at least this share of the pictures trained on before.
    pub retrain_growth: Share,
    /// Seconds without new training pictures before a training starts.
    pub quiet_s: Within<0, 86_400>,
    /// Older models kept to go back to.
    pub keep_models: Within<1, 100>,
}

/// `[watch]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchSettings {
    /// A file is ready when nothing happened to it for this long.
    pub settle_ms: Within<50, 60_000>,
    /// Every folder is looked through this often whatever the events say.
    pub rescan_s: Within<1, 86_400>,
    /// Where events cannot be had, folders are looked through this often.
    pub poll_s: Within<1, 3_600>,
    /// Whether to rely on events where they can be had.
    pub mode: WatchMode,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Worker threads; 0 = one a core.
    pub workers: Within<0, 256>,
    /// Largest picture that is decoded.
    pub max_megapixels: Within<1, 2_000>,
    /// Largest file that is read.
    pub max_file_megabytes: Within<1, 4_096>,
    /// Longest decoding of a picture.
    pub max_decode_ms: Within<100, 3_600_000>,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// How much is said.
    pub level: Level,
}

/// Colours of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark text on white.
    #[default]
    Light,
    /// Light text on near-black.
    Dark,
}

/// Kind of file a sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SheetFormat {
    /// Without loss; opens everywhere.
    #[default]
    Png,
    /// A quarter of the size.
    Jpeg,
    /// Without loss, smaller than PNG.
    Webp,
}

impl SheetFormat {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Png, Self::Jpeg, Self::Webp];

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
        }
    }
}

/// What turns pictures into codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoder {
    /// A network trained on photographs of all kinds, and an autoencoder on top that is trained here.
    #[default]
    Pretrained,
    /// A convolutional autoencoder that knows nothing but the pictures it is trained on here.
    Convolutional,
}

impl Encoder {
    /// The name used in the configuration, in records and in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pretrained => "pretrained",
            Self::Convolutional => "convolutional",
        }
    }
}

/// When an answer given before is given anew, if what it would show has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Refresh {
    /// When the query changes.
    #[default]
    Never,
    /// And when another model serves.
    Model,
    /// And when the inventory has changed.
    Inventory,
}

/// How two codes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Cosine of the angle between them, -1 to 1.
    #[default]
    Cosine,
    /// 1 / (1 + Euclidean distance), 0 to 1.
    Euclidean,
}

impl Metric {
    /// The name used in the configuration and in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
        }
    }
}

/// How changes in folders are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// By the system's events; folders that may change without them are also looked through regularly.
    #[default]
    Auto,
    /// All folders are looked through regularly as well.
    Poll,
}

/// How an inventory picture is scored against a query set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SetMode {
    /// Against the mean of the members' codes.
    #[default]
    Mean,
    /// By its best match to any member.
    Nearest,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only what needs a person.
    Error,
    /// And what a person may want to mend.
    Warn,
    /// And what was done.
    #[default]
    Info,
    /// And how.
    Debug,
}

impl Default for FolderSettings {
    fn default() -> Self {
        Self {
            query: "query".into(),
            inventory: "db/img_inventory_raw".into(),
            training: "db/img_train_raw".into(),
            answer: "answer".into(),
            state: "db/state".into(),
        }
    }
}

impl FolderSettings {
    /// The same folders with relative paths put under `root`.
    pub fn below(&self, root: &Path) -> Self {
        Self {
            query: root.join(&self.query),
            inventory: root.join(&self.inventory),
            training: root.join(&self.training),
            answer: root.join(&self.answer),
            state: root.join(&self.state),
        }
    }

    /// The folders that are watched and never written.
    pub fn read(&self) -> [(&'static str, &Path); 3] {
        [("query", &self.query), ("inventory", &self.inventory), ("training", &self.training)]
    }

    /// The folders that the daemon writes.
    pub fn written(&self) -> [(&'static str, &Path); 2] {
        [("answer", &self.answer), ("state", &self.state)]
    }
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            results: Within::new(5),
            theme: Theme::Light,
            width_px: Within::new(1600),
            columns: Within::new(0),
            format: SheetFormat::Png,
            min_score: Share::new(0.0),
            min_likeness: Share::new(MIN_LIKENESS),
            collapse_duplicates: false,
            refresh: Refresh::Never,
        }
    }
}

impl Default for SimilaritySettings {
    fn default() -> Self {
        Self { metric: Metric::Cosine, set_mode: SetMode::Mean }
    }
}

impl ModelSettings {
    /// Whether a training under way with these settings is not what the `new` ones ask for.
    pub fn differs_in_training(&self, new: &Self) -> bool {
        let what = |settings: &Self| (settings.code_width, settings.min_train, settings.train_on_inventory);
        what(self) != what(new)
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            encoder: Encoder::Pretrained,
            train_steps: Within::new(500),
            code_width: Within::new(192),
            min_train: Within::new(20),
            train_on_inventory: true,
            retrain_after: Within::new(10),
            retrain_growth: Share::new(0.1),
            quiet_s: Within::new(3),
            keep_models: Within::new(3),
        }
    }
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { settle_ms: Within::new(400), rescan_s: Within::new(300), poll_s: Within::new(2), mode: WatchMode::Auto }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            workers: Within::new(0),
            max_megapixels: Within::new(150),
            max_file_megabytes: Within::new(256),
            max_decode_ms: Within::new(60_000),
        }
    }
}
