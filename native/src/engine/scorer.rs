//! The one place where a record is placed, measured, scored and put out, whatever format its line had.
//!
//! Records are taken one by one and wait until a block of them is scored at once; output keeps their
//! order. Taking one allocates nothing once the windows have their size.
use super::counters::Counters;
use super::held::HeldRecords;
use super::intake::{Intake, Placed};
use super::judge::{Context, Detector, Measured};
use super::opinion::{Active, BaselinePlan, Opinion};
use super::options::{CheckedOptions, PublishRecords};
use super::output::{GATEWAY_DEVICE, Labels, Push, RecordOutput, Scope};
use crate::feature::FeatureList;
use crate::format::time::heard::SourceTime;
use crate::parse::RecordView;

/// Records that wait at most until their windows are scored.
const BLOCK_RECORDS: usize = 128;

/// Where and when a record came in.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// Time now, epoch ms.
    pub time_ms: i64,
    /// Offset in the chunk just after the record's line.
    pub line_end: usize,
    /// Whether anything may be put out for it.
    pub emit: bool,
    /// Whether its line tells that its device began anew.
    pub rebooted: bool,
    /// What its source's lines last said of the time.
    pub source: SourceTime,
}

/// Windows, detectors and what waits for them.
#[derive(Debug)]
pub struct Scorer {
    pub options: CheckedOptions,
    pub features: FeatureList,
    pub counters: Counters,
    pub detecting: bool,
    pub active: Active,
    pub baseline: BaselinePlan,
    pub device_detector: Detector,
    gateway_detector: Detector,
    pub intake: Intake,
    held: HeldRecords,
}

impl Scorer {
    /// Empty windows, no forests, not detecting.
    pub fn new(options: CheckedOptions, features: FeatureList) -> Self {
        Self {
            intake: Intake::new(&options, &features),
            active: Active::default(),
            baseline: BaselinePlan::new(&options.channels, options.max_reasons),
            options,
            features,
            counters: Counters::default(),
            detecting: false,
            device_detector: Detector::default(),
            gateway_detector: Detector::of_one_window(),
            held: HeldRecords::default(),
        }
    }

    /// How many devices are known.
    pub fn devices(&self) -> usize {
        self.intake.devices()
    }

    /// A scope's detector.
    pub fn detector(&mut self, scope: Scope) -> &mut Detector {
        match scope {
            Scope::Device => &mut self.device_detector,
            Scope::Gateway => &mut self.gateway_detector,
        }
    }

    /// The slot of a device that was known before a restart. Where another leaves for it, what was rare for
    /// that one goes with it.
    pub fn recall(&mut self, name: &str) -> usize {
        let (slot, evicted) = self.intake.touch(name);
        if evicted {
            self.device_detector.own.forget(slot);
        }
        slot
    }

    /// Places a record in both windows and measures them when something may come of it.
    pub fn take(&mut self, record: &RecordView<'_>, arrival: Arrival, push: &mut Push) {
        let evicted = self.counters.evicted_devices;
        let Some(placed) = self.intake.place(record, &arrival, &mut self.counters) else { return };
        if self.counters.evicted_devices != evicted {
            // Windows of the device that left are held against its own threshold.
            self.put_out(push);
            self.device_detector.own.forget(placed.slot);
        }
        self.counters.records += 1;
        push.newest_ms = push.newest_ms.max(Some(placed.time_ms));
        let opinion = self.opinion(record, placed, arrival);
        if !arrival.emit {
            return;
        }
        let opinion = opinion.filter(|_| self.detecting);
        let told = opinion.as_ref().is_some_and(|opinion| opinion.is_suspect() || opinion.level_shift);
        let context = context(&self.options, &self.features, self.detecting);
        let (device, gateway) = self.intake.views(placed);
        let measured = (
            self.device_detector.measure(&device, &context, told && self.active.hears_baseline()),
            self.gateway_detector.measure(&gateway, &context, false),
        );
        let publish = self.options.publish_records;
        if measured.0.is_some() || measured.1.is_some() || publish == PublishRecords::All {
            let place = (placed.time_ms, arrival.line_end);
            self.held.push(record, place, measured, opinion, publish != PublishRecords::None);
            if self.held.len() >= BLOCK_RECORDS {
                self.put_out(push);
            }
        }
    }

    /// What the device's baseline says of a record, which it takes in. One that is read again after a restart and was
    /// seen before is passed over.
    fn opinion(&mut self, record: &RecordView<'_>, placed: Placed, arrival: Arrival) -> Option<Opinion> {
        if !self.options.baseline {
            return None;
        }
        let baseline = &mut self.intake.device(placed.slot).baseline;
        if !arrival.emit && baseline.has_learnt(placed.time_ms) {
            return None;
        }
        self.baseline.judge(baseline, record, placed.time_ms, arrival.rebooted)
    }

    /// Scores the windows that wait and puts out what has to be.
    pub fn put_out(&mut self, push: &mut Push) {
        let context = context(&self.options, &self.features, self.detecting);
        self.device_detector.score(&context);
        self.gateway_detector.score(&context);
        for held in self.held.iter() {
            let opinion = held.opinion.as_ref().filter(|_| self.active.hears_baseline());
            let forest = Some(&self.device_detector).filter(|_| self.active.hears_forest());
            let by_forest = |measured: &Measured| forest.is_some_and(|forest| forest.is_suspect(measured));
            let suspect =
                opinion.is_some_and(Opinion::is_suspect) || held.device.as_ref().is_some_and(by_forest);
            let device = held.device.and_then(|measured| {
                self.device_detector.judge(&measured, &context, suspect, held.opinion.as_ref())
            });
            if let Some(measured) = &held.device {
                let strange = held.opinion.as_ref().is_some_and(Opinion::is_suspect);
                self.device_detector.learn(measured, &context, strange);
            }
            let detector = &self.gateway_detector;
            let gateway = held.gateway.and_then(|measured| {
                let suspect = self.active.hears_forest() && detector.is_suspect(&measured);
                detector.judge(&measured, &context, suspect, None)
            });
            let shown = match self.options.publish_records {
                PublishRecords::All => true,
                PublishRecords::Anomalous => suspect,
                PublishRecords::None => false,
            };
            if !shown && device.is_none() && gateway.is_none() {
                continue;
            }
            let record = self.held.view(held, self.options.channels.as_slice().len());
            let labels = Labels {
                is_anomaly: record.head.is_anomaly,
                anomaly_type: record.head.anomaly_type.map(str::to_owned),
                record: shown.then_some(push.records.len()),
                line_end: held.line_end,
            };
            let windows =
                [(device, Scope::Device, record.head.device), (gateway, Scope::Gateway, GATEWAY_DEVICE)];
            for (judged, scope, name) in windows {
                push.windows.extend(judged.map(|judged| labels.window(judged, scope, name)));
            }
            if shown {
                let (time_ms, line_end) = (held.time_ms, held.line_end);
                push.records.push(RecordOutput { time_ms, record: record.to_record(), suspect, line_end });
            }
        }
        self.held.clear();
        self.device_detector.clear();
        self.gateway_detector.clear();
    }
}

fn context<'a>(options: &CheckedOptions, features: &'a FeatureList, detecting: bool) -> Context<'a> {
    Context { features, detecting, window_ms: options.window_ms, max_reasons: options.max_reasons }
}
