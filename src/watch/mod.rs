//! Watches folders and reports files that are new, changed or removed compared with what the catalog knows.
//!
//! Events of the system become hints (`hints`). A hint is never trusted: it means no more than "scan this folder
//! again", and of what was renamed to its place that it need not settle. A scan lists the folder (`listing`), compares each entry with what is known (`reconcile`), and waits until
//! files have stopped changing (`settle`). A turn of the event loop looks at so many entries (`turn_budget`). Nothing here decodes a picture or decides what to do with one.

mod filesystem;
mod hints;
mod identity;
mod listing;
mod name;
mod pairs;
mod reconcile;
mod self_test;
mod settle;
mod tree;
mod turn_budget;

pub use filesystem::without_events;
pub use hints::{Hint, Hints, INSTANCE_LIMIT, WATCH_LIMIT, WatchState};
pub use identity::Identity;
pub use listing::{Listed, Listing};
pub use name::is_ignored;
pub use reconcile::Known;
pub use self_test::WatcherSelfTest;
pub use settle::{Observation, Settle};
pub use tree::{Change, KnownFiles, Tree};
pub use turn_budget::TurnBudget;
