//! Training: when to train (`policy`), the training on a thread of its own (`job`), the comparison with the model that serves
//! (`evidence`, by `views` of pictures held out from `fit_pictures`), encoding the whole inventory (`reencoding`), going back to an earlier model (`rollback`),
//! exchanging the network (`network_change`), samples of what there is
//! to train on (`sketch`), and how its folders differ from those before (`regrouping`).
//!
//! It knows nothing of the daemon: jobs read the catalog and send their results as [`job::TrainingMessage`]s.

pub mod debounce;
mod evidence;
mod fit_pictures;
pub mod handle;
pub mod history;
pub mod job;
pub mod network_change;
pub mod policy;
pub mod reencoding;
mod regrouping;
pub mod rollback;
pub mod sketch;
mod views;
