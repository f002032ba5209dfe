//! Canonical lines by all the rules of JSON, and every refusal: what [`super::fast`] does not take.
//!
//! The text is read straight into typed slots; no tree of values is built. A field given twice counts
//! as its last value, as in JavaScript, so that both ends of the wire read the same. `null` is absent.
use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Record, Refusal, timestamp};
use crate::channel::{Channel, ChannelKind, ChannelList};

pub(crate) const MAX_DEVICE_CHARACTERS: usize = 128;
pub(crate) const MAX_TEXT_CHARACTERS: usize = 64;

/// These would change the meaning of a topic, or stand for "all devices".
const TOPIC_SIGNS: [char; 4] = ['/', '+', '#', '*'];

/// Reads one line without its line feed.
pub fn parse(line: &[u8], channels: &ChannelList) -> Result<Record, Refusal> {
    let text = std::str::from_utf8(line).map_err(|_| Refusal::InvalidUtf8)?;
    let mut deserializer = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let fields = LineSeed(channels).deserialize(&mut deserializer).map_err(|error| reason(&error))?;
    deserializer.end().map_err(|error| reason(&error))?;
    fields.check(channels)
}

/// serde_json has no kinds finer than these; a number like 1e999 shows only in the message.
pub(crate) fn reason(error: &serde_json::Error) -> Refusal {
    if error.is_data() {
        Refusal::NotAnObject
    } else if error.to_string().starts_with("number out of range") {
        Refusal::OutOfRange
    } else {
        Refusal::InvalidJson
    }
}

/// A field's value as far as any field of ours needs it.
enum Scalar<'de> {
    Absent,
    Number(f64),
    Flag(bool),
    Text(Cow<'de, str>),
    Other,
}

/// All fields of a line before they are checked.
struct Fields<'de> {
    timestamp: Scalar<'de>,
    device: Scalar<'de>,
    error_code: Scalar<'de>,
    is_anomaly: Scalar<'de>,
    anomaly_type: Scalar<'de>,
    values: Vec<Result<f64, Refusal>>,
}

impl<'de> Fields<'de> {
    fn empty(channels: usize) -> Self {
        Self {
            timestamp: Scalar::Absent,
            device: Scalar::Absent,
            error_code: Scalar::Absent,
            is_anomaly: Scalar::Absent,
            anomaly_type: Scalar::Absent,
            values: vec![Ok(f64::NAN); channels],
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut Scalar<'de>> {
        match name {
            "timestamp" => Some(&mut self.timestamp),
            "device_id" => Some(&mut self.device),
            "error_code" => Some(&mut self.error_code),
            "is_anomaly" => Some(&mut self.is_anomaly),
            "anomaly_type" => Some(&mut self.anomaly_type),
            _ => None,
        }
    }

    fn check(self, channels: &ChannelList) -> Result<Record, Refusal> {
        let device = check_device(self.device)?;
        let timestamp_ms = check_timestamp(&self.timestamp)?;
        let mut values = Vec::with_capacity(channels.as_slice().len());
        for value in self.values {
            values.push(value?);
        }
        let (error_code, server_error) = check_error_code(self.error_code)?;
        let is_anomaly = match self.is_anomaly {
            Scalar::Absent => None,
            Scalar::Flag(flag) => Some(flag),
            _ => return Err(Refusal::BadLabel),
        };
        let anomaly_type = match self.anomaly_type {
            Scalar::Absent => None,
            Scalar::Text(text) if fits(&text) => Some(text.into_owned()),
            _ => return Err(Refusal::BadLabel),
        };
        Ok(Record { timestamp_ms, device, values, error_code, server_error, is_anomaly, anomaly_type })
    }
}

/// At most 64 characters as JavaScript counts them: what passes here must pass the wire's schema too.
fn fits(text: &str) -> bool {
    text.len() <= MAX_TEXT_CHARACTERS || text.encode_utf16().count() <= MAX_TEXT_CHARACTERS
}

/// Whether a text may be a device's name.
pub fn is_device(text: &str) -> bool {
    let allowed = |c: char| is_printable(c) && !TOPIC_SIGNS.contains(&c);
    !text.is_empty() && text.chars().count() <= MAX_DEVICE_CHARACTERS && text.chars().all(allowed)
}

fn check_device(field: Scalar<'_>) -> Result<String, Refusal> {
    let text = match field {
        Scalar::Absent => return Err(Refusal::MissingDevice),
        Scalar::Text(text) => text,
        _ => return Err(Refusal::BadDevice),
    };
    is_device(&text).then(|| text.into_owned()).ok_or(Refusal::BadDevice)
}

/// Neither a control, format, private or unassigned character nor a space but the plain one.
///
/// The standard library knows this only where it decides what to escape. A letter goes first because
/// it also escapes a combining mark at the start of a text.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        _ if c.is_ascii() => false,
        _ => !format!("a{c}").escape_debug().any(|shown| shown == '\\'),
    }
}

