//! A network of the user's own: taken over beside the service, given back, and refused where it cannot be used.

#[path = "../../src/model/onnx/made_up_files_tests.rs"]
mod made_up_files;

use std::fs;
use std::path::PathBuf;

use artificio_demo::Food;
use serde_json::Value;

use self::made_up_files::{Node, file};
use super::pictures::jpeg;
use super::workplace::{Workplace, put};

const DESCRIPTION: &str = "version = 1\nside = 32\nmean = [0.5, 0.5, 0.5]\ndeviation = [0.5, 0.5, 0.5]\n";

/// A network that makes of a picture its 3,072 numbers, and its TOML file.
fn put_network(workplace: &Workplace, name: &str, nodes: &[Node<'_>]) -> PathBuf {
    let path = workplace.root().join(format!("{name}.onnx"));
    put(&path, &file(nodes, &[1, 3, 32, 32]));
    put(path.with_extension("toml"), DESCRIPTION.as_bytes());
    path
}

const PIXELS: &[Node<'_>] = &[Node::plain("Reshape", "pixels")];

fn network(status: &Value) -> &str {
    status["model"]["network"]["name"].as_str().unwrap()
}

fn problems(status: &Value) -> String {
    status["problems"].to_string()
}

#[test]
fn a_network_is_taken_over_beside_the_service_and_given_back() {
    let mut workplace = Workplace::with_settings("train_on_inventory = false");
    workplace.stock(3);
    workplace.start();
    put_network(&workplace, "own", PIXELS);
    workplace.set("train_on_inventory = false\nnetwork = \"own.onnx\"");
    let status = workplace.wait_status("the network", |status| network(status) == "own.onnx");
    assert_eq!(status["inventory"]["indexed"], 9, "all at once: {status}");
    put(workplace.query("one.jpg"), &jpeg(Food::Pizza, 1));
    let record = workplace.wait_record("one");
    assert_eq!(record["matches"][0]["path"], "pizza_1.jpg");
    assert_eq!(record["matches"][0]["relation"], "identical");
    put(workplace.inventory("late.jpg"), &jpeg(Food::Pizza, 77));
    workplace.wait_indexed(10);
    // A picture that came meanwhile has no features of the network before: it is read again on the way back.
    workplace.set("train_on_inventory = false");
    workplace.wait_status("the way back", |status| network(status) == "bundled");
    workplace.wait_indexed(10);
    put(workplace.query("two.jpg"), &jpeg(Food::Pizza, 77));
    assert_eq!(workplace.wait_record("two")["matches"][0]["path"], "late.jpg");
}

#[test]
fn a_network_that_cannot_be_used_leaves_the_one_before_and_is_reported() {
    let mut workplace = Workplace::with_settings("network = \"own.onnx\"");
    let path = put_network(&workplace, "own", &[Node::plain("Foo", "the_node")]);
    let check = workplace.run(&["check"]);
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(check.status.code() == Some(1) && said.contains("the_node") && said.contains("own.onnx"), "{said}");
    workplace.stock(2);
    workplace.start();
    let status = workplace.wait_status("a problem", |status| problems(status).contains("the_node"));
    assert_eq!((network(&status), &status["inventory"]["indexed"]), ("bundled", &Value::from(6)));
    // Once the file is one that can be used, a reload takes it.
    put_network(&workplace, "own", PIXELS);
    workplace.signal("HUP");
    let status = workplace.wait_status("the network", |status| network(status) == "own.onnx");
    assert!(!problems(&status).contains("own.onnx"), "{status}");
    // A start does not need the file any more, and says that it is gone.
    workplace.stop();
    fs::remove_file(path).unwrap();
    workplace.start();
    let status = workplace.wait_status("a problem", |status| problems(status).contains("no such file"));
    assert_eq!((network(&status), &status["inventory"]["indexed"]), ("own.onnx", &Value::from(6)));
}

#[test]
fn without_any_pictures_yet_the_network_is_taken_at_once() {
    let mut workplace = Workplace::with_settings("network = \"own.onnx\"");
    put_network(&workplace, "own", PIXELS);
    workplace.stock(2);
    workplace.start();
    let status = workplace.wait_indexed(6);
    assert_eq!(network(&status), "own.onnx");
    assert!(!workplace.log().contains("encoding all pictures"), "{}", workplace.log());
}
