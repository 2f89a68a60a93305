//! How many pictures a fit needs: `cargo bench --bench sample_size -- SET SET...`, labelled folders with `inventory/` and `query/`.
//!
//! All inventories together are searched by all queries, through models fitted to ever larger samples of them. Prints, for each
//! size, the retrieval figures of plain embeddings, and the share of the variance that a model loses: of the whole inventory,
//! and of the queries, which no fit saw.

use std::error::Error;
use std::path::{Path, PathBuf};

use artificio::base::dot::dot;
use artificio::base::parallel;
use artificio::base::rows::Rows;
use artificio::config::{Encoder, LimitSettings};
use artificio::evaluate::labels::label;
use artificio::evaluate::metrics::figures;
use artificio::files::FileAt;
use artificio::model::{Extractor, LinearAutoencoder};
use artificio::picture::{Bounds, Hash, decode, read_still, square};

const EMBEDDING_WIDTH: usize = 192;
/// Samples of one size that are drawn: the figures are their means.
const DRAWS: u8 = 3;

#[derive(Default)]
struct Pictures {
    labels: Vec<String>,
    hashes: Vec<Hash>,
    features: Rows,
}

fn main() -> Result<(), Box<dyn Error>> {
    let sets: Vec<PathBuf> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").map(Into::into).collect();
    let extractor = Extractor::load(Encoder::Pretrained)?;
    let [inventory, queries] = ["inventory", "query"].map(|name| look(&sets, name, &extractor));
    println!("{} inventory pictures, {} queries, {} sets", inventory.labels.len(), queries.labels.len(), sets.len());
    println!("sample,p_at_1,p_at_5,map,lost_of_inventory,lost_of_queries");
    let all = inventory.labels.len();
    for size in (0..).map(|step| 250 << step).take_while(|size| *size < all).chain([all]) {
        let draws = if size == all { 1 } else { DRAWS };
        let mut sums = [0.0; 5];
        for draw in 0..draws {
            let Some(row) = measure(&inventory, &queries, &sample(&inventory, size, draw)) else { continue };
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / f64::from(draws));
        }
        println!("{size},{:.4},{:.4},{:.4},{:.4},{:.4}", sums[0], sums[1], sums[2], sums[3], sums[4]);
    }
    Ok(())
}

fn measure(inventory: &Pictures, queries: &Pictures, sample: &Rows) -> Option<[f64; 5]> {
    let model = LinearAutoencoder::fit(sample, EMBEDDING_WIDTH)?;
    let [among, asked] = [inventory, queries].map(|pictures| model.encode(&pictures.features).at_unit_length());
    let similarities =
        parallel::map(asked.len(), |query| among.iter().map(|other| dot(asked.row(query), other)).collect::<Vec<_>>());
    let similarities = Rows::from_values(among.len(), similarities.concat())?;
    let found = figures(&similarities, &inventory.labels, &queries.labels);
    let lost = |pictures: &Pictures| f64::from(model.reconstruction_error(&pictures.features));
    Some([found.p_at_1, found.p_at_5, found.map, lost(inventory), lost(queries)])
}

/// The `size` pictures of the smallest hashes, the draw's number taken along.
fn sample(pictures: &Pictures, size: usize, draw: u8) -> Rows {
    let mut order: Vec<usize> = (0..pictures.hashes.len()).collect();
    order.sort_by_key(|&at| Hash::of(&[&pictures.hashes[at].0[..], &[draw]].concat()).0);
    let mut rows = Rows::empty(pictures.features.width());
    for &at in &order[..size] {
        rows.push(pictures.features.row(at));
    }
    rows
}

fn look(sets: &[PathBuf], name: &str, extractor: &Extractor) -> Pictures {
    let files: Vec<(String, PathBuf)> = sets
        .iter()
        .flat_map(|set| {
            let mut files = Vec::new();
            collect(&set.join(name), &mut files);
            let set = set.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.into_iter().map(move |file| (set.clone(), file))
        })
        .collect();
    let bounds = Bounds::from(&LimitSettings::default());
    let seen = parallel::map(files.len(), |at| {
        let contents = read_still(&FileAt::named(&files[at].1), &bounds).ok()?;
        let decoded = decode(&contents.bytes, &files[at].1, &bounds).ok()?;
        Some((contents.hash, extractor.features(&[square(&decoded, extractor.side())?]).ok()?))
    });
    let mut pictures = Pictures { features: Rows::empty(extractor.kind().width), ..Pictures::default() };
    for ((set, path), (hash, features)) in files.iter().zip(seen).filter_map(|(file, seen)| Some((file, seen?))) {
        let shown = label(&path.file_name().unwrap_or_default().to_string_lossy());
        pictures.labels.push(format!("{set}/{shown}"));
        pictures.hashes.push(hash);
        pictures.features.push(features.values());
    }
    pictures
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
