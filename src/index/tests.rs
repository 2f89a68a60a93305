//! What an index finds, and how it gets there as pictures come and go.

use super::*;

fn index(metric: Metric, rows: &[(&str, [f32; 2])]) -> Index {
    let mut index = Index::empty(2, metric);
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

/// What a large inventory goes through: answers before the build, changes during it, and the same answers after it
/// as from an index that knew its neighbours all along.
#[test]
fn a_build_in_the_background_ends_where_a_small_index_is_at_once() {
    let at = |number: usize| [(number as f32 * 0.37).cos(), (number as f32 * 0.37).sin()];
    let name = |number: usize| PathBuf::from(format!("{number:02}"));
    let pictures = |numbers: std::ops::Range<usize>| numbers.map(|number| (name(number), at(number).to_vec()));
    let mut late = Index::filled(2, Metric::Cosine, pictures(0..30));
    late.graph = None;
    assert!(late.needs_graph_build());
    let ask = |index: &Index| index.search(&query(&[at(7)]), SetMode::Mean, 99);
    assert_eq!(ask(&late).len(), 30);
    let build = late.graph_build().unwrap();
    late.remove([name(3).as_path(), name(8).as_path()]);
    late.put(&name(8), &at(50));
    late.put(&name(40), &at(40));
    late.take_built_graph(build.run(&Unfollowed).unwrap());
    assert!(late.graph_build().is_none(), "nothing is left to do");
    let mut early = Index::filled(2, Metric::Cosine, pictures(0..30));
    early.remove([name(3).as_path()]);
    early.put(&name(8), &at(50));
    early.put(&name(40), &at(40));
    early.settle();
    assert_eq!(ask(&late), ask(&early));
    assert_eq!(ask(&late).len(), 30);
}

/// Two directions apart from the query by the same angle; on one side lie the query's nearest pictures.
#[test]
fn a_query_is_averaged_with_its_nearest_pictures() {
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
    many.settle();
    let found = ask(&many);
    assert_eq!(names(&found[..3]), ["near 1", "near 2", "near 3"]);
    assert!(rank(&found, "right") < rank(&found, "left"));
}

/// Many at once are not joined one by one, and not mixed with those that are.
#[test]
fn a_crowd_is_compared_by_codes_alone_until_it_settles() {
    let at = |number: usize| [(number as f32 * 0.37).cos(), (number as f32 * 0.37).sin()];
    let names: Vec<PathBuf> = (0..200).map(|number| PathBuf::from(format!("{number:03}"))).collect();
    let mut index = Index::empty(2, Metric::Cosine);
    for (number, name) in names.iter().enumerate() {
        assert!(index.put(name, &at(number)));
        assert_eq!(index.graph.is_some(), number < JOINED_AT_ONCE, "{number}");
    }
    assert!(!index.is_settled());
    index.settle();
    assert!(index.is_settled());
    let pictures = names.iter().enumerate().map(|(number, name)| (name.clone(), at(number).to_vec()));
    let again = Index::filled(2, Metric::Cosine, pictures);
    let ask = |index: &Index| index.search(&query(&[at(7)]), SetMode::Mean, 99);
    assert_eq!(ask(&index), ask(&again));
    index.remove(names[20..].iter().map(PathBuf::as_path));
    index.settle();
    assert_eq!((index.len(), ask(&index).len()), (20, 20));
}

#[test]
fn removed_and_replaced_pictures_are_not_found_where_they_were() {
    let mut index = index(Metric::Cosine, &[("a", [1.0, 0.0]), ("b", [0.0, 1.0]), ("c", [0.7, 0.7])]);
    index.remove([Path::new("a"), Path::new("not there")]);
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
