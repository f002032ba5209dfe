//! Records whose windows wait to be scored, copied into memory that is used again block after block.
//!
//! A line's record borrows from the line and from its reader. What may still be put out once its windows
//! are scored is kept here, so that no line is read twice and one line may give several records.
use super::judge::Measured;
use super::opinion::Opinion;
use crate::parse::{ErrorCode, Head, RecordView};

/// A record and its windows.
#[derive(Debug)]
pub struct Held {
    pub time_ms: i64,
    /// Offset in the chunk just after its line.
    pub line_end: usize,
    pub device: Option<Measured>,
    pub gateway: Option<Measured>,
    pub opinion: Option<Opinion>,
    /// The record without its texts and values.
    head: Head<'static>,
    /// Where its texts begin and how long they are: device, error code when it is a text, label.
    texts_from: usize,
    texts: [usize; 3],
    values_from: usize,
}

/// Waiting records in the order of their lines.
#[derive(Debug, Default)]
pub struct HeldRecords {
    records: Vec<Held>,
    texts: String,
    values: Vec<f64>,
}

impl HeldRecords {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Adds a record with its windows; without `with_values` its values are left out.
    pub fn push(
        &mut self,
        record: &RecordView<'_>,
        (time_ms, line_end): (i64, usize),
        (device, gateway): (Option<Measured>, Option<Measured>),
        opinion: Option<Opinion>,
        with_values: bool,
    ) {
        let (texts_from, values_from) = (self.texts.len(), self.values.len());
        let (code, code_text) = match record.head.error_code {
            Some(ErrorCode::Text(text)) => (Some(ErrorCode::Text("")), text),
            Some(ErrorCode::Number(code)) => (Some(ErrorCode::Number(code)), ""),
            None => (None, ""),
        };
        let label = record.head.anomaly_type;
        let parts = [record.head.device, code_text, label.unwrap_or_default()];
        for part in parts {
            self.texts.push_str(part);
        }
        if with_values {
            self.values.extend_from_slice(record.values);
        }
        let head = Head { device: "", error_code: code, anomaly_type: label.map(|_| ""), ..record.head };
        let texts = parts.map(str::len);
        self.records.push(Held {
            time_ms,
            line_end,
            device,
            gateway,
            opinion,
            head,
            texts_from,
            texts,
            values_from,
        });
    }

    /// The waiting records.
    pub fn iter(&self) -> impl Iterator<Item = &Held> {
        self.records.iter()
    }

    /// A waiting record as it was read; `channels` values when they were kept.
    pub fn view(&self, waiting: &Held, channels: usize) -> RecordView<'_> {
        let [device, code, label] = waiting.texts;
        let (device, rest) = self.texts[waiting.texts_from..].split_at(device);
        let (code, rest) = rest.split_at(code);
        let head = Head {
            device,
            error_code: waiting.head.error_code.map(|known| match known {
                ErrorCode::Text(_) => ErrorCode::Text(code),
                ErrorCode::Number(code) => ErrorCode::Number(code),
            }),
            anomaly_type: waiting.head.anomaly_type.map(|_| &rest[..label]),
            ..waiting.head
        };
        let values =
            self.values.get(waiting.values_from..waiting.values_from + channels).unwrap_or_default();
        RecordView { head, values }
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.records.clear();
        self.texts.clear();
        self.values.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_read() {
        let head = |device, error_code, anomaly_type| Head {
            timestamp_ms: Some(7),
            device,
            error_code,
            server_error: true,
            is_anomaly: Some(false),
            anomaly_type,
        };
        let heads = [
            head("a", Some(ErrorCode::Text("T3 timeout")), None),
            head("modem-1", Some(ErrorCode::Number(503)), Some("")),
            head("é", None, Some("latency")),
        ];
        let mut records = HeldRecords::default();
        for _ in 0..2 {
            for (first, head) in [0.5, 1.5, 2.5].into_iter().zip(heads) {
                let values = [first, 2.0];
                records.push(&RecordView { head, values: &values }, (1, 2), (None, None), None, true);
            }
            assert_eq!(records.len(), 3);
            for ((first, waiting), head) in [0.5, 1.5, 2.5].into_iter().zip(records.iter()).zip(heads) {
                let view = records.view(waiting, 2);
                assert_eq!((view.head, view.values), (head, &[first, 2.0][..]));
            }
            records.clear();
        }
    }
}
