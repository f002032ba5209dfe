//! The border to Node: convert in, call the core, convert out. The only file that knows napi.
//!
//! A panic becomes a JavaScript `Error`: exports are wrapped by `catch_unwind`, background work by
//! [`guarded`]. Long work (fitting, training) runs off the JavaScript thread on a copy of the rows, so
//! that nobody can change them underneath.
#![allow(
    // JavaScript's numbers are f64 and its lengths u32; every count here stays far below either limit.
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    // Exports take what napi hands them by value.
    clippy::needless_pass_by_value
)]
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{AsyncTask, Buffer, Env, Error, Float64Array, Result, Status, Task};
use napi_derive::napi;

use crate::autoencoder::onnx;
use crate::autoencoder::params::{CheckedTrainingParams, TrainingParams};
use crate::autoencoder::train::{Trained, train};
use crate::engine;
use crate::engine::options::Options;
use crate::engine::output::{Push, RecordOutput, Scope, WindowOutput};
use crate::error;
use crate::forest;
use crate::forest::fit::{Fitted, fit};
use crate::forest::params::{CheckedForestParams, ForestParams};

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        Self::new(Status::InvalidArg, error.to_string())
    }
}

/// Runs background work; a panic in it is an error of its promise.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let text = text.unwrap_or_else(|| "no message".to_owned());
        Err(Error::new(Status::GenericFailure, format!("panic in native code: {text}")))
    })
}

/// A measured field beyond the default five.
#[napi(object)]
pub struct ChannelDefinition {
    /// Field name in a record: a–z, 0–9 and _, at most 64 characters.
    pub name: String,
    /// Unit for people, at most 16 characters.
    pub unit: String,
    /// `gauge` (a level) or `count` (a number of events).
    pub kind: String,
}

/// How an engine works.
#[napi(object)]
#[derive(Default)]
pub struct EngineOptions {
    /// Window length, 1–3600; default 30.
    pub window_seconds: Option<f64>,
    /// How much later than its device's newest record another may come; default 5.
    pub lateness_seconds: Option<f64>,
    /// Quiet windows are put out at most this often in event time; default 1, 0 puts out every one.
    pub hop_seconds: Option<f64>,
    /// Channels beyond the default five, at most 64.
    pub channels: Option<Vec<ChannelDefinition>>,
    /// Which records are put out: `none`, `anomalous` (default) or `all`.
    pub publish_records: Option<String>,
    /// Most devices known at once; the longest idle makes room. Default 10,000.
    pub max_devices: Option<f64>,
    /// Most reasons of a suspect window; default 3.
    pub max_reasons: Option<f64>,
}

/// A feature's name and unit.
#[napi(object)]
pub struct FeatureDefinition {
    pub name: String,
    pub unit: String,
}

/// One feature's part in a score.
#[napi(object, use_nullable = true)]
pub struct Reason {
    pub feature: String,
    pub unit: String,
    /// The window's value.
    pub observed: Option<f64>,
    /// Median in training.
    pub median: Option<f64>,
    /// 5th percentile in training.
    pub p5: Option<f64>,
    /// 95th percentile in training.
    pub p95: Option<f64>,
    /// Part of the score that is this feature's doing, 0–1.
    pub share: f64,
}

/// A window that is put out.
#[napi(object, use_nullable = true)]
pub struct WindowResult {
    /// `device` or `gateway`.
    pub scope: String,
    /// `*` for the gateway.
    pub device: String,
    /// The window's end, event time in epoch ms.
    pub end_ms: f64,
    /// Records in the window.
    pub records: u32,
    /// `warming_up`, `untrained`, `stopped` or `scored`.
    pub state: String,
    /// 0–1; null unless the state is `scored`.
    pub score: Option<f64>,
    /// The threshold in force.
    pub threshold: Option<f64>,
    /// The score is above the threshold.
    pub suspect: bool,
    /// In the engine's order; null is unknown.
    #[napi(ts_type = "Array<number | null>")]
    pub features: Vec<Option<f64>>,
    /// Only for a suspect window, the strongest first.
    pub reasons: Vec<Reason>,
    /// Ground truth of the record that triggered it.
    pub is_anomaly: Option<bool>,
    /// Ground truth of the record that triggered it.
    pub anomaly_type: Option<String>,
    /// Index of that record in `PushResult.records`, when it was put out.
    pub record: Option<u32>,
    /// Offset in the chunk just after that record's line.
    pub line_end: u32,
}

