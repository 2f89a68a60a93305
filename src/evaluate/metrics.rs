//! The retrieval figures: share of the first results that show what the query shows, and mean average precision.
//!
//! Ties are resolved as numpy's stable sort does, so that figures can be compared with those of scripts. Results of equal
//! similarity keep the order of the inventory, which neither flatters nor punishes a
//! measure that cannot distinguish pictures.

use std::cmp::Ordering;

use serde::Serialize;

use crate::base::rows::Rows;

/// How many of the first results [`Figures::p_at_5`] and [`Figures::p_at_10`] count.
const FIRST: [usize; 2] = [5, 10];

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
}

/// The figures of `similarity` `[queries, inventory]`, greater meaning more similar.
///
/// There is one label for every row in `query_labels` and one for every column in `inventory_labels`.
pub fn figures(similarity: &Rows, inventory_labels: &[String], query_labels: &[String]) -> Figures {
    check_shape(similarity, inventory_labels, query_labels);
    mean(similarity.iter().zip(query_labels).map(|(row, label)| {
        let order = ranking(row, 0..inventory_labels.len());
        of_one_query(&hits(&order, inventory_labels, label))
    }))
}

/// The figures when every picture queries all the others: `similarity` is `[n, n]`, its diagonal is not used.
///
/// For sets too small to be split into inventory and queries.
pub fn leave_one_out(similarity: &Rows, labels: &[String]) -> Figures {
    let own: Vec<usize> = (0..labels.len()).collect();
    let own: Vec<&[usize]> = own.chunks(1).collect();
    figures_without(similarity, labels, labels, &own)
}

/// The figures when each query leaves out some of the inventory: the columns named in its entry of `left_out`.
pub fn figures_without(
    similarity: &Rows,
    inventory_labels: &[String],
    query_labels: &[String],
    left_out: &[&[usize]],
) -> Figures {
    check_shape(similarity, inventory_labels, query_labels);
    debug_assert_eq!(left_out.len(), query_labels.len(), "one entry for every query");
    mean(similarity.iter().zip(query_labels).zip(left_out).map(|((row, label), left_out)| {
        let order = ranking(row, (0..inventory_labels.len()).filter(|column| !left_out.contains(column)));
        of_one_query(&hits(&order, inventory_labels, label))
    }))
}

/// A label too few would drop queries without a word and give figures of something else.
fn check_shape(similarity: &Rows, inventory_labels: &[String], query_labels: &[String]) {
    debug_assert_eq!(similarity.len(), query_labels.len(), "one row for every query");
    debug_assert!(
        similarity.is_empty() || similarity.width() == inventory_labels.len(),
        "one column for every picture"
    );
}

/// `columns`, most similar first.
fn ranking(similarity: &[f32], columns: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut order: Vec<usize> = columns.collect();
    // A stable sort: ties stay in the order of the inventory.
    order.sort_by(|&a, &b| greater_first(similarity[a], similarity[b]));
    order
}

/// As numpy sorts: 0 and -0 are equal, and what is not a number comes last.
fn greater_first(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn hits(order: &[usize], labels: &[String], wanted: &str) -> Vec<bool> {
    order.iter().map(|&column| labels[column] == wanted).collect()
}

fn of_one_query(hits: &[bool]) -> Figures {
    let first = |count: usize| share(&hits[..hits.len().min(count)]);
    let (mut found, mut precision) = (0.0, 0.0);
    for (position, _) in hits.iter().enumerate().filter(|(_, hit)| **hit) {
        found += 1.0;
        precision += found / (position + 1) as f64;
    }
    Figures {
        p_at_1: first(1),
        p_at_5: first(FIRST[0]),
        p_at_10: first(FIRST[1]),
        map: if found > 0.0 { precision / found } else { 0.0 },
    }
}

fn share(hits: &[bool]) -> f64 {
    hits.iter().filter(|hit| **hit).count() as f64 / hits.len().max(1) as f64
}

fn mean(of_each: impl Iterator<Item = Figures>) -> Figures {
    let (mut sum, mut queries) = (Figures::default(), 0.0_f64);
    for one in of_each {
        queries += 1.0;
        sum.p_at_1 += one.p_at_1;
        sum.p_at_5 += one.p_at_5;
        sum.p_at_10 += one.p_at_10;
        sum.map += one.map;
    }
    let queries = queries.max(1.0);
    Figures {
        p_at_1: sum.p_at_1 / queries,
        p_at_5: sum.p_at_5 / queries,
        p_at_10: sum.p_at_10 / queries,
        map: sum.map / queries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(letters: &str) -> Vec<String> {
        letters.chars().map(String::from).collect()
    }

    fn assert_near(found: Figures, p_at_1: f64, p_at_5: f64, map: f64) {
        let expected = Figures { p_at_1, p_at_5, p_at_10: found.p_at_10, map };
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
        let text = serde_json::to_string(&Figures { p_at_1: 1.0, p_at_5: 0.5, p_at_10: 0.4, map: 0.25 }).unwrap();
        assert_eq!(text, r#"{"p_at_1":1.0,"p_at_5":0.5,"p_at_10":0.4,"map":0.25}"#);
    }
}
