//! Times through the engine: what years, orders of dates, fronts and pages that devices write become, end to end.
use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::RecordOutput;
use lineheron_native::format::Context;
use lineheron_native::format::time::order::DateOrder;
use lineheron_native::parse::timestamp::from_iso;

fn engine() -> Engine {
    let mut options = Options::default();
    "all".clone_into(&mut options.publish_records);
    Engine::new(options.check().unwrap()).unwrap()
}

fn at(text: &str) -> i64 {
    from_iso(text).unwrap_or_else(|| panic!("{text}"))
}

/// All records of lines of one format that are received at one time.
fn records(format: &str, text: &str, received: &str) -> Vec<RecordOutput> {
    let mut engine = engine();
    let number = engine.add_format(format).unwrap();
    let push = engine.push_format(text.as_bytes(), number, Context::new(at(received), None), true).unwrap();
    assert_eq!(push.consumed_bytes, text.len());
    push.records
}

fn shown(records: &[RecordOutput]) -> Vec<(&str, i64, Option<&str>)> {
    records.iter().map(|r| (r.record.device.as_str(), r.time_ms, r.record.error_code.as_deref())).collect()
}

#[test]
fn fronts_of_ios_nx_os_and_vrp_give_six_devices_at_their_own_times() {
    let text = concat!(
        "<29>2026-11-20 01:00:34.270.1 hw-f %%01IFNET/4/IF_STATE(l)[4997]:Interface Ethernet0/0/8 has turned into DOWN state.\n",
        "<190>3132811: sw-c: 3132807: Nov 20 2026 08:23:43.398 UTC: %OSPF-5-ADJCHG: Process 1, Nbr 192.0.2.4 on Gi2 from FULL to DOWN, Neighbor Down\n",
        "<190>sw-d: Nov 20 2026 08:23:43 UTC: %SYS-5-CONFIG_I: Configured from console\n",
        "<189>1432: sw-a: Nov 20 12:50:26.172: %LINEPROTO-5-UPDOWN: Line protocol on Interface FastEthernet0/2, changed state to down\n",
        "<189>1179: rt-b: Nov 20 15:25:53.743 CET: %LINK-5-CHANGED: Interface GigabitEthernet2, changed state to down\n",
        "<190>sw-e: 2026 Nov 20 14:42:46 UTC: %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface Ethernet1/33 is down (Link failure)\n",
    );
    let format = r#"{"type":"cisco","device_id":"spare"}"#;
    let found = records(format, text, "2026-11-21T00:00:00Z");
    let found: Vec<_> = shown(&found).into_iter().map(|(device, time_ms, _)| (device, time_ms)).collect();
    let expected = [
        ("hw-f", at("2026-11-20T01:00:34.270Z")),
        ("sw-c", at("2026-11-20T08:23:43.398Z")),
        ("sw-d", at("2026-11-20T08:23:43Z")),
        ("sw-a", at("2026-11-20T12:50:26.172Z")),
        ("rt-b", at("2026-11-20T14:25:53.743Z")),
        ("sw-e", at("2026-11-20T14:42:46Z")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn pages_of_modems_in_other_orders_are_read() {
    let text = concat!(
        "11:00:30\tFri Nov 20 2026\tCritical (3)\tStarted Unicast Maintenance Ranging - No Response received - T3 time-out;CM-MAC=02\n",
        "\"1795178153\",\"Fri Nov 20 13:35:53 2026\",\"Critico (3)\",\"No Ranging Response received - T3 time-out;CM-MAC=02;\"\n",
        "2026:11:20 16:22:38       | Upstream Modulation Change - Channel=10; Old Modulation=64QAM ; New Modulation=16QAM\n",
    );
    let found = records(r#"{"type":"docsis","device_id":"cm"}"#, text, "2026-11-21T00:00:00Z");
    let expected = [
        ("cm", at("2026-11-20T11:00:30Z"), Some("T3-timeout")),
        ("cm", at("2026-11-20T13:35:53Z"), Some("T3-timeout")),
        ("cm", at("2026-11-20T16:22:38Z"), None),
    ];
    assert_eq!(shown(&found), expected);
}

#[test]
fn a_configured_order_of_dates_counts_in_every_format() {
    let received = "2027-06-01T00:00:00Z";
    let text = r#""type":"text","device_id":"a","patterns":["^(?P<timestamp>\\S+ \\S+) up"]"#;
    let csv = r#""type":"csv","device_id":"a","columns":["timestamp","rtt"],"fields":{"timestamp":"timestamp","latency_ms":"rtt"}"#;
    let json = r#""type":"json","device_id":"a","fields":{"timestamp":"at"}"#;
    for (keys, line) in [
        (r#""type":"docsis","device_id":"a""#, "09/11/2026 07:15:00\tcritical\tT3 time-out\n"),
        (r#""type":"syslog","device_id":"a""#, "09/11/2026 07:15:00 something happened\n"),
        (text, "09/11/2026 07:15:00 up\n"),
        (csv, "09/11/2026 07:15:00,3\n"),
        (json, "{\"at\":\"09/11/2026 07:15:00\"}\n"),
    ] {
        for (order, time) in [
            ("day_first", "2026-11-09T07:15:00Z"),
            ("month_first", "2026-09-11T07:15:00Z"),
            ("auto", "2026-09-11T07:15:00Z"),
        ] {
            let format = format!("{{{keys},\"date_order\":\"{order}\"}}");
            assert_eq!(shown(&records(&format, line, received))[0].1, at(time), "{format}");
        }
    }
}

#[test]
fn a_year_that_puts_a_line_more_than_a_day_after_its_receipt_is_never_taken() {
    let found = records("\"syslog\"", "Apr 10 08:00:00 gw probe[1]: ping 20 ms\n", "2026-11-30T12:00:00Z");
    assert_eq!(shown(&found), [("gw", at("2026-04-10T08:00:00Z"), None)]);
}

#[test]
fn in_a_backlog_a_line_without_a_time_stands_at_the_time_of_the_line_before_it() {
    let text_format = r#"{"type":"text","device_id":"a","patterns":["^(?P<timestamp>[0-9-]+ [0-9:]+) (?P<device_id>\\w+) rtt (?P<latency_ms>[0-9.]+)",{"pattern":"^(?P<device_id>\\w+): no answer","set":{"error_code":"no-answer"}}]}"#;
    let text = concat!(
        "2026-09-01 10:00:00 a rtt 12\n",
        "2026-09-01 10:01:00 b rtt 12\n",
        "a: no answer\n",
        "c: no answer\n",
        "2026-09-01 10:05:00 a rtt 13\n",
    );
    let found = records(text_format, text, "2026-11-20T00:00:00Z");
    let expected = [
        ("a", at("2026-09-01T10:00:00Z"), None),
        ("b", at("2026-09-01T10:01:00Z"), None),
        ("a", at("2026-09-01T10:00:00Z"), Some("no-answer")),
        ("c", at("2026-09-01T10:01:00Z"), Some("no-answer")),
        ("a", at("2026-09-01T10:05:00Z"), None),
    ];
    assert_eq!(shown(&found), expected);
    let canonical = concat!(
        "{\"timestamp\":\"2026-09-01T10:00:00Z\",\"device_id\":\"a\"}\n",
        "{\"device_id\":\"a\"}\n",
        "{\"timestamp\":\"2026-09-01T10:05:00Z\",\"device_id\":\"a\"}\n",
    );
    let found = records("\"canonical\"", canonical, "2026-11-20T00:00:00Z");
    assert_eq!(found.len(), 3, "the line behind it is not late");
    assert_eq!(found[1].time_ms, found[0].time_ms);
    let live = records(text_format, "2026-09-01 10:00:00 a rtt 12\na: no answer\n", "2026-09-01T10:00:01Z");
    assert_eq!(live[1].time_ms, at("2026-09-01T10:00:01Z"), "live it is arrival");
}

#[test]
fn a_date_alone_on_a_line_is_no_record_and_gives_its_time_to_the_lines_behind_it() {
    let ping = r#"{"type":"text","device_id":"a","patterns":["time=(?P<latency_ms>[0-9.]+) ms"]}"#;
    for date in [
        "Fri Nov 20 12:00:00 UTC 2026",
        "Fri Nov 20 12:00:00 PM UTC 2026",
        "Fri 20 Nov 2026 12:00:00 PM UTC",
        "2026-11-20T12:00:00+00:00",
        "20.11.2026 12:00:00",
        "1795176000",
        "=== Fri Nov 20 12:00:00 UTC 2026 ===",
        "Fr 20. Nov 12:00:00 UTC 2026",
    ] {
        let text = format!("{date}\nbytes from 192.0.2.1: time=3.1 ms\n");
        let found = records(ping, &text, "2026-11-21T00:00:00Z");
        let expected = [("a", at("2026-11-20T12:00:00Z"), None)];
        assert_eq!(shown(&found), expected, "{date}");
    }
    let heartbeat = r#"{"type":"text","device_id":"a","patterns":["^(?P<timestamp>.*)$"]}"#;
    let found = records(heartbeat, "2026-11-20T12:00:00Z\n2026-11-20T12:01:00Z\n", "2026-11-21T00:00:00Z");
    assert_eq!(found.len(), 2, "a pattern that takes the date makes it a record");
    for number in ["1234567890123", "17"] {
        let found = records(
            r#"{"type":"text","device_id":"a","patterns":["^(?P<latency_ms>\\d+)$"]}"#,
            &format!("{number}\n"),
            "2026-11-21T00:00:00Z",
        );
        assert_eq!(found.len(), 1, "a number that a pattern takes is no date");
    }
}

fn fed(lines: impl IntoIterator<Item = i64>, received_ms: i64) -> Engine {
    let mut engine = engine();
    for time_ms in lines {
        let line = format!("{{\"timestamp\":{time_ms},\"device_id\":\"d\",\"latency_ms\":1}}\n");
        engine.push(line.as_bytes(), received_ms, true);
    }
    engine
}

#[test]
fn a_clock_that_is_set_back_loses_a_minute_or_three_lines_and_says_so() {
    let start = at("2026-11-20T12:00:00Z");
    let minutes = |from: i64| (0..60).map(move |minute| start + (from + minute) * 60_000);
    let engine = &mut fed(minutes(0).chain(minutes(-5)), start + 7_200_000);
    let counters = engine.counters();
    assert_eq!((counters.records, counters.late, counters.clock_resets), (118, 2, 1));
    let kinds: Vec<_> = counters.late_kinds().map(|(kind, count)| (kind.name(), count)).collect();
    assert_eq!(kinds, [("clock_set_back", 2)]);
    let sample = engine.late_sample();
    assert_eq!((sample.len(), sample[0].device.as_str()), (1, "d"));
    assert!(engine.late_sample().is_empty());
}

#[test]
fn a_survey_tells_direction_order_and_lines_without_a_time_and_touches_no_window() {
    let mut engine = engine();
    let received = at("2026-11-30T00:00:00Z");
    let mut look = |format: &str, text: &str| {
        let number = engine.add_format(format).unwrap();
        let (survey, times) =
            engine.survey(text.as_bytes(), number, Context::new(received, None), true).unwrap();
        let order = survey.date_order().map(DateOrder::name);
        (survey.direction().name(), order, survey.records, survey.timed, times.len())
    };
    let docsis = r#"{"type":"docsis","device_id":"m"}"#;
    let page = "19.11.26 16:41:44 Internetverbindung hergestellt\n19.11.26 16:41:16 PPPoE-Fehler\n18.11.26 16:38:40 getrennt\n";
    assert_eq!(look(docsis, page), ("newest_first", None, 3, 3, 3));
    let forward = "09/11/2026 07:15:00\tcritical\tT3 time-out\n13/11/2026 07:15:00\tcritical\tT3 time-out\n";
    assert_eq!(look(docsis, forward), ("forward", Some("day_first"), 2, 2, 2));
    let mixed = "2026-11-20 11:00:30 3 T3 time-out\n2026-11-20 16:22:38 3 x\n2026-11-20 13:35:53 3 x\n";
    assert_eq!(look(docsis, mixed), ("none", None, 3, 3, 3));
    let ping = r#"{"type":"text","device_id":"a","patterns":["time=(?P<latency_ms>[0-9.]+) ms"]}"#;
    assert_eq!(look(ping, &"time=3 ms\n".repeat(100)), ("forward", None, 100, 0, 100));
    let dated = format!("1795176000\n{}", "time=3 ms\n".repeat(100));
    assert_eq!(look(ping, &dated), ("forward", None, 100, 60, 101));
    assert_eq!((engine.counters().lines, engine.devices()), (0, 0));
}

#[test]
fn lines_in_windows_1252_are_read_as_such_and_an_unknown_encoding_is_refused() {
    let format = |encoding: &str| {
        format!(
            r#"{{"type":"text","encoding":"{encoding}","patterns":["^(?P<timestamp>\\S+ \\S+) (?P<device_id>\\S+) up"]}}"#
        )
    };
    let mut engine = engine();
    let number = engine.add_format(&format("windows-1252")).unwrap();
    let context = Context::new(at("2026-11-20T12:00:01Z"), None);
    let push = engine.push_format(b"2026-11-20 12:00:00 K\xf6ln up\n", number, context, true).unwrap();
    assert_eq!(shown(&push.records), [("Köln", at("2026-11-20T12:00:00Z"), None)]);
    for encoding in ["auto", "utf-8", "utf-16le", "utf-16be"] {
        engine.add_format(&format(encoding)).unwrap();
    }
    let error = engine.add_format(&format("ebcdic")).unwrap_err().to_string();
    assert!(error.contains("format.encoding: unknown encoding"), "{error}");
}
