//! Any bytes as lines of every format: records that the windows may take, or refusals; never a panic,
//! and time that grows no faster than the line.
use std::time::Duration;

use lineheron_native::engine::Engine;
use lineheron_native::engine::options::Options;
use lineheron_native::format::patterns::{MAX_TEXT_BYTES, Patterns};
use lineheron_native::format::registry::Formats;
use lineheron_native::format::{Context, shipped};
use proptest::prelude::*;

#[path = "support/format_rules.rs"]
mod format_rules;
use format_rules::{NOW, check_line, definitions, formats};

/// Lines that formats know, to be damaged.
fn known_lines() -> Vec<String> {
    let mut lines: Vec<String> = [
        r#"{"rtt":0.2,"loss":5,"a":{"b":1e6},"list":[371],"n":2,"at":1795348000,"dev":"m","code":503}"#,
        r#"rtt=0.2 loss=5 a.b=100 n=2 at="2026-11-22T11:00:00Z" dev="m 1" code=E1 label=1 kind=x"#,
        "0.2,5,100,371,2,2026-11-22T11:00:00Z,m,503,0,",
        "rtt;loss;a.b;list.0;n;at;dev;code;label;kind",
        "at=22/Nov/2026:11:00:00.5 +0100",
        "<134>1 2026-11-22T11:00:00.1+01:00 gw app 1 - [m a=\"b\\]\"] rtt=12",
        "000123: *Mar  1 18:46:11.123 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
        "RP/0/RP0/CPU0:Nov 22 10:14:32.450 : bgp[1]: %ROUTING-BGP-5-ADJCHANGE : neighbor 1.2.3.4 Down",
        "7 2026-11-20,6:0:0.0,+1:0 2026-11-20,6:18:37.0,+1:0 12 critical 82000200 \"T3 time-out\"",
        "Thu Jan  1 00:00:25 1970 kern.err kernel: [ 5.1] eth0: link down",
        "Nov 22 11:00:00 gw sshd[1]: message repeated 5 times: [ Failed password for root ]",
        "Nov 22 11:00:00 gw pppd[1]: Sent 99999999999999 bytes, received 1 bytes.",
        r#"[{"rtt":0.2,"dev":"m"},{"rtt":NaN,"loss":"5 %"}]"#,
        r#"{"x":{"y":[{"rtt":0.2,"dev":"m"},{"rtt":0.3}]}}"#,
        r#"{"__REALTIME_TIMESTAMP":"1795348000123456","_HOSTNAME":"gw","PRIORITY":"3","MESSAGE":[101,116,104]}"#,
        "[1795348700.123456] 64 bytes from 192.0.2.1: icmp_seq=2 ttl=57 time=12.4 ms",
        "192.0.2.1 : 12.1 - 12.9",
        "MTR.0.95,1795348000,OK,192.0.2.9,3,192.0.2.9,10.00,10,1,12.4,12.5,12.0,13.0,0.2",
        r#"{"report":{"mtr":{"dst":"x"},"hubs":[{"host":"y","Loss%":1,"Avg":2}]}}"#,
        r#"{"timestamp":"2026-11-22T11:00:00Z","ping":12.3,"download":94.5,"upload":20.1,"jitter":0.5}"#,
        r#"1234,x,"y, z",2026-11-22T11:00:00.123456Z,12.5,12.3,94500000.1,20100000.2,,203.0.113.9"#,
        "12,5 ms;3;0",
    ]
    .map(str::to_owned)
    .into();
    let sample = |(program, _, text): (&str, _, &str)| format!("Nov 22 11:00:00 gw {program}[7]: {text}");
    lines.extend(shipped::samples().map(sample));
    lines
}

