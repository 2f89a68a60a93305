//! Rules about the code itself, as tests: what a module may know of, that it says what it is for, how long functions are, and
//! that the package says which version it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod house;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, the lowest first. A module uses modules of lower layers, and itself.
const LAYERS: [&[&str]; 14] = [
    &["clock", "error", "progress"],
    &["base"],
    &["config", "files", "threads"],
    &["picture", "index", "watch"],
    &["catalog", "engine", "sandbox"],
    &["model"],
    &["answer", "isolation"],
    &["dedup", "evaluate", "on_answer"],
    &["overview", "quarantine", "serving"],
    &["map", "nodes", "report", "training"],
    &["service_status"],
    &["query"],
    &["daemon", "web"],
    &["cli"],
];

/// A function that does not fit on a screen is two functions.
const LONGEST_FUNCTION_LINES: usize = 70;

struct Source {
    /// Below the root of the repository.
    path: PathBuf,
    text: String,
}

impl Source {
    /// Whether it belongs to the program, not to one of the other crates of the workspace.
    fn is_of_the_program(&self) -> bool {
        self.path.starts_with("src")
    }

    /// The module under `src/` the file belongs to, `lib` or `main`; of another crate its folder: `crates/demo`.
    fn module(&self) -> &str {
        let Ok(inside) = self.path.strip_prefix("src") else {
            return self.path.ancestors().nth(self.path.iter().count() - 2).unwrap().to_str().unwrap();
        };
        let first = inside.iter().next().unwrap().to_str().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    fn is_crate_root(&self) -> bool {
        ["lib", "main"].contains(&self.module())
    }

    /// The text up to its unit tests, which may know everything.
    fn code(&self) -> &str {
        let end = self.text.find("#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        &self.text[..end]
    }

    fn is_test_file(&self) -> bool {
        self.path.file_stem().unwrap().to_str().unwrap().ends_with("tests")
    }
}

/// The sources of the program and of the workspace's other crates.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path().join("src"));
    let (mut folders, mut sources) = (vec![root.join("src")], Vec::new());
    folders.extend(crates);
    assert!(folders.len() > 2, "the other crates are not found");
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source { path: path.strip_prefix(root).unwrap().into(), text });
            }
        }
    }
    assert!(sources.len() > 100, "only {} source files: not the sources", sources.len());
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    sources
}

/// Modules of this crate that a text names: `crate::a`, and `crate::{a, b::c}`.
fn modules_named(code: &str) -> Vec<String> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let word =
        |text: &str| text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>();
    let mut named = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => named.extend(list[..list.find("};").unwrap()].split(',').map(|part| word(part.trim()))),
            None => named.push(word(rest)),
        }
    }
    named
}

#[test]
fn modules_use_lower_layers_only() {
    let order: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, modules)| modules.iter().map(move |module| (*module, layer)))
        .collect();
    let (mut wrong, mut links) = (Vec::new(), 0);
    let has_a_layer =
        |source: &&Source| source.is_of_the_program() && !source.is_crate_root() && !source.is_test_file();
    for source in sources().iter().filter(has_a_layer) {
        let module = source.module();
        let own = *order.get(module).unwrap_or_else(|| panic!("{module} stands in no layer: add it to the table"));
        for used in modules_named(source.code()) {
            let Some(&layer) = order.get(used.as_str()) else { panic!("{}: crate::{used}?", source.path.display()) };
            links += 1;
            if used != module && layer >= own {
                wrong.push(format!("{}: {module} (layer {own}) uses {used} (layer {layer})", source.path.display()));
            }
        }
    }
    assert!(links > 100, "only {links} uses found: the search is blind");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_model_knows_burn() {
    let mut knowing = 0;
    for source in sources() {
        let mut code = source.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let names_burn = code.any(|line| line.contains("burn::") || line.contains("burn_"));
        if source.module() == "model" {
            knowing += usize::from(names_burn);
        } else {
            assert!(!names_burn, "{} names burn", source.path.display());
        }
    }
    assert!(knowing > 0, "nobody names burn: the search is blind");
}

