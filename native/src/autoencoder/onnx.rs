//! Writing an autoencoder as a standard `.onnx` file, the whole pipeline inside the graph.
//!
//! Input `features` \[N, d\] f32, NaN for unknown. Outputs `score` \[N\], the mean squared error over the
//! known features, and `errors` \[N, d\], the squared error of each (0 where unknown). Standard operators
//! only, operator set 17, IR version 8: any runtime since 2022 reads it. The first property, `layout`, counts
//! the changes of graph or meaning; files before it had none.
use prost::Message as _;

use super::onnx_messages::{
    AttributeProto, Dimension, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use super::{Autoencoder, CLIP};

const FLOAT: i32 = 1;
const INT64: i32 = 7;
const BOOL: i32 = 9;
const INTEGER_ATTRIBUTE: i32 = 2;

/// Name and value of the first property.
pub(super) const LAYOUT: (&str, &str) = ("layout", "2");

pub use super::onnx_read::read;

/// The file's bytes; `metadata` becomes the model's properties.
pub fn write(autoencoder: &Autoencoder, metadata: &[(String, String)]) -> Vec<u8> {
    model(autoencoder, metadata, env!("CARGO_PKG_VERSION")).encode_to_vec()
}

/// The file as a message.
pub(super) fn model(autoencoder: &Autoencoder, metadata: &[(String, String)], version: &str) -> ModelProto {
    let mut graph = Graph::default();
    graph.standardise(autoencoder);
    graph.layers(autoencoder);
    graph.errors();
    let columns = autoencoder.scaler().columns();
    let property =
        |(key, value): (&str, &str)| StringStringEntryProto { key: key.into(), value: value.into() };
    let given = metadata.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    ModelProto {
        ir_version: 8,
        producer_name: "lineheron".to_owned(),
        producer_version: version.to_owned(),
        graph: Some(GraphProto {
            name: "autoencoder".to_owned(),
            node: graph.nodes,
            initializer: graph.constants,
            input: vec![value("features", Some(columns))],
            output: vec![value("score", None), value("errors", Some(columns))],
        }),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        metadata_props: std::iter::once(LAYOUT).chain(given).map(property).collect(),
    }
}

#[derive(Default)]
struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl Graph {
    /// features → `inputs` (standardised, 0 where it does not count) and `excluded`.
    #[allow(clippy::cast_possible_truncation)] // A small whole number.
    fn standardise(&mut self, autoencoder: &Autoencoder) {
        let (means, factors) = (autoencoder.scaler().means(), autoencoder.scaler().factors());
        let unused: Vec<u8> = factors.iter().map(|&factor| u8::from(factor == 0.0)).collect();
        self.constant("mean", &[means.len()], FLOAT, floats(means));
        self.constant("factor", &[factors.len()], FLOAT, floats(factors));
        self.constant("unused", &[unused.len()], BOOL, unused);
        self.constant("zero", &[], FLOAT, floats(&[0.0]));
        self.constant("clip_low", &[], FLOAT, floats(&[-CLIP as f32]));
        self.constant("clip_high", &[], FLOAT, floats(&[CLIP as f32]));
        self.node("IsNaN", &["features"], "missing");
        self.node("Or", &["missing", "unused"], "excluded");
        self.node("Sub", &["features", "mean"], "centred");
        self.node("Mul", &["centred", "factor"], "scaled");
        self.node("Clip", &["scaled", "clip_low", "clip_high"], "clipped");
        // Chosen after the arithmetic, so that no NaN, not even of an infinite input, gets past.
        self.node("Where", &["excluded", "zero", "clipped"], "inputs");
    }

    /// inputs → `output`.
    #[allow(clippy::cast_possible_truncation)] // Parameters are already rounded to f32.
    fn layers(&mut self, autoencoder: &Autoencoder) {
        let mut input = "inputs".to_owned();
        let narrow = |values: &[f64]| floats(&values.iter().map(|&value| value as f32).collect::<Vec<_>>());
        for (index, layer) in autoencoder.network().layers().enumerate() {
            let (weights, biases) = (format!("weights_{index}"), format!("biases_{index}"));
            self.constant(&weights, &[layer.outputs, layer.inputs], FLOAT, narrow(layer.weights));
            self.constant(&biases, &[layer.outputs], FLOAT, narrow(layer.biases));
            let sum = if layer.tanh { format!("sum_{index}") } else { "output".to_owned() };
            self.node("Gemm", &[&input, &weights, &biases], &sum);
            self.attribute("transB", 1);
            if layer.tanh {
                input = format!("hidden_{index}");
                self.node("Tanh", &[&sum], &input);
            }
        }
    }

    /// output, inputs and excluded → `errors` and `score`.
    fn errors(&mut self) {
        self.constant("feature_axis", &[1], INT64, 1_i64.to_le_bytes().to_vec());
        self.constant("one", &[], FLOAT, floats(&[1.0]));
        self.node("Sub", &["output", "inputs"], "difference");
        self.node("Mul", &["difference", "difference"], "squared");
        self.node("Where", &["excluded", "zero", "squared"], "errors");
        self.node("ReduceSum", &["errors", "feature_axis"], "error_sum");
        self.attribute("keepdims", 0);
        self.node("Where", &["excluded", "zero", "one"], "counted");
        self.node("ReduceSum", &["counted", "feature_axis"], "known");
        self.attribute("keepdims", 0);
        self.node("Max", &["known", "one"], "divisor");
        self.node("Div", &["error_sum", "divisor"], "score");
    }

    fn node(&mut self, operator: &str, inputs: &[&str], output: &str) {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("make_{output}"),
            op_type: operator.to_owned(),
            attribute: Vec::new(),
        });
    }

    /// Adds a whole-number attribute to the last node.
    fn attribute(&mut self, name: &str, value: i64) {
        let attribute = AttributeProto { name: name.to_owned(), i: value, r#type: Some(INTEGER_ATTRIBUTE) };
        if let Some(node) = self.nodes.last_mut() {
            node.attribute.push(attribute);
        }
    }

    fn constant(&mut self, name: &str, dims: &[usize], data_type: i32, raw_data: Vec<u8>) {
        let dims = dims.iter().map(|&size| whole(size)).collect();
        self.constants.push(TensorProto { dims, data_type, name: name.to_owned(), raw_data });
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[allow(clippy::cast_possible_wrap)] // Layers have at most 1,024 values.
fn whole(size: usize) -> i64 {
    size as i64
}

/// A f32 tensor of N rows, with or without columns.
fn value(name: &str, columns: Option<usize>) -> ValueInfoProto {
    let rows = DimensionProto { value: Some(Dimension::Name("N".to_owned())) };
    let columns = columns.map(|size| DimensionProto { value: Some(Dimension::Size(whole(size))) });
    let shape = TensorShapeProto { dim: [rows].into_iter().chain(columns).collect() };
    let tensor_type = TensorTypeProto { elem_type: FLOAT, shape: Some(shape) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}
