//! The time stamp in front of a message, in the forms older than RFC 5424, with what routers and switches put before it.
use super::envelope::{Envelope, are_topics};
use super::time::civil::{Civil, Scanner};
use super::time::date;

/// Sequence numbers and names before a router's time.
const MAX_FRONT_WORDS: usize = 5;
/// Longest node name of IOS-XR with its host.
const MAX_NODE_BYTES: usize = 64;

/// Everything up to and with the time stamp of the forms older than RFC 5424.
pub fn read<'a>(scanner: &mut Scanner<'a>, envelope: &mut Envelope<'a>) -> Option<()> {
    let mut ahead = *scanner;
    let mut civil = if let Some(civil) = bracketed_date(&mut ahead) {
        civil
    } else {
        router_front(&mut ahead, envelope)?;
        bracketed_date(&mut ahead)?
    };
    zone(&mut ahead, &mut civil);
    if !ahead.rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t' | b':')) {
        return None;
    }
    envelope.civil = Some(civil);
    *scanner = ahead;
    Some(())
}

/// A time at the front of a line that has no envelope, in brackets or not: as a date, or in epoch ms; and the rest.
pub fn in_front(line: &[u8]) -> (Option<Civil>, Option<i64>, &[u8]) {
    let mut scanner = Scanner::new(line);
    let blank = |scanner: &Scanner<'_>| matches!(scanner.rest.first(), Some(b' ' | b'\t' | b':'));
    if let Some(mut civil) = bracketed_date(&mut scanner) {
        zone(&mut scanner, &mut civil);
        if blank(&scanner) {
            let rest = scanner.rest.trim_ascii_start();
            return (Some(civil), None, rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start());
        }
    }
    let mut ahead = Scanner::new(line);
    let bracket = ahead.byte(b'[').is_some();
    let mut epoch = || {
        let seconds = ahead.digits(9, 10)?;
        let milliseconds = ahead.fraction()?;
        if bracket {
            ahead.byte(b']')?;
        }
        (ahead.blanks() > 0).then_some(seconds * 1000 + milliseconds)
    };
    match epoch() {
        Some(time_ms) => (None, Some(time_ms), ahead.rest),
        None => (None, None, line),
    }
}

/// A date, perhaps between brackets or behind the weekday.
fn bracketed_date(scanner: &mut Scanner<'_>) -> Option<Civil> {
    let mut ahead = *scanner;
    let bracket = ahead.byte(b'[').is_some();
    let mut day = ahead;
    if day.day_name().is_some() {
        let _ = day.byte(b',');
        if day.blanks() > 0 {
            ahead = day;
        }
    }
    let civil = date(&mut ahead)?;
    if bracket {
        ahead.byte(b']')?;
    }
    *scanner = ahead;
    Some(civil)
}

/// ` CET`, `+01:00`, ` DST`. An abbreviation that is not known, between the time and a colon, is passed over.
fn zone(scanner: &mut Scanner<'_>, civil: &mut Civil) {
    let mut ahead = *scanner;
    if civil.offset_minutes.is_none() {
        ahead.signed_offset(civil);
        *scanner = ahead;
    }
    ahead.blanks();
    let length = ahead.rest.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    let (mut known, mut unknown) = (ahead, ahead);
    let minutes = known.zone_name();
    if minutes.is_some() && known.rest.first().is_none_or(|byte| matches!(byte, b' ' | b':')) {
        civil.offset_minutes = civil.offset_minutes.or(minutes);
        *scanner = known;
    } else if (2..=5).contains(&length) {
        let name = &unknown.rest[..length];
        unknown.rest = &unknown.rest[length..];
        let colon = unknown.rest.starts_with(b": ") || unknown.rest.starts_with(b":%");
        if colon || (name == b"DST" && unknown.rest.starts_with(b" ")) {
            *scanner = unknown;
        }
    }
}

