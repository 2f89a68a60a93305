//! From a query to its sheet and record: what is asked, found, judged, drawn, and when it is done again.

pub mod alike;
pub mod ask;
pub mod compose;
pub mod feedback;
pub mod gallery;
pub mod members;
pub mod refresh;
pub mod respond;
pub mod verdict;
