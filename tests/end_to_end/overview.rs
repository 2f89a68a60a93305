//! The inventory as a whole: the map.

use artificio::demo::Kind;

use super::pictures::jpeg;
use super::workplace::{Workplace, put};

#[test]
fn a_map_shows_every_picture_while_the_service_runs() {
    let mut workplace = Workplace::new();
    workplace.stock(4);
    put(workplace.inventory("more/</script>.jpg"), &jpeg(Kind::Egg, 1));
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
