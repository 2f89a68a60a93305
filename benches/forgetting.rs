//! What forgetting costs: `cargo bench --profile dev --bench forgetting -- 100000`. So many contents that no file has, with
//! features, miniature and embedding, are marked as gone and deleted, a slice in each turn of the service's loop. Measured is
//! the time on a processor: on a busy machine the rest is waiting for others.

use std::error::Error;
use std::path::PathBuf;

use artificio::catalog::{Catalog, OrphanSweep, Retention};
use artificio::model::Backbone;
use artificio::picture::{Hash, MINIATURE_SIDE, Miniature};

/// Values of an embedding.
const EMBEDDING: usize = 192;
/// Contents in a transaction while the catalog is filled.
const AT_ONCE: usize = 1_000;
const DAY_S: i64 = 24 * 3_600;

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for count in if counts.is_empty() { vec![100_000] } else { counts } {
        let place =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("forgetting-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&place)?;
        let result = measure(&place, count);
        std::fs::remove_dir_all(&place)?;
        result?;
    }
    Ok(())
}

fn measure(place: &std::path::Path, count: usize) -> Result<(), Box<dyn Error>> {
    let mut catalog = Catalog::open(place)?.catalog;
    let (features, embedding) = (vec![0.5; Backbone::WIDTH], vec![0.5; EMBEDDING]);
    let miniature = Miniature::from_bytes(&[7; MINIATURE_SIDE * MINIATURE_SIDE]).ok_or("not a miniature")?;
    for first in (0..count).step_by(AT_ONCE) {
        catalog.together_unflushed(|catalog| {
            for number in first..(first + AT_ONCE).min(count) {
                let hash = Hash::of(&number.to_le_bytes());
                catalog.put_features(hash, Backbone::VERSION, &features)?;
                catalog.put_miniature(hash, &miniature)?;
                catalog.put_embedding(hash, "m1", &embedding)?;
            }
            Ok(())
        })?;
    }
    let bytes = std::fs::metadata(place.join("catalog.sqlite"))?.len();
    println!("{count} contents, {} bytes each", bytes / count as u64);
    for (what, now_s) in [("marked as gone", 0), ("looked at again", DAY_S), ("deleted", 31 * DAY_S)] {
        let slices = sweep(&mut catalog, Retention { now_s, days: 30 })?;
        let [median, most, longest] = [0.5, 0.99, 1.0].map(|at| quantile(&slices, at));
        let (count, all) = (slices.len(), slices.iter().sum::<f64>());
        println!(
            "{what}: {count} slices; CPU-ms each: median {median:.2}, 99 in 100 {most:.2}, longest {longest:.2}; {all:.0} in all"
        );
    }
    Ok(())
}

/// The milliseconds of each slice, sorted.
fn sweep(catalog: &mut Catalog, retention: Retention) -> Result<Vec<f64>, Box<dyn Error>> {
    let versions = [Backbone::VERSION.to_string()];
    let (mut next, mut slices) = (Some(OrphanSweep::begin()), Vec::new());
    while let Some(sweep) = next {
        let before = cpu_ms()?;
        next = catalog.together_unflushed(|catalog| {
            catalog.sweep_orphans(sweep, Some(&versions), retention, OrphanSweep::CONTENTS_A_TURN)
        })?;
        slices.push(cpu_ms()? - before);
    }
    slices.sort_unstable_by(f64::total_cmp);
    Ok(slices)
}

/// Milliseconds that this thread was on a processor.
fn cpu_ms() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: u64 = text.split_whitespace().next().ok_or("no time")?.parse()?;
    Ok(nanoseconds as f64 / 1e6)
}

fn quantile(sorted: &[f64], at: f64) -> f64 {
    sorted[(at * (sorted.len() - 1) as f64).round() as usize]
}
