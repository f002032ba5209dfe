//! Bytes in, scored windows out: the one pass that joins parser, windows, features and forests.
//!
//! Every record is scored on arrival in its device's window and in the gateway's; output is thinned to
//! one quiet window per hop and scope, and a suspect one is always put out. Nothing here reads a clock
//! or a file. Bounds: [`options`] says how many devices, and the constants below how many records.
pub mod counters;
mod judge;
pub mod options;
pub mod output;

use crate::device::{Device, Devices};
use crate::error::{Error, Result};
use crate::feature::FeatureList;
use crate::forest::Forest;
use crate::parse::lines::{Line, LineSplitter};
use crate::parse::{Record, canonical};
use crate::window::gateway_clock::GatewayClock;
use crate::window::{Mark, Window};
use counters::Counters;
use judge::{Context, Detector};
use options::{CheckedOptions, PublishRecords};
use output::{GATEWAY_DEVICE, Labels, Push, RecordOutput, Scope};

/// Most records in one device's window.
pub const MAX_DEVICE_RECORDS: usize = 4096;
/// Most records in the gateway's window.
pub const MAX_GATEWAY_RECORDS: usize = 65_536;
/// A record further ahead of arrival than this is stamped by arrival.
pub const MAX_AHEAD_MS: i64 = 300_000;
/// So many records in a row from far before the window mean that the device's clock was set back.
pub const CLOCK_RESET_RECORDS: u32 = 60;

/// The gateway's own window and the clock that orders it.
#[derive(Debug)]
struct Gateway {
    window: Window,
    clock: GatewayClock,
    first_ms: Option<i64>,
    last_hop_ms: Option<i64>,
}

/// The engine of one gateway.
#[derive(Debug)]
pub struct Engine {
    options: CheckedOptions,
    features: FeatureList,
    splitter: LineSplitter,
    devices: Devices,
    gateway: Gateway,
    device_detector: Detector,
    gateway_detector: Detector,
    detecting: bool,
    counters: Counters,
    measured: Vec<f64>,
}

