//! `docsis`: lines of a cable modem's event log, as its pages, its MIB (RFC 4639) and syslog have them.
//!
//! A line is, in any order and between tabs, commas, bars, semicolons, quotes or blanks: one or two times (first
//! and last), how often, the level (`critical`, `Critical (3)`, `3`, in six languages), the event's number, and the
//! text, which comes last. An event counted n times gives n records in even steps from first to last time, at
//! most 1,000. "Time Not Established" is a clock that was not set. A line in a syslog envelope has it
//! opened first. The text is read by the shipped DOCSIS patterns; an error's code is the pattern's name.
use super::draft::{Draft, Stamp};
use super::events;
use super::keys::Keys;
use super::time::civil::{Civil, Scanner};
use super::time::{Clock, date};
use super::{Context, Format, Found, envelope};
use crate::channel::ChannelList;
use crate::error::Result;
use crate::parse::Refusal;

/// Words for the levels 1 (emergency) to 8 (debug) as makers write them; accents may be left out.
const LEVELS: [(&str, u8); 38] = [
    ("emergency", 1),
    ("notfall", 1),
    ("emergencia", 1),
    ("urgence", 1),
    ("noodgeval", 1),
    ("alert", 2),
    ("alarm", 2),
    ("alerta", 2),
    ("alerte", 2),
    ("critical", 3),
    ("kritisch", 3),
    ("critico", 3),
    ("crítico", 3),
    ("critique", 3),
    ("kritiek", 3),
    ("error", 4),
    ("fehler", 4),
    ("erro", 4),
    ("erreur", 4),
    ("fout", 4),
    ("warning", 5),
    ("warnung", 5),
    ("advertencia", 5),
    ("advertência", 5),
    ("avertissement", 5),
    ("waarschuwing", 5),
    ("notice", 6),
    ("hinweis", 6),
    ("aviso", 6),
    ("avis", 6),
    ("melding", 6),
    ("information", 7),
    ("informational", 7),
    ("info", 7),
    ("información", 7),
    ("informação", 7),
    ("informatie", 7),
    ("debug", 8),
];
/// Longest word for a level, bytes.
const MAX_LEVEL_BYTES: usize = 24;
/// Epoch seconds of 2008 to 2038: numbers of events are shorter, or those of makers, which are larger.
const EPOCH_SECONDS: std::ops::Range<i64> = 1_200_000_000..2_147_483_648;
const UNSET: &[u8] = b"Time Not Established";
/// What heads the columns of the pages.
const HEADERS: [&[u8]; 6] = [b"time", b"date", b"first time", b"priority", b"index", b"#"];
/// What stands between the parts.
const SEPARATORS: &[u8] = b" \t,;|^\"";
/// Parts before the text; the rest is text.
const MAX_PARTS: usize = 12;

/// The format.
#[derive(Debug)]
pub struct Docsis {
    clock: Clock,
    events: Box<dyn Format>,
}

/// From a definition, which has no keys of its own.
pub fn make(keys: &Keys<'_>, channels: &ChannelList, clock: &Clock) -> Result<Box<dyn Format>> {
    Ok(Box::new(Docsis { clock: clock.clone(), events: events::make(keys, channels, clock)? }))
}

/// What stands before the text.
#[derive(Debug, Default, PartialEq, Eq)]
struct Front {
    times: [Option<Civil>; 2],
    unset: bool,
    count: Option<u32>,
    level: Option<u8>,
    number: bool,
    epoch_s: Option<i64>,
}

