//! A graph that is kept up to date is the one that would be built from nothing.

use std::path::PathBuf;

use super::*;
use crate::config::Metric;
use crate::progress::{CancelledWhen, Unfollowed};

/// Numbers without pattern, always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }

    /// Coarse, so that pictures equally similar are common.
    fn embedding(&mut self) -> Vec<f32> {
        (0..4).map(|_| self.below(5) as f32 - 1.5).collect()
    }
}

fn path(number: usize) -> PathBuf {
    PathBuf::from(format!("{number:03}"))
}

fn embeddings(dice: &mut Dice, count: usize, metric: Metric) -> Embeddings {
    let mut embeddings = Embeddings::empty(4, metric);
    (0..count).for_each(|number| assert_eq!(embeddings.put(&path(number), &dice.embedding()), Some(number)));
    embeddings
}

/// The first neighbours of every picture and its averaged embedding.
fn seen(graph: &NeighbourGraph) -> Vec<(Vec<u32>, Vec<f32>)> {
    let first = |list: &NearestList| list.iter().take(WEIGHTS.len()).map(|(position, _)| *position).collect();
    let averaged = graph.averaged().iter().map(<[f32]>::to_vec);
    graph.nearest.iter().map(first).zip(averaged).collect()
}

fn built_from_nothing(embeddings: &Embeddings) -> NeighbourGraph {
    NeighbourGraph::of(embeddings, &Unfollowed).unwrap()
}

#[test]
fn the_nearest_are_those_of_a_plain_scan() {
    // More than two blocks, so that blocks next to, on and off the diagonal are all there.
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let embeddings = embeddings(&mut Dice(1), 2 * 64 + 17, metric);
        let graph = built_from_nothing(&embeddings);
        for position in 0..embeddings.len() {
            let similarities = embeddings.similarities_to(embeddings.row(position));
            assert_eq!(graph.nearest[position], nearest_of(&embeddings, position, &similarities));
        }
    }
}

#[test]
fn pictures_that_come_and_go_leave_the_graph_that_building_it_gives() {
    let mut dice = Dice(2);
    let starts = [0, 1, 5, 40].into_iter().flat_map(|start| [(start, Metric::Cosine), (start, Metric::Euclidean)]);
    for (start, metric) in starts {
        let mut embeddings = embeddings(&mut dice, start, metric);
        let mut kept = built_from_nothing(&embeddings);
        for step in 0..300 {
            if dice.below(3) == 0 {
                let gone: Vec<PathBuf> = (0..1 + dice.below(6)).map(|_| path(dice.below(60))).collect();
                if let Some(moves) = embeddings.remove(gone.iter().map(PathBuf::as_path)) {
                    kept.follow(&embeddings, &moves).into_iter().for_each(|position| kept.join(&embeddings, position));
                }
            } else {
                let path = path(dice.below(60));
                if embeddings.position(&path).is_none() {
                    let position = embeddings.put(&path, &dice.embedding()).unwrap();
                    kept.keep_place(&embeddings);
                    kept.join(&embeddings, position);
                }
            }
            assert_eq!(seen(&kept), seen(&built_from_nothing(&embeddings)), "{start} pictures at first, step {step}");
        }
    }
}

#[test]
fn an_embedding_moves_half_way_to_what_its_neighbours_have_in_common() {
    let near = [0.0, 1.0, 0.0];
    let averaged = |metric| averaged_with(&[1.0, 0.0, 0.0], [&near[..]; 3].into_iter(), metric);
    let is = |averaged: &[f32], wanted: [f32; 3]| averaged.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
    let length = (1.0_f32 + 0.25).sqrt();
    assert!(is(&averaged(Metric::Cosine), [1.0 / length, 0.5 / length, 0.0]));
    assert!(
        is(&averaged(Metric::Euclidean), [1.0 / 1.5, 0.5 / 1.5, 0.0]),
        "between the two, and not on the unit circle"
    );
    for metric in [Metric::Cosine, Metric::Euclidean] {
        assert_eq!(averaged_with(&[0.6, 0.8], std::iter::empty(), metric), [0.6, 0.8], "nobody near");
    }
}

#[test]
fn a_build_ends_when_it_is_cancelled() {
    assert!(NeighbourGraph::of(&embeddings(&mut Dice(3), 10, Metric::Cosine), &CancelledWhen(|| true)).is_none());
}
