//! `speedtest`: results of Ookla's CLI, librespeed-cli and speedtest-cli, as JSON or CSV.
//!
//! A test gives the latency of its ping, the loss where it was measured and the volume that was loaded down; channels
//! `download_mbit_s`, `upload_mbit_s` and `jitter_ms` where they are declared. A test that failed, which the programs
//! write as an error or as a row of zeros, is an outage: an error, a loss of 100 % and nothing measured.
use serde_json::Value;

use super::document::{Assembler, elements};
use super::draft::{Draft, Raw};
use super::fields::number;
use super::keys::Keys;
use super::time::Clock;
use super::time::form::TimeForm;
use super::{Context, Format, Found};
use crate::channel::{ChannelList, LATENCY, PACKET_LOSS, TRAFFIC};
use crate::error::Result;
use crate::parse::Refusal;

/// speedtest-cli writes this when no server answered.
const NO_ANSWER_MS: f64 = 1_800_000.0;
const FAILED: &str = "speedtest-failed";

/// A result; NaN is unknown.
#[derive(Debug, Clone, Default)]
struct Test {
    time: String,
    failed: bool,
    ping_ms: f64,
    jitter_ms: f64,
    loss_pct: f64,
    /// Bits a second.
    download: f64,
    upload: f64,
    bytes: f64,
}

/// The format.
#[derive(Debug)]
pub struct Speedtest {
    clock: Clock,
    assembler: Assembler,
    /// The last first.
    tests: Vec<Test>,
    names: Vec<String>,
    /// Channels of download, upload and jitter.
    channels: [Option<usize>; 3],
}

/// From a definition, which has no keys of its own.
pub fn make(_: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let channels = ["download_mbit_s", "upload_mbit_s", "jitter_ms"].map(|name| channels.position(name));
    let (assembler, tests, names) = (Assembler::default(), Vec::new(), Vec::new());
    Ok(Box::new(Speedtest { clock: clock.clone(), assembler, tests, names, channels }))
}

impl Format for Speedtest {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let json = matches!(line.trim_ascii_start().first(), Some(b'{' | b'['));
        if !json && !self.assembler.is_busy() {
            match self.row(&String::from_utf8_lossy(line))? {
                Some(test) => self.tests.push(test),
                None => return Ok(Found::Nothing),
            }
        } else {
            let Some(document) = self.assembler.document(line, draft)? else { return Ok(Found::Nothing) };
            self.document(&document)?;
        }
        self.more(context, draft).unwrap_or(Ok(Found::Nothing))
    }

    fn more(
        &mut self,
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> Option<std::result::Result<Found, Refusal>> {
        let test = self.tests.pop()?;
        match TimeForm::Auto.read(Raw::Text(test.time.as_bytes()), &mut self.clock, context.arrival_ms) {
            Ok(stamp) => draft.stamp = stamp,
            Err(refusal) => return Some(Err(refusal)),
        }
        let known = |value: f64, most: f64| {
            Some(value).filter(|value| (0.0..=most).contains(value)).unwrap_or(f64::NAN)
        };
        if test.failed {
            draft.set_error(FAILED);
            draft.values[PACKET_LOSS] = 100.0;
            return Some(Ok(Found::Record));
        }
        draft.values[LATENCY] = known(test.ping_ms, NO_ANSWER_MS);
        draft.values[PACKET_LOSS] = known(test.loss_pct, 100.0);
        draft.values[TRAFFIC] = known(test.bytes / 1e6, 1e9);
        for (channel, value) in
            self.channels.iter().zip([test.download / 1e6, test.upload / 1e6, test.jitter_ms])
        {
            if let Some(channel) = channel {
                draft.values[*channel] = known(value, 1e9);
            }
        }
        Some(Ok(Found::Record))
    }

    fn reads_documents(&self) -> bool {
        true
    }
}

impl Speedtest {
    fn document(&mut self, text: &[u8]) -> std::result::Result<(), Refusal> {
        let whole = std::iter::once(0..text.len());
        let places = if text[0] == b'[' { elements(text) } else { whole.collect() };
        for place in places.into_iter().rev() {
            let value: Value = serde_json::from_slice(&text[place]).map_err(|_| Refusal::InvalidJson)?;
            self.tests.extend(of_json(&value)?);
        }
        Ok(())
    }

