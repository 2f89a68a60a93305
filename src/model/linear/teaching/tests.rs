use super::*;
use std::path::PathBuf;

const KINDS: usize = 12;
const OF_A_KIND: usize = 12;

/// Pictures of twelve kinds that lie along few directions; along as many others pictures of one kind differ, and more.
fn pictures() -> Rows {
    let mut random = Random::new(3);
    let mut normal = |scale: f32| random.normal() * scale;
    let kinds: Vec<Vec<f32>> = (0..KINDS).map(|_| (0..8).map(|_| normal(1.0)).collect()).collect();
    let mut rows = Rows::empty(24);
    for at in 0..KINDS * OF_A_KIND {
        let kind = kinds[at % KINDS].iter().map(|value| value + normal(0.35));
        let row: Vec<f32> = kind.collect();
        let row: Vec<f32> = row.into_iter().chain((0..16).map(|_| normal(1.1))).collect();
        assert!(rows.push(&row));
    }
    rows
}

fn learned(pictures: &Rows, path: impl Fn(usize) -> String) -> (FolderLesson, Option<Basis>) {
    let paths: Vec<Vec<PathBuf>> = (0..pictures.len()).map(|at| vec![PathBuf::from(path(at))]).collect();
    let material = Material { features: pictures, components: pictures, untaught: pictures };
    learn(&material, &FolderLabels::of(&paths), 16)
}

fn kind(at: usize) -> usize {
    at % KINDS
}

/// How often the nearest other picture is of the same kind.
fn right(embeddings: &Rows) -> f32 {
    let embeddings = embeddings.at_unit_length();
    let cosine = |one: usize, other: usize| crate::base::dot::dot(embeddings.row(one), embeddings.row(other));
    let is_right = |one: usize| {
        let others = (0..embeddings.len()).filter(|other| *other != one);
        let nearest = others.max_by(|a, b| cosine(one, *a).total_cmp(&cosine(one, *b))).unwrap();
        f32::from(u8::from(kind(nearest) == kind(one)))
    };
    mean((0..embeddings.len()).map(is_right))
}

#[test]
fn folders_of_kinds_teach() {
    let pictures = pictures();
    let (lesson, basis) = learned(&pictures, |at| format!("{}/{at}.jpg", kind(at)));
    assert!(lesson.taught && lesson.after > lesson.before + 0.1, "{lesson:?}");
    assert_eq!((lesson.folders, lesson.pictures, lesson.depth), (KINDS, KINDS * OF_A_KIND, 1));
    let basis = basis.unwrap();
    assert_eq!((basis.scales.len(), basis.turn.len()), (16, 16 * 24));
    let mut embeddings = Rows::empty(16);
    for row in pictures.iter() {
        let along = |(turn, scale): (&[f32], &f32)| scale * crate::base::dot::dot(turn, row);
        embeddings.push(&basis.turn.chunks_exact(24).zip(&basis.scales).map(along).collect::<Vec<_>>());
    }
    assert!(right(&embeddings) > right(&pictures) + 0.2, "{} {}", right(&embeddings), right(&pictures));
}

#[test]
fn folders_that_mean_nothing_teach_nothing() {
    let pictures = pictures();
    let mut random = Random::new(8);
    let mut shuffled: Vec<usize> = (0..pictures.len()).collect();
    random.shuffle(&mut shuffled);
    let by_chance = learned(&pictures, |at| format!("{}/{at}.jpg", shuffled[at] % KINDS));
    let by_date = learned(&pictures, |at| format!("2026/{:02}/{at}.jpg", shuffled[at] / OF_A_KIND));
    let half_wrong = learned(&pictures, |at| {
        let folder = if shuffled[at].is_multiple_of(2) { kind(at) } else { shuffled[at] / 2 % KINDS };
        format!("{folder}/{at}.jpg")
    });
    for (number, (lesson, basis)) in [by_chance, by_date, half_wrong].into_iter().enumerate() {
        assert!(!lesson.taught && basis.is_none() && lesson.folders == KINDS, "{number}: {lesson:?}");
        assert_eq!(lesson.before, lesson.after);
    }
}

#[test]
fn the_level_that_helps_is_taken() {
    let pictures = pictures();
    let by_shelf = |at: usize| format!("shelf-{}/{}/{at}.jpg", at / 24 % 2, kind(at));
    let (lesson, _) = learned(&pictures, by_shelf);
    assert!(lesson.taught && lesson.depth == 2, "{lesson:?}");
    let by_month = |at: usize| format!("{}/month-{}/{at}.jpg", kind(at), at / 24 % 2);
    let (lesson, _) = learned(&pictures, by_month);
    assert!(lesson.taught, "{lesson:?}");
}

#[test]
fn what_was_thrown_into_one_folder_does_not_spoil_the_others() {
    let pictures = pictures();
    let (lesson, basis) = learned(&pictures, |at| match kind(at) {
        kind @ 0..6 => format!("{kind}/{at}.jpg"),
        _ => format!("unsorted/{at}.jpg"),
    });
    assert!(lesson.taught && basis.is_some(), "{lesson:?}");
}

#[test]
fn too_few_pictures_or_folders_teach_nothing() {
    let pictures = pictures();
    let few = picked(&pictures, &(0..11).collect::<Vec<_>>());
    assert!(learned(&few, |at| format!("{}/{at}.jpg", at % 2)).1.is_none());
    let of_one = learned(&pictures, |at| format!("{at}/{at}.jpg"));
    assert!(of_one.1.is_none() && of_one.0.folders == 0, "{:?}", of_one.0);
    let (lesson, basis) = learned(&pictures, |at| format!("{at}.jpg"));
    assert!(basis.is_none() && lesson == FolderLesson::default());
    // Copies of one picture in each of two folders: there is nothing that they differ by.
    let copies = Rows::from_values(24, [1.0; 24].repeat(20)).unwrap();
    assert!(learned(&copies, |at| format!("{}/{at}.jpg", at % 2)).1.is_none());
}
