//! Which node answers with which model, and whom a new one waits for: from the files in the shared folder, whether a daemon runs or not.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Config;
use crate::error::Fatal;
use crate::nodes::exchange::{self, Exchange, ExchangeStage};
use crate::nodes::roster::{self, NodeRecord};

/// What the shared folder says.
#[derive(Debug, Serialize)]
pub struct SharedModels {
    nodes: BTreeMap<String, NodeRecord>,
    /// The last new model on its way to all nodes; null before the first.
    exchange: Option<Exchange>,
}

impl SharedModels {
    /// `None` where this daemon is alone.
    pub fn read(config: &Config) -> Result<Option<Self>, Fatal> {
        if !config.index.is_shared() {
            return Ok(None);
        }
        let shared = &config.node.shared;
        Ok(Some(Self { nodes: roster::read(shared)?, exchange: exchange::read(shared)? }))
    }

    /// For a terminal; `moment` writes a time in seconds since 1970 as text.
    pub fn text(&self, now_s: i64, moment: &dyn Fn(i64) -> String) -> String {
        let mut text = format!("\n{:<15}{}\n", "node", "answers with");
        let awaited = self.exchange.as_ref().filter(|exchange| exchange.is_awaited());
        for node in self.nodes.values() {
            text += &format!("{:<14} {}, {} pictures", node.name, node.model, node.pictures);
            if node.trains {
                text += ", trains";
            }
            if !node.has_all_in(&node.generation) {
                text += "; the engine does not have all of them";
            }
            if let Some(exchange) = awaited {
                text += &prepared(node, exchange);
            }
            if node.is_silent(now_s) {
                text += &format!("; it has said nothing since {}", moment(node.written_s));
            }
            text += "\n";
        }
        match &self.exchange {
            Some(exchange) => text + &standing(exchange, &moment(exchange.since_s)),
            None => text,
        }
    }
}

fn prepared(node: &NodeRecord, exchange: &Exchange) -> String {
    let Exchange { model, generation, .. } = exchange;
    let part = node.preparation.as_ref().filter(|part| part.generation == *generation);
    match part {
        _ if node.has_all_in(generation) => format!("; has prepared all for {model}"),
        Some(part) => format!("; has prepared {} for {model}", part.prepared),
        None => format!("; has prepared none for {model}"),
    }
}

/// How far the last exchange is.
fn standing(exchange: &Exchange, since: &str) -> String {
    let Exchange { model, missing, reason, .. } = exchange;
    let missing = missing.join(", ");
    match exchange.stage {
        ExchangeStage::Preparing if missing.is_empty() => format!("model {model} is on its way since {since}\n"),
        ExchangeStage::Preparing => format!("model {model} is on its way since {since}; it waits for {missing}\n"),
        ExchangeStage::Refused => {
            format!("model {model} does not serve: {reason}. It waits for {missing} since {since}\n")
        }
        ExchangeStage::Serving => format!("model {model} is on all nodes; each takes it over since {since}\n"),
        ExchangeStage::Done | ExchangeStage::Withdrawn => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::exchange::Preparation;

    fn node(name: &str, prepared: usize) -> NodeRecord {
        let preparation = Preparation { generation: "m2_y".into(), prepared, is_complete: prepared == 40 };
        NodeRecord {
            name: name.into(),
            instance: "1".into(),
            version: "1".into(),
            features: "f".into(),
            trains: name == "a",
            model: "m1-a".into(),
            generation: "m1_x".into(),
            is_published: true,
            pictures: 40,
            preparation: (prepared > 0).then_some(preparation),
            former: String::new(),
            problem: String::new(),
            written_s: if name == "c" { 100 } else { 1_000 },
        }
    }

    #[test]
    fn who_is_missing_is_seen() {
        let nodes = [node("a", 40), node("b", 7), node("c", 0)].map(|node| (node.name.clone(), node)).into();
        let exchange =
            Exchange { missing: vec!["b".into(), "c".into()], since_s: 900, ..Exchange::preparing("m2-a", "m2_y") };
        let moment = |seconds: i64| format!("t{seconds}");
        let on_its_way = SharedModels { nodes, exchange: Some(exchange.clone()) };
        let expected = "
node           answers with
a              m1-a, 40 pictures, trains; has prepared all for m2-a
b              m1-a, 40 pictures; has prepared 7 for m2-a
c              m1-a, 40 pictures; has prepared none for m2-a; it has said nothing since t100
model m2-a is on its way since t900; it waits for b, c
";
        assert_eq!(on_its_way.text(1_000, &moment), expected);
        let refused = Exchange { stage: ExchangeStage::Refused, reason: "node c says: no".into(), ..exchange };
        let said = "model m2-a does not serve: node c says: no. It waits for b, c since t900\n";
        assert_eq!(standing(&refused, "t900"), said);
        assert_eq!(standing(&Exchange { stage: ExchangeStage::Done, ..refused }, "t900"), "");
    }
}
