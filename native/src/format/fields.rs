//! The field map: which part of a line becomes which field of the record, and by which step.
//!
//! `fields` is an object from our field (`latency_ms`, a declared channel, `timestamp`, `device_id`,
//! `error_code`, `is_anomaly`, `anomaly_type`) to where it comes from: a text, or an object of `from`,
//! `unit` (see [`super::unit`]), `scale`, `counter` (a total that only grows: the record gets the
//! difference), `missing` (see [`super::cell`]), `form` (of a time stamp) and `ok` (error codes that mean no error).
//! `message`, `program` and `severity` are for [`super::message`]. A loss may come from two counts in place of `from`: `sent`, and `received` or `lost`. A cell that is no measure is
//! left out and counted, and the rest of its line counts; only a time that cannot be read refuses the line, since
//! a record must not come to stand at another.
use serde_json::Value;

use super::cell::Cells;
use super::counter::Counters;
use super::draft::{Draft, Raw, Stamp};
use super::keys::{Keys, wrong};
use super::message::{Message, inner_format};
use super::time::Clock;
use super::time::form::TimeForm;
use super::unit::{self, Scale};
use crate::channel::{Channel, ChannelList, LATENCY, PACKET_LOSS};
use crate::error::{Error, Result};
use crate::parse::{Refusal, general};

/// Most entries of a field map.
const MAX_FIELDS: usize = 256;

/// Where a value goes, and how.
#[derive(Debug, Clone)]
enum Target {
    Timestamp(TimeForm),
    Device,
    Error {
        ok: Vec<String>,
    },
    IsAnomaly,
    AnomalyType,
    Value {
        channel: usize,
        scale: Scale,
        factor: f64,
        cells: Box<Cells>,
        counter: Option<usize>,
    },
    /// A text for the shipped events or another format, and what is known of it.
    Message,
    Program,
    Severity,
    /// One of the two counts of a loss.
    Count {
        loss: usize,
        part: usize,
    },
}

/// One entry.
#[derive(Debug, Clone)]
struct Field {
    source: String,
    target: Target,
}

/// A loss in percent of what was sent.
#[derive(Debug, Clone)]
struct Loss {
    channel: usize,
    /// The second count is of what was lost, not of what came back.
    of_lost: bool,
    /// Sent, and the second; NaN is unknown.
    counts: [f64; 2],
}

/// The checked map, with the counters' last values.
#[derive(Debug)]
pub struct FieldMap {
    fields: Vec<Field>,
    channels: Vec<Channel>,
    counters: Counters,
    losses: Vec<Loss>,
    cells: Cells,
    clock: Clock,
    /// Reads the field `message`, where one is mapped.
    message: Option<Message>,
}

