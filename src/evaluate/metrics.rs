//! The retrieval figures: share of the first results that show what the query shows, and mean average precision.
//!
//! Only the ranks of right answers are needed, and they are counted, not sorted. Ties are resolved as numpy's stable sort does,
//! so that figures can be compared with those of scripts: results of equal similarity keep the order of the inventory, which
//! neither flatters nor punishes a measure that cannot distinguish pictures.

use std::cmp::Ordering;

use serde::Serialize;

use crate::base::rows::Rows;

/// How many of the first results are counted.
const FIRST: [usize; 3] = [1, 5, 10];

/// Means over all queries, each between 0 and 1; all zero without queries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Share of queries whose first result has their label.
    pub p_at_1: f64,
    /// Share of the first five results (of all, when there are fewer) with the query's label.
    pub p_at_5: f64,
    /// The same of the first ten.
    pub p_at_10: f64,
    /// Mean average precision over the full ranking: for every result with the query's label, the share of such results
    /// up to its rank, averaged over them. A query whose label the inventory lacks counts as 0.
    pub map: f64,
    /// Share of queries with at least one right answer among the first: Recall@K as metric learning reports it (Song et al.,
    /// "Deep metric learning via lifted structured feature embedding", CVPR 2016). At 1 it is [`Figures::p_at_1`].
    pub recall_at_1: f64,
    /// The same among the first five.
    pub recall_at_5: f64,
    /// The same among the first ten.
    pub recall_at_10: f64,
}

/// How many figures there are.
pub(super) const FIGURES: usize = 7;

impl Figures {
    /// In the order of the fields.
    pub(super) fn values(&self) -> [f64; FIGURES] {
        let Self { p_at_1, p_at_5, p_at_10, map, recall_at_1, recall_at_5, recall_at_10 } = *self;
        [p_at_1, p_at_5, p_at_10, map, recall_at_1, recall_at_5, recall_at_10]
    }

    /// What [`Figures::values`] gave.
    pub(super) fn from_values(values: [f64; FIGURES]) -> Self {
        let [p_at_1, p_at_5, p_at_10, map, recall_at_1, recall_at_5, recall_at_10] = values;
        Self { p_at_1, p_at_5, p_at_10, map, recall_at_1, recall_at_5, recall_at_10 }
    }

    /// The means over queries.
    pub(super) fn mean<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let (mut sums, mut queries) = ([0.0; FIGURES], 0.0_f64);
        for outcome in outcomes {
            queries += 1.0;
            sums.iter_mut().zip(outcome.figures().values()).for_each(|(sum, value)| *sum += value);
        }
        Self::from_values(sums.map(|sum| sum / queries.max(1.0)))
    }
}

/// How well one query was answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Pictures that could be found.
    pub searched: usize,
    /// How many of them are right answers.
    pub right: usize,
    /// Right answers among the first one, five and ten.
    right_in_first: [usize; FIRST.len()],
    /// The rank of the first right answer, from 1; `None` where there is none to be found.
    pub first_right: Option<usize>,
    /// See [`Figures::map`].
    pub average_precision: f64,
}

impl Outcome {
    /// Of a query whose right answers have these `ranks`, from 0 in order, among `searched` pictures.
    pub(super) fn of(ranks: &[usize], searched: usize) -> Self {
        let precision = ranks.iter().zip(1_u32..).map(|(&rank, found)| f64::from(found) / (rank + 1) as f64);
        Self {
            searched,
            right: ranks.len(),
            right_in_first: FIRST.map(|count| ranks.iter().take_while(|rank| **rank < count).count()),
            first_right: ranks.first().map(|rank| rank + 1),
            average_precision: precision.sum::<f64>() / ranks.len().max(1) as f64,
        }
    }

    /// The figures of this query alone.
    pub fn figures(&self) -> Figures {
        let [first, five, ten] = FIRST.map(|count| count.min(self.searched).max(1) as f64);
        let [in_first, in_five, in_ten] = self.right_in_first;
        let any = |count: usize| f64::from(u8::from(count > 0));
        Figures {
            p_at_1: in_first as f64 / first,
            p_at_5: in_five as f64 / five,
            p_at_10: in_ten as f64 / ten,
            map: self.average_precision,
            recall_at_1: any(in_first),
            recall_at_5: any(in_five),
            recall_at_10: any(in_ten),
        }
    }
}

