//! Bytes in, scored windows out: the one pass that joins parser, windows, features and forests.
//!
//! Every record is scored on arrival in its device's window and in the gateway's; output is thinned to
//! one quiet window per hop and scope, and a suspect one is always put out. Nothing here reads a clock
//! or a file. A line costs no memory once the windows have their size; only what is put out does.
pub mod counters;
mod held;
mod intake;
mod judge;
pub mod late;
pub mod opinion;
pub mod options;
pub mod output;
pub mod own_tail;
mod scorer;
mod storm;

use crate::baseline::codec;
use crate::error::{Error, Result};
use crate::feature::FeatureList;
use crate::forest::Forest;
use crate::forest::change::Change;
use crate::format;
use crate::format::registry::{Formats, Taken};
use crate::format::sample::{Refused, Sample};
use crate::format::survey::{LineTime, Survey};
use crate::format::time::heard::Heard;
use crate::format::time::order::DateOrder;
use crate::parse::Refusal;
use crate::parse::canonical::LineReader;
use crate::parse::lines::{Line, MAX_LINE_BYTES};
use counters::Counters;
pub use intake::{MAX_AHEAD_MS, MAX_DEVICE_RECORDS, MAX_GATEWAY_RECORDS};
use late::LateExample;
use opinion::Active;
use options::CheckedOptions;
use output::{Push, Scope};
use own_tail::FleetTail;
use scorer::{Arrival, Scorer};

/// The engine of one gateway.
#[derive(Debug)]
pub struct Engine {
    reader: LineReader,
    formats: Formats,
    refused: Sample,
    scorer: Scorer,
}

impl Engine {
    /// An engine that has seen nothing and does not detect yet.
    pub fn new(options: CheckedOptions) -> Result<Self> {
        let features = FeatureList::new(&options.channels, options.window_ms)?;
        Ok(Self {
            reader: LineReader::new(&options.channels),
            formats: Formats::new(&options.channels),
            refused: Sample::default(),
            scorer: Scorer::new(options, features),
        })
    }

    /// The checked options.
    pub fn options(&self) -> &CheckedOptions {
        &self.scorer.options
    }

    /// The features in order.
    pub fn features(&self) -> &FeatureList {
        &self.scorer.features
    }

    /// What was counted so far.
    pub fn counters(&self) -> &Counters {
        &self.scorer.counters
    }

    /// How many devices are known.
    pub fn devices(&self) -> usize {
        self.scorer.devices()
    }

    /// Puts a forest in use, or none; one with another fingerprint is refused and the old one stays.
    pub fn set_forest(&mut self, scope: Scope, forest: Option<Forest>) -> Result<()> {
        if let Some(forest) = &forest {
            let features = self.features();
            let (own, other) = (features.fingerprint(), forest.fingerprint());
            if own != other || forest.features().len() != features.as_slice().len() {
                return Err(Error::new(format!(
                    "the forest was made from features {other}, this engine has {own}: train it anew"
                )));
            }
        }
        self.scorer.detector(scope).forest = forest;
        self.scorer.detector(scope).own.forget_all();
        Ok(())
    }

    /// Sets the score above which a window is suspect; `None`: none is.
    pub fn set_threshold(&mut self, scope: Scope, threshold: Option<f64>) -> Result<()> {
        if threshold.is_some_and(|threshold| !threshold.is_finite()) {
            return Err(Error::new("the threshold must be a finite number"));
        }
        self.scorer.detector(scope).threshold = threshold;
        Ok(())
    }

    /// With it, devices get thresholds of their own once they have shown enough windows; the set one counts
    /// for the others. `None`: for all.
    pub fn set_fleet_tail(&mut self, fleet: Option<FleetTail>) {
        self.scorer.detector(Scope::Device).own.set_fleet(fleet);
    }

    /// The smallest change of one feature that would make a window normal to the scope's forest; `None` when
    /// there is none, or nothing to compare with. `features` are in the engine's order, NaN is unknown;
    /// `threshold` is what it was held against, the scope's when `None`.
    pub fn smallest_change(
        &mut self,
        scope: Scope,
        features: &[f64],
        threshold: Option<f64>,
    ) -> Option<Change> {
        let columns = self.features().as_slice().len();
        let detector = self.scorer.detector(scope);
        let (forest, threshold) = (detector.forest.as_ref()?, threshold.or(detector.threshold)?);
        if features.len() == columns { forest.smallest_change(features, threshold) } else { None }
    }