impl FieldMap {
    /// From `keys.fields`, which must be there.
    pub fn from_keys(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Self> {
        let fields = keys.object("fields")?;
        let missing = || {
            keys.error("fields", "missing; it maps our fields onto the line's, {\"latency_ms\": \"rtt\"}")
        };
        let fields = fields.ok_or_else(missing)?;
        let mut map = Self::empty(keys, channels, clock)?;
        for (name, value) in fields.entries() {
            map.add(&fields, name, value)?;
        }
        map.add_message(keys, channels)?;
        if map.fields.is_empty() || map.fields.len() > MAX_FIELDS {
            return Err(keys
                .error("fields", format!("has {} entries, expected 1 to {MAX_FIELDS}", map.fields.len())));
        }
        Ok(map)
    }

    /// A map without entries, of a format with these keys.
    pub fn empty(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Self> {
        Ok(Self {
            fields: Vec::new(),
            channels: channels.as_slice().to_vec(),
            counters: Counters::default(),
            losses: Vec::new(),
            cells: Cells::from_keys(keys)?,
            clock: clock.clone(),
            message: None,
        })
    }

    /// Makes what reads the field `message`, if one is mapped.
    pub fn add_message(&mut self, keys: &Keys<'_>, channels: &ChannelList) -> Result<()> {
        if self.fields.iter().any(|field| matches!(field.target, Target::Message)) {
            self.message = Some(Message::new(inner_format(keys, channels, &self.clock)?));
        } else if keys.value("message").is_some() {
            return Err(keys.error("message", "no field is mapped to message"));
        }
        Ok(())
    }

    /// Whether the field at a place is the message.
    pub fn is_message(&self, place: usize) -> bool {
        matches!(self.fields[place].target, Target::Message)
    }

    /// Adds an entry; `fields` says where it stands, for errors.
    pub fn add(&mut self, fields: &Keys<'_>, name: &str, value: &Value) -> Result<()> {
        let path = fields.path(name);
        if value.get("sent").is_some() {
            return self.add_loss(fields, name, &Keys::new(path, value)?);
        }
        let source = match value {
            Value::String(source) => source.clone(),
            Value::Object(map) => match map.get("from") {
                Some(Value::String(source)) => source.clone(),
                Some(other) => return Err(wrong(&format!("{path}.from"), "a text", other)),
                None => name.to_owned(),
            },
            other => return Err(wrong(&path, "a text or an object", other)),
        };
        if source.is_empty() {
            return Err(Error::new(format!("{path}: the line's field must be named")));
        }
        let plain = Value::Object(serde_json::Map::new());
        let entry = Keys::new(path, if value.is_object() { value } else { &plain })?;
        entry.value("from");
        let target = self.target(name, fields, &entry)?;
        entry.finish()?;
        self.fields.push(Field { source, target });
        Ok(())
    }

    /// Adds a loss of two counts.
    fn add_loss(&mut self, fields: &Keys<'_>, name: &str, entry: &Keys<'_>) -> Result<()> {
        let channel = self.channel(name, fields)?;
        if self.channels[channel].unit != "%" {
            return Err(entry.error("sent", "only a share in % comes from counts"));
        }
        let (received, lost) = (entry.text("received")?, entry.text("lost")?);
        let sent = entry.text("sent")?.unwrap_or_default();
        let (Some(other), true) = (received.or(lost), received.is_none() || lost.is_none()) else {
            return Err(entry.error("sent", "give either received or lost with it"));
        };
        entry.finish()?;
        for (part, source) in [sent, other].into_iter().enumerate() {
            let target = Target::Count { loss: self.losses.len(), part };
            self.fields.push(Field { source: source.to_owned(), target });
        }
        self.losses.push(Loss { channel, of_lost: lost.is_some(), counts: [f64::NAN; 2] });
        Ok(())
    }

    fn target(&mut self, name: &str, fields: &Keys<'_>, entry: &Keys<'_>) -> Result<Target> {
        let declared = self.channels.iter().any(|channel| channel.name == name);
        Ok(match name {
            "message" if !declared => Target::Message,
            "program" if !declared => Target::Program,
            "severity" if !declared => Target::Severity,
            "timestamp" => {
                let form = TimeForm::from_text(entry.text("form")?.unwrap_or("auto"));
                Target::Timestamp(form.map_err(|error| entry.error("form", error))?)
            }
            "device_id" => Target::Device,
            "error_code" => {
                let ok = entry.texts("ok")?.unwrap_or_default();
                Target::Error { ok: ok.into_iter().map(str::to_owned).collect() }
            }
            "is_anomaly" => Target::IsAnomaly,
            "anomaly_type" => Target::AnomalyType,
            _ => return self.value_target(name, fields, entry),
        })
    }

    fn value_target(&mut self, name: &str, fields: &Keys<'_>, entry: &Keys<'_>) -> Result<Target> {
        let channel = self.channel(name, fields)?;
        let own = self.channels[channel].unit.as_str();
        let mut scale = match entry.text("unit")? {
            None => Scale::NONE,
            Some(unit) => unit::scale(unit, own).map_err(|error| entry.error("unit", error))?,
        };
        let factor = entry.number("scale")?.unwrap_or(1.0);
        if factor == 0.0 {
            return Err(entry.error("scale", "must not be 0"));
        }
        scale.factor *= factor;
        let cells = Box::new(self.cells.and(entry)?);
        let counter = entry.flag("counter")?.then(|| self.counters.add());
        Ok(Target::Value { channel, scale, factor, cells, counter })
    }

    fn channel(&self, name: &str, fields: &Keys<'_>) -> Result<usize> {
        self.channels.iter().position(|channel| channel.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
            let text =
                "is neither a field nor a declared channel; expected timestamp, device_id, error_code";
            fields.error(name, format!("{text} or one of {}", known.join(", ")))
        })
    }

    /// The lines' fields in order; their places are those that [`FieldMap::set`] takes.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.source.as_str())
    }

    /// Puts a value where it goes; an error refuses the line. A value that is none is left out and noted.
    pub fn set(&mut self, place: usize, raw: Raw<'_>, arrival_ms: i64, draft: &mut Draft) -> Read<()> {
        match &self.fields[place].target {
            Target::Timestamp(form) => {
                let stamp = form.read(raw, &mut self.clock, arrival_ms)?;
                if stamp != Stamp::Missing {
                    draft.stamp = stamp;
                }
                Ok(())
            }
            Target::Device => set_device(raw, draft),
            Target::Message | Target::Program | Target::Severity => {
                let Some(message) = &mut self.message else { return Ok(()) };
                match &self.fields[place].target {
                    Target::Message => message.set_text(raw, arrival_ms),
                    Target::Program => message.set_program(raw),
                    _ => message.set_severity(raw),
                }
                Ok(())
            }
            _ => {
                if let Err(refusal) = self.set_value(place, raw, draft) {
                    draft.refuse(refusal);
                }
                Ok(())
            }
        }
    }

