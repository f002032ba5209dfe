//! What holds for every format and every line: used by the property tests and by fuzzing.
use lineheron_native::channel::{ChannelKind, ChannelList};
use lineheron_native::format::Context;
use lineheron_native::format::registry::{Formats, MAX_REPEAT, Taken};
use lineheron_native::parse::is_device;

/// 2026-11-22.
pub const NOW: i64 = 1_795_348_800_000;
const MAX_MS: i64 = 253_402_300_799_999;

const FIELDS: &str = r#""fields":{"latency_ms":{"from":"rtt","unit":"s"},"packet_loss_pct":"loss",
  "traffic_volume_mb":{"from":"a.b","unit":"bytes","counter":true},"snr_db":{"from":"list.0","unit":"0.1 dB"},
  "retry_count":"n","timestamp":"at","device_id":"dev","error_code":{"from":"code","ok":["fine"]},
  "is_anomaly":"label","anomaly_type":"kind"}"#;

/// A definition of every format, and of the ways in which they take each other in.
pub fn definitions() -> Vec<String> {
    let shared = r#""device_id":"spare","timezone":"Europe/Berlin""#;
    let patterns = concat!(
        r#""patterns":[{"pattern":"rtt=(?P<r>[^ ]+)","fields":{"latency_ms":{"from":"r","unit":"us"}}},"#,
        r#"{"pattern":"^(?P<timestamp>\\S+ \\S+) (?P<device_id>\\S+) (?P<error_code>.*)$"},"#,
        r#"{"pattern":"total (?P<t>\\S+)","fields":{"traffic_volume_mb":{"from":"t","counter":true}}},"#,
        r#"{"pattern":"^#","skip":true}],"unmatched":"refuse""#
    );
    let columns = r#""columns":["rtt","loss","a.b","list.0","n","at","dev","code","label","kind"]"#;
    let form =
        FIELDS.replace(r#""timestamp":"at""#, r#""timestamp":{"from":"at","form":"%d/%b/%Y:%T.%f %z"}"#);
    vec![
        format!(r#"{{"type":"json",{shared},{FIELDS}}}"#),
        format!(r#"{{"type":"logfmt",{shared},{FIELDS}}}"#),
        format!(r#"{{"type":"logfmt",{form}}}"#),
        format!(r#"{{"type":"csv",{shared},{columns},{FIELDS}}}"#),
        format!(r#"{{"type":"csv",{shared},"header":true,"delimiter":";",{FIELDS}}}"#),
        format!(r#"{{"type":"text",{shared},{patterns}}}"#),
        format!(r#"{{"type":"syslog",{shared}}}"#),
        format!(r#"{{"type":"syslog",{shared},"year":1970,"message":{{"type":"json",{FIELDS}}}}}"#),
        format!(r#"{{"type":"syslog",{shared},"message":{{"type":"text",{patterns}}}}}"#),
        format!(r#"{{"type":"cisco",{shared},"clock_valid_from":"1970-01-01"}}"#),
        format!(r#"{{"type":"docsis",{shared}}}"#),
        format!(r#"{{"type":"events",{shared}}}"#),
        format!(r#"{{"type":"json",{shared},"records":"x.y",{FIELDS}}}"#),
        r#"{"type":"logfmt","fields":{"message":"msg","program":"app","severity":"level","device_id":"dev"}}"#.into(),
        r#"{"type":"csv","decimal":",","missing":[-1,"x"],"delimiter":";","columns":["rtt","tx","rx"],
          "fields":{"latency_ms":"rtt","packet_loss_pct":{"sent":"tx","received":"rx"}}}"#
            .into(),
        r#""journal""#.into(),
        format!(r#"{{"type":"ping",{shared}}}"#),
        r#""fping""#.into(),
        r#""mtr""#.into(),
        r#""speedtest""#.into(),
    ]
}

/// Channels that the definitions name.
pub fn channels() -> ChannelList {
    ChannelList::new(&[("snr_db".into(), "dB".into(), ChannelKind::Gauge)]).expect("channels are right")
}

/// All formats of [`definitions`], numbered from 1.
pub fn formats() -> Formats {
    let mut formats = Formats::new(&channels());
    for definition in definitions() {
        formats.add(&definition).unwrap_or_else(|error| panic!("{definition}: {error}"));
    }
    formats
}

/// Reads a line; every record that comes of it is one that the windows may take. Returns how many.
pub fn check_line(formats: &mut Formats, number: u32, line: &[u8]) -> u32 {
    let context = Context::new(NOW, Some("from-source"));
    let mut records = 0;
    let mut next = Some(formats.read(number, line, &context));
    while let Some(read) = next {
        if let Ok(taken) = read {
            check_record(formats, taken);
            records += taken.records;
        }
        next = formats.more(number, &context);
    }
    records
}

fn check_record(formats: &Formats, taken: Taken) {
    assert!(taken.records <= MAX_REPEAT);
    let channels = channels();
    for place in [0, taken.records / 2, taken.records.saturating_sub(1)] {
        let time_ms = taken.time_ms(place);
        assert!(time_ms.is_none_or(|time_ms| (0..=MAX_MS).contains(&time_ms)), "{time_ms:?}");
        if taken.records == 0 {
            break;
        }
        let record = formats.record(time_ms);
        assert!(is_device(record.head.device), "{:?}", record.head.device);
        assert_eq!(record.values.len(), channels.as_slice().len());
        for (value, channel) in record.values.iter().zip(channels.as_slice()) {
            let fits = value.is_nan() || (channel.min..=channel.max).contains(value);
            let whole = channel.kind == ChannelKind::Gauge || value.is_nan() || value.fract() == 0.0;
            assert!(fits && whole, "{}: {value}", channel.name);
        }
        let record = record.to_record();
        let texts = [record.error_code.as_deref(), record.anomaly_type.as_deref()];
        for text in texts.into_iter().flatten() {
            assert!(!text.is_empty() && text.encode_utf16().count() <= 64, "{text}");
        }
    }
}
