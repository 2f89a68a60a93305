//! What an index finds, and that it follows pictures as they come and go.

use artificio_random::Random;

use super::*;
use crate::base::rows::Rows;
use crate::clock::WallTime;
use crate::config::{DateRange, InventoryFolders, SearchScope};

const COSINE: SearchMode = SearchMode { metric: Metric::Cosine, set_mode: SetMode::Mean };
const EUCLIDEAN: SearchMode = SearchMode { metric: Metric::Euclidean, set_mode: SetMode::Mean };

fn index(rows: &[(&str, [f32; 2])]) -> Index {
    let mut index = Index::empty(2);
    for (path, embedding) in rows {
        assert!(index.put(Path::new(path), embedding));
    }
    index
}

fn names(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.path.to_str().unwrap()).collect()
}

fn query(rows: &[[f32; 2]]) -> Rows {
    Rows::from_values(2, rows.concat()).unwrap()
}

fn ask(index: &Index, rows: &[[f32; 2]], how: SearchMode, k: usize) -> Vec<Found> {
    index.snapshot().search(&query(rows), how, k)
}

fn at(degrees: f32) -> [f32; 2] {
    [degrees.to_radians().cos(), degrees.to_radians().sin()]
}

#[test]
fn one_set_of_embeddings_is_ranked_by_angle_and_by_distance() {
    let index = index(&[("far", [10.0, 0.5]), ("near", [1.0, 0.9]), ("other", [-1.0, 0.0])]);
    let by_angle = ask(&index, &[[1.0, 0.0]], COSINE, 3);
    assert_eq!(names(&by_angle), ["far", "near", "other"]);
    assert!((by_angle[2].similarity + 1.0).abs() < 1e-4);
    let by_distance = ask(&index, &[[1.0, 0.0]], EUCLIDEAN, 3);
    assert_eq!(names(&by_distance), ["near", "other", "far"]);
    assert!((by_distance[1].similarity - 1.0 / 3.0).abs() < 1e-4);
}

#[test]
fn a_set_is_ranked_by_its_mean_or_by_its_nearest_member() {
    let index = index(&[("between", [1.0, 1.0]), ("at one member", [1.0, 0.01])]);
    let set = [[1.0, 0.0], [0.0, 1.0]];
    assert_eq!(names(&ask(&index, &set, COSINE, 2)), ["between", "at one member"]);
    let nearest = SearchMode { set_mode: SetMode::Nearest, ..COSINE };
    assert_eq!(names(&ask(&index, &set, nearest, 2)), ["at one member", "between"]);
}

/// Two directions apart from the query by the same angle; on one side lie the query's nearest pictures.
#[test]
fn a_query_is_averaged_with_its_nearest_pictures() {
    let mut index = index(&[("left", at(-26.0)), ("right", at(26.0))]);
    for (name, degrees) in [("near 1", 3.0), ("near 2", 8.0), ("near 3", 13.0)] {
        index.put(Path::new(name), &at(degrees));
    }
    let rank = |found: &[Found], name: &str| names(found).iter().position(|other| *other == name).unwrap();
    let few = ask(&index, &[at(0.0)], COSINE, 99);
    let similarity = |name: &str| few[rank(&few, name)].similarity;
    assert!((similarity("left") - similarity("right")).abs() < 1e-4, "too few to have neighbours");
    for number in 0..10 {
        index.put(Path::new(&format!("far {number}")), &at(90.0 + 5.0 * number as f32));
    }
    let found = ask(&index, &[at(0.0)], COSINE, 99);
    assert_eq!(names(&found[..3]), ["near 1", "near 2", "near 3"]);
    assert!(rank(&found, "right") < rank(&found, "left"));
    // The reason says so: alone the two are equal.
    let reason = |name: &str| &found[rank(&found, name)].reason;
    let (left, right) = (reason("left"), reason("right"));
    assert_eq!(left.alone + right.alone, 4 + 5);
    assert_eq!((left.place, right.place), (rank(&found, "left") + 1, rank(&found, "right") + 1));
    assert_eq!(right.neighbours, ["near 3", "near 2", "near 1"].map(PathBuf::from));
    let whole = index.snapshot().search_within(&query(&[at(0.0)]), COSINE, &SearchScope::default(), 99);
    assert_eq!(whole.expanded_with[0], Path::new("near 1"));
    assert!(few.iter().all(|found| found.reason.neighbours.is_empty() && found.reason.place == found.reason.alone));
}

