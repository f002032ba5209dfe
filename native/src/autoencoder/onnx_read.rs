//! Reading an autoencoder back from an `.onnx` file that this project wrote.
//!
//! The forward pass here is the graph that [`super::onnx`] writes and no other, so only such a file is
//! taken: the constants are read out, the file is written again from them, and both must be the same but
//! for the version of the program. Any other graph, however valid, is refused rather than run wrongly, and
//! so is a file of an earlier layout. A file that would grow in memory is refused before it is decoded.
use prost::Message as _;

use super::Autoencoder;
use super::network::Network;
use super::onnx::{LAYOUT, model};
use super::onnx_messages::{GraphProto, ModelProto, TensorProto};
use super::scaler::Scaler;
use super::wire::overhead;
use crate::error::{Error, Result};

/// Largest file: eight layers of 1,024 by 1,024 weights, mirrored, and room.
const MAX_BYTES: usize = 80 << 20;
/// Most bytes besides the numbers; a file of ours has a few thousand and its properties.
const MAX_OVERHEAD: usize = 16 << 10;
/// Most layers; the encoder has at most eight.
const MAX_LAYERS: usize = 16;

/// The autoencoder and the file's properties.
pub fn read(bytes: &[u8]) -> Result<(Autoencoder, Vec<(String, String)>)> {
    if bytes.len() > MAX_BYTES {
        return Err(unusable("it is too large"));
    }
    match overhead(bytes) {
        None => return Err(unusable("it is no ONNX file, or cut off")),
        Some(size) if size > MAX_OVERHEAD => return Err(unusable("it holds more than lineheron writes")),
        Some(_) => {}
    }
    let file = ModelProto::decode(bytes).map_err(|_| unusable("it is no ONNX file"))?;
    let properties = properties(&file)?;
    let graph = file.graph.as_ref().ok_or_else(|| unusable("it has no graph"))?;
    let means = floats(find(graph, "mean")?)?;
    let factors = floats(find(graph, "factor")?)?;
    let (sizes, parameters) = layers(graph, means.len())?;
    let ends = [sizes[0], sizes[sizes.len() - 1], factors.len()];
    if ends != [means.len(); 3] || !means.iter().chain(&factors).all(|value| value.is_finite()) {
        return Err(unusable("its sizes do not fit together"));
    }
    if factors.iter().any(|factor| factor.is_sign_negative()) {
        return Err(unusable("a factor is negative"));
    }
    let network = Network::from_parts(sizes, parameters);
    let network = network.ok_or_else(|| unusable("its sizes do not fit together"))?;
    let autoencoder = Autoencoder::new(Scaler::from_parts(means, factors), network);
    let again = model(&autoencoder, &properties, &file.producer_version);
    if again.encode_to_vec() != bytes {
        return Err(unusable("its graph is not one that lineheron writes"));
    }
    Ok((autoencoder, properties))
}

/// The properties after the layout, which must be today's.
fn properties(file: &ModelProto) -> Result<Vec<(String, String)>> {
    let mut all = file.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
    match all.next() {
        Some((key, value)) if key == LAYOUT.0 && value == LAYOUT.1 => Ok(all.collect()),
        Some((key, value)) if key == LAYOUT.0 => {
            Err(unusable(&format!("its layout is {value:.20}, expected {}: train it anew", LAYOUT.1)))
        }
        _ => Err(unusable("it has no layout, as before layout 2: train it anew")),
    }
}

fn unusable(why: &str) -> Error {
    Error::new(format!("this is no usable autoencoder: {why}"))
}

fn find<'a>(graph: &'a GraphProto, name: &str) -> Result<&'a TensorProto> {
    let found = graph.initializer.iter().find(|tensor| tensor.name == name);
    found.ok_or_else(|| unusable(&format!("it has no constant \"{name}\"")))
}

fn floats(tensor: &TensorProto) -> Result<Vec<f32>> {
    let (values, rest) = tensor.raw_data.as_chunks::<4>();
    if !rest.is_empty() || values.is_empty() {
        return Err(unusable("a constant is cut off"));
    }
    Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Every layer's size, the input's first, and all parameters.
fn layers(graph: &GraphProto, columns: usize) -> Result<(Vec<usize>, Vec<f64>)> {
    let (mut sizes, mut parameters) = (vec![columns], Vec::new());
    while sizes.len() <= MAX_LAYERS {
        let index = sizes.len() - 1;
        let Ok(weights) = find(graph, &format!("weights_{index}")) else { break };
        let biases = floats(find(graph, &format!("biases_{index}"))?)?;
        sizes.push(biases.len());
        parameters.extend(floats(weights)?.into_iter().chain(biases).map(f64::from));
    }
    if !parameters.iter().all(|value| value.is_finite()) {
        return Err(unusable("a weight is not finite"));
    }
    Ok((sizes, parameters))
}
