//! What a network makes of pictures, and what is said of those that cannot be used. The ONNX files are made here, a few bytes each.

use super::*;
use std::path::Path;

#[cfg(feature = "onnx")]
#[path = "made_up_files_tests.rs"]
mod made_up_files;
#[cfg(feature = "onnx")]
use made_up_files::{Node, file};

fn description(more: &str) -> NetworkDescription {
    let text = format!("version = 1\nside = 32\nmean = [0, 0, 0]\ndeviation = [1, 1, 1]\n{more}");
    NetworkDescription::parse(Path::new("n.toml"), &text).unwrap()
}

#[test]
fn pixels_stand_as_the_network_takes_them() {
    let picture = Square::from_rgb(2, vec![0, 51, 102, 153, 204, 255, 1, 2, 3, 4, 5, 6]).unwrap();
    let numbers = |more: &str| {
        let text = format!("version = 1\nside = 32\nmean = [0, 0, 0.2]\ndeviation = [1, 0.5, 1]\n{more}");
        let description = NetworkDescription::parse(Path::new("n.toml"), &text).unwrap();
        input(&picture, &description).iter().map(|value| (value * 100.0).round() as i32).collect::<Vec<_>>()
    };
    assert_eq!(numbers("")[..6], [0, 60, 0, 2, 40, 160]);
    assert_eq!(numbers("layout = \"nhwc\"")[..6], [0, 40, 20, 60, 160, 80]);
    assert_eq!(numbers("layout = \"nhwc\"\nchannels = \"bgr\"")[..6], [20, 40, 0, 80, 160, 60]);
}

#[test]
fn an_output_becomes_one_row() {
    let of = |shape: &[usize], pooling| {
        let values = (0..shape.iter().product::<usize>()).map(|value| value as f32).collect();
        pooled(Output { shape: shape.to_vec(), values }, pooling, "out")
    };
    assert_eq!(of(&[1, 3], OutputPooling::None).unwrap(), [0.0, 1.0, 2.0]);
    assert_eq!(of(&[1, 3, 1, 1], OutputPooling::None).unwrap(), [0.0, 1.0, 2.0]);
    assert_eq!(of(&[3], OutputPooling::None).unwrap(), [0.0, 1.0, 2.0]);
    assert_eq!(of(&[1, 2, 3], OutputPooling::First).unwrap(), [0.0, 1.0, 2.0]);
    assert_eq!(of(&[1, 2, 3], OutputPooling::Mean).unwrap(), [1.5, 2.5, 3.5]);
    assert_eq!(of(&[1, 2, 2, 2], OutputPooling::Mean).unwrap(), [1.5, 5.5]);
    for (shape, pooling) in [
        (&[1, 2, 3][..], OutputPooling::None),
        (&[1, 3], OutputPooling::First),
        (&[2, 3, 4, 5], OutputPooling::Mean),
        (&[1, 0], OutputPooling::None),
        (&[], OutputPooling::First),
    ] {
        let problem = of(shape, pooling).unwrap_err().to_string();
        assert!(problem.contains("\"out\"") && problem.contains("which is not"), "{problem}");
    }
}

#[cfg(not(feature = "onnx"))]
#[test]
fn without_the_runtime_it_is_said_how_to_build_with_it() {
    let problem = OnnxNetwork::load(Vec::new(), description(""), "v").err().unwrap();
    assert!(problem.remedy().contains("--features onnx"), "{problem}");
}

#[cfg(feature = "onnx")]
fn load(nodes: &[Node<'_>], shape: &[usize]) -> Result<OnnxNetwork, NetworkProblem> {
    OnnxNetwork::load(file(nodes, shape), description(""), "v")
}

#[cfg(feature = "onnx")]
#[test]
fn a_network_makes_rows_of_one_length_and_the_same_each_time() {
    let network = load(&[Node::plain("Reshape", "pixels")], &[1, 3, 32, 32]).unwrap();
    assert_eq!((network.kind().width, &*network.kind().version), (3 * 32 * 32, "v"));
    let [grey, pattern] = trial_pictures(32);
    let rows = network.features(&[grey.clone(), pattern, grey]).unwrap();
    assert_eq!((rows.len(), rows.row(0)), (3, rows.row(2)));
    for row in rows.iter() {
        assert!((row.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-4);
    }
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..4).map(|_| scope.spawn(|| network.features(&trial_pictures(32)).unwrap())).collect();
        others.into_iter().for_each(|other| assert_eq!(other.join().unwrap().row(1), rows.row(1)));
    });
}

#[cfg(feature = "onnx")]
#[test]
fn what_is_wrong_with_a_network_is_said_with_the_name_of_the_node() {
    let said = |nodes: &[Node<'_>], shape: &[usize]| load(nodes, shape).err().unwrap().to_string();
    let picture = [1, 3, 32, 32];
    let unknown = said(&[Node::plain("Foo", "the_node")], &picture);
    assert!(unknown.contains("Foo") && unknown.contains("the_node"), "{unknown}");
    let shape = said(&[Node::plain("Reshape", "pixels")], &[1, 3, 16, 16]);
    assert!(shape.contains("picture") && shape.contains("does not run"), "{shape}");
    let infinite = said(&[Node::plain("Log", "log"), Node::plain("Reshape", "pixels")], &picture);
    assert!(infinite.contains("infinities"), "{infinite}");
    let constant = said(&[Node::plain("Floor", "floor"), Node::plain("Reshape", "pixels")], &picture);
    assert!(constant.contains("the same numbers of any picture"), "{constant}");
    let map = said(&[Node::plain("Relu", "relu")], &picture);
    assert!(map.contains("[1, 3, 32, 32]") && map.contains("not one row"), "{map}");
    let narrow = said(&[Node::plain("GlobalAveragePool", "pool"), Node::plain("Flatten", "flat")], &picture);
    assert!(narrow.contains("makes 3 numbers") && narrow.contains("64 to 4096"), "{narrow}");
    for broken in [&b""[..], b"not a network", &file(&[Node::plain("Relu", "a")], &picture)[..40]] {
        let problem = OnnxNetwork::load(broken.to_vec(), description(""), "v").err().unwrap();
        assert!(problem.to_string().contains("network"), "{problem}");
    }
    let missing = OnnxNetwork::load(file(&[Node::plain("Relu", "a")], &picture), description("output = \"x\""), "v");
    let missing = missing.err().unwrap().to_string();
    assert!(missing.contains("no output \"x\"; it has"), "{missing}");
}

#[cfg(feature = "onnx")]
#[test]
fn bytes_that_are_changed_at_random_are_a_problem_or_a_network_and_nothing_else() {
    let whole = file(&[Node::plain("Relu", "relu"), Node::plain("Reshape", "pixels")], &[1, 3, 32, 32]);
    let mut random = artificio_random::Random::new(23);
    for _ in 0..200 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            let at = (random.unit() * bytes.len() as f32) as usize % bytes.len();
            bytes[at] = (random.unit() * 256.0) as u8;
        }
        let _ = OnnxNetwork::load(bytes, description(""), "v");
    }
}