#[test]
fn of_several_pictures_it_is_said_which_one_a_match_is_most_similar_to() {
    let pictures: Vec<(String, [f32; 2])> =
        (0..20).map(|number| (format!("{number:02}"), at(5.0 * number as f32))).collect();
    let index = Index::filled(2, pictures);
    let nearest = SearchMode { metric: Metric::Cosine, set_mode: SetMode::Nearest };
    let found = ask(&index, &[at(0.0), at(95.0)], nearest, 99);
    let member = |name: &str| found.iter().find(|found| found.path == Path::new(name)).unwrap().reason.member;
    assert_eq!([member("00"), member("02"), member("18"), member("19")], [0, 0, 1, 1]);
    let mean = SearchMode { set_mode: SetMode::Mean, ..nearest };
    assert!(ask(&index, &[at(0.0), at(95.0)], mean, 99).iter().all(|found| found.reason.member == 0));
}

#[test]
fn removed_and_replaced_pictures_are_not_found_where_they_were() {
    let mut index = index(&[("a", [1.0, 0.0]), ("b", [0.0, 1.0]), ("c", [0.7, 0.7])]);
    index.remove([Path::new("a"), Path::new("not there")]);
    assert_eq!(names(&ask(&index, &[[1.0, 0.0]], COSINE, 9)), ["c", "b"]);
    index.put(Path::new("b"), &[1.0, 0.0]);
    assert_eq!(names(&ask(&index, &[[1.0, 0.0]], COSINE, 9)), ["b", "c"]);
    assert_eq!((index.len(), index.contains(Path::new("a"))), (2, false));
}

#[test]
fn ties_come_in_the_order_of_their_paths_and_k_cuts() {
    let few = index(&[("b", [1.0, 0.0]), ("c", [1.0, 0.0]), ("a", [1.0, 0.0])]);
    assert_eq!(names(&ask(&few, &[[1.0, 0.0]], COSINE, 2)), ["a", "b"]);
    assert!(ask(&few, &[], COSINE, 2).is_empty());
    assert!(ask(&few, &[[1.0, 0.0]], COSINE, 0).is_empty());
    // More copies of one picture than a shortlist holds, in several segments.
    let copies = (0..9_000).rev().map(|number| (format!("{number:04}"), [3.0, 4.0]));
    let found = ask(&Index::filled(2, copies), &[[3.0, 4.0]], COSINE, 300);
    assert_eq!(names(&found), (0..300).map(|number| format!("{number:04}")).collect::<Vec<_>>());
}

/// Whatever lies outside of the scope might as well not be there.
#[test]
fn a_search_within_folders_is_that_of_an_index_of_them_alone() {
    let mut random = Random::new(21);
    let rows: Vec<Vec<f32>> = (0..3_000).map(|_| (0..8).map(|_| random.normal()).collect()).collect();
    let name = |number: usize| format!("{}/{number:04}.jpg", ["shirts", "shirts-2", "shoes"][number % 3]);
    let index = Index::filled(8, rows.iter().enumerate().map(|(number, row)| (name(number), row)));
    let of = |folder: &str| InventoryFolders::of([folder.into()]).unwrap();
    let scope = SearchScope { within: of("shirts"), ..SearchScope::default() };
    let alone = Index::filled(8, (0..3_000).step_by(3).map(|number| (name(number), &rows[number])));
    let query = Rows::from_values(8, rows[5].clone()).unwrap();
    for mode in [COSINE, SearchMode { metric: Metric::Euclidean, ..COSINE }] {
        for k in [5, 400, 2_000] {
            let found = index.snapshot().search_within(&query, mode, &scope, k).found;
            assert_eq!(found, alone.snapshot().search(&query, mode, k), "{mode:?}, {k}");
            assert_eq!(found.len(), k.min(1_000));
        }
    }
    let without = SearchScope { not_within: of("shirts"), ..SearchScope::default() };
    assert_eq!((index.snapshot().count_within(&scope), index.snapshot().count_within(&without)), (1_000, 2_000));
    assert!(
        names(&index.snapshot().search_within(&query, COSINE, &without, 99).found)
            .iter()
            .all(|name| !name.starts_with("shirts/"))
    );
}

