//! JSON's rules at line level: what must be accepted, what must be refused, odd encodings, every
//! truncation, lengths to the limit and beyond it; and a general JSON reader as the judge of the rest.
mod support;

#[path = "support/json_cases.rs"]
mod json_cases;
#[path = "support/reference_line.rs"]
mod reference_line;

use json_cases::{ACCEPT, EITHER, REFUSE};
use lineheron_native::parse::{Record, Refusal, canonical};
use proptest::prelude::*;
use support::{START_MS, engine};

const MAX_LINE_BYTES: usize = 65_536;
const SAMPLE: &str =
    r#" {"timestamp":"2026-01-31T12:00:00.5+01:00","device_id":"m\u00f6d\ud83d\ude00m","latency_ms":-0.0,"#;
const SAMPLE_END: &str = r#""packet_loss_pct":1.5e1,"x":{"y":[true,null,"\"\\"]},"retry_count":3,"error_code":"E","is_anomaly":false,"anomaly_type":"t"} "#;

fn parse(line: &[u8]) -> Result<Record, Refusal> {
    canonical::parse(line, &reference_line::channels())
}

/// The parser must agree with the plain reading, in the record and in the refusal.
fn agree(line: &[u8]) {
    let channels = reference_line::channels();
    reference_line::compare(&canonical::parse(line, &channels), line, &channels).unwrap();
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// The text as the value of an unknown field before and behind the device.
fn embedded(text: &[u8]) -> [Vec<u8>; 2] {
    [
        join(&[b"{\"x\":", text, b",\"device_id\":\"d\"}"]),
        join(&[b"{\"device_id\":\"d\",\"x\":", text, b"}"]),
    ]
}

/// The text as the value of every kind of known field.
fn known(text: &[u8]) -> Vec<Vec<u8>> {
    let names = ["timestamp", "latency_ms", "attaches", "error_code", "is_anomaly", "anomaly_type"];
    let of = |name: &str| {
        join(&[b"{\"device_id\":\"d\",\"", name.as_bytes(), b"\":", text, b",\"signal_dbm\":1}"])
    };
    names.iter().map(|name| of(name)).chain([join(&[b"{\"device_id\":", text, b"}"])]).collect()
}

fn is_syntax(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::InvalidJson | Refusal::InvalidUtf8)
}

#[test]
fn what_must_be_accepted_is_accepted_as_an_unknown_field_and_is_json_everywhere() {
    for (name, text) in ACCEPT {
        for line in embedded(text) {
            assert_eq!(parse(&line).map(|record| record.device), Ok("d".to_owned()), "{name}");
        }
        for line in known(text) {
            assert!(parse(&line).err().is_none_or(|refusal| !is_syntax(refusal)), "{name}");
            agree(&line);
        }
        let object = text.trim_ascii_start().starts_with(b"{");
        let expected = if object { Refusal::MissingDevice } else { Refusal::NotAnObject };
        assert_eq!(parse(text), Err(expected), "{name}");
    }
    assert_eq!(ACCEPT.len(), 95);
}

#[test]
fn what_must_be_refused_is_refused_wherever_it_stands() {
    for (name, text) in REFUSE {
        for line in embedded(text).into_iter().chain(known(text)) {
            assert!(parse(&line).is_err_and(is_syntax), "{name}: {:?}", parse(&line));
            agree(&line);
        }
        assert!(parse(text).is_err(), "{name}");
        if text.starts_with(b"{") {
            assert!(parse(text).is_err_and(is_syntax), "{name}");
        }
    }
    assert_eq!(REFUSE.len(), 187);
}

#[test]
fn what_is_left_open_gives_a_record_or_a_refusal_and_no_fault() {
    for (_, text) in EITHER {
        for line in embedded(text).into_iter().chain(known(text)).chain([text.to_vec()]) {
            agree(&line);
        }
    }
    // Bytes that are not UTF-8 are no text at all, and a lone surrogate is no device's name.
    for bytes in [&b"\xff\xfe"[..], b"\xc0\xae", b"\xed\xa0\x80", b"\xf4\xbf\xbf\xbe", b"\x82"] {
        assert_eq!(parse(&join(&[b"{\"device_id\":\"d", bytes, b"\"}"])), Err(Refusal::InvalidUtf8));
    }
    for escape in ["\\ud800", "\\udc00", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud800x", "\\ud800\\n"] {
        assert_eq!(parse(format!("{{\"device_id\":\"{escape}\"}}").as_bytes()), Err(Refusal::InvalidJson));
    }
    assert_eq!(EITHER.len(), 34);
}

