//! CPU microseconds to open a file as the service does, below a folder and without following a link, and as any program does.
//!
//!     cargo bench --profile dev --bench opening -- [FILES]
//!
//! Makes so many small files (10,000) in folders of 100, two levels deep, and opens and closes each; the best of five rounds.

#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use artificio::files::FileAt;

const ROUNDS: usize = 5;

fn main() {
    let count = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(10_000);
    let root = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..count).map(|at| format!("a/{}/{at}.jpg", at / 100).into()).collect();
    for path in &paths {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), b"x").unwrap();
    }
    let below = best(&paths, |path| drop(FileAt::below(root.path(), path).open().unwrap()));
    let looked_at = best(&paths, |path| assert_eq!(FileAt::below(root.path(), path).stamp().unwrap().size, 1));
    let plain = best(&paths, |path| {
        let file = File::open(root.path().join(path)).unwrap();
        assert!(file.metadata().unwrap().is_file());
    });
    println!(
        "{count} files, CPU-µs each: opened below a folder {below:.2}, looked at {looked_at:.2}; plainly opened {plain:.2}"
    );
}

/// CPU microseconds of `open` a path.
fn best(paths: &[PathBuf], open: impl Fn(&Path)) -> f64 {
    let round = || {
        let before = cpu_s();
        paths.iter().for_each(|path| open(path));
        (cpu_s() - before) * 1e6 / paths.len() as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// CPU time of this thread, which does all the work.
fn cpu_s() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|time| time.parse::<f64>().ok()).map_or(f64::NAN, |time| time / 1e9)
}
