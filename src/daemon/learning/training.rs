//! When to train, and on what. Pure: what is known is given, and so is the time.

use std::collections::HashSet;
use std::time::Duration;

use crate::config::ModelSettings;
use crate::picture::Hash;

/// While pictures keep coming, a training waits for so many times the quiet that is asked for, then it starts all the
/// same: a trickle must not keep the model from ever learning.
const WAIT_FACTOR: u32 = 20;
/// ... counted with at least this much quiet.
const LEAST_QUIET: Duration = Duration::from_millis(500);

/// Where training pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The training folder, with the inventory beside it.
    Training,
    /// The inventory alone, while the training folder holds too few or nothing of use.
    Inventory,
}

impl Source {
    /// As kept in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Inventory => "inventory",
        }
    }
}

/// The last training on pictures from one source, whatever became of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Contents it was trained on.
    pub pictures: HashSet<Hash>,
    /// Inventory pictures that were taken along beside them.
    pub beside: usize,
    /// Whether its model serves; not so when it was refused, or when somebody went back to an older one.
    pub serves: bool,
    /// Why its model was refused, if it was.
    pub refused: Option<String>,
}

/// What was tried before, as far as the policy cares.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tried {
    /// On the training folder.
    pub training: Option<Attempt>,
    /// On the inventory alone.
    pub inventory: Option<Attempt>,
    /// Whether the model that serves was trained on the training folder, in the last attempt or before.
    pub serves_training: bool,
    /// Whether it was, and without the inventory beside it.
    pub serves_training_alone: bool,
}

/// What to train on now, if anything: enough pictures, and enough of them other than at the last attempt.
pub fn due(
    settings: &ModelSettings,
    tried: &Tried,
    training: &HashSet<Hash>,
    inventory: &HashSet<Hash>,
) -> Option<Source> {
    let is_enough = |pictures: &HashSet<Hash>| pictures.len() >= settings.min_train.count();
    let beside = if settings.train_on_inventory { inventory.len() } else { 0 };
    if is_enough(training) && has_changed(settings, tried.training.as_ref(), training, beside) {
        return Some(Source::Training);
    }
    // What was learned from the training folder is not given up for the inventory: the folder may only be unmounted.
    let may_serve = settings.train_on_inventory && is_enough(inventory) && !tried.serves_training;
    (may_serve && has_changed(settings, tried.inventory.as_ref(), inventory, 0)).then_some(Source::Inventory)
}

/// What to train on when somebody wants a training now.
///
/// # Errors
/// When there are too few pictures; the text says what is missing.
pub fn wished(settings: &ModelSettings, training: &HashSet<Hash>, inventory: &HashSet<Hash>) -> Result<Source, String> {
    let needed = settings.min_train.count();
    let has = format!("{needed} pictures are needed (min_train); the training folder holds {}", training.len());
    match (training.len() >= needed, settings.train_on_inventory) {
        (true, _) => Ok(Source::Training),
        (false, true) if inventory.len() >= needed => Ok(Source::Inventory),
        (false, true) => Err(format!("{has}, the inventory {}", inventory.len())),
        (false, false) => Err(format!("{has}, and the inventory may not serve (train_on_inventory)")),
    }
}

/// Whether `pictures` differ enough from those of the last attempt to learn something else.
fn has_changed(settings: &ModelSettings, last: Option<&Attempt>, pictures: &HashSet<Hash>, beside: usize) -> bool {
    let Some(last) = last else { return true };
    let by_growth = |count: usize| (settings.retrain_growth.get() * count as f32).ceil() as usize;
    let threshold = |count: usize| settings.retrain_after.count().max(by_growth(count));
    let new = pictures.difference(&last.pictures).count();
    // A model that was not good enough gets another chance as well when what may have spoilt it is taken away.
    let gone = if last.serves { 0 } else { last.pictures.difference(pictures).count() };
    new + gone >= threshold(last.pictures.len()) || beside.abs_diff(last.beside) >= threshold(last.beside)
}

/// That the pictures to train on changed, and since when, until the policy has looked at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stir {
    first: Duration,
    last: Duration,
    /// Nothing before that.
    rests_until: Duration,
}