#[test]
fn every_case_as_the_name_of_a_field_agrees_with_the_plain_reading() {
    for (_, text) in ACCEPT.iter().chain(REFUSE).chain(EITHER) {
        agree(&join(&[b"{", text, b":1,\"device_id\":\"d\"}"]));
        agree(&join(&[b"{\"device_id\":\"d\"", text, b"}"]));
        agree(&join(&[text, b"{\"device_id\":\"d\"}"]));
        agree(&join(&[b"{\"device_id\":\"d\"}", text]));
    }
}

#[test]
fn every_truncation_of_a_line_is_refused_and_every_tail_agrees() {
    let line = format!("{SAMPLE}{SAMPLE_END}");
    let record = parse(line.as_bytes()).unwrap();
    assert_eq!((record.device.as_str(), record.timestamp_ms), ("möd😀m", Some(1_769_857_200_500)));
    assert_eq!(record.values[0].to_bits(), 0.0_f64.to_bits(), "-0 is 0");
    let end = line.trim_end().len();
    for length in 0..end {
        assert!(parse(&line.as_bytes()[..length]).is_err_and(is_syntax), "{length}");
        agree(&line.as_bytes()[..length]);
        agree(&line.as_bytes()[length..]);
    }
    assert!(parse(&line.as_bytes()[..end]).is_ok());
}

#[test]
fn every_byte_at_every_place_agrees_with_the_plain_reading() {
    let line = r#"{"device_id":"d\n","latency_ms":-1.5e1,"retry_count":7,"x":[1,"\u00e9"]}"#.as_bytes();
    for place in 0..line.len() {
        for byte in 0..=255 {
            let mut changed = line.to_vec();
            changed[place] = byte;
            agree(&changed);
            changed.insert(place, line[place]);
            agree(&changed);
        }
    }
}

#[test]
fn other_encodings_and_nul_bytes_are_refused_and_counted() {
    let text = "{\"device_id\":\"d\"}";
    let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    for line in [
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
        join(&[b"\xff\xfe", &wide(u16::to_le_bytes)]),
        join(&[b"\xfe\xff", &wide(u16::to_be_bytes)]),
        text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        join(&[b"\0", text.as_bytes()]),
        join(&[text.as_bytes(), b"\0"]),
        b"{\"device_id\":\"\0\"}".to_vec(),
        vec![0; 1000],
    ] {
        assert!(parse(&line).is_err_and(is_syntax), "{line:?}");
        let mut engine = engine(|_| {});
        let push = engine.push(&join(&[&line, b"\n{\"device_id\":\"e\"}\n"]), START_MS, true);
        assert_eq!((engine.counters().records, push.consumed_bytes), (1, line.len() + 19), "{line:?}");
        assert_eq!(engine.counters().refused().map(|(_, count)| count).sum::<u64>(), 1);
    }
    assert_eq!(parse("\u{feff}{\"device_id\":\"d\"}".as_bytes()).unwrap().device, "d", "a mark is no text");
}

#[test]
fn numbers_of_any_size_are_read_as_other_readers_read_them() {
    let digits = "9".repeat(60_000);
    for number in [
        "0.1",
        "1e-7",
        "4.9e-324",
        "2.2250738585072011e-308",
        "2.4703282292062327e-324",
        "1e-400",
        "9007199254740993",
        "9007199254740992.5",
        "18446744073709551616",
        "123456789012.3456789",
        "999999999999.99999",
        "1000000000000",
        "1000000000000.0001",
        "1e12",
        "1e13",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "1e309",
        "-1e309",
        "0e999999999999",
        "1e-999999999999",
        "0.0000000000000001",
        "9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "1E0",
        "10e-1",
        "0.5e1",
        &digits,
        &format!("0.{digits}"),
        &format!("{digits}e-60000"),
        &format!("1e{digits}"),
        &format!("0.{}1e60001", "0".repeat(60_000)),
        &format!("1{}e-60000", "0".repeat(60_000)),
    ] {
        for line in known(number.as_bytes()).into_iter().chain(embedded(number.as_bytes())) {
            agree(&line);
        }
    }
}

