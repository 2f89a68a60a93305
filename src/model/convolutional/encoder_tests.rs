//! The convolutional autoencoder learns, always the same, and can be stopped and kept.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::progress::Unfollowed;

const EFFORT: Effort = Effort { code_width: 16, steps: 50, seed: 1 };

/// Coarse blots of colour, `count` different ones.
fn blots(count: usize) -> Rows {
    let mut random = Random::new(7);
    let mut rows = Rows::empty(Pixels::WIDTH);
    for _ in 0..count {
        let colours: Vec<[f32; 3]> =
            (0..4).map(|_| std::array::from_fn(|_| random.between(0.0, 255.0).round())).collect();
        let half = Pixels::SIDE / 2;
        let pixel = |at: usize| colours[at / Pixels::SIDE / half * 2 + at % Pixels::SIDE / half];
        rows.push(&(0..Pixels::SIDE * Pixels::SIDE).flat_map(pixel).collect::<Vec<f32>>());
    }
    rows
}

fn trained() -> &'static Convolutional {
    static ONE: OnceLock<Convolutional> = OnceLock::new();
    ONE.get_or_init(|| Convolutional::train(&blots(4), &[1.0; 4], EFFORT, &Unfollowed).unwrap())
}

#[test]
fn the_loss_falls_and_pictures_come_back_better_than_their_mean() {
    let encoder = trained();
    let losses = encoder.losses();
    assert_eq!(losses.len(), EFFORT.steps);
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..5]), mean(&losses[EFFORT.steps - 5..]));
    assert!(last < 0.8 * first, "from {first} to {last}");
    let error = encoder.reconstruction_error(&blots(4));
    assert!(error < 0.97, "{error}");
}

#[test]
fn every_layer_learns() {
    let before = Convolutional::train(&blots(4), &[1.0; 4], Effort { steps: 0, ..EFFORT }, &Unfollowed).unwrap();
    for layer in Layer::ALL {
        let weights = |encoder: &Convolutional| backend::values(encoder.network.weights[layer as usize].clone());
        assert_ne!(weights(&before), weights(trained()), "{}", layer.name());
    }
}

#[test]
fn the_same_seed_gives_the_same_codes_and_another_seed_others() {
    let train = |seed| Convolutional::train(&blots(4), &[1.0; 4], Effort { steps: 2, seed, ..EFFORT }, &Unfollowed);
    let codes = |seed| train(seed).unwrap().encode(&blots(4));
    assert_eq!(codes(1), codes(1));
    assert_ne!(codes(1), codes(2));
}

#[test]
fn a_saved_encoder_gives_the_same_codes() {
    let encoder = trained();
    let loaded = Convolutional::from_safetensors(&encoder.to_safetensors()).unwrap();
    assert_eq!(loaded.encode(&blots(9)), encoder.encode(&blots(9)));
    assert_eq!((loaded.code_width(), loaded.losses()), (EFFORT.code_width, encoder.losses()));
    let file = encoder.to_safetensors();
    assert!(Convolutional::from_safetensors(&file[..file.len() / 2]).is_err());
    assert!(Convolutional::from_safetensors(b"").is_err());
}

#[test]
fn a_model_kept_without_its_losses_serves_as_well() {
    let encoder = Convolutional { losses: Arc::default(), ..trained().clone() };
    let loaded = Convolutional::from_safetensors(&encoder.to_safetensors()).unwrap();
    assert!(loaded.losses().is_empty() && loaded.encode(&blots(2)) == encoder.encode(&blots(2)));
}

#[test]
fn a_picture_has_the_same_code_alone_and_among_others() {
    let encoder = trained();
    let together = encoder.encode(&blots(9));
    for (at, row) in blots(9).iter().enumerate() {
        let alone = encoder.encode(&Rows::from_values(Pixels::WIDTH, row.to_vec()).unwrap());
        let apart = alone.values().iter().zip(together.row(at)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{apart}");
    }
}

#[test]
fn cancelling_stops_between_steps() {
    /// Lets three steps be done.
    #[derive(Default)]
    struct Impatient(AtomicUsize);
    impl Progress for Impatient {
        fn told(&self, _share: f32) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn is_cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed) == 3
        }
    }
    let impatient = Impatient::default();
    assert_eq!(Convolutional::train(&blots(4), &[1.0; 4], EFFORT, &impatient).err(), Some(Stopped::Cancelled));
    assert_eq!(impatient.0.load(Ordering::Relaxed), 3);
}

#[test]
fn pictures_that_are_all_alike_teach_nothing() {
    let train = |pixels: &Rows| Convolutional::train(pixels, &vec![1.0; pixels.len()], EFFORT, &Unfollowed).err();
    let one = blots(1);
    let copies = Rows::from_values(Pixels::WIDTH, one.values().repeat(5)).unwrap();
    assert_eq!(train(&one), Some(Stopped::NothingToLearn));
    assert_eq!(train(&copies), Some(Stopped::NothingToLearn));
}

#[test]
fn before_training_pictures_of_one_colour_are_close() {
    let untrained = Convolutional::untrained(16);
    let plain = |colour: [f32; 3]| colour.repeat(Pixels::SIDE * Pixels::SIDE);
    let (red, dark, blue) = (plain([200., 10., 10.]), plain([180., 20., 20.]), plain([10., 10., 200.]));
    let codes = untrained.encode(&Rows::from_values(Pixels::WIDTH, [red, dark, blue].concat()).unwrap());
    let product = |a: usize, b: usize| codes.row(a).iter().zip(codes.row(b)).map(|(a, b)| a * b).sum::<f32>();
    assert!(product(0, 1) > product(0, 2));
}