/// A record that is put out.
#[napi(object, use_nullable = true)]
pub struct RecordResult {
    pub timestamp_ms: f64,
    pub device: String,
    /// In the order of the engine's channels; null is unknown.
    #[napi(ts_type = "Array<number | null>")]
    pub values: Vec<Option<f64>>,
    /// Null when the record means no error.
    pub error_code: Option<String>,
    pub is_anomaly: Option<bool>,
    pub anomaly_type: Option<String>,
    /// Its device's window was suspect.
    pub suspect: bool,
    /// Offset in the chunk just after its line.
    pub line_end: u32,
}

/// What one chunk gave.
#[napi(object, use_nullable = true)]
pub struct PushResult {
    /// Bytes that are done with; hand in the rest again, followed by what comes next.
    pub consumed_bytes: u32,
    pub windows: Vec<WindowResult>,
    pub records: Vec<RecordResult>,
    /// Newest event time accepted in this chunk, epoch ms.
    pub newest_ms: Option<f64>,
}

/// What an engine counted since it was made.
#[napi(object)]
pub struct EngineCounters {
    /// Lines that were not blank.
    pub lines: f64,
    /// Records that joined their windows.
    pub records: f64,
    /// Refused lines by reason.
    #[napi(ts_type = "Record<string, number>")]
    pub refused: HashMap<String, f64>,
    /// Lines over 65,536 bytes.
    pub too_long: f64,
    /// Records that came later than the lateness allows.
    pub late: f64,
    /// Records more than five minutes ahead, stamped by arrival.
    pub ahead: f64,
    /// Devices' windows begun anew because a clock was set back.
    pub clock_resets: f64,
    /// Records that full windows dropped early.
    pub window_overflow: f64,
    /// Devices that made room for others.
    pub evicted_devices: f64,
    /// Devices known now.
    pub devices: u32,
}

/// How a forest is fitted.
#[napi(object)]
pub struct ForestOptions {
    /// Fingerprint of the engine that made the rows.
    pub fingerprint: String,
    /// The columns.
    pub features: Vec<FeatureDefinition>,
    /// Default 100.
    pub trees: Option<f64>,
    /// Rows per tree; default 256.
    pub sample_size: Option<f64>,
    /// Default 0; the same seed gives the same bytes.
    pub seed: Option<f64>,
    /// Share of the rows above the threshold, 0–0.5; default 0.1.
    pub contamination: Option<f64>,
}

/// What a forest is.
#[napi(object)]
pub struct ForestInfo {
    pub fingerprint: String,
    pub trees: u32,
    /// Rows per tree.
    pub sample_size: u32,
    pub features: u32,
    /// Rows that it was fitted on.
    pub rows: f64,
    pub seed: f64,
    /// Size when saved.
    pub bytes: u32,
}

/// A forest just fitted.
#[napi(object)]
pub struct FittedForest {
    /// To be saved and given to `Engine.setForest` or `Forest.load`.
    pub bytes: Buffer,
    /// The (1 − contamination) quantile of the rows' scores.
    pub threshold: f64,
    pub info: ForestInfo,
}

/// How an autoencoder is trained.
#[napi(object)]
#[derive(Default)]
pub struct AutoencoderOptions {
    /// Most passes over the rows; default 50.
    pub epochs: Option<f64>,
    /// Default 0; the same seed gives the same bytes.
    pub seed: Option<f64>,
    /// Percentile of the rows' scores that becomes the threshold; default 95.
    pub threshold_percentile: Option<f64>,
    /// Sizes of the encoder's layers, the bottleneck last; default half and a quarter of the columns.
    pub hidden: Option<Vec<f64>>,
    /// Adam's step; default 0.005.
    pub learning_rate: Option<f64>,
    /// Rows a step; default 32.
    pub batch_size: Option<f64>,
    /// Epochs without a better loss after which training ends; default 10.
    pub patience: Option<f64>,
    /// Share of the rows held back to judge by; default 0.1.
    pub validation_fraction: Option<f64>,
    /// Written into the file's properties as `fingerprint`.
    pub fingerprint: Option<String>,
}