    /// A row; `None` is a header.
    fn row(&mut self, line: &str) -> std::result::Result<Option<Test>, Refusal> {
        let cells = cells(line);
        let lower: Vec<String> = cells.iter().map(|cell| cell.to_ascii_lowercase()).collect();
        if lower.iter().any(|cell| cell == "download") {
            self.names = lower;
            return Ok(None);
        }
        let failed = lower.len() < 5
            && ["error", "cannot", "unable", "fail"].iter().any(|word| lower[0].contains(word));
        if failed {
            return Ok(Some(Test { failed: true, ..Test::default() }));
        }
        // Without a header the columns and where the figures stand tell whose row it is.
        let figures = |places: std::ops::Range<usize>| {
            cells.get(places).is_some_and(|cells| cells.iter().all(|cell| number(cell.as_bytes()).is_some()))
        };
        let names: Vec<&str> = match cells.len() {
            columns if self.names.len() == columns => self.names.iter().map(String::as_str).collect(),
            10 if figures(4..8) => CLI.to_vec(),
            9 if figures(3..7) => LIBRESPEED.to_vec(),
            9.. if line.starts_with('"') && figures(2..4) && figures(5..9) => OOKLA.to_vec(),
            _ => return Err(Refusal::MissingHeader),
        };
        let cell = |wanted: &[&str]| {
            let place = names.iter().position(|name| wanted.contains(name))?;
            cells.get(place).map(String::as_str)
        };
        let figure =
            |wanted: &[&str]| cell(wanted).and_then(|text| number(text.as_bytes())).unwrap_or(f64::NAN);
        // Ookla counts bytes a second, librespeed Mbit, speedtest-cli bits.
        let per_second = match () {
            () if names.contains(&"server id") && names.contains(&"sponsor") => 1.0,
            () if names.contains(&"download bytes") || names.contains(&"idle latency") => 8.0,
            () => 1e6,
        };
        Ok(Some(
            Test {
                time: cell(&["timestamp"]).unwrap_or_default().to_owned(),
                failed: false,
                ping_ms: figure(&["ping", "idle latency", "latency"]),
                jitter_ms: figure(&["jitter", "idle jitter"]),
                loss_pct: figure(&["packet loss"]),
                download: figure(&["download"]) * per_second,
                upload: figure(&["upload"]) * per_second,
                bytes: figure(&["download bytes"]),
            }
            .judged(),
        ))
    }
}

const CLI: [&str; 10] = [
    "server id",
    "sponsor",
    "server name",
    "timestamp",
    "distance",
    "ping",
    "download",
    "upload",
    "share",
    "ip address",
];
const LIBRESPEED: [&str; 9] =
    ["timestamp", "server name", "address", "ping", "jitter", "download", "upload", "share", "ip"];
const OOKLA: [&str; 9] = [
    "server name",
    "server id",
    "idle latency",
    "idle jitter",
    "packet loss",
    "download",
    "upload",
    "download bytes",
    "upload bytes",
];

impl Test {
    /// A test without a ping and without a speed measured nothing.
    fn judged(mut self) -> Self {
        let nothing = |value: f64| value.is_nan() || value <= 0.0;
        if self.ping_ms >= NO_ANSWER_MS || nothing(self.ping_ms) {
            self.ping_ms = f64::NAN;
        }
        self.failed |= nothing(self.download) && (self.ping_ms.is_nan() || self.download == 0.0);
        self
    }
}

/// A result of any of the programs; `None` is a message that is none.
fn of_json(value: &Value) -> std::result::Result<Option<Test>, Refusal> {
    let object = value.as_object().ok_or(Refusal::NotAnObject)?;
    let figure = |path: &str| {
        let found = value.pointer(path)?;
        found.as_f64().or_else(|| number(found.as_str()?.as_bytes()))
    };
    let first = |paths: &[&str]| paths.iter().find_map(|path| figure(path)).unwrap_or(f64::NAN);
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let failed = object.contains_key("error") || text("level") == "error";
    if !failed && !object.contains_key("download") {
        // Ookla's progress, and what it says beside.
        return if object.contains_key("type") { Ok(None) } else { Err(Refusal::NoPattern) };
    }
    let speed = |name: &str| {
        let bandwidth = figure(&format!("/{name}/bandwidth")).map(|bytes| bytes * 8.0);
        // Beyond 100 Gbit/s it was not Mbit/s but bit/s.
        let plain = figure(&format!("/{name}")).map(|speed| if speed < 1e5 { speed * 1e6 } else { speed });
        bandwidth.or(plain).unwrap_or(f64::NAN)
    };
    let found = Test {
        time: text("timestamp").to_owned(),
        failed,
        ping_ms: first(&["/ping/latency", "/ping"]),
        jitter_ms: first(&["/ping/jitter", "/jitter"]),
        loss_pct: first(&["/packetLoss"]),
        download: speed("download"),
        upload: speed("upload"),
        bytes: first(&["/download/bytes", "/bytes_received"]),
    };
    Ok(Some(found.judged()))
}

/// Columns of a line, quotes taken off.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for character in line.trim().chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().expect("there is one").push(other),
        }
    }
    cells
}
