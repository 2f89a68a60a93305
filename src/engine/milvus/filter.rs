//! Expressions that say which rows are meant, as Milvus reads them.

use std::path::Path;

use super::columns::{KEY, NODE, PATH, TAKEN, path_text};
use crate::config::SearchScope;
use crate::engine::{KeyPrefix, PictureKey};

/// A text that is quoted; what would end it is encoded in every text that comes here.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace(['\\', '"'], ""))
}

/// The rows with these keys.
pub fn of_keys(keys: &[PictureKey]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| quoted(&key.to_string())).collect();
    format!("{KEY} in [{}]", keys.join(","))
}

/// The rows whose keys begin so.
pub fn of_prefix(prefix: KeyPrefix) -> String {
    // `g` follows all hexadecimal digits.
    let text = prefix.text();
    format!("{KEY} >= {} and {KEY} < {}", quoted(&text), quoted(&format!("{text}g")))
}

/// The rows of a node.
pub fn of_node(node: &str) -> String {
    format!("{NODE} == {}", quoted(node))
}

/// What a query of `asker` may find: pictures of other nodes in `scope`.
pub fn in_scope(asker: &str, scope: &SearchScope) -> String {
    let mut all = vec![format!("{NODE} != {}", quoted(asker))];
    let within: Vec<String> = scope.within.iter().map(below).collect();
    if !within.is_empty() {
        all.push(format!("({})", within.join(" or ")));
    }
    all.extend(scope.not_within.iter().map(|folder| format!("not ({})", below(folder))));
    if !scope.taken.is_everything() {
        // Without a date it is the least of all numbers.
        let after = scope.taken.after.map_or(i64::MIN + 1, |bound| bound.time().seconds());
        all.push(format!("{TAKEN} >= {after}"));
        all.extend(scope.taken.before.map(|bound| format!("{TAKEN} < {}", bound.time().seconds())));
    }
    all.join(" and ")
}

/// `0` is the letter after `/`.
fn below(folder: &Path) -> String {
    let folder = path_text(folder);
    format!("({PATH} >= {} and {PATH} < {})", quoted(&format!("{folder}/")), quoted(&format!("{folder}0")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::InventoryFolders;

    #[test]
    fn expressions_say_what_is_meant() {
        let within = InventoryFolders::of(["shirts\"".into(), "shoes/été".into()]).unwrap();
        let scope = SearchScope {
            within,
            not_within: InventoryFolders::of(["shirts/old".into()]).unwrap(),
            ..SearchScope::default()
        };
        assert_eq!(
            in_scope("a", &scope),
            "node != \"a\" and ((path >= \"shirts%22/\" and path < \"shirts%220\") or (path >= \"shoes/%C3%A9t%C3%A9/\" and \
             path < \"shoes/%C3%A9t%C3%A90\")) and not ((path >= \"shirts/old/\" and path < \"shirts/old0\"))"
        );
        assert_eq!(in_scope("a", &SearchScope::default()), "node != \"a\"");
        let mut june = SearchScope::default();
        june.taken.before = Some("1970-01-01T00:01".parse().unwrap());
        assert_eq!(in_scope("a", &june), "node != \"a\" and taken >= -9223372036854775807 and taken < 60");
        let second = KeyPrefix::slices(100, 10).nth(11).unwrap();
        assert_eq!(of_prefix(second), "key >= \"b\" and key < \"bg\"");
    }
}
