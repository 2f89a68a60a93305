//! What an engine does with simulated embeddings of four nodes: rows put in a second, and the time of a search with its 250 rows, of which
//! 200 are ranked. Or whether it has exactly the pictures that the catalogs of its nodes have, by key and content: then the exit code says so.
//!
//! `cargo bench --profile dev --features milvus --bench engine -- http://127.0.0.1:19530 [ROWS]`
//! `cargo bench --profile dev --features milvus --bench engine -- http://127.0.0.1:19530 keys NODE=STATE_FOLDER...`

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use artificio::base::rows::Rows;
use artificio::catalog::{Catalog, FileRow, FileState, Root};
use artificio::clock::WallTime;
use artificio::config::SearchScope;
use artificio::engine::{
    Engine, EngineGeneration, EngineRow, KeyPrefix, MilvusAccess, MilvusEngine, NearRequest, PictureKey,
};
use artificio::picture::Hash;
use artificio_random::Random;

const WIDTH: usize = 192;
const WRITERS: usize = 4;
const AT_ONCE: usize = 500;
const SEARCHES: usize = 400;
/// As a query asks for.
const COUNT: usize = 250;
const KEYS_AT_ONCE: usize = 5_000;

/// Around a thousand directions, as pictures of some kinds are.
struct Simulated {
    centres: Vec<Vec<f32>>,
}

impl Simulated {
    fn new() -> Self {
        let mut random = Random::new(7);
        Self { centres: (0..1_000).map(|_| (0..WIDTH).map(|_| random.normal()).collect()).collect() }
    }

    fn row(&self, node: usize, number: usize) -> EngineRow {
        let seed = node * 1_000_000_007 + number;
        let mut random = Random::new(seed as u64);
        let centre = &self.centres[random.count(0, self.centres.len() - 1)];
        EngineRow {
            node: format!("node-{node}"),
            path: PathBuf::from(format!("folder-{}/{number:09}.jpg", number / 1_000)),
            content: Hash::of(&seed.to_le_bytes()),
            date: WallTime::of_seconds(number as i64),
            embedding: centre.iter().map(|value| value + 0.7 * random.normal()).collect(),
        }
    }
}

fn engine(url: &str, prefix: &str) -> MilvusEngine {
    let access = MilvusAccess {
        url: url.into(),
        token_file: PathBuf::new(),
        ca_file: PathBuf::new(),
        prefix: prefix.into(),
        timeout: Duration::from_secs(60),
        search_timeout: Duration::from_secs(60),
    };
    MilvusEngine::new(&access).unwrap()
}

fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort();
    times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0
}

/// Compares the generation that serves with the catalogs.
fn compare_keys(engine: &MilvusEngine, nodes: impl Iterator<Item = String>) -> ExitCode {
    let generation = engine.serving().unwrap().expect("a generation serves");
    let rows = engine.count(&generation).unwrap();
    let (mut differs, mut all) = (false, 0);
    for node in nodes {
        let (name, state) = node.split_once('=').expect("NODE=STATE_FOLDER");
        let mut own: HashSet<(PictureKey, Hash)> = HashSet::new();
        let add = |FileRow { path, state, .. }: FileRow| {
            if let FileState::Read(content) = state {
                own.insert((PictureKey::of(name, &path), content));
            }
        };
        Catalog::open_reader(Path::new(state)).unwrap().each_file(Root::Inventory, add).unwrap();
        let slices = KeyPrefix::slices(rows, KEYS_AT_ONCE);
        let there: HashSet<(PictureKey, Hash)> =
            slices.flat_map(|slice| engine.keys(&generation, name, slice).unwrap()).collect();
        let (missing, strays) = (own.difference(&there).count(), there.difference(&own).count());
        println!("{name}: {} pictures, {missing} of them not in {generation}, {strays} too many there", own.len());
        differs |= missing + strays > 0;
        all += there.len();
    }
    println!("{rows} rows in all, {all} of these nodes");
    if differs || rows != all { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(url) = arguments.next() else {
        eprintln!("name an engine: http://127.0.0.1:19530");
        return ExitCode::from(2);
    };
    let what = arguments.next().unwrap_or_else(|| "100000".into());
    match what.as_str() {
        "keys" => compare_keys(&engine(&url, "artificio"), arguments),
        rows => {
            measure(&engine(&url, "bench"), rows.parse().expect("a number of rows"));
            ExitCode::SUCCESS
        }
    }
}

fn measure(engine: &MilvusEngine, rows: usize) {
    let simulated = Simulated::new();
    let name = format!("simulated_{}", artificio::clock::now_s());
    engine.prepare(&EngineGeneration { name: name.clone(), width: WIDTH }).unwrap();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for node in 0..WRITERS {
            let (simulated, name) = (&simulated, &name);
            scope.spawn(move || {
                let numbers: Vec<usize> = (0..rows / WRITERS).collect();
                for some in numbers.chunks(AT_ONCE) {
                    let some: Vec<EngineRow> = some.iter().map(|number| simulated.row(node, *number)).collect();
                    engine.put(name, &some).unwrap();
                }
            });
        }
    });
    let took = started.elapsed().as_secs_f64();
    println!(
        "{} rows from {WRITERS} writers in {took:.1} s: {:.0} a second",
        engine.count(&name).unwrap(),
        rows as f64 / took
    );
    let everything = SearchScope::default();
    let mut times = Vec::new();
    for at in 0..SEARCHES {
        let members = Rows::from_values(WIDTH, simulated.row(WRITERS, at).embedding).unwrap();
        let request = NearRequest { members: &members, asker: "node-0", scope: &everything, count: COUNT };
        let started = Instant::now();
        let found = engine.near(&name, &request).unwrap();
        times.push(started.elapsed());
        assert!(found.len() == COUNT.min(rows / WRITERS * (WRITERS - 1)), "{} found", found.len());
    }
    let (p50, p99) = (percentile(&mut times, 0.5), percentile(&mut times, 0.99));
    println!("a search with {COUNT} rows of {WIDTH} values: p50 {p50:.1} ms, p99 {p99:.1} ms");
    engine.retire(&name).unwrap();
}
