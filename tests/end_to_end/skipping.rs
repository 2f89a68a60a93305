//! Tests that need what not every machine has: skipped with a visible line, and never in CI.

use std::io::Write;

/// Says in one line that this test is skipped because something is `missing`. In CI nothing may be missing.
pub fn skip(missing: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let is_ci = std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    assert!(!is_ci, "{test} cannot be skipped in CI: {missing}");
    // Not `eprintln!`: what that prints is shown only of tests that fail.
    let _ = std::io::stderr().write_all(format!("SKIPPED {test}: {missing}\n").as_bytes());
}
