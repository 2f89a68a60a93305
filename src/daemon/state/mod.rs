//! The daemon's state, in parts of one subject each. A part has private fields, does no work on the disk beyond its own subject,
//! and knows nothing of the other parts; the loop does what needs several of them.

mod answers;
mod expiry;
mod folders;
mod lifecycle;
mod pacer;
mod pictures;
mod postponed;
mod queries;
mod reading;
mod recent;
mod reporting;
mod settings;
mod store;
mod training;

use answers::Answers;
pub use expiry::Expiry;
pub use folders::Folders;
pub use lifecycle::{Lifecycle, StateHold};
pub use pacer::Pacer;
pub use pictures::Pictures;
pub use queries::Queries;
pub use reporting::Reporting;
pub use settings::Settings;
pub use store::Store;
pub use training::{Purpose, TrainRequest, TrainingState, UnderWay};
