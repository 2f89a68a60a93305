//! Whether the gate refuses what answers worse and nothing else: `cargo bench --profile dev --bench gate -- COMMAND SET...`,
//! labelled folders with `inventory/` and `query/`.
//!
//!     small [--draws N] [--sizes 30,50,70,90] SET...   small inventories of a few kinds, and several trainings of each
//!     worsening SET...                      twenty trainings, the pictures of each noisier than those before
//!     cost SET...                           CPU seconds of trainings with and without the gate, on 100, 500 and 2,000 pictures
//!
//! What the gate decides is held against what labels show: the mean average precision of the labelled pictures that are not in
//! the inventory. Each training is printed as a line of CSV.

mod pictures;
mod small;
mod trainings;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use artificio::catalog::TrainingSource;
use artificio::config::Encoder;
use artificio::model::{Extractor, Model};

use pictures::{Picture, look, look_noisy};
use trainings::{Service, sample};

/// Pictures in the inventory and in the training folder, while pictures get worse.
const SEARCHED: usize = 60;
/// Trainings on ever worse pictures.
const STEPS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.is_empty() {
        return Err("small, worsening or cost?".into());
    }
    let command = arguments.remove(0);
    let mut option = |name: &str, default: &str| {
        let Some(at) = arguments.iter().position(|argument| argument == name) else { return default.to_string() };
        arguments.drain(at..(at + 2).min(arguments.len())).next_back().unwrap_or_default()
    };
    let draws = option("--draws", "3").parse()?;
    let sizes = option("--sizes", "30,50,70,90").split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?;
    let extractor = Arc::new(Extractor::load(Encoder::Pretrained)?);
    let sets: Vec<PathBuf> = arguments.into_iter().map(PathBuf::from).collect();
    match command.as_str() {
        "small" => small::measure(&sets, &sizes, draws, &extractor),
        "worsening" => sets.iter().try_for_each(|set| worsen(set, &extractor)),
        "cost" => cost(&sets, &extractor),
        other => Err(format!("small, worsening or cost, not {other}").into()),
    }
}

/// Every third picture is searched, the others ask.
fn worsen(set: &Path, extractor: &Arc<Extractor>) -> Result<(), Box<dyn Error>> {
    let all = look(set, extractor);
    let step = all.len().div_ceil(SEARCHED).max(2);
    let is_searched = |at: &usize| at.is_multiple_of(step);
    let (inventory, queries): (Vec<_>, Vec<_>) = all.iter().cloned().enumerate().partition(|(at, _)| is_searched(at));
    let [inventory, queries] =
        [inventory, queries].map(|some| some.into_iter().map(|(_, one)| one).collect::<Vec<_>>());
    let mut service = Service::new(extractor)?;
    service.config.model.train_on_inventory = false;
    service.put(&inventory)?;
    let floor = service.precision(&service.serving, &inventory, &queries);
    println!(
        "set,noise,verdict,margin of the network,of the new model,mAP of the network,of the new model,of what serves"
    );
    let mut lowest = floor;
    for step in 0..STEPS {
        let share = step as f32 / STEPS as f32;
        let training = look_noisy(set, SEARCHED, share, extractor);
        service.put(&training)?;
        let samples = [sample(&inventory, false), sample(&training, false)];
        let trained = service.train(TrainingSource::Training, samples, true)?;
        service.exchange(&trained)?;
        let evidence = &trained.evidence;
        let by_network = if evidence.against_untrained { evidence.inventory } else { evidence.floor.inventory };
        let margin = |of: fn(&artificio::evaluate::gate::Comparison) -> Option<f32>| {
            by_network.as_ref().and_then(of).unwrap_or(f32::NAN)
        };
        let precision = |model: &Model| service.precision(model, &inventory, &queries);
        let serves = precision(&service.serving);
        lowest = lowest.min(serves);
        println!(
            "{},{share:.2},{},{:.3},{:.3},{floor:.3},{:.3},{serves:.3}",
            set.file_name().unwrap_or_default().display(),
            verdict(trained.passes),
            margin(|found| found.before.margin),
            margin(|found| found.after.margin),
            trained.model.as_ref().map_or(f64::NAN, precision),
        );
    }
    println!("lowest of what served: {lowest:.3}, {:+.3} against the network", lowest - floor);
    Ok(())
}

fn cost(sets: &[PathBuf], extractor: &Arc<Extractor>) -> Result<(), Box<dyn Error>> {
    let all: Vec<Picture> = sets.iter().flat_map(|set| look(set, extractor)).collect();
    println!("pictures,training,without the gate (CPU s),with it");
    for count in [100, 500, 2_000] {
        let Some(pictures) = all.get(..count) else { break };
        let mut service = Service::new(extractor)?;
        service.put(pictures)?;
        for what in ["first", "again"] {
            let mut seconds = [0.0; 2];
            for (seconds, is_examined) in seconds.iter_mut().zip([false, true]) {
                let before = cpu_s();
                let samples = [sample(pictures, true), sample(&[], false)];
                let trained = service.train(TrainingSource::Inventory, samples, is_examined)?;
                *seconds = cpu_s() - before;
                if is_examined {
                    service.exchange(&trained)?;
                }
            }
            println!("{count},{what},{:.2},{:.2}", seconds[0], seconds[1]);
        }
    }
    Ok(())
}

/// User and system time of all threads.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn verdict(passes: bool) -> &'static str {
    if passes { "passed" } else { "refused" }
}
