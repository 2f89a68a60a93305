//! Tests that render whole sheets for every kind of content.

use image::{Rgb, Rgba, RgbaImage};

use super::*;

const RED: Rgba<u8> = Rgba([200, 30, 40, 255]);

fn footer() -> Footer {
    Footer {
        model: "lite0-pca128".into(),
        folders: String::new(),
        how: String::new(),
        inventory: 36,
        scope: String::new(),
        date: "14 March 2025".into(),
    }
}

fn content(matches: usize, queries: usize) -> SheetContent {
    let picture = |index: usize| RgbaImage::from_pixel(40 + index as u32 * 7 % 90, 60, RED);
    let matches = (0..matches).map(|index| Match {
        rank: index + 1,
        name: format!("folder/picture-{index}.jpg"),
        // Records of an earlier version have none.
        grade: (index % 5 < 4).then(|| Grade::ALL[index % 5]),
        closer_than: 1.0 - index as f32 * 0.013,
        similarity: 0.9,
        mark: if index % 3 == 0 { vec!["same picture · 2 copies".into(), "=".into()] } else { Vec::new() },
        picture: Some(picture(index)),
    });
    let queries =
        (0..queries).map(|index| QueryPicture { name: format!("{index}.jpg"), picture: Some(picture(index)) });
    SheetContent {
        title: "burger.jpg".into(),
        queries: queries.collect(),
        further_queries: 0,
        examples: Vec::new(),
        matches: matches.collect(),
        notice: None,
        footer: footer(),
    }
}

fn small() -> SheetStyle {
    SheetStyle { width_px: 640, ..SheetStyle::default() }
}

/// Number of pixels within `tolerance` of `colour` in every channel.
fn count(sheet: &RgbImage, colour: [u8; 3], tolerance: u8) -> usize {
    let near = |pixel: &&Rgb<u8>| pixel.0.iter().zip(colour).all(|(one, other)| one.abs_diff(other) <= tolerance);
    sheet.pixels().filter(near).count()
}

#[test]
fn every_number_of_matches_renders() {
    for theme in [Theme::Light, Theme::Dark] {
        for matches in 0..=50 {
            let sheet = render(&content(matches, 1), &SheetStyle { theme, ..small() });
            assert_eq!(sheet.width(), 640);
            // The query and every match show their red.
            assert!(count(&sheet, [200, 30, 40], 3) > 200 * (matches + 1), "{matches}");
        }
    }
}

#[test]
fn every_number_of_queries_renders_and_more_than_the_limits_are_left_out() {
    for queries in 0..=31 {
        let sheet = render(&content(3, queries), &small());
        assert!(count(&sheet, [200, 30, 40], 3) > 1000, "{queries}");
    }
    let _ = render(&content(80, 80), &small());
}

#[test]
fn query_pictures_that_are_not_shown_are_counted() {
    let few = content(3, 30);
    let many = SheetContent { further_queries: 9_970, ..few.clone() };
    let [few, many] = [few, many].map(|content| render(&content, &SheetStyle::default()));
    assert_eq!(few.dimensions(), many.dimensions());
    let badge = palette(Theme::Light).badge;
    assert!(count(&many, badge, 0) > count(&few, badge, 0) + 500, "a label on the last of them");
}

#[test]
fn examples_are_shown_small() {
    let plain = content(3, 1);
    let mut with_examples = plain.clone();
    let pictures = vec![Some(RgbaImage::from_pixel(90, 60, Rgba([20, 160, 40, 255]))); 3];
    with_examples.examples = vec![
        Examples { label: "More like this", pictures: Vec::new(), further: 0 },
        Examples { label: "Not like this", pictures, further: 40 },
    ];
    for matches in [0, 3, 20] {
        with_examples.matches = content(matches, 1).matches;
        let sheet = render(&with_examples, &small());
        // 72 design units wide at twelve thirteenths of the size, two thirds as high.
        let green = count(&sheet, [20, 160, 40], 3);
        assert!((3 * 2_500..3 * 3_000).contains(&green), "{matches}: {green}");
    }
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let mut content = content(7, 3);
    content.matches[2].name = "汉字 🍔 שלום.jpg".into();
    let first = render(&content, &SheetStyle::default());
    assert_eq!(first, render(&content, &SheetStyle::default()));
    let latin = render(&self::content(5, 1), &small());
    let _ = crate::answer::text::line(
        "\u{4e00}",
        crate::answer::text::Setting { size_px: 12.0, weight: crate::answer::text::Weight::Regular },
    );
    assert_eq!(latin, render(&self::content(5, 1), &small()), "the system's fonts must not change a Latin sheet");
}

