//! Measures how the search for near-duplicates grows: CPU-seconds, memory, and copies found among simulated pictures.
//!
//! `cargo bench --bench duplicates_growth -- PICTURES 10000 30000 100000`: features and miniatures are made of those of the first
//! 1,500 pictures in the folder PICTURES, at any depth: a simulated picture is a blend of two, and every tenth is a changed copy
//! of the one before it. Each size in a process of its own gives its own peak of memory. From the last two sizes a million is
//! reckoned.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use artificio::base::parallel::map;
use artificio::base::rows::{Rows, to_unit_length};
use artificio::config::Config;
use artificio::dedup::{DuplicateSearch, GreyPicture, PictureSource, grouped, policy};
use artificio::error::Trouble;
use artificio::files::FileAt;
use artificio::model::Backbone;
use artificio::picture::{Bounds, Miniature, decode, read_still, square};
use artificio::progress::Unfollowed;
use artificio_random::Random;

/// PictureSource of which others are made.
const REAL: usize = 1_500;
/// Of so many simulated pictures the last is a copy of the one before it.
const COPY_EVERY: usize = 10;

struct Simulated {
    features: Rows,
    miniatures: Vec<Miniature>,
    count: usize,
}

/// Two pictures and the share of the first.
struct Blend {
    one: usize,
    other: usize,
    share: f32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let (folder, counts) = arguments.split_first().ok_or("a folder with pictures is expected")?;
    let counts: Vec<usize> = counts.iter().map(|count| count.parse()).collect::<Result<_, _>>()?;
    let (features, miniatures) = real(Path::new(folder))?;
    println!("made of {} pictures", miniatures.len());
    let mut pictures = Simulated { features, miniatures, count: 0 };
    let mut measured: Vec<(usize, f64)> = Vec::new();
    for count in if counts.is_empty() { vec![10_000, 30_000, 100_000] } else { counts } {
        pictures.count = count;
        measured.push((count, measure(&pictures)?));
    }
    if let [.., (fewer, less), (more, cpu_s)] = measured[..] {
        let growth = (cpu_s / less).ln() / (more as f64 / fewer as f64).ln();
        let million = cpu_s * (1e6 / more as f64).powf(growth);
        println!("grows with the number to the power of {growth:.2}: a million in {:.0} CPU-minutes", million / 60.0);
    }
    Ok(())
}

/// CPU-seconds for a search.
fn measure(pictures: &Simulated) -> Result<f64, Box<dyn Error>> {
    let start = cpu_s();
    let search = DuplicateSearch::among(pictures, policy::NEAR_DUPLICATE);
    let links = search.links(&Unfollowed)?.ok_or("cancelled")?;
    let groups = grouped(pictures.count, &links, &search, &Unfollowed)?.ok_or("cancelled")?;
    let took = cpu_s() - start;
    let is_copy = |at: usize| at % COPY_EVERY == COPY_EVERY - 1;
    let is_of_one = |group: &&artificio::dedup::Group| {
        let has = |at: usize| group.members.iter().any(|member| member.at == at);
        group.members.iter().any(|member| is_copy(member.at) && has(member.at - 1))
    };
    let found = groups.iter().filter(is_of_one).count();
    let (count, planted) = (pictures.count, pictures.count / COPY_EVERY);
    println!(
        "{count} pictures: {took:.0} CPU-s, {:.2} ms a picture; {} links; groups with a copy {found} of {planted}; {} MB",
        took * 1e3 / count as f64,
        links.len(),
        peak_mb()
    );
    Ok(took)
}

fn real(folder: &Path) -> Result<(Rows, Vec<Miniature>), Box<dyn Error>> {
    let (backbone, bounds) =
        (Backbone::load().map_err(|trouble| trouble.to_string())?, Bounds::from(&Config::default().limits));
    let mut paths = below(folder)?;
    paths.sort();
    let squares = |path: &PathBuf| {
        let contents = read_still(&FileAt::named(path), &bounds).ok()?;
        square(&decode(&contents.bytes, path, &bounds).ok()?, Backbone::SIDE)
    };
    let squares: Vec<_> = paths.iter().filter_map(squares).take(REAL).collect();
    if squares.is_empty() {
        return Err("no picture in the folder can be read".into());
    }
    let rows = map(squares.len(), |at| backbone.features(&squares[at..=at]).into_values());
    let features = Rows::from_values(Backbone::WIDTH, rows.concat()).ok_or("no features")?;
    Ok((features.at_unit_length(), squares.iter().map(Miniature::of).collect()))
}

fn below(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { paths.extend(below(&path)?) } else { paths.push(path) }
    }
    Ok(paths)
}

impl Simulated {
    /// The picture at `at` without what is changed in a copy; copies have the blend of their original.
    fn blend(&self, at: usize) -> (Blend, Random) {
        let mut random = Random::new(if at % COPY_EVERY == COPY_EVERY - 1 { at - 1 } else { at } as u64);
        let last = self.miniatures.len() - 1;
        let blend =
            Blend { one: random.count(0, last), other: random.count(0, last), share: random.between(0.5, 0.62) };
        (blend, random)
    }

    fn row(&self, at: usize) -> Vec<f32> {
        let (Blend { one, other, share }, mut noise) = self.blend(at);
        let mut changed = Random::new(!at as u64);
        let both = self.features.row(one).iter().zip(self.features.row(other));
        let mut row: Vec<f32> =
            both.map(|(one, other)| (share * one + (1.0 - share) * other) * noise.between(0.5, 1.5)).collect();
        if at % COPY_EVERY == COPY_EVERY - 1 {
            row.iter_mut().for_each(|value| *value *= changed.between(0.5, 1.5));
        }
        to_unit_length(&mut row);
        row
    }

    fn miniature(&self, at: usize) -> Miniature {
        let (Blend { one, other, share }, mut random) = self.blend(at);
        let is_mirrored = random.chance(0.5);
        let (one, other) = (self.miniatures[one].bytes(), self.miniatures[other].bytes());
        let mut bytes = *one;
        for (place, byte) in bytes.iter_mut().enumerate() {
            let there = if is_mirrored { place ^ 31 } else { place };
            let shade = share * f32::from(one[place]) + (1.0 - share) * f32::from(other[there]);
            // A copy is darker, and has been compressed.
            let of_copy = 0.8 * shade + 10.0 + (place * 7 % 5) as f32;
            *byte = if at % COPY_EVERY == COPY_EVERY - 1 { of_copy } else { shade } as u8;
        }
        Miniature::from_bytes(&bytes).unwrap_or_else(|| self.miniatures[0].clone())
    }
}

impl PictureSource for Simulated {
    fn count(&self) -> usize {
        self.count
    }

    fn have_features(&self) -> bool {
        true
    }

    fn features(&self, positions: &[u32]) -> Result<Rows, Trouble> {
        let rows = map(positions.len(), |at| self.row(positions[at] as usize)).concat();
        Ok(Rows::from_values(Backbone::WIDTH, rows).unwrap_or_default())
    }

    fn miniatures(&self, positions: &[u32]) -> Result<Vec<Miniature>, Trouble> {
        Ok(map(positions.len(), |at| self.miniature(positions[at] as usize)))
    }

    /// What is simulated has no files.
    fn greys(&self, positions: &[u32]) -> Vec<Option<GreyPicture>> {
        positions.iter().map(|_| None).collect()
    }
}

/// Of all threads.
fn cpu_s() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time, in hundredths.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn peak_mb() -> usize {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) / 1024
}
