//! `syslog` and `cisco`: an envelope ([`super::envelope`]) around a message that another format reads.
//!
//! `message` is the definition of that format, `events` unless given. The host is the device, the
//! program and the severity are told to the message's format. A host's signs that may not stand in a
//! device's name become `_`.
//!
//! `cisco` also knows the lines that `show logging` prints around the log; they hold no record.
use super::draft::{Draft, Stamp};
use super::envelope::{self, Envelope};
use super::keys::Keys;
use super::message::inner_format;
use super::time::Clock;
use super::time::civil::Scanner;
use super::{Context, Format, Found};
use crate::channel::ChannelList;
use crate::error::Result;
use crate::parse::Refusal;

/// Fronts of lines that `show logging` prints, after blanks.
const BANNERS: [&[u8]; 13] = [
    b"Syslog logging:",
    b"Console logging:",
    b"Monitor logging:",
    b"Trap logging:",
    b"Buffer logging:",
    b"File logging:",
    b"Persistent logging:",
    b"Exception Logging:",
    b"Count and timestamp logging",
    b"Log Buffer (",
    b"Last switch-over",
    b"No Active Message Discriminator",
    b"No Inactive Message Discriminator",
];

/// The format.
#[derive(Debug)]
pub struct Syslog {
    message: Box<dyn Format>,
    clock: Clock,
    cisco: bool,
}

/// From a definition of `syslog`.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    make_kind(keys, channels, clock, false)
}

/// From a definition of `cisco`.
pub fn make_cisco(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    make_kind(keys, channels, clock, true)
}

fn make_kind(
    keys: &Keys<'_>,
    channels: &ChannelList,
    clock: &Clock,
    cisco: bool,
) -> Result<Box<dyn Format>> {
    let message = inner_format(keys, channels, clock)?;
    Ok(Box::new(Syslog { message, clock: clock.clone(), cisco }))
}

impl Format for Syslog {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let Some(envelope) = envelope::open(line) else { return self.without_envelope(line) };
        if self.cisco && is_date_alone(&envelope) {
            return Ok(Found::Nothing);
        }
        let Envelope { program, severity, header, message, .. } = envelope;
        let inside = Context { program, severity, header, ..*context };
        if !envelope.host.is_empty() {
            set_host(envelope.host, draft);
        }
        if let Some(civil) = &envelope.civil {
            draft.stamp = self.clock.stamp(civil, context.arrival_ms)?;
        }
        if let (true, Stamp::At(time_ms)) = (envelope.clock_unset, draft.stamp) {
            draft.stamp = Stamp::Unsynchronised(time_ms);
        }
        // With some vendors the header is all of the message.
        self.message.read(if message.is_empty() { header } else { message }, &inside, draft)
    }

    fn finish(&mut self, draft: &mut Draft) -> std::result::Result<(), Refusal> {
        self.message.finish(draft)
    }
}

impl Syslog {
    fn without_envelope(&self, line: &[u8]) -> std::result::Result<Found, Refusal> {
        let text = line.trim_ascii();
        // A message's further lines are indented; journalctl and syslogd set marks between dashes, RouterOS
        // behind a hash.
        let marks = (text.starts_with(b"-- ") && text.ends_with(b" --")) || text.starts_with(b"# ");
        let banner = self.cisco && (is_banner(text) || line.first().is_some_and(u8::is_ascii_whitespace));
        if marks || banner || text.starts_with(b"-- Logs begin at") || text.starts_with(b"-- Journal begins")
        {
            return Ok(Found::Nothing);
        }
        Err(Refusal::NoEnvelope)
    }
}

/// A line that `show logging` prints, or the prompt before it.
fn is_banner(text: &[u8]) -> bool {
    let prompt = || {
        text.iter().position(|byte| matches!(byte, b'#' | b'>')).is_some_and(|end| {
            !text[..end].contains(&b' ')
                && Scanner::new(text[end + 1..].trim_ascii_start()).text(b"sh").is_some()
        })
    };
    BANNERS.iter().any(|banner| text.starts_with(banner)) || prompt()
}

/// `Fri Aug  4 10:53:15.926 PDT`, the time at which `show logging` was asked.
fn is_date_alone(envelope: &Envelope<'_>) -> bool {
    envelope.message.is_empty() && envelope.program.is_empty() && envelope.host.is_empty()
}

fn set_host(host: &[u8], draft: &mut Draft) {
    let name = String::from_utf8_lossy(host);
    // UniFi puts model, address and version behind the name, and older ones all of it in brackets.
    let name = name.trim_matches(['(', ')', '"', '[', ']', ',']);
    let name = name.split(',').next().unwrap_or_default();
    // Of an empty name the device that stands in is taken.
    draft.set_mapped_device(name.as_bytes());
}