/// The ways of a date: ISO 8601, month first, year before the month, day before it, or in numbers.
fn date(scanner: &mut Scanner<'_>) -> Option<Civil> {
    if let Some(civil) = scanner.iso().or_else(|| scanner.month_first()).or_else(|| routeros(scanner)) {
        return Some(civil);
    }
    let mut ahead = *scanner;
    let number = ahead.digits(1, 4)?;
    let separator = ahead.one_of(b" -/.")?;
    if number >= 1970 {
        let mut civil = ahead.month_first()?;
        civil.year = Some(number);
        *scanner = ahead;
        return Some(civil);
    }
    let Some(month) = ahead.month_name() else {
        return (separator != b' ').then(|| date::date_time(scanner))?;
    };
    let mut civil = Civil { day: number, month, ..Civil::default() };
    ahead.one_of(b" -/")?;
    let mut year = ahead;
    if let (Some(number), Some(_)) = (year.digits(4, 4), year.one_of(b" :")) {
        civil.year = Some(number);
        ahead = year;
        ahead.blanks();
    }
    ahead.time_of_day(&mut civil)?;
    *scanner = ahead;
    Some(civil)
}

/// `nov/20/2026 10:31:09` of RouterOS 6, `11-20 10:31:09` of RouterOS 7; the current year is left away. Month and
/// day in digits could be another's day and month: the topics behind them tell.
fn routeros(scanner: &mut Scanner<'_>) -> Option<Civil> {
    let mut ahead = *scanner;
    let mut civil = Civil::default();
    let named = ahead.month_name();
    civil.month = named.or_else(|| ahead.digits(2, 2))?;
    ahead.byte(if named.is_some() { b'/' } else { b'-' })?;
    civil.day = ahead.digits(2, 2)?;
    if named.is_some() && ahead.byte(b'/').is_some() {
        civil.year = Some(ahead.digits(4, 4)?);
    }
    (ahead.blanks() > 0).then_some(())?;
    ahead.time_of_day(&mut civil)?;
    let mut behind = ahead;
    behind.blanks();
    (named.is_some() || are_topics(behind.word()?)).then_some(())?;
    *scanner = ahead;
    Some(civil)
}

/// What routers and switches put before the time: sequence numbers and a host, each before a colon, the node of
/// IOS-XR, and a sign when the clock is not set (`*`) or no longer (`.`). Nothing is taken unless a date follows.
fn router_front<'a>(scanner: &mut Scanner<'a>, envelope: &mut Envelope<'a>) -> Option<()> {
    let mut ahead = *scanner;
    let mut host = envelope.host;
    for _ in 0..MAX_FRONT_WORDS {
        let mut stamp = ahead;
        let mark = stamp.one_of(b"*.%");
        stamp.blanks();
        if bracketed_date(&mut { stamp }).is_some() {
            envelope.host = host;
            envelope.clock_unset = mark == Some(b'*');
            *scanner = stamp;
            return Some(());
        }
        let before = ahead;
        let name = ahead.word()?;
        let Some(name) = name.strip_suffix(b":").filter(|_| ahead.blanks() > 0) else {
            ahead = before;
            node(&mut ahead, &mut host)?;
            continue;
        };
        if is_name(name) {
            host = name;
        }
    }
    None
}

/// `r1 RP/0/RP0/CPU0:`, which a date follows at once.
fn node<'a>(scanner: &mut Scanner<'a>, host: &mut &'a [u8]) -> Option<()> {
    let window = &scanner.rest[..scanner.rest.len().min(MAX_NODE_BYTES)];
    let colon = window.iter().position(|byte| *byte == b':')?;
    if !window[..colon].contains(&b'/') {
        return None;
    }
    if let Some(blank) = window[..colon].iter().rposition(|byte| *byte == b' ') {
        *host = window[..blank].trim_ascii();
    }
    scanner.rest = &scanner.rest[colon + 1..];
    Some(())
}

