//! What the user sees: the sheet (PNG) and the record (JSON).

pub mod name;
mod present;
mod record;
pub mod sheet;
pub mod text;

pub use present::{footer, notice, style};
pub use record::{MatchPart, ModelPart, QueryFile, QueryPart, Record, SCHEMA, Status, Timings};
