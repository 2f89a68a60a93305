//! Small inventories of a few kinds, and trainings of each that do good or harm.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use artificio::catalog::TrainingSource;
use artificio::config::{Bounded, Metric};
use artificio::model::Extractor;
use artificio::picture::Hash;
use artificio_random::Random;

use crate::pictures::{Picture, look};
use crate::trainings::{Service, Trained, sample};
use crate::verdict;

/// A training that costs no more mean average precision than this is as good, one that costs more than the second is worse.
const AS_GOOD: f64 = -0.01;
const WORSE: f64 = -0.03;
/// Kinds in an inventory, where the set has enough pictures of each.
const KINDS: usize = 5;
/// Queries that labels are asked by, at least.
const FEWEST_QUERIES: usize = 12;

/// Of trainings of one sort on inventories of one size: how many were as good, or worse, and how many of these were refused.
#[derive(Default, Clone)]
struct Tally {
    trainings: usize,
    refused: usize,
    unjudged: usize,
    as_good: [usize; 2],
    worse: [usize; 2],
    gain: f64,
}

/// One inventory.
struct Draw {
    set: String,
    inventory: Vec<Picture>,
    /// As many of the same kinds, for training; none where the set has too few.
    others: Vec<Picture>,
    queries: Vec<Picture>,
}

type Tallies = BTreeMap<(usize, &'static str), Tally>;

/// Draws inventories of each size from each set.
pub fn measure(
    sets: &[PathBuf],
    sizes: &[usize],
    draws: u64,
    extractor: &Arc<Extractor>,
) -> Result<(), Box<dyn Error>> {
    println!("set,size,training,verdict,gain in margin,low,high,mAP before,after");
    let mut tallies = Tallies::new();
    for set in sets {
        let all = look(set, extractor);
        for &size in sizes {
            for number in 0..draws {
                let name = set.file_name().unwrap_or_default().to_string_lossy();
                if let Some(draw) = draw(&name, &all, size, number) {
                    train(&draw, extractor, &mut tallies)?;
                }
            }
        }
    }
    println!(
        "\nsize,training,trainings,refused,without a verdict,as good,of these refused,worse,of these refused,mean gain in mAP"
    );
    for ((size, training), tally) in tallies {
        let Tally { trainings, refused, unjudged, as_good, worse, gain } = tally;
        let mean = gain / trainings as f64;
        println!(
            "{size},{training},{trainings},{refused},{unjudged},{},{},{},{},{mean:+.3}",
            as_good[0], as_good[1], worse[0], worse[1]
        );
    }
    Ok(())
}

/// `size` pictures of a few kinds; others of these kinds ask. `None` where the set has too few.
fn draw(set: &str, all: &[Picture], size: usize, number: u64) -> Option<Draw> {
    let mut random = Random::new(number);
    let mut of_kinds: HashMap<&str, Vec<&Picture>> = HashMap::new();
    all.iter().for_each(|picture| of_kinds.entry(&picture.label).or_default().push(picture));
    let mut kinds: Vec<&str> = of_kinds.keys().copied().collect();
    kinds.sort_unstable();
    random.shuffle(&mut kinds);
    let mut pool = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        if at >= KINDS && pool.len() >= 5 * size / 2 {
            break;
        }
        pool.extend(of_kinds[kind].iter().copied().cloned());
    }
    random.shuffle(&mut pool);
    let mut others = pool.split_off(size.min(pool.len()));
    let queries = others.split_off(if others.len() >= size + FEWEST_QUERIES { size } else { 0 });
    let has_kind = |query: &Picture| pool.iter().any(|picture| picture.label == query.label);
    let queries: Vec<Picture> = queries.into_iter().filter(has_kind).collect();
    (pool.len() == size && queries.len() >= FEWEST_QUERIES).then(|| Draw {
        set: set.into(),
        inventory: pool,
        others,
        queries,
    })
}

