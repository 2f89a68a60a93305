//! The inventory as a whole, for `map`, `duplicates` and `export`: its pictures with their embeddings and thumbnails, and its distinct
//! contents. Reads the catalog and the pictures, writes nothing but what is exported.

mod collection;
mod contents;
mod export;
mod group_sheet;
mod lettering;
mod thumbnails;

pub use collection::Collection;
pub use contents::{CataloguedPictures, InventoryContents};
pub use export::{ExportFormat, Exported, ExportedRows, export};
pub use group_sheet::{SHOWN_GROUPS, SHOWN_MEMBERS, SheetGroup, group_sheet};
pub use lettering::write;
pub use thumbnails::{NotEncoded, Thumbnail, on_white, thumbnails, to_jpeg};
