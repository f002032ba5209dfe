//! `ping` and `fping`: what these programs print, one record an answer or a missing one.
//!
//! Known: iputils (also `-D`, `-O`), BusyBox, BSD and macOS, Windows in English and German; `fping` with `-l`, `-D`,
//! `-c` and `-C`. A time may stand before a line, as `ts` or a shell writes it. The device is the target: the address
//! that was asked, which a line may name or an earlier one. An answer is a loss of 0 and its time, a missing one a loss
//! of 100, an error and no time. Answers whose number leaves a gap to the last one's stand for the lost ones, too.
use std::collections::HashMap;

use super::draft::Draft;
use super::fields::number;
use super::keys::Keys;
use super::patterns::{Groups, Patterns};
use super::stamp;
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::{ChannelList, LATENCY, PACKET_LOSS};
use crate::error::{Error, Result};
use crate::parse::Refusal;

const MAX_TARGETS: usize = 4096;
/// A larger gap is another run, or a count that began anew.
const MAX_GAP: f64 = 1000.0;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answer,
    NoAnswer,
    /// Loss and mean of several.
    Counts,
    /// The times of several, `-` where none came.
    Times,
    /// Only who is asked.
    Target,
    Nothing,
}
use Kind::{Answer, Counts, NoAnswer, Nothing, Target, Times};

const PING: [(Kind, &str); 15] = [
    (Nothing, r"\(DUP!\)"),
    // The address in brackets is the one that was asked; a name may stand before it.
    (
        Answer,
        concat!(
            r"bytes from (?:\S+ \()?(?P<target>[^\s()]+?)\)?[:,] (?:icmp_)?seq=(?P<number>\d+) ",
            r".*?time[=<](?P<latency>[\d.]+) ?ms"
        ),
    ),
    (Answer, r"(?:Reply from|Antwort von) (?P<target>\S+?): .*(?:time|Zeit)[=<] ?(?P<latency>[\d.]+) ?ms"),
    (NoAnswer, r"no answer yet for icmp_seq=(?P<number>\d+)"),
    (NoAnswer, r"Request timeout for icmp_seq (?P<number>\d+)"),
    (Nothing, r"(?i)Redirect (?:Host|Network)"),
    (NoAnswer, r"(?i)^From \S+(?: \(\S+\))?:? icmp_seq=(?P<number>\d+) "),
    (
        NoAnswer,
        concat!(
            r"(?i)^(?:\d+ bytes from|from|reply from|antwort von) \S+(?: \(\S+\))?: ",
            r".*(?:unreachable|exceeded|expired|nicht erreichbar|.{1,2}berschritten)"
        ),
    ),
    (
        NoAnswer,
        concat!(
            r"(?i)^(?:request timed out|zeit.{1,2}berschreitung der anforderung|",
            r"destination (?:host|net) unreachable|zielhost nicht erreichbar|allgemeiner fehler|general failure)"
        ),
    ),
    (
        NoAnswer,
        r"(?i)sendto: |sendmsg: |connect: |(?:network|host) is (?:unreachable|down)|no route to host",
    ),
    (NoAnswer, r"(?i)^ping: .*(?:name resolution|not known|unknown host|cannot resolve)"),
    (Target, r"^PING \S+ \((?P<target>[^\s()]+)\)"),
    (Target, r"^PING (?P<target>[^\s(]+)"),
    (Target, r"^(?:Pinging|Ping wird ausgef.{1,2}hrt f.{1,2}r) (?:\S+ \[)?(?P<target>[^\s\]]+)"),
    (
        Nothing,
        concat!(
            r"(?i)^--- .* ---$|packets? transmitted|min/avg/max|^ping6?[ (-]|^ping-?statisti|",
            r"^\s*(?:packets|pakete|minimum|\(\d+% )|^(?:approximate|ca\. zeitangaben)|",
            r"^(?:with|mit) \d+ bytes|^\^C|^warning: |^\d+/\d+ packets"
        ),
    ),
];

const FPING: [(Kind, &str); 7] = [
    (Answer, r"^(?P<target>\S+) +: \[(?P<number>\d+)\], \d+ bytes, (?P<latency>[\d.]+) ms"),
    (NoAnswer, r"^(?P<target>\S+) +: \[(?P<number>\d+)\], (?:timed out|.*(?i:unreachable|error))"),
    (
        Counts,
        concat!(
            r"^(?P<target>\S+) +: xmt/rcv/%loss = \d+/\d+/(?P<loss>[\d.]+)%",
            r"(?:, min/avg/max = [\d.]+/(?P<latency>[\d.]+)/)?"
        ),
    ),
    (Answer, r"^(?P<target>\S+) is alive(?: \((?P<latency>[\d.]+) ms)?"),
    (NoAnswer, r"^(?P<target>\S+) (?:is unreachable|address not found)"),
    (Times, r"^(?P<target>\S+) +:(?: (?:[\d.]+|-))+ *$"),
    // Summaries, and what routers say of others.
    (Nothing, r"^ICMP |duplicate for \[|^\s+[\d.]+ |^\[\d\d:\d\d:\d\d\]$"),
];

