use super::*;
use std::path::PathBuf;

const KINDS: usize = 12;
const OF_A_KIND: usize = 12;

/// Pictures of twelve kinds that lie along few directions; along as many others pictures of one kind differ, and more.
fn pictures() -> Rows {
    drawn(3)
}

/// The same kinds, other pictures.
fn others() -> Rows {
    drawn(4)
}

fn drawn(seed: u64) -> Rows {
    let mut random = Random::new(1);
    let kinds: Vec<Vec<f32>> = (0..KINDS).map(|_| (0..8).map(|_| random.normal()).collect()).collect();
    let mut random = Random::new(seed);
    let mut rows = Rows::empty(24);
    for at in 0..KINDS * OF_A_KIND {
        let mut row: Vec<f32> = kinds[kind(at)].iter().map(|value| value + 0.35 * random.normal()).collect();
        row.extend((0..16).map(|_| 0.8 * random.normal()));
        assert!(rows.push(&row));
    }
    rows
}

fn learned(pictures: &Rows, path: impl Fn(usize) -> String) -> (FolderLesson, Option<Basis>) {
    let paths: Vec<Vec<PathBuf>> = (0..pictures.len()).map(|at| vec![PathBuf::from(path(at))]).collect();
    let material = Material { features: pictures, components: pictures, untaught: pictures };
    learn(&material, &FolderLabels::of(&paths), 16)
}

fn embeddings(pictures: &Rows, basis: &Basis) -> Rows {
    let mut embeddings = Rows::empty(basis.scales.len());
    for row in pictures.iter() {
        let along = |(turn, scale): (&[f32], &f32)| scale * crate::base::dot::dot(turn, row);
        embeddings.push(&basis.turn.chunks_exact(24).zip(&basis.scales).map(along).collect::<Vec<_>>());
    }
    embeddings
}

/// [`right`] as a basis compares.
fn taught(pictures: &Rows, basis: &Basis) -> f32 {
    right(&embeddings(&others(), basis), &embeddings(pictures, basis))
}

fn kind(at: usize) -> usize {
    at % KINDS
}

/// How often the nearest of `known` is of the same kind as another picture.
fn right(others: &Rows, known: &Rows) -> f32 {
    let (others, known) = (others.at_unit_length(), known.at_unit_length());
    let is_right = |(at, row): (usize, &[f32])| {
        let cosine = |other: usize| crate::base::dot::dot(row, known.row(other));
        let nearest = (0..known.len()).max_by(|a, b| cosine(*a).total_cmp(&cosine(*b))).unwrap();
        f32::from(u8::from(kind(nearest) == kind(at)))
    };
    mean(others.iter().enumerate().map(is_right))
}

#[test]
fn folders_of_kinds_teach() {
    let pictures = pictures();
    let (lesson, basis) = learned(&pictures, |at| format!("{}/{at}.jpg", kind(at)));
    assert!(lesson.taught && lesson.after > lesson.before + 0.1, "{lesson:?}");
    assert_eq!((lesson.folders, lesson.pictures, lesson.depth), (KINDS, KINDS * OF_A_KIND, 1));
    let basis = basis.unwrap();
    assert_eq!((basis.scales.len(), basis.turn.len()), (16, 16 * 24));
    let (before, after) = (right(&others(), &pictures), taught(&pictures, &basis));
    assert!(after > before + 0.1, "{before} {after}");
}

#[test]
fn folders_that_mean_nothing_teach_nothing() {
    let pictures = pictures();
    let mut random = Random::new(8);
    let mut shuffled: Vec<usize> = (0..pictures.len()).collect();
    random.shuffle(&mut shuffled);
    let by_chance = learned(&pictures, |at| format!("{}/{at}.jpg", shuffled[at] % KINDS));
    let by_date = learned(&pictures, |at| format!("2026/{:02}/{at}.jpg", shuffled[at] / OF_A_KIND));
    for (number, (lesson, basis)) in [by_chance, by_date].into_iter().enumerate() {
        assert!(!lesson.taught && basis.is_none() && lesson.folders == KINDS, "{number}: {lesson:?}");
        assert_eq!((lesson.before, lesson.precision_before), (lesson.after, lesson.precision_after));
    }
}

#[test]
fn folders_that_are_half_wrong_do_no_harm() {
    let pictures = pictures();
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let mut shuffled: Vec<usize> = (0..pictures.len()).collect();
        random.shuffle(&mut shuffled);
        let folder = |at: usize| if shuffled[at] < KINDS * OF_A_KIND / 2 { kind(at) } else { shuffled[at] % KINDS };
        let (lesson, basis) = learned(&pictures, |at| format!("{}/{at}.jpg", folder(at)));
        if let Some(basis) = basis {
            let (before, after) = (right(&others(), &pictures), taught(&pictures, &basis));
            assert!(after >= before, "{before} {after} {lesson:?}");
        }
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
