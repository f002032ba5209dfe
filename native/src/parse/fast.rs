//! Plain canonical lines read in one pass over their bytes, without allocating.
//!
//! It takes only what is beyond doubt: an object of printable ASCII without escapes, whose known fields
//! are all acceptable. For anything else it gives up, and [`super::general`], which knows every rule
//! and every refusal, reads the line from the start: so this needs no refusals of its own, and what it
//! takes must be what the other would take (a test holds them against each other).
//!
//! Lines of one source mostly have their fields in one order, so each field is first compared with the
//! one that stood there in the line before. Limit, as measured: branches on the lengths of numbers.
use super::cursor::{Cursor, Name};
use super::general::{
    MAX_DEVICE_CHARACTERS, MAX_TEXT_CHARACTERS, check_number, error_of, error_of_number, is_whole,
};
use super::{ErrorCode, Head, timestamp};
use crate::channel::{Channel, ChannelList};

/// Fields whose order is remembered; a line has hardly more.
const MAX_REMEMBERED: usize = 80;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Timestamp,
    Device,
    ErrorCode,
    IsAnomaly,
    AnomalyType,
    Channel(usize),
    Unknown,
}

/// Reads lines of one list of channels.
#[derive(Debug)]
pub struct FastParser {
    channels: Vec<Channel>,
    names: Vec<(Name, Field)>,
    /// Of each field of the line before, its place in `names`.
    order: Vec<usize>,
}

impl FastParser {
    /// A reader for these channels.
    pub fn new(channels: &ChannelList) -> Self {
        let others = [
            ("timestamp", Field::Timestamp),
            ("device_id", Field::Device),
            ("error_code", Field::ErrorCode),
            ("is_anomaly", Field::IsAnomaly),
            ("anomaly_type", Field::AnomalyType),
        ];
        let measured = channels.as_slice().iter().enumerate();
        let measured = measured.map(|(index, channel)| (channel.name.as_str(), Field::Channel(index)));
        let named = |(name, field): (&str, Field)| (Name::new(name), field);
        Self {
            channels: channels.as_slice().to_vec(),
            names: others.into_iter().chain(measured).map(named).collect(),
            order: Vec::with_capacity(MAX_REMEMBERED),
        }
    }

    /// Reads a line and writes its values in channel order, NaN for unknown; `None` when it is not plain
    /// and has to be read by all the rules.
    pub fn parse<'a>(&mut self, line: &'a [u8], values: &mut Vec<f64>) -> Option<Head<'a>> {
        values.clear();
        values.resize(self.channels.len(), f64::NAN);
        let mut rest = Cursor(line);
        let mut found = Found::default();
        rest.skip_blank();
        rest.expect(b'{')?;
        for place in 0.. {
            rest.skip_blank();
            let field = self.field(place, &mut rest)?;
            rest.skip_blank();
            self.value(field, &mut rest, &mut found, values)?;
            rest.skip_blank();
            match rest.next()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        rest.skip_blank();
        if rest.0.is_empty() { found.head() } else { None }
    }

    /// Which field comes next; the cursor stands behind its name and colon then.
    fn field(&mut self, place: usize, rest: &mut Cursor<'_>) -> Option<Field> {
        if let Some((name, field)) = self.order.get(place).and_then(|&index| self.names.get(index))
            && let Some(behind) = name.strip_from(rest.0)
        {
            rest.0 = behind;
            return Some(*field);
        }
        let name = rest.text()?;
        rest.skip_blank();
        rest.expect(b':')?;
        let index = self.names.iter().position(|(known, _)| known.plain() == name);
        let Some(index) = index else { return Some(Field::Unknown) };
        if place < self.order.len() {
            self.order[place] = index;
        } else if place < MAX_REMEMBERED {
            // Unknown fields in between leave any known one as the guess.
            self.order.resize(place + 1, index);
        }
        Some(self.names[index].1)
    }

    fn value<'a>(
        &self,
        field: Field,
        rest: &mut Cursor<'a>,
        found: &mut Found<'a>,
        values: &mut [f64],
    ) -> Option<()> {
        match (field, *rest.0.first()?) {
            (Field::Channel(index), b'n') => {
                rest.word(b"null")?;
                values[index] = f64::NAN;
            }
            (Field::Channel(index), _) => {
                values[index] = check_number(rest.number()?, &self.channels[index]).ok()?;
            }
            (Field::Timestamp, b'"') => found.timestamp_ms = Some(timestamp::from_iso_bytes(rest.text()?)?),
            (Field::Timestamp, b'n') => {
                rest.word(b"null")?;
                found.timestamp_ms = None;
            }
            (Field::Timestamp, _) => found.timestamp_ms = Some(timestamp::from_number(rest.number()?)?),
            (Field::Device, _) => found.device = Some(device(rest.text()?)?),
            (Field::ErrorCode, b'"') => {
                let text = short(rest.text()?)?;
                let (error, server_error) = error_of(text);
                found.error_code = error.then_some(ErrorCode::Text(text));
                found.server_error = server_error;
            }
            (Field::ErrorCode, b'n') => {
                rest.word(b"null")?;
                (found.error_code, found.server_error) = (None, false);
            }
            (Field::ErrorCode, _) => {
                let code = whole(rest.number()?)?;
                let (error, server_error) = error_of_number(code);
                found.error_code = error.then_some(ErrorCode::Number(code));
                found.server_error = server_error;
            }
            (Field::IsAnomaly, first) => {
                rest.literal(first)?;
                found.is_anomaly = (first != b'n').then_some(first == b't');
            }
            (Field::AnomalyType, b'n') => {
                rest.word(b"null")?;
                found.anomaly_type = None;
            }
            (Field::AnomalyType, _) => found.anomaly_type = Some(short(rest.text()?)?),
            (Field::Unknown, first) => rest.skip_scalar(first)?,
        }
        Some(())
    }
}

