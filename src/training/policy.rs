//! Decides when to train, and on which pictures. Pure: everything it needs is an argument.

use std::fmt;

use super::history::{Attempt, TrainingHistory};
use super::sketch::ContentSample;
use crate::catalog::TrainingSource;
use crate::config::ModelSettings;

/// Beyond so many pictures the share that has to be new rises in step with their number, until they have doubled: more of the same
/// teaches less and less, and every training encodes them all. From nothing to a million that is a dozen trainings instead of a hundred.
const STEADY_GROWTH: usize = 1_000;
/// The largest share that has to be new, unless the settings ask for more.
const DOUBLED: f32 = 1.0;

/// What to train on now, if anything: there must be enough pictures, and enough of them new since the last attempt.
pub fn due(
    settings: &ModelSettings,
    tried: &TrainingHistory,
    training: &ContentSample,
    inventory: &ContentSample,
) -> Option<TrainingSource> {
    let is_enough = |pictures: &ContentSample| pictures.count() >= settings.min_train.count();
    let beside = if settings.train_on_inventory { inventory } else { &ContentSample::default() };
    if is_enough(training) && has_changed(settings, tried.training.as_ref(), training, beside) {
        return Some(TrainingSource::Training);
    }
    // A model of the training folder is not replaced by one of the inventory: the folder may only be unmounted.
    let may_serve = settings.train_on_inventory && is_enough(inventory) && !tried.serves_training;
    (may_serve && has_changed(settings, tried.inventory.as_ref(), inventory, &ContentSample::default()))
        .then_some(TrainingSource::Inventory)
}

/// What to train on when a training is requested.
///
/// # Errors
/// When there are too few pictures.
pub fn requested(
    settings: &ModelSettings,
    training: &ContentSample,
    inventory: &ContentSample,
) -> Result<TrainingSource, TooFewPictures> {
    let needed = settings.min_train.count();
    let (training, inventory) = (training.count(), settings.train_on_inventory.then_some(inventory.count()));
    match (training >= needed, inventory) {
        (true, _) => Ok(TrainingSource::Training),
        (false, Some(count)) if count >= needed => Ok(TrainingSource::Inventory),
        (false, inventory) => Err(TooFewPictures { needed, training, inventory }),
    }
}

/// There are too few pictures to train on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFewPictures {
    /// `min_train`.
    pub needed: usize,
    /// Pictures in the training folder.
    pub training: usize,
    /// Pictures in the inventory; `None` where it may not be trained on.
    pub inventory: Option<usize>,
}

impl fmt::Display for TooFewPictures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { needed, training, inventory } = self;
        write!(out, "{needed} pictures are needed (min_train); the training folder holds {training}, ")?;
        match inventory {
            Some(count) => write!(out, "the inventory {count}"),
            None => write!(out, "and the inventory may not serve (train_on_inventory)"),
        }
    }
}

/// Whether `pictures`, or the `inventory` trained on as well, differ enough from those of the last attempt to learn something else.
fn has_changed(
    settings: &ModelSettings,
    last: Option<&Attempt>,
    pictures: &ContentSample,
    inventory: &ContentSample,
) -> bool {
    let Some(last) = last else { return true };
    let asks_folders = settings.asks_folders();
    // The setting has changed, or an earlier version trained.
    if asks_folders != last.asked_folders && (pictures.has_folders() || inventory.has_folders()) {
        return true;
    }
    let new = pictures.count_without(&last.pictures);
    // After a refusal, removed pictures count too: they may have been what spoilt the model.
    let gone = if last.serves { 0 } else { last.pictures.count_without(pictures) };
    let grown = inventory.count().abs_diff(last.inventory_count);
    let regrouped = |now: &ContentSample, then| if asks_folders { now.count_regrouped(then) } else { 0 };
    [
        (new + gone, regrouped(pictures, &last.pictures), last.pictures.count()),
        (grown, regrouped(inventory, &last.inventory), last.inventory_count),
    ]
    .into_iter()
    .any(|(changed, regrouped, count)| {
        changed + regrouped >= needed_change(settings, count) || regrouped >= needed_regrouping(settings, count)
    })
}

