//! The features: which statistic of which channel stands at which place, and the list's fingerprint.
//!
//! The nineteen defaults come first in a fixed order, then each declared channel's statistics. A model
//! carries the fingerprint, and one made from another list or window length is refused.
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::channel::{self, Channel, ChannelKind, ChannelList};
use crate::error::{Error, Result};
use crate::window::Window;
use crate::window::plan::Plan;

/// Version of the feature list; a change of any formula raises it.
pub const FEATURE_VERSION: u32 = 1;

/// A statistic over the known values of one channel in a window. Their order is that of
/// [`Window::write_statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// Largest value.
    Max,
    /// 95th percentile by linear interpolation.
    P95,
    /// Largest minus smallest value.
    Delta,
    /// Arithmetic mean.
    Mean,
    /// Sample variance (n − 1); unknown for fewer than two values.
    Variance,
    /// Sum.
    Total,
    /// Share of records with a value above 0.
    Rate,
}

impl Statistic {
    /// How many there are.
    pub const COUNT: usize = 7;
}

/// Where a feature's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A statistic of the channel at this position.
    Channel(usize, Statistic),
    /// Share of records with an error code.
    ErrorRate,
    /// Share of records with an error code of 500 or more.
    ServerErrorRate,
    /// Records per second of window.
    Frequency,
    /// Distinct devices.
    Diversity,
}

/// One feature: name, unit and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Name, unique in the list.
    pub name: String,
    /// Unit for people.
    pub unit: String,
    source: Source,
}

/// The features in order with their fingerprint.
#[derive(Debug, Clone)]
pub struct FeatureList {
    features: Vec<Feature>,
    /// Of each feature, where its value stands in a table of all statistics of all channels and, behind
    /// them, what is of whole records.
    places: Vec<usize>,
    channels: usize,
    fingerprint: String,
    window_ms: i64,
}

impl FeatureList {
    /// The features of `channels` over windows of `window_ms`.
    pub fn new(channels: &ChannelList, window_ms: i64) -> Result<Self> {
        let mut features = default_features();
        for (index, channel) in channels.as_slice().iter().enumerate().skip(channel::DEFAULT_COUNT) {
            push_declared(&mut features, index, channel);
        }
        check_unique(&features)?;
        let fingerprint = fingerprint(&features, window_ms);
        let channels = channels.as_slice().len();
        let places = features.iter().map(|feature| place(feature.source, channels)).collect();
        Ok(Self { features, places, channels, fingerprint, window_ms })
    }

    /// The features in order.
    pub fn as_slice(&self) -> &[Feature] {
        &self.features
    }

    /// Sixteen hex digits that stand for names, units, order, version and window length.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What windows have to keep for these features.
    pub fn plan(&self) -> Plan {
        let statistic = |feature: &Feature| match feature.source {
            Source::Channel(channel, statistic) => Some((channel, statistic)),
            _ => None,
        };
        Plan::of(self.channels, self.features.iter().filter_map(statistic))
    }

    /// Writes the features of `window` into `out`; what cannot be known is NaN.
    pub fn measure(&self, window: &Window, out: &mut Vec<f64>) {
        out.clear();
        self.measure_more(window, &mut Vec::new(), out);
    }

    /// The same, added to what `out` holds; `table` is working space, to be handed in again.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)] // Counts are at most 65,536.
    pub fn measure_more(&self, window: &Window, table: &mut Vec<f64>, out: &mut Vec<f64>) {
        let statistics = Statistic::places(self.channels);
        table.resize(statistics + OF_RECORDS, f64::NAN);
        window.write_statistics(&mut table[..statistics]);
        // Signed numbers are converted by one instruction.
        let [records, devices] = [window.len(), window.devices()].map(|count| count as i64 as f64);
        let errors = [window.errors(), window.server_errors()].map(|count| f64::from(count) / records);
        let of_records = [errors[0], errors[1], records * 1000.0 / self.window_ms as f64, devices];
        table[statistics..].copy_from_slice(&of_records);
        out.extend(self.places.iter().map(|&place| table[place]));
    }
}

/// Values of whole records, of no channel.
const OF_RECORDS: usize = 4;

/// Where a value stands in the table.
fn place(source: Source, channels: usize) -> usize {
    let of_records = Statistic::places(channels);
    match source {
        Source::Channel(channel, statistic) => statistic.place(channel, channels),
        Source::ErrorRate => of_records,
        Source::ServerErrorRate => of_records + 1,
        Source::Frequency => of_records + 2,
        Source::Diversity => of_records + 3,
    }
}

