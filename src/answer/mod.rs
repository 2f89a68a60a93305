//! What a query's user gets: the sheet (a picture), the record (JSON) and the gallery of all answers (HTML).

pub mod gallery;
mod grade;
mod metadata;
pub mod name;
mod record;
pub mod sheet;
pub mod strip;
pub mod text;
mod thumbnails;
mod why;
mod wording;

pub use grade::{Grade, MEANING, ORDER, rises};
pub use metadata::MetadataPart;
pub use record::{
    Changes, DuplicatePart, EnginePart, LARGEST_RECORD_BYTES, MatchPart, QueryFile, QueryPart, Record, Relation,
    SCHEMA, SearchModelPart, SearchSettingsPart, SkippedPart, Status, Timings,
};
pub use thumbnails::{THUMBNAIL_PX, ThumbnailStore};
pub use why::WhyPart;
pub use wording::{footer, mark, notice, style};
