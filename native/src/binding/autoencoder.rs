//! The autoencoder: training one, and running one forward.
use napi::bindgen_prelude::{AsyncTask, Env, Float64Array, Result, Task};
use napi_derive::napi;

use super::guarded;
use super::shapes::{AutoencoderOptions, TrainedAutoencoder};
use crate::autoencoder::onnx;
use crate::autoencoder::params::{CheckedTrainingParams, TrainingParams};
use crate::autoencoder::train::{Trained, train};

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
    };
    let columns = columns as usize;
    let params = params.check(columns)?;
    let metadata = options.fingerprint.map(|value| ("fingerprint".to_owned(), value));
    let metadata = metadata.into_iter().collect();
    Ok(AsyncTask::new(TrainTask { rows: rows.to_vec(), columns, params, metadata }))
}