    /// Switches detection on or off; windows go on either way.
    pub fn set_detecting(&mut self, detecting: bool) {
        self.scorer.detecting = detecting;
    }

    /// Chooses whose suspicion counts; the others go on scoring.
    pub fn set_active(&mut self, active: Active) {
        self.scorer.active = active;
    }

    /// Sets the alert budget: false alert episodes per device and day, above 0 and at most 10,000.
    pub fn set_budget(&mut self, budget: f64) -> Result<()> {
        if !(budget > 0.0 && budget <= 10_000.0) {
            return Err(Error::new("the budget must be above 0 and at most 10,000 a day"));
        }
        self.scorer.baseline.budget = budget;
        Ok(())
    }

    /// What the adaptive baselines of all devices know, to be given back after a restart.
    pub fn save_baselines(&self) -> Vec<u8> {
        let columns = self.scorer.baseline.columns();
        codec::to_bytes(self.features().fingerprint(), columns, self.scorer.intake.baselines())
    }

    /// Gives back what [`Engine::save_baselines`] gave; how many devices are known by it. Refuses damage and
    /// what other channels gave, and nothing has changed then.
    pub fn load_baselines(&mut self, bytes: &[u8]) -> Result<usize> {
        let columns = self.scorer.baseline.columns();
        let devices = codec::from_bytes(bytes, self.features().fingerprint(), columns)?;
        let count = devices.len();
        for (name, baseline) in devices {
            let slot = self.scorer.recall(&name);
            self.scorer.intake.device(slot).baseline = baseline;
        }
        Ok(count)
    }

    /// What is rare for each device by the forest in use, to be given back after a restart; `None` without a
    /// forest.
    pub fn save_own_tails(&self) -> Option<Vec<u8>> {
        let detector = &self.scorer.device_detector;
        let forest = detector.forest.as_ref()?;
        Some(own_tail::codec::to_bytes(&forest.digest(), detector.own.known(self.scorer.intake.names())))
    }

    /// Gives back what [`Engine::save_own_tails`] gave; of how many devices. Refuses damage and what another
    /// forest's scores gave, and nothing has changed then.
    pub fn load_own_tails(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(forest) = &self.scorer.device_detector.forest else {
            return Err(Error::new("there is no forest whose scores these could be"));
        };
        let devices = own_tail::codec::from_bytes(bytes, &forest.digest())?;
        let count = devices.len();
        for (name, tail) in devices {
            let slot = self.scorer.recall(&name);
            self.scorer.device_detector.own.restore(slot, tail);
        }
        Ok(count)
    }

    /// Adds a format by its definition (see [`crate::format`]); its number for [`Engine::push_format`].
    pub fn add_format(&mut self, definition: &str) -> Result<u32> {
        self.formats.add(definition)
    }

    /// Forgets a format; its number may be given again.
    pub fn remove_format(&mut self, format: u32) -> Result<()> {
        self.formats.remove(format)
    }

    /// Refused lines since the last call, a few a reason.
    pub fn refused_sample(&mut self) -> Vec<Refused> {
        self.refused.take()
    }

    /// One example of each kind of late records since the last call.
    pub fn late_sample(&mut self) -> Vec<LateExample> {
        self.scorer.counters.late_sample.take()
    }

    /// Looks at lines of a format's stream before they are read, `anew` or in addition to those before; the time of
    /// each line. Whole lines only. Nothing reaches the windows.
    pub fn survey(
        &mut self,
        chunk: &[u8],
        format: u32,
        context: format::Context<'_>,
        anew: bool,
    ) -> Result<(&Survey, Vec<LineTime>)> {
        self.formats.check(format)?;
        let survey = self.formats.survey(format, anew);
        let lines = chunk.split_inclusive(|byte| *byte == b'\n');
        let times = lines.map(|line| match line.strip_suffix(b"\n").unwrap_or(line) {
            line if line.len() > MAX_LINE_BYTES || line.trim_ascii().is_empty() => LineTime::Nothing,
            line => survey.add(line, &context),
        });
        let times = times.collect();
        Ok((survey, times))
    }

