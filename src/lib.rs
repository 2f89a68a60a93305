//! artificio answers a dropped picture with a sheet of the most similar pictures of a folder.
//!
//! [`daemon`] is the service: a loop that turns changes in folders ([`watch`]) into jobs. A picture becomes pixels
//! ([`picture`]), features and an embedding ([`model`]), which are kept ([`catalog`]) and searched ([`index`], [`serving`]). A
//! dropped picture is a [`query`], and its answer a sheet and a record ([`answer`]). [`training`] makes new models, which
//! [`evaluate`] lets serve or not. [`on_answer`] runs a command after each.
//! [`quarantine`] and [`isolation`] deal with pictures that kill their decoder. [`cli`] is the
//! command line. `ARCHITECTURE.md` says what each module may know of the others.

pub mod answer;
pub mod base;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod dedup;
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod files;
pub mod index;
pub mod isolation;
pub mod map;
pub mod model;
pub mod network;
pub mod nodes;
pub mod on_answer;
pub mod overview;
pub mod picture;
pub mod progress;
pub mod quarantine;
pub mod query;
pub mod report;
pub mod sandbox;
pub mod service_status;
pub mod serving;
pub mod threads;
pub mod training;
pub mod watch;
pub mod web;
