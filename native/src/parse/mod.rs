//! Reading log lines: one format a file, all of them giving the same [`Record`] or a counted refusal.
pub mod canonical;
pub mod fast;
pub mod lines;
pub mod timestamp;

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
}

/// Every refusal with the name that counters show.
pub const REFUSALS: [(Refusal, &str); 12] = [
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
];
