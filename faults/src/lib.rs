//! A disk for tests: a file system in memory (FUSE) that fails when it is told to, and forgets in a power failure what was not
//! flushed.
//!
//! ```no_run
//! let disk = artificio_faults::Disk::new();
//! let state = disk.mount("state", std::path::Path::new("/tmp/somewhere")).unwrap();
//! disk.fail(artificio_faults::Fault::once_at(7, artificio_faults::Errno::EIO));
//! // Another process works there; its eighth operation fails.
//! println!("{:?}", disk.operations());
//! ```
//!
//! Operations of the process that has the disk are neither counted nor failed: a test may look at any time.

mod control;
mod disk;
mod handler;
mod tree;

pub use control::{Fault, Kind, Operation};
pub use disk::{Disk, Mount};
pub use fuser::Errno;
