//! Canonical lines: what is accepted and as what, and what is refused and why.
use lineheron_native::channel::{ChannelKind, ChannelList};
use lineheron_native::parse::canonical::parse;
use lineheron_native::parse::{Record, Refusal};
use proptest::prelude::*;

fn channels() -> ChannelList {
    let declared = [
        ("signal_dbm".to_owned(), "dBm".to_owned(), ChannelKind::Gauge),
        ("attaches".to_owned(), String::new(), ChannelKind::Count),
    ];
    ChannelList::new(&declared).unwrap()
}

fn read(text: &str) -> Result<Record, Refusal> {
    parse(text.as_bytes(), &channels())
}

fn with(field: &str) -> Result<Record, Refusal> {
    read(&format!("{{\"device_id\":\"d\",{field}}}"))
}

#[test]
fn every_field_is_read_in_any_order_and_unknown_ones_are_skipped() {
    let record = read(
        r#" {"x":[1,{"y":"}"}],"connection_resets":1,"anomaly_type":"latency","is_anomaly":true,
        "traffic_volume_mb":2.5,"retry_count":3.0,"packet_loss_pct":100,"latency_ms":1e1,
        "error_code":503,"device_id":"modem é \"1\"","timestamp":"1970-01-01T00:00:01Z",
        "signal_dbm":-71.5,"attaches":0,"z":null,"latency":"text"} "#,
    )
    .unwrap();
    assert_eq!(record.timestamp_ms, Some(1000));
    assert_eq!(record.device, "modem é \"1\"");
    assert_eq!(record.values, [10.0, 100.0, 3.0, 2.5, 1.0, -71.5, 0.0]);
    assert_eq!((record.error_code.as_deref(), record.server_error), (Some("503"), true));
    assert_eq!((record.is_anomaly, record.anomaly_type.as_deref()), (Some(true), Some("latency")));
}

