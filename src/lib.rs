//! artificio answers a dropped picture with a sheet of the most similar pictures of a folder.

pub mod answer;
pub mod base;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod dedup;
pub mod demo;
pub mod error;
pub mod evaluate;
pub mod files;
pub mod index;
pub mod model;
pub mod overview;
pub mod picture;
pub mod progress;
pub mod random;
pub mod watch;
