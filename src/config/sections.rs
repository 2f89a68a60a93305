//! The sections of the settings file. A field's comment is its sentence in the shipped file, in `docs/settings.md` and in
//! the schema.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::choices::{
    Encoder, LearnFromFolders, Level, Metric, PairMode, Refresh, SetMode, SheetFormat, Theme, WatchMode,
};
use super::{AnswerCommand, Bounded, ExcludePatterns, Inventory, Share, ShareOrAuto, folders, network};

/// `[folders]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FolderSettings {
    /// A picture dropped here is a query; a folder of pictures is one query set.
    #[serde(deserialize_with = "folders::name")]
    pub query: PathBuf,
    /// The pictures that are searched, sub-folders included. Never written. Or several folders: ["/srv/photos", "/mnt/scans"], whose
    /// pictures then begin with the folder's name (photos/2024/a.jpg), or { old = "/mnt/scans", new = "scans" } with names of your own.
    pub inventory: Inventory,
    /// Pictures of the same kind to train on. Never written.
    #[serde(deserialize_with = "folders::name")]
    pub training: PathBuf,
    /// Where answers appear: `result_<name>.png` and `result_<name>.json`, one pair per query.
    #[serde(deserialize_with = "folders::name")]
    pub answer: PathBuf,
    /// The program's own files: catalog, models, status.
    #[serde(deserialize_with = "folders::name")]
    pub state: PathBuf,
    /// A raw file or a film (MOV, MP4) with a JPEG or HEIC of the same stem beside it, among the inventory and training pictures: "one"
    /// = only the JPEG or HEIC is read, "each" = both.
    pub pairs: PairMode,
    /// What is passed over in the inventory and the training folder, in the syntax of gitignore: ["*.psd", "/drafts/", "!keep.psd"].
    pub exclude: ExcludePatterns,
}

/// `[answer]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerSettings {
    /// Matches on a sheet.
    pub results: Bounded<1, 50>,
    /// Colours of the sheet.
    pub theme: Theme,
    /// Width of the sheet in pixels.
    pub width_px: Bounded<640, 4096>,
    /// Columns of the grid of matches; 0 = as many as suit their number.
    pub columns: Bounded<0, 12>,
    /// File format of the sheet.
    pub format: SheetFormat,
    /// Hide matches below this score: the share of inventory pairs that are less similar.
    pub min_score: Share,
    /// Answer "nothing similar" when even the nearest picture has less in common with the query than this. "auto" follows
    /// from how similar the inventory's pictures are to one another; 0 always shows the nearest.
    pub min_likeness: ShareOrAuto,
    /// Show near-identical matches as one, with their number.
    pub collapse_duplicates: bool,
    /// Redo old answers when their results would change: "model" = because of a new model, "inventory" = because of
    /// new pictures as well.
    pub refresh: Refresh,
    /// A program with its arguments that is run after each answer, such as ["notify", "{record}", "{sheet}", "{name}", "{status}"]; none =
    /// nothing. Changes need a restart.
    pub on_answer: AnswerCommand,
    /// Remove answers after this many days; 0 = keep them. Queries stay, and are answered again when they change.
    pub keep_days: Bounded<0, 36_500>,
}

/// `[similarity]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SimilaritySettings {
    /// How two embeddings are compared.
    pub metric: Metric,
    /// Rank a query set by the mean of its embeddings, or by its nearest member.
    pub set_mode: SetMode,
}

/// `[model]`
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// What turns pictures into embeddings: a network trained on photographs, or "convolutional", which learns
    /// everything from your own pictures. Changes need a restart.
    pub encoder: Encoder,
    /// A network of your own in place of the pretrained one: "FILE.onnx", with FILE.toml beside it; see docs/networks.md. Empty = the one
    /// that comes with the program. The inventory is encoded again beside the service.
    #[serde(deserialize_with = "network::file")]
    pub network: PathBuf,
    /// Steps of a training of the convolutional encoder.
    pub train_steps: Bounded<1, 1_000_000>,
    /// Values in an embedding. Used from the next training on, if it does about as well.
    pub code_width: Bounded<2, 512>,
    /// Training pictures needed before the model trains.
    pub min_train: Bounded<4, 1_000_000>,
    /// With fewer training pictures than `min_train`, train on the inventory itself.
    pub train_on_inventory: bool,
    /// Learn from folders of pictures what belongs together: "auto" = where held-out pictures are found better for it.
    pub learn_from_folders: LearnFromFolders,
    /// Train again once this many training pictures are new, or lie in a folder with others than before.
    pub retrain_after: Bounded<1, 1_000_000>,
    /// Train again only when these pictures are at least this share of the former ones; of new ones beyond 1,000 it rises until they double.
    pub retrain_growth: Share,
    /// Train only after this many seconds without new training pictures.
    pub quiet_s: Bounded<0, 86_400>,
    /// Older models kept to go back to.
    pub keep_models: Bounded<1, 100>,
}

