//! The plain objects that cross the border. Their comments become the TypeScript declaration's.
use std::collections::HashMap;

use napi::bindgen_prelude::{Buffer, Float64Array};
use napi_derive::napi;

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
    /// Whether devices have an adaptive baseline (default true): about a fifth of a line's time and a
    /// quarter of a device's memory. Without, the forest alone is heard.
    pub baseline: Option<bool>,
}

/// A feature's name and unit.
#[napi(object)]
pub struct FeatureDefinition {
    pub name: String,
    pub unit: String,
}

/// How often an event comes.
#[napi(object)]
pub struct EventRate {
    /// Error code, or name of the kind of event.
    pub name: String,
    /// Event time in which it was counted.
    pub seconds: f64,
    /// How often it came before; 0 when it was not seen in `knownSeconds`.
    pub per_day: f64,
    pub known_seconds: f64,
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
    /// Of an event that came too often, or is rare at all; `observed` is how often it came.
    pub event: Option<EventRate>,
}

/// What a forest's training windows say of rare scores, and how many alerts are allowed.
#[napi(object)]
pub struct FleetTail {
    /// The 90th percentile of their scores, and the mean excess over it.
    pub tail_start: f64,
    pub tail_scale: f64,
    /// The highest of them that is no stranger's.
    pub tail_floor: f64,
    /// Window lengths that they cover.
    pub effective_rows: f64,
    /// Windows a device and day.
    pub windows_per_day: f64,
    /// False alert episodes a device and day.
    pub budget: f64,
}

/// The smallest change that would have made it normal.
#[napi(object, use_nullable = true)]
pub struct NormalIf {
    pub feature: String,
    pub unit: String,
    /// With this value in place of what was observed it would have been, all else equal.
    pub value: f64,
    /// Whether what is smaller would have been too, rather than what is larger.
    pub below: bool,
    /// Of a number of events: in how much event time.
    pub seconds: Option<f64>,
}

/// What the adaptive baseline thinks of a record.
#[napi(object, use_nullable = true)]
pub struct BaselineResult {
    /// −ln of the probability that a normal record is at least as strange.
    pub nats: f64,
    /// How strange the last records are among the device's own, in nats: for ranking, and no alarm by itself.
    pub strangeness: f64,
    /// What the alert budget allows, in nats.
    pub threshold: f64,
    /// Above the threshold.
    pub suspect: bool,
    /// A level that lasted became the normal one with this record.
    pub level_shift: bool,
    /// Events come too often: an episode is over when nothing is suspect for so long; 0 without.
    pub hold_seconds: f64,
    /// Of a suspect after a normal record or a pause; null when no value of its leading channel would have
    /// made it normal.
    pub normal_if: Option<NormalIf>,
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
    /// Suspect by the detectors that are heard (see `setActive`).
    pub suspect: bool,
    /// The forest's score is above the threshold.
    pub forest_suspect: bool,
    /// A line in the window tells that its device, or one of the gateway's, began anew.
    pub rebooted: bool,
    /// The adaptive baseline's opinion of the record that ended the window; null while it knows too little,
    /// when nothing is detected, and for the gateway.
    pub baseline: Option<BaselineResult>,
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
    /// Lines that count but for a value that could not be read, by reason.
    #[napi(ts_type = "Record<string, number>")]
    pub refused_values: HashMap<String, f64>,
    /// Lines over 65,536 bytes.
    pub too_long: f64,
    /// Records that came later than the lateness allows.
    pub late: f64,
    /// The same by what it probably was: `newest_first`, `clock_set_back`, `daylight_saving`,
    /// `after_line_without_time`, `delayed`.
    pub late_kinds: HashMap<String, f64>,
    /// Records without a time of their own that stand at the time of the line before them.
    pub time_of_line_before: f64,
    /// Records more than five minutes ahead, stamped by arrival.
    pub ahead: f64,
    /// Devices' windows begun anew because a clock was set back.
    pub clock_resets: f64,
    /// Records that full windows dropped early.
    pub window_overflow: f64,
    /// Lines that are known to hold no record: banners, headers.
    pub skipped: f64,
    /// Records beyond the first of lines that say how often an event happened.
    pub expanded: f64,
    /// Lines of a clock that was not yet set; live they are stamped by arrival.
    pub unsynchronised: f64,
    /// Devices that made room for others.
    pub evicted_devices: f64,
    /// Devices known now.
    pub devices: u32,
}

