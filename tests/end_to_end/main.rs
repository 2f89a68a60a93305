//! The program as its users meet it: folders, files, signals and exit codes, against the built binary.
//!
//! Each module is a chapter of the manual, each test a story in a [`workplace::Workplace`] of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod after_answers;
mod answers;
mod arrivals;
mod asking;
mod away;
mod bad_input;
mod browser;
mod commands;
mod completions;
mod confinement;
mod corpus;
mod degraded;
mod evaluation;
mod folders;
mod formats;
mod full_disk;
mod gallery;
mod hostile;
mod inventory;
mod lost_state;
mod models;
mod mutants;
#[cfg(feature = "onnx")]
mod networks;
mod overview;
mod page;
mod page_in_browser;
mod pictures;
mod quarantine;
mod queries;
mod report;
mod restart;
mod schema;
mod sets;
mod settings;
mod several_folders;
mod skipping;
mod state_folder;
mod training;
mod waiting;
mod workplace;
mod zoo;
