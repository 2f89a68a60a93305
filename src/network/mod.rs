//! Networks of the user's own as files: the one that the settings name, and the copy of the one in force.
//!
//! What the service has taken over it keeps in its state folder. So it serves with the same network after a start, whatever becomes of
//! the file that the settings name.

mod file;
mod in_force;

pub use file::NetworkFile;
pub use in_force::{NetworkStore, extractor_in_force, features_in_force};
