//! `answer/index.html` as a browser shows it: Chromium without a screen, on a page that the daemon wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use artificio_demo::Food;

use super::browser::Browser;
use super::pictures::jpeg;
use super::skipping::skip;
use super::workplace::{Workplace, put};

/// Chromium, where there is one. Without it the test is skipped; `.ci/run` installs it.
pub fn chromium() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    if found.is_none() {
        skip("there is no chromium");
    }
    found
}

/// The page at `url` after its scripts ran, as HTML; and as a `screenshot` of the given size.
pub fn shown(chromium: &str, url: &str, screenshot: Option<(&Path, &str)>) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new(chromium);
    command.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--virtual-time-budget=5000",
    ]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    match screenshot {
        Some((path, size)) => {
            command.arg(format!("--screenshot={}", path.display())).arg(format!("--window-size={size}"))
        }
        None => command.arg("--dump-dom"),
    };
    let output = command.arg(url).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A store with three answers (one of them an error), and its page.
fn answered() -> (Workplace, PathBuf) {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    put(workplace.inventory("odd & ends/50 % #1?.jpg"), &jpeg(Food::Egg, 3));
    workplace.start();
    workplace.wait_indexed(7);
    put(workplace.query("breakfast.jpg"), &jpeg(Food::Egg, 4));
    workplace.wait_record("breakfast");
    put(workplace.query("<b>bold<img src=x>.jpg"), b"no picture");
    put(workplace.query("dinner.jpg"), &jpeg(Food::Sushi, 2_000));
    workplace.wait_record("dinner");
    workplace.wait_record("<b>bold<img src=x>");
    let page = workplace.root().join("answer/index.html");
    workplace.wait("all three on the page", || {
        let text = fs::read_to_string(&page).ok()?;
        ["breakfast.jpg", "dinner.jpg", "bold"].iter().all(|name| text.contains(name)).then_some(())
    });
    workplace.stop();
    (workplace, page)
}

#[test]
fn a_removed_answer_leaves_the_page() {
    let mut workplace = Workplace::new();
    workplace.stock(2);
    workplace.start();
    workplace.wait_indexed(6);
    for (name, seed) in [("breakfast", 1), ("lunch", 2)] {
        put(workplace.query(format!("{name}.jpg")), &jpeg(Food::Egg, seed));
        workplace.wait_record(name);
        workplace.wait_gallery(&format!("{name}.jpg"));
    }
    let strip = |name: &str| workplace.root().join(format!("answer/.thumbnails/result_{name}.jpg"));
    assert!((2_000..60_000).contains(&fs::metadata(strip("breakfast")).unwrap().len()));
    fs::remove_file(workplace.record_path("breakfast")).unwrap();
    fs::remove_file(workplace.sheet_path("breakfast")).unwrap();
    let page = workplace.root().join("answer/index.html");
    workplace.wait("the answer is gone from the page", || {
        let text = fs::read_to_string(&page).ok()?;
        (!text.contains("breakfast.jpg") && text.contains("lunch.jpg")).then_some(())
    });
    assert!(!strip("breakfast").exists() && strip("lunch").is_file(), "its small pictures go with it");
    fs::remove_file(&page).unwrap();
    workplace.wait_gallery("lunch.jpg");
}

/// The values of an attribute, in the order of the page.
fn attributes<'a>(html: &'a str, start: &str) -> Vec<&'a str> {
    html.split(start).skip(1).map(|rest| &rest[..rest.find('"').unwrap()]).collect()
}

