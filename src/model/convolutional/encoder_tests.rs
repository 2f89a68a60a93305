//! The convolutional autoencoder is trained, always the same, and can be stopped and kept.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::base::dot::dot;
use crate::progress::Unfollowed;

const EFFORT: Effort = Effort { embedding_width: 16, steps: 50, seed: 1 };

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

fn trained() -> &'static ConvolutionalAutoencoder {
    static ONE: OnceLock<ConvolutionalAutoencoder> = OnceLock::new();
    ONE.get_or_init(|| ConvolutionalAutoencoder::train(&blots(4), &[1.0; 4], EFFORT, &Unfollowed).unwrap())
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
    let before =
        ConvolutionalAutoencoder::train(&blots(4), &[1.0; 4], Effort { steps: 0, ..EFFORT }, &Unfollowed).unwrap();
    for layer in Layer::ALL {
        let weights =
            |encoder: &ConvolutionalAutoencoder| backend::values(encoder.network.weights[layer as usize].clone());
        assert_ne!(weights(&before), weights(trained()), "{}", layer.name());
    }
}

#[test]
fn the_same_seed_gives_the_same_codes_and_another_seed_others() {
    let train =
        |seed| ConvolutionalAutoencoder::train(&blots(4), &[1.0; 4], Effort { steps: 2, seed, ..EFFORT }, &Unfollowed);
    let embeddings = |seed| train(seed).unwrap().encode(&blots(4));
    assert_eq!(embeddings(1), embeddings(1));
    assert_ne!(embeddings(1), embeddings(2));
}

#[test]
fn a_saved_encoder_gives_the_same_codes() {
    let encoder = trained();
    let loaded = ConvolutionalAutoencoder::from_safetensors(&encoder.to_safetensors()).unwrap();
    assert_eq!(loaded.encode(&blots(9)), encoder.encode(&blots(9)));
    assert_eq!((loaded.embedding_width(), loaded.losses()), (EFFORT.embedding_width, encoder.losses()));
    let file = encoder.to_safetensors();
    assert!(ConvolutionalAutoencoder::from_safetensors(&file[..file.len() / 2]).is_err());
    assert!(ConvolutionalAutoencoder::from_safetensors(b"").is_err());
}

#[test]
fn a_model_kept_without_its_losses_serves_as_well() {
    let encoder = ConvolutionalAutoencoder { losses: Arc::default(), ..trained().clone() };
    let loaded = ConvolutionalAutoencoder::from_safetensors(&encoder.to_safetensors()).unwrap();
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
        fn set_share(&self, _share: f32) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn is_cancelled(&self) -> bool {
            self.0.load(Ordering::Relaxed) == 3
        }
    }
    let impatient = Impatient::default();
    assert_eq!(
        ConvolutionalAutoencoder::train(&blots(4), &[1.0; 4], EFFORT, &impatient).err(),
        Some(Stopped::Cancelled)
    );
    assert_eq!(impatient.0.load(Ordering::Relaxed), 3);
}

#[test]
fn pictures_that_are_all_alike_teach_nothing() {
    let train =
        |pixels: &Rows| ConvolutionalAutoencoder::train(pixels, &vec![1.0; pixels.len()], EFFORT, &Unfollowed).err();
    let one = blots(1);
    let copies = Rows::from_values(Pixels::WIDTH, one.values().repeat(5)).unwrap();
    assert_eq!(train(&one), Some(Stopped::NothingToLearn));
    assert_eq!(train(&copies), Some(Stopped::NothingToLearn));
}

#[test]
fn before_training_pictures_of_one_colour_are_close() {
    let untrained = ConvolutionalAutoencoder::untrained(16);
    let plain = |colour: [f32; 3]| colour.repeat(Pixels::SIDE * Pixels::SIDE);
    let (red, dark, blue) = (plain([200., 10., 10.]), plain([180., 20., 20.]), plain([10., 10., 200.]));
    let embeddings = untrained.encode(&Rows::from_values(Pixels::WIDTH, [red, dark, blue].concat()).unwrap());
    let cosine = |a: usize, b: usize| dot(embeddings.row(a), embeddings.row(b));
    assert!(cosine(0, 1) > cosine(0, 2));
}