/// The figures of `similarity` `[queries, inventory]`, greater meaning more similar.
///
/// There is one label for every row in `query_labels` and one for every column in `inventory_labels`.
pub fn figures(similarity: &Rows, inventory_labels: &[String], query_labels: &[String]) -> Figures {
    // A label too few would drop queries without a word and give figures of something else.
    debug_assert_eq!(similarity.len(), query_labels.len(), "one row for every query");
    let outcomes: Vec<Outcome> = similarity
        .iter()
        .zip(query_labels)
        .map(|(row, label)| {
            let mut is_candidate = vec![true; row.len()];
            let right: Vec<usize> = (0..row.len()).filter(|&at| inventory_labels[at] == *label).collect();
            Outcome::of(&ranks_of(&right, row, &mut is_candidate), row.len())
        })
        .collect();
    Figures::mean(&outcomes)
}

/// The ranks, from 0 and in order, of the pictures `wanted`, which are candidates, among all that are by `is_candidate` `[n]`:
/// the greatest of `similarities` `[n]` comes first. `is_candidate` is used up.
pub(super) fn ranks_of(wanted: &[usize], similarities: &[f32], is_candidate: &mut [bool]) -> Vec<usize> {
    let before = |one: usize, other: usize| greater_first(similarities[one], similarities[other]).then(one.cmp(&other));
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable_by(|&one, &other| before(one, other));
    wanted.iter().for_each(|&at| is_candidate[at] = false);
    // How many of the others stand directly before each of them.
    let mut between = vec![0; wanted.len() + 1];
    for other in (0..similarities.len()).filter(|&at| is_candidate[at]) {
        between[wanted.partition_point(|&at| before(at, other).is_lt())] += 1;
    }
    let rank = |sum: &mut usize, (at, count): (usize, usize)| {
        *sum += count;
        Some(at + *sum)
    };
    between.into_iter().take(wanted.len()).enumerate().scan(0, rank).collect()
}

