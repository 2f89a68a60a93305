//! Decodes one picture in a child process with limits of memory and time, so that a picture that kills its decoder kills
//! nothing else.
//!
//! Two kinds of pictures are: suspects, which may have killed a process before (a trial), and all those whose decoder is not
//! memory-safe throughout. A process for each picture takes about a millisecond, so none is kept for the next.
//!
//! The child is this same program (`/proc/self/exe`) with a hidden command. It gets the file's bytes on its standard input,
//! limits itself before it looks at them, and writes the requested pixels and features to its standard output. Both are
//! files in memory, so neither side ever waits for the other. [`TrialOutcome`] is how it ended: only a crash of its own, too
//! much memory or too much processor time count against the picture, never an end from outside.

mod child;
mod extract;
mod limits;
mod parent;
mod protocol;
mod usage;

pub use child::serve;
pub use extract::{Extracted, Outputs, extract, features_of};
pub use parent::{Isolation, TrialOutcome, budget_by_default, decode, memory_allowance};
pub use protocol::{DecodeOrder, FeatureMaker, read_answer, read_ready};