/// The format.
#[derive(Debug)]
pub struct Ping {
    kinds: &'static [(Kind, &'static str)],
    patterns: Patterns,
    groups: Groups,
    clock: Clock,
    /// The configuration names the device.
    named: bool,
    /// Who is asked.
    target: String,
    /// Number of the last answer of each target.
    last: HashMap<String, f64>,
}

/// From a definition.
pub fn make(keys: &Keys<'_>, _: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    make_kind(keys, clock, &PING)
}

/// From a definition of `fping`.
pub fn make_fping(keys: &Keys<'_>, _: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    make_kind(keys, clock, &FPING)
}

fn make_kind(
    keys: &Keys<'_>,
    clock: &Clock,
    kinds: &'static [(Kind, &'static str)],
) -> Result<Box<dyn Format>> {
    let texts: Vec<&str> = kinds.iter().map(|(_, pattern)| *pattern).collect();
    let patterns =
        Patterns::new(&texts).map_err(|(place, error)| Error::new(format!("{place}: {error}")))?;
    Ok(Box::new(Ping {
        kinds,
        patterns,
        groups: Groups::default(),
        clock: clock.clone(),
        named: keys.text("device_id")?.is_some(),
        target: String::new(),
        last: HashMap::new(),
    }))
}

impl Format for Ping {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let (civil, epoch, line) = stamp::in_front(line.trim_ascii_end());
        draft.stamp = match (civil, epoch) {
            (Some(civil), _) => self.clock.stamp(&civil, context.arrival_ms)?,
            (None, Some(time_ms)) => self.clock.stamp_epoch(time_ms)?,
            _ => draft.stamp,
        };
        let place = self.patterns.first_match(line).ok_or(Refusal::NoPattern)?;
        let (kind, _) = self.kinds[place];
        if kind == Nothing {
            return Ok(Found::Nothing);
        }
        let (mut counted, mut latency, mut loss) = (None, f64::NAN, f64::NAN);
        self.patterns.find_groups(place, line, &mut self.groups);
        for (group, name) in self.patterns.groups(place) {
            let Some(text) = self.groups.get(group, line) else { continue };
            match name {
                "target" => self.target = String::from_utf8_lossy(text).into_owned(),
                "number" => counted = number(text),
                "latency" => latency = number(text).unwrap_or(f64::NAN),
                _ => loss = number(text).filter(|loss| *loss <= 100.0).unwrap_or(f64::NAN),
            }
        }
        match kind {
            Target | Nothing => return Ok(Found::Nothing),
            Answer => loss = 0.0,
            NoAnswer => loss = 100.0,
            Counts => {}
            Times => (loss, latency) = loss_and_mean(line),
        }
        if let Some(counted) = counted {
            loss = self.with_gap(counted, loss);
        }
        draft.values[PACKET_LOSS] = loss;
        if loss < 100.0 {
            draft.values[LATENCY] = latency;
        } else {
            draft.set_error("no-answer");
        }
        if self.named {
            draft.device.clear();
        } else {
            draft.set_mapped_device(self.target.as_bytes());
        }
        Ok(Found::Record)
    }
}

impl Ping {
    /// Plain ping says nothing of what was lost: the numbers of its answers do.
    fn with_gap(&mut self, counted: f64, loss: f64) -> f64 {
        if self.last.len() >= MAX_TARGETS && !self.last.contains_key(&self.target) {
            self.last.clear();
        }
        let last = self.last.entry(self.target.clone()).or_insert(counted);
        let gap = counted - std::mem::replace(last, counted) - 1.0;
        if (1.0..MAX_GAP).contains(&gap) && loss == 0.0 { 100.0 * gap / (gap + 1.0) } else { loss }
    }
}

/// Of `192.0.2.1 : 12.1 - 12.9`: the share of those that are missing, and the mean of the others.
#[allow(clippy::cast_precision_loss)] // A line has at most 65,536 bytes.
fn loss_and_mean(line: &[u8]) -> (f64, f64) {
    let place = memchr::memmem::find(line, b" :").map_or(line.len(), |place| place + 2);
    let words = line[place..].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (mut sum, mut answers, mut all) = (0.0, 0_usize, 0_usize);
    for word in words {
        all += 1;
        if let Some(time) = number(word) {
            (sum, answers) = (sum + time, answers + 1);
        }
    }
    (100.0 * (all - answers) as f64 / all as f64, sum / answers as f64)
}