impl Stir {
    /// A change at `now`, after what was known of before.
    pub fn again(before: Option<Self>, now: Duration) -> Self {
        Self { last: now, ..before.unwrap_or(Self { first: now, last: now, rests_until: now }) }
    }

    /// To be looked at again at `moment`, and not before.
    pub fn later(moment: Duration) -> Self {
        Self { first: moment, last: moment, rests_until: moment }
    }

    /// Whether it is time to look: nothing came for as long as `quiet` and nothing is on its way, or that has been
    /// waited for long enough.
    pub fn is_ripe(&self, now: Duration, quiet: Duration, is_busy: bool) -> bool {
        now >= self.rests_until && ((!is_busy && now >= self.last + quiet) || now >= self.waited_out(quiet))
    }

    /// The next moment after `now` at which it may have become time.
    pub fn next_look(&self, now: Duration, quiet: Duration) -> Option<Duration> {
        let moments = [self.rests_until, self.last + quiet, self.waited_out(quiet)];
        moments.into_iter().filter(|moment| *moment > now).min()
    }

    fn waited_out(&self, quiet: Duration) -> Duration {
        self.first + quiet.max(LEAST_QUIET) * WAIT_FACTOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Bounded, Share};

    fn hashes(from: u32, to: u32) -> HashSet<Hash> {
        (from..to).map(|number| Hash::of(&number.to_le_bytes())).collect()
    }

    fn settings() -> ModelSettings {
        ModelSettings {
            min_train: Bounded::new(20),
            retrain_after: Bounded::new(10),
            retrain_growth: Share::new(0.1),
            ..ModelSettings::default()
        }
    }

    fn attempt(pictures: HashSet<Hash>, serves: bool) -> Option<Attempt> {
        Some(Attempt { pictures, serves, ..Attempt::default() })
    }

    fn on_training(last: Option<Attempt>) -> Tried {
        Tried { serves_training: last.as_ref().is_some_and(|last| last.serves), training: last, ..Tried::default() }
    }

    fn on_inventory(last: Option<Attempt>) -> Tried {
        Tried { inventory: last, ..Tried::default() }
    }

    #[test]
    fn the_first_training_takes_the_folder_else_the_inventory() {
        let none = Tried::default();
        assert_eq!(due(&settings(), &none, &hashes(0, 19), &hashes(0, 19)), None);
        assert_eq!(due(&settings(), &none, &hashes(0, 19), &hashes(0, 20)), Some(Source::Inventory));
        assert_eq!(due(&settings(), &none, &hashes(0, 20), &hashes(0, 20)), Some(Source::Training));
        let without = ModelSettings { train_on_inventory: false, ..settings() };
        assert_eq!(due(&without, &none, &hashes(0, 19), &hashes(0, 20)), None);
    }

    #[test]
    fn a_retraining_waits_for_enough_that_is_new() {
        let small = on_training(attempt(hashes(0, 30), true));
        assert_eq!(due(&settings(), &small, &hashes(0, 39), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &small, &hashes(0, 40), &hashes(0, 0)), Some(Source::Training));
        // Replaced pictures are new ones, though their number is the same; those taken away are not.
        assert_eq!(due(&settings(), &small, &hashes(10, 40), &hashes(0, 0)), Some(Source::Training));
        assert_eq!(due(&settings(), &small, &hashes(10, 30), &hashes(0, 0)), None);
        let large = on_training(attempt(hashes(0, 1000), true));
        assert_eq!(due(&settings(), &large, &hashes(0, 1099), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &large, &hashes(0, 1100), &hashes(0, 0)), Some(Source::Training));
    }

    #[test]
    fn an_inventory_that_has_grown_is_taken_along_anew() {
        let last = Attempt { beside: 100, ..attempt(hashes(0, 30), true).unwrap() };
        let tried = on_training(Some(last));
        assert_eq!(due(&settings(), &tried, &hashes(0, 30), &hashes(0, 109)), None);
        assert_eq!(due(&settings(), &tried, &hashes(0, 30), &hashes(0, 110)), Some(Source::Training));
    }

