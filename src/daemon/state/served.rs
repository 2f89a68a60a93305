//! The model and index that serve, and whether a k-NN graph is being built for them.

use std::sync::{RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use crate::serving::{Serving, Shared};

/// After a failed k-NN graph build the next one starts this much later.
const REST: Duration = Duration::from_secs(600);

/// The serving state, shared with the workers.
pub struct Served {
    shared: Shared,
    is_building: bool,
    not_before: Duration,
}

impl Served {
    /// Without a build under way.
    pub fn new(shared: Shared) -> Self {
        Self { shared, is_building: false, not_before: Duration::ZERO }
    }

    /// Locks for reading.
    pub fn read(&self) -> RwLockReadGuard<'_, Serving> {
        self.shared.read()
    }

    /// Locks for writing.
    pub fn write(&self) -> RwLockWriteGuard<'_, Serving> {
        self.shared.write()
    }

    /// For other threads.
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Whether a k-NN graph build may begin.
    pub fn may_build(&self, now: Duration) -> bool {
        !self.is_building && now >= self.not_before
    }

    /// A build has begun.
    pub fn begin_build(&mut self) {
        self.is_building = true;
    }

    /// The build has ended.
    pub fn end_build(&mut self) {
        self.is_building = false;
    }

    /// The build failed, or could not begin.
    pub fn fail_build(&mut self, now: Duration) {
        self.is_building = false;
        self.not_before = now + REST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Metric, ModelSettings};
    use crate::index::Index;
    use crate::model::Model;

    #[test]
    fn one_build_at_a_time_and_a_pause_after_a_failure() {
        let model = Model::untrained(&ModelSettings::default());
        let index = Index::filled(model.embedding_width(), Metric::Cosine, Vec::new());
        let mut served = Served::new(Shared::new(Serving::new(model, index)));
        let now = Duration::from_secs(5);
        assert!(served.may_build(now));
        served.begin_build();
        assert!(!served.may_build(now));
        served.end_build();
        assert!(served.may_build(now));
        served.begin_build();
        served.fail_build(now);
        assert!(!served.may_build(now) && served.may_build(now + REST));
    }
}
