//! The inventory as a whole: the map, and duplicates.

use artificio_demo::Food;

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

#[test]
fn a_map_shows_every_picture_while_the_service_runs() {
    let mut workplace = Workplace::new();
    workplace.stock(4);
    put(workplace.inventory("more/</script>.jpg"), &jpeg(Food::Egg, 1));
    workplace.start();
    workplace.wait_indexed(13);
    let [picture, page] = ["map.jpg", "map.html"].map(|name| workplace.root().join(name));
    let output = workplace.run(&["map", "--json", picture.to_str().unwrap(), page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["shown"], &report["pictures"]), (&13.into(), &13.into()), "{report:#}");
    let map = image::open(&picture).unwrap();
    assert!(map.width() > 600 && map.height() > 300, "{}×{}", map.width(), map.height());
    let text = std::fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("\"jpeg\":").count(), 13);
    assert_eq!(text.matches("</script>").count(), 1, "a file's name does not end the page's program");
    workplace.assert_alive(0);
}

#[test]
fn a_map_of_nothing_and_one_in_a_watched_folder_are_refused() {
    let workplace = Workplace::new();
    let output = workplace.run(&["map"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("catalog.sqlite") && text.contains("artificio run"), "{text}");
    let inside = workplace.query("map.jpg");
    assert_eq!(workplace.run(&["map", inside.to_str().unwrap()]).status.code(), Some(2));
    assert!(!inside.exists());
    assert_eq!(workplace.run(&["map", "--limit", "0"]).status.code(), Some(2));
}

#[test]
fn copies_are_found_and_pictures_of_one_kind_are_not_copies() {
    let mut workplace = Workplace::new();
    workplace.stock(3);
    let original = jpeg(Food::Pizza, 0);
    put(workplace.inventory("copies/same.jpg"), &original);
    let picture = image::load_from_memory(&original).unwrap();
    picture.fliph().thumbnail(300, 300).save(workplace.inventory("mirrored.png")).unwrap();
    let (width, height) = (picture.width(), picture.height());
    let part = picture.crop_imm(width / 8, height / 5, width * 7 / 10, height * 7 / 10).grayscale();
    part.save(workplace.inventory("part.png")).unwrap();
    workplace.start();
    workplace.wait_indexed(12);
    let sheet = workplace.root().join("groups.jpg");
    let output = workplace.run(&["duplicates", "--json", "--sheet", sheet.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let wanted = serde_json::json!(["copies/same.jpg", "mirrored.png", "part.png", "pizza_0.jpg"]);
    let groups = report["groups"].as_array().unwrap();
    assert!(groups.len() == 1 && groups[0]["paths"] == wanted, "{report:#}");
    // Which of the whole ones the others are compared with is a matter of a thousandth.
    let hub = wanted.as_array().unwrap().iter().position(|path| *path == groups[0]["compared_with"]).unwrap();
    let relations = |at: usize| serde_json::to_string(&groups[0]["members"][at]["relations"]).unwrap();
    assert_ne!(hub, 2, "a part cannot have all others in it: {report:#}");
    assert_eq!(relations(hub), "[]", "{report:#}");
    assert!(relations(2).contains("part"), "{report:#}");
    let is_mirrored = |at: usize| relations(at).contains("mirrored");
    assert_eq!([0, 1, 2, 3].map(is_mirrored), [0, 1, 2, 3].map(|at| (at == 1) != (hub == 1)), "{report:#}");
    assert!(hub == 1 || relations(3 - hub).contains("identical"), "{report:#}");
    assert!(image::open(&sheet).unwrap().width() > 500);
    let strict = workplace.run(&["duplicates", "--json", "--alike", "0.9999"]);
    let report: serde_json::Value = serde_json::from_slice(&strict.stdout).unwrap();
    assert_eq!(report["groups"][0]["paths"], serde_json::json!(["copies/same.jpg", "pizza_0.jpg"]), "{report:#}");
    assert_eq!(report["groups"][0]["is_one_content"], true);
    assert_eq!(workplace.run(&["duplicates", "--alike", "2"]).status.code(), Some(2));
    let [page, script] = ["copies.html", "copies.sh"].map(|name| workplace.root().join(name));
    let ruled_out = workplace.run(&["duplicates", "--not-same", "part.png", "pizza_0.jpg", "mirrored.png"]);
    assert_eq!(ruled_out.status.code(), Some(0), "{ruled_out:?}");
    let files = [page.to_str().unwrap(), script.to_str().unwrap()];
    let output = workplace.run(&["duplicates", "--json", "--across-folders", "--html", files[0], "--script", files[1]]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["groups"][0]["paths"], serde_json::json!(["copies/same.jpg", "pizza_0.jpg"]), "{report:#}");
    let keep = [0, 1].map(|at| report["groups"][0]["members"][at]["keep"].as_bool().unwrap());
    assert_eq!(keep, [true, false], "of one size the first: {report:#}");
    assert_eq!(std::fs::read_to_string(&page).unwrap().matches("<img src=\"data:image/jpeg").count(), 2);
    let away = workplace.root().join("away");
    let moved = std::process::Command::new("sh").args([&script, &away]).output().unwrap();
    assert!(moved.status.success(), "{moved:?}");
    assert!(away.join("pizza_0.jpg").exists() && !workplace.inventory("pizza_0.jpg").exists(), "{moved:?}");
    assert!(workplace.inventory("copies/same.jpg").exists());
}
