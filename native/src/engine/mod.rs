//! Bytes in, scored windows out: the one pass that joins parser, windows, features and forests.
//!
//! Every record is scored on arrival in its device's window and in the gateway's; output is thinned to
//! one quiet window per hop and scope, and a suspect one is always put out. Nothing here reads a clock
//! or a file. A line costs no memory once the windows have their size; only what is put out does, and
//! for that its line is read a second time.
pub mod counters;
mod intake;
mod judge;
pub mod options;
pub mod output;

use crate::error::{Error, Result};
use crate::feature::FeatureList;
use crate::forest::Forest;
use crate::parse::canonical::LineReader;
use crate::parse::lines::{Line, LineSplitter};
use counters::Counters;
use intake::Intake;
pub use intake::{CLOCK_RESET_RECORDS, MAX_AHEAD_MS, MAX_DEVICE_RECORDS, MAX_GATEWAY_RECORDS};
use judge::{Context, Detector, Measured};
use options::{CheckedOptions, PublishRecords};
use output::{GATEWAY_DEVICE, Labels, Push, RecordOutput, Scope};

/// Records that wait at most until their windows are scored.
const BLOCK_RECORDS: usize = 128;

/// A record whose windows wait to be scored.
#[derive(Debug)]
struct Waiting {
    time_ms: i64,
    /// Its line in the chunk.
    start: usize,
    line_end: usize,
    device: Option<Measured>,
    gateway: Option<Measured>,
}

/// The engine of one gateway.
#[derive(Debug)]
pub struct Engine {
    options: CheckedOptions,
    features: FeatureList,
    splitter: LineSplitter,
    reader: LineReader,
    intake: Intake,
    device_detector: Detector,
    gateway_detector: Detector,
    detecting: bool,
    waiting: Vec<Waiting>,
    counters: Counters,
}

impl Engine {
    /// An engine that has seen nothing and does not detect yet.
    pub fn new(options: CheckedOptions) -> Result<Self> {
        let features = FeatureList::new(&options.channels, options.window_ms)?;
        Ok(Self {
            splitter: LineSplitter::default(),
            reader: LineReader::new(&options.channels),
            intake: Intake::new(&options, &features),
            options,
            features,
            device_detector: Detector::default(),
            gateway_detector: Detector::default(),
            detecting: false,
            waiting: Vec::new(),
            counters: Counters::default(),
        })
    }

    /// The checked options.
    pub fn options(&self) -> &CheckedOptions {
        &self.options
    }

