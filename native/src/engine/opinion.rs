//! What the adaptive baseline thinks of a record, and which detectors' opinions make a window suspect.
use super::storm::{EventName, Found, event_reason};
use crate::baseline::tail::ln;
use crate::baseline::{DeviceBaseline, Memory, threshold_nats};
use crate::channel::{ChannelKind, ChannelList};
use crate::error::{Error, Result};
use crate::forest::change::Change;
use crate::forest::explain::Reason;
use crate::parse::RecordView;

/// Which detector alarms. The others go on scoring beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Active {
    IsolationForest,
    AdaptiveBaseline,
    /// The collector's: the edge's own detectors go on telling what they suspect, all of them.
    Autoencoder,
    #[default]
    Ensemble,
}

impl Active {
    /// Reads a detector's name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "isolation_forest" => Ok(Self::IsolationForest),
            "adaptive_baseline" => Ok(Self::AdaptiveBaseline),
            "autoencoder" => Ok(Self::Autoencoder),
            "ensemble" => Ok(Self::Ensemble),
            _ => Err(Error::new(format!("there is no detector \"{name}\""))),
        }
    }

    /// Whether the forest's suspicion makes a window suspect.
    pub fn hears_forest(self) -> bool {
        self != Self::AdaptiveBaseline
    }

    /// Whether the baseline's does.
    pub fn hears_baseline(self) -> bool {
        self != Self::IsolationForest
    }
}

/// What the baseline thinks of one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// −ln of the probability that a normal record is at least as strange.
    pub nats: f64,
    /// How strange the last records are among the device's own, in nats: for ranking.
    pub strangeness: f64,
    pub threshold: f64,
    /// The strangest channels first; only when suspect.
    pub reasons: Vec<Reason>,
    /// What would have made it normal; only of a suspect after a normal record or a pause, or that is much stranger.
    pub normal_if: Option<Box<Change>>,
    /// A level that lasted became the normal one.
    pub level_shift: bool,
    /// Events come too often: what is suspect is over when nothing comes for so long, s; 0 without.
    pub hold_seconds: f64,
}

impl Opinion {
    /// Over its threshold.
    pub fn is_suspect(&self) -> bool {
        self.nats > self.threshold
    }
}

/// The baseline's plan: channels, budget, and memory that is used again record after record.
#[derive(Debug)]
pub struct BaselinePlan {
    kinds: Vec<ChannelKind>,
    columns: Vec<Column>,
    memory: Memory,
    max_reasons: usize,
    /// False alert episodes per device and day.
    pub budget: f64,
    row: Vec<f32>,
    surprises: Vec<f64>,
    event: EventName,
}

/// What is said of a value of a record.
#[derive(Debug)]
struct Column {
    name: String,
    unit: String,
    min: f64,
    max: f64,
}

/// A pause of so long ends an episode.
const EPISODE_QUIET_MS: i64 = 10_000;

/// Default of [`BaselinePlan::budget`].
pub const DEFAULT_BUDGET: f64 = 0.2;

/// A record is asked what would have made it normal when it is the first strange one, or so many times as strange as
/// the one asked last: whoever tells of an episode tells of such a one.
const TELLING_TIMES: f64 = 1.25;

/// Whether a record tells an error, and whether a server's, behind its channels.
const ERRORS: [&str; 2] = ["errors", "server_errors"];

impl BaselinePlan {
    /// The record's channels, then whether it tells an error, then whether a server's.
    pub fn new(channels: &ChannelList, max_reasons: usize) -> Self {
        let channels = channels.as_slice();
        let mut kinds: Vec<ChannelKind> = channels.iter().map(|channel| channel.kind).collect();
        kinds.extend([ChannelKind::Count; 2]);
        let own = channels.iter().map(|channel| Column {
            name: channel.name.clone(),
            unit: channel.unit.clone(),
            min: channel.min,
            max: channel.max,
        });
        let flag = |name: &str| Column { name: name.to_owned(), unit: String::new(), min: 0.0, max: 1.0 };
        Self {
            kinds,
            columns: own.chain(ERRORS.map(flag)).collect(),
            memory: Memory::default(),
            max_reasons,
            budget: DEFAULT_BUDGET,
            row: Vec::new(),
            surprises: Vec::new(),
            event: EventName::default(),
        }
    }