fn default_features() -> Vec<Feature> {
    use Statistic::{Delta, Max, Mean, P95, Rate, Total, Variance};
    use channel::{LATENCY, PACKET_LOSS, RESETS, RETRIES, TRAFFIC};
    let of = Source::Channel;
    [
        ("latency_mean", "ms", of(LATENCY, Mean)),
        ("latency_variance", "ms²", of(LATENCY, Variance)),
        ("latency_max", "ms", of(LATENCY, Max)),
        ("latency_p95", "ms", of(LATENCY, P95)),
        ("packet_loss_mean", "%", of(PACKET_LOSS, Mean)),
        ("packet_loss_max", "%", of(PACKET_LOSS, Max)),
        ("packet_loss_variance", "%²", of(PACKET_LOSS, Variance)),
        ("retry_mean", "", of(RETRIES, Mean)),
        ("retry_max", "", of(RETRIES, Max)),
        ("retry_rate", "", of(RETRIES, Rate)),
        ("error_rate", "", Source::ErrorRate),
        ("server_error_rate", "", Source::ServerErrorRate),
        ("traffic_mean", "MB", of(TRAFFIC, Mean)),
        ("traffic_variance", "MB²", of(TRAFFIC, Variance)),
        ("traffic_delta", "MB", of(TRAFFIC, Delta)),
        ("resets_mean", "", of(RESETS, Mean)),
        ("resets_total", "", of(RESETS, Total)),
        ("log_frequency", "1/s", Source::Frequency),
        ("device_diversity", "", Source::Diversity),
    ]
    .into_iter()
    .map(|(name, unit, source)| Feature { name: name.to_owned(), unit: unit.to_owned(), source })
    .collect()
}

fn push_declared(features: &mut Vec<Feature>, index: usize, channel: &Channel) {
    use Statistic::{Max, Mean, P95, Rate, Total, Variance};
    let unit = channel.unit.clone();
    let statistics = match channel.kind {
        ChannelKind::Gauge => {
            let squared = if unit.is_empty() { String::new() } else { format!("{unit}²") };
            [
                ("mean", unit.clone(), Mean),
                ("variance", squared, Variance),
                ("max", unit.clone(), Max),
                ("p95", unit, P95),
            ]
        }
        ChannelKind::Count => [
            ("mean", unit.clone(), Mean),
            ("max", unit.clone(), Max),
            ("total", unit, Total),
            ("rate", String::new(), Rate),
        ],
    };
    features.extend(statistics.into_iter().map(|(suffix, unit, statistic)| Feature {
        name: format!("{}_{suffix}", channel.name),
        unit,
        source: Source::Channel(index, statistic),
    }));
}

fn check_unique(features: &[Feature]) -> Result<()> {
    for (index, feature) in features.iter().enumerate() {
        if features[..index].iter().any(|earlier| earlier.name == feature.name) {
            return Err(Error::new(format!("two channels make a feature called \"{}\"", feature.name)));
        }
    }
    Ok(())
}

/// SHA-256 over one line for version and window length and one per feature, first eight bytes in hex.
fn fingerprint(features: &[Feature], window_ms: i64) -> String {
    let mut text = format!("lineheron features {FEATURE_VERSION}\nwindow_ms {window_ms}\n");
    for feature in features {
        let _ = writeln!(text, "{}\t{}", feature.name, feature.unit);
    }
    Sha256::digest(text.as_bytes()).iter().take(8).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(declared: &[(&str, &str, ChannelKind)], window_ms: i64) -> Result<FeatureList> {
        let owned: Vec<_> =
            declared.iter().map(|(n, u, k)| ((*n).to_owned(), (*u).to_owned(), *k)).collect();
        FeatureList::new(&ChannelList::new(&owned)?, window_ms)
    }

    #[test]
    fn nineteen_defaults_come_first_and_declared_channels_append_theirs() {
        let features =
            list(&[("snr_db", "dB", ChannelKind::Gauge), ("attach", "", ChannelKind::Count)], 30_000);
        let features = features.unwrap();
        let names: Vec<&str> = features.as_slice().iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names[0], "latency_mean");
        assert_eq!(names[18], "device_diversity");
        assert_eq!(names[19..23], ["snr_db_mean", "snr_db_variance", "snr_db_max", "snr_db_p95"]);
        assert_eq!(names[23..], ["attach_mean", "attach_max", "attach_total", "attach_rate"]);
        assert_eq!(features.as_slice()[20].unit, "dB²");
    }

    #[test]
    fn the_fingerprint_is_pinned_and_changes_with_window_names_and_units() {
        let base = list(&[], 30_000).unwrap();
        assert_eq!(base.fingerprint(), "59dd2e9c1d7c38b0");
        let others = [
            list(&[], 31_000).unwrap(),
            list(&[("a", "x", ChannelKind::Gauge)], 30_000).unwrap(),
            list(&[("a", "y", ChannelKind::Gauge)], 30_000).unwrap(),
            list(&[("b", "y", ChannelKind::Gauge)], 30_000).unwrap(),
        ];
        let mut seen = vec![base.fingerprint().to_owned()];
        for other in &others {
            assert!(!seen.contains(&other.fingerprint().to_owned()));
            seen.push(other.fingerprint().to_owned());
        }
    }

    #[test]
    fn channels_that_would_make_the_same_feature_twice_are_refused() {
        assert!(list(&[("latency", "ms", ChannelKind::Gauge)], 30_000).is_err());
    }
}