impl Format for Docsis {
    fn read(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let mut scanner = Scanner::new(line.trim_ascii());
        let front = front(&mut scanner);
        let text = scanner.rest.trim_ascii();
        if front == Front::default() {
            return self.enveloped(line, context, draft);
        }
        if text.is_empty() || is_header(text) {
            return Ok(Found::Nothing);
        }
        let mut stamps = [Stamp::Missing; 2];
        for (stamp, civil) in stamps.iter_mut().zip(&front.times) {
            if let Some(civil) = civil {
                *stamp = self.clock.stamp(civil, context.arrival_ms)?;
            }
        }
        let inside = Context { program: b"docsis", severity: front.level, ..*context };
        self.events.read(unquoted(text), &inside, draft)?;
        match stamps {
            [Stamp::At(first), Stamp::At(last)] => {
                draft.first_ms = Some(first.min(last));
                draft.stamp = Stamp::At(first.max(last));
            }
            [first, Stamp::Missing] => draft.stamp = first,
            [_, last] => draft.stamp = last,
        }
        if draft.stamp == Stamp::Missing {
            draft.stamp = match front.epoch_s {
                Some(seconds) => self.clock.stamp_epoch(seconds * 1000)?,
                None if front.unset => Stamp::Unsynchronised(0),
                None => Stamp::Missing,
            };
        }
        draft.repeat = front.count.unwrap_or(1).max(1);
        Ok(Found::Record)
    }
}

impl Docsis {
    fn enveloped(
        &mut self,
        line: &[u8],
        context: &Context<'_>,
        draft: &mut Draft,
    ) -> std::result::Result<Found, Refusal> {
        let Some(envelope) = envelope::open(line) else {
            let text = line.trim_ascii();
            return if is_header(text) { Ok(Found::Nothing) } else { Err(Refusal::NoEnvelope) };
        };
        if !envelope.host.is_empty() && draft.set_device(envelope.host).is_err() {
            draft.device.clear();
        }
        if let Some(civil) = &envelope.civil {
            draft.stamp = self.clock.stamp(civil, context.arrival_ms)?;
        }
        let inside = Context { program: b"docsis", severity: envelope.severity, ..*context };
        self.events.read(envelope.message, &inside, draft)
    }
}

fn is_header(text: &[u8]) -> bool {
    let word =
        |header: &&[u8]| text.len() >= header.len() && text[..header.len()].eq_ignore_ascii_case(header);
    text.len() < 120 && HEADERS.iter().any(word)
}

/// Reads parts as long as they are known.
fn front(scanner: &mut Scanner<'_>) -> Front {
    let mut front = Front::default();
    for _ in 0..MAX_PARTS {
        let before = *scanner;
        separators(scanner);
        if scanner.rest.is_empty() || !part(scanner, &mut front) {
            if front == Front::default() {
                *scanner = before;
            }
            break;
        }
    }
    front
}

fn separators(scanner: &mut Scanner<'_>) {
    while scanner.one_of(SEPARATORS).is_some() {}
}

fn part(scanner: &mut Scanner<'_>, front: &mut Front) -> bool {
    if scanner.text(UNSET).is_some() || stars(scanner).is_some() {
        front.unset = true;
        return true;
    }
    if let Some(slot) = front.times.iter_mut().find(|time| time.is_none())
        && let Some(civil) = time(scanner)
    {
        *slot = Some(civil);
        return true;
    }
    level(scanner, front).or_else(|| number(scanner, front)).is_some()
}

/// `************`, where some pages have the time that is not known.
fn stars(scanner: &mut Scanner<'_>) -> Option<()> {
    let count = scanner.rest.iter().take_while(|byte| **byte == b'*').count();
    (count >= 3).then(|| scanner.rest = &scanner.rest[count..])
}

/// `2020-1-14,13:17:4.0,+1:0` of the MIB, and every way of [`date`].
fn time(scanner: &mut Scanner<'_>) -> Option<Civil> {
    let mut ahead = *scanner;
    let mut civil = date::date_time(&mut ahead).or_else(|| {
        ahead = *scanner;
        if ahead.day_name().is_some() {
            separators(&mut ahead);
        }
        ahead.month_first()
    })?;
    mib_offset(&mut ahead, &mut civil);
    if civil.offset_minutes.is_none() {
        date::zone(&mut ahead, &mut civil);
    }
    *scanner = ahead;
    Some(civil)
}

