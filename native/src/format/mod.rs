//! Formats: lines of other shapes than canonical JSON, made records of ours.
//!
//! A format is one file with one function `make`, and one line in [`FORMATS`]. It reads a line into a
//! [`Draft`]; what all formats share happens here: the device that stands in, clocks that are not set
//! ([`time::sync`]), events that are counted, samples of what was refused. Time a line takes is linear
//! in its length for every format.
pub mod cell;
pub mod counter;
mod csv;
mod docsis;
pub mod document;
pub mod draft;
pub mod envelope;
pub mod events;
pub mod fields;
mod journal;
mod json;
pub mod keys;
mod latin;
mod logfmt;
pub mod message;
mod mtr;
pub mod patterns;
mod ping;
pub mod registry;
pub mod sample;
pub mod shipped;
pub mod speedtest;
mod stamp;
pub mod survey;
mod syslog;
mod text;
pub mod time;
pub mod unit;

use draft::Draft;
use keys::Keys;
use serde_json::Value;
use time::Clock;

use crate::channel::ChannelList;
use crate::error::{Error, Result};
use crate::parse::Refusal;

/// Name of the engine's own format.
pub const CANONICAL: &str = "canonical";

/// What is known of a line beside its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Epoch ms of its arrival.
    pub arrival_ms: i64,
    /// Device of a line that names none, as its source knows it.
    pub device: Option<&'a str>,
    /// Program that wrote it, as its envelope says; empty is unknown.
    pub program: &'a [u8],
    /// Its severity as its envelope says: 0 (emergency) to 7 (debug).
    pub severity: Option<u8>,
    /// What RFC 5424's envelope says beside the message: MSGID and structured data.
    pub header: &'a [u8],
}

impl<'a> Context<'a> {
    /// Of a line that arrives now from a source that knows this device.
    pub fn new(arrival_ms: i64, device: Option<&'a str>) -> Self {
        Self { arrival_ms, device, ..Self::default() }
    }
}

/// What a line that was not refused holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Record,
    /// It is of the format but no record: a banner, a header.
    Nothing,
}

/// Reads lines of one shape, one after another.
pub trait Format: std::fmt::Debug + Send {
    /// Reads a line without its line feed into a cleared draft.
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal>;

    /// Reads the next record of the line that was read last, into a cleared draft; `None` when there is no other.
    fn more(
        &mut self,
        _context: &Context<'_>,
        _draft: &mut Draft,
    ) -> Option<std::result::Result<Found, Refusal>> {
        None
    }

    /// From now on its lines are messages of others' lines: none goes on in the next one.
    fn is_message(&mut self) {}

    /// Whether its lines may be as long as documents.
    fn reads_documents(&self) -> bool {
        false
    }

    /// Called after [`Format::read`] found a record and its device is settled.
    fn finish(&mut self, _draft: &mut Draft) -> std::result::Result<(), Refusal> {
        Ok(())
    }
}

/// Makes a format from its definition's keys.
pub type Make = fn(&Keys<'_>, &ChannelList, &Clock) -> Result<Box<dyn Format>>;

/// Every format by name.
const FORMATS: [(&str, Make); 13] = [
    ("json", json::make),
    ("logfmt", logfmt::make),
    ("csv", csv::make),
    ("text", text::make),
    ("events", events::make),
    ("syslog", syslog::make),
    ("cisco", syslog::make_cisco),
    ("docsis", docsis::make),
    ("journal", journal::make),
    ("ping", ping::make),
    ("fping", ping::make_fping),
    ("mtr", mtr::make),
    ("speedtest", speedtest::make),
];

/// A definition: JSON of an object with `type`, or of a type's name alone.
pub fn parse_definition(text: &str) -> Result<Value> {
    let value = serde_json::from_str(text)
        .map_err(|error| Error::new(format!("format: the definition is no JSON: {error}")))?;
    Ok(parse_value(value))
}

/// The object that a definition's short form stands for.
fn parse_value(value: Value) -> Value {
    match value {
        Value::String(name) => serde_json::json!({ "type": name }),
        other => other,
    }
}

/// Makes a format from keys that hold `type`; keys that it does not know are refused.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let name = keys.text("type")?.ok_or_else(|| keys.error("type", expected("missing")))?;
    let known = FORMATS.iter().find(|(known, _)| *known == name);
    let (_, make) =
        known.ok_or_else(|| keys.error("type", expected(&format!("unknown format \"{name}\""))))?;
    let format = make(keys, channels, clock)?;
    keys.finish()?;
    Ok(format)
}

fn expected(found: &str) -> String {
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    format!("{found}; expected {CANONICAL}, {}", names.join(", "))
}
