//! `mtr`: its reports as JSON (`mtr --json`, a document over several lines) and as CSV (`mtr -C`).
//!
//! Every hop that answered is a record by its address. The last one of a JSON report stands for the target by its own
//! name; one that did not answer is an outage of it. In CSV the target is the hop whose address is the host's, else
//! the last one; that it did not answer is known when the next report begins. With `device_id` only the target counts.
use serde_json::Value;

use super::document::Assembler;
use super::draft::Draft;
use super::fields::number;
use super::keys::Keys;
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::{ChannelList, LATENCY, PACKET_LOSS};
use crate::error::Result;
use crate::parse::Refusal;

/// Most hops of a report that are read.
const MAX_HOPS: usize = 256;
/// The columns of a report whose header was not seen, and where loss and mean are in them.
const COLUMNS: [usize; 2] = [6, 10];

/// One hop of a report.
#[derive(Debug, Clone, Default)]
struct Hop {
    device: String,
    loss: f64,
    latency: f64,
    time_ms: Option<i64>,
    is_target: bool,
}

/// The format.
#[derive(Debug)]
pub struct Mtr {
    assembler: Assembler,
    clock: Clock,
    /// The configuration names the device.
    named: bool,
    /// What is still to be told, the last first.
    hops: Vec<Hop>,
    columns: [usize; 2],
    /// The last row, as long as its report may go on.
    row: Option<Hop>,
    /// The host's address, as an earlier report reached it.
    reached: String,
}

/// From a definition, which has no keys of its own.
pub fn make(keys: &Keys<'_>, _: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    let named = keys.text("device_id")?.is_some();
    Ok(Box::new(Mtr {
        assembler: Assembler::default(),
        clock: clock.clone(),
        named,
        hops: Vec::new(),
        columns: COLUMNS,
        row: None,
        reached: String::new(),
    }))
}

impl Format for Mtr {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        if line.starts_with(b"M") && !self.assembler.is_busy() {
            self.row(&String::from_utf8_lossy(line))?;
        } else {
            let Some(document) = self.assembler.document(line, draft)? else { return Ok(Found::Nothing) };
            self.report(&document)?;
        }
        self.more(context, draft).unwrap_or(Ok(Found::Nothing))
    }

    fn more(&mut self, _: &Context<'_>, draft: &mut Draft) -> Option<std::result::Result<Found, Refusal>> {
        let hop = loop {
            let hop = self.hops.pop()?;
            if hop.is_target || !self.named {
                break hop;
            }
        };
        if let Some(time_ms) = hop.time_ms {
            match self.clock.stamp_epoch(time_ms) {
                Ok(stamp) => draft.stamp = stamp,
                Err(refusal) => return Some(Err(refusal)),
            }
        }
        if !self.named {
            draft.set_mapped_device(hop.device.as_bytes());
        }
        draft.values[PACKET_LOSS] = hop.loss;
        if hop.loss < 100.0 {
            draft.values[LATENCY] = hop.latency;
        } else {
            draft.set_error("unreachable");
        }
        Some(Ok(Found::Record))
    }

    fn reads_documents(&self) -> bool {
        true
    }
}

impl Mtr {
    /// Takes a report in JSON.
    fn report(&mut self, document: &[u8]) -> std::result::Result<(), Refusal> {
        let value: Value = serde_json::from_slice(document).map_err(|_| Refusal::InvalidJson)?;
        let report = value.get("report").unwrap_or(&value);
        let hubs = report.get("hubs").and_then(Value::as_array).ok_or(Refusal::NoPattern)?;
        let target = report.pointer("/mtr/dst").and_then(Value::as_str).unwrap_or_default();
        let number_of = |hub: &Value, key: &str| hub.get(key).and_then(figure).unwrap_or(f64::NAN);
        self.hops = hubs
            .iter()
            .take(MAX_HOPS)
            .map(|hub| Hop {
                device: hub.get("host").and_then(Value::as_str).unwrap_or_default().to_owned(),
                loss: number_of(hub, "Loss%").clamp(0.0, 100.0),
                latency: number_of(hub, "Avg"),
                ..Hop::default()
            })
            .collect();
        if let Some(last) = self.hops.last_mut() {
            last.is_target = true;
            if !target.is_empty() {
                target.clone_into(&mut last.device);
            }
        }
        self.hops.retain(|hop| hop.is_target || hop.device != "???");
        self.hops.reverse();
        Ok(())
    }

    /// Takes a row in CSV, or a header, with which another report begins.
    fn row(&mut self, line: &str) -> std::result::Result<(), Refusal> {
        let delimiter = line.find([',', ';']).ok_or(Refusal::NoPattern)?;
        let cells: Vec<&str> = line.split(&line[delimiter..=delimiter]).map(str::trim).collect();
        if line.starts_with("Mtr_Version") {
            let place =
                |name: &str| cells.iter().position(|cell| *cell == name).ok_or(Refusal::MissingColumns);
            self.columns = [place("Loss%")?, place("Avg")?];
            self.report_ended();
            return Ok(());
        }
        let cell = |place: usize| cells.get(place).copied().ok_or(Refusal::MissingColumns);
        let figure = |place: usize| Ok(number(cell(place)?.as_bytes()).unwrap_or(f64::NAN));
        let (host, hop, address) = (cell(3)?, figure(4)?, cell(5)?);
        if hop == 1.0 {
            self.report_ended();
        }
        let [loss, latency] = self.columns;
        let seconds = figure(1)?;
        #[allow(clippy::cast_possible_truncation)] // The range is checked.
        let time_ms = (0.0..1e11).contains(&seconds).then_some((seconds * 1000.0) as i64);
        let row = Hop {
            device: address.to_owned(),
            loss: figure(loss)?.clamp(0.0, 100.0),
            latency: figure(latency)?,
            time_ms,
            is_target: address == host,
        };
        if address != "???" && (row.is_target || !self.named) {
            self.hops.insert(0, row.clone());
        }
        // With an address the row may yet be the host's: its name is another.
        self.row = Some(Hop { is_target: row.is_target || address == "???", ..row });
        if address == "???" {
            let target = if self.reached.is_empty() { host } else { &self.reached };
            self.row = self.row.take().map(|row| Hop { device: target.to_owned(), loss: 100.0, ..row });
        }
        Ok(())
    }

    /// Tells of an outage that the last report ended with.
    fn report_ended(&mut self) {
        let Some(row) = self.row.take() else { return };
        if row.is_target && row.loss >= 100.0 {
            self.hops.insert(0, row);
            return;
        }
        self.reached.clone_from(&row.device);
        // A host's name is not what its hop is called.
        if self.named && !row.is_target {
            self.hops.insert(0, Hop { is_target: true, ..row });
        }
    }
}

fn figure(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| number(value.as_str()?.as_bytes()))
}
