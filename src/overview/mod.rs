//! The inventory as a whole: its pictures with their codes and thumbnails, and what lies there twice. Reads the catalog and the pictures, writes
//! nothing.

mod collection;
mod contents;
mod duplicates;
mod group_sheet;
mod groups;
mod nearest;
pub(crate) mod numbers;
mod thumbnails;

pub use collection::Collection;
pub use contents::Contents;
pub use duplicates::{Link, Looker, links};
pub use group_sheet::{SHOWN_GROUPS, SHOWN_MEMBERS, SheetGroup, group_sheet};
pub use groups::{Group, Member, grouped};
pub use thumbnails::{Thumbnail, on_white, thumbnails, to_jpeg};
