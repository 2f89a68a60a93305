//! From pictures to a model that may serve: when to train (`policy`), the job on a thread of its own, its validation against the
//! model that serves, the embeddings of the whole inventory, and going back to an earlier model.
//!
//! It knows nothing of the daemon: jobs read the catalog and send what is to be kept as [`job::TrainingMessage`]s.

pub mod debounce;
pub mod handle;
pub mod history;
pub mod job;
pub mod policy;
pub mod reencoding;
pub mod rollback;
mod validation;