    /// The features in order.
    pub fn features(&self) -> &FeatureList {
        &self.features
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many devices are known.
    pub fn devices(&self) -> usize {
        self.intake.devices()
    }

    /// Puts a forest in use, or none; one with another fingerprint is refused and the old one stays.
    pub fn set_forest(&mut self, scope: Scope, forest: Option<Forest>) -> Result<()> {
        if let Some(forest) = &forest {
            let (own, other) = (self.features.fingerprint(), forest.fingerprint());
            if own != other || forest.features().len() != self.features.as_slice().len() {
                return Err(Error::new(format!(
                    "the forest was made from features {other}, this engine has {own}: train it anew"
                )));
            }
        }
        self.detector(scope).forest = forest;
        Ok(())
    }

    /// Sets the score above which a window is suspect.
    pub fn set_threshold(&mut self, scope: Scope, threshold: f64) -> Result<()> {
        if !threshold.is_finite() {
            return Err(Error::new("the threshold must be a finite number"));
        }
        self.detector(scope).threshold = Some(threshold);
        Ok(())
    }

    /// Switches detection on or off; windows go on either way.
    pub fn set_detecting(&mut self, detecting: bool) {
        self.detecting = detecting;
    }

    fn detector(&mut self, scope: Scope) -> &mut Detector {
        match scope {
            Scope::Device => &mut self.device_detector,
            Scope::Gateway => &mut self.gateway_detector,
        }
    }

    /// Takes a chunk of bytes; with `emit` false only the windows and hops are brought up to date.
    pub fn push(&mut self, chunk: &[u8], arrival_ms: i64, emit: bool) -> Push {
        let mut push = Push::default();
        let mut offset = 0;
        while let Some(line) = self.splitter.next(chunk, &mut offset) {
            match line {
                Line::TooLong => {
                    self.counters.lines += 1;
                    self.counters.too_long += 1;
                }
                Line::Whole(line, _) if line.trim_ascii_start().is_empty() => {}
                Line::Whole(line, line_end) => {
                    self.counters.lines += 1;
                    self.take(line, line_end, arrival_ms, emit, &mut push);
                    if self.waiting.len() >= BLOCK_RECORDS {
                        self.put_out(chunk, &mut push);
                    }
                }
            }
        }
        self.put_out(chunk, &mut push);
        push.consumed_bytes = offset;
        push
    }

    /// Places a line's record in both windows and measures them when something may come of it.
    fn take(&mut self, line: &[u8], line_end: usize, arrival_ms: i64, emit: bool, push: &mut Push) {
        let record = match self.reader.read(line) {
            Ok(record) => record,
            Err(refusal) => return self.counters.refuse(refusal),
        };
        let Some(placed) = self.intake.place(&record, arrival_ms, &mut self.counters) else { return };
        self.counters.records += 1;
        push.newest_ms = push.newest_ms.max(Some(placed.time_ms));
        if !emit {
            return;
        }
        let context = context(&self.options, &self.features, self.detecting);
        let device = self.device_detector.measure(&placed.device, &context);
        let gateway = self.gateway_detector.measure(&placed.gateway, &context);
        let all = self.options.publish_records == PublishRecords::All;
        if device.is_some() || gateway.is_some() || all {
            let start = line_end - 1 - line.len();
            self.waiting.push(Waiting { time_ms: placed.time_ms, start, line_end, device, gateway });
        }
    }

    /// Scores the windows that wait and puts out what has to be.
    fn put_out(&mut self, chunk: &[u8], push: &mut Push) {
        let context = context(&self.options, &self.features, self.detecting);
        self.device_detector.score(&context);
        self.gateway_detector.score(&context);
        for waiting in self.waiting.drain(..) {
            let detector = &self.device_detector;
            let suspect = waiting.device.is_some_and(|measured| detector.is_suspect(&measured));
            let device = waiting.device.and_then(|measured| detector.judge(&measured, &context));
            let detector = &self.gateway_detector;
            let gateway = waiting.gateway.and_then(|measured| detector.judge(&measured, &context));
            let shown = match self.options.publish_records {
                PublishRecords::All => true,
                PublishRecords::Anomalous => suspect,
                PublishRecords::None => false,
            };
            if !shown && device.is_none() && gateway.is_none() {
                continue;
            }
            // It was read before and gives the same record again.
            let Ok(record) = self.reader.read(&chunk[waiting.start..waiting.line_end - 1]) else { continue };
            let labels = Labels {
                is_anomaly: record.head.is_anomaly,
                anomaly_type: record.head.anomaly_type.map(str::to_owned),
                record: shown.then_some(push.records.len()),
                line_end: waiting.line_end,
            };
            let windows =
                [(device, Scope::Device, record.head.device), (gateway, Scope::Gateway, GATEWAY_DEVICE)];
            for (judged, scope, name) in windows {
                push.windows.extend(judged.map(|judged| labels.window(judged, scope, name)));
            }
            if shown {
                let (time_ms, line_end) = (waiting.time_ms, waiting.line_end);
                push.records.push(RecordOutput { time_ms, record: record.to_record(), suspect, line_end });
            }
        }
        self.device_detector.clear();
        self.gateway_detector.clear();
    }
}

fn context<'a>(options: &CheckedOptions, features: &'a FeatureList, detecting: bool) -> Context<'a> {
    Context { features, detecting, window_ms: options.window_ms, max_reasons: options.max_reasons }
}
