//! The metrics of the engine that several nodes share; none where this daemon is alone.

use super::exposition::Exposition;
use crate::nodes::EngineStatusPart;

/// Writes them.
pub fn render(out: &mut Exposition, engine: &EngineStatusPart) {
    out.gauge("artificio_engine_up", "1 while the engine can be reached.");
    out.plain("artificio_engine_up", f64::from(u8::from(engine.state != "away")));
    out.gauge("artificio_engine_published", "1 while the engine has all pictures of this node, but for those pending.");
    out.plain("artificio_engine_published", f64::from(u8::from(engine.is_published)));
    out.gauge("artificio_engine_pending", "Changed pictures of this node that the engine does not have yet.");
    out.plain("artificio_engine_pending", engine.pending as f64);
    out.gauge("artificio_nodes", "Nodes, this one included, by whether all of their pictures can be found.");
    let complete = engine.nodes.iter().filter(|node| node.is_complete).count();
    for (state, count) in [("complete", complete), ("incomplete", engine.nodes.len() - complete)] {
        out.labelled("artificio_nodes", &[("state", state)], count as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::NodeStatusPart;

    #[test]
    fn an_engine_that_is_away_and_a_node_that_lags_are_seen() {
        let node = |name: &str, is_complete| NodeStatusPart {
            name: name.into(),
            model: "m1".into(),
            pictures: 5,
            is_complete,
            is_silent: false,
        };
        let engine = EngineStatusPart {
            kind: "milvus",
            url: "http://m:1".into(),
            version: String::new(),
            state: "away",
            away_s: Some(4),
            generation: None,
            is_published: false,
            pending: 7,
            exchange: None,
            nodes: vec![node("a", true), node("b", false)],
        };
        let mut out = Exposition::default();
        render(&mut out, &engine);
        let text = out.into_text();
        for line in ["artificio_engine_up 0", "artificio_engine_pending 7", "artificio_nodes{state=\"incomplete\"} 1"] {
            assert!(text.lines().any(|found| found == line), "{text}");
        }
    }
}
