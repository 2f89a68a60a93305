//! Invariants of the house: small owners, one of each helper, typed errors, one meaning a name.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Source, sources};

/// Fields of the daemon; what belongs together is a part of its own.
const MOST_DAEMON_FIELDS: usize = 12;

/// What breaks a rule, each with its place.
type Rule = fn(&[Source]) -> Vec<String>;

/// The rules, each with a source that breaks it: whoever changes a rule sees that it still finds something.
const RULES: [(&str, Rule, &str, &str); 10] = [
    (
        "the daemon has few fields",
        the_daemon_has_few_fields,
        "src/daemon/mod.rs",
        "pub struct Daemon {\n    a: A,\n    b: B,\n    c: C,\n    d: D,\n    e: E,\n    f: F,\n    g: G,\n    h: H,\n    i: I,\n    j: J,\n    k: K,\n    l: L,\n    m: M,\n}\n",
    ),
    (
        "parts of the daemon keep their fields to themselves",
        parts_have_private_fields_and_tests,
        "src/daemon/state/part.rs",
        "pub struct Queries {\n    pub answers: u64,\n}\n#[cfg(test)]\nmod tests {\n",
    ),
    (
        "each part of the daemon has tests of its own",
        parts_have_private_fields_and_tests,
        "src/daemon/state/part.rs",
        "pub struct Queries {\n    answers: u64,\n}\n",
    ),
    (
        "reporting schedules nothing",
        reporting_schedules_nothing,
        "src/daemon/reporting/report.rs",
        "self.plan.enqueue(root, path);\n",
    ),
    (
        "what is asked for every job walks through nothing",
        what_is_asked_for_every_job_walks_through_nothing,
        "src/daemon/plan/lane.rs",
        "pub fn pending(&self) -> usize {\n    self.queued.values().count()\n}\n",
    ),
    (
        "queries, trainings and the quarantine know no daemon",
        nobody_below_knows_the_daemon,
        "src/query/search.rs",
        "use crate::daemon::Daemon;\n",
    ),
    (
        "threads are started in one way",
        threads_are_started_in_one_way,
        "src/training/job.rs",
        "thread::Builder::new().name(name).spawn(work);\n",
    ),
    ("errors are typed", errors_are_typed, "src/index/mod.rs", "pub fn load(path: &Path) -> Result<Index, String> {\n"),
    (
        "messages are not taken apart",
        messages_are_not_taken_apart,
        "src/cli/check/mod.rs",
        "let what = message.strip_prefix(&path).unwrap_or(message);\n",
    ),
    ("a type's name means one thing", type_names_are_used_once, "src/index/mod.rs", "pub struct Daemon;\n"),
];

#[test]
fn the_house_is_in_order() {
    let sources = sources();
    let broken: Vec<String> = RULES
        .iter()
        .flat_map(|(name, rule, _, _)| rule(&sources).into_iter().map(move |place| format!("{name}: {place}")))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_rule_finds_what_breaks_it() {
    for (name, rule, path, text) in RULES {
        let mut sources = sources();
        sources.retain(|source| source.path != Path::new(path));
        sources.push(Source { path: path.into(), text: text.into() });
        assert!(!rule(&sources).is_empty(), "{name}: not found when it is broken");
    }
}

/// The lines of a source that are code, with their numbers, its unit tests left out.
fn code_lines(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.code().lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines.filter(|(_, line)| !line.starts_with("//"))
}

fn find(sources: &[Source], is_wrong: impl Fn(&Source, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.is_test_file()) {
        let wrong = code_lines(source).filter(|(_, line)| is_wrong(source, line));
        found.extend(wrong.map(|(number, line)| format!("{}:{number} {line}", source.path.display())));
    }
    found
}

fn below(source: &Source, folders: &[&str]) -> bool {
    folders.iter().any(|folder| source.path.starts_with(folder))
}

/// The lines between a struct's braces.
fn fields_of<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("pub struct {name} {{");
    let Some(rest) = text.lines().position(|line| line.starts_with(&start)) else { return Vec::new() };
    let body = text.lines().skip(rest + 1).take_while(|line| *line != "}").map(str::trim);
    body.filter(|line| !line.starts_with("//") && line.contains(": ")).collect()
}

fn the_daemon_has_few_fields(sources: &[Source]) -> Vec<String> {
    let daemon = sources.iter().find(|source| source.path == Path::new("src/daemon/mod.rs")).unwrap();
    let fields = fields_of(&daemon.text, "Daemon");
    assert!(!fields.is_empty(), "the daemon has no fields: the search is blind");
    if fields.len() > MOST_DAEMON_FIELDS { vec![format!("{} fields: {fields:?}", fields.len())] } else { Vec::new() }
}