/// An autoencoder just trained.
#[napi(object, use_nullable = true)]
pub struct TrainedAutoencoder {
    /// A standard ONNX file: `features` [N, d] in, `score` [N] and `errors` [N, d] out.
    pub onnx: Buffer,
    /// The asked percentile of `scores`.
    pub threshold: f64,
    pub epochs_run: u32,
    /// Of the weights that were kept.
    pub training_loss: f64,
    /// The same over the rows held back; null when there were none.
    pub validation_loss: Option<f64>,
    pub rows: u32,
    /// Number of weights and biases.
    pub parameters: u32,
    /// Score of each row.
    pub scores: Float64Array,
}

/// Parses lines, keeps the windows of all devices and scores them. One per gateway.
#[napi]
pub struct Engine {
    core: engine::Engine,
    /// Set while a chunk is taken; still set afterwards means that a panic left the windows half done.
    busy: bool,
}

#[napi]
impl Engine {
    /// An engine that has seen nothing and does not detect yet. Throws on an option out of range.
    #[napi(constructor, catch_unwind)]
    pub fn new(options: Option<EngineOptions>) -> Result<Self> {
        let options = raw_options(options.unwrap_or_default());
        Ok(Self { core: engine::Engine::new(options.check()?)?, busy: false })
    }

    /// Stands for the features' names, order and units and the window length.
    #[napi(getter, catch_unwind)]
    pub fn fingerprint(&self) -> String {
        self.core.features().fingerprint().to_owned()
    }

    /// The features in order.
    #[napi(getter, catch_unwind)]
    pub fn features(&self) -> Vec<FeatureDefinition> {
        let features = self.core.features().as_slice().iter();
        features.map(|f| FeatureDefinition { name: f.name.clone(), unit: f.unit.clone() }).collect()
    }

    /// The channels in order, the default five first.
    #[napi(getter, catch_unwind)]
    pub fn channels(&self) -> Vec<ChannelDefinition> {
        let channels = self.core.options().channels.as_slice().iter();
        let definition = |channel: &crate::channel::Channel| ChannelDefinition {
            name: channel.name.clone(),
            unit: channel.unit.clone(),
            kind: channel.kind.name().to_owned(),
        };
        channels.map(definition).collect()
    }

    /// Takes the next bytes of the source, lines of canonical JSON. `arrivalMs` is the time now, epoch
    /// ms. With `emit` false windows are brought up to date and nothing is put out.
    #[napi(catch_unwind)]
    pub fn push(&mut self, chunk: &[u8], arrival_ms: f64, emit: bool) -> Result<PushResult> {
        if !(0.0..=8.64e15).contains(&arrival_ms) {
            return Err(Error::new(Status::InvalidArg, "arrivalMs must be a time in epoch ms"));
        }
        if u32::try_from(chunk.len()).is_err() {
            return Err(Error::new(Status::InvalidArg, "a chunk must be smaller than 4 GiB"));
        }
        if std::mem::replace(&mut self.busy, true) {
            let text = "this engine stopped at a panic: make a new one and refill its windows";
            return Err(Error::new(Status::GenericFailure, text));
        }
        let push = self.core.push(chunk, arrival_ms as i64, emit);
        self.busy = false;
        Ok(push_result(push))
    }

    /// Puts a saved forest in use for a scope, or none. Throws on damage or another fingerprint, and
    /// the forest before stays in use.
    #[napi(
        catch_unwind,
        ts_args_type = "scope: string, bytes: Uint8Array | null",
        ts_return_type = "ForestInfo | null"
    )]
    pub fn set_forest(&mut self, scope: String, bytes: Option<&[u8]>) -> Result<Option<ForestInfo>> {
        let scope = scope_of(&scope)?;
        let forest = bytes.map(forest::Forest::from_bytes).transpose()?;
        let info = forest.as_ref().zip(bytes).map(|(forest, bytes)| info(forest, bytes.len()));
        self.core.set_forest(scope, forest)?;
        Ok(info)
    }

    /// Sets the score above which a scope's window is suspect; until then none is.
    #[napi(catch_unwind)]
    pub fn set_threshold(&mut self, scope: String, threshold: f64) -> Result<()> {
        Ok(self.core.set_threshold(scope_of(&scope)?, threshold)?)
    }

    /// Switches scoring on or off; at first it is off.
    #[napi(catch_unwind)]
    pub fn set_detecting(&mut self, detecting: bool) {
        self.core.set_detecting(detecting);
    }

    /// What was counted since the engine was made.
    #[napi(catch_unwind)]
    pub fn counters(&self) -> EngineCounters {
        let counters = self.core.counters();
        let refused = counters.refused().map(|(reason, count)| (reason.to_owned(), count as f64));
        EngineCounters {
            lines: counters.lines as f64,
            records: counters.records as f64,
            refused: refused.collect(),
            too_long: counters.too_long as f64,
            late: counters.late as f64,
            ahead: counters.ahead as f64,
            clock_resets: counters.clock_resets as f64,
            window_overflow: counters.window_overflow as f64,
            evicted_devices: counters.evicted_devices as f64,
            devices: self.core.devices() as u32,
        }
    }
}

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

