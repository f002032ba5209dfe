//! The record that a format fills in, line after line in the same memory.
use crate::channel::ChannelList;
use crate::parse::{ErrorCode, Head, RecordView, Refusal, general};

/// Longest text of an error code or label, in characters; longer ones are cut.
pub const MAX_TEXT_CHARACTERS: usize = general::MAX_TEXT_CHARACTERS;

/// When a line says that it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamp {
    /// It says nothing: arrival time stands in.
    #[default]
    Missing,
    /// Epoch ms.
    At(i64),
    /// Epoch ms of a clock that was not yet set, so that only differences mean something.
    Unsynchronised(i64),
}

/// A value as a line has it, before its field's rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Raw<'a> {
    Absent,
    Number(f64),
    Flag(bool),
    Text(&'a [u8]),
    /// A list or an object.
    Other,
}

/// A record in the making. Texts are kept between lines so that filling it takes no memory.
#[derive(Debug, Default, Clone)]
pub struct Draft {
    pub stamp: Stamp,
    /// Of an event that happened `repeat` times: when it first did; `stamp` is the last time.
    pub first_ms: Option<i64>,
    /// How often the event happened.
    pub repeat: u32,
    /// Empty while unknown.
    pub device: String,
    /// In channel order; NaN is unknown.
    pub values: Vec<f64>,
    /// Empty is no error.
    pub error_code: String,
    pub server_error: bool,
    /// The device began anew.
    pub rebooted: bool,
    pub is_anomaly: Option<bool>,
    /// Empty is none.
    pub anomaly_type: String,
    /// Why the first cell that could not be read was left out.
    pub refused: Option<Refusal>,
}

impl Draft {
    /// Forgets the last line.
    pub fn clear(&mut self, channels: &ChannelList) {
        self.stamp = Stamp::Missing;
        (self.first_ms, self.repeat) = (None, 1);
        self.device.clear();
        self.values.clear();
        self.values.resize(channels.as_slice().len(), f64::NAN);
        self.error_code.clear();
        self.server_error = false;
        self.rebooted = false;
        self.is_anomaly = None;
        self.anomaly_type.clear();
        self.refused = None;
    }

    /// Sets the device by a name that others chose: characters that may not stand in a topic become `_`. Of an empty
    /// name nothing is set.
    pub fn set_mapped_device(&mut self, name: &[u8]) {
        if !name.is_empty() && self.set_device(name).is_err() {
            let sign = |c: char| if general::is_device(c.encode_utf8(&mut [0; 4])) { c } else { '_' };
            let name = String::from_utf8_lossy(name);
            self.device.clear();
            self.device.extend(name.chars().take(general::MAX_DEVICE_CHARACTERS).map(sign));
        }
    }

    /// Leaves a cell out; the rest of its line counts.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refused.get_or_insert(refusal);
    }

    /// Whether there is anything in it beside the fact that a line was written.
    pub fn says_something(&self) -> bool {
        self.stamp != Stamp::Missing
            || !self.error_code.is_empty()
            || self.rebooted
            || self.refused.is_some()
            || self.is_anomaly.is_some()
            || !self.anomaly_type.is_empty()
            || self.values.iter().any(|value| !value.is_nan())
    }

    /// Sets the device; refused when it is no name that may stand in a topic.
    pub fn set_device(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let text = std::str::from_utf8(name).ok().filter(|text| general::is_device(text));
        self.device.clear();
        self.device.push_str(text.ok_or(Refusal::BadDevice)?);
        Ok(())
    }

    /// Sets an error code by the canonical rules: 0, 200 and nothing are no error, ≥ 500 is the server's.
    pub fn set_error(&mut self, code: &str) {
        let (error, server_error) = general::error_of(code);
        self.error_code.clear();
        self.server_error = error && server_error;
        if error {
            push_cut(&mut self.error_code, code);
        }
    }

    /// Sets the ground truth's name.
    pub fn set_anomaly_type(&mut self, name: &str) {
        self.anomaly_type.clear();
        push_cut(&mut self.anomaly_type, name);
    }

    /// The record, stamped.
    pub fn view(&self, timestamp_ms: Option<i64>) -> RecordView<'_> {
        let head = Head {
            timestamp_ms,
            device: &self.device,
            error_code: known(&self.error_code).map(ErrorCode::Text),
            server_error: self.server_error,
            is_anomaly: self.is_anomaly,
            anomaly_type: known(&self.anomaly_type),
        };
        RecordView { head, values: &self.values }
    }
}

fn known(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn push_cut(target: &mut String, text: &str) {
    // Characters as JavaScript counts them, as the wire's schema does.
    let mut room = MAX_TEXT_CHARACTERS;
    for character in text.chars() {
        match room.checked_sub(character.len_utf16()) {
            Some(rest) if !character.is_control() => room = rest,
            Some(_) => continue,
            None => break,
        }
        target.push(character);
    }
}
