//! Any bytes as the weights of a kept model: they are refused, or encode to finite or at least to as many values as they say.

#![no_main]

use artificio::base::rows::Rows;
use artificio::config::Encoder;
use artificio::model::{Autoencoder, FeatureKind, Model};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let kind = FeatureKind::of(Encoder::Pretrained);
    let Ok(autoencoder) = Autoencoder::from_safetensors(&kind, bytes) else { return };
    let features = Rows::from_values(kind.width, vec![0.5; kind.width]).expect("one row");
    let model = Model::trained("m1".into(), kind, 1, autoencoder);
    assert_eq!(model.encode(&features).len(), 1);
});
