//! What the gate decides.

use super::*;

/// Pictures found with these margins.
fn found(margins: &[f32]) -> Vec<ViewOutcome> {
    margins.iter().map(|&margin| ViewOutcome { margin, reciprocal_rank: 0.9, separation: 4.0 }).collect()
}

/// `count` pictures, all of which gain `gain`, give or take `spread`.
fn compared(count: usize, gain: f32, spread: f32) -> Option<Comparison> {
    let before: Vec<f32> = (0..count).map(|at| 0.2 + (at % 7) as f32 / 50.0).collect();
    let after: Vec<f32> = before
        .iter()
        .enumerate()
        .map(|(at, margin)| margin + gain + if at % 2 == 0 { spread } else { -spread })
        .collect();
    Comparison::of(&found(&before), &found(&after), [0.3, 0.4])
}

fn evidence(inventory: Option<Comparison>) -> Evidence {
    Evidence { against: Some("m1".into()), distinct: 30.0, distinct_needed: 5.0, inventory, ..Evidence::default() }
}

#[test]
fn figures_by_hand() {
    let rows = Rows::from_values(2, vec![1.0, 0.0, 0.0, 2.0]).unwrap();
    assert_eq!(relative_reconstruction_error(&rows, &Rows::from_values(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap()), 0.0);
    assert_eq!(relative_reconstruction_error(&rows, &Rows::from_values(2, vec![0.5, 0.5, 0.5, 0.5]).unwrap()), 1.0);
    let comparison = compared(42, 0.01, 0.0).unwrap();
    let gain = comparison.gain.unwrap();
    assert!([gain.mean, gain.low, gain.high].iter().all(|gain| (gain - 0.01).abs() < 1e-5), "{gain:?}");
    assert!((comparison.before.margin.unwrap() - 0.26).abs() < 1e-5 && comparison.after.reconstruction_error == 0.4);
}

#[test]
fn the_names_in_json_are_those_of_kept_models() {
    let quality =
        RetrievalQuality { mean_reciprocal_rank: 1.0, separation: 4.0, reconstruction_error: 0.5, margin: Some(0.25) };
    let text = serde_json::to_string(&quality).unwrap();
    assert_eq!(text, r#"{"found":1.0,"apart":4.0,"lost":0.5,"margin":0.25}"#);
}

#[test]
fn what_earlier_programs_measured_is_read() {
    let figures = |apart: f32| format!(r#"{{"found":0.9,"apart":{apart},"lost":0.3}}"#);
    let text = format!(
        r#"{{"against":"m1","against_untrained":false,"of_inventory":true,"distinct":9.0,"distinct_needed":0.0,
            "inventory":{{"pictures":36,"before":{},"after":{}}},"training":null}}"#,
        figures(4.0),
        figures(4.5)
    );
    let older: Evidence = serde_json::from_str(&text).unwrap();
    let comparison = older.inventory.unwrap();
    assert_eq!((comparison.after.separation, comparison.after.margin, comparison.gain), (4.5, None, None));
    assert_eq!((older.floor, older.folders), (FloorComparison::default(), None));
}

#[test]
fn as_good_passes_and_worse_beyond_doubt_is_refused_with_its_reason() {
    for (gain, spread) in [(0.1, 0.2), (0.0, 0.0), (-0.04, 0.0), (-0.049, 0.01)] {
        assert!(evidence(compared(40, gain, spread)).verdict().passes, "{gain} {spread}");
    }
    let refused = evidence(compared(40, -0.06, 0.05)).verdict();
    assert!(!refused.passes);
    let expected = "it tells inventory pictures apart less well than m1: changed views are told from other pictures by a margin of \
        0.198, 0.258 with m1 (-0.060, between -0.0";
    assert!(refused.reason.starts_with(expected), "{}", refused.reason);
    // So much may be chance: pictures gain and lose ten times as much.
    assert!(evidence(compared(30, -0.06, 0.6)).verdict().passes);
    assert!(!evidence(compared(30, f32::NAN, 0.0)).verdict().passes, "what is no number");
}

#[test]
fn a_narrower_model_is_told_why() {
    let narrow = Evidence { narrower: Some(8), ..evidence(compared(40, -0.2, 0.05)) }.verdict();
    assert!(
        !narrow.passes && narrow.reason.ends_with("; its embeddings have only 8 values (code_width)"),
        "{narrow:?}"
    );
    assert!(Evidence { narrower: Some(64), ..evidence(compared(40, -0.02, 0.05)) }.verdict().passes);
}

#[test]
fn held_out_training_pictures_have_a_say_too() {
    let both = Evidence { training: compared(40, -0.2, 0.1), ..evidence(compared(40, 0.0, 0.1)) };
    assert!(both.verdict().reason.contains("training pictures apart less well than m1"), "{:?}", both.verdict());
}

#[test]
fn no_model_falls_below_the_network_as_it_is() {
    let floor = FloorComparison { inventory: compared(40, -0.08, 0.02), training: None };
    let verdict = Evidence { floor, ..evidence(compared(40, -0.02, 0.02)) }.verdict();
    assert!(!verdict.passes && verdict.reason.contains("less well than the network as it is"), "{verdict:?}");
    let first = Evidence { against: Some("features".into()), against_untrained: true, ..evidence(floor.inventory) };
    assert!(first.verdict().reason.contains("less well than the network as it is"), "{:?}", first.verdict());
}

#[test]
fn a_thousand_copies_are_refused_before_anything_is_trained() {
    let copies = Evidence { distinct: 1.2, ..evidence(compared(40, 0.0, 0.0)) };
    assert!(!copies.has_enough_distinct());
    assert_eq!(
        copies.verdict().reason,
        "its training pictures are nearly all alike: they are worth 1, and 5 different ones are needed"
    );
}

#[test]
fn with_too_few_pictures_there_is_no_verdict_and_that_is_said() {
    assert_eq!(compared(FEWEST_PICTURES - 1, -0.5, 0.0), None);
    let verdict = evidence(None).verdict();
    assert!(verdict.passes);
    assert_eq!(verdict.reason, "there is no verdict: fewer than 30 pictures can be held out to compare it by");
    assert!(Evidence { distinct: 30.0, ..Evidence::default() }.verdict().passes);
}

#[test]
fn pictures_that_were_not_held_out_are_called_so() {
    let seen = Evidence { not_held_out: Some("both have seen them".into()), ..evidence(compared(40, 0.0, 0.0)) };
    assert!(seen.verdict().reason.ends_with("; both have seen them"), "{:?}", seen.verdict());
}

#[test]
fn folders_that_mislead_are_refused_and_those_that_help_are_not() {
    let taught = |before, after| {
        let lesson = FolderLesson { taught: true, folders: 12, before, after, ..FolderLesson::default() };
        Evidence { folders: Some(lesson), ..evidence(compared(40, 0.0, 0.0)) }
    };
    assert!(taught(0.68, 0.75).verdict().passes);
    assert!(taught(0.68, 0.67).verdict().passes, "more of each may be found");
    let misled = taught(0.68, 0.6).verdict();
    assert!(!misled.passes && misled.reason.contains("right first 60 % (before: 68 %)"), "{misled:?}");
    assert!(!taught(0.68, f32::NAN).verdict().passes);
    let untaught = Evidence { folders: Some(FolderLesson::default()), ..taught(0.0, 0.0) };
    assert!(untaught.verdict().passes);
}
