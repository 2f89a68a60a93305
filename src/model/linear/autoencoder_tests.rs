//! Tests of the autoencoder on features whose answer is known.

use super::*;

/// Unit-length rows ±sin θᵢ along axis i and cos θᵢ along the last: their mean is `cos θ` on the last axis, and axis i
/// holds the variance `weights[i]` (relative).
fn crossed(weights: &[f32]) -> Rows {
    let width = weights.len() + 1;
    let mut rows = Rows::empty(width);
    for (axis, weight) in weights.iter().enumerate() {
        for sign in [-1.0, 1.0] {
            let mut row = vec![0.0; width];
            (row[axis], row[width - 1]) = (sign * 0.5, 0.75_f32.sqrt());
            // A direction gets more weight by more rows, not by longer ones: rows are brought to unit length.
            (0..*weight as usize).for_each(|_| assert!(rows.push(&row)));
        }
    }
    rows
}

#[test]
fn the_error_is_the_share_of_the_variance_that_the_code_leaves_out() {
    let rows = crossed(&[8.0, 4.0, 2.0, 1.0]);
    for (embedding_width, left_out) in [(1, 7.0), (2, 3.0), (3, 1.0), (4, 0.0)] {
        let model = LinearAutoencoder::fit(&rows, embedding_width).unwrap();
        assert_eq!(model.embedding_width(), embedding_width);
        assert!((model.reconstruction_error(&rows) - left_out / 15.0).abs() < 1e-5);
        let kept = model.kept_by_values(&rows);
        assert!(
            kept.len() == embedding_width && (kept[embedding_width - 1] - (1.0 - left_out / 15.0)).abs() < 1e-5,
            "{kept:?}"
        );
        let steps: Vec<f32> =
            kept.iter().scan(0.0, |before, kept| Some(kept - std::mem::replace(before, *kept))).collect();
        assert!(
            steps.is_sorted_by(|one, other| *one >= *other - 1e-5),
            "the value that keeps most comes first: {kept:?}"
        );
    }
}

#[test]
fn the_code_is_no_wider_than_the_data() {
    assert_eq!(LinearAutoencoder::fit(&crossed(&[5.0, 3.0, 2.0]), 128).unwrap().embedding_width(), 3);
    let two = Rows::from_values(4, vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]).unwrap();
    assert_eq!(LinearAutoencoder::fit(&two, 128).unwrap().embedding_width(), 1);
}

#[test]
fn too_little_to_learn_from_gives_no_model() {
    assert!(LinearAutoencoder::fit(&Rows::empty(8), 4).is_none());
    assert!(LinearAutoencoder::fit(&Rows::default(), 4).is_none());
    assert!(LinearAutoencoder::fit(&Rows::from_values(2, vec![3.0, 1.0]).unwrap(), 4).is_none());
    let same = Rows::from_values(4, [0.3, 0.1, 0.7, 0.2].repeat(50)).unwrap();
    assert!(LinearAutoencoder::fit(&same, 4).is_none());
    assert!(LinearAutoencoder::fit(&crossed(&[2.0, 1.0]), 0).is_none());
}

#[test]
fn decoding_gives_back_what_the_code_holds() {
    let rows = crossed(&[8.0, 4.0, 2.0]);
    let model = LinearAutoencoder::fit(&rows, 3).unwrap();
    let back = model.decode(&model.encode(&rows));
    assert_eq!((back.len(), back.width()), (rows.len(), rows.width()));
    assert!(back.values().iter().zip(rows.values()).all(|(a, b)| (a - b).abs() < 1e-5));
    assert!(model.encode(&Rows::empty(4)).is_empty());
    assert!(model.decode(&Rows::empty(3)).is_empty());
}

#[test]
fn the_length_of_a_feature_row_does_not_matter() {
    let rows = crossed(&[3.0, 2.0]);
    let model = LinearAutoencoder::fit(&rows, 2).unwrap();
    let longer = Rows::from_values(3, rows.values().iter().map(|value| value * 40.0).collect()).unwrap();
    let (embeddings, longer) = (model.encode(&rows), model.encode(&longer));
    assert!(embeddings.values().iter().zip(longer.values()).all(|(a, b)| (a - b).abs() < 1e-5));
}