fn damaged(lines: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6);
    (prop::sample::select(lines), edits).prop_map(|(line, edits)| {
        let mut bytes = line.into_bytes();
        for (place, byte, kind) in edits {
            let place = place.index(bytes.len() + 1);
            match kind {
                0 if place < bytes.len() => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => bytes.truncate(place),
                _ => {
                    let tail = bytes[place..].to_vec();
                    bytes.extend_from_slice(&tail);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_lines_and_any_bytes_give_good_records_or_refusals(
        lines in prop::collection::vec(damaged(known_lines()), 1..40),
        bytes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
    ) {
        let mut formats = formats();
        for line in lines.iter().chain(&bytes) {
            for number in 1..=u32::try_from(definitions().len()).unwrap() {
                check_line(&mut formats, number, line);
            }
        }
    }
}

#[test]
fn every_known_line_is_a_record_of_some_format() {
    let mut formats = formats();
    for line in known_lines().iter().filter(|line| !line.starts_with("rtt;")) {
        let numbers = 1..=u32::try_from(definitions().len()).unwrap();
        let records: u32 = numbers.map(|number| check_line(&mut formats, number, line.as_bytes())).sum();
        assert!(records > 0, "{line}");
    }
}

#[test]
fn a_line_of_ten_megabytes_and_binary_ones_are_counted_in_every_format() {
    let mut engine = Engine::new(Options::default().check().unwrap()).unwrap();
    for (place, definition) in definitions().iter().enumerate() {
        // Channels of the definitions are not this engine's.
        let definition = definition.replace(r#""snr_db":{"from":"list.0","unit":"0.1 dB"},"#, "");
        let format = engine.add_format(&definition).unwrap();
        let mut bytes = vec![b'x'; 10 << 20];
        bytes.extend_from_slice(b"\na\0b\n\xff\xfe\xfd\x80\n\x1b[31m\n\n");
        let push = engine.push_format(&bytes, format, Context::new(NOW, None), true).unwrap();
        assert_eq!(push.consumed_bytes, bytes.len());
        let counted = place as u64 + 1;
        assert_eq!((engine.counters().too_long, engine.counters().lines), (counted, 4 * counted));
    }
    let refused: u64 = engine.counters().refused().map(|(_, count)| count).sum();
    let counters = engine.counters();
    assert_eq!(counters.lines, counters.too_long + refused + counters.records + counters.skipped);
    assert!(engine.refused_sample().len() <= 3 * 20 * 2);
}

/// Time that this thread spent on a processor, if the system tells. Its books are kept when the thread
/// gives the processor up, so it does for a moment.
fn cpu_time() -> Option<Duration> {
    std::thread::sleep(Duration::from_nanos(1));
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn cost(formats: &mut Formats, number: u32, line: &[u8]) -> Option<Duration> {
    let start = cpu_time()?;
    check_line(formats, number, line);
    cpu_time()?.checked_sub(start)
}

#[test]
fn four_times_the_line_costs_no_more_than_linear_time_in_every_format() {
    if cpu_time().is_none() {
        return println!("skipped: the system does not tell a thread's time on the processor");
    }
    let units = [
        "\"",
        "a=\"\\",
        "\"\",",
        "[",
        "[a=\"]\"]",
        "{\"a\":",
        "[1,",
        "a ",
        "%A-1-B ",
        "2026-11-22 11:00:00 ",
        "1:",
        "RP/0:",
        "x12 ",
        "link ",
        "\\",
    ];
    let fronts = ["", "{\"a\":\"", "<1>1 - a b c d [", "Nov 22 11:00:00 gw a: ", "a=\""];
    let mut formats = formats();
    for number in 1..=u32::try_from(definitions().len()).unwrap() {
        for (front, unit) in fronts.iter().flat_map(|front| units.map(|unit| (front, unit))) {
            let line = |bytes: usize| format!("{front}{}", unit.repeat(bytes / unit.len())).into_bytes();
            let (short, long) = (line(16_000), line(64_000));
            check_line(&mut formats, number, &short); // What is made once.
            let linear = (0..5).any(|_| {
                let costs = [&short, &long].map(|line| cost(&mut formats, number, line).unwrap());
                // Quadratic would be 16 times; a millisecond is what a stray interrupt may cost.
                costs[1] <= costs[0] * 8 + Duration::from_millis(1)
            });
            assert!(linear, "format {number}, {front}{unit}…");
        }
    }
}

#[test]
fn a_hostile_pattern_that_is_taken_sees_a_bounded_part_of_the_line() {
    // The largest of its kind that the size limit lets pass; a backtracking engine would never end.
    let pattern = (1..)
        .map(|n| format!("^(?:a?){{{n}}}a{{{n}}}$"))
        .map_while(|p| Patterns::new(std::slice::from_ref(&p)).ok().map(|_| p));
    let pattern = pattern.last().unwrap();
    let patterns = Patterns::new(&[pattern, "(?:x*)*y".to_owned(), "(?:a|aa)+b".to_owned()]).unwrap();
    let cost = |bytes: usize| {
        let line = vec![b'a'; bytes];
        let start = cpu_time();
        patterns.first_match(&line);
        cpu_time()?.checked_sub(start?)
    };
    cost(MAX_TEXT_BYTES);
    let Some((most, line)) = cost(MAX_TEXT_BYTES).zip(cost(65_536)) else {
        return println!("skipped: the system does not tell a thread's time on the processor");
    };
    assert!(
        line <= most * 4 + Duration::from_millis(2),
        "{MAX_TEXT_BYTES} bytes: {most:?}, 65,536: {line:?}"
    );
}

#[test]
fn a_note_of_repetition_before_any_message_is_a_record_like_others() {
    for line in
        ["Thu Jan  1 00:00:25 1d[1]: message repeated 5 times:.[ x ]", "last message repeated 2 times"]
    {
        for number in 1..=u32::try_from(definitions().len()).unwrap() {
            check_line(&mut formats(), number, line.as_bytes());
        }
    }
}
