//! The inventory as a whole: what lies near what, what lies there twice, what a model has made of it. Reads the catalog and the pictures, writes
//! nothing.

mod collection;
mod contents;
mod draw;
mod grid;
mod group_sheet;
mod page;
mod plane;
mod report;
mod thumbnails;

pub use collection::Collection;
pub use contents::InventoryContents;
pub use draw::{draw, to_jpeg};
pub use grid::{Grid, GridCell, snapped};
pub use group_sheet::{SHOWN_GROUPS, SHOWN_MEMBERS, SheetGroup, group_sheet};
pub use page::page;
pub use plane::plane;
pub use report::{Drawn, report_on};
pub use thumbnails::{Thumbnail, thumbnails};
