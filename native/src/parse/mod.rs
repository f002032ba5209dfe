//! Reading log lines: one format a file, all of them giving the same [`Record`] or a counted refusal.
pub mod canonical;
mod cursor;
mod fast;
pub(crate) mod general;
pub mod lines;
pub mod timestamp;

pub use general::is_device;

/// One parsed log line.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Event time in epoch ms; `None` when the line has none and arrival time stands in.
    pub timestamp_ms: Option<i64>,
    /// Device that the line is about.
    pub device: String,
    /// Measured values in channel order; NaN is unknown.
    pub values: Vec<f64>,
    /// The error code as text, when it means an error.
    pub error_code: Option<String>,
    /// The error code is a number of 500 or more.
    pub server_error: bool,
    /// Ground truth, carried to the output only.
    pub is_anomaly: Option<bool>,
    /// Ground truth, carried to the output only.
    pub anomaly_type: Option<String>,
}

impl Record {
    /// The same, borrowed.
    pub fn view(&self) -> RecordView<'_> {
        let head = Head {
            timestamp_ms: self.timestamp_ms,
            device: &self.device,
            error_code: self.error_code.as_deref().map(ErrorCode::Text),
            server_error: self.server_error,
            is_anomaly: self.is_anomaly,
            anomaly_type: self.anomaly_type.as_deref(),
        };
        RecordView { head, values: &self.values }
    }
}

/// An error code that means an error, as its line has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode<'a> {
    Number(i64),
    Text(&'a str),
}

/// All of a record but its values, borrowed from its line; the fields are those of [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    pub timestamp_ms: Option<i64>,
    pub device: &'a str,
    pub error_code: Option<ErrorCode<'a>>,
    pub server_error: bool,
    pub is_anomaly: Option<bool>,
    pub anomaly_type: Option<&'a str>,
}

/// A record borrowed from its line, so that reading it takes no memory.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    pub head: Head<'a>,
    pub values: &'a [f64],
}

impl RecordView<'_> {
    /// The same, with memory of its own.
    pub fn to_record(&self) -> Record {
        let head = &self.head;
        Record {
            timestamp_ms: head.timestamp_ms,
            device: head.device.to_owned(),
            values: self.values.to_vec(),
            error_code: head.error_code.map(|code| match code {
                ErrorCode::Number(code) => code.to_string(),
                ErrorCode::Text(text) => text.to_owned(),
            }),
            server_error: head.server_error,
            is_anomaly: head.is_anomaly,
            anomaly_type: head.anomaly_type.map(str::to_owned),
        }
    }
}

/// Why a line was refused; each has a counter of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// The text is not JSON.
    InvalidJson,
    /// It is JSON but no object.
    NotAnObject,
    /// `device_id` is absent.
    MissingDevice,
    /// `device_id` is no string or not 1–128 allowed characters.
    BadDevice,
    /// `timestamp` is neither ISO 8601 with an offset nor an epoch number.
    BadTimestamp,
    /// A measured field is a string, a boolean, a list or an object.
    NotANumber,
    /// A value that cannot be below zero is.
    Negative,
    /// A value is larger than the field allows, or not finite.
    OutOfRange,
    /// A number of events has a fraction.
    NotAnInteger,
    /// `error_code` is neither an integer nor a string of at most 64 characters.
    BadErrorCode,
    /// `is_anomaly` or `anomaly_type` has the wrong type or is too long.
    BadLabel,
    /// The line holds NUL bytes.
    Binary,
    /// There is no envelope of the format's kind around the message.
    NoEnvelope,
    /// No pattern matches the line.
    NoPattern,
    /// No header has named the columns yet.
    MissingHeader,
    /// The line has fewer columns than the header.
    MissingColumns,
    /// A quote is not closed, or something follows where it closes.
    BadQuotes,
    /// The line holds no pair of key and value.
    NoPairs,
    /// A document is longer than 4 MiB, or deeper than 128.
    DocumentTooLong,
}

impl Refusal {
    /// The name that counters show.
    pub fn name(self) -> &'static str {
        REFUSALS.iter().find(|(refusal, _)| *refusal == self).map_or("unknown", |(_, name)| name)
    }
}

/// Every refusal with the name that counters show.
pub const REFUSALS: [(Refusal, &str); 20] = [
    (Refusal::InvalidUtf8, "invalid_utf8"),
    (Refusal::InvalidJson, "invalid_json"),
    (Refusal::NotAnObject, "not_an_object"),
    (Refusal::MissingDevice, "missing_device"),
    (Refusal::BadDevice, "bad_device"),
    (Refusal::BadTimestamp, "bad_timestamp"),
    (Refusal::NotANumber, "not_a_number"),
    (Refusal::Negative, "negative"),
    (Refusal::OutOfRange, "out_of_range"),
    (Refusal::NotAnInteger, "not_an_integer"),
    (Refusal::BadErrorCode, "bad_error_code"),
    (Refusal::BadLabel, "bad_label"),
    (Refusal::Binary, "binary"),
    (Refusal::NoEnvelope, "no_envelope"),
    (Refusal::NoPattern, "no_pattern"),
    (Refusal::MissingHeader, "missing_header"),
    (Refusal::MissingColumns, "missing_columns"),
    (Refusal::BadQuotes, "bad_quotes"),
    (Refusal::NoPairs, "no_pairs"),
    (Refusal::DocumentTooLong, "document_too_long"),
];