/// How many pictures have to be new after a training on `count`.
fn needed_change(settings: &ModelSettings, count: usize) -> usize {
    let share = settings.retrain_growth.get();
    let rising = share * (count as f32 / STEADY_GROWTH as f32).max(1.0);
    let by_growth = rising.min(share.max(DOUBLED)) * count as f32;
    settings.retrain_after.count().max(by_growth.ceil() as usize)
}

/// How many of `count` pictures have to lie with others than before: more of the same teach less and less, but pictures sorted
/// otherwise teach something else.
fn needed_regrouping(settings: &ModelSettings, count: usize) -> usize {
    let share = settings.retrain_growth.get() * count as f32;
    settings.retrain_after.count().max(share.ceil() as usize)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Bounded, LearnFromFolders, Share};
    use crate::picture::Hash;
    use crate::training::sketch::ContentSketch;

    fn hashes(from: u32, to: u32) -> ContentSample {
        sorted(from, to, |_| "a.jpg".into())
    }

    fn sorted(from: u32, to: u32, path_of: impl Fn(u32) -> String) -> ContentSample {
        let mut sketch = ContentSketch::default();
        (from..to).for_each(|number| sketch.insert(Hash::of(&number.to_le_bytes()), Path::new(&path_of(number))));
        sketch.sample()
    }

    fn settings() -> ModelSettings {
        ModelSettings {
            min_train: Bounded::new(20),
            retrain_after: Bounded::new(10),
            retrain_growth: Share::new(0.1),
            ..ModelSettings::default()
        }
    }

    fn attempt(pictures: ContentSample, serves: bool) -> Option<Attempt> {
        Some(Attempt { pictures, serves, asked_folders: true, ..Attempt::default() })
    }

    fn on_training(last: Option<Attempt>) -> TrainingHistory {
        TrainingHistory {
            serves_training: last.as_ref().is_some_and(|last| last.serves),
            training: last,
            ..TrainingHistory::default()
        }
    }

    fn on_inventory(last: Option<Attempt>) -> TrainingHistory {
        TrainingHistory { inventory: last, ..TrainingHistory::default() }
    }

    #[test]
    fn the_first_training_takes_the_folder_else_the_inventory() {
        let none = TrainingHistory::default();
        assert_eq!(due(&settings(), &none, &hashes(0, 19), &hashes(0, 19)), None);
        assert_eq!(due(&settings(), &none, &hashes(0, 19), &hashes(0, 20)), Some(TrainingSource::Inventory));
        assert_eq!(due(&settings(), &none, &hashes(0, 20), &hashes(0, 20)), Some(TrainingSource::Training));
        let without = ModelSettings { train_on_inventory: false, ..settings() };
        assert_eq!(due(&without, &none, &hashes(0, 19), &hashes(0, 20)), None);
    }

    #[test]
    fn a_retraining_waits_for_enough_that_is_new() {
        let small = on_training(attempt(hashes(0, 30), true));
        assert_eq!(due(&settings(), &small, &hashes(0, 39), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &small, &hashes(0, 40), &hashes(0, 0)), Some(TrainingSource::Training));
        // Replaced pictures are new ones, though their number is the same; those taken away are not.
        assert_eq!(due(&settings(), &small, &hashes(10, 40), &hashes(0, 0)), Some(TrainingSource::Training));
        assert_eq!(due(&settings(), &small, &hashes(10, 30), &hashes(0, 0)), None);
        let large = on_training(attempt(hashes(0, 1000), true));
        assert_eq!(due(&settings(), &large, &hashes(0, 1099), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &large, &hashes(0, 1100), &hashes(0, 0)), Some(TrainingSource::Training));
    }

    #[test]
    fn an_inventory_that_has_grown_is_trained_on_again() {
        let last = Attempt { inventory_count: 100, ..attempt(hashes(0, 30), true).unwrap() };
        let tried = on_training(Some(last));
        assert_eq!(due(&settings(), &tried, &hashes(0, 30), &hashes(0, 109)), None);
        assert_eq!(due(&settings(), &tried, &hashes(0, 30), &hashes(0, 110)), Some(TrainingSource::Training));
    }

    #[test]
    fn training_pictures_replace_a_model_of_the_inventory_and_not_the_other_way_round() {
        let inventory = on_inventory(attempt(hashes(0, 500), true));
        assert_eq!(due(&settings(), &inventory, &hashes(0, 20), &hashes(0, 500)), Some(TrainingSource::Training));
        assert_eq!(due(&settings(), &inventory, &hashes(0, 0), &hashes(0, 500)), None);
        let training = on_training(Some(Attempt { inventory_count: 500, ..attempt(hashes(0, 30), true).unwrap() }));
        assert_eq!(due(&settings(), &training, &hashes(0, 0), &hashes(0, 500)), None, "the folder went away");
    }

    #[test]
    fn what_was_refused_is_tried_again_when_the_pictures_are_others() {
        let refused = on_training(attempt(hashes(0, 1000), false));
        assert_eq!(due(&settings(), &refused, &hashes(0, 1000), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &refused, &hashes(0, 1050), &hashes(0, 0)), None);
        assert_eq!(due(&settings(), &refused, &hashes(0, 1100), &hashes(0, 0)), Some(TrainingSource::Training));
        assert_eq!(
            due(&settings(), &refused, &hashes(0, 800), &hashes(0, 0)),
            Some(TrainingSource::Training),
            "cleaned up"
        );
    }

    #[test]
    fn while_the_training_folder_is_unusable_the_inventory_is_trained_on() {
        let refused = on_training(Some(Attempt { inventory_count: 36, ..attempt(hashes(0, 1000), false).unwrap() }));
        assert_eq!(due(&settings(), &refused, &hashes(0, 1000), &hashes(0, 36)), Some(TrainingSource::Inventory));
        let both = TrainingHistory { inventory: attempt(hashes(0, 36), true), ..refused };
        assert_eq!(due(&settings(), &both, &hashes(0, 1000), &hashes(0, 36)), None);
        // ... but not in place of what the folder taught before it was spoilt.
        let earlier = TrainingHistory { serves_training: true, ..both };
        assert_eq!(due(&settings(), &earlier, &hashes(0, 1000), &hashes(0, 39)), None);
    }

    #[test]
    fn a_request_needs_enough_pictures_and_nothing_else() {
        let request = |training, inventory| requested(&settings(), &hashes(0, training), &hashes(0, inventory));
        assert_eq!(request(20, 500), Ok(TrainingSource::Training));
        assert_eq!(request(19, 500), Ok(TrainingSource::Inventory));
        assert_eq!(
            request(3, 7).unwrap_err().to_string(),
            "20 pictures are needed (min_train); the training folder holds 3, the inventory 7"
        );
    }

    /// The numbers of pictures of an inventory at which it is trained on, while it grows from `from` by `step` at a time.
    fn trainings(settings: &ModelSettings, from: u32, to: u32, step: u32) -> Vec<u32> {
        let (mut sketch, mut tried, mut trained) = (ContentSketch::default(), TrainingHistory::default(), Vec::new());
        for number in 0..to {
            sketch.insert(Hash::of(&number.to_le_bytes()), Path::new("a.jpg"));
            let count = number + 1;
            if count >= from && count % step == 0 {
                let inventory = sketch.sample();
                if due(settings, &tried, &ContentSample::default(), &inventory).is_some() {
                    tried = on_inventory(attempt(inventory, true));
                    trained.push(count);
                }
            }
        }
        trained
    }

    #[test]
    fn small_inventories_are_trained_on_as_the_settings_say() {
        assert_eq!(trainings(&settings(), 1, 60, 1), [20, 30, 40, 50, 60]);
        let tenths = trainings(&settings(), 500, 1_200, 1);
        assert_eq!(tenths, [500, 550, 605, 666, 733, 807, 888, 977, 1_075, 1_191]);
        let only_after = ModelSettings { retrain_growth: Share::new(0.0), ..settings() };
        assert_eq!(trainings(&only_after, 5_000, 5_030, 1), [5_000, 5_010, 5_020, 5_030]);
    }

    #[test]
    fn while_an_inventory_grows_to_a_million_trainings_are_few() {
        let trained = trainings(&settings(), 1_000, 1_000_000, 1_000);
        assert!(trained.len() <= 13, "{trained:?}");
        let large: Vec<&u32> = trained.iter().filter(|count| **count >= 10_000).collect();
        let grown = |pair: &[&u32]| f64::from(*pair[1]) / f64::from(*pair[0]);
        assert!(large.windows(2).all(|pair| (1.9..2.3).contains(&grown(pair))), "{trained:?}");
    }

    #[test]
    fn who_asks_for_more_growth_than_doubling_gets_it() {
        assert_eq!(needed_change(&ModelSettings { retrain_growth: Share::new(1.0), ..settings() }, 100), 100);
        assert_eq!([100, 1_000, 2_000, 50_000].map(|count| needed_change(&settings(), count)), [10, 100, 400, 50_000]);
    }

    #[test]
    fn pictures_sorted_otherwise_make_a_training_due_and_renamed_folders_do_not() {
        let sample = |moved: u32, name: &'static str| {
            sorted(0, 100, move |number| format!("{name}{}/1.jpg", if number < moved { 9 } else { number % 5 }))
        };
        let tried = on_inventory(attempt(sample(0, ""), true));
        let due_with = |settings: &ModelSettings, inventory: &ContentSample| {
            due(settings, &tried, &ContentSample::default(), inventory)
        };
        assert_eq!(due_with(&settings(), &sample(0, "renamed ")), None);
        assert_eq!(due_with(&settings(), &sample(9, "")), None);
        assert_eq!(due_with(&settings(), &sample(10, "")), Some(TrainingSource::Inventory));
        assert_eq!(due_with(&settings(), &sample(10, "renamed ")), Some(TrainingSource::Inventory));
        // New and moved pictures add up.
        let grown = sorted(0, 106, |number| format!("{}/1.jpg", if number < 4 { 9 } else { number % 5 }));
        assert_eq!(due_with(&settings(), &grown), Some(TrainingSource::Inventory));
        // Beside training pictures the inventory's folders count as well.
        let both = on_training(Some(Attempt {
            inventory: sample(0, ""),
            inventory_count: 100,
            ..attempt(hashes(500, 530), true).unwrap()
        }));
        assert_eq!(due(&settings(), &both, &hashes(500, 530), &sample(9, "")), None);
        assert_eq!(due(&settings(), &both, &hashes(500, 530), &sample(10, "")), Some(TrainingSource::Training));
        let alone = ModelSettings { train_on_inventory: false, ..settings() };
        let tried = on_training(attempt(hashes(500, 530), true));
        assert_eq!(due(&alone, &tried, &hashes(500, 530), &sample(50, "")), None);
    }

    #[test]
    fn of_very_many_pictures_the_share_that_lies_elsewhere_does_not_have_to_double() {
        let sample = |moved: u32| {
            sorted(0, 20_000, move |number| format!("{}/1.jpg", if number < moved { 9 } else { number % 5 }))
        };
        let tried = on_inventory(attempt(sample(0), true));
        assert_eq!(due(&settings(), &tried, &ContentSample::default(), &sample(1_500)), None);
        let sorted_anew = sample(2_600);
        assert_eq!(due(&settings(), &tried, &ContentSample::default(), &sorted_anew), Some(TrainingSource::Inventory));
    }

    #[test]
    fn whether_folders_teach_is_a_setting_that_takes_effect_where_there_are_any() {
        let sample = sorted(0, 30, |number| format!("{}/1.jpg", number % 2));
        let taught = on_inventory(attempt(sample.clone(), true));
        let off = ModelSettings { learn_from_folders: LearnFromFolders::Off, ..settings() };
        let none = ContentSample::default();
        assert_eq!(due(&settings(), &taught, &none, &sample), None);
        assert_eq!(due(&off, &taught, &none, &sample), Some(TrainingSource::Inventory));
        let untaught = on_inventory(Some(Attempt { asked_folders: false, ..attempt(sample.clone(), true).unwrap() }));
        assert_eq!(due(&off, &untaught, &none, &sample), None);
        assert_eq!(due(&settings(), &untaught, &none, &sample), Some(TrainingSource::Inventory));
        let resorted = sorted(0, 30, |number| format!("{}/1.jpg", number % 3));
        assert_eq!(due(&off, &untaught, &none, &resorted), None);
        let flat = on_inventory(Some(Attempt { asked_folders: false, ..attempt(hashes(0, 30), true).unwrap() }));
        assert_eq!(due(&settings(), &flat, &none, &hashes(0, 30)), None, "there are no folders");
    }
}
