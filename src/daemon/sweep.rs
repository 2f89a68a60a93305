//! Deletes from the catalog what belongs to contents that no file has any more, while there is nothing else to do.

use std::collections::HashSet;
use std::time::Duration;

use super::Daemon;
use crate::answer::ThumbnailStore;
use crate::catalog::{OrphanSweep, Retention};
use crate::clock;
use crate::model::FeatureKind;
use crate::picture::EditedView;
use crate::watch::Tree;

/// The first sweep begins this long after the start: a machine may run for an hour a day.
pub const FIRST_SWEEP: Duration = Duration::from_secs(15 * 60);
/// Each further one begins this long after the last.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(6 * 3_600);

impl Daemon {
    /// Goes on with a sweep that is due.
    pub(super) fn drop_orphaned_contents(&mut self) {
        // What is being read may have just such a content.
        if self.plan.under_way() > 0 || self.training.under_way().is_some() {
            return;
        }
        let now = self.now();
        let Some(sweep) = self.store.sweep_due(now) else { return };
        let config = self.settings.config();
        let (keep, kind) = (config.model.keep_models.count(), self.serving.read().model.features().clone());
        let retention = Retention { now_s: clock::now_s(), days: config.limits.forget_after_days.get() };
        // Pictures on a disk that is away could not be read again.
        let is_away = self.folders.trees().any(Tree::is_offline);
        let gone = self.store.catalog().contents_to_forget(&sweep, retention, OrphanSweep::CONTENTS_A_TURN);
        let thumbnails = ThumbnailStore::of(self.config());
        gone.into_iter().flatten().for_each(|content| thumbnails.forget(content));
        // What a power failure brings back is deleted again.
        let swept = self.store.catalog_mut().together_unflushed(|catalog| {
            let of_models = catalog.feature_versions(keep)?;
            let versions = (!is_away).then(|| needed_versions(&kind, of_models));
            catalog.sweep_orphans(sweep, versions.as_deref(), retention, OrphanSweep::CONTENTS_A_TURN)
        });
        match swept {
            Ok(next) => self.store.swept(next, now),
            Err(trouble) => {
                self.store.swept(None, now);
                self.catalog_failed(trouble);
            }
        }
    }
}

/// The versions of the features that are needed: the configured encoder's, those of its edited views, and those of the models
/// to which one can go back, also after another encoder was configured or an older program installed.
fn needed_versions(kind: &FeatureKind, of_models: HashSet<String>) -> Vec<String> {
    let views = EditedView::ALL.map(|view| kind.of_view(view));
    of_models.into_iter().chain([kind.version.to_string()]).chain(views).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Encoder;

    #[test]
    fn what_a_rollback_needs_is_kept_and_so_is_what_is_made_now() {
        let kind = FeatureKind::of(Encoder::Pretrained);
        let versions = needed_versions(&kind, HashSet::from(["of an older program".into()]));
        let other = FeatureKind::of(Encoder::Convolutional);
        assert!(versions.contains(&kind.version.to_string()) && versions.contains(&"of an older program".to_string()));
        assert!(EditedView::ALL.iter().all(|view| versions.contains(&kind.of_view(*view))));
        assert!(!versions.contains(&other.version.to_string()));
    }
}
