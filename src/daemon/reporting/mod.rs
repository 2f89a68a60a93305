//! Reports the daemon's state: to the log, `status.json`, `metrics.prom` and the service manager.

pub mod engine_metrics;
mod exposition;
pub mod manager;
pub mod metrics;
pub mod pace;
pub mod publish;
