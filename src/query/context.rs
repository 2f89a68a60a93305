//! What answering and encoding need: the catalog, the model that serves with its network, the guard for decoding.

use std::sync::Arc;

use super::SetPictures;
use crate::catalog::Catalog;
use crate::nodes::Nodes;
use crate::quarantine::Guard;
use crate::serving::Shared;

/// The context of one worker.
pub struct WorkerContext {
    /// Its own connection, for reading.
    pub catalog: Catalog,
    /// Shared by all.
    pub serving: Shared,
    /// Its own; every picture is decoded through it.
    pub guard: Guard,
    /// Shared by all; `None` where this daemon is alone.
    pub nodes: Option<Arc<Nodes>>,
    /// Shared by all.
    pub set_pictures: Arc<SetPictures>,
}
