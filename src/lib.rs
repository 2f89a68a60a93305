//! artificio answers a dropped picture with a sheet of the most similar pictures of a folder.

pub mod answer;
pub mod base;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod error;
pub mod evaluate;
pub mod files;
pub mod index;
pub mod isolation;
pub mod map;
pub mod model;
pub mod overview;
pub mod picture;
pub mod progress;
pub mod quarantine;
pub mod query;
pub mod report;
pub mod rows;
pub mod service_status;
pub mod serving;
pub mod threads;
pub mod training;
pub mod watch;
