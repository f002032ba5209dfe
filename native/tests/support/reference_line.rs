//! What a canonical line must give, read slowly and plainly: the oracle of tests and fuzz targets.
//!
//! It goes by a list of owned values from a general JSON reader, against which whatever a fast reader
//! does with bytes is checked. Kept apart from the crate's own parser on purpose: the two share no code
//! but the time's, which has tests of its own, and the list of channels.
#![allow(dead_code)] // Each test file and fuzz target uses a part.

use std::fmt;

use lineheron_native::channel::{Channel, ChannelKind, ChannelList};
use lineheron_native::parse::{Record, Refusal, timestamp};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

const OTHER_FIELDS: [&str; 5] = ["timestamp", "device_id", "error_code", "is_anomaly", "anomaly_type"];
/// The default channels and the two that [`channels`] declares.
const CHANNEL_FIELDS: [&str; 7] = [
    "latency_ms",
    "packet_loss_pct",
    "retry_count",
    "traffic_volume_mb",
    "connection_resets",
    "signal_dbm",
    "attaches",
];

/// The channels that the oracle reads: the default five, a declared level and a declared count.
pub fn channels() -> ChannelList {
    let declared = [
        ("signal_dbm".to_owned(), "dBm".to_owned(), ChannelKind::Gauge),
        ("attaches".to_owned(), String::new(), ChannelKind::Count),
    ];
    ChannelList::new(&declared).expect("the channels are right")
}

/// A field's value as far as any check needs it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    /// A list or an object.
    Nested,
}

/// The fields of an accepted line.
#[derive(Debug, Clone)]
pub struct Expected {
    pub timestamp_ms: Option<i64>,
    pub device: String,
    pub values: Vec<f64>,
    pub error_code: Option<String>,
    pub server_error: bool,
    pub is_anomaly: Option<bool>,
    pub anomaly_type: Option<String>,
}

/// Whether a parser's result for `line` is what the plain reading gives; the error shows both.
pub fn compare(found: &Result<Record, Refusal>, line: &[u8], channels: &ChannelList) -> Result<(), String> {
    let expected = read(line, channels);
    let same = match (found, &expected) {
        (Ok(found), Ok(expected)) => same_record(found, expected),
        (Err(found), Err(expected)) => same_refusal(*found, *expected, line),
        _ => false,
    };
    let shown = || String::from_utf8_lossy(line).chars().take(300).collect::<String>();
    if same { Ok(()) } else { Err(format!("{found:?} expected {expected:?}: {}", shown())) }
}

fn same_record(found: &Record, expected: &Expected) -> bool {
    // Bit by bit, so that unknown values compare too and −0 shows.
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    found.timestamp_ms == expected.timestamp_ms
        && found.device == expected.device
        && bits(&found.values) == bits(&expected.values)
        && found.error_code == expected.error_code
        && found.server_error == expected.server_error
        && found.is_anomaly == expected.is_anomaly
        && found.anomaly_type == expected.anomaly_type
}

/// Not promised is which of two faults is named: that a number is beyond f64 or another, and that a
/// text which does not begin as an object is none or is no JSON further on.
fn same_refusal(found: Refusal, expected: Refusal, line: &[u8]) -> bool {
    let either = |refusal| [found, expected].contains(&refusal);
    let text = String::from_utf8_lossy(line);
    let object = text.trim_start_matches('\u{feff}').trim_ascii_start().starts_with('{');
    found == expected
        || (either(Refusal::OutOfRange) && !either(Refusal::InvalidUtf8))
        || (!object && either(Refusal::NotAnObject) && either(Refusal::InvalidJson))
}

/// What reading `line` must give with the channels of [`channels`].
pub fn read(line: &[u8], channels: &ChannelList) -> Result<Expected, Refusal> {
    let text = std::str::from_utf8(line).map_err(|_| Refusal::InvalidUtf8)?;
    let text = text.trim_start_matches('\u{feff}');
    let line: Line = serde_json::from_str(text).map_err(|error| {
        let too_large = error.to_string().starts_with("number out of range");
        if too_large { Refusal::OutOfRange } else { Refusal::InvalidJson }
    })?;
    let Line::Fields(fields) = line else { return Err(Refusal::NotAnObject) };
    // The last of several fields of one name counts, as in JavaScript.
    let field = |name: &str| {
        let found = fields.iter().rfind(|(key, _)| key == name).map(|(_, value)| value);
        found.filter(|value| **value != Value::Null)
    };
    let device = device(field("device_id"))?;
    let timestamp_ms = time(field("timestamp"))?;
    let values = channels.as_slice().iter().map(|channel| measured(field(&channel.name), channel));
    let values = values.collect::<Result<Vec<f64>, Refusal>>()?;
    let (error_code, server_error) = error_code(field("error_code"))?;
    let is_anomaly = match field("is_anomaly") {
        None => None,
        Some(Value::Flag(flag)) => Some(*flag),
        Some(_) => return Err(Refusal::BadLabel),
    };
    let anomaly_type = match field("anomaly_type") {
        None => None,
        Some(Value::Text(text)) if utf16_units(text) <= 64 => Some(text.clone()),
        Some(_) => return Err(Refusal::BadLabel),
    };
    Ok(Expected { timestamp_ms, device, values, error_code, server_error, is_anomaly, anomaly_type })
}

