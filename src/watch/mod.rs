//! What is on the disk, as against what is known: hints from the system, listings, settling, reconciling.
//!
//! Nothing here decodes a picture or decides what to do with one. Hints are never trusted: each means no more than
//! "look at this folder again".

mod filesystem;
mod hints;
mod identity;
mod listing;
mod name;
mod reconcile;
mod self_test;
mod settle;
mod tree;

pub use filesystem::without_events;
pub use hints::{Hint, Hints, INSTANCE_LIMIT, WATCH_LIMIT, WatchState};
pub use listing::{Listing, Skipped, list};
pub use name::is_ignored;
pub use reconcile::{Differences, Known, reconcile};
pub use self_test::WatcherSelfTest;
pub use settle::Settle;
pub use tree::{Change, Tree};