/// What has been read of a line.
#[derive(Default)]
struct Found<'a> {
    timestamp_ms: Option<i64>,
    device: Option<&'a str>,
    error_code: Option<ErrorCode<'a>>,
    server_error: bool,
    is_anomaly: Option<bool>,
    anomaly_type: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn head(self) -> Option<Head<'a>> {
        Some(Head {
            timestamp_ms: self.timestamp_ms,
            device: self.device?,
            error_code: self.error_code,
            server_error: self.server_error,
            is_anomaly: self.is_anomaly,
            anomaly_type: self.anomaly_type,
        })
    }
}

/// A device name of 1–128 allowed characters; all are printable ASCII here.
fn device(text: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| !matches!(*byte, 0x7f | b'/' | b'+' | b'#' | b'*');
    let fits = !text.is_empty() && text.len() <= MAX_DEVICE_CHARACTERS;
    if fits && text.iter().all(allowed) { ascii(text) } else { None }
}

fn short(text: &[u8]) -> Option<&str> {
    if text.len() <= MAX_TEXT_CHARACTERS { ascii(text) } else { None }
}

/// ASCII was checked; a second check of a short text costs next to nothing.
fn ascii(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}

#[allow(clippy::cast_possible_truncation)] // The range is checked.
fn whole(number: f64) -> Option<i64> {
    (is_whole(number) && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Record, RecordView, general};
    use proptest::prelude::*;

    /// What the fast reader takes, the full one takes as the same.
    fn assert_agrees(parser: &mut FastParser, channels: &ChannelList, line: &[u8]) -> bool {
        let mut values = Vec::new();
        let Some(head) = parser.parse(line, &mut values) else { return false };
        let record = general::parse(line, channels).expect("taken by one, refused by the other");
        let found = RecordView { head, values: &values }.to_record();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found.values), bits(&record.values));
        assert_eq!(Record { values: Vec::new(), ..found }, Record { values: Vec::new(), ..record });
        true
    }

    fn list() -> ChannelList {
        let declared = [("snr_db".to_owned(), "dB".to_owned(), crate::channel::ChannelKind::Gauge)];
        ChannelList::new(&declared).unwrap()
    }

    #[test]
    fn plain_lines_are_taken_in_any_order_and_again_in_another() {
        let channels = list();
        let mut parser = FastParser::new(&channels);
        for line in [
            r#"{"timestamp":"2026-01-31T12:00:00.123Z","device_id":"modem-1","latency_ms":12.25}"#,
            r#" { "device_id" : "modem-1" , "x" : null , "error_code" : 503 , "snr_db" : -7.5e-1 } "#,
            r#"{"y":"z","device_id":"a b","error_code":"200","is_anomaly":true,"anomaly_type":"latency"}"#,
            r#"{"retry_count":3,"device_id":"d","retry_count":4,"timestamp":1769857200.5,"z":-0.0}"#,
            r#"{"latency_ms":12345678901234567890e-10,"device_id":"d","latency_ms":0.1,"timestamp":null}"#,
            r#"{"packet_loss_pct":1.0000000000000002220446049250313,"device_id":"d"}"#,
        ] {
            assert!(assert_agrees(&mut parser, &channels, line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_other_reader() {
        let channels = list();
        let mut parser = FastParser::new(&channels);
        for line in [
            "",
            "{",
            "{}",
            "[]",
            "{\"device_id\":\"d\"",
            "{\"device_id\":\"d\",}",
            "{\"device_id\":\"d\"}x",
            "{\"device_id\":\"\"}",
            "{\"device_id\":\"a/b\"}",
            "{\"device_id\":\"\\u0061\"}",
            "{\"device_id\":\"é\"}",
            "{\"device_id\":\"a\u{7f}\"}",
            "{\"device_id\":\"d\",\"latency_ms\":01}",
            "{\"device_id\":\"d\",\"latency_ms\":-1}",
            "{\"device_id\":\"d\",\"latency_ms\":1.}",
            "{\"device_id\":\"d\",\"latency_ms\":\"1\"}",
            "{\"device_id\":\"d\",\"retry_count\":1.5}",
            "{\"device_id\":\"d\",\"x\":[1]}",
            "{\"device_id\":\"d\",\"x\":1e999}",
            "{\"device_id\":null}",
            "{\"device_id\":\"d\",\"timestamp\":\"now\"}",
            "{\"device_id\":\"d\",\"is_anomaly\":1}",
        ] {
            assert!(!assert_agrees(&mut parser, &channels, line.as_bytes()), "{line}");
        }
    }

    /// Pieces of lines, right and wrong, put together at random.
    fn piece() -> impl Strategy<Value = String> {
        let name = prop_oneof![
            Just("device_id"),
            Just("timestamp"),
            Just("latency_ms"),
            Just("retry_count"),
            Just("snr_db"),
            Just("error_code"),
            Just("is_anomaly"),
            Just("anomaly_type"),
            Just("x"),
            Just("l\\u0061tency_ms"),
        ];
        let value = prop_oneof![
            any::<f64>().prop_map(|number| format!("{number:?}")),
            any::<i64>().prop_map(|number| number.to_string()),
            (0..1_000_000_u32, 0..8_usize).prop_map(|(n, d)| format!("{:.*}", d, f64::from(n) / 1000.0)),
            "[ -~]{0,20}".prop_map(|text| format!("{text:?}")),
            "\\PC{0,12}".prop_map(|text| format!("\"{text}\"")),
            "-?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{0,3})?",
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("[1,{}]".to_owned()),
            Just("\"2026-01-31T12:00:00Z\"".to_owned()),
            Just("\"modem-1\"".to_owned()),
        ];
        (name, "[ \t]{0,2}", value)
            .prop_map(|(name, blank, value)| format!("\"{name}\"{blank}:{blank}{value}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_taken_is_taken_by_both_as_the_same(pieces in prop::collection::vec(piece(), 0..7)) {
            let channels = list();
            let mut parser = FastParser::new(&channels);
            for first in ["", "\"device_id\":\"d\","] {
                let line = format!("{{{first}{}}}", pieces.join(","));
                for _ in 0..2 {
                    assert_agrees(&mut parser, &channels, line.as_bytes());
                }
            }
        }

        #[test]
        fn one_changed_byte_changes_both_alike(place in 0..120_usize, byte in any::<u8>()) {
            let channels = list();
            let mut line = br#"{"timestamp":"2026-01-01T00:00:00.5+01:00","device_id":"dev-1","latency_ms":12.5,"error_code":500,"is_anomaly":false}"#.to_vec();
            let place = place % line.len();
            line[place] = byte;
            assert_agrees(&mut FastParser::new(&channels), &channels, &line);
        }
    }
}
