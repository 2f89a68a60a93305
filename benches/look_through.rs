//! Measures a look through all folders beside `find`, and what is kept of each file:
//! `cargo bench --profile dev --bench look_through -- 10000 100000 1000000`; with `flat` also all files in one folder.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use artificio::files::Stamp;
use artificio::watch::{Change, Hints, Known, Tree, TurnBudget};
use crossbeam_channel::bounded;

/// Links to one file: a file system allows only so many.
const LINKS: usize = 50_000;
/// Entries looked at in all runs of one measurement, so that small trees are measured as exactly as large ones.
const LOOKED_AT: usize = 2_000_000;
/// As the service does it.
const ENTRIES_A_TURN: usize = 2_000;
const QUIET: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let is_flat = std::env::args().any(|argument| argument == "flat");
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("look-through-{}", std::process::id()));
    for count in if counts.is_empty() { vec![10_000, 100_000] } else { counts } {
        for files_a_folder in [1_000].into_iter().chain(is_flat.then_some(count)) {
            let measured = link(&place, count, files_a_folder).and_then(|()| measure(&place, count, files_a_folder));
            fs::remove_dir_all(&place)?;
            measured?;
        }
    }
    Ok(())
}

fn link(place: &Path, count: usize, files_a_folder: usize) -> Result<(), Box<dyn Error>> {
    let mut source = PathBuf::new();
    for number in 0..count {
        let folder = place.join(format!("f{:05}", number / files_a_folder));
        let file = folder.join(format!("IMG_{number:08}.jpg"));
        if number % files_a_folder == 0 {
            fs::create_dir_all(&folder)?;
        }
        if number % LINKS == 0 {
            fs::write(&file, b"never looked into")?;
            source = file;
        } else {
            fs::hard_link(&source, file)?;
        }
    }
    Ok(())
}

fn measure(place: &Path, count: usize, files_a_folder: usize) -> Result<(), Box<dyn Error>> {
    let (hints, lost) = (bounded(1), bounded(1));
    let (bytes_before, started) = (resident()?, Instant::now());
    let tree = Tree::new(place, false, BTreeSet::new(), known(place)?.collect());
    let (bytes, loaded) = (resident()?.saturating_sub(bytes_before), started.elapsed());
    let mut look =
        Look { tree, hints: Hints::start(hints.0, lost.0), now: Duration::ZERO, longest: Duration::ZERO, turns: 0 };
    let (changes, _) = look.through();
    assert_eq!((changes, look.tree.known_below(Path::new("")).len()), (0, count), "every file is known");
    let runs = LOOKED_AT.div_ceil(count);
    (look.longest, look.turns) = (Duration::ZERO, 0);
    let mut ours = Duration::ZERO;
    for _ in 0..runs {
        look.tree.mark_all(true);
        let (changes, took) = look.through();
        assert_eq!(changes, 0, "nothing has changed");
        ours += took;
    }
    let before = cpu(16)?;
    for _ in 0..runs {
        let mut find = Command::new("find");
        find.arg(place).args(["-printf", r"%s %T@ %C@ %i\n"]).stdout(Stdio::null());
        assert!(find.status()?.success());
    }
    let theirs = cpu(16)? - before;
    let each = |all: Duration| all.as_secs_f64() * 1e9 / (count * runs) as f64;
    println!(
        "{count} files, {files_a_folder} a folder: {:.0} CPU-ns a file, find {:.0}, ratio {:.2}; {} turns a look, longest {:.1} ms; known after {:.2} s, {:.0} bytes a file",
        each(ours),
        each(theirs),
        each(ours) / each(theirs),
        look.turns / runs,
        look.longest.as_secs_f64() * 1e3,
        loaded.as_secs_f64(),
        bytes as f64 / count as f64,
    );
    Ok(())
}

/// The files below `place` as a catalog would give them: in order, one after the other.
fn known(place: &Path) -> Result<impl Iterator<Item = (PathBuf, Known)>, Box<dyn Error>> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(place)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    folders.sort_unstable();
    let files = folders.into_iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let place = place.to_path_buf();
    Ok(files.filter_map(move |file| {
        let stamp = Stamp::of(&file.metadata().ok()?);
        Some((file.path().strip_prefix(&place).ok()?.to_path_buf(), Known { stamp, has_failed: false }))
    }))
}

struct Look {
    tree: Tree,
    hints: Hints,
    now: Duration,
    longest: Duration,
    turns: usize,
}

impl Look {
    /// Looks through everything and lets it settle: how many changes there were, and the CPU time.
    fn through(&mut self) -> (usize, Duration) {
        let (before, mut changes) = (cpu(14).unwrap_or_default(), 0);
        for _ in 0..3 {
            self.now += Duration::from_secs(100);
            self.tree.check_root(self.now, &mut self.hints);
            while self.tree.next_due().is_some_and(|due| due <= self.now) {
                let started = Instant::now();
                let mut budget = TurnBudget::of(ENTRIES_A_TURN);
                let found = self.tree.turn(self.now, QUIET, &mut self.hints, &mut budget);
                changes += found.iter().filter(|change| matches!(change, Change::Ready(..))).count();
                self.longest = self.longest.max(started.elapsed());
                self.turns += 1;
            }
        }
        (changes, cpu(14).unwrap_or_default() - before)
    }
}

/// CPU time of this process (14) or of its children (16), user and system; see proc(5).
fn cpu(field: usize) -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(") ").ok_or("no name in /proc/self/stat")?.1;
    let ticks: Vec<u64> =
        after_name.split(' ').skip(field - 3).take(2).filter_map(|field| field.parse().ok()).collect();
    Ok(Duration::from_millis(10 * ticks.iter().sum::<u64>()))
}

fn resident() -> Result<usize, Box<dyn Error>> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages: usize = statm.split(' ').nth(1).ok_or("no size in /proc/self/statm")?.parse()?;
    Ok(pages * 4096)
}
