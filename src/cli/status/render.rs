//! The status of the service as text for a person.

use console::Style;
use serde_json::Value;

use crate::base::duration::two_units;
use crate::cli::output::{harmless, one_line};
use crate::cli::terminal::{FIX, styled};

/// Columns of the labels.
pub const INDENT: usize = 11;
/// More problems than a person reads at once.
const SHOWN_PROBLEMS: usize = 10;

/// The status as it is at `now_s` (seconds since 1970).
pub fn render(status: &Value, now_s: i64, has_colours: bool) -> String {
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let text = |pointer: &str| harmless(status.pointer(pointer).and_then(Value::as_str).unwrap_or("?"));
    let state = text("/state");
    let style = if state == "ready" { Style::new().green() } else { Style::new().yellow() };
    let mut lines = format!("state      {}\n", styled(&state, &style, has_colours));
    if let Some(started_s) = status.pointer("/started_s").and_then(Value::as_i64) {
        let running = two_units(now_s.saturating_sub(started_s).unsigned_abs());
        lines += &format!("service    version {}, process {}, up {running}\n", text("/version"), number("/pid"));
    }
    lines += &format!(
        "inventory  {} searchable, {} waiting, {} unusable\n",
        number("/inventory/indexed"),
        number("/inventory/pending"),
        number("/inventory/failed")
    );
    if number("/inventory/excluded") > 0 {
        lines += &format!("           {} files and folders passed over (`exclude`)\n", number("/inventory/excluded"));
    }
    if number("/inventory/paired") > 0 {
        lines += &format!("           {} raw files or films beside their photographs\n", number("/inventory/paired"));
    }
    if let Some(per_second) = status.pointer("/inventory/per_second").and_then(Value::as_f64) {
        let remaining = two_units(number("/inventory/remaining_s"));
        lines += &format!("           {per_second:.1} pictures a second, {remaining} to go\n");
    }
    lines += &format!(
        "queries    {} answered, {} failed, {} waiting\n",
        number("/queries/answered"),
        number("/queries/failed"),
        number("/queries/pending")
    );
    lines += &format!("model      {}, trained on {} pictures\n", text("/model/id"), number("/model/trained_on"));
    if number("/model/trained_on") > 0 && status.pointer("/model/folders/message").is_some() {
        lines += &format!("           {}\n", text("/model/folders/message"));
    }
    lines += &network(status);
    lines += &training(status);
    lines += &engine(status);
    if status.pointer("/confined/message").is_some() {
        lines += &format!("confined   {}\n", text("/confined/message"));
    }
    let waiting = status.get("awaiting_restart").and_then(Value::as_array).into_iter().flatten();
    let waiting: Vec<&str> = waiting.filter_map(Value::as_str).collect();
    if !waiting.is_empty() {
        lines += &format!("settings   changed, in force after a restart: {}\n", waiting.join(", "));
    }
    lines + &problems(status, has_colours)
}

/// The network, where it is not the one that comes with the program, or another takes its place.
fn network(status: &Value) -> String {
    let text = |pointer: &str| harmless(status.pointer(pointer).and_then(Value::as_str).unwrap_or("bundled"));
    let (name, next) = (text("/model/network/name"), status.pointer("/model/network/next"));
    let mut lines = if name == "bundled" { String::new() } else { format!("network    {}\n", one_line(&name)) };
    if let Some(next) = next.filter(|next| next.is_object()) {
        let percent = next.get("share").and_then(Value::as_f64).unwrap_or(0.0) * 100.0;
        let stage = text("/model/network/next/stage");
        lines += &format!("network    another one is taken over: {stage}, {percent:.0} % of that\n");
    }
    lines
}

/// The engine that several nodes share, and those nodes.
fn engine(status: &Value) -> String {
    let Some(engine) = status.get("engine").filter(|engine| engine.is_object()) else { return String::new() };
    let text = |of: &Value, key: &str| harmless(of.get(key).and_then(Value::as_str).unwrap_or_default());
    let number = |of: &Value, key: &str| of.get(key).and_then(Value::as_u64).unwrap_or(0);
    let is = |of: &Value, key: &str| of.get(key).and_then(Value::as_bool).unwrap_or(false);
    let state = match text(engine, "state").as_str() {
        "away" => format!("away for {}", two_units(number(engine, "away_s"))),
        "comparing" => "comparing what it has with what is here".into(),
        _ if !is(engine, "is_published") => "getting ready".into(),
        _ => "has all pictures of this node".into(),
    };
    let pending = match number(engine, "pending") {
        0 => String::new(),
        count => format!(", {count} changes to send"),
    };
    let mut lines = format!("engine     {}, {state}{pending}\n", text(engine, "url"));
    for node in engine.get("nodes").and_then(Value::as_array).into_iter().flatten() {
        let found = if is(node, "is_complete") { "" } else { ", not all of them can be found" };
        let silent = if is(node, "is_silent") { ", has said nothing lately" } else { "" };
        let (name, pictures, model) = (text(node, "name"), number(node, "pictures"), text(node, "model"));
        lines += &format!("           node {name}: {pictures} pictures, model {model}{found}{silent}\n");
    }
    if let Some(exchange) = engine.get("exchange").filter(|exchange| exchange.is_object()) {
        let (model, reason) = (text(exchange, "model"), text(exchange, "reason"));
        let missing: Vec<&str> =
            exchange.get("missing").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let missing = harmless(&missing.join(", "));
        lines += &match text(exchange, "stage").as_str() {
            "preparing" if missing.is_empty() => format!("           model {model} is on its way to all nodes\n"),
            "preparing" => format!("           model {model} is on its way to all nodes; it waits for {missing}\n"),
            "refused" => format!("           model {model} does not serve: {reason}\n"),
            _ => String::new(),
        };
    }
    lines
}

