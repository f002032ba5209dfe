//! `events`: messages of the programs that run on gateways, by the shipped patterns ([`super::shipped`]).
//!
//! A message is looked up in its program's family of rules, then in the rules for any program; the
//! first that matches says what it means. One that none knows still is a record. Then a severity of
//! `err` or worse counts as an error by that name. Cisco's mnemonics are read by [`super::shipped::cisco`].
//! "Message repeated 5 times" counts five times.
use std::sync::LazyLock;

use super::draft::Draft;
use super::fields::number;
use super::keys::Keys;
use super::patterns::Groups;
use super::shipped::{self, Rule, Shipped};
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
        if let Some((patterns, place, rule)) = SHIPPED.find(context.program, message) {
            apply(rule, draft);
            if patterns.groups(place).next().is_some() {
                patterns.find_groups(place, message, &mut self.groups);
                for (group, name) in patterns.groups(place) {
                    if let Some(text) = self.groups.get(group, message) {
                        measure(name, text, draft);
                    }
                }
                // Groups remember a pattern by its place, and families count from 0 each.
                self.groups = Groups::default();
            }
        } else if let Some(name) = context.severity.and_then(|s| SEVERITY_NAMES.get(usize::from(s))) {
            draft.set_error(name);
        }
    }
}

/// The rule that a message is read by, by name; for tests and tools.
pub fn rule_of(program: &[u8], message: &[u8]) -> Option<&'static str> {
    SHIPPED.find(program, message).map(|(_, _, rule)| rule.name)
}

fn apply(rule: &Rule, draft: &mut Draft) {
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
