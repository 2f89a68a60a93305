//! What a query's user gets: the sheet (a picture), the record (JSON) and the gallery of all answers (HTML).

pub mod gallery;
pub mod name;
mod present;
mod record;
pub mod sheet;
pub mod text;

pub use present::{footer, mark, notice, style};
pub use record::{
    Changes, DuplicatePart, MatchPart, QueryFile, QueryPart, Record, Relation, SCHEMA, SearchModelPart,
    SearchSettingsPart, SkippedPart, Status, Timings,
};
