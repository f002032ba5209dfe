//! Bytes in, scored windows out: the one pass that joins parser, windows, features and forests.
//!
//! Every record is scored in its device's window and in the gateway's as they are when it arrives; output
//! is thinned to one quiet window per hop and scope, and a suspect one is always put out. Features are
//! collected for up to 128 records, which the forests then score together ([`block`]); output comes in
//! the order of the lines all the same. Nothing here reads a clock or a file. Bounds: [`options`] says how
//! many devices, and the constants below how many records. Limit of a line's time, as measured: half of it
//! is the two forests, the rest windows and parsing in equal parts.
mod block;
pub mod counters;
pub mod options;
pub mod output;

use std::sync::Arc;

use crate::device::{Device, Devices};
use crate::error::{Error, Result};
use crate::feature::FeatureList;
use crate::forest::Forest;
use crate::parse::canonical;
use crate::parse::fast::{FastParser, Head};
use crate::parse::lines::{Line, LineSplitter};
use crate::window::gateway_clock::GatewayClock;
use crate::window::plan::Plan;
use crate::window::{Mark, Window};
use block::{Block, Detector, Look, Seen};
use counters::Counters;
use options::{CheckedOptions, PublishRecords};
use output::{Push, Scope, State};

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
    parser: FastParser,
    /// Values of the line being read.
    values: Vec<f64>,
    plan: Arc<Plan>,
    devices: Devices,
    gateway: Gateway,
    device_detector: Detector,
    gateway_detector: Detector,
    detecting: bool,
    counters: Counters,
    block: Block,
}

impl Engine {
    /// An engine that has seen nothing and does not detect yet.
    pub fn new(options: CheckedOptions) -> Result<Self> {
        let features = FeatureList::new(&options.channels, options.window_ms)?;
        let plan = Arc::new(features.plan(options.channels.as_slice().len()));
        let gateway = Gateway {
            window: Window::planned(options.window_ms, &plan, MAX_GATEWAY_RECORDS),
            clock: GatewayClock::new(options.window_ms + options.lateness_ms),
            first_ms: None,
            last_hop_ms: None,
        };
        Ok(Self {
            devices: Devices::new(options.max_devices),
            parser: FastParser::new(&options.channels),
            values: Vec::new(),
            plan,
            options,
            features,
            splitter: LineSplitter::default(),
            gateway,
            device_detector: Detector::default(),
            gateway_detector: Detector::default(),
            detecting: false,
            counters: Counters::default(),
            block: Block::default(),
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
            self.read(chunk, line, line_end, arrival_ms, emit, &mut push);
        }
        self.put_out(chunk, &mut push);
        push.consumed_bytes = offset;
        push
    }

    /// Reads one line, by the fast way when it is plain, and takes what it says.
    fn read(
        &mut self,
        chunk: &[u8],
        line: &[u8],
        line_end: usize,
        arrival_ms: i64,
        emit: bool,
        push: &mut Push,
    ) {
        let mut values = std::mem::take(&mut self.values);
        let record;
        let head = match self.parser.parse(line, &mut values) {
            Some(head) => Ok(head),
            None => match canonical::parse(line, &self.options.channels) {
                Ok(read) => {
                    record = read;
                    values.clone_from(&record.values);
                    Ok(Head::of(&record))
                }
                Err(refusal) => Err(refusal),
            },
        };
        match head {
            Ok(head) => {
                let text = line_end - 1 - line.len()..line_end;
                if let Some(seen) = self.take(&head, &values, arrival_ms, emit, push) {
                    self.block.add(Seen { text, ..seen });
                }
            }
            Err(refusal) => self.counters.refuse(refusal),
        }
        self.values = values;
        if self.block.is_full() {
            self.put_out(chunk, push);
        }
    }

    /// Places one record in both windows; what is to be judged then, if anything.
    fn take(
        &mut self,
        head: &Head<'_>,
        values: &[f64],
        arrival_ms: i64,
        emit: bool,
        push: &mut Push,
    ) -> Option<Seen> {
        let time_ms = self.stamp(head.timestamp_ms, arrival_ms);
        let slot = self.join_device(head, values, time_ms)?;
        self.join_gateway(head, values, slot, arrival_ms);
        self.counters.records += 1;
        push.newest_ms = push.newest_ms.max(Some(time_ms));
        let hop_ms = self.options.hop_ms;
        let device = self.devices.at(slot);
        let device_due = is_due(&mut device.last_hop_ms, device.window.newest_ms(), hop_ms);
        let gateway_due = is_due(&mut self.gateway.last_hop_ms, self.gateway.window.newest_ms(), hop_ms);
        if emit { self.look(slot, time_ms, device_due, gateway_due) } else { None }
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
    fn join_device(&mut self, head: &Head<'_>, values: &[f64], time_ms: i64) -> Option<usize> {
        let (options, plan) = (&self.options, &self.plan);
        let new_window = || Window::planned(options.window_ms, plan, MAX_DEVICE_RECORDS).of_one_device();
        let (slot, evicted) = self.devices.touch(head.device, new_window);
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
        let overflowed = device.window.push(mark(head, time_ms, device.number), values);
        self.counters.window_overflow += u64::from(overflowed);
        Some(slot)
    }

    fn join_gateway(&mut self, head: &Head<'_>, values: &[f64], slot: usize, arrival_ms: i64) {
        let (gateway, device) = (&mut self.gateway, self.devices.at(slot));
        let newest_ms = device.window.newest_ms();
        let now_ms = gateway.clock.advance(newest_ms, arrival_ms, &mut device.offset);
        gateway.first_ms.get_or_insert(now_ms);
        let overflowed = gateway.window.push(mark(head, now_ms, device.number), values);
        self.counters.window_overflow += u64::from(overflowed);
    }

    /// Measures both windows as they are now, as far as they are scored or due.
    fn look(&mut self, slot: usize, time_ms: i64, device_due: bool, gateway_due: bool) -> Option<Seen> {
        let device = self.devices.at(slot);
        let (detecting, window_ms) = (self.detecting, self.options.window_ms);
        let shows_all = self.options.publish_records == PublishRecords::All;
        let state = |detector: &Detector, window: &Window, first_ms: Option<i64>| {
            let warm = first_ms.is_some_and(|first_ms| window.newest_ms() - first_ms >= window_ms);
            match detector.forest {
                _ if !warm => State::WarmingUp,
                None => State::Untrained,
                Some(_) if !detecting => State::Stopped,
                Some(_) => State::Scored,
            }
        };
        let own = state(&self.device_detector, &device.window, device.first_ms);
        let whole = state(&self.gateway_detector, &self.gateway.window, self.gateway.first_ms);
        let features = &self.features;
        let own = self.block.device.look(features, &device.window, own, device_due);
        let whole = self.block.gateway.look(features, &self.gateway.window, whole, gateway_due);
        let looks: [Option<Look>; 2] = [own, whole];
        let seen = || Seen { time_ms, device: Arc::clone(&device.name), looks, text: 0..0 };
        (shows_all || looks.iter().any(Option::is_some)).then(seen)
    }

    /// Scores what was collected and puts out what is due or suspect.
    fn put_out(&mut self, chunk: &[u8], push: &mut Push) {
        let mut block = std::mem::take(&mut self.block);
        let context = block::Context {
            chunk,
            options: &self.options,
            device: &self.device_detector,
            gateway: &self.gateway_detector,
        };
        block.put_out(&context, push);
        self.block = block;
    }
}

fn mark(head: &Head<'_>, time_ms: i64, device: u64) -> Mark {
    Mark { time_ms, device, error: head.error, server_error: head.server_error }
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
