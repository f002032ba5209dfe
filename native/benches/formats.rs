//! Lines a second of every format, from bytes to the record: `cargo bench --no-default-features --bench formats`.
//!
//! One format's lines are real in kind: all sample messages of the shipped patterns in an envelope each; and again
//! those of every family of programs by itself, called by its first program.
use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lineheron_native::channel::ChannelList;
use lineheron_native::format::registry::Formats;
use lineheron_native::format::{Context, shipped};

const ARRIVAL_MS: i64 = 1_795_348_800_000;

/// A format's name, its definition and lines of its kind.
fn cases() -> Vec<(&'static str, String, Vec<String>)> {
    let fields = r#""fields":{"timestamp":"at","device_id":"dev","latency_ms":{"from":"rtt","unit":"s"}}"#;
    let at = |place: usize| format!("2026-11-22T11:{:02}:{:02}.5Z", place / 60 % 60, place % 60);
    let events = |(place, (program, _, text)): (usize, (&str, _, &str))| {
        format!("Nov 22 11:{:02}:{:02} gw {program}[7]: {text}", place / 60, place % 60)
    };
    let cisco = |place: usize| {
        let text =
            "%ROUTING-BGP-5-ADJCHANGE : neighbor 172.31.11.0 Down - User clear requested (VRF: default)";
        format!("RP/0/RP0/CPU0:Nov 22 10:14:{:02}.450 : bgp[1050]: {text}", place % 60)
    };
    let json = |place: usize| {
        format!(r#"{{"at":"{}","dev":"m{}","x":{{"y":[1,2]}},"rtt":0.021}}"#, at(place), place % 9)
    };
    let pairs =
        |place: usize| format!("at={} level=info dev=m{} msg=\"a b\" rtt=0.021", at(place), place % 9);
    let csv = |place: usize| format!("{},m{},0.021,\"a, b\"", at(place), place % 9);
    let docsis = |place: usize| {
        format!(
            "2026-11-22 11:00:{:02}\t3\tNo Ranging Response received - T3 time-out;CM-MAC=02:00",
            place % 60
        )
    };
    let text = |place: usize| format!("{} m{} probe said rtt=0.021 s over wan", at(place), place % 9);
    let pattern = r#""patterns":[{"pattern":"^(?P<timestamp>\\S+) (?P<device_id>\\S+) .*rtt=(?P<latency_ms>[\\d.]+)"}]"#;
    let lines = |make: &dyn Fn(usize) -> String| (0..512).map(make).collect::<Vec<_>>();
    vec![
        ("json", format!(r#"{{"type":"json",{fields}}}"#), lines(&json)),
        ("logfmt", format!(r#"{{"type":"logfmt",{fields}}}"#), lines(&pairs)),
        ("csv", format!(r#"{{"type":"csv","columns":["at","dev","rtt","note"],{fields}}}"#), lines(&csv)),
        ("text", format!(r#"{{"type":"text",{pattern}}}"#), lines(&text)),
        ("syslog", "\"syslog\"".to_owned(), shipped::samples().enumerate().map(events).collect()),
        ("cisco", r#"{"type":"cisco","device_id":"r1"}"#.to_owned(), lines(&cisco)),
        ("docsis", r#"{"type":"docsis","device_id":"cm"}"#.to_owned(), lines(&docsis)),
    ]
}

/// Each family of shipped patterns by itself, in the order of the program's name.
fn families() -> BTreeMap<&'static str, Vec<String>> {
    let mut families = BTreeMap::<_, Vec<String>>::new();
    for (place, (program, _, text)) in shipped::samples().enumerate() {
        let line = format!("Nov 22 11:{:02}:{:02} gw {program}[7]: {text}", place / 60, place % 60);
        families.entry(program).or_default().push(line);
    }
    families
}

fn formats(criterion: &mut Criterion) {
    let channels = ChannelList::new(&[]).expect("no channels are right");
    let mut group = criterion.benchmark_group("formats");
    let own = families().into_iter().map(|(program, lines)| {
        let name = format!("syslog-{}", if program.is_empty() { "any" } else { program });
        (name, "\"syslog\"".to_owned(), lines)
    });
    let all = cases().into_iter().map(|(name, definition, lines)| (name.to_owned(), definition, lines));
    for (name, definition, lines) in all.chain(own) {
        let mut formats = Formats::new(&channels);
        let number = formats.add(&definition).expect("the definition is right");
        let context = Context::new(ARRIVAL_MS, None);
        let mut read = || {
            let taken = lines.iter().map(|line| formats.read(number, line.as_bytes(), &context));
            taken.flatten().count()
        };
        assert_eq!(read(), lines.len(), "{name}");
        group.throughput(Throughput::Elements(lines.len() as u64));
        group.bench_function(&name, |bencher| bencher.iter(|| black_box(read())));
    }
    group.finish();
}

criterion_group!(benches, formats);
criterion_main!(benches);
