//! Times through the engine: what years, orders of dates, fronts and pages that devices write become, end to end.
use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::engine::output::RecordOutput;
use lineheron_native::format::Context;
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
