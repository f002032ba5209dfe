//! The channels: which fields of a record are measured, in which unit and how they are checked.
//!
//! Five are always there; a gateway may declare up to 64 more. Names are checked here once, so that
//! everything behind works from positions in the list.
use crate::error::{Error, Result};

/// Most channels that may be declared beyond the default five.
pub const MAX_DECLARED: usize = 64;
/// Largest magnitude of any measured value; more is no measurement, and squares stay finite.
pub const MAX_VALUE: f64 = 1e12;

/// Positions of the default channels.
pub const LATENCY: usize = 0;
pub const PACKET_LOSS: usize = 1;
pub const RETRIES: usize = 2;
pub const TRAFFIC: usize = 3;
pub const RESETS: usize = 4;
/// How many channels are always there.
pub const DEFAULT_COUNT: usize = 5;

const OTHER_FIELDS: [&str; 5] = ["timestamp", "device_id", "error_code", "is_anomaly", "anomaly_type"];

/// What kind of quantity a channel measures; it decides the statistics and the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// A level that goes up and down: mean, variance, maximum, 95th percentile.
    Gauge,
    /// A number of events, whole and not negative: mean, maximum, total, rate.
    Count,
}

impl ChannelKind {
    /// The kind's name as configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Count => "count",
        }
    }

    /// Reads a kind's name.
    pub fn from_name(name: &str) -> Result<Self> {
        match name {
            "gauge" => Ok(Self::Gauge),
            "count" => Ok(Self::Count),
            _ => Err(Error::new(format!("channel kind \"{name}\" is neither \"gauge\" nor \"count\""))),
        }
    }
}

/// One measured field.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Field name in a record.
    pub name: String,
    /// Unit for people, for example `ms`.
    pub unit: String,
    /// Gauge or count.
    pub kind: ChannelKind,
    /// Smallest accepted value.
    pub min: f64,
    /// Largest accepted value.
    pub max: f64,
}

/// All channels in order: the default five, then the declared ones.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelList(Vec<Channel>);

impl ChannelList {
    /// The default channels followed by `declared` ones, each given as name, unit and kind.
    pub fn new(declared: &[(String, String, ChannelKind)]) -> Result<Self> {
        if declared.len() > MAX_DECLARED {
            return Err(Error::new(format!("at most {MAX_DECLARED} channels may be declared")));
        }
        let mut list = default_channels();
        for (name, unit, kind) in declared {
            check_name(name, &list)?;
            check_unit(name, unit)?;
            // A declared level may well be negative (dBm, °C); a number of events may not.
            let min = if *kind == ChannelKind::Gauge { -MAX_VALUE } else { 0.0 };
            list.push(Channel { name: name.clone(), unit: unit.clone(), kind: *kind, min, max: MAX_VALUE });
        }
        Ok(Self(list))
    }

    /// The channels in order.
    pub fn as_slice(&self) -> &[Channel] {
        &self.0
    }

    /// Position of the channel called `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|channel| channel.name == name)
    }
}

fn default_channels() -> Vec<Channel> {
    use ChannelKind::{Count, Gauge};
    let channel = |name: &str, unit: &str, kind, max| Channel {
        name: name.to_owned(),
        unit: unit.to_owned(),
        kind,
        min: 0.0,
        max,
    };
    vec![
        channel("latency_ms", "ms", Gauge, MAX_VALUE),
        channel("packet_loss_pct", "%", Gauge, 100.0),
        channel("retry_count", "", Count, MAX_VALUE),
        channel("traffic_volume_mb", "MB", Gauge, MAX_VALUE),
        channel("connection_resets", "", Count, MAX_VALUE),
    ]
}

fn check_name(name: &str, taken: &[Channel]) -> Result<()> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > 64 || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letters) {
        return Err(Error::new(format!(
            "channel name \"{name}\" must be 1–64 of a–z, 0–9 and _, starting with a letter"
        )));
    }
    if OTHER_FIELDS.contains(&name) || taken.iter().any(|channel| channel.name == name) {
        return Err(Error::new(format!("channel name \"{name}\" is taken")));
    }
    Ok(())
}

fn check_unit(name: &str, unit: &str) -> Result<()> {
    if unit.chars().count() > 16 || unit.chars().any(char::is_control) {
        return Err(Error::new(format!(
            "unit of channel \"{name}\" must be at most 16 printable characters"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declare(name: &str, unit: &str) -> Result<ChannelList> {
        ChannelList::new(&[(name.to_owned(), unit.to_owned(), ChannelKind::Gauge)])
    }

    #[test]
    fn declared_channels_follow_the_default_five() {
        let list = declare("snr_db", "dB").unwrap();
        assert_eq!(list.position("snr_db"), Some(DEFAULT_COUNT));
        assert_eq!(list.position("latency_ms"), Some(LATENCY));
        assert_eq!(list.position("nope"), None);
    }

    #[test]
    fn bad_names_units_and_kinds_are_refused() {
        for name in ["", "A", "1a", "a-b", "latency_ms", "timestamp", "is_anomaly", &"a".repeat(65)] {
            assert!(declare(name, "").is_err(), "{name}");
        }
        assert!(declare("a", &"x".repeat(17)).is_err());
        assert!(declare("a", "\n").is_err());
        assert!(ChannelKind::from_name("meter").is_err());
        let many: Vec<_> = (0..65).map(|i| (format!("c{i}"), String::new(), ChannelKind::Count)).collect();
        assert!(ChannelList::new(&many).is_err());
        assert!(ChannelList::new(&many[..64]).is_ok());
    }
}