    /// Scores a record and takes it in. `rebooted`: its line tells that its device began anew.
    pub fn judge(
        &mut self,
        baseline: &mut DeviceBaseline,
        record: &RecordView<'_>,
        time_ms: i64,
        rebooted: bool,
    ) -> Option<Opinion> {
        self.row.clear();
        #[allow(clippy::cast_possible_truncation)] // Values are within ±1e12.
        self.row.extend(record.values.iter().map(|value| *value as f32));
        let flags = [record.head.error_code.is_some(), record.head.server_error];
        self.row.extend(flags.map(|flag| f32::from(u8::from(flag))));
        let last_ms = baseline.last_ms();
        let event = if rebooted { None } else { self.event.of(record) };
        let settled = baseline.rates.see(time_ms, event);
        let score = baseline.push(time_ms, &self.row, &self.kinds, self.memory, &mut self.surprises);
        let records_nats = ln(baseline.records_per_day());
        let threshold = threshold_nats(baseline.records_per_day(), self.budget);
        let mut storms = baseline.rates.storms();
        storms.retain(|storm| storm.nats + records_nats > threshold);
        if score.is_none() && storms.is_empty() {
            return None;
        }
        let level_shift = settled || storms.is_empty() && score.is_some_and(|score| score.level_shift);
        let hold_seconds = storms.iter().map(|storm| storm.hold_s).fold(0.0, f64::max);
        // A storm that holds keeps its episode open; suspect is only a record that tells one more of its events.
        let event = self.event.last().filter(|_| !rebooted);
        let place = event.and_then(|event| baseline.rates.place(event));
        if storms.iter().all(|storm| Some(storm.place) != place) {
            storms.clear();
        }
        let by_record = score.map_or(0.0, |score| score.nats);
        let by_events = storms.first().map_or(0.0, |storm| storm.nats + records_nats);
        let found = Found { threshold, records_nats, by_record, storms };
        let nats = by_record.max(by_events);
        let suspect = nats > threshold;
        let paused = last_ms.is_none_or(|last_ms| time_ms - last_ms >= EPISODE_QUIET_MS);
        let asked = suspect && !level_shift && is_telling(baseline, nats / threshold, paused);
        if !suspect {
            baseline.asked_ratio = 0.0;
        }
        Some(Opinion {
            nats,
            strangeness: score.map_or(0.0, |score| score.strangeness),
            threshold,
            reasons: if suspect { self.reasons(baseline, &found) } else { Vec::new() },
            normal_if: if asked { self.normal_if(baseline, &found) } else { None },
            level_shift,
            hold_seconds,
        })
    }

    /// Values of a record that a baseline models.
    pub fn columns(&self) -> usize {
        self.kinds.len()
    }

    /// By the events if they alone make it strange, else by the record alone.
    fn normal_if(&self, baseline: &DeviceBaseline, found: &Found) -> Option<Box<Change>> {
        if let Some(storm) = found.storms.first() {
            let change = || found.most_normal(&baseline.rates, storm.place);
            return (!found.is_strange_record()).then(change).map(Box::new);
        }
        let threshold = found.threshold;
        let (place, value) = baseline.nearest_normal(&self.row, &self.surprises, &self.kinds, threshold)?;
        let Column { name, unit, .. } = &self.columns[place];
        let (feature, unit, below) = (name.clone(), unit.clone(), f64::from(self.row[place]) > value);
        Some(Box::new(Change { feature, unit, value, below, seconds: None }))
    }

    /// Events that come too often first, then what is strange about the record; its error goes by its name.
    fn reasons(&self, baseline: &DeviceBaseline, found: &Found) -> Vec<Reason> {
        let mut reasons = found.event_reasons(&baseline.rates);
        if found.is_strange_record() {
            let shares = baseline.shares(&self.surprises);
            let mut order: Vec<usize> = (0..shares.len()).filter(|place| shares[*place] > 0.0).collect();
            order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
            for place in order {
                let share = shares[place] * found.record_share();
                let reason = self.named_error(baseline, place, share);
                let reason = reason.unwrap_or_else(|| self.reason(baseline, place, share));
                if reasons.iter().all(|other| other.feature != reason.feature) {
                    reasons.push(reason);
                }
            }
        }
        reasons.truncate(self.max_reasons);
        reasons
    }

    fn reason(&self, baseline: &DeviceBaseline, place: usize, share: f64) -> Reason {
        let Column { name, unit, min, max } = &self.columns[place];
        let expected = baseline.expected(place);
        let [median, p5, p95] =
            expected.map_or([f64::NAN; 3], |expected| [expected.median, expected.p5, expected.p95]);
        let (p5, p95) = if p5.is_nan() { (p5, p95) } else { (p5.clamp(*min, *max), p95.clamp(*min, *max)) };
        let observed = f64::from(self.row[place]);
        Reason { feature: name.clone(), unit: unit.clone(), observed, median, p5, p95, share, event: None }
    }

    /// The reason of an error that has a name.
    fn named_error(&self, baseline: &DeviceBaseline, place: usize, share: f64) -> Option<Reason> {
        let is_error = place + ERRORS.len() >= self.columns.len() && self.row[place] > 0.0;
        let event = self.event.last().filter(|_| is_error)?;
        Some(event_reason(baseline.rates.rate(baseline.rates.place(event)?), share))
    }
}

/// Whether what would have made it normal is asked of this strange record, see [`TELLING_TIMES`].
#[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
fn is_telling(baseline: &mut DeviceBaseline, ratio: f64, paused: bool) -> bool {
    let telling = paused || ratio > TELLING_TIMES * f64::from(baseline.asked_ratio);
    if telling {
        baseline.asked_ratio = ratio as f32;
    }
    telling
}

/// The reasons of several detectors for one window: the forest's features and the baseline's channels in
/// turn, each detector's strongest first.
pub fn joined(forest: Vec<Reason>, baseline: &[Reason], max_reasons: usize) -> Vec<Reason> {
    let mut joined = Vec::new();
    let (mut forest, mut baseline) = (forest.into_iter(), baseline.iter().cloned());
    while joined.len() < max_reasons {
        let (first, second) = (baseline.next(), forest.next());
        if first.is_none() && second.is_none() {
            break;
        }
        joined.extend(first);
        joined.extend(second);
    }
    joined.truncate(max_reasons);
    joined
}
