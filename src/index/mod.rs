//! Codes in memory and exact search among them. Knows paths and numbers; nothing of pixels, models or the disk.

mod calibration;
mod score;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::config::{Metric, SetMode};
use crate::rows::{Rows, to_unit_length};

pub use calibration::Calibration;

/// How much each of a query's nearest pictures counts when its code is drawn towards them.
const EXPANSION_WEIGHTS: [f32; 3] = [0.5, 0.3, 0.2];
/// How far it is drawn, the query's own code being 1.
const EXPANSION_STRENGTH: f32 = 0.5;
/// With fewer pictures than this the nearest are not near: a query's code stays as it is.
const EXPANSION_MINIMUM: usize = 12;

/// The codes of the inventory, `[n, width]`, each with its path.
#[derive(Debug, Clone)]
pub struct Index {
    metric: Metric,
    codes: Rows,
    paths: Vec<PathBuf>,
    position_of: HashMap<PathBuf, usize>,
    /// Raised by every change: tells whether something derived from the codes is still true.
    generation: u64,
}

/// One inventory picture found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Relative to the inventory folder.
    pub path: PathBuf,
    /// By the index's metric: the greater, the more alike.
    pub similarity: f32,
}

impl Index {
    /// An index without pictures for codes of `width` values.
    pub fn empty(width: usize, metric: Metric) -> Self {
        Self { metric, codes: Rows::empty(width), paths: Vec::new(), position_of: HashMap::new(), generation: 0 }
    }

    /// Pictures in it.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Values in a code.
    pub fn width(&self) -> usize {
        self.codes.width()
    }

    /// How codes are compared.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Raised by every change.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Puts a picture in, or gives it another code; `false` when the code has another width.
    pub fn put(&mut self, path: &Path, code: &[f32]) -> bool {
        let prepared = self.prepared(code);
        if let Some(&position) = self.position_of.get(path) {
            if prepared.len() == self.codes.width() {
                self.codes.row_mut(position).copy_from_slice(&prepared);
                self.generation += 1;
                return true;
            }
            return false;
        }
        if !self.codes.push(&prepared) {
            return false;
        }
        self.position_of.insert(path.to_path_buf(), self.paths.len());
        self.paths.push(path.to_path_buf());
        self.generation += 1;
        true
    }

    /// Takes a picture out.
    pub fn remove(&mut self, path: &Path) {
        let Some(position) = self.position_of.remove(path) else { return };
        self.codes.swap_remove(position);
        self.paths.swap_remove(position);
        if let Some(moved) = self.paths.get(position) {
            self.position_of.insert(moved.clone(), position);
        }
        self.generation += 1;
    }

    /// The `k` pictures most similar to `query`, codes of one or several pictures `[m, width]`, best first;
    /// pictures equally similar in the order of their paths.
    pub fn search(&self, query: &Rows, mode: SetMode, k: usize) -> Vec<Found> {
        let members: Vec<Vec<f32>> =
            query.iter().filter(|row| row.len() == self.width()).map(|row| self.prepared(row)).collect();
        let members = match mode {
            SetMode::Nearest => members,
            SetMode::Mean => mean(&members).map(|code| self.prepared(&code)).into_iter().collect(),
        };
        let expanded: Vec<Vec<f32>> = members.iter().map(|member| self.expanded(member)).collect();
        let similarities = self.similarities(&expanded);
        let order = self.best(&similarities, k);
        order
            .into_iter()
            .map(|position| Found { path: self.paths[position].clone(), similarity: similarities[position] })
            .collect()
    }

    /// Of every picture, in the index's order, the similarity to the nearest of `members`.
    fn similarities(&self, members: &[Vec<f32>]) -> Vec<f32> {
        let mut best = vec![f32::NEG_INFINITY; if members.is_empty() { 0 } else { self.len() }];
        for member in members {
            score::raise_to(&mut best, member, &self.codes, self.metric);
        }
        best
    }

    /// The positions of the `k` greatest similarities, the greatest first.
    fn best(&self, similarities: &[f32], k: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..similarities.len()).collect();
        let better = |&a: &usize, &b: &usize| {
            similarities[b].total_cmp(&similarities[a]).then_with(|| self.paths[a].cmp(&self.paths[b]))
        };
        if k < order.len() && k > 0 {
            order.select_nth_unstable_by(k - 1, better);
        }
        order.truncate(k);
        order.sort_unstable_by(better);
        order
    }

    /// A query's code drawn towards its nearest pictures, so that what those have in common weighs more than what is
    /// peculiar to the query: query expansion (Chum et al., Total Recall, ICCV 2007; weights by measurement). Cosine only.
    fn expanded(&self, code: &[f32]) -> Vec<f32> {
        if self.metric == Metric::Euclidean || self.len() < EXPANSION_MINIMUM {
            return code.to_vec();
        }
        let nearest = self.best(&self.similarities(&[code.to_vec()]), EXPANSION_WEIGHTS.len());
        let mut pull = vec![0.0; code.len()];
        for (position, weight) in nearest.into_iter().zip(EXPANSION_WEIGHTS) {
            pull.iter_mut().zip(self.codes.row(position)).for_each(|(pull, value)| *pull += weight * value);
        }
        to_unit_length(&mut pull);
        let mixed: Vec<f32> = code.iter().zip(&pull).map(|(code, pull)| code + EXPANSION_STRENGTH * pull).collect();
        self.prepared(&mixed)
    }

    /// Similarity between two pictures of the index, by position.
    pub(crate) fn similarity_between(&self, a: usize, b: usize) -> f32 {
        score::similarity(self.codes.row(a), self.codes.row(b), self.metric)
    }

    fn prepared(&self, code: &[f32]) -> Vec<f32> {
        let mut code = code.to_vec();
        if self.metric == Metric::Cosine {
            to_unit_length(&mut code);
        }
        code
    }
}