fn decoded(link: &str) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = link.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
        }
    }
    PathBuf::from(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_browser_shows_every_answer_with_its_sheet_and_its_matches() {
    let Some(chromium) = chromium() else { return };
    let (workplace, page) = answered();
    let url = format!("file://{}", page.display());
    let html = shown(chromium, &url, None);
    let list = &html[html.find("id=\"answers\"").unwrap()..html.find("id=\"data\"").unwrap()];
    assert_eq!(list.matches("<article").count(), 3, "{list}");
    assert!(list.contains("&lt;b&gt;bold&lt;img src=x&gt;.jpg") && !list.contains("<b>"), "names are text: {list}");
    assert!(html.contains(">3 answers<"));
    // Every link leads to a file: three sheets with their records, and the matches of two answers.
    let links: Vec<&str> = attributes(list, "href=\"").into_iter().collect();
    assert_eq!(links.len(), 3 * 2 + 2 * 5, "{links:?}");
    for link in &links {
        let target = page.parent().unwrap().join(decoded(link));
        assert!(target.is_file(), "{link}: {}", target.display());
    }
    assert!(links.iter().any(|link| link.ends_with("odd%20%26%20ends/50%20%25%20%231%3F.jpg")), "{links:?}");

    let picture = workplace.root().join("page.png");
    for size in ["1400,1000", "400,1400"] {
        shown(chromium, &url, Some((&picture, size)));
        let pixels = image::open(&picture).unwrap().to_rgb8();
        let colours: std::collections::HashSet<_> = pixels.pixels().map(|pixel| pixel.0).collect();
        assert!(colours.len() > 1_000, "the sheets are shown at {size}, not {} colours", colours.len());
    }
}

#[test]
fn the_search_box_finds_by_file_name_and_the_keyboard_does_all() {
    let Some(chromium) = chromium() else { return };
    let (_workplace, page) = answered();
    let html = shown(chromium, &format!("file://{}#dinner", page.display()), None);
    let list = &html[html.find("id=\"answers\"").unwrap()..html.find("id=\"data\"").unwrap()];
    assert!(html.contains(">1 of 3 answers<") && list.matches("<article").count() == 1, "{list}");

    // A copy of the page that presses keys and says on itself what came of it.
    let probe = r#"<script>
const press = key => (document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const type = text => { search.value = text; search.dispatchEvent(new Event("input")); };
const seen = [];
const cards = () => document.querySelectorAll("article").length;
press("ArrowRight"); seen.push(document.activeElement.getAttribute("href"));
press("ArrowRight"); seen.push(document.activeElement.classList[0]);
press("/"); seen.push(document.activeElement.id);
type("EGGS that are not there"); seen.push(cards(), empty.hidden);
type("50 % #1"); seen.push(cards() > 0);
press("Escape"); seen.push(cards());
document.body.dataset.seen = JSON.stringify(seen);
</script></body>"#;
    let probed = page.with_file_name("probe.html");
    fs::write(&probed, fs::read_to_string(&page).unwrap().replace("</body>", probe)).unwrap();
    let html = shown(chromium, &format!("file://{}", probed.display()), None);
    let seen = attributes(&html, "data-seen=\"")[0].replace("&quot;", "\"");
    let expected = r#","sheet","search",0,false,true,3]"#;
    assert!(seen.starts_with("[\"result_") && seen.ends_with(expected), "{seen}");
}

#[test]
fn a_card_shows_the_query_beside_its_matches_and_a_click_the_sheet() {
    let Some(chromium) = chromium() else { return };
    let (workplace, page) = answered();
    let url = format!("file://{}", page.display());
    let mut browser = Browser::open(chromium, &url, (1_400, 1_000));
    let loaded = "[...document.querySelectorAll('#answers img')].every(image => image.complete && image.naturalWidth)";
    browser.wait(loaded);
    let shown = browser
        .value("[...document.querySelectorAll('#answers a')].filter(link => link.classList.contains('strip')).length");
    assert_eq!(shown, 2, "the one that failed has nothing to show but its sheet");
    assert_eq!(browser.value("document.querySelectorAll('.for5 img').length"), 12, "a query and five matches each");
    assert_eq!(browser.value("new Set([...document.querySelectorAll('.for5 img')].map(image => image.src)).size"), 2);
    assert_eq!(browser.accessibility_faults(), [""; 0]);

    browser.value("list.querySelector('a.strip').click()");
    browser.wait("viewer.open && large.complete && large.naturalWidth === 1600");
    let first = browser.value("byId('named').textContent");
    assert_eq!(browser.accessibility_faults(), [""; 0], "with the sheet open");
    browser.press("ArrowRight", 39);
    assert_ne!(browser.value("byId('named').textContent"), first);
    browser.wait("large.complete && large.naturalWidth === 1600");
    browser.press("Escape", 27);
    browser.wait("!viewer.open && document.activeElement.classList.contains('sheet')");

    // Deleted while the page was open: the small pictures first, then all.
    fs::remove_dir_all(workplace.root().join("answer/.thumbnails")).unwrap();
    browser.reload();
    browser.wait("window.viewer && !viewer.open && !document.querySelector('.strip')");
    browser.wait(loaded);
    for sheet in fs::read_dir(page.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()) {
        if sheet.extension().is_some_and(|end| end == "png") {
            fs::remove_file(sheet).unwrap();
        }
    }
    browser.reload();
    browser.wait("document.querySelectorAll('.gone').length === 3");
}

#[test]
fn ten_thousand_answers_are_one_page_that_opens() {
    let Some(chromium) = chromium() else { return };
    let mut workplace = Workplace::new();
    workplace.stock(2);
    let matches: Vec<_> =
        (0..5).map(|at| serde_json::json!({"path": format!("burger_{at}.jpg"), "closer_than": 0.99})).collect();
    for number in 0..10_000 {
        let record = serde_json::json!({
            "status": "ok", "message": "The 5 most similar.", "answered_s": number, "matches": matches,
            "query": {"name": format!("picture {number}.jpg"), "files": [{}]},
        });
        put(workplace.root().join(format!("answer/result_picture {number}.json")), record.to_string().as_bytes());
    }
    workplace.start();
    workplace.wait_indexed(6);
    put(workplace.query("lunch.jpg"), &jpeg(Food::Sushi, 2_000));
    workplace.wait_record("lunch");
    // At the start the page is written at once; later, the longer the first one took, the later.
    workplace.stop();
    workplace.start();
    workplace.wait_gallery("lunch.jpg");
    workplace.stop();
    let page = workplace.root().join("answer/index.html");
    let html = shown(chromium, &format!("file://{}", page.display()), None);
    assert!(html.contains(">10,001 answers<"), "{}", html.len());
    let list = &html[html.find("id=\"answers\"").unwrap()..html.find("id=\"data\"").unwrap()];
    let names: Vec<&str> = list.split("<h2>").skip(1).map(|rest| &rest[..rest.find('<').unwrap()]).collect();
    assert_eq!(names[..2], ["lunch.jpg", "picture 9999.jpg"], "the newest first");
    assert!(names.len() < 500, "a page of {} cards at once is slow", names.len());
}
