//! Any bytes as the weights of a kept model: they are refused, or encode to finite or at least to as many values as they say.

#![no_main]

use artificio::base::rows::Rows;
use artificio::config::Encoder;
use artificio::model::{Autoencoder, Model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(autoencoder) = Autoencoder::from_safetensors(Encoder::Pretrained, bytes) else { return };
    let model = Model::trained("m1".into(), 1, autoencoder);
    let features = Rows::from_values(1_280, vec![0.5; 1_280]).expect("one row");
    assert_eq!(model.encode(&features).len(), 1);
});
