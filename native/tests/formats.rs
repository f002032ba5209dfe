//! Formats through the engine: what other shapes of lines become, end to end.
use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::RecordOutput;
use lineheron_native::format::Context;

const NOW: i64 = 1_795_000_000_000;

/// Nested JSON with units, a total and a channel of its own.
const NESTED: &str = r#"{"type":"json","device_id":"spare","fields":{
  "timestamp":{"from":"at","form":"epoch_ms"}, "device_id":"host.name",
  "latency_ms":{"from":"net.rtt","unit":"s"}, "packet_loss_pct":{"from":"net.lost","unit":"ratio"},
  "traffic_volume_mb":{"from":"net.total","unit":"bytes","counter":true},
  "snr_db":{"from":"cells.1.snr","unit":"0.1 dB"}, "error_code":{"from":"state","ok":["up"]}}}"#;

fn engine() -> Engine {
    let mut options = Options::default();
    options.publish_records = "all".to_owned();
    options.channels = vec![("snr_db".into(), "dB".into(), "gauge".into())];
    Engine::new(options.check().unwrap()).unwrap()
}

fn push(engine: &mut Engine, format: u32, text: &str) -> Vec<RecordOutput> {
    let context = Context::new(NOW, None);
    let push = engine.push_format(text.as_bytes(), format, context, true).unwrap();
    assert_eq!(push.consumed_bytes, text.len());
    push.records
}

fn refused(engine: &Engine) -> Vec<(&'static str, u64)> {
    engine.counters().refused().collect()
}

#[test]
fn nested_json_becomes_a_record_with_our_units() {
    let mut engine = engine();
    let format = engine.add_format(NESTED).unwrap();
    let line = |at: i64, total: u64| {
        let net = format!(r#"{{"rtt":0.025,"lost":"0.5","total":{total}}}"#);
        format!(
            "{{\"at\":{at},\"net\":{net},\"host.name\":\"m1\",\"cells\":[{{}},{{\"snr\":371}}],\"state\":\"up\"}}\r\n"
        )
    };
    let records = push(&mut engine, format, &(line(NOW - 2000, 1_000_000) + &line(NOW - 1000, 3_500_000)));
    assert_eq!((records[0].time_ms, records[0].record.device.as_str()), (NOW - 2000, "m1"));
    let known = |place: usize| records[place].record.values.clone();
    assert!(known(0)[3].is_nan(), "the first total gives no difference");
    assert_eq!([known(1)[0], known(1)[1], known(1)[3], known(1)[5]], [25.0, 50.0, 2.5, 37.1]);
    assert_eq!(records[1].record.error_code, None);
}

#[test]
fn lines_are_refused_by_reason_with_a_sample_and_totals_survive_them() {
    let mut engine = engine();
    let format = engine.add_format(NESTED).unwrap();
    let text = concat!(
        "{\"net\":{\"rtt\":\"fast\",\"total\":9}}\n",
        "[1]\n",
        "{\"net\":\n",
        "{\"net\":{\"lost\":1.5}}\n",
        "{\"at\":\"x\"}\n",
        "a\0b\n",
        "\0\0{\"state\":\"down\"}\n",
    );
    let records = push(&mut engine, format, text);
    let shown: Vec<_> =
        records.iter().map(|r| (r.record.device.as_str(), r.record.error_code.as_deref())).collect();
    assert_eq!(shown, [("spare", Some("down"))]);
    let reasons =
        ["invalid_json", "not_an_object", "bad_timestamp", "not_a_number", "out_of_range", "binary"];
    assert_eq!(refused(&engine), reasons.map(|reason| (reason, 1)));
    let sample = engine.refused_sample();
    assert_eq!(sample.len(), reasons.len());
    assert_eq!((sample[5].line.as_str(), sample[5].format), ("a\u{fffd}b", format));
    assert!(engine.refused_sample().is_empty());
}

#[test]
fn each_format_keeps_its_own_place_in_a_line_that_is_too_long() {
    let mut engine = engine();
    let formats = [engine.add_format("\"canonical\"").unwrap(), engine.add_format("\"canonical\"").unwrap()];
    let context = Context::new(NOW, None);
    let long = vec![b'x'; 100_000];
    assert_eq!(engine.push_format(&long, formats[0], context, true).unwrap().consumed_bytes, 100_000);
    assert_eq!(push(&mut engine, formats[1], "{\"device_id\":\"a\"}\n").len(), 1);
    assert_eq!(push(&mut engine, formats[0], "tail of it\n{\"device_id\":\"a\"}\n").len(), 1);
    assert_eq!(engine.counters().too_long, 1);
}

#[test]
fn numbers_of_formats_are_checked_and_given_again() {
    let mut engine = engine();
    let first = engine.add_format(NESTED).unwrap();
    assert_eq!(first, 1);
    engine.remove_format(first).unwrap();
    assert_eq!(engine.add_format("{\"type\":\"canonical\"}").unwrap(), first);
    let context = Context::new(NOW, None);
    assert!(engine.push_format(b"{}\n", 2, context, true).is_err());
    assert!(engine.remove_format(2).is_err());
    assert!(engine.remove_format(0).is_err());
}

#[test]
fn a_wrong_definition_is_refused_with_the_keys_path() {
    let mut engine = engine();
    for (definition, text) in [
        ("{", "no JSON"),
        ("3", "format: expected an object"),
        ("{}", "format.type: missing; expected canonical, json"),
        (r#""yaml""#, "unknown format \"yaml\""),
        (r#"{"type":"canonical","a":1}"#, "format.a: unknown key; expected one of type"),
        (r#"{"type":"json"}"#, "format.fields: missing"),
        (r#"{"type":"json","fields":{}}"#, "format.fields: has 0 entries"),
        (r#"{"type":"json","fields":{"rtt":"x"}}"#, "format.fields.rtt: is neither a field nor a declared"),
        (r#"{"type":"json","fields":{"latency_ms":3}}"#, "format.fields.latency_ms: expected a text or"),
        (
            r#"{"type":"json","fields":{"latency_ms":{"from":"a","unit":"MB"}}}"#,
            "latency_ms.unit: unit \"MB\"",
        ),
        (r#"{"type":"json","fields":{"latency_ms":{"form":"iso"}}}"#, "latency_ms.form: unknown key"),
        (r#"{"type":"json","fields":{"latency_ms":{"scale":0}}}"#, "latency_ms.scale: must not be 0"),
        (r#"{"type":"json","fields":{"timestamp":{"form":"unix"}}}"#, "timestamp.form: unknown time form"),
        (r#"{"type":"json","device_id":"a/b","fields":{"latency_ms":"x"}}"#, "format.device_id: \"a/b\""),
        (r#"{"type":"json","feilds":{},"fields":{"latency_ms":"x"}}"#, "format.feilds: unknown key"),
        (
            r#"{"type":"json","timezone":"Mars","fields":{"latency_ms":"x"}}"#,
            "format.timezone: unknown time zone",
        ),
    ] {
        let error = engine.add_format(definition).unwrap_err().to_string();
        assert!(error.contains(text), "{definition}: {error}");
    }
}