/// And whatever was taken at another time.
#[test]
fn a_search_by_dates_is_that_of_an_index_of_their_pictures_alone() {
    let mut random = Random::new(22);
    let rows: Vec<Vec<f32>> = (0..9_000).map(|_| (0..8).map(|_| random.normal()).collect()).collect();
    let name = |number: usize| format!("{number:04}.jpg");
    let mut index = Index::filled(8, rows.iter().enumerate().map(|(number, row)| (name(number), row)));
    // Every third in June, the others in May; the first never. Some go, and others take their places.
    let is_in_june = |number: usize| number.is_multiple_of(3);
    let dates = ["2024-06-01", "2024-05-31T23:59:59"].map(|text| WallTime::parse(text).unwrap());
    (1..9_000).for_each(|number| index.set_date(Path::new(&name(number)), dates[usize::from(!is_in_june(number))]));
    let is_left = |number: usize| !(50..1_000).contains(&number);
    index.keep(|path| is_left(path.to_str().unwrap()[..4].parse().unwrap()));
    let (june, may): (Vec<usize>, Vec<usize>) =
        (1..9_000).filter(|number| is_left(*number)).partition(|number| is_in_june(*number));
    let alone = Index::filled(8, june.iter().map(|&number| (name(number), &rows[number])));
    let scope = |after: Option<&str>, before: Option<&str>| SearchScope {
        taken: DateRange {
            after: after.map(|text| text.parse().unwrap()),
            before: before.map(|text| text.parse().unwrap()),
        },
        ..SearchScope::default()
    };
    let query = Rows::from_values(8, rows[5].clone()).unwrap();
    let (since_june, snapshot) = (scope(Some("2024-06-01"), None), index.snapshot());
    for k in [5, 400, 4_000] {
        let found = snapshot.search_within(&query, COSINE, &since_june, k).found;
        assert_eq!(found, alone.snapshot().search(&query, COSINE, k), "{k}");
    }
    let counts =
        [&since_june, &scope(None, Some("2024-06-01")), &scope(None, Some("2025-01-01")), &SearchScope::default()];
    let all = june.len() + may.len();
    assert_eq!(counts.map(|scope| snapshot.count_within(scope)), [june.len(), may.len(), all, all + 1]);
    index.set_date(Path::new("0000.jpg"), dates[0]);
    assert_eq!(
        (index.snapshot().count_within(&since_june), snapshot.count_within(&since_june)),
        (june.len() + 1, june.len())
    );
}

#[test]
fn an_embedding_of_another_width_is_refused() {
    let mut index = index(&[("a", [1.0, 0.0])]);
    assert!(!index.put(Path::new("b"), &[1.0]));
    assert!(!index.put(Path::new("a"), &[1.0]));
    assert_eq!(index.len(), 1);
    assert!(index.snapshot().search(&Rows::from_values(1, vec![1.0]).unwrap(), COSINE, 9).is_empty());
}

#[test]
fn a_search_sees_the_index_as_it_was_when_it_began() {
    let mut index = index(&[("a", [1.0, 0.0]), ("b", [0.0, 1.0])]);
    let snapshot = index.snapshot();
    index.remove([Path::new("a")]);
    index.put(Path::new("b"), &[1.0, 0.0]);
    index.put(Path::new("c"), &[1.0, 0.0]);
    let found = snapshot.search(&query(&[[0.0, 1.0]]), COSINE, 9);
    assert_eq!(names(&found), ["b", "a"]);
    assert!(snapshot.generation() < index.generation());
    assert_eq!(names(&ask(&index, &[[1.0, 0.0]], COSINE, 9)), ["b", "c"]);
}

/// Random embeddings around some centres, as those of real pictures lie.
fn clustered(count: usize, width: usize, random: &mut Random) -> Vec<Vec<f32>> {
    let mut normal = |size: f32| (0..width).map(|_| size * random.normal()).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..50).map(|_| normal(1.0)).collect();
    let near = |centre: &[f32], offset: Vec<f32>| centre.iter().zip(offset).map(|(a, b)| a + b).collect();
    (0..count).map(|number| near(&centres[number % centres.len()], normal(0.7))).collect()
}

