//! `events`: messages of the programs that run on gateways, by the shipped patterns ([`super::shipped`]).
//!
//! A message is looked up in its program's family of rules, then in the rules for any program; the
//! first that matches says what it means. Where the message matches none, the header of RFC 5424 is
//! looked up, then both with their names as words ([`super::shipped::names`]). A message that names the
//! state that was reached means that state ([`super::shipped::state`]), so that good news is no error. One that no
//! rule knows still is a record; a severity of `err` or worse counts as an error by that name. Cisco's mnemonics are
//! read by [`super::shipped::cisco`]. "Message repeated 5 times" counts five times.
use std::sync::LazyLock;

use super::draft::Draft;
use super::fields::number;
use super::keys::Keys;
use super::patterns::{Groups, MAX_TEXT_BYTES, Patterns};
use super::shipped::state::{self, Change};
use super::shipped::{self, Rule, Shipped, names};
use super::time::Clock;
use super::{Context, Format, Found};
use crate::channel::{ChannelList, LATENCY, PACKET_LOSS, RESETS, RETRIES, TRAFFIC};
use crate::error::Result;
use crate::parse::Refusal;

const SEVERITY_NAMES: [&str; 4] = ["emerg", "alert", "crit", "err"];

/// Compiled once for all readers: it never changes.
static SHIPPED: LazyLock<Shipped> = LazyLock::new(Shipped::compile);

/// What the last message meant, for "last message repeated".
#[derive(Debug, Default)]
struct Last {
    device: String,
    error_code: String,
    values: Vec<f64>,
    rebooted: bool,
}

/// The format.
#[derive(Debug, Default)]
pub struct Events {
    groups: Groups,
    last: Last,
    /// The message at hand with its names taken apart.
    words: Vec<u8>,
}

/// From a definition, which has no keys of its own.
pub fn make(_: &Keys<'_>, _: &ChannelList, _: &Clock) -> Result<Box<dyn Format>> {
    LazyLock::force(&SHIPPED);
    Ok(Box::new(Events::default()))
}

impl Format for Events {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let (message, times) = shipped::repeated(line);
        draft.repeat = times.unwrap_or(1);
        match message {
            Some(message) => self.read_message(message, context, draft),
            // Before the first message there is no last one.
            None if self.last.device == draft.device && !self.last.values.is_empty() => {
                draft.error_code.clone_from(&self.last.error_code);
                draft.values.clone_from(&self.last.values);
                draft.rebooted = self.last.rebooted;
                return Ok(Found::Record);
            }
            None => {}
        }
        self.last.device.clone_from(&draft.device);
        self.last.error_code.clone_from(&draft.error_code);
        self.last.values.clone_from(&draft.values);
        self.last.rebooted = draft.rebooted;
        Ok(Found::Record)
    }
}

impl Events {
    fn read_message(&mut self, message: &[u8], context: &Context<'_>, draft: &mut Draft) {
        if let Some(event) = shipped::cisco::read(context.program, message) {
            return event.apply(draft);
        }
        let found = |text| SHIPPED.find(context.program, text);
        let mut words = std::mem::take(&mut self.words);
        let (text, rule) = match (found(message), found(context.header)) {
            (Some(rule), _) => (message, Some(rule)),
            (None, Some(rule)) => (context.header, Some(rule)),
            (None, None) => {
                take_apart(message, context, &mut words);
                let text = if words.is_empty() { message } else { &words };
                (text, found(text))
            }
        };
        let change = state::reached(text);
        if let Some((patterns, place, rule)) = rule {
            let over = rule.error && (change == Some(Change::Better) || state::is_good_news(text));
            apply(rule, over, draft);
            self.measure(patterns, place, text, draft);
        } else if let Some(name) = context.severity.and_then(|s| SEVERITY_NAMES.get(usize::from(s)))
            && change != Some(Change::Better)
        {
            draft.set_error(name);
        }
        let told = rule.is_some_and(|(_, _, rule)| rule.error || rule.resets > 0);
        if change == Some(Change::Worse) && !told {
            draft.set_error(SHIPPED.worse(context.program));
            draft.values[RESETS] = 1.0;
        }
        self.words = words;
    }

    /// Puts the figures of a rule's groups where their names say.
    fn measure(&mut self, patterns: &Patterns, place: usize, text: &[u8], draft: &mut Draft) {
        if patterns.groups(place).next().is_none() {
            return;
        }
        patterns.find_groups(place, text, &mut self.groups);
        for (group, name) in patterns.groups(place) {
            if let Some(figure) = self.groups.get(group, text) {
                measure(name, figure, draft);
            }
        }
        // Groups remember a pattern by its place, and families count from 0 each.
        self.groups = Groups::default();
        // Of what never came back no time was measured, whatever the line says.
        if draft.values[PACKET_LOSS] == 100.0 {
            draft.values[LATENCY] = f64::NAN;
        }
    }
}

/// The names in a message, in its header and in the program's place as words; empty when there are none.
fn take_apart(message: &[u8], context: &Context<'_>, words: &mut Vec<u8>) {
    words.clear();
    let mut named = false;
    for part in [context.program, context.header, message] {
        named |= names::split(&part[..part.len().min(MAX_TEXT_BYTES)], words);
        words.push(b' ');
    }
    if !named {
        words.clear();
    }
}

/// The rule that a message is read by, by name; for tests and tools.
pub fn rule_of(program: &[u8], message: &[u8]) -> Option<&'static str> {
    SHIPPED.find(program, message).map(|(_, _, rule)| rule.name)
}

/// `over`: the message says that the fault has gone.
fn apply(rule: &Rule, over: bool, draft: &mut Draft) {
    if over {
        return;
    }
    if rule.error {
        draft.set_error(rule.name);
    }
    draft.rebooted = rule.rebooted;
    for (count, channel) in [(rule.resets, RESETS), (rule.retries, RETRIES)] {
        if count > 0 {
            draft.values[channel] = f64::from(count);
        }
    }
}

/// Puts a named group's number where its name says; one out of range is left out.
fn measure(name: &str, text: &[u8], draft: &mut Draft) {
    if name == "error_code" {
        return draft.set_error(&String::from_utf8_lossy(text));
    }
    let Some(value) = number(text).filter(|value| (0.0..1e12).contains(value)) else { return };
    let (channel, value) = match name {
        "latency_s" => (LATENCY, value * 1e3),
        "latency_ms" => (LATENCY, value),
        "latency_us" => (LATENCY, value / 1e3),
        "packet_loss_pct" if value <= 100.0 => (PACKET_LOSS, value),
        "retries" => (RETRIES, value.floor()),
        "bytes" | "more_bytes" => (TRAFFIC, value / 1e6),
        _ => return,
    };
    let slot = &mut draft.values[channel];
    *slot = if name == "more_bytes" && !slot.is_nan() { *slot + value } else { value };
}