fn utf16_units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn device(field: Option<&Value>) -> Result<String, Refusal> {
    let Some(field) = field else { return Err(Refusal::MissingDevice) };
    let Value::Text(name) = field else { return Err(Refusal::BadDevice) };
    let printable = |c: char| match c {
        ' '..='~' => !"/+#*".contains(c),
        _ => !c.is_ascii() && !format!("a{c}").escape_debug().any(|shown| shown == '\\'),
    };
    let fits = (1..=128).contains(&name.chars().count()) && name.chars().all(printable);
    if fits { Ok(name.clone()) } else { Err(Refusal::BadDevice) }
}

fn time(field: Option<&Value>) -> Result<Option<i64>, Refusal> {
    let time = match field {
        None => return Ok(None),
        Some(Value::Number(number)) => timestamp::from_number(*number),
        Some(Value::Text(text)) => timestamp::from_iso(text),
        Some(_) => None,
    };
    time.map(Some).ok_or(Refusal::BadTimestamp)
}

fn measured(field: Option<&Value>, channel: &Channel) -> Result<f64, Refusal> {
    let value = match field {
        None => return Ok(f64::NAN),
        Some(Value::Number(value)) => *value,
        Some(_) => return Err(Refusal::NotANumber),
    };
    if value < channel.min && channel.min == 0.0 {
        Err(Refusal::Negative)
    } else if value < channel.min || value > channel.max {
        Err(Refusal::OutOfRange)
    } else if channel.kind == ChannelKind::Count && value != value.trunc() {
        Err(Refusal::NotAnInteger)
    } else {
        Ok(if value == 0.0 { 0.0 } else { value })
    }
}

#[allow(clippy::cast_possible_truncation)] // Whole and of at most 2⁵³ is checked first.
fn error_code(field: Option<&Value>) -> Result<(Option<String>, bool), Refusal> {
    let text = match field {
        None => return Ok((None, false)),
        Some(Value::Number(code)) if *code == code.trunc() && code.abs() <= 9_007_199_254_740_992.0 => {
            (*code as i64).to_string()
        }
        Some(Value::Text(text)) if utf16_units(text) <= 64 => text.clone(),
        Some(_) => return Err(Refusal::BadErrorCode),
    };
    match text.parse::<i64>() {
        Ok(0 | 200) => Ok((None, false)),
        Ok(code) => Ok((Some(text), code >= 500)),
        Err(_) => Ok(((!text.is_empty()).then_some(text), false)),
    }
}

/// A line's top level: the fields of an object, or some other value.
enum Line {
    Fields(Vec<(String, Value)>),
    NoObject,
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyLine)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// The visitor of scalars, alike for both levels; `$wrap` makes the level's own value.
macro_rules! visit_scalars {
    ($output:ty, $wrap:expr) => {
        type Value = $output;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a value")
        }

        fn visit_unit<E>(self) -> Result<$output, E> {
            Ok($wrap(Value::Null))
        }

        fn visit_bool<E>(self, value: bool) -> Result<$output, E> {
            Ok($wrap(Value::Flag(value)))
        }

        fn visit_i64<E>(self, value: i64) -> Result<$output, E> {
            Ok($wrap(Value::Number(value as f64)))
        }

        fn visit_u64<E>(self, value: u64) -> Result<$output, E> {
            Ok($wrap(Value::Number(value as f64)))
        }

        fn visit_f64<E>(self, value: f64) -> Result<$output, E> {
            Ok($wrap(Value::Number(value)))
        }

        fn visit_str<E>(self, value: &str) -> Result<$output, E> {
            Ok($wrap(Value::Text(value.to_owned())))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<$output, A::Error> {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok($wrap(Value::Nested))
        }
    };
}

struct AnyLine;

#[allow(clippy::cast_precision_loss)] // Integers beyond 2⁵³ are beyond every range of ours.
impl<'de> Visitor<'de> for AnyLine {
    visit_scalars!(Line, |_| Line::NoObject);

    /// Fields of unknown names are checked as JSON and then left out: no number in them is too large.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if OTHER_FIELDS.contains(&name.as_str()) || CHANNEL_FIELDS.contains(&name.as_str()) {
                fields.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Line::Fields(fields))
    }
}

struct AnyValue;

#[allow(clippy::cast_precision_loss)] // As above.
impl<'de> Visitor<'de> for AnyValue {
    visit_scalars!(Value, |value| value);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }
}
