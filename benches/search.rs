//! Searches in the index, for `benches/search_vs_faiss.py`, which makes the files and compares what is found:
//!
//! - `cargo bench --bench search -- EMBEDDINGS QUERIES WIDTH COUNT FOUND`: CPU-ms a query, a picture at a time, to find the
//!   COUNT nearest, and how much of it is their averaging and order, whatever the number of pictures. FOUND gets their
//!   positions in the order of their stored embeddings, not averaged: what a search without averaging would answer.
//! - `cargo bench --bench search -- export ROOT EMBEDDINGS`: the embeddings of a root's inventory, as its catalog has them,
//!   and their width.
//!
//! - `cargo bench --bench search -- sample COUNT WIDTH`: CPU-ms to find the nearest others of the sample among COUNT simulated
//!   pictures, what scores are compared with, and to follow some changes.
//! - `cargo bench --bench search -- dates COUNT WIDTH`: CPU-ms a query among COUNT simulated pictures, of any time and of some, with
//!   the count of those in scope.
//!
//! Embeddings are float32, row after row, and positions are numbers of 32 bits, all little-endian.

use std::error::Error;
use std::fs;
use std::path::Path;

use artificio::base::dot::dot;
use artificio::base::rows::Rows;
use artificio::catalog::Catalog;
use artificio::clock::WallTime;
use artificio::config::{Config, DateRange, InventoryFolders, Metric, SearchScope, SetMode};
use artificio::index::{Index, SampleNeighbours, SearchMode, Snapshot};
use artificio::network::features_in_force;
use artificio::serving::load::{inventory_of, load_index, load_model_read_only, picture_of};
use artificio_random::Random;

/// Rows that are compared in a measurement, so that the clock's steps of a few milliseconds do not matter.
const ROWS_COMPARED: usize = 20_000_000;
/// The ranking of the shortlist costs about as much as the scan of so many rows.
const ROWS_AT_LEAST: usize = 10_000;
const COSINE: SearchMode = SearchMode { metric: Metric::Cosine, set_mode: SetMode::Mean };

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds "--bench".
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["export", root, embeddings] => export(Path::new(root), Path::new(embeddings)),
        ["sample", count, width] => sample(count.parse()?, width.parse()?),
        ["dates", count, width] => dates(count.parse()?, width.parse()?),
        [embeddings, queries, width, count, found] => {
            let (width, count) = (width.parse()?, count.parse()?);
            let index = index_of(&read(Path::new(embeddings), width)?);
            search(&index, &read(Path::new(queries), width)?, count, Path::new(found))
        }
        _ => Err("see the first lines of benches/search.rs".into()),
    }
}

/// Random embeddings around a thousand centres.
fn sample(count: usize, width: usize) -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(1);
    let mut normal = |size: f32| (0..width).map(|_| size * random.normal()).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..1_000).map(|_| normal(1.0)).collect();
    let mut near = |number: usize| -> Vec<f32> {
        centres[number % 1_000].iter().zip(normal(0.7)).map(|(centre, offset)| centre + offset).collect()
    };
    let mut index = Index::filled(width, (0..count).map(|number| (number.to_string(), near(number))));
    let mut neighbours = SampleNeighbours::default();
    let mut follow = |index: &Index, what: &str| -> Result<(), Box<dyn Error>> {
        let snapshot = index.snapshot();
        let started = process_cpu_ms()?;
        neighbours.follow(&snapshot);
        println!("{:>6.0} CPU-ms: {what}", process_cpu_ms()? - started);
        Ok(())
    };
    follow(&index, "all")?;
    follow(&index, "nothing changed")?;
    index.put(Path::new("new"), &near(7));
    follow(&index, "one new")?;
    for number in 0..1_000 {
        index.put(Path::new(&format!("new {number}")), &near(number));
    }
    follow(&index, "1,000 new")?;
    let gone: Vec<String> = (0..1_000).map(|number| (number * (count / 1_000)).to_string()).collect();
    index.remove(gone.iter().map(Path::new));
    follow(&index, "1,000 gone, everywhere")?;
    Ok(())
}