/// As numpy sorts: 0 and -0 are equal, and what is not a number comes last.
fn greater_first(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures when every picture queries all the others: the diagonal of `similarity` `[n, n]` is not used.
    fn leave_one_out(similarity: &Rows, labels: &[String]) -> Figures {
        let of_one = |(own, row): (usize, &[f32])| {
            let mut is_candidate: Vec<bool> = (0..row.len()).map(|at| at != own).collect();
            let right: Vec<usize> =
                (0..row.len()).filter(|&at| is_candidate[at] && labels[at] == labels[own]).collect();
            Outcome::of(&ranks_of(&right, row, &mut is_candidate), row.len() - 1)
        };
        Figures::mean(&similarity.iter().enumerate().map(of_one).collect::<Vec<_>>())
    }

    fn labels(letters: &str) -> Vec<String> {
        letters.chars().map(String::from).collect()
    }

    fn assert_near(found: Figures, p_at_1: f64, p_at_5: f64, map: f64) {
        let expected = Figures { p_at_1, p_at_5, map, ..found };
        let apart = [found.p_at_1 - p_at_1, found.p_at_5 - p_at_5, found.map - map];
        assert!(apart.iter().all(|difference| difference.abs() < 1e-12), "found {found:?}, expected {expected:?}");
    }

    #[test]
    fn one_query_by_hand() {
        // Ranked b a a: right at the ranks 2 and 3, so (1/2 + 2/3) / 2; three results only, of which two are right.
        let similarity = Rows::from_values(3, vec![0.2, 0.3, 0.1]).unwrap();
        assert_near(figures(&similarity, &labels("aba"), &labels("a")), 0.0, 2.0 / 3.0, 7.0 / 12.0);
    }

    #[test]
    fn the_first_ten_are_counted_as_the_first_five_are() {
        // Twelve results; of the first five one is right, of the first ten six are.
        let similarity = Rows::from_values(12, (0..12).map(|at| -(at as f32)).collect()).unwrap();
        let found = figures(&similarity, &labels("bbabbaaaaabb"), &labels("a"));
        assert_eq!((found.p_at_1, found.p_at_5, found.p_at_10), (0.0, 0.2, 0.6));
        assert_eq!((found.recall_at_1, found.recall_at_5, found.recall_at_10), (0.0, 1.0, 1.0));
    }

    #[test]
    fn all_right_is_one_and_a_label_the_inventory_lacks_is_zero() {
        let similarity = Rows::from_values(3, vec![0.2, 0.3, 0.1]).unwrap();
        assert_near(figures(&similarity, &labels("aaa"), &labels("a")), 1.0, 1.0, 1.0);
        assert_near(figures(&similarity, &labels("aaa"), &labels("z")), 0.0, 0.0, 0.0);
    }

    #[test]
    fn ties_keep_the_order_of_the_inventory() {
        let similarity = Rows::from_values(2, vec![0.0, -0.0]).unwrap();
        assert_near(figures(&similarity, &labels("ab"), &labels("a")), 1.0, 0.5, 1.0);
        assert_near(figures(&similarity, &labels("ba"), &labels("a")), 0.0, 0.5, 0.5);
    }

    #[test]
    fn what_is_not_a_number_comes_last() {
        let similarity = Rows::from_values(3, vec![f32::NAN, -1.0, f32::NAN]).unwrap();
        assert_near(figures(&similarity, &labels("bab"), &labels("a")), 1.0, 1.0 / 3.0, 1.0);
    }

    #[test]
    fn no_queries_and_no_inventory_give_zeros() {
        assert_eq!(figures(&Rows::empty(3), &labels("abc"), &[]), Figures::default());
        assert_eq!(leave_one_out(&Rows::empty(0), &[]), Figures::default());
        let alone = Rows::from_values(1, vec![1.0]).unwrap();
        assert_eq!(leave_one_out(&alone, &labels("a")), Figures::default());
    }

    #[test]
    #[rustfmt::skip]
    fn the_figures_are_those_of_retrieval_py() {
        // figures(S, list("abacbab"), list("abcz")): P@1 .25, P@5 .3, mAP .4023809523809524.
        let similarity = Rows::from_values(7, vec![
            0.9, 0.1, 0.8, 0.8, 0.3, 0.8, 0.0,
            0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2,
            0.5, 0.4, 0.3, 0.2, 0.1, 0.0, -0.1,
            -0.3, 0.7, -0.2, 0.7, 0.1, 0.6, 0.65,
        ]).unwrap();
        assert_near(figures(&similarity, &labels("abacbab"), &labels("abcz")), 0.25, 0.3, 0.4023809523809524);
    }

    #[test]
    #[rustfmt::skip]
    fn leaving_one_out_gives_the_figures_of_retrieval_py() {
        // The mean of figures(np.delete(S[i:i+1], i, 1), np.delete(labels, i), labels[i:i+1]) over all i. The first has
        // four results a query, so P@5 divides by four; the second has ties, and a label that only one picture has.
        let similarity = Rows::from_values(5, vec![
            1.0, 0.9, 0.2, 0.2, 0.5,
            0.9, 1.0, 0.6, 0.6, 0.6,
            0.2, 0.6, 1.0, 0.1, 0.7,
            0.2, 0.6, 0.1, 1.0, 0.3,
            0.5, 0.6, 0.7, 0.3, 1.0,
        ]).unwrap();
        assert_near(leave_one_out(&similarity, &labels("xyxyx")), 0.6, 0.4, 0.7166666666666666);
        let similarity = Rows::from_values(7, vec![
            7.0, 1.0, 3.0, 2.0, 3.0, 1.0, 0.0,
            1.0, 7.0, 5.0, 5.0, 2.0, 6.0, 1.0,
            3.0, 5.0, 7.0, 4.0, 4.0, 4.0, 4.0,
            2.0, 5.0, 4.0, 7.0, 0.0, 1.0, 2.0,
            3.0, 2.0, 4.0, 0.0, 7.0, 9.0, 3.0,
            1.0, 6.0, 4.0, 1.0, 9.0, 7.0, 8.0,
            0.0, 1.0, 4.0, 2.0, 3.0, 8.0, 7.0,
        ]).unwrap();
        let found = leave_one_out(&similarity, &labels("xyxyxzy"));
        assert_near(found, 0.2857142857142857, 0.2857142857142857, 0.47500000000000003);
    }

    #[test]
    fn the_diagonal_is_not_looked_at() {
        let with = |own: f32| Rows::from_values(3, vec![own, 0.1, 0.2, 0.3, own, 0.4, 0.5, 0.6, own]).unwrap();
        assert_eq!(leave_one_out(&with(9.0), &labels("aab")), leave_one_out(&with(-9.0), &labels("aab")));
    }

    #[test]
    fn the_keys_are_those_that_scripts_read() {
        let figures = Figures::from_values([1.0, 0.5, 0.4, 0.25, 1.0, 0.75, 0.875]);
        assert_eq!(Figures::from_values(figures.values()), figures);
        let text = serde_json::to_string(&figures).unwrap();
        let expected = r#"{"p_at_1":1.0,"p_at_5":0.5,"p_at_10":0.4,"map":0.25,"recall_at_1":1.0,"recall_at_5":0.75,"recall_at_10":0.875}"#;
        assert_eq!(text, expected);
    }
}
