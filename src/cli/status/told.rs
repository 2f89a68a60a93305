//! A status as a person reads it.

use serde_json::Value;

use crate::cli::output::{Colour, coloured, harmless, one_line};

/// Columns in front of what is said.
pub const HANG: usize = 11;
/// More problems than a person reads at once.
const SHOWN_PROBLEMS: usize = 10;

/// The status, for reading at `now_s` (seconds since 1970).
pub fn told(status: &Value, now_s: i64, has_colours: bool) -> String {
    let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
    let text = |pointer: &str| harmless(status.pointer(pointer).and_then(Value::as_str).unwrap_or("?"));
    let state = text("/state");
    let colour = if state == "ready" { Colour::Green } else { Colour::Yellow };
    let mut told = format!("state      {}\n", coloured(&state, colour, has_colours));
    if let Some(started_s) = status.pointer("/started_s").and_then(Value::as_i64) {
        let running = duration(now_s.saturating_sub(started_s).unsigned_abs());
        told += &format!("service    version {}, process {}, up {running}\n", text("/version"), number("/pid"));
    }
    told += &format!(
        "inventory  {} searchable, {} waiting, {} unusable\n",
        number("/inventory/indexed"),
        number("/inventory/pending"),
        number("/inventory/failed")
    );
    if let Some(per_second) = status.pointer("/inventory/per_second").and_then(Value::as_f64) {
        let remaining = duration(number("/inventory/remaining_s"));
        told += &format!("           {per_second:.1} pictures a second, {remaining} to go\n");
    }
    told += &format!(
        "queries    {} answered, {} could not be, {} waiting\n",
        number("/queries/answered"),
        number("/queries/failed"),
        number("/queries/pending")
    );
    told += &format!("model      {}, trained on {} pictures\n", text("/model/id"), number("/model/trained_on"));
    told += &training(status);
    let waiting = status.get("awaiting_restart").and_then(Value::as_array).into_iter().flatten();
    let waiting: Vec<&str> = waiting.filter_map(Value::as_str).collect();
    if !waiting.is_empty() {
        told += &format!("settings   changed, in force after a restart: {}\n", waiting.join(", "));
    }
    told + &problems(status, has_colours)
}

/// The training under way, and what became of the last one.
fn training(status: &Value) -> String {
    let mut told = String::new();
    if let Some(training) = status.pointer("/model/training").filter(|training| training.is_object()) {
        let part = |key: &str| harmless(training.get(key).and_then(Value::as_str).unwrap_or("?"));
        let pictures = training.get("pictures").and_then(Value::as_u64).unwrap_or(0);
        let percent = training.get("share").and_then(Value::as_f64).unwrap_or(0.0) * 100.0;
        told +=
            &format!("training   {} on {pictures} pictures: {}, {percent:.0} % of that\n", part("id"), part("stage"));
    }
    if let Some(last) = status.pointer("/model/last_training").filter(|last| last.is_object()) {
        let part = |key: &str| harmless(last.get(key).and_then(Value::as_str).unwrap_or_default());
        told += &format!("           last: {} {}", part("id"), part("decision"));
        told += &if part("reason").is_empty() { "\n".into() } else { format!(": {}\n", part("reason")) };
        for (pictures, of) in [("inventory", "inventory"), ("training", "training")] {
            let sight = |when: &str, figure: &str| {
                last.pointer(&format!("/figures/{pictures}/{when}/{figure}")).and_then(Value::as_f64)
            };
            if let (Some(before), Some(after)) = (sight("before", "found"), sight("after", "found")) {
                told += &format!("           {of} pictures known again: {after:.3}, before {before:.3}\n");
            }
        }
    }
    told
}

fn problems(status: &Value, has_colours: bool) -> String {
    let mut told = String::new();
    let list = |key: &str| status.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let hampering = list("degraded_by");
    for problem in list("problems").iter().take(SHOWN_PROBLEMS) {
        let part = |key: &str| harmless(problem.get(key).and_then(Value::as_str).unwrap_or(""));
        let (kind, colour) =
            if hampering.contains(problem) { ("degraded", Colour::Red) } else { ("problem ", Colour::Yellow) };
        // A drawing that points at a mistake is of several lines.
        let what = part("what").replace('\n', "\n           ");
        told += &format!("{}   {}: {what}\n", coloured(kind, colour, has_colours), one_line(&part("path")));
        if !part("remedy").is_empty() {
            told += &format!("           mend: {}\n", part("remedy"));
        }
    }
    let hidden = status.get("problem_count").and_then(Value::as_u64).unwrap_or(0).saturating_sub(SHOWN_PROBLEMS as u64);
    if hidden > 0 {
        told += &format!("           and {hidden} more problems: see `artificio status --json`\n");
    }
    told
}

/// The two largest units, as people say it.
fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Value {
        let disk =
            serde_json::json!({"what": "1:2: unknown key `a`\n  |\n1 | a = 1", "path": "/c.toml", "remedy": "mend it"});
        let file =
            serde_json::json!({"what": "the file is empty", "path": "/p/\u{1b}[31ma.jpg", "remedy": "copy it again"});
        serde_json::json!({
            "state": "degraded", "pid": 7, "version": "0.1.0", "started_s": 1_000,
            "inventory": {"files": 40, "indexed": 36, "pending": 3, "failed": 1, "per_second": 1.5, "remaining_s": 2},
            "queries": {"answered": 3, "failed": 0, "pending": 1},
            "model": {
                "id": "m1-20261123", "encoder": "pretrained", "trained_on": 36,
                "training": {"id": "m3", "pictures": 50, "stage": "fitting", "share": 0.25},
                "last_training": {"id": "m2", "decision": "refused", "reason": "it knows fewer pictures again",
                    "figures": {"inventory": {"before": {"found": 0.9}, "after": {"found": 0.8}}, "training": null}},
            },
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
           1.5 pictures a second, 2 s to go
queries    3 answered, 0 could not be, 1 waiting
model      m1-20261123, trained on 36 pictures
training   m3 on 50 pictures: fitting, 25 % of that
           last: m2 refused: it knows fewer pictures again
           inventory pictures known again: 0.800, before 0.900
settings   changed, in force after a restart: folders.query, limits.workers
degraded   /c.toml: 1:2: unknown key `a`
             |
           1 | a = 1
           mend: mend it
problem    /p/\\u{1b}[31ma.jpg: the file is empty
           mend: copy it again
           and 2 more problems: see `artificio status --json`
";
        assert_eq!(told(&example(), 8_500, false), expected);
    }

    #[test]
    fn colours_change_nothing_else() {
        let plain = told(&example(), 8_500, false);
        let coloured = told(&example(), 8_500, true);
        assert_ne!(plain, coloured);
        let stripped =
            ["\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"].iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(stripped, plain);
    }
}
