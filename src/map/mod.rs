//! The map of an inventory (`artificio map`): pictures laid out so that similar ones are neighbours, as a picture and as an HTML page.

mod draw;
mod grid;
mod page;
mod plane;

pub use draw::{captioned, draw};
pub use grid::{Grid, GridCell, snapped};
pub use page::page;
pub use plane::plane;