    /// Takes over what a survey found: the order of dates in numbers, and the time of the first line that has one,
    /// for those before it.
    pub fn expect(&mut self, format: u32, order: Option<DateOrder>, first: Option<Heard>) -> Result<()> {
        self.formats.check(format)?;
        self.formats.expect(format, order, first);
        Ok(())
    }

    /// Takes a chunk of canonical lines; with `emit` false only the windows and hops are brought up to date.
    pub fn push(&mut self, chunk: &[u8], arrival_ms: i64, emit: bool) -> Push {
        let context = format::Context::new(arrival_ms, None);
        self.push_format(chunk, 0, context, emit).expect("canonical lines are always read")
    }

    /// Takes a chunk of a format's lines. Each stream that is cut into chunks needs a format of its own.
    pub fn push_format(
        &mut self,
        chunk: &[u8],
        format: u32,
        context: format::Context<'_>,
        emit: bool,
    ) -> Result<Push> {
        self.formats.check(format)?;
        let canonical = self.formats.is_canonical(format);
        let mut push = Push::default();
        let mut offset = 0;
        while let Some(line) = self.formats.splitter(format).next(chunk, &mut offset) {
            match line {
                Line::TooLong => {
                    self.scorer.counters.lines += 1;
                    self.scorer.counters.too_long += 1;
                }
                Line::Whole(line, _) if line.trim_ascii_start().is_empty() => {}
                Line::Whole(line, line_end) => {
                    self.scorer.counters.lines += 1;
                    let time_ms = context.arrival_ms;
                    let source = self.formats.time(format);
                    let arrival = Arrival { time_ms, line_end, emit, rebooted: false, source };
                    if !canonical {
                        self.take_formatted(line, format, &context, arrival, &mut push);
                        continue;
                    }
                    match self.reader.read(line) {
                        Ok(record) => {
                            if let Some(time_ms) = record.head.timestamp_ms {
                                self.formats.hear(format, Heard { time_ms, arrival_ms: arrival.time_ms });
                            }
                            self.scorer.take(&record, arrival, &mut push);
                        }
                        Err(refusal) => {
                            self.scorer.counters.refuse(refusal);
                            self.refused.add(refusal, false, format, line);
                        }
                    }
                }
            }
        }
        self.scorer.put_out(&mut push);
        push.consumed_bytes = offset;
        Ok(push)
    }

    /// Takes a line that may give several records, or none.
    fn take_formatted(
        &mut self,
        line: &[u8],
        format: u32,
        context: &format::Context<'_>,
        arrival: Arrival,
        push: &mut Push,
    ) {
        let mut next = Some(self.formats.read(format, line, context));
        while let Some(read) = next {
            self.take_read(read, line, format, arrival, push);
            next = self.formats.more(format, context);
            // Each further record of a document counts as a line.
            self.scorer.counters.lines += u64::from(next.is_some());
        }
    }

    /// Takes what came of a line, or of one record of it.
    fn take_read(
        &mut self,
        read: std::result::Result<Taken, Refusal>,
        line: &[u8],
        format: u32,
        arrival: Arrival,
        push: &mut Push,
    ) {
        let taken = match read {
            Ok(taken) => taken,
            Err(refusal) => {
                self.scorer.counters.refuse(refusal);
                return self.refused.add(refusal, false, format, line);
            }
        };
        if let Some(cell) = taken.refused_cell {
            self.scorer.counters.refuse_cell(cell);
            self.refused.add(cell, true, format, line);
        }
        self.scorer.counters.skipped += u64::from(taken.records == 0);
        self.scorer.counters.unsynchronised += u64::from(taken.unsynchronised);
        self.scorer.counters.expanded += u64::from(taken.records.saturating_sub(1));
        if let Some(time_ms) = taken.last_ms {
            self.formats.hear(format, Heard { time_ms, arrival_ms: arrival.time_ms });
        }
        let arrival = Arrival { rebooted: taken.rebooted, ..arrival };
        for place in 0..taken.records {
            self.scorer.take(&self.formats.record(taken.time_ms(place)), arrival, push);
        }
    }
}