#[test]
fn of_fields_given_twice_the_last_counts_whatever_stood_before() {
    for (fields, expected) in [
        ("\"latency_ms\":1,\"latency_ms\":2", Ok(2.0)),
        ("\"latency_ms\":\"x\",\"latency_ms\":2", Ok(2.0)),
        ("\"latency_ms\":2,\"latency_ms\":\"x\"", Err(Refusal::NotANumber)),
        ("\"latency_ms\":-1,\"l\\u0061tency_ms\":2", Ok(2.0)),
        ("\"latency_ms\":2,\"latency\\u005fms\":-1", Err(Refusal::Negative)),
    ] {
        let line = format!("{{\"device_id\":\"a/b\",{fields},\"device_id\":\"d\"}}");
        assert_eq!(parse(line.as_bytes()).map(|record| record.values[0]), expected, "{line}");
        agree(line.as_bytes());
    }
}

#[test]
fn nesting_to_the_line_limit_never_overflows_the_stack() {
    for depth in [1, 64, 126, 127, 128, 129, 500, 10_000, 32_000] {
        for (open, close) in [("[", "]"), ("{\"k\":", "}"), ("[{\"k\":", "}]")] {
            let depth = depth.min(65_000 / (open.len() + close.len()));
            let text = open.repeat(depth) + "1" + &close.repeat(depth);
            for line in embedded(text.as_bytes()).into_iter().chain(known(text.as_bytes())) {
                agree(&line);
            }
            assert!(parse(text.as_bytes()).is_err());
            assert!(parse(open.repeat(65_000 / open.len()).as_bytes()).is_err());
        }
    }
}

#[test]
fn lines_to_the_limit_are_read_and_longer_ones_counted_once() {
    let padded = |bytes: usize| {
        let frame = "{\"device_id\":\"d\",\"x\":\"\"}".len();
        format!("{{\"device_id\":\"d\",\"x\":\"{}\"}}", "y".repeat(bytes - frame))
    };
    assert_eq!(padded(1000).len(), 1000);
    for (bytes, records, too_long) in [(MAX_LINE_BYTES, 2, 0), (MAX_LINE_BYTES + 1, 1, 1)] {
        for ending in ["\n", "\r\n"] {
            let line = padded(bytes + 1 - ending.len());
            let mut engine = engine(|_| {});
            engine.push(format!("{line}{ending}{{\"device_id\":\"d\"}}\n").as_bytes(), START_MS, true);
            let counters = engine.counters();
            assert_eq!((counters.records, counters.too_long, counters.lines), (records, too_long, 2));
        }
    }
    agree(padded(MAX_LINE_BYTES).as_bytes());
}

/// Pieces of lines, so that random texts come near to what is accepted.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "\t",
        "null",
        "true",
        "false",
        "-",
        "0",
        "1.5",
        "e9",
        "1e999",
        "\"device_id\":\"d\"",
        "\"latency_ms\":2",
        "\"retry_count\":1",
        "\"retry_count\":1.0",
        "\"error_code\":500",
        "\"timestamp\":1700000000",
        "\"timestamp\":\"2026-01-01T00:00:00Z\"",
        "\"signal_dbm\":-70.25",
        "\"x\":[1]",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud800",
        "\u{feff}",
        "é",
        "\"is_anomaly\":true",
        "\"anomaly_type\":\"t\"",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..3),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lines_of_random_pieces_agree_with_the_plain_reading(
        pieces in prop::collection::vec(piece(), 0..12),
        closed in any::<bool>(),
    ) {
        let body = pieces.concat();
        agree(&body);
        if closed {
            agree(&join(&[b"{\"device_id\":\"d\",", &body, b"}"]));
            agree(&join(&[b"{\"device_id\":\"d\",\"latency_ms\":", &body, b"}"]));
            agree(&join(&[b"{\"device_id\":\"", &body, b"\"}"]));
        }
    }

    #[test]
    fn lines_of_fields_in_any_order_agree_with_the_plain_reading(
        mut fields in prop::sample::subsequence(vec![
            "\"timestamp\":1700000000.25", "\"device_id\":\"d\"", "\"latency_ms\": 12.75", "\"packet_loss_pct\":0",
            "\"retry_count\":2e0", "\"error_code\":404", "\"traffic_volume_mb\":1e-3", "\"connection_resets\":null",
            "\"is_anomaly\":true", "\"anomaly_type\":\"a\\tb\"", "\"signal_dbm\":-7", "\"attaches\":0", "\"zz\":{}",
        ], 0..13).prop_shuffle(),
        value in any::<f64>(),
    ) {
        let extra = format!("\"signal_dbm\":{value:?}");
        fields.push(&extra);
        agree(format!("{{{}}}", fields.join(" , ")).as_bytes());
    }
}
