//! What the daemon says of itself: log, `status.json`, `metrics.prom`, the service manager.

pub mod exposition;
pub mod manager;
pub mod metrics;
pub mod pace;
pub mod report;