    #[test]
    fn a_model_of_the_inventory_gives_way_to_training_pictures_and_not_the_other_way_round() {
        let inventory = on_inventory(attempt(hashes(0, 500), true));
        assert_eq!(due(&settings(), &inventory, &hashes(0, 20), &hashes(0, 500)), Some(Source::Training));
        assert_eq!(due(&settings(), &inventory, &hashes(0, 0), &hashes(0, 500)), None);
        let training = on_training(Some(Attempt { beside: 500, ..attempt(hashes(0, 30), true).unwrap() }));
        assert_eq!(due(&settings(), &training, &hashes(0, 0), &hashes(0, 500)), None, "the folder went away");
    }

    #[test]
    fn what_was_refused_is_tried_again_when_the_pictures_are_others() {
        let refused = on_training(attempt(hashes(0, 1000), false));
        assert_eq!(due(&settings(), &refused, &hashes(0, 1000), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &refused, &hashes(0, 1050), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &refused, &hashes(0, 1100), &hashes(0, 0)), Some(Source::Training));
        assert_eq!(due(&settings(), &refused, &hashes(0, 800), &hashes(0, 0)), Some(Source::Training), "cleaned up");
    }

    #[test]
    fn while_the_training_folder_is_of_no_use_the_inventory_serves() {
        let refused = on_training(Some(Attempt { beside: 36, ..attempt(hashes(0, 1000), false).unwrap() }));
        assert_eq!(due(&settings(), &refused, &hashes(0, 1000), &hashes(0, 36)), Some(Source::Inventory));
        let both = Tried { inventory: attempt(hashes(0, 36), true), ..refused };
        assert_eq!(due(&settings(), &both, &hashes(0, 1000), &hashes(0, 36)), None);
        // ... but not in place of what the folder taught before it was spoilt.
        let earlier = Tried { serves_training: true, ..both };
        assert_eq!(due(&settings(), &earlier, &hashes(0, 1000), &hashes(0, 39)), None);
    }

    #[test]
    fn a_wish_needs_enough_pictures_and_nothing_else() {
        let wish = |training, inventory| wished(&settings(), &hashes(0, training), &hashes(0, inventory));
        assert_eq!(wish(20, 500), Ok(Source::Training));
        assert_eq!(wish(19, 500), Ok(Source::Inventory));
        assert_eq!(
            wish(3, 7).unwrap_err(),
            "20 pictures are needed (min_train); the training folder holds 3, the inventory 7"
        );
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_training_waits_for_quiet_and_for_what_is_on_its_way() {
        let stir = Stir::again(None, seconds(100));
        assert!(!stir.is_ripe(seconds(102), seconds(3), false));
        assert!(stir.is_ripe(seconds(103), seconds(3), false));
        assert!(!stir.is_ripe(seconds(103), seconds(3), true));
        let stir = Stir::again(Some(stir), seconds(102));
        assert!(!stir.is_ripe(seconds(103), seconds(3), false), "another came");
        assert_eq!(stir.next_look(seconds(103), seconds(3)), Some(seconds(105)));
    }

    #[test]
    fn a_trickle_does_not_keep_the_model_from_learning() {
        let mut stir = None;
        let mut started = Vec::new();
        for second in 0..200 {
            stir = Some(Stir::again(stir, seconds(second)));
            if stir.is_some_and(|stir| stir.is_ripe(seconds(second), seconds(3), true)) {
                started.push(second);
                stir = None;
            }
        }
        assert_eq!(started, [60, 121, 182]);
        let impatient = Stir::again(None, seconds(0));
        assert!(!impatient.is_ripe(seconds(9), seconds(0), true) && impatient.is_ripe(seconds(10), seconds(0), true));
        assert_eq!(impatient.next_look(seconds(1), seconds(0)), Some(seconds(10)));
        assert_eq!(impatient.next_look(seconds(10), seconds(0)), None, "from now on only events change anything");
    }

    #[test]
    fn after_a_failure_there_is_a_rest_whatever_comes() {
        let stir = Stir::again(Some(Stir::later(seconds(130))), seconds(101));
        assert!(!stir.is_ripe(seconds(129), seconds(3), false));
        assert!(stir.is_ripe(seconds(130), seconds(3), false));
    }
}