/// A line that was refused.
#[napi(object)]
pub struct RefusedLine {
    /// Name of its counter in `EngineCounters.refused`, or of `refusedValues`.
    pub reason: String,
    /// Only a value of it was refused, and the rest counts.
    pub value_only: bool,
    /// The format that refused it.
    pub format: u32,
    /// Its front, at most 256 bytes, without control characters.
    pub line: String,
}

/// A record that came too late.
#[napi(object)]
pub struct LateExample {
    /// Name of its counter in `EngineCounters.lateKinds`.
    pub kind: String,
    pub device: String,
    /// How far behind its device's newest record.
    pub behind_ms: f64,
}

/// What a stream showed of its times before it is read.
#[napi(object, use_nullable = true)]
pub struct Survey {
    pub records: f64,
    /// Of them, records whose line says when they happened, or that stand right behind a line that is a date.
    pub timed: f64,
    /// `forward`, `newest_first`, or `none`: to and fro.
    pub direction: String,
    /// `day_first`, `month_first` or `year_first` where dates in numbers show it.
    pub date_order: Option<String>,
    /// Time of the first line that has one, epoch ms.
    pub first_ms: Option<f64>,
    /// The newest time of all.
    pub newest_ms: Option<f64>,
    /// Of each line of this chunk, epoch ms: NaN for a line without, -1 for one by a clock that was not set.
    pub line_times: Float64Array,
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
    /// Share of the rows above the threshold, 0–0.5, of at most 2,048 rows. Absent: the threshold is the
    /// published 0.5 and no row is scored, as scikit-learn's `contamination="auto"`.
    pub contamination: Option<f64>,
    /// Columns that a split looks at; default 1. More make extended splits (Hariri, Kind, Brunner 2019).
    pub ndim: Option<f64>,
    /// How thresholds are chosen: `uniform` (default; Liu, Ting, Zhou 2008), `pooled_gain` or `density`
    /// (Cortes 2021).
    #[napi(ts_type = "'uniform' | 'pooled_gain' | 'density'")]
    pub split_choice: Option<String>,
    /// How columns are drawn: `uniform` (default), or in proportion to their `kurtosis` in each tree's
    /// sample (Liu, Ting, Zhou 2008; isotree's `weigh_by_kurtosis`).
    #[napi(ts_type = "'uniform' | 'kurtosis'")]
    pub weighting: Option<String>,
    /// Most splits on a path, 1–64; default ⌈log₂ sampleSize⌉.
    pub max_depth: Option<f64>,
    /// `exact` (default) or `euler`, the approximation that the paper and scikit-learn use.
    #[napi(ts_type = "'exact' | 'euler'")]
    pub harmonic: Option<String>,
    /// Threads to fit on, 1–64; default 1. The result is the same.
    pub threads: Option<f64>,
}

/// How a batch is scored.
#[napi(object)]
pub struct ScoreOptions {
    /// 1–64; default 1. Small batches use fewer.
    pub threads: Option<f64>,
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
    /// The (1 − contamination) quantile of the rows' scores; 0.5 without a contamination.
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
    /// Sizes of the encoder's layers, the bottleneck last; default one of a third of the columns.
    pub hidden: Option<Vec<f64>>,
    /// Adam's step; default 0.005.
    pub learning_rate: Option<f64>,
    /// Rows a step; default 32.
    pub batch_size: Option<f64>,
    /// Epochs without a better loss after which training ends; default 10.
    pub patience: Option<f64>,
    /// Share of the rows held back to judge by; default 0.1.
    pub validation_fraction: Option<f64>,
    /// Share of the rows, those with the largest losses, set aside from the third epoch on; default 0.05.
    pub trim_fraction: Option<f64>,
    /// Written into the file's properties as `fingerprint`.
    pub fingerprint: Option<String>,
}

/// An autoencoder just trained.
#[napi(object, use_nullable = true)]
pub struct TrainedAutoencoder {
    /// A standard ONNX file: `features` (N × d) in, `score` (N) and `errors` (N × d) out.
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

/// What an autoencoder is.
#[napi(object, use_nullable = true)]
pub struct AutoencoderInfo {
    /// Features of a row.
    pub columns: u32,
    /// Values in each layer, input and output included.
    pub layers: Vec<u32>,
    /// Number of weights and biases.
    pub parameters: u32,
    /// Of the features, when it was given in training.
    pub fingerprint: Option<String>,
    /// Size of the file.
    pub bytes: u32,
}
