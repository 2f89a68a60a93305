//! The engine in memory, which keeps the contract, answers as the index does.

use artificio_random::Random;

use super::*;
use crate::config::{Encoder, LimitSettings, Metric};
use crate::engine::EmbeddedEngine;
use crate::evaluate::labels::{LabelSource, LabelsBy, NumberedLabels};
use crate::evaluate::look::MeasuredNetwork;
use crate::evaluate::measured::MeasuredPictures;
use crate::model::FeatureKind;
use crate::picture::Bounds;
use crate::progress::Unfollowed;

const COUNT: usize = 400;

/// Pictures of five labels that hardly differ, and their embeddings.
fn pictures() -> (LabelledPictures, Rows) {
    let mut random = Random::new(5);
    let mut embeddings = Rows::empty(12);
    for at in 0..COUNT {
        let row: Vec<f32> = (0..12).map(|value| random.normal() + if value == at % 5 { 2.0 } else { 0.0 }).collect();
        embeddings.push(&row);
    }
    let names: Vec<String> = (0..COUNT).map(|at| format!("label {}", at % 5)).collect();
    let inventory = MeasuredPictures {
        paths: (0..COUNT).map(|at| PathBuf::from(format!("{at}.jpg"))).collect(),
        contents: (0..COUNT).map(|at| Hash::of(&at.to_le_bytes())).collect(),
        inputs: vec![embeddings.clone()],
        ..MeasuredPictures::default()
    };
    let pictures = LabelledPictures {
        origin: Origin::Inventory,
        inventory,
        queries: MeasuredPictures::default(),
        training: MeasuredPictures::default(),
        label_by: LabelsBy::Name,
        labels: NumberedLabels::new(&names, &names),
        left_out: Vec::new(),
        kinds: vec![FeatureKind::of(Encoder::Pretrained)],
    };
    (pictures, embeddings)
}

fn options() -> EvaluationOptions {
    EvaluationOptions {
        folder: PathBuf::new(),
        label_by: LabelSource::Auto,
        leave_one_out: true,
        networks: vec![MeasuredNetwork::Bundled(Encoder::Pretrained)],
        settings: ModelSettings::default(),
        metric: Metric::Cosine,
        seed: 1,
        bounds: Bounds::from(&LimitSettings::default()),
    }
}

#[test]
fn an_exact_engine_finds_what_the_index_finds_and_is_left_as_it_was() {
    let (pictures, embeddings) = pictures();
    let engine = EmbeddedEngine::default();
    let figures =
        pictures.compare_engine(&options(), (&embeddings, &embeddings), &engine, &Unfollowed).unwrap().unwrap();
    assert_eq!((figures.queries, figures.recall_at_10, figures.agreement), (COUNT, 1.0, 1.0));
    assert_eq!(figures.p_at_10, figures.p_at_10_embedded);
    assert!((0.3..0.95).contains(&figures.p_at_10), "{}", figures.p_at_10);
    assert!(engine.generations().unwrap().is_empty());
}

#[test]
fn what_is_not_found_counts() {
    let paths = |numbers: &[usize]| numbers.iter().map(|&at| name_of(at)).collect::<Vec<_>>();
    assert_eq!(common(&paths(&[1, 2, 9]), &paths(&[1, 2, 3, 4])), 0.5);
    let rows = Rows::from_values(2, vec![1.0, 0.0, 0.9, 0.1, -1.0, 0.0]).unwrap();
    let members = Rows::from_values(2, vec![5.0, 0.0]).unwrap();
    assert_eq!(nearest(&members, named(&rows)), paths(&[0, 1, 2]));
    let (pictures, _) = pictures();
    let question = &singles(&pictures.labels, Origin::Inventory)[0];
    assert_eq!(pictures.precision(question, &paths(&[5, 10, 1, 2])), 0.5);
}
