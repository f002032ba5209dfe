//! What the adaptive baseline thinks of a record, and which detectors' opinions make a window suspect.
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
    /// What would have made it normal; only of a suspect after a normal record or a pause.
    pub normal_if: Option<Box<Change>>,
    /// A level that lasted became the normal one.
    pub level_shift: bool,
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
    names: Vec<(String, String)>,
    memory: Memory,
    /// False alert episodes per device and day.
    pub budget: f64,
    row: Vec<f32>,
    surprises: Vec<f64>,
}

/// An episode ends after so long without a suspect window.
const EPISODE_QUIET_MS: i64 = 10_000;

/// Default of [`BaselinePlan::budget`].
pub const DEFAULT_BUDGET: f64 = 0.2;

impl BaselinePlan {
    /// The record's channels, then whether it tells an error, then whether a server's.
    pub fn new(channels: &ChannelList) -> Self {
        let channels = channels.as_slice();
        let mut kinds: Vec<ChannelKind> = channels.iter().map(|channel| channel.kind).collect();
        kinds.extend([ChannelKind::Count; 2]);
        let own = channels.iter().map(|channel| (channel.name.clone(), channel.unit.clone()));
        let errors = ["errors", "server_errors"].map(|name| (name.to_owned(), String::new()));
        Self {
            kinds,
            names: own.chain(errors).collect(),
            memory: Memory::default(),
            budget: DEFAULT_BUDGET,
            row: Vec::new(),
            surprises: Vec::new(),
        }
    }

    /// Scores a record and takes it in. Not `fresh` (read again after a restart): one that the baseline has
    /// seen before is passed over.
    pub fn judge(
        &mut self,
        baseline: &mut DeviceBaseline,
        record: &RecordView<'_>,
        time_ms: i64,
        (fresh, max_reasons): (bool, usize),
    ) -> Option<Opinion> {
        if !fresh && baseline.has_learnt(time_ms) {
            return None;
        }
        self.row.clear();
        #[allow(clippy::cast_possible_truncation)] // Values are within ±1e12.
        self.row.extend(record.values.iter().map(|value| *value as f32));
        let flags = [record.head.error_code.is_some(), record.head.server_error];
        self.row.extend(flags.map(|flag| f32::from(u8::from(flag))));
        let last_ms = baseline.last_ms();
        let score = baseline.push(time_ms, &self.row, &self.kinds, self.memory, &mut self.surprises)?;
        let threshold = threshold_nats(baseline.records_per_day(), self.budget);
        let suspect = score.nats > threshold;
        // Where an episode may open: nobody asks later.
        let asked = suspect && !score.level_shift && {
            let paused = last_ms.is_none_or(|last_ms| time_ms - last_ms >= EPISODE_QUIET_MS);
            paused || baseline.previous_nats().is_none_or(|nats| nats <= threshold)
        };
        Some(Opinion {
            nats: score.nats,
            strangeness: score.strangeness,
            threshold,
            reasons: if suspect { self.reasons(baseline, max_reasons) } else { Vec::new() },
            normal_if: if asked { self.normal_if(baseline, threshold) } else { None },
            level_shift: score.level_shift,
        })
    }

    /// Values of a record that a baseline models.
    pub fn columns(&self) -> usize {
        self.kinds.len()
    }

    fn normal_if(&self, baseline: &DeviceBaseline, threshold: f64) -> Option<Box<Change>> {
        let (place, value) = baseline.nearest_normal(&self.row, &self.surprises, &self.kinds, threshold)?;
        let (feature, unit) = self.names[place].clone();
        Some(Box::new(Change { feature, unit, value, below: f64::from(self.row[place]) > value }))
    }

    fn reasons(&self, baseline: &DeviceBaseline, max_reasons: usize) -> Vec<Reason> {
        let shares = baseline.shares(&self.surprises);
        let mut order: Vec<usize> = (0..shares.len()).filter(|place| shares[*place] > 0.0).collect();
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]));
        order.truncate(max_reasons);
        let reason = |place: usize| {
            let expected = baseline.expected(place);
            let [median, p5, p95] =
                expected.map_or([f64::NAN; 3], |expected| [expected.median, expected.p5, expected.p95]);
            Reason {
                feature: self.names[place].0.clone(),
                unit: self.names[place].1.clone(),
                observed: f64::from(self.row[place]),
                median,
                p5,
                p95,
                share: shares[place],
            }
        };
        order.into_iter().map(reason).collect()
    }
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
