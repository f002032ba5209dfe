//! A small autoencoder: standardise, encode, decode; the reconstruction error is the score.
//!
//! Trained in f32 ([`train`]) and kept so ([`Autoencoder`]), just as the `.onnx` file written by [`onnx`]
//! keeps it, so that both score alike. NaN is unknown: it enters as 0 (the mean) and its
//! error counts nowhere.
pub mod batch;
pub mod network;
pub mod onnx;
pub mod onnx_messages;
mod onnx_read;
pub mod optimizer;
pub mod params;
pub mod real;
pub mod scaler;
pub mod train;
mod trainer;
mod wire;

use batch::{Batch, LANES};
use network::Network;
use scaler::Scaler;

/// Standardised values beyond this are cut to it, so that one wild value cannot make a score infinite.
pub const CLIP: f64 = 20.0;

/// A trained autoencoder with everything between raw features and the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Autoencoder {
    scaler: Scaler,
    network: Network,
}

impl Autoencoder {
    /// Rounds a trained network to what the file keeps.
    pub fn new(scaler: Scaler, mut network: Network) -> Self {
        network.round_to_f32();
        Self { scaler, network }
    }

    /// How features are standardised.
    pub fn scaler(&self) -> &Scaler {
        &self.scaler
    }

    /// Its layers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Squared error of each feature of one row; 0 where it is unknown or was constant in training.
    pub fn errors(&self, row: &[f64]) -> Vec<f64> {
        let (inputs, known) = self.standardise(row);
        let output = self.network.forward(&inputs);
        let error = |index: usize| (output[index] - inputs[index]) * (output[index] - inputs[index]);
        (0..inputs.len()).map(|index| if known[index] { error(index) } else { 0.0 }).collect()
    }

    /// [`Autoencoder::score`] of each of row-major `rows`, 32 at a time.
    #[allow(clippy::cast_precision_loss)] // At most 1,024 features.
    pub fn score_rows(&self, rows: &[f64]) -> Vec<f64> {
        let columns = self.scaler.columns();
        let mut batch = Batch::<f64>::new(self.network.sizes());
        let mut scores = Vec::with_capacity(rows.len() / columns);
        for block in rows.chunks(columns * LANES) {
            let ready: Vec<_> = block.chunks_exact(columns).map(|row| self.standardise(row)).collect();
            batch.load(ready.iter().map(|(inputs, known)| (&inputs[..], &known[..])));
            let known = ready.iter().map(|(_, known)| known.iter().filter(|&&known| known).count().max(1));
            let losses = batch.losses(&self.network);
            scores.extend(losses.iter().zip(known).map(|(loss, known)| loss / known as f64));
        }
        scores
    }

    /// Mean squared error over the known features; 0 when none is known.
    #[allow(clippy::cast_precision_loss)] // At most 1,024 features.
    pub fn score(&self, row: &[f64]) -> f64 {
        let (_, known) = self.scaler.standardise(row);
        let count = known.iter().filter(|&&known| known).count().max(1);
        self.errors(row).iter().sum::<f64>() / count as f64
    }

    fn standardise(&self, row: &[f64]) -> (Vec<f64>, Vec<bool>) {
        let (inputs, known) = self.scaler.standardise(row);
        (inputs.into_iter().map(f64::from).collect(), known)
    }
}