/// The training under way, and the result of the last one.
fn training(status: &Value) -> String {
    let mut lines = String::new();
    if let Some(training) = status.pointer("/model/training").filter(|training| training.is_object()) {
        let part = |key: &str| harmless(training.get(key).and_then(Value::as_str).unwrap_or("?"));
        let pictures = training.get("pictures").and_then(Value::as_u64).unwrap_or(0);
        let percent = training.get("share").and_then(Value::as_f64).unwrap_or(0.0) * 100.0;
        lines +=
            &format!("training   {} on {pictures} pictures: {}, {percent:.0} % of that\n", part("id"), part("stage"));
    }
    if let Some(last) = status.pointer("/model/last_training").filter(|last| last.is_object()) {
        let part = |key: &str| harmless(last.get(key).and_then(Value::as_str).unwrap_or_default());
        lines += &format!("           last: {} {}", part("id"), part("decision"));
        lines += &if part("reason").is_empty() { "\n".into() } else { format!(": {}\n", part("reason")) };
        for pictures in ["inventory", "training"] {
            // "found" is the key of the mean reciprocal rank.
            let rank =
                |model: &str| last.pointer(&format!("/figures/{pictures}/{model}/found")).and_then(Value::as_f64);
            if let (Some(before), Some(after)) = (rank("before"), rank("after")) {
                lines += &format!(
                    "           {pictures} recognition (mean reciprocal rank): {after:.3}, before {before:.3}\n"
                );
            }
        }
    }
    lines
}

fn problems(status: &Value, has_colours: bool) -> String {
    let mut lines = String::new();
    let list = |key: &str| status.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let degrading = list("degraded_by");
    for problem in list("problems").iter().take(SHOWN_PROBLEMS) {
        let part = |key: &str| harmless(problem.get(key).and_then(Value::as_str).unwrap_or(""));
        let (kind, style) = match degrading.contains(problem) {
            true => ("degraded", Style::new().red()),
            false => ("problem ", Style::new().yellow()),
        };
        // An excerpt of the settings that points at a mistake has several lines.
        let what = part("what").replace('\n', "\n           ");
        lines += &format!("{}   {}: {what}\n", styled(kind, &style, has_colours), one_line(&part("path")));
        if !part("remedy").is_empty() {
            lines += &format!("           {FIX}{}\n", part("remedy"));
        }
    }
    let hidden = status.get("problem_count").and_then(Value::as_u64).unwrap_or(0).saturating_sub(SHOWN_PROBLEMS as u64);
    if hidden > 0 {
        lines += &format!("           and {hidden} more problems: see `artificio status --json`\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Value {
        let disk = serde_json::json!({"what": "1:2: unknown key `a`\n  |\n1 | a = 1", "path": "/c.toml", "remedy": "correct it"});
        let file =
            serde_json::json!({"what": "the file is empty", "path": "/p/\u{1b}[31ma.jpg", "remedy": "copy it again"});
        serde_json::json!({
            "state": "degraded", "pid": 7, "version": "0.1.0", "started_s": 1_000,
            "inventory": {"files": 40, "indexed": 36, "pending": 3, "failed": 1, "paired": 7, "per_second": 1.5, "remaining_s": 2},
            "queries": {"answered": 3, "failed": 0, "pending": 1},
            "model": {
                "id": "m1-20261123", "encoder": "pretrained", "trained_on": 36,
                "folders": {"taught": true, "message": "12 folders taught: found right first 75 % instead of 68 %"},
                "network": {"name": "lite2.onnx", "next": {"stage": "reading", "share": 0.4}},
                "training": {"id": "m3", "pictures": 50, "stage": "fitting", "share": 0.25},
                "last_training": {"id": "m2", "decision": "refused", "reason": "it recognises fewer pictures",
                    "figures": {"inventory": {"before": {"found": 0.9}, "after": {"found": 0.8}}, "training": null}},
            },
            "confined": {"by": ["landlock"], "message": "to its folders (Landlock)"},
            "awaiting_restart": ["folders.query", "limits.workers"],
            "degraded_by": [disk], "problems": [disk, file], "problem_count": 12,
        })
    }

    #[test]
    fn a_status_reads_like_this() {
        let expected = "\
state      degraded
service    version 0.1.0, process 7, up 2 h 5 min
inventory  36 searchable, 3 waiting, 1 unusable
           7 raw files or films beside their photographs
           1.5 pictures a second, 2 s to go
queries    3 answered, 0 failed, 1 waiting
model      m1-20261123, trained on 36 pictures
           12 folders taught: found right first 75 % instead of 68 %
network    lite2.onnx
network    another one is taken over: reading, 40 % of that
training   m3 on 50 pictures: fitting, 25 % of that
           last: m2 refused: it recognises fewer pictures
           inventory recognition (mean reciprocal rank): 0.800, before 0.900
confined   to its folders (Landlock)
settings   changed, in force after a restart: folders.query, limits.workers
degraded   /c.toml: 1:2: unknown key `a`
             |
           1 | a = 1
           fix: correct it
problem    /p/\\u{1b}[31ma.jpg: the file is empty
           fix: copy it again
           and 2 more problems: see `artificio status --json`
";
        assert_eq!(render(&example(), 8_500, false), expected);
    }

    #[test]
    fn colours_change_nothing_else() {
        let plain = render(&example(), 8_500, false);
        let coloured = render(&example(), 8_500, true);
        assert_ne!(plain, coloured);
        let stripped =
            ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"].iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(stripped, plain);
    }
}