    fn set_value(&mut self, place: usize, raw: Raw<'_>, draft: &mut Draft) -> Read<()> {
        match &self.fields[place].target {
            Target::Timestamp(_) | Target::Device | Target::Message | Target::Program | Target::Severity => {
            }
            Target::Error { ok } => set_error(raw, ok, draft)?,
            Target::IsAnomaly => draft.is_anomaly = flag(raw)?,
            Target::AnomalyType => set_anomaly_type(raw, draft)?,
            Target::Count { loss, part } => {
                let count = self.cells.read(raw, Scale::NONE, 1.0, "")?.unwrap_or(f64::NAN);
                self.losses[*loss].counts[*part] = count;
            }
            Target::Value { channel, scale, factor, cells, counter } => {
                let own = &self.channels[*channel];
                let Some(number) = cells.read(raw, *scale, *factor, &own.unit)? else { return Ok(()) };
                match counter {
                    // Its difference is what is scaled.
                    Some(counter) => self.counters.read(*counter, (number - scale.offset) / scale.factor),
                    None => draft.values[*channel] = general::check_number(number, own)?,
                }
            }
        }
        Ok(())
    }

    /// Turns totals into differences and counts into a loss, once all fields of a line are set and its device is known.
    pub fn finish(&mut self, draft: &mut Draft) -> Read<()> {
        if !self.counters.is_empty() {
            self.counters.turn(&draft.device);
        }
        for field in &self.fields {
            if let Target::Value { channel, scale, counter: Some(counter), .. } = field.target
                && let Some(difference) = self.counters.difference(counter)
            {
                let scaled = scale.apply(difference);
                match general::check_number(scaled, &self.channels[channel]) {
                    Ok(value) => draft.values[channel] = value,
                    Err(refusal) => draft.refuse(refusal),
                }
            }
        }
        for loss in &mut self.losses {
            let [sent, other] = std::mem::replace(&mut loss.counts, [f64::NAN; 2]);
            let lost = if loss.of_lost { other } else { sent - other };
            // More may come back than was sent: duplicates.
            if sent > 0.0 && !lost.is_nan() {
                draft.values[loss.channel] = (100.0 * lost / sent).clamp(0.0, 100.0);
            }
        }
        if let Some(message) = &mut self.message {
            message.read(draft);
        }
        if draft.values[PACKET_LOSS] == 100.0 && draft.values[LATENCY] == 0.0 {
            draft.values[LATENCY] = f64::NAN; // Nothing came back, so nothing was measured.
        }
        Ok(())
    }

    /// Forgets totals of a line that was refused half way.
    pub fn forget_line(&mut self) {
        self.counters.forget_line();
        self.losses.iter_mut().for_each(|loss| loss.counts = [f64::NAN; 2]);
        if let Some(message) = &mut self.message {
            message.forget_line();
        }
    }

    /// How lines' times are read.
    pub fn clock(&mut self) -> &mut Clock {
        &mut self.clock
    }
}

type Read<T> = std::result::Result<T, Refusal>;

/// A number in a text, as people and programs write it: no `nan`, `inf` or hexadecimal digits.
pub fn number(text: &[u8]) -> Option<f64> {
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= 64)?;
    text.bytes().all(|byte| plain(&byte)).then(|| text.parse().ok())?
}

fn set_device(raw: Raw<'_>, draft: &mut Draft) -> Read<()> {
    match raw {
        Raw::Absent => Ok(()),
        Raw::Text(text) => {
            draft.set_mapped_device(text.trim_ascii());
            Ok(())
        }
        Raw::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            draft.set_device(number.to_string().as_bytes())
        }
        _ => Err(Refusal::BadDevice),
    }
}

fn set_error(raw: Raw<'_>, ok: &[String], draft: &mut Draft) -> Read<()> {
    let is_ok = |text: &str| ok.iter().any(|known| known == text);
    match raw {
        Raw::Absent | Raw::Flag(false) => {}
        Raw::Flag(true) => draft.set_error("error"),
        Raw::Number(number) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
            let text = (number + 0.0).to_string();
            draft.set_error(if is_ok(&text) { "" } else { &text });
        }
        Raw::Text(text) => {
            let text = String::from_utf8_lossy(text.trim_ascii());
            draft.set_error(if is_ok(&text) || text == "-" { "" } else { &text });
        }
        Raw::Number(_) | Raw::Other => return Err(Refusal::BadErrorCode),
    }
    Ok(())
}

fn set_anomaly_type(raw: Raw<'_>, draft: &mut Draft) -> Read<()> {
    match raw {
        Raw::Absent => {}
        Raw::Text(text) => draft.set_anomaly_type(&String::from_utf8_lossy(text)),
        _ => return Err(Refusal::BadLabel),
    }
    Ok(())
}

fn flag(raw: Raw<'_>) -> Read<Option<bool>> {
    match raw {
        Raw::Absent | Raw::Text(b"") => Ok(None),
        Raw::Flag(flag) => Ok(Some(flag)),
        Raw::Number(1.0) | Raw::Text(b"1" | b"true" | b"True") => Ok(Some(true)),
        Raw::Number(0.0) | Raw::Text(b"0" | b"false" | b"False") => Ok(Some(false)),
        _ => Err(Refusal::BadLabel),
    }
}