fn train(draw: &Draw, extractor: &Arc<Extractor>, tallies: &mut Tallies) -> Result<(), Box<dyn Error>> {
    let inventory = &draw.inventory;
    let nothing = || sample(&[], false);
    let whole = |in_folders| [sample(inventory, in_folders), nothing()];
    let mut first = |what, in_folders, change: fn(&mut Service)| {
        let mut service = Service::new(extractor)?;
        service.put(inventory)?;
        change(&mut service);
        let trained = service.train(TrainingSource::Inventory, whole(in_folders), true)?;
        note(draw, what, &service, &trained, tallies);
        service.exchange(&trained)?;
        Ok::<Service, Box<dyn Error>>(service)
    };
    first("first, in folders", true, |_| ())?;
    first("first, by distance", false, |service| service.config.similarity.metric = Metric::Euclidean)?;
    let mut served = first("first", false, |_| ())?;
    let wide = served.config.model.code_width;
    for (what, width) in [("32 values", 32), ("16 values", 16), ("8 values", 8), ("4 values", 4)] {
        served.config.model.code_width = Bounded::new(width);
        let trained = served.train(TrainingSource::Inventory, whole(false), true)?;
        note(draw, what, &served, &trained, tallies);
    }
    served.config.model.code_width = wide;
    let noise = shuffled(inventory);
    let others = &draw.others;
    let half = half_of_the_kinds(inventory);
    // Of training pictures alone the inventory's model is no standard.
    let mut alone = Service::new(extractor)?;
    alone.config.model.train_on_inventory = false;
    for service in [&mut served, &mut alone] {
        service.put(&[&noise[..], others, inventory].concat())?;
    }
    let mut add = |service: &mut Service, what, training: &[Picture]| {
        if !training.is_empty() {
            let samples = [sample(inventory, false), sample(training, false)];
            let trained = service.train(TrainingSource::Training, samples, true)?;
            note(draw, what, service, &trained, tallies);
        }
        Ok::<(), Box<dyn Error>>(())
    };
    add(&mut served, "others of the kinds beside", others)?;
    add(&mut served, "shuffled beside", &noise)?;
    add(&mut alone, "others of the kinds alone", others)?;
    add(&mut alone, "half of the kinds alone", &half)?;
    add(&mut alone, "shuffled alone", &noise)?;
    let mut service = Service::new(extractor)?;
    service.put(inventory)?;
    let part = [sample(&inventory[..inventory.len() * 3 / 4], false), nothing()];
    let trained = service.train(TrainingSource::Inventory, part, true)?;
    service.exchange(&trained)?;
    let trained = service.train(TrainingSource::Inventory, whole(false), true)?;
    note(draw, "a third more", &service, &trained, tallies);
    Ok(())
}

fn half_of_the_kinds(pictures: &[Picture]) -> Vec<Picture> {
    let mut kinds: Vec<&str> = pictures.iter().map(|picture| picture.label.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let half = &kinds[..kinds.len() / 2];
    pictures.iter().filter(|picture| half.contains(&picture.label.as_str())).cloned().collect()
}

fn note(draw: &Draw, what: &'static str, service: &Service, trained: &Trained, tallies: &mut Tallies) {
    let Some(model) = &trained.model else { return };
    let precision = |model| service.precision(model, &draw.inventory, &draw.queries);
    let (before, after) = (precision(&service.serving), precision(model));
    let gain = trained.decisive().and_then(|comparison| comparison.gain);
    let size = draw.inventory.len();
    let values = gain.map_or([f32::NAN; 3], |gain| [gain.mean, gain.low, gain.high]);
    let [mean, low, high] = values;
    println!(
        "{},{size},{what},{},{mean:.3},{low:.3},{high:.3},{before:.3},{after:.3}",
        draw.set,
        verdict(trained.passes)
    );
    let tally = tallies.entry((size, what)).or_default();
    let refused = usize::from(!trained.passes);
    tally.trainings += 1;
    tally.refused += refused;
    tally.unjudged += usize::from(gain.is_none());
    tally.gain += after - before;
    let mut count = |counts: fn(&mut Tally) -> &mut [usize; 2]| {
        counts(tally)[0] += 1;
        counts(tally)[1] += refused;
    };
    if after - before >= AS_GOOD {
        count(|tally| &mut tally.as_good);
    } else if after - before < WORSE {
        count(|tally| &mut tally.worse);
    }
}

/// The same values in each dimension, but of other pictures: nothing is left of what belongs together.
fn shuffled(pictures: &[Picture]) -> Vec<Picture> {
    let mut random = Random::new(0);
    let mut shuffled: Vec<Picture> = pictures.to_vec();
    let width = shuffled.first().map_or(0, |picture| picture.features[0].len());
    for at in 0..width {
        let mut values: Vec<f32> = shuffled.iter().map(|picture| picture.features[0][at]).collect();
        random.shuffle(&mut values);
        shuffled.iter_mut().zip(values).for_each(|(picture, value)| picture.features[0][at] = value);
    }
    for picture in &mut shuffled {
        picture.content = Hash::of(&picture.content.0);
    }
    shuffled
}
