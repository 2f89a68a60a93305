//! What came of a training, as a page.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use artificio_demo::Food;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::gallery::{chromium, shown};
use super::models::noise;
use super::pictures::jpeg;
use super::workplace::{Workplace, put};

/// Where a picture in the page begins.
const PICTURE: &str = "src=\"data:image/jpeg;base64,";

/// The page's sections, on how the model learned, what its embeddings keep and what the gate measured. The page needs nothing else, and no file's
/// name is more than text on it.
fn sections(page: &Path) -> [String; 3] {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let text = text.replace(PICTURE, "");
    for outside in ["http:", "https:", "src=", "<script", "<link", "@import", "url("] {
        assert!(!text.contains(outside), "{outside} on {}", page.display());
    }
    ["loss", "embeddings", "gate"].map(|section| {
        let from = text.find(&format!("<section id=\"{section}\">")).unwrap_or_else(|| panic!("no {section}"));
        let section = &text[from..];
        section[..section.find("</section>").unwrap()].to_string()
    })
}

/// That each section says what to look for and what its terms mean, and that there is something to be seen.
fn assert_shown(page: &Path) {
    for (section, drawing) in sections(page).iter().zip(["<polyline", "<img", "<rect"]) {
        assert!(section.contains("<b>Look ") && section.contains("<dt>"), "{section}");
        assert!(section.contains(drawing), "no {drawing}: {section}");
    }
    let text = fs::read_to_string(page).unwrap();
    let pictures: Vec<&str> = text.split(PICTURE).skip(1).map(|rest| &rest[..rest.find('"').unwrap()]).collect();
    assert!(pictures.len() >= 12, "only {} pictures", pictures.len());
    for picture in pictures {
        let picture = image::load_from_memory(&STANDARD.decode(picture).unwrap()).unwrap().to_rgb8();
        let colours: HashSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(picture.width() >= 48 && colours.len() > 20, "{} colours", colours.len());
    }
}

#[test]
fn a_training_of_either_encoder_is_shown_without_a_service_and_by_it() {
    // In twenty steps the convolutional encoder learns less than it could do before.
    let refused = (Some(1), "refused");
    for (settings, (code, decision)) in
        [("", (Some(0), "passed")), ("encoder = \"convolutional\"\ntrain_steps = 20", refused)]
    {
        let mut workplace = Workplace::with_settings(&format!("min_train = 9\n{settings}"));
        workplace.stock(10);
        put(workplace.inventory("<script>&\"'.jpg"), &jpeg(Food::Egg, 3));
        let folder = workplace.root().join("report");
        let output = workplace.run(&["train", "--report", folder.to_str().unwrap()]);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), code, "{told}");
        let page = folder.join("report.html");
        assert!(told.ends_with(&format!("\n{}\n", page.display())), "{told}");
        assert_shown(&page);
        assert_seen(&workplace, &page);

        workplace.start();
        let again = workplace.root().join("again");
        let output = workplace.run(&["train", "--json", "--report", again.to_str().unwrap()]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let page = again.join("report.html");
        let expected = serde_json::json!([page.to_str().unwrap()]);
        assert_eq!((&told["decision"], &told["report"]), (&decision.into(), &expected), "{told}");
        assert_shown(&page);
    }
}

/// Where there is a browser: that pictures and charts are seen in it, also on a phone.
fn assert_seen(workplace: &Workplace, page: &Path) {
    let Some(chromium) = chromium() else { return };
    let picture = workplace.root().join("page.png");
    for size in ["1280,3000", "390,4000"] {
        shown(chromium, &format!("file://{}", page.display()), Some((&picture, size)));
        let pixels = image::open(&picture).unwrap().to_rgb8();
        let colours: HashSet<_> = pixels.pixels().map(|pixel| pixel.0).collect();
        assert!(colours.len() > 1_000, "{} colours at {size}", colours.len());
    }
}

#[test]
fn a_refused_training_is_shown_and_no_watched_folder_takes_a_page_of_ours() {
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
    let page = folder.join("report.html");
    let reason = "The reason: its training pictures are nearly all alike";
    assert!(sections(&page).iter().all(|section| section.contains(reason)));
    assert!(fs::read_to_string(&page).unwrap().contains("<header class=\"refused\">"));
}