/// Without the feature `milvus` the service has no socket, and no crate more.
#[test]
fn only_the_engine_behind_its_feature_and_the_page_use_a_network() {
    let may = |source: &Source| source.path.starts_with("src/engine/milvus") || source.module() == "web";
    let opens = |source: &Source| {
        ["std::net", "TcpStream", "TcpListener", "UdpSocket", "tonic::"].iter().any(|name| source.code().contains(name))
    };
    let is_code = |source: &Source| source.is_of_the_program() && !source.is_test_file();
    let opening: Vec<_> = sources().into_iter().filter(|source| is_code(source) && opens(source)).collect();
    assert!(opening.iter().any(|source| source.path.starts_with("src/engine/milvus")), "the search is blind");
    let wrong: Vec<_> = opening.iter().filter(|source| !may(source)).map(|source| &source.path).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for name in ["prost::", "tokio::", "tonic::"] {
        let named = sources().into_iter().filter(|source| source.code().contains(name)).collect::<Vec<_>>();
        assert!(!named.is_empty() && named.iter().all(|source| source.path.starts_with("src/engine/milvus")), "{name}");
    }
    let engine = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/mod.rs")).unwrap();
    assert!(engine.contains("#[cfg(feature = \"milvus\")]\nmod milvus;"));
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let default = manifest.lines().find(|line| line.starts_with("default = ")).unwrap();
    assert!(!default.contains("milvus"), "{default}");
    let feature = manifest.lines().find(|line| line.starts_with("milvus = ")).unwrap();
    for name in feature.split('"').filter_map(|part| part.strip_prefix("dep:")) {
        let dependency = manifest.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
        assert!(dependency.contains("optional = true"), "{dependency}");
    }
}

/// Drawing food is the demo's business; the rest of the program takes pictures as they come.
#[test]
fn only_the_demo_command_draws_food() {
    let names_it = |source: &Source| source.code().contains("artificio_demo");
    let naming: Vec<_> =
        sources().into_iter().filter(|source| source.is_of_the_program() && names_it(source)).collect();
    assert!(!naming.is_empty(), "nobody draws food: the search is blind");
    for source in naming {
        assert!(source.path.starts_with("src/cli"), "{} draws food", source.path.display());
    }
}

/// `println!` panics where nobody reads on.
#[test]
fn standard_output_is_written_through_one_module() {
    let writes = |source: &&Source| {
        ["println!(", "print!("].iter().any(|call| source.code().replace("eprint", "").contains(call))
    };
    let sources = sources();
    assert!(!sources.is_empty());
    let found: Vec<_> = sources.iter().filter(writes).map(|source| &source.path).collect();
    assert!(found.is_empty(), "`cli::output::print` does it: {found:?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut silent: Vec<String> = Vec::new();
    for source in sources() {
        let first = source.text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") || first.len() < 12 {
            silent.push(format!("{}: {first}", source.path.display()));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

/// Whether a line begins a function, whatever its visibility and qualifiers.
fn is_function(line: &str) -> bool {
    let mut rest = line;
    if let Some(after) = rest.strip_prefix("pub(") {
        rest = after.split_once(") ").map_or("", |(_, rest)| rest);
    }
    for qualifier in ["pub ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(qualifier).unwrap_or(rest);
    }
    rest.starts_with("fn ")
}

/// Name, first line and length of every function, found by the indentation that rustfmt guarantees.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        if !is_function(body) {
            continue;
        }
        let indent = line.len() - body.len();
        let closes = |line: &&str| line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}');
        let ends_at_once = body.ends_with(';') || body.ends_with('}');
        let length = if ends_at_once { 1 } else { 1 + lines[at..].iter().position(closes).unwrap_or(0) };
        let name = body.split("fn ").nth(1).unwrap_or(body).split(['(', '<']).next().unwrap_or(body);
        found.push((name.to_string(), at + 1, length));
    }
    found
}

#[test]
fn functions_of_every_visibility_are_measured() {
    let text = "impl A {\n    pub(super) fn a(\n    ) {\n    }\n}\npub(in crate::a) const fn b() {\n}\nfn c() {}\nlet fn_d = 1;\n";
    let found = functions(text);
    assert_eq!(found, [("a".into(), 2, 3), ("b".into(), 6, 2), ("c".into(), 8, 1)]);
}

#[test]
fn functions_fit_on_a_screen() {
    let (mut all, mut too_long) = (Vec::new(), Vec::new());
    for source in sources() {
        for (name, line, length) in functions(&source.text) {
            let place = format!("{}:{line} {name}", source.path.display());
            if length > LONGEST_FUNCTION_LINES {
                too_long.push(format!("{place}: {length} lines"));
            }
            all.push((length, place));
        }
    }
    assert!(all.len() > 600, "only {} functions found: the search is blind", all.len());
    let (length, place) = all.iter().max().unwrap();
    println!("the longest of {} functions: {place}, {length} lines", all.len());
    assert!(too_long.is_empty(), "{}", too_long.join("\n"));
}

#[test]
fn the_package_tells_of_this_version() {
    let newest = include_str!("../../debian/changelog").lines().next().unwrap();
    let expected = concat!("artificio (", env!("CARGO_PKG_VERSION"), "-");
    assert!(newest.starts_with(expected), "debian/changelog begins with {newest:?}, not with {expected:?}");
}
