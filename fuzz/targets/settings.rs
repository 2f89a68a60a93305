//! Any text as `artificio.toml`: settings within their ranges, or a mistake with its place.

#![no_main]

use std::path::Path;

use artificio::config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = config::parse(Path::new("artificio.toml"), text) {
        assert!(error.to_string().contains("artificio.toml"), "{error}");
    }
});