/// Pictures of a hundred months, in no order.
fn dates(count: usize, width: usize) -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(1);
    let mut row = || (0..width).map(|_| random.normal()).collect::<Vec<f32>>();
    let query = Rows::from_values(width, row()).ok_or("no query")?;
    let mut index =
        Index::filled(width, (0..count).map(|number| (format!("{:03}/{number:07}.jpg", number % 500), row())));
    let month_s = 30 * 24 * 3_600;
    for number in 0..count {
        let date = WallTime::of_seconds((number * 7_919 % 100) as i64 * month_s);
        index.set_date(Path::new(&format!("{:03}/{number:07}.jpg", number % 500)), date);
    }
    let snapshot = index.snapshot();
    let since = |month: i64| -> Result<SearchScope, Box<dyn Error>> {
        let after = Some(WallTime::of_seconds(month * month_s).to_string().parse()?);
        Ok(SearchScope { taken: DateRange { after, before: None }, ..SearchScope::default() })
    };
    let folder = InventoryFolders::of(["007".into()]).map_err(|_| "no folder")?;
    let within = SearchScope { within: folder, ..SearchScope::default() };
    let scopes = [
        ("of any time", SearchScope::default()),
        ("of half the time", since(50)?),
        ("of one month in a hundred", since(99)?),
        ("of no time", since(100)?),
        ("within one folder of five hundred", within),
    ];
    let rounds = (ROWS_COMPARED / count.max(1)).max(3);
    for (what, scope) in scopes {
        let (mut in_scope, start) = (0, cpu_ms()?);
        for _ in 0..rounds {
            std::hint::black_box(snapshot.search_within(&query, COSINE, &scope, 200));
            in_scope = snapshot.count_within(&scope);
        }
        println!("{:>8.3} CPU-ms: {what}, {in_scope} of {count} pictures", (cpu_ms()? - start) / rounds as f64);
    }
    Ok(())
}

/// The pictures are named by their positions.
fn index_of(embeddings: &Rows) -> Index {
    Index::filled(embeddings.width(), embeddings.iter().enumerate().map(|(position, row)| (position.to_string(), row)))
}

fn search(index: &Index, queries: &Rows, count: usize, found: &Path) -> Result<(), Box<dyn Error>> {
    let queries: Vec<Rows> =
        queries.iter().filter_map(|query| Rows::from_values(queries.width(), query.to_vec())).collect();
    let (snapshot, mut positions) = (index.snapshot(), Vec::new());
    for query in &queries {
        let mut nearest = Vec::new();
        for picture in snapshot.search(query, COSINE, count) {
            let embedding = index.embedding(&picture.path).ok_or("found, and not in the index")?;
            let length = dot(&embedding, &embedding).sqrt();
            nearest.push((dot(query.values(), &embedding) / length, picture.path));
        }
        nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, path) in nearest {
            positions.extend(path.to_str().ok_or("no name")?.parse::<u32>()?.to_le_bytes());
        }
    }
    fs::write(found, positions)?;
    let took = query_ms(&snapshot, &queries, count)?;
    // The scan hands on more than are wanted, because its order is not exact.
    let few = index_of(&first_rows(index, count + count / 2)?).snapshot();
    let ranking = query_ms(&few, &queries, count)?;
    println!("artificio {} pictures: {took:.3} CPU ms/query, {ranking:.3} of it ranking", snapshot.len());
    Ok(())
}

/// CPU-ms a query.
fn query_ms(snapshot: &Snapshot, queries: &[Rows], count: usize) -> Result<f64, Box<dyn Error>> {
    let rows = snapshot.len().max(ROWS_AT_LEAST) * queries.len();
    let rounds = (ROWS_COMPARED / rows.max(1)).max(1);
    let start = cpu_ms()?;
    for query in (0..rounds).flat_map(|_| queries) {
        std::hint::black_box(snapshot.search(query, COSINE, count));
    }
    Ok((cpu_ms()? - start) / (rounds * queries.len()) as f64)
}

/// The embeddings of the first pictures: an index in which there is nothing to find, only to rank.
fn first_rows(index: &Index, count: usize) -> Result<Rows, Box<dyn Error>> {
    let mut rows = Rows::empty(index.width());
    for position in 0..count.min(index.len()) {
        rows.push(&index.embedding(Path::new(&position.to_string())).ok_or("not in the index")?);
    }
    Ok(rows)
}

fn export(root: &Path, embeddings: &Path) -> Result<(), Box<dyn Error>> {
    let mut config = Config::default();
    config.folders = config.folders.below(root);
    let catalog = Catalog::open_reader(&config.folders.state)?;
    let model = load_model_read_only(&catalog, &config.model, features_in_force(&config))?;
    let contents = inventory_of(&catalog)?;
    let index = load_index(&catalog, &model, contents.iter().map(picture_of))?;
    let mut paths: Vec<_> = contents.into_iter().map(|(path, ..)| path).collect();
    paths.sort();
    let rows = paths.iter().filter_map(|path| index.embedding(path));
    let bytes: Vec<u8> = rows.flatten().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(embeddings, bytes)?;
    println!("{}", index.width());
    Ok(())
}

fn read(file: &Path, width: usize) -> Result<Rows, Box<dyn Error>> {
    let bytes = fs::read(file)?;
    let values = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok(Rows::from_values(width, values).ok_or("not rows of this width")?)
}

/// CPU time of this process, threads that have ended included, to ten milliseconds.
fn process_cpu_ms() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // User and system time, the 14th and 15th field, in hundredths of a second.
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) * 10.0)
}

/// CPU time of all threads of this process: a search may use several.
fn cpu_ms() -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir("/proc/self/task")? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().ok_or("no schedstat")?.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e6)
}
