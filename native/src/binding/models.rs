//! Models: fitting, loading and asking a forest, and training an autoencoder.
use napi::bindgen_prelude::{AsyncTask, Env, Error, Float64Array, Result, Status, Task};
use napi_derive::napi;

use super::guarded;
use super::shapes::{
    AutoencoderOptions, FeatureDefinition, FittedForest, ForestInfo, ForestOptions, Reason,
    TrainedAutoencoder, reasons,
};
use crate::autoencoder::onnx;
use crate::autoencoder::params::{CheckedTrainingParams, TrainingParams};
use crate::autoencoder::train::{Trained, train};
use crate::forest;
use crate::forest::fit::{Fitted, fit};
use crate::forest::params::{CheckedForestParams, ForestParams};

/// A fitted forest by itself, to score and explain rows.
#[napi]
pub struct Forest {
    forest: forest::Forest,
    bytes: usize,
}

#[napi]
impl Forest {
    /// Reads a saved forest. Throws when it is damaged.
    #[napi(factory, catch_unwind)]
    pub fn load(bytes: &[u8]) -> Result<Self> {
        Ok(Self { forest: forest::Forest::from_bytes(bytes)?, bytes: bytes.len() })
    }

    /// What it is.
    #[napi(getter, catch_unwind)]
    pub fn info(&self) -> ForestInfo {
        info(&self.forest, self.bytes)
    }

    /// Scores of row-major rows, one each, 0–1; NaN in a row is unknown.
    #[napi(catch_unwind)]
    pub fn score(&self, rows: &[f64]) -> Result<Float64Array> {
        let columns = self.forest.features().len();
        if !rows.len().is_multiple_of(columns) {
            let text = format!("{} values are no rows of {columns} features", rows.len());
            return Err(Error::new(Status::InvalidArg, text));
        }
        let scores: Vec<f64> = rows.chunks_exact(columns).map(|row| self.forest.score(row)).collect();
        Ok(scores.into())
    }

    /// The features that made a row look anomalous, the strongest first; default 3.
    #[napi(catch_unwind)]
    pub fn explain(&self, row: &[f64], max_reasons: Option<u32>) -> Result<Vec<Reason>> {
        let columns = self.forest.features().len();
        if row.len() != columns {
            let text = format!("a row has {columns} features, not {}", row.len());
            return Err(Error::new(Status::InvalidArg, text));
        }
        Ok(reasons(self.forest.explain(row, max_reasons.unwrap_or(3) as usize)))
    }
}

/// Background work of [`fit_forest`].
pub struct FitTask(Vec<f64>, Option<CheckedForestParams>);

#[napi]
impl Task for FitTask {
    type Output = (Fitted, Vec<u8>);
    type JsValue = FittedForest;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| {
            let params = self.1.take().ok_or_else(|| Error::from_reason("the fit has already run"))?;
            let fitted = fit(&self.0, params)?;
            let bytes = fitted.forest.to_bytes();
            Ok((fitted, bytes))
        })
    }

    fn resolve(&mut self, _: Env, (fitted, bytes): Self::Output) -> Result<FittedForest> {
        let info = info(&fitted.forest, bytes.len());
        Ok(FittedForest { bytes: bytes.into(), threshold: fitted.threshold, info })
    }
}

/// Fits an Isolation Forest on row-major rows (NaN is unknown), off the JavaScript thread.
#[napi(catch_unwind, ts_return_type = "Promise<FittedForest>")]
pub fn fit_forest(rows: Float64Array, options: ForestOptions) -> Result<AsyncTask<FitTask>> {
    let name = |f: FeatureDefinition| forest::FeatureName { name: f.name, unit: f.unit };
    let mut params =
        ForestParams::new(&options.fingerprint, options.features.into_iter().map(name).collect());
    params.trees = options.trees.unwrap_or(params.trees);
    params.sample_size = options.sample_size.unwrap_or(params.sample_size);
    params.seed = options.seed.unwrap_or(params.seed);
    params.contamination = options.contamination.unwrap_or(params.contamination);
    Ok(AsyncTask::new(FitTask(rows.to_vec(), Some(params.check()?))))
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
    };
    let columns = columns as usize;
    let params = params.check(columns)?;
    let metadata = options.fingerprint.map(|value| ("fingerprint".to_owned(), value));
    let metadata = metadata.into_iter().collect();
    Ok(AsyncTask::new(TrainTask { rows: rows.to_vec(), columns, params, metadata }))
}

/// What a forest of so many bytes is.
pub(super) fn info(forest: &forest::Forest, bytes: usize) -> ForestInfo {
    ForestInfo {
        fingerprint: forest.fingerprint().to_owned(),
        trees: forest.trees().len() as u32,
        sample_size: forest.sample_size() as u32,
        features: forest.features().len() as u32,
        rows: forest.rows() as f64,
        seed: forest.seed() as f64,
        bytes: bytes as u32,
    }
}
