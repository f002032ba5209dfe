//! What the hours of the day move in a channel: its values, their logarithms, or the rate of its events.
//!
//! What was always positive (latency, traffic) is multiplied by an hour, and its spread with it; where the spread stays,
//! the second model is a little too wide at the high hours and no worse. What may be negative or nothing has an hour
//! added. A count's spread follows from its rate, so that an hour multiplies the rate, and counts stay whole.
use super::channel::ChannelModel;
use super::tail::ln;
use crate::math::exp;

/// Offsets are in the values' own unit, or in logarithms of values or of rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame {
    Values,
    Logs,
    Rate,
}

impl Frame {
    /// What fits the channel; none while little is known, nor where values stick to one: there it is how often they
    /// leave it that has hours.
    pub fn of(model: &ChannelModel) -> Option<Self> {
        match model {
            ChannelModel::Starting(_) => None,
            ChannelModel::Level(level) if level.atom().is_some() => None,
            ChannelModel::Level(level) if level.is_positive() => Some(Self::Logs),
            ChannelModel::Level(_) => Some(Self::Values),
            ChannelModel::Events(_) => Some(Self::Rate),
        }
    }

    /// The frame of a number from a file; `None` when there is no such.
    pub fn of_number(number: u8) -> Option<Self> {
        [Self::Values, Self::Logs, Self::Rate].get(usize::from(number)).copied()
    }

    /// The number for a file.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// An offset is at most so large: far within what an exponential can take back, or what 32 bits hold.
    pub fn most_offset(self) -> f64 {
        if self == Self::Values { 1e38 } else { 250.0 }
    }

    /// Where a value lies; none for one that has no logarithm.
    pub fn point(self, value: f64) -> Option<f64> {
        match self {
            Self::Values | Self::Rate => Some(value),
            Self::Logs => (value > 0.0).then(|| ln(value)),
        }
    }

    /// Where a model's middle lies and how far its values spread around it; `None` while it knows too little.
    pub fn middle(self, model: &ChannelModel) -> Option<(f64, f64)> {
        match model {
            ChannelModel::Starting(_) => None,
            ChannelModel::Level(level) => Some(level.middle(self == Self::Logs)),
            ChannelModel::Events(events) => {
                let (mean, deviation) = events.middle();
                Some(if self == Self::Logs {
                    (ln(mean), deviation / mean.max(1e-9))
                } else {
                    (mean, deviation)
                })
            }
        }
    }

    /// A middle as it is in an hour with this offset.
    pub fn in_hour(self, middle: f64, offset: f64) -> f64 {
        if self == Self::Rate { middle * exp(offset) } else { middle + offset }
    }

    /// The offset with which one middle becomes the other; of rates, when both had so many events a record more.
    pub fn between(self, from: f64, to: f64, before: f64) -> f64 {
        if self == Self::Rate { ln((to + before) / (from + before)) } else { to - from }
    }

    /// A value less its hour's offset; counts stay what they are.
    pub fn without(self, value: f64, offset: f64) -> f64 {
        match self {
            Self::Values => value - offset,
            Self::Logs => value * exp(-offset),
            Self::Rate => value,
        }
    }

    /// The value of which [`Frame::without`] gave this one.
    pub fn with(self, value: f64, offset: f64) -> f64 {
        self.without(value, -offset)
    }

    /// A model of an hour's values as one of what is left without the hour's offset; `None` when it has another frame.
    pub fn model_without(self, model: &ChannelModel, offset: f64) -> Option<ChannelModel> {
        match (self, model) {
            (Self::Values, ChannelModel::Level(level)) => Some(ChannelModel::Level(level.lowered(offset))),
            (Self::Logs, ChannelModel::Level(level)) => {
                Some(ChannelModel::Level(level.scaled(exp(-offset), -offset)))
            }
            (Self::Rate, ChannelModel::Events(events)) => {
                Some(ChannelModel::Events(events.scaled(exp(-offset))))
            }
            _ => None,
        }
    }
}
