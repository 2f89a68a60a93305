//! The page and the gallery in Chromium, as somebody uses them: with a file dropped, by keyboard, on a phone.

use artificio_demo::Food;

use super::browser::Browser;
use super::gallery::chromium;
use super::page::Page;
use super::pictures::jpeg;
use super::workplace::{Workplace, put};

const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// Nothing is wider than the window.
fn fits(browser: &mut Browser) -> bool {
    browser.value("document.documentElement.scrollWidth <= innerWidth") == true
}

#[test]
fn a_picture_dropped_on_the_page_shows_its_matches() {
    let Some(chromium) = chromium() else { return };
    let mut workplace = Workplace::new();
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    let page = Page::on(&workplace, &[]);
    let mut browser = Browser::open(chromium, &format!("http://{}/", page.address), DESK);
    assert_eq!(browser.accessibility_faults(), [""; 0], "before anything is asked");
    browser.drop_file("dinner.jpg", &jpeg(Food::Burger, 3_000));
    browser.wait("document.querySelectorAll('#matches > li').length === 5");
    browser.wait(
        "[...document.querySelectorAll('#matches img')].every(image => image.complete && image.naturalWidth > 0)",
    );
    assert_eq!(browser.value("document.getElementById('answer-title').textContent"), "dinner.jpg");
    // Each says why it is there, and nothing twice.
    browser.value("document.querySelector('#matches .why summary').click()");
    assert_eq!(browser.value("document.querySelector('#matches .why p').textContent.length > 10"), true);
    assert_eq!(browser.accessibility_faults(), [""; 0]);

    // In large, and on with the arrow keys.
    browser.value("document.querySelector('#matches .look').click()");
    browser.wait("document.getElementById('large').open && document.getElementById('large-picture').naturalWidth > 0");
    let title = "document.getElementById('large-title').textContent";
    let first = browser.value(title);
    browser.press("ArrowRight", 39);
    assert_ne!(browser.value(title), first);
    assert_eq!(browser.accessibility_faults(), [""; 0], "in large");
    browser.press("Escape", 27);
    browser.wait("!document.getElementById('large').open");

    browser.resize(PHONE);
    assert!(fits(&mut browser), "on a phone");
    assert_eq!(browser.accessibility_faults(), [""; 0], "on a phone");
    let picture = workplace.root().join("page.png");
    browser.screenshot(&picture);
    assert_eq!(image::image_dimensions(picture).unwrap(), PHONE);
}

#[test]
fn the_gallery_is_filtered_searched_and_knows_what_was_deleted() {
    let Some(chromium) = chromium() else { return };
    let mut workplace = Workplace::new();
    workplace.stock(3);
    workplace.start();
    workplace.wait_indexed(9);
    for (name, seed) in [("burger", 2_000), ("lunch", 3_000)] {
        put(workplace.query(format!("{name}.jpg")), &jpeg(Food::Burger, seed));
        workplace.wait_record(name);
    }
    put(workplace.query("broken.jpg"), b"no picture");
    workplace.wait_record("broken");
    for name in ["burger.jpg", "lunch.jpg", "broken.jpg"] {
        workplace.wait_gallery(name);
    }
    workplace.stop();
    // By hand, and nobody writes the page again.
    std::fs::remove_file(workplace.sheet_path("lunch")).unwrap();
    let url = format!("file://{}", workplace.root().join("answer/index.html").display());
    let mut browser = Browser::open(chromium, &url, DESK);
    browser.wait("document.querySelectorAll('article').length === 3");
    // Its small pictures are still there; whoever wants to see more reads that it was deleted.
    browser.value("[...document.querySelectorAll('article')].find(card => card.querySelector('h2').textContent === 'lunch.jpg').querySelector('a.sheet').click()");
    browser.wait("!document.querySelector('#missing').hidden");
    browser.value("document.querySelector('#close').click()");
    browser.wait("document.querySelector('article.gone h2')?.textContent === 'lunch.jpg'");
    let search = |browser: &mut Browser, text: &str| {
        browser.value(&format!("search.value = '{text}'; search.dispatchEvent(new Event('input'))"));
        browser.value("[...document.querySelectorAll('h2')].map(title => title.textContent).join(' ')")
    };
    assert_eq!(search(&mut browser, "error"), "broken.jpg");
    // The query of that name comes before an answer that merely shows burgers.
    assert_eq!(search(&mut browser, "burger"), "burger.jpg lunch.jpg");
    browser.value("search.value = ''");
    let choose = |browser: &mut Browser, id: &str, value: &str| {
        browser.value(&format!("byId('{id}').value = '{value}'; byId('{id}').dispatchEvent(new Event('change'))"));
        browser.value("document.querySelectorAll('article').length")
    };
    assert_eq!(choose(&mut browser, "status", "error"), 1);
    assert_eq!(choose(&mut browser, "status", ""), 3);
    assert_eq!(choose(&mut browser, "period", "1"), 3);
    assert_eq!(choose(&mut browser, "period", ""), 3);
    browser.value("document.querySelector('a.sheet').focus()");
    let focused = "document.activeElement.getAttribute('href')";
    let first = browser.value(focused);
    browser.press("ArrowRight", 39);
    assert_ne!(browser.value(focused), first);
    assert_eq!(browser.accessibility_faults(), [""; 0]);
    browser.resize(PHONE);
    assert!(fits(&mut browser), "on a phone");
}
