//! The shipped patterns on lines of real products, at least two versions of each, good news included.
//!
//! `tests/shipped/*.txt`: what a line means, a bar, the line as it is written. What it means: the error's code, or
//! `fine`; then `reset`, `reboot`, `retry=n`, `loss=n`, `latency=n` (`latency=?`: none was measured). A line that
//! begins with `format:` names the format of those below it, one with `#` the product.
use std::fmt::Write as _;
use std::path::Path;

use lineheron_native::channel::{ChannelList, LATENCY, PACKET_LOSS, RESETS, RETRIES};
use lineheron_native::format::Context;
use lineheron_native::format::registry::Formats;

/// 2026-11-22.
const NOW: i64 = 1_795_348_800_000;

/// What was expected is said; `None` is a line that holds no record.
fn meaning(formats: &mut Formats, number: u32, line: &[u8], asked: &str) -> Option<String> {
    let taken = formats.read(number, line, &Context::new(NOW, None));
    let taken =
        taken.unwrap_or_else(|refusal| panic!("{}: {}", String::from_utf8_lossy(line), refusal.name()));
    if taken.records == 0 {
        return None;
    }
    let record = formats.record(taken.last_ms).to_record();
    let mut shown = record.error_code.unwrap_or_else(|| "fine".to_owned());
    if taken.rebooted {
        shown += " reboot";
    } else if record.values[RESETS] > 0.0 {
        shown += " reset";
    }
    for (name, channel) in [("retry", RETRIES), ("loss", PACKET_LOSS), ("latency", LATENCY)] {
        let value = record.values[channel];
        if !value.is_nan() {
            let _ = write!(shown, " {name}={value}");
        } else if asked.contains(&format!("{name}=?")) {
            let _ = write!(shown, " {name}=?");
        }
    }
    Some(shown)
}

#[test]
fn every_line_of_the_tables_means_what_it_says_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shipped");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut formats = Formats::new(&ChannelList::new(&[]).unwrap());
        let add = |formats: &mut Formats, name: &str| {
            formats.add(&format!(r#"{{"type":"{}","device_id":"spare"}}"#, name.trim())).unwrap()
        };
        let mut number = add(&mut formats, "syslog");
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if let Some(format) = line.strip_prefix("format:") {
                number = add(&mut formats, format);
            } else if let Some((expected, text)) = line.split_once(" | ").filter(|_| !line.starts_with('#'))
            {
                count += 1;
                let expected = expected.trim();
                let found = meaning(&mut formats, number, text.as_bytes(), expected);
                let found = found.unwrap_or_else(|| "nothing".to_owned());
                if found != expected {
                    wrong.push(format!("{name}: {found}, not {expected}: {text}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count >= 150, "{count} lines");
}
