//! Near-duplicates: whether two pictures are the same one but for having been saved again, resized, recoloured, mirrored,
//! turned, tilted, trimmed, framed, written on, or put into another picture.
//!
//! It takes two steps. Candidates are cheap: features or outlines that are near enough. A candidate is confirmed by its
//! pixels ([`Scene`]). Both uses share the second step and its threshold: all pairs of a collection ([`DuplicateSearch`], then
//! [`grouped`]), and one picture against a few ([`Appearance`]). What they do not share stands side by side in [`policy`].
//!
//! Pairs of a collection are then compared in detail, by what their files show (`detail`): that confirms them, and finds more.

mod alignment;
mod appearance;
mod candidates;
mod cells;
mod coded;
mod codes;
mod detail;
mod detailed;
mod groups;
mod links;
mod neighbours;
pub mod policy;

pub use alignment::{Alignment, Scene, Window};
pub use appearance::Appearance;
pub use detail::{DETAIL_PX, GreyPicture};
pub use groups::{ComparePairs, Group, GroupMember, grouped};
pub use links::{DuplicateSearch, Link, PictureSource};
