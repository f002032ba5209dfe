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
    "all".clone_into(&mut options.publish_records);
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
    assert_eq!(shown, [("spare", None), ("spare", None), ("spare", Some("down"))]);
    let reasons = ["invalid_json", "not_an_object", "bad_timestamp", "binary"];
    assert_eq!(refused(&engine), reasons.map(|reason| (reason, 1)));
    let cells: Vec<_> = engine.counters().refused_cells().collect();
    assert_eq!(cells, [("not_a_number", 1), ("out_of_range", 1)]);
    let sample = engine.refused_sample();
    assert_eq!(sample.iter().filter(|refused| refused.cell).count(), 2);
    assert_eq!(sample.len(), reasons.len() + 2);
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
        (r#"{"type":"json","decimal":";","fields":{"latency_ms":"x"}}"#, "format.decimal: \";\" is neither"),
        (
            r#"{"type":"json","missing":[[]],"fields":{"latency_ms":"x"}}"#,
            "format.missing: expected a list of",
        ),
        (
            r#"{"type":"json","fields":{"packet_loss_pct":{"sent":"a"}}}"#,
            "sent: give either received or lost",
        ),
        (r#"{"type":"json","fields":{"latency_ms":{"sent":"a","lost":"b"}}}"#, "sent: only a share in %"),
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

#[test]
fn an_openwrt_log_over_a_restart_counts_resets_and_places_the_unset_clocks_lines() {
    let mut engine = engine();
    let format = engine.add_format(r#"{"type":"syslog","device_id":"gw"}"#).unwrap();
    let records = push(
        &mut engine,
        format,
        concat!(
            "Wed Nov 18 11:00:00 2026 daemon.notice netifd: Interface 'wan' is now down\n",
            "Thu Jan  1 00:00:05 1970 kern.info kernel: [    5.1] Linux version 6.6.86\n",
            "Thu Jan  1 00:00:09 1970 daemon.info pppd[77]: No response to 5 echo-requests\n",
            "Wed Nov 18 11:00:40 2026 daemon.info dnsmasq[1]: reply example.com is 192.0.2.1\n",
            "Wed Nov 18 11:00:41 2026 daemon.err something[1]: words that no pattern knows\n",
        ),
    );
    let offsets: Vec<_> = records.iter().map(|record| record.time_ms - records[0].time_ms).collect();
    assert_eq!(offsets, [0, 0, 4000, 40_000, 41_000]);
    let errors: Vec<_> = records.iter().map(|record| record.record.error_code.as_deref()).collect();
    assert_eq!(errors, [Some("interface-down"), None, Some("ppp-echo-lost"), None, Some("err")]);
    assert_eq!((records[0].record.values[4], records[2].record.values[2]), (1.0, 5.0));
    assert_eq!(engine.counters().unsynchronised, 2);
}

#[test]
fn a_counted_event_is_expanded_in_even_steps_and_bounded() {
    let mut engine = engine();
    let format = engine.add_format(r#"{"type":"docsis","device_id":"cm"}"#).unwrap();
    let line = |count: u32| {
        let text = "No Ranging Response received - T3 time-out";
        format!("2026-11-18 11:00:00, 2026-11-18 11:00:04, {count}, 3, 82000200, \"{text}\"\n")
    };
    let records = push(&mut engine, format, &line(5));
    let offsets: Vec<_> = records.iter().map(|record| record.time_ms - records[0].time_ms).collect();
    assert_eq!(offsets, [0, 1000, 2000, 3000, 4000]);
    assert!(records.iter().all(|record| record.record.error_code.as_deref() == Some("T3-timeout")));
    assert_eq!(push(&mut engine, format, &line(500_000)).len(), 1000);
    assert_eq!(engine.counters().expanded, 4 + 999);
}

#[test]
fn repeated_messages_count_as_often_as_they_say() {
    let mut engine = engine();
    let format = engine.add_format("\"syslog\"").unwrap();
    let records = push(
        &mut engine,
        format,
        concat!(
            "Nov 18 11:00:00 gw kernel: eth0: link down\n",
            "Nov 18 11:00:01 gw last message repeated 2 times\n",
            "Nov 18 11:00:02 gw sshd[1]: message repeated 3 times: [ Failed password for root from 192.0.2.7 ]\n",
        ),
    );
    let errors: Vec<_> = records.iter().filter_map(|record| record.record.error_code.as_deref()).collect();
    assert_eq!(
        errors,
        ["link-down", "link-down", "link-down", "auth-failure", "auth-failure", "auth-failure"]
    );
}

/// Seconds after 11:00 at which windows end that hold a reboot.
fn rebooted(engine: &mut Engine, format: u32, text: &str, name: &str) -> Vec<i64> {
    let push = engine.push_format(text.as_bytes(), format, Context::new(NOW, None), true).unwrap();
    let windows = push.windows.iter().filter(|window| window.device == name && window.judged.rebooted);
    windows.map(|window| window.judged.end_ms / 1000 % 3600).collect()
}

#[test]
fn every_window_that_holds_a_reboot_of_a_modem_or_a_host_says_so_and_no_other_does() {
    for text in [
        "docsis: Cable Modem Reboot due to power button reset",
        "kernel: Linux version 6.6.86 (builder@host) #0 SMP",
        "init: System restarted",
        "syslogd started: BusyBox v1.36.1",
    ] {
        let lines: String = (0..60)
            .flat_map(|second| {
                let told = if second == 20 { text } else { "dnsmasq[1]: query" };
                [("m1", told), ("m2", "dnsmasq[1]: query")]
                    .map(|(device, text)| format!("2026-11-18T11:00:{second:02}Z {device} {text}\n"))
            })
            .collect();
        let held: Vec<i64> = (20..50).collect();
        for (name, expected) in [("m1", &held), ("m2", &vec![]), ("*", &held)] {
            let mut engine = engine();
            let format = engine.add_format("\"syslog\"").unwrap();
            assert_eq!(rebooted(&mut engine, format, &lines, name), *expected, "{text} {name}");
        }
    }
}

#[test]
fn a_window_holds_a_reboot_that_a_refill_brought_or_that_is_said_to_be_repeated() {
    let mut engine = engine();
    let format = engine.add_format("\"syslog\"").unwrap();
    let reboot = b"Nov 18 11:00:00 m1 init: System restarted\n";
    engine.push_format(reboot, format, Context::new(NOW, None), false).unwrap();
    let later = "Nov 18 11:00:09 m1 a: b\nNov 18 11:00:40 m1 a: b\n";
    assert_eq!(rebooted(&mut engine, format, later, "m1"), [9]);
    let again =
        "Nov 18 11:01:20 m1 init: System restarted\nNov 18 11:02:00 m1 last message repeated 2 times\n";
    assert_eq!(rebooted(&mut engine, format, again, "m1"), [80, 120]);
}

#[test]
fn csv_and_logfmt_know_quotes_headers_and_what_is_missing() {
    let mut engine = engine();
    let fields = r#""fields":{"device_id":"dev","latency_ms":"rtt"}"#;
    let csv = engine.add_format(&format!(r#"{{"type":"csv","header":true,{fields}}}"#)).unwrap();
    let header = "note,dev,rtt\n";
    let lines = format!("a,b,1\n{header}\"x, \"\"y\"\"\",\"m 1\",2\nz,m2,\n{header}z,m3,4\nz\n\"z,m,1\n");
    let records = push(&mut engine, csv, &lines);
    let shown: Vec<_> = records.iter().map(|r| (r.record.device.as_str(), r.record.values[0])).collect();
    assert_eq!(
        (shown[0], shown[2], shown[1].0, shown[1].1.is_nan()),
        (("m 1", 2.0), ("m3", 4.0), "m2", true)
    );
    assert_eq!(engine.counters().skipped, 2);
    let logfmt = engine.add_format(&format!(r#"{{"type":"logfmt",{fields}}}"#)).unwrap();
    let lines = "at=1 dev=\"m \\\"1\\\"\" rtt=5 up\nno pairs\ndev=\"open\ndev=m rtt=fast\n";
    let records = push(&mut engine, logfmt, lines);
    assert_eq!((records[0].record.device.as_str(), records.len()), ("m \"1\"", 2));
    assert_eq!(engine.counters().refused_cells().collect::<Vec<_>>(), [("not_a_number", 1)]);
    let reasons = [("missing_header", 1), ("missing_columns", 1), ("bad_quotes", 2), ("no_pairs", 1)];
    assert_eq!(refused(&engine), reasons);
}

#[test]
fn one_cell_that_is_no_measure_leaves_the_rest_of_its_record() {
    let read = |definition: &str, line: &str| {
        let mut engine = engine();
        let format = engine.add_format(definition).unwrap();
        let records = push(&mut engine, format, &format!("{line}\n"));
        let record = &records.first().unwrap_or_else(|| panic!("{line}: {:?}", refused(&engine))).record;
        let cells = engine.counters().refused_cells().map(|(reason, _)| reason).collect::<Vec<_>>();
        let known = |place: usize| Some(record.values[place]).filter(|value| !value.is_nan());
        (record.device.clone(), known(0), known(1), cells.first().copied().unwrap_or_default())
    };
    let atlas = r#"{"type":"json","fields":{"timestamp":"timestamp","device_id":"dst","latency_ms":"avg""#;
    let no_answer = r#"{"timestamp":1795100060,"dst":"192.0.2.1","avg":-1,"sent":3,"rcvd":0}"#;
    let a = || "192.0.2.1".to_owned();
    assert_eq!(read(&format!("{atlas}}}}}"), no_answer), (a(), None, None, "negative"));
    assert_eq!(read(&format!("{atlas}}},\"missing\":[-1]}}"), no_answer), (a(), None, None, ""));
    let loss = r#","packet_loss_pct":{"sent":"sent","received":"rcvd"}},"missing":[-1]}"#;
    assert_eq!(read(&format!("{atlas}{loss}"), no_answer), (a(), None, Some(100.0), ""));
    let kept = r#"{"timestamp":1795100000,"dst":"192.0.2.1","avg":12.5,"sent":3,"rcvd":3}"#;
    assert_eq!(read(&format!("{atlas}{loss}"), kept), (a(), Some(12.5), Some(0.0), ""));
    let json = r#"{"type":"json","fields":{"timestamp":"t","device_id":"d","latency_ms":"rtt","packet_loss_pct":"loss"}}"#;
    for nothing in ["NaN", "-Infinity", "1e999", "null", "\"timeout\"", "\"n/a\"", "\"\""] {
        let line = format!(r#"{{"t":1795100000,"d":"a","rtt":{nothing},"loss":100,"note":"a \"NaN"}}"#);
        assert_eq!(read(json, &line), ("a".to_owned(), None, Some(100.0), ""), "{line}");
    }
    assert_eq!(
        read(json, r#"{"t":1795100000,"d":"Gi0/1","rtt":1}"#),
        ("Gi0_1".to_owned(), Some(1.0), None, "")
    );
    assert_eq!(read(json, r#"{"t":1795100000,"d":"a","rtt":[1],"loss":5}"#).3, "not_a_number");
    let csv = r#"{"type":"csv","device_id":"a","columns":["t","rtt","loss"],"delimiter":";","decimal":",",
        "fields":{"timestamp":"t","latency_ms":"rtt","packet_loss_pct":"loss"}}"#;
    assert_eq!(read(csv, "1795100000;12,5;0,0"), ("a".to_owned(), Some(12.5), Some(0.0), ""));
    let logfmt = r#"{"type":"logfmt","fields":{"timestamp":"time","device_id":"target","latency_ms":"rtt","packet_loss_pct":"loss"}}"#;
    let line = "time=2026-11-20T12:00:00Z target=192.0.2.1 rtt=12.5ms loss=0%";
    assert_eq!(read(logfmt, line), (a(), Some(12.5), Some(0.0), ""));
    let text = r#"{"type":"text","device_id":"a","missing":["lost"],"patterns":["rtt (?P<latency_ms>\\S+) loss (?P<packet_loss_pct>\\S+)"]}"#;
    assert_eq!(read(text, "rtt lost loss 100%"), ("a".to_owned(), None, Some(100.0), ""));
}

const RTT: &str = r#"{"type":"json","fields":{"device_id":"d","latency_ms":"r"}}"#;

/// Device and latency of each record.
fn latencies(engine: &mut Engine, definition: &str, text: &str) -> Vec<(String, f64)> {
    let format = engine.add_format(definition).unwrap();
    let records = push(engine, format, text).into_iter();
    records.map(|record| (record.record.device, record.record.values[0])).collect()
}

#[test]
fn a_json_document_that_holds_an_array_gives_a_record_for_each_of_its_objects() {
    let both = [("a".to_owned(), 1.0), ("b".to_owned(), 2.0)];
    let path = RTT.replace("{\"type\"", "{\"records\":\"x.list\",\"type\"");
    for (definition, text) in [
        (RTT, "[{\"d\":\"a\",\"r\":1},{\"d\":\"b\",\"r\":2}]\n"),
        (RTT, "{\"d\":\"a\",\"r\":1}\n\n[{\"d\":\"b\",\"r\":2}]\n"),
        (
            RTT,
            "[\n  {\n    \"d\": \"a\",\n    \"r\": 1\n  },\n  {\n    \"d\": \"b\",\n    \"r\": 2\n  }\n]\n",
        ),
        (RTT, "[\n{\"d\":\"a\",\"r\":1},\n{\"d\":\"b\",\"r\":2}\n]\n"),
        (RTT, "{\n \"d\": \"a\",\n \"r\": 1\n}\n{\n \"d\": \"b\",\n \"r\": 2\n}\n"),
        (&path, "{\"v\":1,\"x\":{\"n\":[],\"list\":[{\"d\":\"a\",\"r\":1},{\"d\":\"b\",\"r\":2}]}}\n"),
        (&path, "{\n\"x\": {\n\"list\": [\n {\"d\":\"a\",\"r\":1},\n {\"d\":\"b\",\"r\":2}\n ]}\n}\n"),
    ] {
        let mut engine = engine();
        let found = latencies(&mut engine, definition, text);
        assert_eq!(found, both, "{text}");
        assert_eq!(refused(&engine), [], "{text}");
    }
}

#[test]
fn a_document_that_begins_with_its_newest_record_is_read_from_the_oldest_on() {
    let mut engine = engine();
    let format = engine
        .add_format(r#"{"type":"json","device_id":"a","fields":{"timestamp":"t","latency_ms":"r"}}"#)
        .unwrap();
    let element = |second: i64| format!("{{\"t\":{},\"r\":{second}}}", NOW / 1000 - 1000 + second);
    let elements: Vec<_> = (1..=60).rev().map(|place| element(10 * place)).collect();
    let records = push(&mut engine, format, &format!("[{}]\n", elements.join(",")));
    assert_eq!((records.len(), engine.counters().late), (60, 0));
    assert!(records.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms));
}

#[test]
fn a_torn_line_costs_itself_and_a_document_is_bounded() {
    let mut engine = engine();
    let text = "{\"d\":\"a\",\n{\"d\":\"b\",\"r\":2}\n{\"d\":\"x\n[{\"d\":\"c\",\"r\":3},7]\n[1,\n";
    let found = latencies(&mut engine, RTT, text);
    assert_eq!(found, [("b".to_owned(), 2.0), ("c".to_owned(), 3.0)]);
    assert_eq!(refused(&engine), [("invalid_json", 2), ("not_an_object", 2)]);
    let counters = engine.counters();
    let all: u64 = counters.refused().map(|(_, count)| count).sum();
    assert_eq!(counters.lines, counters.records + counters.skipped + all);
    // Of an array over several lines each record comes as soon as it is whole.
    assert_eq!(
        latencies(&mut engine, RTT, "[\n {\"d\":\"a\",\n \"r\":1},\n {\"d\":\"a\",\n \"r\":2}\n").len(),
        2
    );
    let long = format!("[{}]\n", vec![r#"{"d":"a","r":1}"#; 200_000].join(","));
    assert!(long.len() < 4 << 20 && long.len() > 3_000_000);
    assert_eq!(latencies(&mut engine, RTT, &long).len(), 200_000);
    let endless = "{\n".to_owned() + &"\"d\":\"a\",\"r\":1,\n".repeat(300_000);
    let format = engine.add_format(RTT).unwrap();
    push(&mut engine, format, &endless);
    assert!(refused(&engine).contains(&("document_too_long", 1)));
}

#[test]
fn a_field_that_holds_a_message_is_read_by_the_shipped_events_or_by_a_format() {
    let fields = r#""fields":{"device_id":"host","message":"msg","program":"app","severity":"level","latency_ms":"rtt"}"#;
    let json = format!(r#"{{"type":"json",{fields}}}"#);
    let mut engine = engine();
    let mut read = |definition: &str, line: &str| {
        let format = engine.add_format(definition).unwrap();
        let record = push(&mut engine, format, &format!("{line}\n")).remove(0).record;
        (record.error_code.unwrap_or_default(), record.values[4], record.values[0])
    };
    let down = read(
        &json,
        r#"{"rtt":3,"host":"a","level":"info","app":"netifd","msg":"Interface 'wan' is now down"}"#,
    );
    assert_eq!(down, ("interface-down".to_owned(), 1.0, 3.0));
    assert_eq!(
        read(&json, r#"{"host":"a","level":"info","app":"netifd","msg":"Interface 'wan' is now up"}"#).0,
        ""
    );
    assert_eq!(read(&json, r#"{"host":"a","level":50,"msg":"words"}"#).0, "err");
    assert_eq!(read(&json, r#"{"host":"a","level":"ERROR","msg":"words"}"#).0, "err");
    assert_eq!(read(&json, r#"{"host":"a","level":"error"}"#).0, "");
    let logfmt = format!(r#"{{"type":"logfmt",{fields}}}"#);
    assert_eq!(read(&logfmt, r#"host=a app=kernel msg="eth0: link down""#).0, "link-down");
    let inner = r#""message":{"type":"text","patterns":["took (?P<latency_ms>[\\d.]+)"]}"#;
    let inner = format!(r#"{{"type":"json",{inner},"fields":{{"device_id":"host","message":"msg"}}}}"#);
    assert_eq!(read(&inner, r#"{"host":"a","msg":"it took 12.5"}"#).2, 12.5);
}

#[test]
fn a_ping_is_its_targets_and_a_report_of_mtr_its_hops() {
    let mut engine = engine();
    let format = engine.add_format("\"ping\"").unwrap();
    let text = "PING example.com (192.0.2.1) 56(84) bytes of data.\n[1794999990.5] no answer yet for icmp_seq=1\n\
        [1794999991.5] 64 bytes from 192.0.2.1: icmp_seq=2 ttl=57 time=12.3 ms\nhello\n";
    let records = push(&mut engine, format, text);
    let shown: Vec<_> =
        records.iter().map(|r| (r.time_ms, r.record.device.as_str(), r.record.values[1])).collect();
    assert_eq!(shown, [(NOW - 9500, "192.0.2.1", 100.0), (NOW - 8500, "192.0.2.1", 0.0)]);
    assert_eq!(refused(&engine), [("no_pattern", 1)]);

    let hub = |host: &str, loss: &str, avg: &str| {
        format!("{{\n\"count\": 1,\n\"host\": \"{host}\",\n \"Loss%\": {loss},\n \"Avg\": {avg}\n }}")
    };
    let report = |last: String| {
        let first = hub("192.0.2.1", "0.0", "0.6");
        let silent = hub("???", "100.0", "0.0");
        format!(
            "{{\n  \"report\": {{\n  \"mtr\": {{ \"dst\": \"example.com\" }},\n  \"hubs\": [{first}, {silent}, {last}]\n }}\n}}\n"
        )
    };
    let format = engine.add_format("\"mtr\"").unwrap();
    let text = report(hub("192.0.2.9", "10.0", "12.5")) + &report(hub("???", "100.0", "0.0"));
    let shown: Vec<_> = push(&mut engine, format, &text)
        .into_iter()
        .map(|r| {
            (
                r.record.device,
                r.record.values[1],
                r.record.error_code.is_some() && r.record.values[0].is_nan(),
            )
        })
        .collect();
    let hop = ("192.0.2.1".to_owned(), 0.0, false);
    let target = |loss: f64, failed: bool| ("example.com".to_owned(), loss, failed);
    assert_eq!(shown, [hop.clone(), target(10.0, false), hop, target(100.0, true)]);
}

#[test]
fn the_sources_device_stands_in_where_neither_line_nor_definition_names_one() {
    let mut engine = engine();
    let format = engine.add_format("\"syslog\"").unwrap();
    let mut device = |line: &str, source: Option<&str>| {
        let push = engine.push_format(line.as_bytes(), format, Context::new(NOW, source), true).unwrap();
        push.records.first().map(|record| record.record.device.clone())
    };
    assert_eq!(device("<30>dnsmasq[1]: a\n", Some("192.0.2.7")).as_deref(), Some("192.0.2.7"));
    assert_eq!(device("<30>Nov 18 11:00:00 gw+1 a: b\n", Some("192.0.2.7")).as_deref(), Some("gw_1"));
    assert_eq!(device("<30>dnsmasq[1]: a\n", None), None);
    assert_eq!(refused(&engine), [("missing_device", 1)]);
}
