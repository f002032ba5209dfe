//! The autoencoder: training one, and running one forward.
use napi::bindgen_prelude::{AsyncTask, Env, Error, Float64Array, Result, Status, Task};
use napi_derive::napi;

use super::guarded;
use super::shapes::{AutoencoderInfo, AutoencoderOptions, TrainedAutoencoder};
use crate::autoencoder;
use crate::autoencoder::onnx;
use crate::autoencoder::params::{CheckedTrainingParams, TrainingParams};
use crate::autoencoder::train::{Trained, train};

/// A trained autoencoder by itself, to score rows without a runtime for ONNX.
#[napi]
pub struct Autoencoder {
    core: autoencoder::Autoencoder,
    fingerprint: Option<String>,
    bytes: usize,
}

#[napi]
impl Autoencoder {
    /// Reads an `.onnx` file that `trainAutoencoder` wrote. Throws on any other.
    #[napi(factory, catch_unwind)]
    pub fn load(onnx: &[u8]) -> Result<Self> {
        let (core, properties) = onnx::read(onnx)?;
        let mut properties = properties.into_iter();
        let fingerprint = properties.find(|(key, _)| key == "fingerprint").map(|(_, value)| value);
        Ok(Self { core, fingerprint, bytes: onnx.len() })
    }

    /// What it is.
    #[napi(getter, catch_unwind)]
    pub fn info(&self) -> AutoencoderInfo {
        let network = self.core.network();
        AutoencoderInfo {
            columns: self.columns(),
            layers: network.sizes().iter().map(|&size| size as u32).collect(),
            parameters: network.parameters().len() as u32,
            fingerprint: self.fingerprint.clone(),
            bytes: self.bytes as u32,
        }
    }

    /// How many features a row has.
    #[napi(getter, catch_unwind)]
    pub fn columns(&self) -> u32 {
        self.core.scaler().columns() as u32
    }

    /// Fingerprint of the features, when it was given in training.
    #[napi(getter, catch_unwind, ts_return_type = "string | null")]
    pub fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }

    /// Scores of row-major rows, one each: mean squared errors over what is known.
    #[napi(catch_unwind)]
    pub fn score(&self, rows: &[f64]) -> Result<Float64Array> {
        self.check(rows)?;
        Ok(self.core.score_rows(rows).into())
    }

    /// Squared error of every feature of row-major rows; 0 where it is unknown.
    #[napi(catch_unwind)]
    pub fn errors(&self, rows: &[f64]) -> Result<Float64Array> {
        self.check(rows)?;
        let rows = rows.chunks_exact(self.core.scaler().columns());
        Ok(rows.flat_map(|row| self.core.errors(row)).collect::<Vec<f64>>().into())
    }

    fn check(&self, rows: &[f64]) -> Result<()> {
        let columns = self.core.scaler().columns();
        if rows.len().is_multiple_of(columns) {
            return Ok(());
        }
        let text = format!("{} values are no rows of {columns} features", rows.len());
        Err(Error::new(Status::InvalidArg, text))
    }
}

/// Background work of [`train_autoencoder`].
pub struct TrainTask {
    rows: Vec<f64>,
    columns: usize,
    params: CheckedTrainingParams,
    metadata: Vec<(String, String)>,
}

#[napi]
impl Task for TrainTask {
    type Output = (Trained, Vec<u8>);
    type JsValue = TrainedAutoencoder;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| {
            let trained = train(&self.rows, &self.params)?;
            let bytes = onnx::write(&trained.autoencoder, &self.metadata);
            Ok((trained, bytes))
        })
    }

    fn resolve(&mut self, _: Env, (trained, bytes): Self::Output) -> Result<TrainedAutoencoder> {
        Ok(TrainedAutoencoder {
            onnx: bytes.into(),
            threshold: trained.threshold,
            epochs_run: trained.epochs_run as u32,
            training_loss: trained.training_loss,
            validation_loss: trained.validation_loss,
            rows: (self.rows.len() / self.columns) as u32,
            parameters: trained.autoencoder.network().parameters().len() as u32,
            scores: trained.scores.into(),
        })
    }
}

/// Trains an autoencoder on row-major rows (NaN is unknown), off the JavaScript thread.
#[napi(catch_unwind, ts_return_type = "Promise<TrainedAutoencoder>")]
pub fn train_autoencoder(
    rows: Float64Array,
    columns: u32,
    options: Option<AutoencoderOptions>,
) -> Result<AsyncTask<TrainTask>> {
    let options = options.unwrap_or_default();
    let defaults = TrainingParams::default();
    let params = TrainingParams {
        epochs: options.epochs.unwrap_or(defaults.epochs),
        seed: options.seed.unwrap_or(defaults.seed),
        threshold_percentile: options.threshold_percentile.unwrap_or(defaults.threshold_percentile),
        hidden: options.hidden,
        learning_rate: options.learning_rate.unwrap_or(defaults.learning_rate),
        batch_size: options.batch_size.unwrap_or(defaults.batch_size),
        patience: options.patience.unwrap_or(defaults.patience),
        validation_fraction: options.validation_fraction.unwrap_or(defaults.validation_fraction),
        trim_fraction: options.trim_fraction.unwrap_or(defaults.trim_fraction),
    };
    let columns = columns as usize;
    let params = params.check(columns)?;
    let metadata = options.fingerprint.map(|value| ("fingerprint".to_owned(), value));
    let metadata = metadata.into_iter().collect();
    Ok(AsyncTask::new(TrainTask { rows: rows.to_vec(), columns, params, metadata }))
}
