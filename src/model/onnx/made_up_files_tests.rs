//! Writes small ONNX files for tests: <https://onnx.ai/onnx/repo-docs/IR.html>, in the encoding of protocol buffers.

/// A node with one input, the output of the node before it, and one output, named as it is.
pub struct Node<'a> {
    operator: &'a str,
    name: &'a str,
}

impl<'a> Node<'a> {
    pub const fn plain(operator: &'a str, name: &'a str) -> Self {
        Self { operator, name }
    }
}

/// A graph of nodes one after another, which takes a `picture` of this shape. Every `Reshape` makes one row.
pub fn file(nodes: &[Node<'_>], shape: &[usize]) -> Vec<u8> {
    let (mut graph, mut input) = (Vec::new(), "picture");
    for Node { operator, name } in nodes {
        let mut node = text(1, input);
        if *operator == "Reshape" {
            node.extend(text(1, "one_row"));
        }
        node.extend([text(2, name), text(3, name), text(4, operator)].concat());
        graph.extend(bytes(1, &node));
        input = name;
    }
    graph.extend(text(2, "graph"));
    let one_row = [number(1, 2), number(2, 7), number(7, 1), number(7, u64::MAX), text(8, "one_row")].concat();
    graph.extend(bytes(5, &one_row));
    graph.extend(bytes(11, &[text(1, "picture"), bytes(2, &tensor(shape))].concat()));
    graph.extend(bytes(12, &text(1, input)));
    [number(1, 8), bytes(7, &graph), bytes(8, &number(2, 17))].concat()
}

/// The type of a float tensor of this shape.
fn tensor(shape: &[usize]) -> Vec<u8> {
    let sides: Vec<u8> = shape.iter().flat_map(|side| bytes(1, &number(1, *side as u64))).collect();
    bytes(1, &[number(1, 1), bytes(2, &sides)].concat())
}

fn text(field: u8, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    [vec![field << 3 | 2], variable(value.len() as u64), value.to_vec()].concat()
}

fn number(field: u8, value: u64) -> Vec<u8> {
    [vec![field << 3], variable(value)].concat()
}

fn variable(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 128 {
        out.push((value & 127) as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
    out
}
