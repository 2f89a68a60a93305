//! The neighbours of a large inventory are found beside the service, which answers from plain codes meanwhile.

use std::sync::Weak;
use std::thread;
use std::time::Instant;

use log::{debug, info};

use super::Daemon;
use super::learning::trainer::step_back;
use crate::catalog::Root;
use crate::error::Trouble;
use crate::index::BuiltGraph;
use crate::progress::CancelledWhen;

/// A survey has ended.
pub struct SurveyEnd {
    /// Of what was served when it was ordered.
    serving: Weak<()>,
    /// `None` when that was exchanged meanwhile.
    found: Option<BuiltGraph>,
}

impl Daemon {
    /// When the pictures that came are all read: finds their neighbours, or has them found where that takes long.
    pub(super) fn consider_survey(&mut self) {
        if self.plan.pending(Root::Inventory) > 0 {
            return;
        }
        if !self.serving.read().index.is_settled() {
            self.serving.write().index.settle();
        }
        if self.is_surveying || !self.serving.read().index.needs_graph_build() {
            return;
        }
        let mut serving = self.serving.write();
        let Some(survey) = serving.index.graph_build() else { return };
        let (identity, sender) = (serving.identity(), self.channels.survey_sender.clone());
        drop(serving);
        debug!("finding the neighbours of all inventory pictures");
        let started = Instant::now();
        let work = move || {
            step_back();
            let found = survey.run(&CancelledWhen(|| identity.strong_count() == 0));
            debug!("neighbours found after {:.1} s", started.elapsed().as_secs_f64());
            // The daemon is on its way out when nobody receives this; the next one surveys again.
            let _ = sender.send(SurveyEnd { serving: identity, found });
        };
        match thread::Builder::new().name("survey".into()).spawn(work) {
            Ok(_) => self.is_surveying = true,
            Err(error) => self.note("survey", Some(Trouble::system("start the survey thread", "artificio", &error))),
        }
    }

    /// Takes in what a survey found, unless another model serves by now.
    pub(super) fn take_survey(&mut self, end: SurveyEnd) {
        self.is_surveying = false;
        let mut serving = self.serving.write();
        if let Some(found) = end.found
            && end.serving.ptr_eq(&serving.identity())
        {
            serving.index.take_built_graph(found);
            let count = serving.index.len();
            drop(serving);
            self.note("survey", None);
            info!("the neighbours of {count} inventory pictures are known: answers take them into account");
        }
    }
}
