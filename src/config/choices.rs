//! Settings that are one of a few words.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Colours of the sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Dark text on white.
    #[default]
    Light,
    /// Light text on near-black.
    Dark,
}

/// Kind of file a sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SheetFormat {
    /// Lossless; opens everywhere.
    #[default]
    Png,
    /// A quarter of the size.
    Jpeg,
    /// Lossless, smaller than PNG.
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

/// How many pictures a raw file, or a film, and the photograph of its stem are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PairMode {
    /// The photograph stands for both.
    #[default]
    One,
    /// Each is read.
    Each,
}

/// What turns pictures into embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoder {
    /// A network trained on photographs of all kinds, and on top of it an autoencoder trained on your pictures.
    #[default]
    Pretrained,
    /// A convolutional autoencoder that learns everything from your own pictures.
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

/// Whether folders of pictures teach what belongs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LearnFromFolders {
    /// Where held-out pictures are found better for it.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// When an old answer is redone, if its results would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Refresh {
    /// When the query changes.
    #[default]
    Never,
    /// Also when another model is in use.
    Model,
    /// Also when the inventory has changed.
    Inventory,
}

/// How two embeddings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
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

/// Where the pictures of several nodes meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IndexEngine {
    /// Nowhere: this daemon finds its own pictures.
    #[default]
    Embedded,
    /// In a Milvus, a database for embeddings.
    Milvus,
}

/// How changes in folders are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WatchMode {
    /// By the system's events; folders that may change without events are also looked through regularly.
    #[default]
    Auto,
    /// All folders are looked through regularly as well.
    Poll,
}

/// How an inventory picture is scored against a query set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SetMode {
    /// Against the mean of the members' embeddings.
    #[default]
    Mean,
    /// By its best match to any member.
    Nearest,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What needs attention now.
    Error,
    /// Also what may need fixing.
    Warn,
    /// Also what was done.
    #[default]
    Info,
    /// Also how.
    Debug,
}
