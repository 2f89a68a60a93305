//! Where the embeddings of several nodes meet: one interface, and the engines behind it.
//!
//! A node answers from its own pictures by its own [`crate::index`], in memory and exactly; an engine holds the pictures of all nodes,
//! and is asked for those of the others. What it gives back is rows with their embeddings: the asker ranks them together with its own.

#[cfg(test)]
mod contract;
mod embedded;
mod error;
mod key;
#[cfg(feature = "milvus")]
mod milvus;

use std::path::PathBuf;

use crate::base::rows::Rows;
use crate::clock::WallTime;
use crate::config::SearchScope;
use crate::index::{RemotePicture, RemoteRow};
use crate::picture::Hash;

pub use embedded::EmbeddedEngine;
pub use error::EngineError;
pub use key::{KeyPrefix, PictureKey};
#[cfg(feature = "milvus")]
pub use milvus::{MilvusAccess, MilvusEngine};

/// The embeddings that one model gave: rows of different models are never compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineGeneration {
    /// Letters, digits and underscores.
    pub name: String,
    /// Values in an embedding.
    pub width: usize,
}

/// A picture of a node, as an engine holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineRow {
    /// The node whose inventory it lies in.
    pub node: String,
    /// Relative to that inventory.
    pub path: PathBuf,
    /// Its content.
    pub content: Hash,
    /// When it was taken.
    pub date: WallTime,
    /// `[width]`
    pub embedding: Vec<f32>,
}

impl EngineRow {
    /// What it is found, replaced and removed by.
    pub fn key(&self) -> PictureKey {
        PictureKey::of(&self.node, &self.path)
    }
}

impl From<EngineRow> for RemoteRow {
    fn from(row: EngineRow) -> Self {
        let picture = RemotePicture { node: row.node.into(), content: row.content.0 };
        Self { picture, path: row.path, embedding: row.embedding }
    }
}

/// What is searched for in an engine.
#[derive(Debug, Clone, Copy)]
pub struct NearRequest<'a> {
    /// Embeddings `[m, width]`; near is what is near to one of them.
    pub members: &'a Rows,
    /// The node that asks: it knows its own pictures.
    pub asker: &'a str,
    /// Which pictures may be found.
    pub scope: &'a SearchScope,
    /// Number of rows.
    pub count: usize,
}

/// An engine. Each call may be made again without harm, also when the first one was cut off: what is done already stays done.
///
/// What was put or removed is found, or found no more, within seconds; [`Engine::count`] and [`Engine::keys`] tell of all that was
/// acknowledged before.
pub trait Engine: Send + Sync {
    /// Whether it can be reached; its kind and version, for people.
    fn version(&self) -> Result<String, EngineError>;

    /// The generation that all nodes are to search, if one was named.
    fn serving(&self) -> Result<Option<String>, EngineError>;

    /// Names the generation that all nodes are to search; it is prepared.
    fn serve(&self, generation: &str) -> Result<(), EngineError>;

    /// All generations that are prepared.
    fn generations(&self) -> Result<Vec<String>, EngineError>;

    /// Makes a generation ready for rows and searches. One that is there stays as it is, if it has the width.
    fn prepare(&self, generation: &EngineGeneration) -> Result<(), EngineError>;

    /// Drops a generation that does not serve, with its rows.
    fn retire(&self, generation: &str) -> Result<(), EngineError>;

    /// Puts rows in; each replaces the one of its key.
    fn put(&self, generation: &str, rows: &[EngineRow]) -> Result<(), EngineError>;

    /// Takes rows out; keys that are not there are passed over.
    fn remove(&self, generation: &str, keys: &[PictureKey]) -> Result<(), EngineError>;

    /// The rows of other nodes than the asker whose embeddings have the greatest cosine to one of the request's, in no order, each
    /// once.
    fn near(&self, generation: &str, request: &NearRequest<'_>) -> Result<Vec<EngineRow>, EngineError>;

    /// Rows of all nodes.
    fn count(&self, generation: &str) -> Result<usize, EngineError>;

    /// Rows of all nodes whose keys begin so. Keys are even: those of a prefix are a random sample.
    fn sample(&self, generation: &str, prefix: KeyPrefix) -> Result<Vec<EngineRow>, EngineError>;

    /// The keys of a node that begin so, in order, each with the content that was put.
    fn keys(&self, generation: &str, node: &str, prefix: KeyPrefix) -> Result<Vec<(PictureKey, Hash)>, EngineError>;
}