/// Golden numbers: burn-ndarray and burn-flex have to give these embeddings within 1e-4.
#[test]
fn both_backends_give_these_codes() {
    let rows = crossed(&[8.0, 4.0, 2.0, 1.0]);
    let embeddings = LinearAutoencoder::fit(&rows, 2).unwrap().encode(&rows);
    let expected = |row: usize| match row {
        // Half a unit along the axis, times (variance of the axis + variance of all / rows)^-0.3.
        0..8 => [-0.898_648, 0.0],
        8..16 => [0.898_648, 0.0],
        16..20 => [0.0, -1.087_527],
        20..24 => [0.0, 1.087_527],
        _ => [0.0, 0.0],
    };
    for (at, embedding) in embeddings.iter().enumerate() {
        assert!(embedding.iter().zip(expected(at)).all(|(a, b)| (a - b).abs() < 1e-4), "row {at}: {embedding:?}");
    }
}

#[test]
fn a_saved_model_comes_back_whole_and_always_as_the_same_bytes() {
    let rows = crossed(&[8.0, 4.0, 2.0, 1.0]);
    let model = LinearAutoencoder::fit(&rows, 3).unwrap();
    let bytes = model.to_safetensors();
    assert_eq!(bytes, LinearAutoencoder::fit(&rows, 3).unwrap().to_safetensors());
    let again = LinearAutoencoder::from_safetensors(&bytes).unwrap();
    assert_eq!(again.encode(&rows), model.encode(&rows));
    assert_eq!(again.to_safetensors(), bytes);
}

#[test]
fn damaged_files_and_unknown_versions_are_refused() {
    let bytes = LinearAutoencoder::fit(&crossed(&[2.0, 1.0]), 2).unwrap().to_safetensors();
    let read = |bytes: &[u8]| LinearAutoencoder::from_safetensors(bytes).err().map(|error| error.to_string());
    for end in [0, 4, 8, 40, bytes.len() - 1] {
        assert!(read(&bytes[..end]).unwrap().starts_with("damaged model file"), "cut at {end}");
    }
    let replaced = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut other = bytes.clone();
        other[at..at + to.len()].copy_from_slice(to.as_bytes());
        read(&other).unwrap()
    };
    let other = replaced(r#"version":"2""#, r#"version":"7""#);
    assert_eq!(other, "this is a model file with autoencoder_version \"7\", but this program reads \"2\"");
    assert!(replaced("autoencoder_v", "somethingel_v").contains("names no autoencoder_version"));
    assert!(replaced("\"mean\"", "\"mein\"").contains("mean is missing"));
    assert!(replaced("\"scales\"", "\"skales\"").contains("scales is missing"));
    let mut nan = bytes.clone();
    let end = nan.len();
    nan[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(read(&nan).unwrap().contains("not finite"));
}

/// Rows `[240, 1280]` on sixteen directions whose variances fall by a third each, so that every direction is well apart.
fn wide() -> Rows {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5
    };
    let directions: Vec<f32> = (0..16 * 1280).map(|_| next()).collect();
    let mut rows = Rows::empty(1280);
    for _ in 0..240 {
        let mut row = vec![2.0; 1280];
        for (rank, direction) in directions.chunks_exact(1280).enumerate() {
            let weight = next() * 0.8_f32.powi(rank as i32);
            row.iter_mut().zip(direction).for_each(|(value, part)| *value += weight * part);
        }
        assert!(rows.push(&row));
    }
    rows
}

/// Golden numbers at the width that is really used, made with numpy's singular value decomposition in float64; both
/// backends have to give them within 1e-4.
#[test]
fn both_backends_give_these_wide_codes() {
    let rows = wide();
    let embeddings = LinearAutoencoder::fit(&rows, 8).unwrap().encode(&rows);
    for (row, expected) in [
        (0, [0.268_966, 0.041_422, 0.258_018, -0.218_893, 0.272_355, 0.208_010, 0.046_218, -0.030_924]),
        (100, [0.014_030, -0.389_179, 0.128_165, 0.153_046, -0.131_413, 0.117_144, 0.132_064, 0.181_929]),
        (239, [-0.021_000, -0.418_275, 0.404_539, 0.098_940, -0.225_441, 0.211_119, -0.303_853, -0.266_050]),
    ] {
        let embedding = embeddings.row(row);
        // Embeddings here are about 0.55 long, so the bound on them is no looser than the 1e-4 on embeddings of length one.
        assert!(
            embedding.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 5e-5),
            "row {row}: {embedding:?}"
        );
    }
}

#[test]
fn a_model_for_features_of_another_width_is_refused() {
    use crate::config::Encoder;
    use crate::model::{Autoencoder, FeatureKind};
    let fitted = LinearAutoencoder::fit(&crossed(&[2.0, 1.0]), 2).unwrap();
    let refused =
        Autoencoder::from_safetensors(&FeatureKind::of(Encoder::Pretrained), &fitted.to_safetensors()).err().unwrap();
    assert!(refused.to_string().contains("mean is not [1, 2432]"), "{refused}");
}
