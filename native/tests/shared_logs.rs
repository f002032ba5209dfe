//! Real logs from `../shared/data`: every line gives records or a named refusal, and the figures a file.
//!
//! Times and devices are found a second time here, by plain patterns of this test's own.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use lineheron_native::channel::ChannelList;
use lineheron_native::format::Context;
use lineheron_native::format::registry::Formats;
use lineheron_native::parse::timestamp::from_iso;
use regex::Regex;

/// 2026-11-22.
const NOW: i64 = 1_795_348_800_000;
const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// What one file gave.
#[derive(Debug, Default)]
struct Figures {
    lines: usize,
    parsed: usize,
    banners: usize,
    errors: usize,
    resets: usize,
    refused: BTreeMap<&'static str, usize>,
    /// Parsed lines whose time or device is not what the plain patterns say.
    wrong: Vec<String>,
}

fn folder(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data/{name} is absent");
    None
}

fn logs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    files.sort();
    files
}

static OLD: LazyLock<Regex> = LazyLock::new(|| {
    let text = concat!(
        r"^(?:<\d+>)?(?:(?P<node>\S*/\S+):)?(?P<month>[A-Z][a-z]{2}) +(?P<day>\d+) (?P<time>\d\d:\d\d:\d\d)",
        r"(?:\.(?P<ms>\d{3})\d*)? (?P<host>\S+)"
    );
    Regex::new(&text.replace(r"\d", "[0-9]").replace(r"\S", "[!-~]")).unwrap()
});
static NEW: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^(?:<[0-9]+>1 )?(?P<time>[!-~]+) (?P<host>[!-~]+) ").unwrap());

/// Time and host as plain patterns see them; no host is the configured device.
fn expected(line: &str) -> Option<(i64, String)> {
    if let Some(found) = OLD.captures(line) {
        let month = MONTHS.find(&found["month"])? / 3 + 1;
        let (day, ms) =
            (found["day"].parse::<u32>().ok()?, found.name("ms").map_or("000", |ms| ms.as_str()));
        let text = format!("2017-{month:02}-{day:02}T{}.{ms}Z", &found["time"]);
        let host = if found.name("node").is_some() { "spare" } else { &found["host"] };
        return Some((from_iso(&text)?, host.to_owned()));
    }
    let found = NEW.captures(line)?;
    Some((from_iso(&found["time"])?, found["host"].to_owned()))
}

fn read(path: &Path, format: &str) -> Figures {
    let definition =
        format!(r#"{{"type":"{format}","device_id":"spare","year":2017,"clock_valid_from":"2010-01-01"}}"#);
    let channels = ChannelList::new(&[]).unwrap();
    let mut formats = Formats::new(&channels);
    let number = formats.add(&definition).unwrap();
    let mut figures = Figures::default();
    for line in std::fs::read(path).unwrap().split(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        figures.lines += 1;
        let taken = match formats.read(number, line, &Context::new(NOW, None)) {
            Ok(taken) if taken.records == 0 => {
                figures.banners += 1;
                continue;
            }
            Ok(taken) => taken,
            Err(refusal) => {
                *figures.refused.entry(refusal.name()).or_default() += 1;
                continue;
            }
        };
        figures.parsed += 1;
        let record = formats.record(taken.last_ms).to_record();
        figures.errors += usize::from(record.error_code.is_some());
        figures.resets += usize::from(record.values[4] > 0.0);
        let text = String::from_utf8_lossy(line);
        let found = record.timestamp_ms.map(|time_ms| (time_ms, record.device));
        if found != expected(&text) {
            figures.wrong.push(format!("{found:?}, not {:?}: {text}", expected(&text)));
        }
    }
    figures
}

/// Reads every file, prints its figures and checks them; returns lines, parsed lines and errors in all.
fn check(folder: &Path, format: &str) -> Figures {
    let mut all = Figures::default();
    for path in logs(folder) {
        let figures = read(&path, format);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        println!(
            "{name}: {} lines, {} parsed, {} banners, refused {:?}, {} errors, {} resets",
            figures.lines, figures.parsed, figures.banners, figures.refused, figures.errors, figures.resets
        );
        let refused: usize = figures.refused.values().sum();
        assert_eq!(figures.lines, figures.parsed + figures.banners + refused, "{name}");
        assert!(figures.parsed + figures.banners >= figures.lines * 95 / 100, "{name}");
        assert_eq!(figures.wrong, Vec::<String>::new(), "{name}");
        all.lines += figures.lines;
        all.parsed += figures.parsed;
        all.banners += figures.banners;
        all.errors += figures.errors;
        all.resets += figures.resets;
    }
    println!("{format}: {all:?}");
    all
}

#[test]
fn syslog_of_many_daemons_is_read_with_time_and_host() {
    let Some(folder) = folder("logs_crowdsec") else { return };
    let all = check(&folder, "syslog");
    assert!(all.lines > 200);
    assert_eq!(all.banners, 0);
    // Most of these files are attacks on logins.
    assert!(all.errors * 2 > all.parsed, "{all:?}");
}

#[test]
fn ios_xr_logs_are_read_with_time_banners_and_sessions_lost() {
    let Some(folder) = folder("logs_cisco_iosxr") else { return };
    let all = check(&folder, "cisco");
    assert!(all.lines > 5000 && all.banners > 80, "{all:?}");
    assert!(all.resets > 1000, "neighbours went down in these experiments: {all:?}");
}
