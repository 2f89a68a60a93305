//! Completions in the shells themselves: the ids of models are asked of the program that is typed, with the root that is typed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::skipping::skip;

/// In the place of the program: it knows two models, of this root alone.
const STUB: &str = r#"#!/bin/sh
[ "$*" = "--root /a shop models --json" ] && printf '  "id": "m7-20260101",\n  "id": "m8-20260102"\n'
"#;
const IDS: [&str; 2] = ["m7-20260101", "m8-20260102"];

/// What `shell` prints when it runs `script` with `$COMPLETIONS` naming its completions; `None` where there is no such shell.
fn printed(shell: &str, options: &[&str], script: &str) -> Option<Vec<String>> {
    if Command::new(shell).arg("--version").output().is_err() {
        skip(&format!("no {shell} here"));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let stub = folder.path().join("artificio");
    fs::write(&stub, STUB).unwrap();
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
    let completions = Command::new(env!("CARGO_BIN_EXE_artificio")).args(["completions", shell]).output().unwrap();
    let file = folder.path().join("completions");
    fs::write(&file, completions.stdout).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(shell);
    command.args(options).args(["-c", script]).env("PATH", path).env("COMPLETIONS", file).env("HOME", folder.path());
    let output = command.output().unwrap();
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.is_empty(), "{shell}: {text}{said}");
    Some(text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_string()).collect())
}

#[test]
fn fish_offers_the_models_of_the_root_that_is_typed() {
    let script = r#"source $COMPLETIONS; complete -C 'artificio --root "/a shop" models rollback '; complete -C 'artificio mod'"#;
    let Some(offered) = printed("fish", &["--no-config"], script) else { return };
    assert_eq!(offered, [&IDS[..], &["models"]].concat());
}

/// Without a terminal zsh completes nothing, so what its script calls is put in place here.
#[test]
fn zsh_offers_the_models_of_the_root_that_is_typed() {
    let script = r#"
        compdef() { }
        compadd() { print -rl -- $ids }
        source $COMPLETIONS
        LBUFFER="artificio --root '/a shop' models rollback "
        _artificio_models"#;
    let Some(offered) = printed("zsh", &["-f"], script) else { return };
    assert_eq!(offered, IDS);
}