fn check_timestamp(field: &Scalar<'_>) -> Result<Option<i64>, Refusal> {
    let time = match field {
        Scalar::Absent => return Ok(None),
        Scalar::Number(number) => timestamp::from_number(*number),
        Scalar::Text(text) => timestamp::from_iso(text),
        _ => None,
    };
    time.map(Some).ok_or(Refusal::BadTimestamp)
}

/// The code as text when it means an error, and whether it is a server error.
#[allow(clippy::cast_possible_truncation)] // Whole and of at most 2⁵³ is checked first.
fn check_error_code(field: Scalar<'_>) -> Result<(Option<String>, bool), Refusal> {
    let text = match field {
        Scalar::Absent => return Ok((None, false)),
        Scalar::Number(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
            Cow::Owned((number as i64).to_string())
        }
        Scalar::Text(text) if fits(&text) => text,
        _ => return Err(Refusal::BadErrorCode),
    };
    let (error, server_error) = error_of(&text);
    Ok((error.then(|| text.into_owned()), server_error))
}

/// Whether a code means an error, and whether a server error.
pub(crate) fn error_of(text: &str) -> (bool, bool) {
    match text.parse::<i64>() {
        Ok(code) => error_of_number(code),
        Err(_) => (!text.is_empty(), false),
    }
}

/// The same for a code that is a number.
pub(super) fn error_of_number(code: i64) -> (bool, bool) {
    (!matches!(code, 0 | 200), code >= 500)
}

fn check_value(field: &Scalar<'_>, channel: &Channel) -> Result<f64, Refusal> {
    match *field {
        Scalar::Absent => Ok(f64::NAN),
        Scalar::Number(value) => check_number(value, channel),
        _ => Err(Refusal::NotANumber),
    }
}

/// A measured number as the channel takes it.
pub(crate) fn check_number(value: f64, channel: &Channel) -> Result<f64, Refusal> {
    if value < channel.min && channel.min == 0.0 {
        Err(Refusal::Negative)
    } else if !(channel.min..=channel.max).contains(&value) {
        Err(Refusal::OutOfRange)
    } else if channel.kind == ChannelKind::Count && !is_whole(value) {
        Err(Refusal::NotAnInteger)
    } else {
        Ok(value + 0.0) // Turns −0 into 0.
    }
}

/// Whether a number has no fraction; true of everything beyond what an i64 holds. Rounding would be a call
/// into the C library on processors that are only assumed to be x86-64.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // What is cut off shows.
pub(super) fn is_whole(value: f64) -> bool {
    value as i64 as f64 == value || value.abs() >= 9_007_199_254_740_992.0
}

struct LineSeed<'a>(&'a ChannelList);

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let channels = self.0.as_slice();
        let mut fields = Fields::empty(channels.len());
        while let Some(Scalar::Text(key)) = map.next_key_seed(ScalarSeed)? {
            if let Some(slot) = fields.slot(&key) {
                *slot = map.next_value_seed(ScalarSeed)?;
            } else if let Some(index) = self.0.position(&key) {
                fields.values[index] = check_value(&map.next_value_seed(ScalarSeed)?, &channels[index]);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(fields)
    }
}

/// Reads any JSON value into a [`Scalar`], borrowing texts without escapes.
struct ScalarSeed;

impl<'de> DeserializeSeed<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[allow(clippy::cast_precision_loss)] // Integers beyond 2⁵³ are beyond every range of ours.
impl<'de> Visitor<'de> for ScalarSeed {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Scalar::Other)
    }
}
