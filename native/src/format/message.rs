//! A field that holds a message, which another format reads: the shipped events unless the key `message` names one.
//!
//! `fields` may map `message`, `program` and `severity` (0–7, a name, or the levels of pino and bunyan); what the
//! other fields of the line say counts more than what the message does.
use serde_json::Value;

use super::draft::{Draft, Raw, Stamp};
use super::envelope;
use super::keys::Keys;
use super::time::Clock;
use super::{Context, Format, parse_value};
use crate::channel::ChannelList;
use crate::error::Result;

/// The format of a message, by the key `message`.
pub fn inner_format(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let events = Value::from("events");
    let definition = parse_value(keys.value("message").unwrap_or(&events).clone());
    let inner = Keys::new(keys.path("message"), &definition)?;
    if matches!(inner.text("type")?, Some("syslog" | "cisco" | "docsis" | "journal" | "mtr" | "speedtest")) {
        return Err(inner.error("type", "an envelope cannot hold another"));
    }
    let mut format = super::make(&inner, channels, clock)?;
    format.is_message();
    Ok(format)
}

/// The message of the line at hand, and who reads it.
#[derive(Debug)]
pub struct Message {
    format: Box<dyn Format>,
    text: Vec<u8>,
    program: Vec<u8>,
    severity: Option<u8>,
    arrival_ms: i64,
    values: Vec<f64>,
}

impl Message {
    /// Read by this format.
    pub fn new(format: Box<dyn Format>) -> Self {
        let (text, program, values) = (Vec::new(), Vec::new(), Vec::new());
        Self { format, text, program, severity: None, arrival_ms: 0, values }
    }

    /// Takes the message's text.
    pub fn set_text(&mut self, raw: Raw<'_>, arrival_ms: i64) {
        self.arrival_ms = arrival_ms;
        self.text.clear();
        if let Raw::Text(text) = raw {
            self.text.extend_from_slice(text.trim_ascii());
        }
    }

    /// Takes the program that wrote it.
    pub fn set_program(&mut self, raw: Raw<'_>) {
        self.program.clear();
        if let Raw::Text(text) = raw {
            self.program.extend_from_slice(text.trim_ascii());
        }
    }

    /// Takes its severity.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The ranges are checked.
    pub fn set_severity(&mut self, raw: Raw<'_>) {
        let number = match raw {
            Raw::Number(number) => Some(number),
            Raw::Text(text) => super::fields::number(text.trim_ascii()),
            _ => None,
        };
        self.severity = match (number, raw) {
            (Some(number), _) if (0.0..=7.0).contains(&number) => Some(number as u8),
            // pino and bunyan: 60 fatal, 50 error, 40 warn, 30 info.
            (Some(number), _) if (10.0..=60.0).contains(&number) => {
                Some([7, 7, 6, 4, 3, 2][number as usize / 10 - 1])
            }
            (None, Raw::Text(name)) => envelope::severity_named(name.trim_ascii()),
            _ => None,
        };
    }

    /// Forgets a line.
    pub fn forget_line(&mut self) {
        self.text.clear();
        self.program.clear();
        self.severity = None;
    }

    /// Reads the message, once the line's other fields and its device are settled.
    pub fn read(&mut self, draft: &mut Draft) {
        if self.text.is_empty() {
            return self.forget_line();
        }
        self.values.clone_from(&draft.values);
        let error = (std::mem::take(&mut draft.error_code), draft.server_error);
        let stamp = draft.stamp;
        let context = Context {
            arrival_ms: self.arrival_ms,
            program: &self.program,
            severity: self.severity,
            ..Context::default()
        };
        let read = self.format.read(&self.text, &context, draft).and_then(|_| self.format.finish(draft));
        if let Err(refusal) = read {
            draft.refuse(refusal);
        }
        for (value, own) in draft.values.iter_mut().zip(&self.values).filter(|(_, own)| !own.is_nan()) {
            *value = *own;
        }
        if !error.0.is_empty() {
            (draft.error_code, draft.server_error) = error;
        }
        if stamp != Stamp::Missing {
            draft.stamp = stamp;
        }
        self.forget_line();
    }
}
