//! The report of a training.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use super::models::noise;
use super::workplace::{Workplace, put};

const NAMES: [&str; 3] = ["loss.png", "reconstructions.png", "gate.png"];

/// That all three pictures are there, and something on each of them.
fn assert_drawn(folder: &Path) {
    for name in NAMES {
        let picture = image::open(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).to_rgb8();
        let colours: HashSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(picture.width() == 1600 && colours.len() > 20, "{name}: {} colours", colours.len());
    }
}

#[test]
fn a_training_of_either_encoder_is_drawn_without_a_service_and_by_it() {
    for settings in ["", "encoder = \"convolutional\"\ntrain_steps = 20"] {
        let mut workplace = Workplace::with_settings(&format!("min_train = 9\n{settings}"));
        workplace.stock(3);
        let folder = workplace.root().join("report");
        let output = workplace.run(&["train", "--report", folder.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        for name in NAMES {
            assert!(text.contains(&format!("{}\n", folder.join(name).display())), "{text}");
        }
        assert_drawn(&folder);

        workplace.start();
        let again = workplace.root().join("again");
        let output = workplace.run(&["train", "--json", "--report", again.to_str().unwrap()]);
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&printed["decision"], printed["report"].as_array().map(Vec::len)),
            (&"passed".into(), Some(3)),
            "{printed}"
        );
        assert_drawn(&again);
    }
}

#[test]
fn a_refused_training_is_drawn_and_no_watched_folder_takes_pictures_of_ours() {
    let workplace = Workplace::with_settings("min_train = 12");
    workplace.stock(3);
    for number in 0..40 {
        put(workplace.training(format!("{number}.bmp")), &noise(number));
    }
    let watched = workplace.run(&["train", "--report", workplace.query("report").to_str().unwrap()]);
    assert_eq!(watched.status.code(), Some(2), "{watched:?}");
    let folder = workplace.root().join("report");
    let output = workplace.run(&["train", "--report", folder.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("is refused"));
    assert_drawn(&folder);
}