/// `,+1:0` or `+01:00`.
fn mib_offset(scanner: &mut Scanner<'_>, civil: &mut Civil) {
    let mut ahead = *scanner;
    let _ = ahead.byte(b',');
    let Some(sign) = ahead.one_of(b"+-Z") else { return };
    let read = |ahead: &mut Scanner<'_>| -> Option<i32> {
        let hours = ahead.digits(1, 2)?;
        ahead.byte(b':')?;
        let minutes = ahead.digits(1, 2)?;
        i32::try_from(hours * 60 + minutes).ok()
    };
    let minutes = if sign == b'Z' { Some(0) } else { read(&mut ahead) };
    if let Some(minutes) = minutes.filter(|minutes| *minutes < 24 * 60) {
        civil.offset_minutes = Some(if sign == b'-' { -minutes } else { minutes });
        *scanner = ahead;
    }
}

/// `Critical (3)`, `critical`, and any one word before a level's digit in brackets.
fn level(scanner: &mut Scanner<'_>, front: &mut Front) -> Option<()> {
    let mut ahead = *scanner;
    let letter = |byte: &&u8| byte.is_ascii_alphabetic() || **byte >= 0x80;
    let length = ahead.rest.iter().take(MAX_LEVEL_BYTES).take_while(letter).count();
    let (word, rest) = ahead.rest.split_at(length);
    ahead.rest = rest;
    let known = LEVELS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
    let mut bracket = ahead;
    bracket.blanks();
    let digit =
        bracket.byte(b'(').and_then(|()| bracket.digits(1, 1)).filter(|digit| (1..=8).contains(digit));
    let digit = digit.filter(|_| length > 0 && bracket.byte(b')').is_some());
    let level = match (digit, known) {
        (Some(digit), _) => {
            ahead = bracket;
            u8::try_from(digit).ok()?
        }
        (None, Some((_, level))) => *level,
        (None, None) => return None,
    };
    let ends = |byte: &u8| SEPARATORS.contains(byte) || *byte == b'(';
    if !ahead.rest.first().is_none_or(ends) || front.level.is_some() {
        return None;
    }
    front.level = Some((level - 1).min(7));
    *scanner = ahead;
    Some(())
}

/// A count, a level's digit or an event's number, `<82000200>`, `count=12`, `x12`.
fn number(scanner: &mut Scanner<'_>, front: &mut Front) -> Option<()> {
    let mut ahead = *scanner;
    let named =
        [&b"count="[..], b"count:", b"Count:", b"x"].into_iter().find(|name| ahead.text(name).is_some());
    ahead.blanks();
    let bracket = ahead.one_of(b"<[");
    let value = ahead.digits(1, 10)?;
    if bracket.is_some() {
        ahead.one_of(b">]")?;
    }
    if !ahead.rest.first().is_none_or(|byte| SEPARATORS.contains(byte))
        || ahead.rest.starts_with(b" consecutive")
    {
        return None;
    }
    if EPOCH_SECONDS.contains(&value) && named.is_none() && front.epoch_s.is_none() {
        front.epoch_s = Some(value);
    } else if value >= 1_000_000 && named.is_none() {
        // Numbers of events have eight digits and more.
        (!std::mem::replace(&mut front.number, true)).then_some(())?;
    } else if named.is_none() && front.times[1].is_none() && front.times[0].is_some() {
        // Pages have one time and the level's digit; only the MIB's two times come with a count.
        if front.level.is_some() && front.count.is_some() {
            return None;
        }
        front.level = front
            .level
            .or(u8::try_from(value).ok().and_then(|level| level.checked_sub(1)).filter(|l| *l < 8));
    } else if front.times[0].is_none() && named.is_none() {
        // The line's number in the table.
        if front.count.is_some() {
            return None;
        }
    } else if front.count.is_none() {
        front.count = u32::try_from(value).ok();
    } else if front.level.is_none() && (1..=8).contains(&value) {
        front.level = u8::try_from(value - 1).ok();
    } else {
        return None;
    }
    *scanner = ahead;
    Some(())
}