#[test]
fn a_notice_alone_is_text_on_an_otherwise_empty_page() {
    let mut content = content(0, 0);
    let headline =
        |kind| Notice { kind, headline: "This picture could not be read".into(), detail: "It is cut off.".into() };
    for kind in [NoticeKind::Error, NoticeKind::NothingSimilar, NoticeKind::Partial] {
        content.notice = Some(headline(kind));
        let sheet = render(&content, &SheetStyle::default());
        assert!(count(&sheet, palette(Theme::Light).ink, 12) > 2_000);
        let page = count(&sheet, palette(Theme::Light).page, 0);
        assert!(page as f32 > 0.9 * (sheet.width() * sheet.height()) as f32);
    }
    content.notice = None;
    let without_notice = render(&content, &SheetStyle::default());
    assert!(count(&without_notice, palette(Theme::Light).ink, 12) > 400, "a sheet is never empty");
}

#[test]
fn a_notice_above_matches_makes_the_sheet_taller() {
    let plain = content(5, 1);
    let mut with_notice = plain.clone();
    with_notice.notice = Some(Notice {
        kind: NoticeKind::Partial,
        headline: "2 pictures could not be read".into(),
        detail: "They are left out. ".repeat(40),
    });
    let (plain, noticed) = (render(&plain, &small()), render(&with_notice, &small()));
    assert!(noticed.height() > plain.height() + 30);
}

#[test]
fn hostile_names_and_figures_render() {
    let long = "ё".repeat(127);
    let names = [
        "",
        "\n",
        "a\0b\u{1b}[31m",
        "\u{202e}gpj.exe",
        "🍔👩‍👩‍👧‍👦",
        "مرحبا بالعالم",
        "\u{fffd}\u{fffd}",
        &long,
        "/",
        "\u{301}",
    ];
    let mut content = content(names.len(), 2);
    for (found, name) in content.matches.iter_mut().zip(names) {
        found.name = name.to_string();
    }
    let figures = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 2.0, 0.0, 1.0];
    for (found, figure) in content.matches.iter_mut().zip(figures) {
        (found.closer_than, found.similarity, found.rank) = (figure, figure, usize::MAX);
    }
    content.title = "w".repeat(255);
    content.footer.model = "m".repeat(4000);
    content.footer.inventory = usize::MAX;
    let _ = render(&content, &SheetStyle::default());
    let _ = render(&content, &SheetStyle { width_px: 0, columns: Some(0), theme: Theme::Dark });
}

#[test]
fn pictures_of_any_shape_render() {
    let mut content = content(7, 1);
    let shapes = [(1, 1), (2000, 200), (3, 1500), (0, 0), (30_000, 1), (64, 64), (16, 16)];
    for (found, (width, height)) in content.matches.iter_mut().zip(shapes) {
        found.picture = Some(RgbaImage::from_pixel(width, height, RED));
    }
    content.queries[0].picture = None;
    let _ = render(&content, &SheetStyle::default());
}

#[test]
fn a_transparent_picture_has_a_checkerboard_behind_it() {
    let mut content = content(1, 1);
    content.matches[0].picture = Some(RgbaImage::from_pixel(300, 300, Rgba([0, 0, 0, 0])));
    let sheet = render(&content, &SheetStyle::default());
    for square in palette(Theme::Light).checker {
        assert!(count(&sheet, square, 0) > 10_000);
    }
}

#[test]
fn the_largest_picture_side_is_within_bounds_and_scales_with_the_sheet() {
    let (small, large) = (SheetStyle { width_px: 800, ..SheetStyle::default() }, SheetStyle::default());
    for matches in 1..=50 {
        let side = match_side_px(matches, &large);
        assert!((100..=1_050).contains(&side), "{matches}: {side}");
    }
    for queries in 1..=40 {
        let side = query_side_px(queries, &large);
        assert!((100..=1_050).contains(&side), "{queries}: {side}");
    }
    assert!(match_side_px(5, &small) < match_side_px(5, &large));
    assert!(query_side_px(5, &small) < query_side_px(5, &large));
}
