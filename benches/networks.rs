//! What networks of the user's own cost, on one thread: CPU time of loading one and of a picture, memory, bytes a picture in the catalog.
//!
//! `cargo bench --features onnx --bench networks -- [--rows FOLDER] FILE.onnx...`: a CSV line for each. With `--rows`, the numbers that a
//! network takes of a made-up picture and those that it makes of them go to FOLDER/NAME.f32, for `tools/onnx_compare.py`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use artificio::base::eight_bits;
use artificio::config::{NetworkDescription, description_of};
use artificio::model::OnnxNetwork;
use artificio::picture::Square;

const LEAST_MS: f64 = 2_000.0;
const FEWEST_RUNS: u32 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds "--bench".
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    let rows = arguments.next_if(|argument| argument == "--rows").and_then(|_| arguments.next()).map(PathBuf::from);
    if let Some(folder) = &rows {
        fs::create_dir_all(folder)?;
    }
    println!("network,side,width,output,load_cpu_ms,cpu_ms,memory_mb,bytes_a_picture");
    for file in arguments.map(PathBuf::from) {
        measure(&file, rows.as_deref())?;
    }
    Ok(())
}

fn measure(file: &Path, rows: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let beside = description_of(file);
    let description = NetworkDescription::parse(&beside, &fs::read_to_string(&beside)?)?;
    let (before_mb, start) = (resident_mb(), cpu_ms());
    let network = OnnxNetwork::load(fs::read(file)?, description, "measured")?;
    let load_ms = cpu_ms() - start;
    let picture = picture(network.side()).ok_or("no picture")?;
    let (start, mut runs) = (cpu_ms(), 0);
    while cpu_ms() - start < LEAST_MS || runs < FEWEST_RUNS {
        std::hint::black_box(network.features(std::slice::from_ref(&picture))?);
        runs += 1;
    }
    let each_ms = (cpu_ms() - start) / f64::from(runs);
    let row = network.features(std::slice::from_ref(&picture))?.into_values();
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    println!(
        "{name},{},{},{},{load_ms:.0},{each_ms:.1},{},{}",
        network.side(),
        row.len(),
        network.output_name(),
        resident_mb().saturating_sub(before_mb),
        eight_bits::pack(&row).len()
    );
    if let Some(folder) = rows {
        let numbers = network.input(&picture).into_iter().chain(row);
        let bytes: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
        fs::write(folder.join(format!("{name}.f32")), bytes)?;
    }
    Ok(())
}

/// A made-up picture.
fn picture(side: usize) -> Option<Square> {
    Square::from_rgb(side, (0..side * side * 3).map(|at| (at * 7 / 97 + at % 31 * 5) as u8).collect())
}

/// CPU time of all threads, in steps of 10 ms: the runtime computes on a thread of its own, which ends with its network.
fn cpu_ms() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which may hold spaces: the twelfth and thirteenth field are ticks in the program and in the kernel.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace().skip(11).take(2);
    10.0 * fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
}

fn resident_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