impl Engine {
    /// An engine that has seen nothing and does not detect yet.
    pub fn new(options: CheckedOptions) -> Result<Self> {
        let features = FeatureList::new(&options.channels, options.window_ms)?;
        let channels = options.channels.as_slice().len();
        let gateway = Gateway {
            window: Window::new(options.window_ms, channels, MAX_GATEWAY_RECORDS),
            clock: GatewayClock::new(options.window_ms + options.lateness_ms),
            first_ms: None,
            last_hop_ms: None,
        };
        Ok(Self {
            devices: Devices::new(options.max_devices),
            options,
            features,
            splitter: LineSplitter::default(),
            gateway,
            device_detector: Detector::default(),
            gateway_detector: Detector::default(),
            detecting: false,
            counters: Counters::default(),
            measured: Vec::new(),
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
        self.devices.len()
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
            self.counters.lines += 1;
            let (line, line_end) = match line {
                Line::Whole(line, line_end) => (line, line_end),
                Line::TooLong => {
                    self.counters.too_long += 1;
                    continue;
                }
            };
            if line.trim_ascii().is_empty() {
                self.counters.lines -= 1;
                continue;
            }
            match canonical::parse(line, &self.options.channels) {
                Ok(record) => self.take(record, arrival_ms, emit.then_some(line_end), &mut push),
                Err(refusal) => self.counters.refuse(refusal),
            }
        }
        push.consumed_bytes = offset;
        push
    }

    /// Places one record in both windows, and puts out what it brings when `line_end` is given.
    fn take(&mut self, record: Record, arrival_ms: i64, line_end: Option<usize>, push: &mut Push) {
        let time_ms = self.stamp(record.timestamp_ms, arrival_ms);
        let Some(slot) = self.join_device(&record, time_ms) else { return };
        self.join_gateway(&record, slot, arrival_ms);
        self.counters.records += 1;
        push.newest_ms = push.newest_ms.max(Some(time_ms));
        let hop_ms = self.options.hop_ms;
        let device = self.devices.at(slot);
        let device_due = is_due(&mut device.last_hop_ms, device.window.newest_ms(), hop_ms);
        let gateway_due = is_due(&mut self.gateway.last_hop_ms, self.gateway.window.newest_ms(), hop_ms);
        if let Some(line_end) = line_end {
            self.put_out(record, time_ms, &Place { slot, device_due, gateway_due, line_end }, push);
        }
    }

    fn stamp(&mut self, timestamp_ms: Option<i64>, arrival_ms: i64) -> i64 {
        match timestamp_ms {
            Some(time_ms) if time_ms.saturating_sub(arrival_ms) > MAX_AHEAD_MS => {
                self.counters.ahead += 1;
                arrival_ms
            }
            Some(time_ms) => time_ms,
            None => arrival_ms,
        }
    }

    /// Puts the record in its device's window; the device's slot, or `None` when the record came too late.
    fn join_device(&mut self, record: &Record, time_ms: i64) -> Option<usize> {
        let options = &self.options;
        let channels = options.channels.as_slice().len();
        let new_window = || Window::new(options.window_ms, channels, MAX_DEVICE_RECORDS);
        let (slot, evicted) = self.devices.touch(&record.device, new_window);
        self.counters.evicted_devices += u64::from(evicted);
        let device = self.devices.at(slot);
        if device.first_ms.is_some() && time_ms < device.window.newest_ms() - options.lateness_ms {
            if !clock_was_set_back(device, time_ms, options) {
                self.counters.late += 1;
                return None;
            }
            self.counters.clock_resets += 1;
            device.window = new_window();
            (device.first_ms, device.last_hop_ms) = (None, None);
        }
        device.far_behind = 0;
        device.first_ms.get_or_insert(time_ms);
        let overflowed = device.window.push(mark(record, time_ms, device.number), &record.values);
        self.counters.window_overflow += u64::from(overflowed);
        Some(slot)
    }

    fn join_gateway(&mut self, record: &Record, slot: usize, arrival_ms: i64) {
        let (gateway, device) = (&mut self.gateway, self.devices.at(slot));
        let newest_ms = device.window.newest_ms();
        let now_ms = gateway.clock.advance(newest_ms, arrival_ms, &mut device.offset);
        gateway.first_ms.get_or_insert(now_ms);
        let overflowed = gateway.window.push(mark(record, now_ms, device.number), &record.values);
        self.counters.window_overflow += u64::from(overflowed);
    }

    fn put_out(&mut self, record: Record, time_ms: i64, place: &Place, push: &mut Push) {
        let context = Context {
            features: &self.features,
            detecting: self.detecting,
            window_ms: self.options.window_ms,
            max_reasons: self.options.max_reasons,
        };
        let device = self.devices.at(place.slot);
        let own = context.judge(
            &device.window,
            device.first_ms,
            &self.device_detector,
            place.device_due,
            &mut self.measured,
        );
        let suspect = own.as_ref().is_some_and(|judged| judged.suspect);
        let whole = context.judge(
            &self.gateway.window,
            self.gateway.first_ms,
            &self.gateway_detector,
            place.gateway_due,
            &mut self.measured,
        );
        let shown = match self.options.publish_records {
            PublishRecords::All => true,
            PublishRecords::Anomalous => suspect,
            PublishRecords::None => false,
        };
        let labels = Labels {
            is_anomaly: record.is_anomaly,
            anomaly_type: record.anomaly_type.clone(),
            record: shown.then_some(push.records.len()),
            line_end: place.line_end,
        };
        push.windows.extend(own.map(|judged| labels.window(judged, Scope::Device, &record.device)));
        push.windows.extend(whole.map(|judged| labels.window(judged, Scope::Gateway, GATEWAY_DEVICE)));
        if shown {
            push.records.push(RecordOutput { time_ms, record, suspect, line_end: place.line_end });
        }
    }
}

/// Where a record went and what is due for it.
struct Place {
    slot: usize,
    device_due: bool,
    gateway_due: bool,
    line_end: usize,
}

fn mark(record: &Record, time_ms: i64, device: u64) -> Mark {
    Mark { time_ms, device, error: record.error_code.is_some(), server_error: record.server_error }
}

/// Whether a quiet window is due; it depends on times alone, so that a silent refill gives the same hops.
fn is_due(last_hop_ms: &mut Option<i64>, now_ms: i64, hop_ms: i64) -> bool {
    let due = last_hop_ms.is_none_or(|last_ms| now_ms >= last_ms + hop_ms);
    if due {
        *last_hop_ms = Some(now_ms);
    }
    due
}

/// A device whose records stay far behind its own past has had its clock set back: without this, one
/// wrong time in the future would mute it for as long as the clock was wrong.
fn clock_was_set_back(device: &mut Device, time_ms: i64, options: &CheckedOptions) -> bool {
    let far = time_ms < device.window.newest_ms() - options.window_ms - options.lateness_ms;
    device.far_behind = if far { device.far_behind + 1 } else { 0 };
    device.far_behind > CLOCK_RESET_RECORDS
}