/// Background work of [`provoke_panic_async`].
pub struct PanicTask;

#[napi]
impl Task for PanicTask {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        guarded(|| panic!("provoked on purpose"))
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

/// Self-test: panics inside native code, which must arrive as a thrown `Error`.
#[napi(catch_unwind)]
pub fn provoke_panic() {
    panic!("provoked on purpose");
}

/// Self-test: panics in background work, which must arrive as a rejected promise.
#[napi(catch_unwind, ts_return_type = "Promise<void>")]
pub fn provoke_panic_async() -> AsyncTask<PanicTask> {
    AsyncTask::new(PanicTask)
}

fn raw_options(options: EngineOptions) -> Options {
    let defaults = Options::default();
    let channels = options.channels.unwrap_or_default().into_iter();
    Options {
        window_seconds: options.window_seconds.unwrap_or(defaults.window_seconds),
        lateness_seconds: options.lateness_seconds.unwrap_or(defaults.lateness_seconds),
        hop_seconds: options.hop_seconds.unwrap_or(defaults.hop_seconds),
        channels: channels.map(|channel| (channel.name, channel.unit, channel.kind)).collect(),
        publish_records: options.publish_records.unwrap_or(defaults.publish_records),
        max_devices: options.max_devices.unwrap_or(defaults.max_devices),
        max_reasons: options.max_reasons.unwrap_or(defaults.max_reasons),
    }
}

fn scope_of(name: &str) -> Result<Scope> {
    let error = || Error::new(Status::InvalidArg, format!("scope \"{name}\" is neither device nor gateway"));
    Scope::from_name(name).ok_or_else(error)
}

fn info(forest: &forest::Forest, bytes: usize) -> ForestInfo {
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

/// Unknown is NaN in the core and null in JavaScript.
fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn reasons(reasons: Vec<forest::explain::Reason>) -> Vec<Reason> {
    let convert = |reason: forest::explain::Reason| Reason {
        feature: reason.feature,
        unit: reason.unit,
        observed: known(reason.observed),
        median: known(reason.median),
        p5: known(reason.p5),
        p95: known(reason.p95),
        share: reason.share,
    };
    reasons.into_iter().map(convert).collect()
}

fn push_result(push: Push) -> PushResult {
    PushResult {
        consumed_bytes: push.consumed_bytes as u32,
        windows: push.windows.into_iter().map(window_result).collect(),
        records: push.records.into_iter().map(record_result).collect(),
        newest_ms: push.newest_ms.map(|time_ms| time_ms as f64),
    }
}

fn window_result(window: WindowOutput) -> WindowResult {
    let (judged, labels) = (window.judged, window.labels);
    WindowResult {
        scope: window.scope.name().to_owned(),
        device: window.device,
        end_ms: judged.end_ms as f64,
        records: judged.records as u32,
        state: judged.state.name().to_owned(),
        score: judged.score,
        threshold: judged.threshold,
        suspect: judged.suspect,
        features: judged.features.into_iter().map(known).collect(),
        reasons: reasons(judged.reasons),
        is_anomaly: labels.is_anomaly,
        anomaly_type: labels.anomaly_type,
        record: labels.record.map(|record| record as u32),
        line_end: labels.line_end as u32,
    }
}

fn record_result(output: RecordOutput) -> RecordResult {
    let record = output.record;
    RecordResult {
        timestamp_ms: output.time_ms as f64,
        device: record.device,
        values: record.values.into_iter().map(known).collect(),
        error_code: record.error_code,
        is_anomaly: record.is_anomaly,
        anomaly_type: record.anomaly_type,
        suspect: output.suspect,
        line_end: output.line_end as u32,
    }
}
