//! The engine's options: given raw, checked once; only checked ones make an engine.
use crate::channel::{ChannelKind, ChannelList};
use crate::error::{Error, Result};

/// Which records are put out beside the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishRecords {
    None,
    /// Those whose device window is suspect.
    Anomalous,
    All,
}

/// Options as given.
#[derive(Debug, Clone)]
pub struct Options {
    /// Window length, 1–3,600 s.
    pub window_seconds: f64,
    /// How much later than a device's newest record another may come, 0–3,600 s.
    pub lateness_seconds: f64,
    /// Quiet windows are put out at most this often, 0–3,600 s of event time; 0 puts out every one.
    pub hop_seconds: f64,
    /// Channels beyond the default five: name, unit, kind.
    pub channels: Vec<(String, String, String)>,
    /// `none`, `anomalous` or `all`.
    pub publish_records: String,
    /// Most devices known at once, 1–1,000,000.
    pub max_devices: f64,
    /// Most reasons for a suspect window, 0–64.
    pub max_reasons: f64,
    /// Whether devices have an adaptive baseline; without, the forest alone is heard.
    pub baseline: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window_seconds: 30.0,
            lateness_seconds: 5.0,
            hop_seconds: 1.0,
            channels: Vec::new(),
            publish_records: "anomalous".to_owned(),
            max_devices: 10_000.0,
            max_reasons: 3.0,
            baseline: true,
        }
    }
}

/// Options that can run.
#[derive(Debug, Clone)]
pub struct CheckedOptions {
    pub window_ms: i64,
    pub lateness_ms: i64,
    pub hop_ms: i64,
    pub channels: ChannelList,
    pub publish_records: PublishRecords,
    pub max_devices: usize,
    pub max_reasons: usize,
    pub baseline: bool,
}

impl Options {
    /// Checks every option; the error names the first that is wrong and its range.
    pub fn check(&self) -> Result<CheckedOptions> {
        let mut declared = Vec::with_capacity(self.channels.len());
        for (name, unit, kind) in &self.channels {
            declared.push((name.clone(), unit.clone(), ChannelKind::from_name(kind)?));
        }
        Ok(CheckedOptions {
            window_ms: milliseconds("windowSeconds", self.window_seconds, 1.0)?,
            lateness_ms: milliseconds("latenessSeconds", self.lateness_seconds, 0.0)?,
            hop_ms: milliseconds("hopSeconds", self.hop_seconds, 0.0)?,
            channels: ChannelList::new(&declared)?,
            publish_records: match self.publish_records.as_str() {
                "none" => PublishRecords::None,
                "anomalous" => PublishRecords::Anomalous,
                "all" => PublishRecords::All,
                other => {
                    let found = format!("publishRecords is \"{other}\"");
                    return Err(Error::new(found + ", expected \"none\", \"anomalous\" or \"all\""));
                }
            },
            max_devices: whole("maxDevices", self.max_devices, 1.0, 1e6)?,
            max_reasons: whole("maxReasons", self.max_reasons, 0.0, 64.0)?,
            baseline: self.baseline,
        })
    }
}

#[allow(clippy::cast_possible_truncation)] // At most one hour.
fn milliseconds(name: &str, seconds: f64, min: f64) -> Result<i64> {
    if !(min..=3600.0).contains(&seconds) {
        return Err(Error::new(format!("{name} is {seconds}, expected {min} to 3600")));
    }
    Ok((seconds * 1000.0).round() as i64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The range is checked first.
fn whole(name: &str, value: f64, min: f64, max: f64) -> Result<usize> {
    if !(min..=max).contains(&value) || value.fract() != 0.0 {
        return Err(Error::new(format!("{name} is {value}, expected a whole number from {min} to {max}")));
    }
    Ok(value as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the error must hold, and what makes it wrong.
    type Change = (&'static str, fn(&mut Options));

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let checked = Options::default().check().unwrap();
        assert_eq!((checked.window_ms, checked.lateness_ms, checked.hop_ms), (30_000, 5000, 1000));
        assert_eq!((checked.max_devices, checked.max_reasons), (10_000, 3));
        assert_eq!(checked.publish_records, PublishRecords::Anomalous);
    }

    #[test]
    fn every_wrong_value_is_refused_by_name() {
        let wrong: [Change; 8] = [
            ("windowSeconds", |options| options.window_seconds = 0.5),
            ("windowSeconds", |options| options.window_seconds = f64::NAN),
            ("latenessSeconds", |options| options.lateness_seconds = -1.0),
            ("hopSeconds", |options| options.hop_seconds = 3601.0),
            ("publishRecords", |options| options.publish_records = "some".to_owned()),
            ("maxDevices", |options| options.max_devices = 0.0),
            ("maxReasons", |options| options.max_reasons = 1.5),
            ("kind", |options| options.channels.push(("a".into(), String::new(), "meter".into()))),
        ];
        for (name, change) in wrong {
            let mut options = Options::default();
            change(&mut options);
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