/// A name or an address, and no number of a line.
fn is_name(name: &[u8]) -> bool {
    let sign = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-:".contains(byte);
    name.iter().all(sign) && !name.iter().all(u8::is_ascii_digit) && !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::envelope;

    #[test]
    fn fronts_of_routers_and_switches_give_host_time_and_mnemonic() {
        for (front, host, millisecond, offset) in [
            ("<189>1432: sw-a: Nov 20 12:50:26.172: ", "sw-a", 172, None),
            ("1432: sw-a: Nov 20 12:50:26.172: ", "sw-a", 172, None),
            ("<189>1179: rt-b: Nov 20 12:50:26.743 CET: ", "rt-b", 743, Some(60)),
            ("<190>3132811: sw-c: 3132807: Nov 20 2026 12:50:26.398 UTC: ", "sw-c", 398, Some(0)),
            ("<190>sw-d: Nov 20 2026 12:50:26 UTC: ", "sw-d", 0, Some(0)),
            ("<190>sw-e: 2026 Nov 20 12:50:26 UTC: ", "sw-e", 0, Some(0)),
            ("<190>sw-e: 2026 Nov 20 12:50:26.5 XYZ: ", "sw-e", 500, None),
            ("<190>: 2026 Nov 20 12:50:26 UTC: ", "", 0, Some(0)),
            ("<189>77: 192.0.2.7: *Nov 20 12:50:26.172: ", "192.0.2.7", 172, None),
            ("<189>77: sw-a: .Nov 20 2026 12:50:26 AEST: ", "sw-a", 0, Some(600)),
            ("*Nov 20 12:50:26.172: ", "", 172, None),
            ("77: *Nov 20 2026 12:50:26.172: ", "", 172, None),
            ("Nov 20 12:50:27 sw-a 1432: Nov 20 12:50:26.172: ", "sw-a", 172, None),
            ("<189>Nov 20 12:50:27 sw-a 1432: sw-a: Nov 20 12:50:26.172 CET: ", "sw-a", 172, Some(60)),
            ("2026-11-20T12:50:27Z sw-a : 2026 Nov 20 12:50:26 UTC: ", "sw-a", 0, Some(0)),
        ] {
            let line = format!("{front}%LINK-5-CHANGED: Interface down");
            expect_front(&line, host, "%LINK-5-CHANGED", "Interface down", (millisecond, offset));
        }
        for (line, host, program, message, time) in [
            (
                "<29>2026-11-20 12:50:26.270.1 hw-f %%01IFNET/4/IF_STATE(l)[4997]:Interface down",
                "hw-f",
                "%%01IFNET/4/IF_STATE",
                "Interface down",
                (270, None),
            ),
            (
                "<29>Nov 20 2026 12:50:26+01:00 hw-f %%01IFNET/4/IF_STATE(l)[4997]:Interface down",
                "hw-f",
                "%%01IFNET/4/IF_STATE",
                "Interface down",
                (0, Some(60)),
            ),
            (
                "<190>Nov 20 12:50:26:270 2026 h3c-g %%10IFNET/3/LINK_UPDOWN: Interface down",
                "h3c-g",
                "%%10IFNET/3/LINK_UPDOWN",
                "Interface down",
                (270, None),
            ),
            (
                "<134>Nov 20 12:50:26 eos-h Ebra: %LINEPROTO-5-UPDOWN: Interface down",
                "eos-h",
                "Ebra",
                "%LINEPROTO-5-UPDOWN: Interface down",
                (0, None),
            ),
            (
                "<30>Nov 20 12:50:26.270 mx-i rpd[123]: Interface down",
                "mx-i",
                "rpd",
                "Interface down",
                (270, None),
            ),
            (
                "Nov 20 12:50:26.270 2026 mx-i rpd[123]: Interface down",
                "mx-i",
                "rpd",
                "Interface down",
                (270, None),
            ),
        ] {
            expect_front(line, host, program, message, time);
        }
    }

    fn expect_front(line: &str, host: &str, program: &str, message: &str, time: (i64, Option<i32>)) {
        let envelope = envelope::open(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let found = (text(envelope.host), text(envelope.program), text(envelope.message));
        assert_eq!(found, (host.to_owned(), program.to_owned(), message.to_owned()), "{line}");
        let civil = envelope.civil.unwrap_or_else(|| panic!("{line}"));
        assert_eq!(
            (civil.month, civil.day, civil.hour, civil.minute, civil.second),
            (11, 20, 12, 50, 26),
            "{line}"
        );
        assert_eq!((civil.millisecond, civil.offset_minutes), time, "{line}");
        assert_eq!(envelope.clock_unset, line.contains('*'), "{line}");
    }
}