fn parts_have_private_fields_and_tests(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    // What a part hands out may be open; the part itself, the type that the daemon holds, is not.
    let daemon = sources.iter().find(|source| source.path == Path::new("src/daemon/mod.rs")).unwrap();
    let fields = fields_of(&daemon.text, "Daemon");
    let held: Vec<&str> = fields.iter().map(|field| field.split(": ").nth(1).unwrap().trim_end_matches(',')).collect();
    for source in sources.iter().filter(|source| below(source, &["src/daemon/state"])) {
        let part = held.iter().find(|part| source.text.contains(&format!("pub struct {part} {{")));
        let Some(part) = part else { continue };
        let open = fields_of(&source.text, part).into_iter().filter(|field| field.starts_with("pub"));
        wrong.extend(open.map(|field| format!("{}: {field}", source.path.display())));
        if !source.text.contains("#[cfg(test)]\nmod tests") {
            wrong.push(format!("{}: no tests", source.path.display()));
        }
    }
    wrong
}

fn reporting_schedules_nothing(sources: &[Source]) -> Vec<String> {
    find(sources, |source, line| {
        below(source, &["src/daemon/reporting"])
            && ["enqueue(", "dequeue(", ".start_job(", ".hurry("].iter().any(|call| line.contains(call))
    })
}

/// The plan and the answers are asked many times a turn, with a million jobs or answers: they keep counts and ordered sets.
fn what_is_asked_for_every_job_walks_through_nothing(sources: &[Source]) -> Vec<String> {
    let places = ["src/daemon/plan/lane.rs", "src/daemon/state/answers.rs"];
    assert!(
        places.iter().all(|place| sources.iter().any(|source| source.path == Path::new(place))),
        "the search is blind"
    );
    let walks = ["for ", "iter()", ".values", ".keys()", ".retain(", ".count()", "into_iter", ".extend(", ".clear()"];
    find(sources, |source, line| below(source, &places) && walks.iter().any(|walk| line.contains(walk)))
}

fn nobody_below_knows_the_daemon(sources: &[Source]) -> Vec<String> {
    find(sources, |source, line| {
        below(source, &["src/query", "src/training", "src/quarantine"]) && line.contains("crate::daemon")
    })
}

/// But for threads that live no longer than the call that starts them: those of a scope, the one that asks the service
/// manager for patience while the catalog is loaded, and the one in which a child process decodes.
fn threads_are_started_in_one_way(sources: &[Source]) -> Vec<String> {
    let allowed = ["src/threads.rs", "src/isolation/child.rs", "src/daemon/reporting/manager.rs"];
    find(sources, |source, line| {
        !below(source, &allowed) && (line.contains("thread::Builder::new()") || line.contains("thread::spawn("))
    })
}

fn errors_are_typed(sources: &[Source]) -> Vec<String> {
    find(sources, |_, line| line.contains(", String> {") && line.contains("Result<") && line.starts_with("pub "))
}

fn messages_are_not_taken_apart(sources: &[Source]) -> Vec<String> {
    find(sources, |_, line| {
        let takes = ["strip_prefix(&", "strip_prefix(&format!", "contains('^')", "trim_start_matches(':')"];
        line.contains("message") && takes.iter().any(|call| line.contains(call))
    })
}

fn type_names_are_used_once(sources: &[Source]) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test_file()) {
        for (number, line) in code_lines(source) {
            if let Some(name) = type_named(line) {
                places.entry(name).or_default().push(format!("{}:{number}", source.path.display()));
            }
        }
    }
    assert!(places.len() > 100, "only {} types found: the search is blind", places.len());
    let twice = places.into_iter().filter(|(_, places)| places.len() > 1);
    twice.map(|(name, places)| format!("{name} in {}", places.join(" and "))).collect()
}

/// The name of the type that a line defines.
fn type_named(line: &str) -> Option<String> {
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ")?.1;
    }
    rest = rest.strip_prefix("pub ").unwrap_or(rest);
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|keyword| rest.strip_prefix(keyword))?;
    // An associated type of a trait's implementation is no name of its own.
    let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric()).collect();
    let is_associated =
        line.starts_with("type ") && ["Err", "Error", "Item", "Output", "Target", "Value"].contains(&name.as_str());
    (!is_associated && !name.is_empty()).then_some(name)
}
