//! One channel's model: a first sample collected as it is, then a level or a rate of events.
use super::events::Events;
use super::level::{Expected, Level, median};
use super::memory::Memory;
use crate::channel::ChannelKind;

/// Values that a model starts from; fewer say nothing.
pub const FIRST_SAMPLE: usize = 30;
/// A count of so many a record is a quantity rather than a number of events: its level says more.
const MANY_EVENTS: f64 = 30.0;

/// What a channel of one device has lately been.
#[derive(Debug, Clone, PartialEq)]
pub enum ChannelModel {
    Starting(Vec<f32>),
    Level(Level),
    Events(Events),
}

impl Default for ChannelModel {
    fn default() -> Self {
        Self::Starting(Vec::new())
    }
}

impl ChannelModel {
    /// How improbable `value` is, in nats; `None` while too little is known.
    pub fn surprise(&self, value: f64) -> Option<f64> {
        match self {
            Self::Starting(_) => None,
            Self::Level(level) => Some(level.surprise(value)),
            Self::Events(events) => Some(events.surprise(value, 1.0)),
        }
    }

    /// Takes a value in, with a weight of 0–1.
    pub fn learn(&mut self, value: f32, weight: f64, kind: ChannelKind, memory: Memory) {
        match self {
            Self::Starting(sample) => {
                sample.push(value);
                if sample.len() >= FIRST_SAMPLE {
                    let sample: Vec<f64> = sample.iter().map(|value| f64::from(*value)).collect();
                    *self = Self::of(&sample, kind, memory);
                }
            }
            Self::Level(level) => level.learn(f64::from(value), weight, memory),
            Self::Events(events) => events.learn(f64::from(value), weight, 1.0, memory),
        }
    }

    /// What is expected next; `None` while too little is known.
    pub fn expected(&self) -> Option<Expected> {
        match self {
            Self::Starting(_) => None,
            Self::Level(level) => Some(level.expected()),
            Self::Events(events) => Some(events.expected()),
        }
    }

    /// The same as if no more than so many values had shown it.
    pub(super) fn known_by(self, values: usize) -> Self {
        #[allow(clippy::cast_precision_loss)] // A few dozen.
        let values = values as f64;
        match self {
            Self::Starting(sample) => Self::Starting(sample),
            Self::Level(level) => Self::Level(level.known_by(values)),
            Self::Events(events) => Self::Events(events.known_by(values)),
        }
    }

    fn of(sample: &[f64], kind: ChannelKind, memory: Memory) -> Self {
        if kind == ChannelKind::Count && median(sample) < MANY_EVENTS {
            return Self::Events(Events::of(sample, memory));
        }
        Self::Level(Level::of(sample))
    }
}