fn mean(rows: &[Vec<f32>]) -> Option<Vec<f32>> {
    let mut sum = rows.first()?.clone();
    for row in &rows[1..] {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
    }
    sum.iter_mut().for_each(|sum| *sum /= rows.len() as f32);
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(metric: Metric, rows: &[(&str, [f32; 2])]) -> Index {
        let mut index = Index::empty(2, metric);
        for (path, code) in rows {
            assert!(index.put(Path::new(path), code));
        }
        index
    }

    fn names(found: &[Found]) -> Vec<&str> {
        found.iter().map(|found| found.path.to_str().unwrap()).collect()
    }

    fn query(rows: &[[f32; 2]]) -> Rows {
        Rows::from_values(2, rows.concat()).unwrap()
    }

    #[test]
    fn cosine_ranks_by_angle_and_euclid_by_distance() {
        let rows = [("far", [10.0, 0.5]), ("near", [1.0, 0.9]), ("other", [-1.0, 0.0])];
        let wanted = query(&[[1.0, 0.0]]);
        let by_angle = index(Metric::Cosine, &rows).search(&wanted, SetMode::Mean, 3);
        assert_eq!(names(&by_angle), ["far", "near", "other"]);
        assert!((by_angle[2].similarity + 1.0).abs() < 1e-6);
        let by_distance = index(Metric::Euclidean, &rows).search(&wanted, SetMode::Mean, 3);
        assert_eq!(names(&by_distance), ["near", "other", "far"]);
        assert!((by_distance[1].similarity - 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn a_set_is_ranked_by_its_mean_or_by_its_nearest_member() {
        let index = index(Metric::Cosine, &[("between", [1.0, 1.0]), ("at one member", [1.0, 0.01])]);
        let set = query(&[[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(names(&index.search(&set, SetMode::Mean, 2)), ["between", "at one member"]);
        assert_eq!(names(&index.search(&set, SetMode::Nearest, 2)), ["at one member", "between"]);
    }

    /// Two directions apart from the query by the same angle; on one side lie the query's nearest pictures.
    #[test]
    fn a_query_is_drawn_towards_its_nearest_pictures() {
        let at = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        let mut few = index(Metric::Cosine, &[("left", at(-20.0)), ("right", at(20.0))]);
        for (name, degrees) in [("near 1", 4.0), ("near 2", 5.0), ("near 3", 6.0)] {
            few.put(Path::new(name), &at(degrees));
        }
        let ask = |index: &Index| index.search(&query(&[at(0.0)]), SetMode::Mean, 99);
        let rank = |found: &[Found], name: &str| names(found).iter().position(|other| *other == name).unwrap();
        let similarity = |found: &[Found], name: &str| found[rank(found, name)].similarity;
        assert_eq!(similarity(&ask(&few), "left"), similarity(&ask(&few), "right"), "too few to have neighbours");
        let mut many = few;
        for number in 0..10 {
            many.put(Path::new(&format!("far {number}")), &at(90.0 + number as f32));
        }
        let found = ask(&many);
        assert_eq!(names(&found[..3]), ["near 1", "near 2", "near 3"]);
        assert!(rank(&found, "right") < rank(&found, "left"));
    }

    #[test]
    fn removed_and_replaced_pictures_are_not_found_where_they_were() {
        let mut index = index(Metric::Cosine, &[("a", [1.0, 0.0]), ("b", [0.0, 1.0]), ("c", [0.7, 0.7])]);
        index.remove(Path::new("a"));
        index.remove(Path::new("not there"));
        assert_eq!(names(&index.search(&query(&[[1.0, 0.0]]), SetMode::Mean, 9)), ["c", "b"]);
        index.put(Path::new("b"), &[1.0, 0.0]);
        assert_eq!(names(&index.search(&query(&[[1.0, 0.0]]), SetMode::Mean, 9)), ["b", "c"]);
        assert_eq!(index.len(), 2);
    }

    #[test]
    fn ties_come_in_the_order_of_their_paths_and_k_cuts() {
        let index = index(Metric::Cosine, &[("b", [1.0, 0.0]), ("c", [1.0, 0.0]), ("a", [1.0, 0.0])]);
        assert_eq!(names(&index.search(&query(&[[1.0, 0.0]]), SetMode::Mean, 2)), ["a", "b"]);
        assert!(index.search(&query(&[]), SetMode::Mean, 2).is_empty());
        assert!(index.search(&query(&[[1.0, 0.0]]), SetMode::Mean, 0).is_empty());
    }

    #[test]
    fn a_code_of_another_width_is_refused() {
        let mut index = index(Metric::Cosine, &[("a", [1.0, 0.0])]);
        assert!(!index.put(Path::new("b"), &[1.0]));
        assert!(!index.put(Path::new("a"), &[1.0]));
        assert_eq!(index.len(), 1);
    }
}
