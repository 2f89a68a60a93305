//! Which model all nodes answer with, and which embeddings no node needs any more.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use log::{info, warn};

use super::exchange::{self, Exchange, ExchangeStage, ExchangeVerdict, ExchangeWatch};
use super::publisher::{Publisher, StepError};
use super::{AnnouncedModel, generation_name, roster, shared_model};
use crate::error::Trouble;
use crate::model::UNTRAINED_ID;

/// A generation that no node answers with is dropped after this long.
const RETIRE_AFTER: Duration = Duration::from_secs(120);

impl Publisher {
    /// The node that trains says which model all answer with; the others learn it.
    pub(super) fn agree_on_model(&mut self) -> Result<(), StepError> {
        let (_, own) = self.current()?;
        let own = own.to_string();
        if self.nodes.trains() {
            let led = self.lead_exchange(&own);
            self.nodes.state().note("shared", led.as_ref().err().cloned());
            // Without the file it is not known which model serves: what is known stays.
            let Ok(exchange) = led else { return Ok(()) };
            self.nodes.state().set_exchange(exchange.clone());
            let serving = exchange.filter(|exchange| exchange.stage == ExchangeStage::Serving);
            let generation = serving.map_or_else(|| own.clone(), |exchange| exchange.generation);
            self.nodes.engine.serve(&generation)?;
            self.follow(Some(generation), &own);
            return self.retire_unused(&own);
        }
        if let Ok(exchange) = exchange::read(self.nodes.shared()) {
            self.nodes.state().set_exchange(exchange);
        }
        let announced = self.nodes.engine.serving()?;
        self.follow(announced, &own);
        Ok(())
    }

    /// Announces to the loop the model that all are to answer with, where that is another one than this node's.
    fn follow(&self, generation: Option<String>, own: &str) {
        let Some(generation) = generation.filter(|generation| generation != own) else {
            self.nodes.state().announce(None);
            if !self.nodes.trains() {
                self.nodes.state().note("shared", None);
            }
            return;
        };
        let read = match generation.starts_with(UNTRAINED_ID) {
            true => Ok(None),
            false => shared_model::read(self.nodes.shared(), &generation).map(Some),
        };
        let model = read.as_ref().ok().map(|row| AnnouncedModel { generation, row: row.clone() });
        self.nodes.state().announce(model);
        self.nodes.state().note("shared", read.err());
    }

    /// Takes the exchange one step further, where it can go: the file is written before anything follows from it.
    fn lead_exchange(&mut self, own: &str) -> Result<Option<Exchange>, Trouble> {
        let shared = self.nodes.shared().to_path_buf();
        if let Some(row) = self.unshared.take() {
            shared_model::write(&shared, &row).inspect_err(|_| self.unshared = Some(row))?;
        }
        let present = exchange::read(&shared)?;
        let is_withdrawn = self.nodes.state().take_withdrawn();
        if let Some(row) = self.nodes.state().proposal() {
            shared_model::write(&shared, &row)?;
            let generation = generation_name(&row.id, &row.features_version, &row.weights);
            let exchange = Exchange::preparing(&row.id, &generation);
            exchange.write(&shared)?;
            self.watch = ExchangeWatch::default();
            self.nodes.state().proposal_is_there(exchange.clone());
            return Ok(Some(exchange));
        }
        let Some(present) = present else { return Ok(None) };
        let is_own = present.generation == own;
        let at = |stage| Some(present.at(stage, Vec::new(), String::new()));
        let next = match present.stage {
            ExchangeStage::Withdrawn => None,
            ExchangeStage::Done if is_own => None,
            _ if is_own => at(ExchangeStage::Done),
            ExchangeStage::Done => at(ExchangeStage::Withdrawn),
            _ if is_withdrawn => at(ExchangeStage::Withdrawn),
            ExchangeStage::Serving => None,
            ExchangeStage::Preparing | ExchangeStage::Refused => self.judge(&present)?,
        };
        self.note_refusal(next.as_ref().unwrap_or(&present));
        match next {
            None => Ok(Some(present)),
            Some(next) => {
                next.write(&shared)?;
                Ok(Some(next))
            }
        }
    }

    /// What becomes of an exchange that nodes prepare; `None`: nothing new.
    fn judge(&mut self, present: &Exchange) -> Result<Option<Exchange>, Trouble> {
        let features = self.serving.read().model.features().version.to_string();
        let nodes = roster::read(self.nodes.shared())?;
        let time = (Instant::now(), self.exchange_patience);
        let next = match self.watch.judge(present, &features, &nodes, time) {
            ExchangeVerdict::Agreed => {
                info!("all nodes have prepared model {}: it serves", present.model);
                present.at(ExchangeStage::Serving, Vec::new(), String::new())
            }
            ExchangeVerdict::Refused(missing, reason) => {
                if present.stage == ExchangeStage::Preparing {
                    warn!("model {} does not serve yet: {reason}", present.model);
                }
                present.at(ExchangeStage::Refused, missing, reason)
            }
            ExchangeVerdict::Waits(missing) => Exchange { missing, ..present.clone() },
        };
        let is_new = (next.stage, &next.missing, &next.reason) != (present.stage, &present.missing, &present.reason);
        Ok(is_new.then_some(next))
    }

    fn note_refusal(&self, exchange: &Exchange) {
        let trouble = (exchange.stage == ExchangeStage::Refused).then(|| {
            let Exchange { model, reason, .. } = exchange;
            let remedy = format!(
                "see to that node, or remove its file in `nodes/` of the shared folder if it is gone for good; then {model} serves by itself. `artificio models rollback {model}` does not wait for it"
            );
            Trouble::new(format!("model {model} does not serve: {reason}"), exchange::path(self.nodes.shared()), remedy)
        });
        self.nodes.state().note("exchange", trouble);
    }

    /// Drops generations that no node has answered with for a while, nor prepares.
    fn retire_unused(&mut self, own: &str) -> Result<(), StepError> {
        let mut used: HashSet<String> = self.nodes.state().others().into_values().map(|node| node.generation).collect();
        let exchange = self.nodes.state().exchange();
        used.extend(exchange.filter(Exchange::is_prepared).map(|exchange| exchange.generation));
        let is_used = |name: &String| name == own || used.contains(name);
        let generations = self.nodes.engine.generations()?;
        self.unused.retain(|(name, _)| generations.contains(name) && !is_used(name));
        for name in generations.into_iter().filter(|name| !is_used(name)) {
            if !self.unused.iter().any(|(unused, _)| *unused == name) {
                self.unused.push((name, Instant::now()));
            }
        }
        if let Some((name, _)) = self.unused.iter().find(|(_, since)| since.elapsed() > RETIRE_AFTER) {
            info!("engine: {name} is dropped, no node answers with it");
            self.nodes.engine.retire(name)?;
        }
        Ok(())
    }
}