/// The search as it is meant, in float32 and without any short cut.
fn exact(rows: &[Vec<f32>], query: &[f32], how: SearchMode) -> Vec<usize> {
    let prepared: Vec<Vec<f32>> = rows.iter().map(|row| averaging::prepared(row.clone(), how.metric)).collect();
    let query = averaging::prepared(query.to_vec(), how.metric);
    let order = |rows: &[Vec<f32>], query: &[f32]| {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let similarity = |at: usize| averaging::similarity(&rows[at], query, how.metric);
        order.sort_by(|a, b| similarity(*b).total_cmp(&similarity(*a)));
        order
    };
    let shortlist = &order(&prepared, &query)[..SHORTLIST];
    let near = shortlist.iter().flat_map(|at| prepared[*at].clone()).collect();
    let averaging::Averaged { rows: averaged, is_copy, .. } =
        averaging::averaged(&Rows::from_values(query.len(), near).unwrap(), how.metric);
    let query = averaging::expanded(&query, &averaged, &is_copy, how.metric).0;
    let averaged: Vec<Vec<f32>> = averaged.iter().map(<[f32]>::to_vec).collect();
    order(&averaged, &query).into_iter().map(|at| shortlist[at]).collect()
}

#[test]
fn quantised_embeddings_find_what_exact_ones_do() {
    let mut random = Random::new(5);
    let rows = clustered(9_000, 64, &mut random);
    let index = Index::filled(64, rows.iter().enumerate().map(|(number, row)| (format!("{number}"), row)));
    let (mut hits, mut all) = (0, 0);
    for query in clustered(40, 64, &mut random) {
        for how in [COSINE, EUCLIDEAN] {
            let found = index.snapshot().search(&Rows::from_values(64, query.clone()).unwrap(), how, 10);
            let expected = &exact(&rows, &query, how)[..10];
            let is_expected = |found: &&Found| expected.contains(&found.path.to_str().unwrap().parse().unwrap());
            hits += found.iter().filter(is_expected).count();
            all += expected.len();
        }
    }
    assert!(hits * 1_000 >= all * 999, "{hits} of {all}");
}

/// Further results follow the shortlist, each picture once, and never with a greater similarity than those before.
#[test]
fn all_pictures_can_be_asked_for() {
    let mut random = Random::new(6);
    let rows = clustered(1_000, 16, &mut random);
    let index = Index::filled(16, rows.iter().enumerate().map(|(number, row)| (format!("{number}"), row)));
    for how in [COSINE, EUCLIDEAN] {
        let found = index.snapshot().search(&Rows::from_values(16, rows[3].clone()).unwrap(), how, 5_000);
        assert!(found.windows(2).all(|two| two[0].similarity >= two[1].similarity));
        let mut names = names(&found);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 1_000);
    }
}

/// What came, went and moved in whatever order: the same as an index filled at once.
#[test]
fn any_order_of_changes_gives_the_same_answers() {
    let mut random = Random::new(7);
    let rows = clustered(9_000, 8, &mut random);
    let name = |number: usize| format!("{number:04}");
    let mut index = Index::empty(8);
    let mut kept = std::collections::BTreeSet::new();
    for _ in 0..30_000 {
        let number = random.count(0, rows.len() - 1);
        if random.count(0, 2) == 0 {
            index.remove([Path::new(&name(number))]);
            kept.remove(&number);
        } else {
            assert!(index.put(Path::new(&name(number)), &rows[number]));
            kept.insert(number);
        }
    }
    let again = Index::filled(8, kept.iter().rev().map(|number| (name(*number), &rows[*number])));
    assert_eq!((index.len(), again.len()), (kept.len(), kept.len()));
    for number in (0..9_000).step_by(500) {
        let query = Rows::from_values(8, rows[number].clone()).unwrap();
        assert_eq!(index.snapshot().search(&query, COSINE, 300), again.snapshot().search(&query, COSINE, 300));
        assert_eq!(index.embedding(Path::new(&name(number))), again.embedding(Path::new(&name(number))));
    }
}
