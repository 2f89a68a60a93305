//! What `artificio duplicates` found, as one page that needs no other file: all groups, certain ones first, with small pictures.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::report::{DuplicatesReport, GroupPart, MemberPart};
use super::summary::{how, size_words};
use crate::answer::sheet::thousands;
use crate::base::html::{Page, base64, escaped, percent_encoded};
use crate::cli::progress_bar::CancellableProgress;
use crate::config::Config;
use crate::error::Fatal;
use crate::files::write_whole;
use crate::overview::{Thumbnail, on_white, thumbnails, to_jpeg};
use crate::picture::Bounds;

/// Longer side of a picture on the page.
const SIDE_PX: u32 = 200;
/// Pictures shown, at 6 to 10 kB each; of more only the names are.
const MOST_SHOWN: usize = 4_000;

const STYLE: &str = include_str!("page.css");

/// Writes the groups into the file `target`.
pub fn write(
    target: &Path,
    report: &DuplicatesReport,
    config: &Config,
    bar: &CancellableProgress,
) -> Result<(), Fatal> {
    let files = report.groups.iter().flat_map(|group| group.members.iter().map(|member| &member.file));
    let shown: Vec<PathBuf> = files.take(MOST_SHOWN).cloned().collect();
    let bounds = Bounds::from(&config.limits);
    let made = thumbnails(&config.folders.inventory, &shown, SIDE_PX, &bounds, bar).ok_or_else(|| bar.stopped())?;
    let pictures: HashMap<&Path, &Thumbnail> = shown.iter().map(PathBuf::as_path).zip(&made).collect();
    let html = page(report, &config.folders.inventory, &|file| pictures.get(file).copied());
    Ok(write_whole(target, html.as_bytes(), "write the page")?)
}

/// The page. `picture` gives the small picture of a file, if it is shown.
fn page<'a>(report: &DuplicatesReport, inventory: &Path, picture: &dyn Fn(&Path) -> Option<&'a Thumbnail>) -> String {
    let mut body = String::new();
    let title = format!("Duplicates among {} pictures", thousands(report.pictures));
    // A string can take any text; here and below.
    let _ = writeln!(body, "<header><h1>{title}</h1>");
    let copies = |is_certain: bool| {
        let groups = report.groups.iter().filter(move |group| group.is_certain == is_certain);
        groups.fold((0, 0), |(count, others), group| {
            (count + 1, others + group.members.iter().filter(|member| !member.keep).count())
        })
    };
    for (is_certain, id, name, remark) in SECTIONS {
        let (groups, others) = copies(is_certain);
        if groups > 0 {
            let (groups, others) = (thousands(groups), thousands(others));
            let _ = writeln!(
                body,
                "<p><a href=\"#{id}\">{name}</a>: {groups} groups, {others} files beside those to keep. {remark}</p>"
            );
        }
    }
    if report.groups.is_empty() {
        body += "<p>None were found.</p>\n";
    }
    body += "</header>\n<main>\n";
    for (is_certain, id, name, _) in SECTIONS {
        let groups: Vec<&GroupPart> = report.groups.iter().filter(|group| group.is_certain == is_certain).collect();
        if groups.is_empty() {
            continue;
        }
        let _ = writeln!(body, "<h2 id=\"{id}\">{name}</h2>");
        for group in groups {
            let _ = writeln!(body, "<section><h3>{}</h3>\n<ul>", escaped(&how(group)));
            group.members.iter().for_each(|member| body += &figure(member, group, inventory, picture(&member.file)));
            body += "</ul></section>\n";
        }
    }
    body += "</main>\n";
    Page { title: &title, image_sources: "data:", has_scripts: false, style: STYLE, body: &body }.to_html()
}

const SECTIONS: [(bool, &str, &str, &str); 2] = [
    (true, "certain", "Certain", "They agree in detail."),
    (false, "possible", "Possible", "They look the same when they are small: look before you remove one."),
];

/// A file of a group: its picture, its name and what is known of it.
fn figure(member: &MemberPart, group: &GroupPart, inventory: &Path, picture: Option<&Thumbnail>) -> String {
    let link = percent_encoded(&inventory.join(&member.file));
    let image = match picture {
        Some(Ok(picture)) => to_jpeg(&on_white(picture)).map_or_else(
            |_| "<span>cannot be shown</span>".to_string(),
            |jpeg| {
                let (width, height) = picture.dimensions();
                let data = base64(&jpeg);
                format!("<img src=\"data:image/jpeg;base64,{data}\" width=\"{width}\" height=\"{height}\" alt=\"\">")
            },
        ),
        Some(Err(_)) => "<span>cannot be read</span>".to_string(),
        None => "<span>not shown</span>".to_string(),
    };
    let mut words: Vec<&str> = member.relations.iter().map(|relation| relation.words()).collect();
    if !member.is_certain && group.members.iter().any(|member| member.is_certain) {
        words.push("possible");
    }
    let (class, badge) = if member.keep { (" class=\"keep\"", "<b>keep</b> ") } else { ("", "") };
    let folder = member.file.parent().map(|folder| format!("{}/", folder.to_string_lossy())).filter(|name| name != "/");
    let name = member.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!(
        "<li{class}><a href=\"file://{link}\">{image}</a>\n<p>{badge}<span class=\"folder\">{}</span>{}</p>\n<p class=\"soft\">{}</p>\n<p class=\"soft\">{}</p></li>\n",
        escaped(&folder.unwrap_or_default()),
        escaped(&name),
        escaped(&size_words(member)),
        escaped(&words.join(", ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_groups_come_first_and_no_name_is_more_than_text() {
        let member = |file: &str, keep| MemberPart { keep, ..MemberPart::of(file.into()) };
        let possible = vec![member("a.jpg", true), MemberPart { is_certain: false, ..member("b.jpg", false) }];
        let certain = vec![member("x/<script>alert(1)</script>.jpg", true), member("x/\"#?.jpg", false)];
        let groups = [(false, possible), (true, certain)];
        let groups = groups.map(|(is_certain, members)| GroupPart { is_certain, ..GroupPart::of(members) }).to_vec();
        let report = DuplicatesReport { least_similarity: 0.92, pictures: 1_234, waiting: 0, groups };
        let small: Thumbnail = Ok(image::RgbaImage::new(4, 3));
        let html = page(&report, Path::new("/photos"), &|file| (file != Path::new("b.jpg")).then_some(&small));
        let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("{text}: {html}"));
        assert!(
            at("<h2 id=\"certain\"") < at("&lt;script&gt;alert(1)") && at("&lt;script&gt;") < at("<h2 id=\"possible\"")
        );
        assert!(!html.contains("<script") && html.contains("default-src 'none'; img-src data:;"));
        at("href=\"file:///photos/x/%22%23%3F.jpg\"");
        at("Duplicates among 1,234 pictures");
        assert_eq!((html.matches("<img src=\"data:").count(), html.matches("not shown").count()), (3, 1));
        assert_eq!(html.matches("<b>keep</b>").count(), 2);
        let none = DuplicatesReport { least_similarity: 0.92, pictures: 3, waiting: 0, groups: Vec::new() };
        assert!(page(&none, Path::new("/photos"), &|_| None).contains("None were found."));
    }
}
