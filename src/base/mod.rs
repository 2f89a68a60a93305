//! What every other module may use: plain data, arithmetic and pages that know nothing of pictures or settings.

pub mod bootstrap;
pub mod csv;
pub mod dot;
pub mod duration;
pub mod eight_bits;
pub mod html;
pub mod nearest;
pub mod parallel;
pub mod rows;

/// The folder in the state folder that has a link to each folder of an inventory of several. Only this program writes there, so that
/// these links are followed, and no others.
pub const LINKS_FOLDER: &str = "inventory.links";
