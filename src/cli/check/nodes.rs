//! What keeps this daemon from being one of many: the engine, the shared folder, and other nodes that do not fit.

use super::Findings;
use crate::clock;
use crate::config::Config;
use crate::error::Trouble;
use crate::nodes::Nodes;
use crate::nodes::roster::{self, NodeRecord};

/// Clocks that differ by more make it unclear who has said something last.
const MOST_AHEAD_S: i64 = 10;

pub fn look(config: &Config, found: &mut Findings) {
    let nodes = match Nodes::of(config) {
        Ok(None) => return,
        Ok(Some(nodes)) => nodes,
        Err(trouble) => return found.problems.push(trouble),
    };
    if let Err(error) = nodes.engine().version() {
        found.problems.push(error.trouble(&config.index.url));
    }
    match roster::read(&config.node.shared) {
        Err(trouble) => found.problems.push(trouble),
        Ok(others) => {
            // What this daemon said of itself when it ran last: the network may be one of the user's own.
            let own = others.get(&config.node.name).map(|own| own.features.clone());
            let others = others.values().filter(|node| node.name != config.node.name);
            others.for_each(|node| {
                let own_features = own.as_ref().unwrap_or(&node.features);
                judge(node, own_features, config.node.trains, clock::now_s(), found);
            });
        }
    }
}

fn judge(node: &NodeRecord, own_features: &str, trains: bool, now_s: i64, found: &mut Findings) {
    let about = format!("node {}", node.name);
    if node.written_s > now_s + MOST_AHEAD_S {
        let what = format!("its clock is {} s ahead of this one's", node.written_s - now_s);
        found.problems.push(Trouble::new(what, &about, "let both set their clocks by the network (NTP)"));
    }
    if node.is_silent(now_s) {
        let what = format!("it has said nothing since {}", clock::local_text(node.written_s));
        let remedy = "start it; if it is gone for good, remove its file in `nodes/` of the shared folder";
        return found.notes.push(Trouble::new(what, &about, remedy));
    }
    let own = NodeRecord { name: String::new(), features: own_features.into(), trains, ..node.clone() };
    found.problems.extend(node.misfit(&own));
    if !node.problem.is_empty() {
        let what = format!("it says: {}", node.problem);
        found.notes.push(Trouble::new(what, &about, "see `artificio status` on that node"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_do_not_fit_are_found_and_others_are_not() {
        let node = NodeRecord {
            name: "b".into(),
            instance: "1".into(),
            version: "1".into(),
            features: "f1".into(),
            trains: false,
            model: "m1".into(),
            generation: "m1".into(),
            is_published: true,
            pictures: 3,
            preparation: None,
            former: String::new(),
            problem: String::new(),
            written_s: 1_000,
        };
        let judged = |node: NodeRecord| {
            let mut found = Findings::default();
            judge(&node, "f1", true, 1_000, &mut found);
            let said = |troubles: &[Trouble]| troubles.iter().map(|one| one.what.clone()).collect::<Vec<_>>().join(" ");
            (said(&found.problems), said(&found.notes))
        };
        assert_eq!(judged(node.clone()), (String::new(), String::new()));
        assert!(judged(NodeRecord { features: "f2".into(), ..node.clone() }).0.contains("its features are f2"));
        assert!(judged(NodeRecord { trains: true, ..node.clone() }).0.contains("trains as well"));
        assert!(judged(NodeRecord { written_s: 1_060, ..node.clone() }).0.contains("60 s ahead"));
        assert!(judged(NodeRecord { written_s: 10, ..node.clone() }).1.contains("said nothing since"));
        assert!(judged(NodeRecord { problem: "the engine is away".into(), ..node }).1.contains("it says"));
    }
}