/// The text without the quotes and separators around it.
fn unquoted(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !b"\",; \t".contains(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::timestamp::from_iso;

    const TEXT: &str = "No Ranging Response received - T3 time-out;CM-MAC=02:00:00:00:00:01;CM-VER=3.1;";

    fn read(line: &str) -> std::result::Result<(Found, Draft), Refusal> {
        let channels = ChannelList::new(&[]).unwrap();
        let value = serde_json::json!({});
        let keys = Keys::new("format", &value).unwrap();
        let mut format = make(&keys, &channels, &Clock::from_keys(&keys).unwrap()).unwrap();
        let mut draft = Draft::default();
        draft.clear(&channels);
        let context = Context::new(from_iso("2026-11-22T12:00:00Z").unwrap(), None);
        format.read(line.as_bytes(), &context, &mut draft).map(|found| (found, draft))
    }

    #[test]
    fn lines_of_every_kind_give_time_error_and_retries() {
        let at = Stamp::At(from_iso("2026-11-20T05:18:37Z").unwrap());
        for front in [
            "Fri Nov 20 05:18:37 2026  Critical (3)  ",
            "2026-11-20, 05:18:37\t3\t",
            "2026-11-20 05:18:37,Critical (3),82000200,",
            "11/20/2026 05:18:37|82000200|3|",
            "20.11.2026 05:18:37 critical ",
            "11/20/2026 5:18:37 AM;Critical;",
            "\"2026-11-20T05:18:37Z\" error 82000200 ",
            "Nov 20 05:18:37 modem CABLEMODEM[DOCSIS]: <82000200> ",
            "<132>Nov 20 05:18:37 modem CM[1]: ",
            "05:18:37\tFri Nov 20 2026\tCritical (3)\t",
            "05:18:37^Fri Nov 20 2026^3^",
            "2026:11:20 05:18:37       | ",
            "\"1795151917\",\"Fri Nov 20 05:18:37 2026\",\"Critico (3)\",\"",
            "1795151917 Kritisch ",
            "1\t20/11/2026 05:18:37\t82000200\tcritical\t",
            "2026/11/20 05:18:37 | Critique | ",
            "Fri 20 Nov 2026 05:18:37; Crítico (3); ",
            "20.11.26 05:18:37 ",
            "3 | 11/20/26 05:18:37 | 82000200 | Waarschuwing | ",
            "2026-11-20 05:18:37 UTC Informação (7) ",
        ] {
            let (found, draft) = read(&format!("{front}{TEXT}")).unwrap();
            assert_eq!((found, draft.stamp), (Found::Record, at), "{front}");
            assert_eq!((draft.error_code.as_str(), draft.values[2]), ("T3-timeout", 1.0), "{front}");
            assert_eq!(draft.repeat, 1, "{front}");
        }
    }

    #[test]
    fn a_counted_event_has_its_first_and_last_time_and_its_count() {
        let (first, last) = (from_iso("2026-11-20T05:00:00Z"), from_iso("2026-11-20T05:18:37Z"));
        for front in [
            "7 2026-11-20,6:0:0.0,+1:0 2026-11-20,6:18:37.0,+1:0 12 critical 82000200 ",
            "2026-11-20 05:00:00, 2026-11-20 05:18:37, 12, 3, 82000200, ",
            "2026-11-20 05:00:00\t2026-11-20 05:18:37\tcount=12\tCritical (3)\t82000200\t",
        ] {
            let (_, draft) = read(&format!("{front}\"{TEXT}\"")).unwrap();
            assert_eq!(
                (draft.first_ms, draft.stamp, draft.repeat),
                (first, Stamp::At(last.unwrap()), 12),
                "{front}"
            );
            assert_eq!(draft.error_code, "T3-timeout", "{front}");
        }
    }

    #[test]
    fn clocks_that_are_not_set_headers_and_other_lines() {
        for front in [
            "Time Not Established Critical (3) ",
            "01/01/1970 00:00 82000200 3 ",
            "************* Warning (5) ",
        ] {
            let (_, draft) = read(&format!("{front}{TEXT}")).unwrap();
            assert!(matches!(draft.stamp, Stamp::Unsynchronised(_)), "{front}");
        }
        assert_eq!(read("Time\tPriority\tDescription").unwrap().0, Found::Nothing);
        assert_eq!(read("hello there").unwrap_err(), Refusal::NoEnvelope);
        assert_eq!(read("2026-02-30 05:00:00 3 x").unwrap_err(), Refusal::BadTimestamp);
    }
}