#[test]
fn absent_and_null_fields_are_unknown() {
    let null = with(r#""timestamp":null,"latency_ms":null,"error_code":null,"is_anomaly":null"#).unwrap();
    for record in [read(r#"{"device_id":"d"}"#).unwrap(), null] {
        assert!(record.values.iter().all(|value| value.is_nan()));
        assert_eq!((record.timestamp_ms, record.error_code, record.is_anomaly), (None, None, None));
    }
}

#[test]
fn a_field_given_twice_counts_as_its_last_value() {
    assert_eq!(with(r#""latency_ms":"x","latency_ms":2"#).unwrap().values[0], 2.0);
    assert_eq!(with(r#""latency_ms":2,"latency_ms":-1"#), Err(Refusal::Negative));
    assert_eq!(with(r#""device_id":"e""#).unwrap().device, "e");
}

#[test]
fn error_codes_mean_none_an_error_or_a_server_error() {
    for none in ["0", "200", "\"0\"", "\"200\"", "\"\"", "null", "200.0", "-0"] {
        let record = with(&format!("\"error_code\":{none}")).unwrap();
        assert_eq!((record.error_code, record.server_error), (None, false), "{none}");
    }
    for (code, text, server) in [
        ("404", "404", false),
        ("500", "500", true),
        ("\"500\"", "500", true),
        ("-1", "-1", false),
        ("\"ETIMEDOUT\"", "ETIMEDOUT", false),
        ("599.0", "599", true),
    ] {
        let record = with(&format!("\"error_code\":{code}")).unwrap();
        assert_eq!((record.error_code.as_deref(), record.server_error), (Some(text), server), "{code}");
    }
}

#[test]
fn what_is_wrong_is_refused_with_its_reason() {
    let long = format!("\"{}\"", "x".repeat(65));
    let wide = format!("\"{}\"", "😀".repeat(33));
    let cases: Vec<(String, Refusal)> = [
        ("\"latency_ms\":\"20\"", Refusal::NotANumber),
        ("\"latency_ms\":true", Refusal::NotANumber),
        ("\"latency_ms\":[20]", Refusal::NotANumber),
        ("\"latency_ms\":{\"a\":1}", Refusal::NotANumber),
        ("\"latency_ms\":-0.1", Refusal::Negative),
        ("\"attaches\":-1", Refusal::Negative),
        ("\"packet_loss_pct\":100.01", Refusal::OutOfRange),
        ("\"latency_ms\":1e13", Refusal::OutOfRange),
        ("\"latency_ms\":1e999", Refusal::OutOfRange),
        ("\"signal_dbm\":-1e13", Refusal::OutOfRange),
        ("\"retry_count\":1.5", Refusal::NotAnInteger),
        ("\"latency_ms\":NaN", Refusal::InvalidJson),
        ("\"latency_ms\":01", Refusal::InvalidJson),
        ("\"error_code\":1.5", Refusal::BadErrorCode),
        ("\"error_code\":true", Refusal::BadErrorCode),
        ("\"error_code\":1e300", Refusal::BadErrorCode),
        ("\"is_anomaly\":1", Refusal::BadLabel),
        ("\"anomaly_type\":1", Refusal::BadLabel),
        ("\"timestamp\":\"2026-01-01T00:00:00\"", Refusal::BadTimestamp),
        ("\"timestamp\":-1", Refusal::BadTimestamp),
        ("\"timestamp\":[]", Refusal::BadTimestamp),
    ]
    .into_iter()
    .map(|(field, reason)| (field.to_owned(), reason))
    .chain([
        (format!("\"error_code\":{long}"), Refusal::BadErrorCode),
        (format!("\"error_code\":{wide}"), Refusal::BadErrorCode),
        (format!("\"anomaly_type\":{long}"), Refusal::BadLabel),
    ])
    .collect();
    for (field, reason) in cases {
        assert_eq!(with(&field), Err(reason), "{field}");
    }
}

#[test]
fn lines_that_are_no_object_of_ours_are_refused() {
    for (text, reason) in [
        ("", Refusal::InvalidJson),
        ("{", Refusal::InvalidJson),
        ("{}x", Refusal::InvalidJson),
        ("[]", Refusal::NotAnObject),
        ("1", Refusal::NotAnObject),
        ("null", Refusal::NotAnObject),
        ("\"x\"", Refusal::NotAnObject),
        ("{}", Refusal::MissingDevice),
        ("{\"device_id\":\"d\",}", Refusal::InvalidJson),
        ("{\"device_id\":\"\\ud800\"}", Refusal::InvalidJson),
        ("{\"device_id\":\"d\"}{}", Refusal::InvalidJson),
        ("{\"device_id\":null}", Refusal::MissingDevice),
    ] {
        assert_eq!(read(text), Err(reason), "{text}");
    }
    assert_eq!(parse(b"{\"device_id\":\"\xff\"}", &channels()), Err(Refusal::InvalidUtf8));
    assert_eq!(parse(b"{\"device_id\":\"d\",\"x\":\"\xc3\"}", &channels()), Err(Refusal::InvalidUtf8));
}

#[test]
fn device_names_are_1_to_128_printable_characters_without_topic_signs() {
    for bad in [
        "",
        "a/b",
        "a+b",
        "#",
        "*",
        "a\\u0000",
        "a\\n",
        "\\u0085",
        "\\u200b",
        "\\ufeff",
        "\\ue000",
        "\\u2028",
        &"é".repeat(129),
    ] {
        assert_eq!(read(&format!("{{\"device_id\":\"{bad}\"}}")), Err(Refusal::BadDevice), "{bad}");
    }
    assert_eq!(read("{\"device_id\":7}"), Err(Refusal::BadDevice));
    for good in ["d", "a b", "00:11:22", "e\u{301}", "路由器", "a'b", &"é".repeat(128)] {
        assert_eq!(read(&format!("{{\"device_id\":\"{good}\"}}")).unwrap().device, good);
    }
}

#[test]
fn deep_nesting_is_refused_or_skipped_but_never_overflows_the_stack() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    assert!(with(&format!("\"x\":{deep}")).is_ok() || with(&format!("\"x\":{deep}")).is_err());
    assert!(with(&format!("\"latency_ms\":{deep}")).is_err());
    assert!(read(&deep).is_err());
}

proptest! {
    #[test]
    fn any_bytes_give_a_record_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &channels());
    }

    #[test]
    fn damaged_lines_give_a_record_or_a_refusal(place in 0..90_usize, byte in any::<u8>()) {
        let mut line = br#"{"timestamp":"2026-01-01T00:00:00.5+01:00","device_id":"d","latency_ms":12.5,"error_code":500}"#.to_vec();
        line[place] = byte;
        let _ = parse(&line, &channels());
    }

    #[test]
    fn numbers_are_read_to_the_last_bit(value in 0.0..1e12_f64) {
        let record = with(&format!("\"latency_ms\":{value:?}")).unwrap();
        prop_assert_eq!(record.values[0].to_bits(), value.to_bits());
    }
}
