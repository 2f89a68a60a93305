//! Any text as the `query.toml` of a set: settings, or a mistake with its place.

#![no_main]

use std::path::Path;

use artificio::config::{Config, SetSettings};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match SetSettings::parse(Path::new("query.toml"), text) {
    Ok(settings) => drop(settings.over(&Config::default())),
    Err(error) => assert!(error.to_string().contains("query.toml"), "{error}"),
});
