//! What a worker works with.

use std::sync::Arc;

use super::serving::Shared;
use crate::catalog::Catalog;
use crate::model::Extractor;
use crate::quarantine::Guard;

/// What every worker has at hand.
pub struct Bench {
    /// Shared by all.
    pub extractor: Arc<Extractor>,
    /// Its own connection, for reading.
    pub catalog: Catalog,
    /// Shared by all.
    pub serving: Shared,
    /// Its own; every picture is decoded through it.
    pub guard: Guard,
}