/// `[watch]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WatchSettings {
    /// A file is ready when nothing has happened to it for this many milliseconds.
    pub settle_ms: Bounded<50, 60_000>,
    /// Look through every folder after this many seconds, whatever the events say.
    pub rescan_s: Bounded<1, 86_400>,
    /// Seconds between looks where a folder may change without events (NFS, SMB, FUSE, overlay).
    pub poll_s: Bounded<1, 3_600>,
    /// "poll" looks through all folders every `poll_s`: for network folders that are not recognised.
    pub mode: WatchMode,
}

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Threads that decode and encode; 0 = one per core. Changes need a restart.
    pub workers: Bounded<0, 256>,
    /// Larger pictures are refused before they are decoded.
    pub max_megapixels: Bounded<1, 2_000>,
    /// Larger files are refused before they are read.
    pub max_file_megabytes: Bounded<1, 4_096>,
    /// Memory for the pictures being decoded, all workers together; one that does not fit waits for others, or is refused. 0 = half of what there is, 2048 at most.
    pub max_memory_megabytes: Bounded<0, 1_048_576>,
    /// A picture that takes longer to decode (milliseconds) is set aside, and its worker replaced.
    pub max_decode_ms: Bounded<100, 3_600_000>,
    /// What is known of a picture is kept so many days after its last file went: a file that comes back is not decoded again.
    pub forget_after_days: Bounded<1, 3_650>,
    /// Room in the state folder for small copies of pictures that take long to decode (HEIC, AVIF, JPEG XL), so that sheets show them at once; the oldest make room. 0 = none are kept.
    pub thumbnail_megabytes: Bounded<0, 1_048_576>,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// How much is logged.
    pub level: Level,
}

impl Default for FolderSettings {
    fn default() -> Self {
        Self {
            query: "query".into(),
            inventory: "db/img_inventory_raw".into(),
            training: "db/img_train_raw".into(),
            answer: "answer".into(),
            state: "db/state".into(),
            pairs: PairMode::One,
            exclude: ExcludePatterns::default(),
        }
    }
}

impl FolderSettings {
    /// The same folders with relative paths put under `root`.
    pub fn below(&self, root: &Path) -> Self {
        Self {
            query: root.join(&self.query),
            inventory: self.inventory.below(root, &root.join(&self.state)),
            training: root.join(&self.training),
            answer: root.join(&self.answer),
            state: root.join(&self.state),
            pairs: self.pairs,
            exclude: self.exclude.clone(),
        }
    }

    /// The folders that are watched and never written; the inventory may be several.
    pub fn read(&self) -> Vec<(&'static str, &Path)> {
        let inventory = self.inventory.places().into_iter().map(|folder| ("inventory", folder));
        [("query", &*self.query)].into_iter().chain(inventory).chain([("training", &*self.training)]).collect()
    }

    /// The folders that the daemon writes.
    pub fn written(&self) -> [(&'static str, &Path); 2] {
        [("answer", &self.answer), ("state", &self.state)]
    }
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            results: Bounded::new(5),
            theme: Theme::Light,
            width_px: Bounded::new(1600),
            columns: Bounded::new(0),
            format: SheetFormat::Png,
            min_score: Share::new(0.0),
            min_likeness: ShareOrAuto::Auto,
            collapse_duplicates: false,
            refresh: Refresh::Never,
            on_answer: AnswerCommand::default(),
            keep_days: Bounded::new(0),
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
        let what = |settings: &Self| {
            (settings.code_width, settings.min_train, settings.train_on_inventory, settings.learn_from_folders)
        };
        what(self) != what(new)
    }

    /// Whether a network of the user's own takes the place of the pretrained one.
    pub fn has_own_network(&self) -> bool {
        !self.network.as_os_str().is_empty()
    }

    /// Whether a training asks which folders its pictures lie in; the convolutional encoder learns nothing from them.
    pub fn asks_folders(&self) -> bool {
        self.learn_from_folders == LearnFromFolders::Auto && self.encoder == Encoder::Pretrained
    }
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            encoder: Encoder::Pretrained,
            network: PathBuf::new(),
            train_steps: Bounded::new(500),
            code_width: Bounded::new(192),
            min_train: Bounded::new(20),
            train_on_inventory: true,
            learn_from_folders: LearnFromFolders::Auto,
            retrain_after: Bounded::new(10),
            retrain_growth: Share::new(0.1),
            quiet_s: Bounded::new(3),
            keep_models: Bounded::new(3),
        }
    }
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            settle_ms: Bounded::new(400),
            rescan_s: Bounded::new(300),
            poll_s: Bounded::new(2),
            mode: WatchMode::Auto,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            workers: Bounded::new(0),
            max_megapixels: Bounded::new(150),
            max_file_megabytes: Bounded::new(256),
            max_memory_megabytes: Bounded::new(0),
            max_decode_ms: Bounded::new(60_000),
            forget_after_days: Bounded::new(30),
            thumbnail_megabytes: Bounded::new(1_024),
        }
    }
}
