//! The inventory as a whole: what lies near what, and what lies there twice. Reads the catalog and the pictures, writes
//! nothing.

mod collection;
mod draw;
mod grid;
mod page;
mod plane;
mod thumbnails;

pub use collection::Collection;
pub use draw::{draw, to_jpeg};
pub use grid::{Cell, Grid, snapped};
pub use page::page;
pub use plane::plane;
pub use thumbnails::{Thumbnail, thumbnails};
